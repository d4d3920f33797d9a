"""Write the serving files of a release: `serving.sqlite` and `odds.sqlite` (`chalicelib/releases/schema.py`).

Rows are inserted in chunks, so memory stays bounded. The same frames give the same bytes.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import apsw
import numpy as np
import numpy.typing as npt
import pandas as pd

from batch.odds import arrays as odds_arrays
from batch.odds import price_history
from batch.odds import table as fonbet_odds
from batch.odds.clubs import AliasTable
from batch.odds.past_prices import CLOSING, ODDS
from batch.returns.value_signal import POOLED
from batch.rows import FrameRows, Rows
from chalicelib.domain import Outcome, Stage
from chalicelib.errors import ReleaseTooLarge
from chalicelib.releases.schema import (
    ALL_MATCH_COLUMNS,
    ALL_ODDS_COLUMNS,
    MATCH_COLUMNS,
    ODDS_COLUMNS,
    ODDS_SCHEMA,
    PAGE_BYTES,
    POSITION_BITS,
    SCHEMA_VERSION,
    SERVING_SCHEMA,
    STAGE_COLUMNS,
    place,
)
from chalicelib.text import plain

CHUNK_ROWS: Final = 50_000

Integers = npt.NDArray[np.int64]
Columns = Mapping[str, "pd.Series | npt.NDArray[Any]"]
"""Column name to values; all of the same length."""

LABELS: Final = tuple(outcome.label for outcome in Outcome)

INDEX_COLUMNS: Final = ("match_id", "region", "league", "sex", "home_team", "away_team")
"""Columns of the predictions that `MatchIndex` is made from."""


@dataclass(frozen=True)
class MatchIndex:
    """Positions of a release's matches in its serving file; its odds are stored alike.

    Attributes:
        match_id: In the order of (kickoff, match_id), unknown kickoffs last: the index is the position.
        competition: The match's competition, a row of `competitions`.
        home_club: The home side, a row of `clubs`.
        away_club: The away side.
        competitions: Region and league of each competition.
        clubs: Region, sex and name of each club.
    """

    match_id: Integers
    competition: Integers
    home_club: Integers
    away_club: Integers
    competitions: pd.DataFrame
    clubs: pd.DataFrame

    @classmethod
    def of(cls, predictions: pd.DataFrame) -> "MatchIndex":
        """The index of a release's predictions, of any stage: competitions by (region, league), clubs by name."""
        competition, competitions = _numbered(predictions[["region", "league"]])
        sides = [
            predictions[["region", "sex", side]].set_axis(["region", "sex", "name"], axis=1)
            for side in ("home_team", "away_team")
        ]
        club, clubs = _numbered(pd.concat(sides, ignore_index=True))
        count = len(predictions)
        return cls(
            predictions["match_id"].to_numpy(np.int64), competition, club[:count], club[count:], competitions, clubs
        )


def _numbered(rows: pd.DataFrame) -> tuple[Integers, pd.DataFrame]:
    """The 1-based number of each row's combination of values, and the sorted combinations."""
    names = list(rows.columns)
    groups = rows.groupby(names, sort=True, dropna=False)
    keys = groups.size().reset_index()[names]
    return np.asarray(groups.ngroup(), dtype=np.int64) + 1, keys


def write_serving(path: Path, features: Rows, predictions: Mapping[Stage, Rows]) -> None:
    """Write `serving.sqlite`.

    Args:
        path: The file, which does not exist yet.
        features: Rows of match_features.parquet.
        predictions: Rows of predictions.parquet by stage, in order of (match_date, match_id); the same matches each.

    Raises:
        ValueError: the stages do not list the same matches in the same order.
        ReleaseTooLarge: the file does not fit into the temporary folder.
    """
    shown = next(iter(predictions.values()))
    index = MatchIndex.of(shown.columns(INDEX_COLUMNS))
    for stage, rows in predictions.items():
        if not np.array_equal(rows.columns(["match_id"])["match_id"].to_numpy(np.int64), index.match_id):
            raise ValueError(f"the predictions of {stage} list other matches than {next(iter(predictions))}'s")
    with _database(path, SERVING_SCHEMA) as database:
        _insert(database, "properties", ("name", "value"), _properties(features, predictions))
        _insert(database, "competitions", _COMPETITION, _competitions(index))
        _insert(database, "seasons", _SEASON, _seasons(index, shown.columns(["season"])["season"]))
        _insert(database, "clubs", _CLUB, _clubs(index))
        _insert(database, "matches", ("position", *ALL_MATCH_COLUMNS), _matches(index, predictions))
        _copy_by_league(database, "matches", ALL_MATCH_COLUMNS)
        _insert(database, "appearances", ("place", "competition"), _appearances(index))
        _insert(database, "by_id", ("match_id", "position", "vector"), _by_id(index, features))


