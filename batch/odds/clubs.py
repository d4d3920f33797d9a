"""Which club a spelling or a provider's id stands for: the alias table, and the ids settled by earlier runs."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from batch.odds import regions
from batch.odds.names import TeamFlags, club_name, flags_of


class AliasTable:
    """Spellings of clubs as equivalence classes within a region.

    A row whose club is a second team ("Athletic Bilbao B") gives names that carry no mark of it ("Bilbao Athletic").

    Args:
        rows: (region, club, other spellings).

    Raises:
        ValueError: one spelling stands for two clubs of one region.
    """

    def __init__(self, rows: Iterable[tuple[str, str, Sequence[str]]]) -> None:
        self._clubs: dict[str, dict[str, tuple[str, TeamFlags]]] = defaultdict(dict)
        self._anywhere: dict[str, set[tuple[str, str, TeamFlags]]] = defaultdict(set)
        for region, club, others in rows:
            name = regions.canonical(region) or region
            marks, identity = flags_of(club), f"{name}/{club_name(club)}"
            for spelling in (club, *others):
                # a spelling that carries the mark itself ("Barca B") is, without it, one of the first team
                implied = TeamFlags() if flags_of(spelling) == marks else marks
                self._add(name, club_name(spelling), (identity, implied))

    def _add(self, region: str, spelling: str, identity: tuple[str, TeamFlags]) -> None:
        known = self._clubs[region].setdefault(spelling, identity)
        if known != identity:
            raise ValueError(f"{spelling!r} stands for both {known[0]} and {identity[0]} in {region}")
        self._anywhere[spelling].add((region, *identity))

    def find(self, region: str | None, spelling: str) -> tuple[str, TeamFlags] | None:
        """The class of a normalised name in a region, with the flags its spelling implies.

        Without a region, or in international competitions, the name must belong to one club of all regions.
        """
        if region is not None and region != regions.INTERNATIONAL:
            return self._clubs[region].get(spelling) if region in self._clubs else None
        everywhere = self._anywhere.get(spelling, set())
        if len(everywhere) != 1:
            return None
        ((_, identity, marks),) = everywhere
        return identity, marks

    @classmethod
    @cache
    def shipped(cls) -> "AliasTable":
        """The table of `batch/odds/team_aliases.csv`."""
        return cls.read(files("batch.odds").joinpath("team_aliases.csv").read_text(encoding="utf-8"))

    @classmethod
    def read(cls, text: str) -> "AliasTable":
        """A table in the form of `batch/odds/team_aliases.csv`: region, club, spellings separated by |."""
        return cls(
            (row["region"], row["club"], [name for name in row["aliases"].split("|") if name])
            for row in csv.DictReader(text.splitlines())
        )


class ClubId(NamedTuple):
    """A provider's stable id of a club."""

    provider: str
    team_id: str


class Club(NamedTuple):
    """One of our teams."""

    region: str
    sex: int
    team: str


@dataclass(frozen=True, slots=True)
class ConfirmedClubs:
    """Provider's club ids whose meaning is settled, kept between runs.

    Only matches that ids, aliases or equal names settle confirm an id; similarity never does, so that a guess cannot
    harden into a fact. An id met with two of our teams is dropped and listed.

    Args:
        clubs: Id -> our team.
        conflicts: Ids that met two teams; never trusted again until a person removes them from the file.
    """

    clubs: Mapping[ClubId, Club] = field(default_factory=dict)
    conflicts: frozenset[ClubId] = frozenset()

    def to_json(self) -> bytes:
        """The mapping as a file; the same mapping always gives the same bytes."""
        content = {
            "schema_version": 1,
            "clubs": [{**club_id._asdict(), **club._asdict()} for club_id, club in sorted(self.clubs.items())],
            "conflicts": [club_id._asdict() for club_id in sorted(self.conflicts)],
        }
        return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()

    @classmethod
    def from_json(cls, body: bytes) -> "ConfirmedClubs":
        """The mapping of a file.

        Raises:
            ValueError: the file is not one written by `to_json`.
        """
        try:
            content = json.loads(body)
            clubs = {
                ClubId(str(row["provider"]), str(row["team_id"])): Club(
                    str(row["region"]), int(row["sex"]), str(row["team"])
                )
                for row in content["clubs"]
            }
            conflicts = frozenset(ClubId(str(row["provider"]), str(row["team_id"])) for row in content["conflicts"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"no mapping of confirmed clubs: {error!r}") from error
        return cls(clubs, conflicts)
