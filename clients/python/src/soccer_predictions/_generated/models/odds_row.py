from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime


T = TypeVar("T", bound="OddsRow")


@_attrs_define
class OddsRow:
    """Decimal 1X2 odds of a match; suspended prices are null or last known."""

    match_id: int
    provider: str
    fonbet_event_id: None | str
    odds_home: float | None
    odds_draw: float | None
    odds_away: float | None
    margin: float | None
    """ Booksum minus one. """
    suspended: bool
    collected_at: datetime.datetime
    url: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        match_id = self.match_id

        provider = self.provider

        fonbet_event_id: None | str
        fonbet_event_id = self.fonbet_event_id

        odds_home: float | None
        odds_home = self.odds_home

        odds_draw: float | None
        odds_draw = self.odds_draw

        odds_away: float | None
        odds_away = self.odds_away

        margin: float | None
        margin = self.margin

        suspended = self.suspended

        collected_at = self.collected_at.isoformat()

        url: None | str
        url = self.url

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "match_id": match_id,
                "provider": provider,
                "fonbet_event_id": fonbet_event_id,
                "odds_home": odds_home,
                "odds_draw": odds_draw,
                "odds_away": odds_away,
                "margin": margin,
                "suspended": suspended,
                "collected_at": collected_at,
                "url": url,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        match_id = d.pop("match_id")

        provider = d.pop("provider")

        def _parse_fonbet_event_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        fonbet_event_id = _parse_fonbet_event_id(d.pop("fonbet_event_id"))

        def _parse_odds_home(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        odds_home = _parse_odds_home(d.pop("odds_home"))

        def _parse_odds_draw(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        odds_draw = _parse_odds_draw(d.pop("odds_draw"))

        def _parse_odds_away(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        odds_away = _parse_odds_away(d.pop("odds_away"))

        def _parse_margin(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        margin = _parse_margin(d.pop("margin"))

        suspended = d.pop("suspended")

        collected_at = datetime.datetime.fromisoformat(d.pop("collected_at"))

        def _parse_url(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        url = _parse_url(d.pop("url"))

        odds_row = cls(
            match_id=match_id,
            provider=provider,
            fonbet_event_id=fonbet_event_id,
            odds_home=odds_home,
            odds_draw=odds_draw,
            odds_away=odds_away,
            margin=margin,
            suspended=suspended,
            collected_at=collected_at,
            url=url,
        )

        odds_row.additional_properties = d
        return odds_row

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