def write_odds(
    path: Path,
    odds: pd.DataFrame,
    predictions: Mapping[Stage, pd.DataFrame],
    signals: Mapping[Stage, pd.DataFrame],
    roi_by_region: Mapping[str, float | None],
    history: pd.DataFrame | None = None,
) -> int:
    """Write `odds.sqlite`.

    Args:
        path: The file, which does not exist yet.
        odds: Rows of fonbet_odds.parquet; those of matches that the release lacks are left out.
        predictions: As for `write_serving`.
        signals: By stage, what `batch.returns.value_signal` says by match.
        roi_by_region: The return on bets of each region.
        history: Rows of price_history.parquet; without it, prices show no movement.

    Returns:
        The number of matches with odds.

    Raises:
        ReleaseTooLarge: the file does not fit into the temporary folder.
    """
    first_stage = next(iter(predictions.values()))
    index = MatchIndex.of(first_stage)
    priced, columns = _odds_columns(index, odds, predictions, signals)
    with _database(path, ODDS_SCHEMA) as database:
        _insert(database, "properties", ("name", "value"), [("schema_version", str(SCHEMA_VERSION))])
        _insert(database, "region_roi", ("region", "roi"), sorted(roi_by_region.items()))
        _insert(database, "odds", ("position", *ALL_ODDS_COLUMNS), _rows({"position": priced, **columns}))
        _copy_by_league(database, "odds", ALL_ODDS_COLUMNS)
        names = ", ".join(("position", *ODDS_COLUMNS))
        database.execute(f"INSERT INTO odds_by_match ({names}) SELECT {names} FROM odds ORDER BY match_id")
        carried = odds[odds["match_id"].isin(index.match_id)]
        _insert(database, "prices", _PRICE, _rows(_price_columns(carried, history)))
    return len(priced)


@contextmanager
def _database(path: Path, schema: Sequence[str]) -> Iterator[apsw.Connection]:
    database = apsw.Connection(str(path))
    try:
        # no journal and no fsync: an unfinished file is discarded
        for pragma in (f"page_size={PAGE_BYTES}", "journal_mode=OFF", "synchronous=OFF", "cache_size=-65536"):
            database.execute(f"PRAGMA {pragma}")
        # sort in the folder that has room for the file
        database.execute("PRAGMA temp_store=FILE")
        database.execute("BEGIN")
        for statement in schema:
            database.execute(statement)
        yield database
        database.execute("COMMIT")
    except (apsw.FullError, apsw.IOError) as error:
        raise ReleaseTooLarge(f"{path.name} does not fit into the temporary folder: {error}") from error
    finally:
        database.close()


