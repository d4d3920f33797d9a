"""Build the embedded sample from the two public packages that carry it.

Usage (writes matches.parquet and odds.parquet beside this file, byte for byte the committed ones):

    npm pack vega-datasets@3.2.1
    pip download --no-deps sports-betting==0.15.1
    python -m batch.sample.build --vega vega-datasets-3.2.1.tgz --sports-betting sports_betting-0.15.1-py3-none-any.whl
"""

import argparse
import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from batch.sample import MATCHES_PATH, ODDS_PATH

DIVISIONS: Final[dict[str, tuple[int, str, str]]] = {
    "English Premier League": (1, "England", "Premier League"),
    "Primera Division": (2, "Spain", "La Liga"),
    "Deutsche Bundesliga": (3, "Germany", "Bundesliga"),
    "Serie A": (4, "Italy", "Serie A"),
    "Österreichische Bundesliga": (5, "Austria", "Bundesliga"),
}
"""Division in football.json: the league's number in match ids, its region, its name."""

OPENFOOTBALL_CLUBS: Final[dict[tuple[str, str], str]] = {
    ("England", "Bournemouth"): "AFC Bournemouth",
    ("England", "Norwich"): "Norwich City",
    ("England", "Swansea"): "Swansea City",
    ("Germany", "Borussia M'gladbach"): "Borussia Monchengladbach",
    ("Germany", "Eintr. Braunschweig"): "Eintracht Braunschweig",
    ("Spain", "Alaves"): "Deportivo Alaves",
    ("Spain", "Athletic"): "Athletic Club",
    ("Spain", "Atletico"): "Atletico Madrid",
    ("Spain", "Betis"): "Real Betis",
    ("Spain", "Celta"): "Celta Vigo",
    ("Spain", "Club Deportivo Leganes"): "Leganes",
    ("Spain", "Deportivo"): "Deportivo La Coruna",
    ("Spain", "Elche CF"): "Elche",
    ("Spain", "R. Madrid"): "Real Madrid",
    ("Spain", "R. Sociedad"): "Real Sociedad",
    ("Spain", "Rayo"): "Rayo Vallecano",
    ("Spain", "Sporting"): "Sporting Gijon",
    ("Spain", "UD Almeria"): "Almeria",
    ("Spain", "Valladolid"): "Real Valladolid",
    ("Spain", "Villarreal CF"): "Villarreal",
}
"""Abbreviated spellings of football.json: the club's usual full name. Every other name is kept."""

FOOTBALL_DATA_CLUBS: Final[dict[tuple[str, str], str]] = {
    ("England", "Bournemouth"): "AFC Bournemouth",
    ("England", "Brighton"): "Brighton & Hove Albion",
    ("England", "Luton"): "Luton Town",
    ("England", "Man City"): "Manchester City",
    ("England", "Man United"): "Manchester United",
    ("England", "Newcastle"): "Newcastle United",
    ("England", "Nott'm Forest"): "Nottingham Forest",
    ("England", "Tottenham"): "Tottenham Hotspur",
    ("England", "West Ham"): "West Ham United",
    ("England", "Wolves"): "Wolverhampton Wanderers",
    ("Spain", "Alaves"): "Deportivo Alaves",
    ("Spain", "Ath Bilbao"): "Athletic Club",
    ("Spain", "Ath Madrid"): "Atletico Madrid",
    ("Spain", "Betis"): "Real Betis",
    ("Spain", "Celta"): "Celta Vigo",
    ("Spain", "Sociedad"): "Real Sociedad",
    ("Spain", "Vallecano"): "Rayo Vallecano",
}
"""The odds source's spellings that differ from ours: the same club's name in matches.parquet."""

SEASON_STARTS_IN_MONTH: Final = 7
"""All five leagues start between July and August and end in May or June."""

ODDS_WEEKDAYS: Final = (1, 4)
"""Tuesday and Friday (Monday is 0): when football-data.co.uk says it collects pre-match odds."""

ODDS_HOUR_UTC: Final = 15
"""The source says "afternoon" and no clock time; this hour is used."""


