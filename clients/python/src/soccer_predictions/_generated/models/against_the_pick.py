from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
    from ..models.bet_record import BetRecord


T = TypeVar("T", bound="AgainstThePick")


@_attrs_define
class AgainstThePick:
    """The model's bets on another outcome than the one it calls likeliest, and those on that one."""

    against: BetRecord
    """ What bets of one unit promised and returned, with 95 % intervals; null without bets. """
    with_: BetRecord
    """ What bets of one unit promised and returned, with 95 % intervals; null without bets. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.bet_record import BetRecord  # noqa: PLC0415

        against = self.against.to_dict()

        with_ = self.with_.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "against": against,
                "with": with_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.bet_record import BetRecord  # noqa: PLC0415

        d = dict(src_dict)
        against = BetRecord.from_dict(d.pop("against"))

        with_ = BetRecord.from_dict(d.pop("with"))

        against_the_pick = cls(
            against=against,
            with_=with_,
        )

        against_the_pick.additional_properties = d
        return against_the_pick

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
