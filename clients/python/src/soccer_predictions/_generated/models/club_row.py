from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast


T = TypeVar("T", bound="ClubRow")


@_attrs_define
class ClubRow:
    """A club and the other spellings of its name."""

    region: str
    sex: int
    club: str
    matches: int
    """ Matches in the release. """
    spellings: list[str]
    """ Lower case, without accents; the name itself is one of them. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        region = self.region

        sex = self.sex

        club = self.club

        matches = self.matches

        spellings = self.spellings

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "region": region,
                "sex": sex,
                "club": club,
                "matches": matches,
                "spellings": spellings,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        region = d.pop("region")

        sex = d.pop("sex")

        club = d.pop("club")

        matches = d.pop("matches")

        spellings = cast(list[str], d.pop("spellings"))

        club_row = cls(
            region=region,
            sex=sex,
            club=club,
            matches=matches,
            spellings=spellings,
        )

        club_row.additional_properties = d
        return club_row

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
