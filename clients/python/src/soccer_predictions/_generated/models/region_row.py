from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
    from ..models.league_count import LeagueCount


T = TypeVar("T", bound="RegionRow")


@_attrs_define
class RegionRow:
    """A region that the data release covers, with its leagues and seasons."""

    region: str
    matches: int
    leagues: list[LeagueCount]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.league_count import LeagueCount  # noqa: PLC0415

        region = self.region

        matches = self.matches

        leagues = []
        for leagues_item_data in self.leagues:
            leagues_item = leagues_item_data.to_dict()
            leagues.append(leagues_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "region": region,
                "matches": matches,
                "leagues": leagues,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.league_count import LeagueCount  # noqa: PLC0415

        d = dict(src_dict)
        region = d.pop("region")

        matches = d.pop("matches")

        leagues = []
        _leagues = d.pop("leagues")
        for leagues_item_data in _leagues:
            leagues_item = LeagueCount.from_dict(leagues_item_data)

            leagues.append(leagues_item)

        region_row = cls(
            region=region,
            matches=matches,
            leagues=leagues,
        )

        region_row.additional_properties = d
        return region_row

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
