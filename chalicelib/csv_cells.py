"""Text in CSV files, which people open with spreadsheets."""

from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula: one that begins like a formula gets an apostrophe in front.

    Names come from feeds and files of others (OWASP, CSV injection).
    """
    return f"'{text}" if text.startswith(_FORMULA) else text
