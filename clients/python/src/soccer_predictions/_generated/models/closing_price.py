from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime


T = TypeVar("T", bound="ClosingPrice")


@_attrs_define
class ClosingPrice:
    """The last decimal 1X2 odds before kickoff."""

    collected_at: datetime.datetime | None
    """ Null where the source states its closing price without a time. """
    odds_home: float
    odds_draw: float
    odds_away: float
    bookmaker: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        collected_at: None | str
        if isinstance(self.collected_at, datetime.datetime):
            collected_at = self.collected_at.isoformat()
        else:
            collected_at = self.collected_at

        odds_home = self.odds_home

        odds_draw = self.odds_draw

        odds_away = self.odds_away

        bookmaker: None | str
        bookmaker = self.bookmaker

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "collected_at": collected_at,
                "odds_home": odds_home,
                "odds_draw": odds_draw,
                "odds_away": odds_away,
                "bookmaker": bookmaker,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_collected_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                collected_at_type_0 = datetime.datetime.fromisoformat(data)

                return collected_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        collected_at = _parse_collected_at(d.pop("collected_at"))

        odds_home = d.pop("odds_home")

        odds_draw = d.pop("odds_draw")

        odds_away = d.pop("odds_away")

        def _parse_bookmaker(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        bookmaker = _parse_bookmaker(d.pop("bookmaker"))

        closing_price = cls(
            collected_at=collected_at,
            odds_home=odds_home,
            odds_draw=odds_draw,
            odds_away=odds_away,
            bookmaker=bookmaker,
        )

        closing_price.additional_properties = d
        return closing_price

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
