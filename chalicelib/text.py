"""The normal form in which names are compared."""

import re
import unicodedata
from typing import Final

_LETTERS: Final = str.maketrans(  # letters that no Unicode decomposition turns into plain ones
    {
        "ø": "o",
        "đ": "d",
        "ł": "l",
        "æ": "ae",
        "œ": "oe",
        "\u0131": "i",
        "ð": "d",
        "þ": "th",
        "ß": "ss",
        "'": "",
        "\u2019": "",
    }
)
_NOT_WORD: Final = re.compile(r"[\W_]+")


def plain(text: str) -> str:
    """Lower case without accents, punctuation as single spaces, without apostrophes ("Nott'm" -> "nottm")."""
    folded = text.casefold().translate(_LETTERS)
    decomposed = unicodedata.normalize("NFKD", folded)
    # й and ё lose their marks too, on both sides of a comparison
    letters = "".join(character for character in decomposed if not unicodedata.combining(character))
    return _NOT_WORD.sub(" ", letters).strip()