def main() -> None:
    """Read the two packages named on the command line and write the two parquet files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vega", type=Path, required=True, help="vega-datasets-3.2.1.tgz from the npm registry")
    parser.add_argument("--sports-betting", type=Path, required=True, help="sports_betting-0.15.1 wheel from PyPI")
    parser.add_argument("--out", type=Path, default=MATCHES_PATH.parent, help="folder to write to")
    arguments = parser.parse_args()

    stats, odds = football_data_tables(arguments.sports_betting)
    matches = with_match_ids(pd.concat([openfootball_matches(arguments.vega), football_data_matches(stats)]))
    write(matches, MATCHES_SCHEMA, arguments.out / MATCHES_PATH.name)
    write(odds_snapshots(odds), ODDS_SCHEMA, arguments.out / ODDS_PATH.name)


_MATCHES_FIELDS: Final[list["pa.Field[Any]"]] = [
    pa.field("match_id", pa.int64()),
    pa.field("kickoff", pa.timestamp("ms", tz="UTC")),
    pa.field("kickoff_time_known", pa.bool_()),
    pa.field("season", pa.string()),
    pa.field("region", pa.string()),
    pa.field("league", pa.string()),
    pa.field("sex", pa.int8()),
    pa.field("home_team", pa.string()),
    pa.field("away_team", pa.string()),
    pa.field("home_goals", pa.int8()),
    pa.field("away_goals", pa.int8()),
]


_ODDS_FIELDS: Final[list["pa.Field[Any]"]] = [
    pa.field("provider", pa.string()),
    pa.field("event_id", pa.string()),
    pa.field("region", pa.string()),
    pa.field("league", pa.string()),
    pa.field("sex", pa.int8()),
    pa.field("kickoff", pa.timestamp("ms", tz="UTC")),
    pa.field("home_team", pa.string()),
    pa.field("away_team", pa.string()),
    pa.field("odds_home", pa.float64()),
    pa.field("odds_draw", pa.float64()),
    pa.field("odds_away", pa.float64()),
    pa.field("collected_at", pa.timestamp("ms", tz="UTC")),
    pa.field("closing_home", pa.float64()),
    pa.field("closing_draw", pa.float64()),
    pa.field("closing_away", pa.float64()),
]


MATCHES_SCHEMA: Final = pa.schema(_MATCHES_FIELDS)
ODDS_SCHEMA: Final = pa.schema(_ODDS_FIELDS)


def openfootball_matches(archive: Path) -> pd.DataFrame:
    """Matches of 2013-17 out of vega-datasets; the date is known, the time of day is not."""
    with tarfile.open(archive) as tar:
        member = tar.extractfile("package/data/football.json")
        if member is None:
            raise SystemExit(f"{archive} holds no package/data/football.json")
        rows = pd.DataFrame(json.load(member))
    league = rows["division"].map(DIVISIONS)
    region = league.str[1]
    kickoff = pd.to_datetime(rows["date"], utc=True)
    start_year = kickoff.dt.year - (kickoff.dt.month < SEASON_STARTS_IN_MONTH)
    return pd.DataFrame(
        {
            "kickoff": kickoff,
            "kickoff_time_known": False,
            "start_year": start_year,
            "league_number": league.str[0],
            "region": region,
            "league": league.str[2],
            "home_team": _club_names(region, rows["home_team"], OPENFOOTBALL_CLUBS),
            "away_team": _club_names(region, rows["away_team"], OPENFOOTBALL_CLUBS),
            "home_goals": rows["home_score"].astype("Int8"),
            "away_goals": rows["away_score"].astype("Int8"),
        }
    )


def football_data_tables(wheel: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The statistics and the odds tables of England and Spain 2023/24, from the wheel."""
    tables: dict[str, list[pd.DataFrame]] = {"stats": [], "odds": []}
    with zipfile.ZipFile(wheel) as archive:
        for region in ("England", "Spain"):
            for kind, frames in tables.items():
                packed = archive.read(f"sportsbet/sources/data/{region}_1_2024_{kind}.csv.gz")
                frames.append(pd.read_csv(io.BytesIO(gzip.decompress(packed))))
    return pd.concat(tables["stats"], ignore_index=True), pd.concat(tables["odds"], ignore_index=True)


