"""The serving files of a release: two SQLite databases, written by the batch (`batch/serving.py`), read by the lists.

`serving.sqlite` holds the matches with the predictions of each stage, the features, competitions and clubs; a rebuild
writes it. `odds.sqlite` holds odds, edges and returns of the same matches; a rebuild and every odds refresh write it.
A reader attaches the second to the first, as schema `market`.

A match's *position* is its place in the order of (kickoff, match_id), unknown kickoffs last. Rows that are read
together are stored together: matches and odds are stored twice, by position and by *place*, which is competition, then
position, in one number; odds once more by match id, the order of their own list. A page of a list then costs a few
reads wherever it begins.

To add a column of a match, add it to `MATCH_COLUMNS` (one value for all stages) or `STAGE_COLUMNS`, and fill it in
`batch/serving.py`; a column that depends on odds goes into `ODDS_COLUMNS` or `STAGE_ODDS_COLUMNS`. To show it, name it
in `chalicelib/releases/columns.py`. Raise `SCHEMA_VERSION` when earlier readers could not read the file.
"""

from collections.abc import Mapping
from typing import Final

from chalicelib.domain import Stage

SCHEMA_VERSION: Final = 1

PAGE_BYTES: Final = 65_536
"""Size of a database page, SQLite's largest: a table of a million matches is then a root and its leaves, and as every
root lies at the beginning of the file, a row costs one read. It is also the block of a ranged read."""

POSITION_BITS: Final = 32
"""A place is `group << POSITION_BITS | position`; SQLite's row ids are 64 bits wide."""

POSITION_OF: Final = (1 << POSITION_BITS) - 1
"""The bits of a place that are its position."""

MATCH_COLUMNS: Final[Mapping[str, str]] = {
    "match_id": "INTEGER",
    "competition": "INTEGER",
    "home_club": "INTEGER",
    "away_club": "INTEGER",
    "kickoff": "INTEGER",  # seconds since the epoch; null while unknown
    "outcome_1x2": "TEXT",
    "home_score": "INTEGER",
    "away_score": "INTEGER",
    "home_team": "TEXT",
    "away_team": "TEXT",
    "region": "TEXT",
    "league": "TEXT",
    "season": "TEXT",
    "sex": "INTEGER",
    "is_future": "INTEGER",
    "home_elo": "REAL",
    "away_elo": "REAL",
    "home_form": "TEXT",
    "away_form": "TEXT",
}
"""Columns of `matches` and `matches_by_league`, without the key and the columns of the stages."""

STAGE_COLUMNS: Final[Mapping[str, str]] = {
    "proba_home": "REAL",
    "proba_draw": "REAL",
    "proba_away": "REAL",
    "predicted_class": "INTEGER",
    "in_sample": "INTEGER",
}
"""Columns of the same tables per stage, named `<stage>_<column>`."""

ODDS_COLUMNS: Final[Mapping[str, str]] = {
    "match_id": "INTEGER",
    "competition": "INTEGER",
    "home_club": "INTEGER",
    "away_club": "INTEGER",
    "finished": "INTEGER",  # whether the result is known
    "provider": "TEXT",
    "fonbet_event_id": "TEXT",
    "odds_home": "REAL",
    "odds_draw": "REAL",
    "odds_away": "REAL",
    "margin": "REAL",
    "implied_home": "REAL",
    "implied_draw": "REAL",
    "implied_away": "REAL",
    "suspended": "INTEGER",
    "collected_at": "INTEGER",  # seconds since the epoch
    "url": "TEXT",
    "live_score": "TEXT",
}
"""Columns of `odds`, `odds_by_league` and `odds_by_match`, without the key and the columns of the stages."""

STAGE_ODDS_COLUMNS: Final[Mapping[str, str]] = {
    "edge_home": "REAL",
    "edge_draw": "REAL",
    "edge_away": "REAL",
    "best_edge": "REAL",
    "pooled_home": "REAL",
    "pooled_draw": "REAL",
    "pooled_away": "REAL",
    "pooled_edge_home": "REAL",
    "pooled_edge_draw": "REAL",
    "pooled_edge_away": "REAL",
    "value_bet": "TEXT",
    "kelly_quarter": "REAL",
}
"""Columns of the first two per stage: they follow from its probabilities and the odds."""


