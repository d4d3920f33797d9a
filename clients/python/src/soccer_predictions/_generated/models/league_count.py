from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
    from ..models.season_count import SeasonCount


T = TypeVar("T", bound="LeagueCount")


@_attrs_define
class LeagueCount:
    """A league of a region."""

    league: str
    matches: int
    seasons: list[SeasonCount]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.season_count import SeasonCount  # noqa: PLC0415

        league = self.league

        matches = self.matches

        seasons = []
        for seasons_item_data in self.seasons:
            seasons_item = seasons_item_data.to_dict()
            seasons.append(seasons_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "league": league,
                "matches": matches,
                "seasons": seasons,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.season_count import SeasonCount  # noqa: PLC0415

        d = dict(src_dict)
        league = d.pop("league")

        matches = d.pop("matches")

        seasons = []
        _seasons = d.pop("seasons")
        for seasons_item_data in _seasons:
            seasons_item = SeasonCount.from_dict(seasons_item_data)

            seasons.append(seasons_item)

        league_count = cls(
            league=league,
            matches=matches,
            seasons=seasons,
        )

        league_count.additional_properties = d
        return league_count

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
