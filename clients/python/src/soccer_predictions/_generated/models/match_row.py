from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime


T = TypeVar("T", bound="MatchRow")


@_attrs_define
class MatchRow:
    """An upcoming match available for prediction."""

    match_id: int
    home_team: str
    away_team: str
    match_date: datetime.datetime | None
    """ Kickoff, ISO-8601 UTC; null while unknown. """
    region: str
    league: str
    sex: int
    """ 0 men, 1 women. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        match_id = self.match_id

        home_team = self.home_team

        away_team = self.away_team

        match_date: None | str
        if isinstance(self.match_date, datetime.datetime):
            match_date = self.match_date.isoformat()
        else:
            match_date = self.match_date

        region = self.region

        league = self.league

        sex = self.sex

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "match_id": match_id,
                "home_team": home_team,
                "away_team": away_team,
                "match_date": match_date,
                "region": region,
                "league": league,
                "sex": sex,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        match_id = d.pop("match_id")

        home_team = d.pop("home_team")

        away_team = d.pop("away_team")

        def _parse_match_date(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                match_date_type_0 = datetime.datetime.fromisoformat(data)

                return match_date_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        match_date = _parse_match_date(d.pop("match_date"))

        region = d.pop("region")

        league = d.pop("league")

        sex = d.pop("sex")

        match_row = cls(
            match_id=match_id,
            home_team=home_team,
            away_team=away_team,
            match_date=match_date,
            region=region,
            league=league,
            sex=sex,
        )

        match_row.additional_properties = d
        return match_row

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