def place(group: int, position: int) -> int:
    """The key of a row among those of its group (a competition or a club), in order of kickoff."""
    return group << POSITION_BITS | position


def _columns(common: Mapping[str, str], by_stage: Mapping[str, str]) -> dict[str, str]:
    return {**common, **{f"{stage}_{name}": kind for stage in Stage for name, kind in by_stage.items()}}


ALL_MATCH_COLUMNS: Final[Mapping[str, str]] = _columns(MATCH_COLUMNS, STAGE_COLUMNS)
ALL_ODDS_COLUMNS: Final[Mapping[str, str]] = _columns(ODDS_COLUMNS, STAGE_ODDS_COLUMNS)


def _table(name: str, key: str, columns: Mapping[str, str]) -> str:
    described = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    return f"CREATE TABLE {name} ({key} INTEGER PRIMARY KEY, {described})"


def _without(columns: Mapping[str, str], name: str) -> dict[str, str]:
    return {column: kind for column, kind in columns.items() if column != name}


PROPERTIES: Final = "CREATE TABLE properties (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID"

SERVING_SCHEMA: Final = (
    PROPERTIES,
    # Keys are names in the form of `chalicelib.text.plain`; so are a club's spellings, one per line.
    "CREATE TABLE competitions"
    " (id INTEGER PRIMARY KEY, region TEXT, league TEXT, region_key TEXT, league_key TEXT, matches INTEGER)",
    "CREATE TABLE seasons (id INTEGER PRIMARY KEY, competition INTEGER, season TEXT, matches INTEGER)",
    "CREATE TABLE clubs (id INTEGER PRIMARY KEY, region TEXT, sex INTEGER, name TEXT, matches INTEGER, spellings TEXT)",
    _table("matches", "position", ALL_MATCH_COLUMNS),
    "CREATE INDEX matches_kickoff ON matches (kickoff)",
    "CREATE INDEX matches_open ON matches (competition, kickoff) WHERE outcome_1x2 IS NULL",
    _table("matches_by_league", "place", ALL_MATCH_COLUMNS),
    # A club's matches: place is the club, then the position.
    "CREATE TABLE appearances (place INTEGER PRIMARY KEY, competition INTEGER)",
    # `vector`: the features as little-endian doubles in the order of the property `features`, NaN where missing.
    "CREATE TABLE by_id (match_id INTEGER PRIMARY KEY, position INTEGER, vector BLOB)",
)
"""Tables before indexes and all before the first row: their root pages are then contiguous at the file's beginning."""

ODDS_SCHEMA: Final = (
    PROPERTIES,
    "CREATE TABLE region_roi (region TEXT PRIMARY KEY, roi REAL) WITHOUT ROWID",
    _table("odds", "position", ALL_ODDS_COLUMNS),
    *(f"CREATE INDEX odds_{stage}_value ON odds (position) WHERE {stage}_value_bet IS NOT NULL" for stage in Stage),
    *(
        f"CREATE INDEX odds_{stage}_edge ON odds ({stage}_best_edge DESC) WHERE {stage}_best_edge IS NOT NULL"
        for stage in Stage
    ),
    _table("odds_by_league", "place", ALL_ODDS_COLUMNS),
    "CREATE INDEX odds_by_league_match ON odds_by_league (competition, match_id)",
    _table("odds_by_match", "match_id", {"position": "INTEGER", **_without(ODDS_COLUMNS, "match_id")}),
    # How prices moved before kickoff: of a match its prices in order of time, the closing price behind them. Files of
    # earlier versions lack it.
    "CREATE TABLE prices (match_id INTEGER, number INTEGER, seen_at INTEGER, odds_home REAL, odds_draw REAL,"
    " odds_away REAL, bookmaker TEXT, is_closing INTEGER, PRIMARY KEY (match_id, number)) WITHOUT ROWID",
)
