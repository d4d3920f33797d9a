from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset


T = TypeVar("T", bound="ProjectionRow")


@_attrs_define
class ProjectionRow:
    """A team in the projected final table of its season."""

    region: str
    league: str
    sex: int
    season: str
    team: str
    projected_position: int
    """ Place by expected points. """
    position: int
    """ Place so far: points, then goal difference, then goals scored. """
    played: int
    won: int
    drawn: int
    lost: int
    goals_for: int
    goals_against: int
    points: int
    remaining: int
    """ Scheduled matches left. """
    expected_points: float
    """ Mean final points. """
    points_low: int
    """ 10th percentile of the final points. """
    points_high: int
    """ 90th percentile of the final points. """
    title: float
    """ Chance of the first place. """
    top_four: float
    """ Chance of a place among the first four. """
    relegation: float
    """ Chance of a place among the last three. """
    matches_missing: int
    """ Matches of a double round robin that the schedule does not hold yet; they are not simulated. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        region = self.region

        league = self.league

        sex = self.sex

        season = self.season

        team = self.team

        projected_position = self.projected_position

        position = self.position

        played = self.played

        won = self.won

        drawn = self.drawn

        lost = self.lost

        goals_for = self.goals_for

        goals_against = self.goals_against

        points = self.points

        remaining = self.remaining

        expected_points = self.expected_points

        points_low = self.points_low

        points_high = self.points_high

        title = self.title

        top_four = self.top_four

        relegation = self.relegation

        matches_missing = self.matches_missing

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "region": region,
                "league": league,
                "sex": sex,
                "season": season,
                "team": team,
                "projected_position": projected_position,
                "position": position,
                "played": played,
                "won": won,
                "drawn": drawn,
                "lost": lost,
                "goals_for": goals_for,
                "goals_against": goals_against,
                "points": points,
                "remaining": remaining,
                "expected_points": expected_points,
                "points_low": points_low,
                "points_high": points_high,
                "title": title,
                "top_four": top_four,
                "relegation": relegation,
                "matches_missing": matches_missing,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        region = d.pop("region")

        league = d.pop("league")

        sex = d.pop("sex")

        season = d.pop("season")

        team = d.pop("team")

        projected_position = d.pop("projected_position")

        position = d.pop("position")

        played = d.pop("played")

        won = d.pop("won")

        drawn = d.pop("drawn")

        lost = d.pop("lost")

        goals_for = d.pop("goals_for")

        goals_against = d.pop("goals_against")

        points = d.pop("points")

        remaining = d.pop("remaining")

        expected_points = d.pop("expected_points")

        points_low = d.pop("points_low")

        points_high = d.pop("points_high")

        title = d.pop("title")

        top_four = d.pop("top_four")

        relegation = d.pop("relegation")

        matches_missing = d.pop("matches_missing")

        projection_row = cls(
            region=region,
            league=league,
            sex=sex,
            season=season,
            team=team,
            projected_position=projected_position,
            position=position,
            played=played,
            won=won,
            drawn=drawn,
            lost=lost,
            goals_for=goals_for,
            goals_against=goals_against,
            points=points,
            remaining=remaining,
            expected_points=expected_points,
            points_low=points_low,
            points_high=points_high,
            title=title,
            top_four=top_four,
            relegation=relegation,
            matches_missing=matches_missing,
        )

        projection_row.additional_properties = d
        return projection_row

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
