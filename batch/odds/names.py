"""Read club names: which team of the club plays (women, youth, reserves), and the normalised letters.

Similarity of letters cannot tell Real Madrid from Real Madrid Castilla or Arsenal from Arsenal (w); these flags do,
so they are read from the team and from the league, and required equal, before any letters are compared.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from chalicelib.text import plain


@dataclass(frozen=True, slots=True)
class TeamFlags:
    """Which team of a club plays.

    Args:
        women: A women's team.
        age: Upper age limit of a youth team, in years; 0 for a youth team without a stated limit; None for adults.
        reserves: A second or third team.
    """

    women: bool = False
    age: int | None = None
    reserves: bool = False


_WOMEN: Final = re.compile(
    r"""\( \s* (?:w|women|ж|жен\.?|f|fem) \s* \) | \b (?: women(?:'s|s)? | ladies | frauen | dames | vrouwen | damer
      | femen[ií](?:no|na|l)? | f[eé]minin(?:e|es|a|o)? | femminile | kvinn(?:er|or) | kvinder | жен | женщины | женская
      | wfc | fcw | wsl | nwsl | damallsvenskan | toppserien | liga \s f ) \b""",
    re.VERBOSE,
)
_WOMEN_AT_END: Final = re.compile(r"(?<=\s)(?:w|ж)$")
_AGE: Final = re.compile(r"\b(?:u|under|sub|до)[\s\-]?(1[4-9]|2[0-3])\b")
_YOUTH: Final = re.compile(r"\((?:юн|y|youth)\)|\b(?:youth|academy|юноши|молодежь|молодежная)\b")
_YOUTH_LEAGUE: Final = re.compile(r"\b(?:primavera|juvenil|junioren|youth|academy|юношеск\w*|молодежн\w*)\b")
_RESERVES: Final = re.compile(
    r"\((?:r|res|reserves?|рез|дубль|b|ii)\)"
    r"|\b(?:reserves?|castilla|jong|amateure|дубль|резерв)\b"
    r"|(?<=\S\s)(?:b|ii|iii|2|b team)$"
)
_RESERVE_LEAGUE: Final = re.compile(r"\b(?:reserves?|reserve league|резерв\w*|дублер\w*|premier league 2)\b")
_FIRST_TEAMS_THAT_LOOK_LIKE_RESERVES: Final = frozenset({"willem ii"})

_CLUB_WORDS: Final = frozenset(
    {"fc", "cf", "sc", "afc", "ac", "as", "fk", "sk", "sv", "bk", "if", "ff", "cd", "ud", "sd", "us", "ssc", "ss", "rc"}
    | {"ca", "cs", "nk", "tsv", "vfb", "vfl", "ssv", "rcd", "club"}
)
"""Words for "club" in some language, which do not distinguish the clubs of a region."""


def are_women(home: str, away: str, league: str) -> bool:
    """Whether a team's name or the league says that women play."""
    return flags_of(home, league).women or flags_of(away, league).women


@lru_cache(maxsize=65536)
def flags_of(team: str, league: str = "") -> TeamFlags:
    """Which team of the club this is, read from its name and its league.

    A trailing B, II or 2 means reserves in a team's name and nothing in a league's ("Serie B", "Liga II", "2.
    Bundesliga").
    """
    name, competition = _spaced(team), _spaced(league)
    women = bool(_WOMEN.search(name) or _WOMEN.search(competition) or _WOMEN_AT_END.search(name))
    age_match = _AGE.search(name) or _AGE.search(competition)
    age = int(age_match.group(1)) if age_match else None
    if age is None and (_YOUTH.search(name) or _YOUTH_LEAGUE.search(competition)):
        age = 0
    without = _stripped(name)
    reserves = bool(_RESERVES.search(without)) and without not in _FIRST_TEAMS_THAT_LOOK_LIKE_RESERVES
    return TeamFlags(women, age, reserves or bool(_RESERVE_LEAGUE.search(competition)))


@lru_cache(maxsize=65536)
def club_name(team: str) -> str:
    """The club's name without flags, accents, case, punctuation and words like FC; never empty for a named team.

    "1. FC Köln" -> "koln", "Arsenal FC (w)" -> "arsenal", "Real Madrid B" -> "real madrid", "FC" -> "fc".
    """
    bare = _stripped(_spaced(team))
    if bare not in _FIRST_TEAMS_THAT_LOOK_LIKE_RESERVES:
        bare = _RESERVES.sub(" ", bare)
    words = plain(bare).split()
    if words and words[0] == "1":  # as in "1. FC ..."
        words = words[1:]
    club_words = [word for word in words if word not in _CLUB_WORDS]
    return " ".join(club_words or words) or plain(team)


def _spaced(text: str) -> str:
    """Lower case, a space before each bracket, single spaces: "Арсенал(ж)" -> "арсенал (ж)"."""
    return " ".join(text.casefold().replace("\u0451", "\u0435").replace("(", " (").split())


def _stripped(name: str) -> str:
    """The name without its marks of women and youth."""
    for mark in (_WOMEN, _AGE, _YOUTH):
        name = mark.sub(" ", name)
    return _WOMEN_AT_END.sub("", " ".join(name.split()).strip(" .-")).strip()
