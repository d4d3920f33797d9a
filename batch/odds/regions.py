"""Countries under one name: ISO 3166-1 numbers, English and other spellings -> the region our matches use.

The table is `batch/odds/regions.csv`. England, Scotland, Wales and Northern Ireland are regions of their own in
football but one country (826) in ISO 3166-1, so that number alone names none of them.
"""

import csv
from functools import cache
from importlib.resources import files
from typing import Final

from chalicelib.text import plain

INTERNATIONAL: Final = "International"
"""Region of competitions between countries and of continental club cups."""


def canonical(name: str | None) -> str | None:
    """The region's canonical name; an unknown name stays as it is, an empty one is None."""
    if name is None or not name.strip():
        return None
    return _by_name().get(plain(name), name.strip())


def known(name: str) -> str | None:
    """The region of that name, or None if the table has none."""
    return _by_name().get(plain(name))


def by_iso_number(number: int | None) -> str | None:
    """The region with that ISO 3166-1 number (1: International); None if there is none, or several (826)."""
    return None if number is None else _by_number().get(number)


def leading(text: str) -> str | None:
    """The region a competition's name begins with: "England. Premier League" -> England, "Premier League" -> None."""
    words = plain(text).split()
    for count in range(min(len(words), 4), 0, -1):
        region = _by_name().get(" ".join(words[:count]))
        if region is not None:
            return region
    return None


@cache
def _rows() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    text = files("batch.odds").joinpath("regions.csv").read_text(encoding="utf-8")
    return tuple(
        (row["iso_numeric"], row["region"], tuple(name for name in row["other_names"].split("|") if name))
        for row in csv.DictReader(text.splitlines())
    )


@cache
def _by_name() -> dict[str, str]:
    return {plain(name): region for _, region, other_names in _rows() for name in (region, *other_names)}


@cache
def _by_number() -> dict[int, str]:
    return {int(number): region for number, region, _ in _rows() if number}