def _insert(database: apsw.Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    values = ",".join("?" * len(columns))
    database.executemany(f"INSERT INTO {table} ({','.join(columns)}) VALUES ({values})", rows)


def _copy_by_league(database: apsw.Connection, table: str, columns: Iterable[str]) -> None:
    names = ", ".join(columns)
    key = f"competition << {POSITION_BITS} | position"
    database.execute(
        f"INSERT INTO {table}_by_league (place, {names}) SELECT {key} AS place, {names} FROM {table} ORDER BY place"
    )


def _rows(columns: Columns) -> Iterator[tuple[Any, ...]]:
    """The rows of equally long columns as Python values, missing ones as None."""
    count = len(next(iter(columns.values())))
    for start in range(0, count, CHUNK_ROWS):
        yield from zip(*(_values(column[start : start + CHUNK_ROWS]) for column in columns.values()), strict=True)


def _values(column: "pd.Series | npt.NDArray[Any]") -> list[Any]:
    if isinstance(column, pd.Series):
        missing = column.isna().to_numpy(bool)
        values: list[Any] = column.tolist()
    else:
        missing = np.asarray(pd.isna(column))
        values = column.tolist()
    for row in np.flatnonzero(missing):
        values[row] = None
    return values


_COMPETITION: Final = ("id", "region", "league", "region_key", "league_key", "matches")
_SEASON: Final = ("id", "competition", "season", "matches")
_CLUB: Final = ("id", "region", "sex", "name", "matches", "spellings")


def _competitions(index: MatchIndex) -> Iterator[tuple[Any, ...]]:
    counts = np.bincount(index.competition, minlength=len(index.competitions) + 1)
    for number, (region, league) in enumerate(index.competitions.itertuples(index=False), start=1):
        yield number, region, league, plain(region), plain(league), int(counts[number])


def _seasons(index: MatchIndex, season: pd.Series) -> Iterator[tuple[Any, ...]]:
    seasons = pd.DataFrame({"competition": index.competition, "season": season.to_numpy(object)})
    counts = seasons.groupby(["competition", "season"], dropna=False).size().rename("matches").reset_index()
    columns = {name: counts[name] for name in _SEASON[1:]}
    yield from _rows({"id": np.arange(1, len(counts) + 1), **columns})


def _clubs(index: MatchIndex) -> Iterator[tuple[Any, ...]]:
    size = len(index.clubs) + 1
    counts = np.bincount(index.home_club, minlength=size) + np.bincount(index.away_club, minlength=size)
    aliases = AliasTable.shipped()
    for number, (region, sex, name) in enumerate(index.clubs.itertuples(index=False), start=1):
        spellings = dict.fromkeys([plain(name), *aliases.spellings(region, name)])
        yield number, region, int(sex), name, int(counts[number]), "\n".join(spellings)


def _appearances(index: MatchIndex) -> Iterator[tuple[int, int]]:
    positions = np.arange(len(index.match_id), dtype=np.int64)
    places = np.concatenate([place_of(club, positions) for club in (index.home_club, index.away_club)])
    order = np.argsort(places, kind="stable")
    competition = np.concatenate([index.competition, index.competition])[order]
    yield from _rows({"place": places[order], "competition": competition})


def place_of(group: Integers, position: Integers) -> Integers:
    """`chalicelib.releases.schema.place` of arrays."""
    return place(group, position)  # type: ignore[arg-type, return-value]


def _by_id(index: MatchIndex, features: Rows) -> Iterator[tuple[int, int | None, bytes]]:
    """Position and features of each match, in order of match id; one of both may be missing."""
    position_of = pd.Series(np.arange(len(index.match_id)), index=index.match_id)
    featured = features.columns(["match_id"])["match_id"].to_numpy(np.int64)
    ids = np.union1d(featured, index.match_id)
    if not np.array_equal(featured, ids):
        ordered = features.columns().set_index("match_id").reindex(ids).rename_axis("match_id").reset_index()
        features = FrameRows(ordered)
    for chunk in features.chunks():
        vectors = chunk.drop(columns="match_id")
        width = 8 * vectors.shape[1]
        packed = vectors.to_numpy(np.float64, na_value=np.nan).astype("<f8").tobytes()
        positions = _values(position_of.reindex(chunk["match_id"]).astype("Int64"))
        for row, (match_id, position) in enumerate(zip(chunk["match_id"].tolist(), positions, strict=True)):
            yield match_id, position, packed[row * width : (row + 1) * width]


def _properties(features: Rows, predictions: Mapping[Stage, Rows]) -> list[tuple[str, str]]:
    shown = next(iter(predictions.values())).columns(["outcome_1x2", "match_date"])
    known = shown["outcome_1x2"].notna().to_numpy(bool)
    vector = next(iter(features.chunks())).drop(columns="match_id")
    facts = {
        "schema_version": SCHEMA_VERSION,
        "matches": len(shown),
        "with_kickoff": int(shown["match_date"].notna().sum()),
        # Bounds of the scans for upcoming and for finished matches.
        "first_open": int(np.argmin(known)) if not known.all() else len(shown),
        "behind_last_result": int(np.flatnonzero(known)[-1]) + 1 if known.any() else 0,
        "stages": {str(stage): _model_run(next(iter(rows.chunks()))) for stage, rows in predictions.items()},
        "features": [[name, "long" if vector[name].dtype.kind == "i" else "double"] for name in vector],
    }
    return [(name, json.dumps(value)) for name, value in sorted(facts.items())]


def _model_run(frame: pd.DataFrame) -> str | None:
    return None if frame.empty else str(frame["model_run_id"].iloc[0])


def _matches(index: MatchIndex, predictions: Mapping[Stage, Rows]) -> Iterator[tuple[Any, ...]]:
    end = 0
    for frames in zip(*(rows.chunks() for rows in predictions.values()), strict=True):
        begin, end = end, end + len(frames[0])
        here = replace(
            index,
            match_id=index.match_id[begin:end],
            competition=index.competition[begin:end],
            home_club=index.home_club[begin:end],
            away_club=index.away_club[begin:end],
        )
        columns = _match_columns(here, dict(zip(predictions, frames, strict=True)))
        yield from _rows({"position": np.arange(begin, end), **columns})


def _match_columns(index: MatchIndex, predictions: Mapping[Stage, pd.DataFrame]) -> dict[str, Any]:
    first_stage = next(iter(predictions.values()))
    values: dict[str, Any] = {
        "competition": index.competition,
        "home_club": index.home_club,
        "away_club": index.away_club,
        "kickoff": _seconds(first_stage["match_date"]),
    }
    columns = {name: values[name] if name in values else first_stage[name] for name in MATCH_COLUMNS}
    nothing = np.full(len(first_stage), None, dtype=object)
    for stage in Stage:
        frame = predictions.get(stage)
        columns |= {f"{stage}_{name}": nothing if frame is None else frame[name] for name in STAGE_COLUMNS}
    return columns


def _odds_columns(
    index: MatchIndex,
    odds: pd.DataFrame,
    predictions: Mapping[Stage, pd.DataFrame],
    signals: Mapping[Stage, pd.DataFrame],
) -> tuple[Integers, dict[str, Any]]:
    """The positions of the matches with odds, in order, and the columns of their rows."""
    first_stage = next(iter(predictions.values()))
    order = np.argsort(index.match_id, kind="stable")
    ids = odds["match_id"].to_numpy(np.int64)
    at = np.minimum(np.searchsorted(index.match_id, ids, sorter=order), max(len(order) - 1, 0))
    carried = index.match_id[order[at]] == ids if len(order) else np.zeros(len(ids), dtype=bool)
    position = order[at[carried]] if len(order) else np.zeros(0, dtype=np.int64)
    by_kickoff = np.argsort(position, kind="stable")
    position = position[by_kickoff]
    rows = odds[carried].iloc[by_kickoff].reset_index(drop=True)
    odds_values: dict[str, Any] = {
        "competition": index.competition[position],
        "home_club": index.home_club[position],
        "away_club": index.away_club[position],
        "finished": first_stage["outcome_1x2"].notna().to_numpy(bool)[position],
        "collected_at": _seconds(rows["collected_at"]),
    }
    columns = {name: odds_values[name] if name in odds_values else rows[name] for name in ODDS_COLUMNS}
    prices = rows[["odds_home", "odds_draw", "odds_away"]].to_numpy(np.float64)
    # a market without fair probabilities (booksum outside its bounds) gives no price
    is_open = rows["implied_home"].notna().to_numpy(bool) & ~rows["suspended"].to_numpy(bool)
    prices = np.where(is_open[:, None], prices, np.nan)
    for stage in Stage:
        frame = predictions.get(stage)
        if frame is None:
            probabilities = np.full(prices.shape, np.nan)
        else:
            probabilities = frame[["proba_home", "proba_draw", "proba_away"]].to_numpy(np.float64)[position]
        signal = None if stage not in signals else signals[stage].set_index("match_id").reindex(rows["match_id"])
        by_stage = _edges(probabilities, prices) | _signal_columns(signal, prices)
        columns |= {f"{stage}_{name}": values for name, values in by_stage.items()}
    return position, columns


_PRICE: Final = (
    *("match_id", "number", "seen_at"),
    *("odds_home", "odds_draw", "odds_away"),
    *("bookmaker", "is_closing"),
)


def _price_columns(odds: pd.DataFrame, history: pd.DataFrame | None) -> dict[str, Any]:
    """The rows of `prices`. A match whose only price is the one among its odds has none: they say as much."""
    odds = fonbet_odds.typed(odds)
    prices_seen = price_history.typed(pd.DataFrame({"match_id": []}) if history is None else history)
    published = odds.set_index("match_id")["collected_at"]
    prices_seen = prices_seen[prices_seen["match_id"].isin(odds["match_id"])]
    is_known = ~prices_seen["match_id"].duplicated(keep=False).to_numpy(bool)
    is_known &= prices_seen["collected_at"].to_numpy() == published.reindex(prices_seen["match_id"]).to_numpy()
    closed = odds[odds["closing_home"].notna()]
    closing = closed[["match_id", "closing_at", *CLOSING, "bookmaker"]].set_axis(_SEEN, axis=1)
    rows = pd.concat([prices_seen.loc[~is_known, list(_SEEN)].assign(is_closing=0), closing.assign(is_closing=1)])
    rows = rows.sort_values(["match_id", "is_closing", "collected_at"], kind="stable", ignore_index=True)
    columns = rows.assign(number=rows.groupby("match_id").cumcount(), seen_at=_seconds(rows["collected_at"]))
    return {name: columns[name] for name in _PRICE}


_SEEN: Final = ("match_id", "collected_at", *ODDS, "bookmaker")


def _edges(probabilities: odds_arrays.Floats, prices: odds_arrays.Floats) -> dict[str, Any]:
    """The columns of `STAGE_ODDS_COLUMNS` that depend on the model alone."""
    edges = probabilities * prices - 1
    return {
        **{f"edge_{label}": edges[:, number] for number, label in enumerate(LABELS)},
        "best_edge": edges.max(axis=1),
    }


def _signal_columns(signal: pd.DataFrame | None, prices: odds_arrays.Floats) -> dict[str, Any]:
    """The columns of `STAGE_ODDS_COLUMNS` from the value signal; missing where the market is closed."""
    if signal is None:
        pooled = np.full(prices.shape, np.nan)
        value, stake = np.full(len(prices), None, dtype=object), np.full(len(prices), np.nan)
    else:
        is_open = np.isfinite(prices[:, 0])
        pooled = np.where(is_open[:, None], signal[list(POOLED)].to_numpy(np.float64), np.nan)
        value = signal["value_bet"].astype(object).where(is_open & signal["value_bet"].notna(), None).to_numpy(object)
        stake = np.where(is_open, signal["stake"].to_numpy(np.float64), np.nan)
    edges = pooled * prices - 1
    return {
        **{name: pooled[:, number] for number, name in enumerate(POOLED)},
        **{f"pooled_edge_{label}": edges[:, number] for number, label in enumerate(LABELS)},
        "value_bet": value,
        "kelly_quarter": stake,
    }


def _seconds(moments: pd.Series) -> pd.Series:
    """Whole seconds since the epoch, missing where the time is."""
    seconds = pd.Series(pd.NA, index=moments.index, dtype="Int64")
    known = moments.notna()
    naive = moments[known].dt.tz_convert(None)
    seconds[known] = naive.dt.as_unit("s").astype("int64")
    return seconds


@contextmanager
def temporary_file(name: str) -> Iterator[Path]:
    """A path of that name in a temporary folder, which is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / name
