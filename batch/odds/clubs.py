"""The club of a spelling or a provider's id: the alias table, and what earlier runs settled."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

from batch.odds import regions
from batch.odds.names import TeamFlags, club_name, flags_of
from chalicelib.text import plain


class AliasTable:
    """Spellings of clubs, as equivalence classes within a region.

    A row for a second team ("Athletic Bilbao B") lists names that do not show it ("Bilbao Athletic").

    Args:
        rows: (region, club, other spellings).

    Raises:
        ValueError: one spelling stands for two clubs of one region.
    """

    def __init__(self, rows: Iterable[tuple[str, str, Sequence[str]]]) -> None:
        self._clubs: dict[str, dict[str, tuple[str, TeamFlags]]] = defaultdict(dict)
        self._anywhere: dict[str, set[tuple[str, str, TeamFlags]]] = defaultdict(set)
        self._spellings: dict[tuple[str, TeamFlags], tuple[str, ...]] = {}
        for region, club, other_spellings in rows:
            name = regions.canonical(region) or region
            marks, identity = flags_of(club), f"{name}/{club_name(club)}"
            self._spellings[identity, marks] = tuple(plain(spelling) for spelling in (club, *other_spellings))
            for spelling in (club, *other_spellings):
                # a spelling with the mark ("Barca B") is, without it, a name of the first team
                implied = TeamFlags() if flags_of(spelling) == marks else marks
                self._add(name, club_name(spelling), (identity, implied))

    def _add(self, region: str, spelling: str, identity: tuple[str, TeamFlags]) -> None:
        existing = self._clubs[region].setdefault(spelling, identity)
        if existing != identity:
            raise ValueError(f"{spelling!r} stands for both {existing[0]} and {identity[0]} in {region}")
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

    def spellings(self, region: str, team: str) -> tuple[str, ...]:
        """Every spelling of a team, as `chalicelib.text.plain` writes it; empty for an unknown team."""
        identity = self.find(regions.canonical(region), club_name(team))
        marks = flags_of(team)
        if identity is None or marks not in (TeamFlags(), identity[1]):
            return ()
        return self._spellings.get((identity[0], identity[1]), ())

    @classmethod
    @cache
    def shipped(cls) -> "AliasTable":
        """The table of `batch/odds/team_aliases.csv`."""
        return cls.read(files("batch.odds").joinpath("team_aliases.csv").read_text(encoding="utf-8"))

    @classmethod
    def read(cls, text: str) -> "AliasTable":
        """A table in the form of `batch/odds/team_aliases.csv`: region, club, spellings separated by |.

        Raises:
            ValueError: it is not one.
        """
        try:
            return cls(
                (row["region"], row["club"], [name for name in row["aliases"].split("|") if name])
                for row in csv.DictReader(text.splitlines())
            )
        except (KeyError, TypeError, AttributeError, csv.Error) as error:
            raise ValueError(f"not a table of aliases: {error!r}") from error


class ClubId(NamedTuple):
    """A provider's stable id of a club."""

    provider: str
    team_id: str


class Club(NamedTuple):
    """One of our teams."""

    region: str
    sex: int
    team: str


MAX_SIGHTINGS: Final = 3
"""Number of matches kept as evidence for a learned spelling: the first ones."""


class Spelling(NamedTuple):
    """A normalised team name within a region."""

    region: str
    name: str


class Sighting(NamedTuple):
    """A match that taught a spelling: the provider's row and our match.

    Args:
        provider, event_id: The row.
        home_team, away_team: As the provider spells them.
        kickoff: Ours, ISO 8601.
        match_id: Our match.
        our_home_team, our_away_team: As we spell them.
    """

    provider: str
    event_id: str
    home_team: str
    away_team: str
    kickoff: str
    match_id: int
    our_home_team: str
    our_away_team: str


class LearnedSpelling(NamedTuple):
    """The club of a learned spelling.

    Args:
        club: Its normalised name.
        evidence: At most MAX_SIGHTINGS matches.
    """

    club: str
    evidence: tuple[Sighting, ...]


@dataclass(frozen=True, slots=True)
class ConfirmedClubs:
    """Settled club ids and spellings, kept between runs.

    Only matches that ids, aliases or equal names settle confirm an id; similarity never does, so a guess cannot
    become a fact. An id that matched two of our teams is dropped and listed, and so is a spelling.

    Args:
        clubs: Id -> our team.
        conflicts: Ids that matched two teams; not trusted until removed from the file by hand.
        spellings: Spelling -> its club, learned from opponents.
        revoked: Spellings that matched two clubs; not learned again until removed from the file by hand.
    """

    clubs: Mapping[ClubId, Club] = field(default_factory=dict)
    conflicts: frozenset[ClubId] = frozenset()
    spellings: Mapping[Spelling, LearnedSpelling] = field(default_factory=dict)
    revoked: frozenset[Spelling] = frozenset()

    def to_json(self) -> bytes:
        """Serialise; the same mapping always gives the same bytes."""
        content = {
            "schema_version": 2,
            "clubs": [{**club_id._asdict(), **club._asdict()} for club_id, club in sorted(self.clubs.items())],
            "conflicts": [club_id._asdict() for club_id in sorted(self.conflicts)],
            "spellings": [
                {
                    **spelling._asdict(),
                    "club": learned.club,
                    "evidence": [sighting._asdict() for sighting in learned.evidence],
                }
                for spelling, learned in sorted(self.spellings.items())
            ],
            "revoked_spellings": [spelling._asdict() for spelling in sorted(self.revoked)],
        }
        return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()

    @classmethod
    def from_json(cls, body: bytes) -> "ConfirmedClubs":
        """Parse a file, also of version 1, which has no spellings.

        Raises:
            ValueError: the file is not one written by `to_json`.
        """
        try:
            content = json.loads(body)
            clubs = {
                _club_id(row): Club(str(row["region"]), int(row["sex"]), str(row["team"])) for row in content["clubs"]
            }
            conflicts = frozenset(_club_id(row) for row in content["conflicts"])
            spellings = {_spelling(row): _learned(row) for row in content.get("spellings", [])}
            revoked = frozenset(_spelling(row) for row in content.get("revoked_spellings", []))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a mapping of confirmed clubs: {error!r}") from error
        return cls(clubs, conflicts, spellings, revoked)


def _club_id(row: Mapping[str, Any]) -> ClubId:
    return ClubId(str(row["provider"]), str(row["team_id"]))


def _spelling(row: Mapping[str, Any]) -> Spelling:
    return Spelling(str(row["region"]), str(row["name"]))


def _learned(row: Mapping[str, Any]) -> LearnedSpelling:
    return LearnedSpelling(str(row["club"]), tuple(Sighting(**sighting) for sighting in row["evidence"]))