def football_data_matches(stats: pd.DataFrame) -> pd.DataFrame:
    """Matches of 2023/24 with kickoff and final score."""
    final = stats[stats["event_status"] == "postplay"]
    leagues = {region: (number, league) for number, region, league in DIVISIONS.values()}
    region = final["league"]
    return pd.DataFrame(
        {
            "kickoff": pd.to_datetime(final["date"], utc=True),
            "kickoff_time_known": True,
            "start_year": final["year"] - 1,
            "league_number": region.map({name: number for name, (number, _) in leagues.items()}),
            "region": region,
            "league": region.map({name: league for name, (_, league) in leagues.items()}),
            "home_team": _club_names(region, final["home_team"], FOOTBALL_DATA_CLUBS),
            "away_team": _club_names(region, final["away_team"], FOOTBALL_DATA_CLUBS),
            "home_goals": final["home_goals"].astype("Int8"),
            "away_goals": final["away_goals"].astype("Int8"),
        }
    )


def with_match_ids(matches: pd.DataFrame) -> pd.DataFrame:
    """Number the matches: season's first year, league number, running number by kickoff and home club.

    202301007 is the seventh match of England's 2023/24 season.
    """
    ordered = matches.sort_values(["start_year", "league_number", "kickoff", "home_team"], ignore_index=True)
    running = ordered.groupby(["start_year", "league_number"]).cumcount() + 1
    ordered["match_id"] = ordered["start_year"] * 100_000 + ordered["league_number"] * 1_000 + running
    ordered["season"] = ordered["start_year"].map(lambda year: f"{year}/{(year + 1) % 100:02d}")
    ordered["sex"] = 0
    return ordered


def odds_snapshots(odds: pd.DataFrame) -> pd.DataFrame:
    """Market-average pre-match odds, one row per match, teams spelled as the source spells them."""
    average = odds[odds["provider"] == "market_average"]
    kickoff = pd.to_datetime(average["date"], utc=True)
    leagues = {region: league for _, region, league in DIVISIONS.values()}
    snapshots = pd.DataFrame(
        {
            "provider": average["provider"],
            "region": average["league"],
            "league": average["league"].map(leagues),
            "sex": 0,
            "kickoff": kickoff,
            "home_team": average["home_team"],
            "away_team": average["away_team"],
            "odds_home": average["home_win"],
            "odds_draw": average["draw"],
            "odds_away": average["away_win"],
            "collected_at": kickoff.map(collected_before),
            # the packaged files carry no closing prices, and none are invented
            "closing_home": float("nan"),
            "closing_draw": float("nan"),
            "closing_away": float("nan"),
        }
    ).sort_values(["kickoff", "region", "home_team"], ignore_index=True)
    code = snapshots["region"].str[:1] + snapshots["kickoff"].dt.strftime("%Y%m%d")
    snapshots["event_id"] = code + "-" + (snapshots.groupby(code).cumcount() + 1).astype(str)
    return snapshots


def write(frame: pd.DataFrame, schema: pa.Schema, path: Path) -> None:
    """Write `frame` as one zstd parquet file whose bytes depend on the rows alone."""
    table = pa.Table.from_pandas(frame[schema.names], schema=schema, preserve_index=False)
    table = table.replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd", compression_level=19, use_dictionary=True)


def _club_names(region: pd.Series, name: pd.Series, names: dict[tuple[str, str], str]) -> list[str]:
    return [names.get(key, key[1]) for key in zip(region, name, strict=True)]


def collected_before(kickoff: pd.Timestamp) -> pd.Timestamp:
    """The last Tuesday or Friday afternoon before kickoff."""
    moment = kickoff.normalize() + pd.Timedelta(hours=ODDS_HOUR_UTC)
    while moment >= kickoff or moment.weekday() not in ODDS_WEEKDAYS:
        moment -= pd.Timedelta(days=1)
    return moment


if __name__ == "__main__":
    main()
