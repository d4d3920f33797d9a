from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast


T = TypeVar("T", bound="DeadLetterState")


@_attrs_define
class DeadLetterState:
    """Counts of the dead-letter queue, and of the failed tasks kept for `make redrive`."""

    name: str
    waiting: int
    in_flight: int
    delayed: int
    oldest_age_seconds: float | None
    kept: int
    """ Tasks that ended as failed without having been predicted and wait for `make redrive`; at most 10,000 are
    counted. `oldest_age_seconds` is that of the oldest of them. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        waiting = self.waiting

        in_flight = self.in_flight

        delayed = self.delayed

        oldest_age_seconds: float | None
        oldest_age_seconds = self.oldest_age_seconds

        kept = self.kept

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "waiting": waiting,
                "in_flight": in_flight,
                "delayed": delayed,
                "oldest_age_seconds": oldest_age_seconds,
                "kept": kept,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        waiting = d.pop("waiting")

        in_flight = d.pop("in_flight")

        delayed = d.pop("delayed")

        def _parse_oldest_age_seconds(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        oldest_age_seconds = _parse_oldest_age_seconds(d.pop("oldest_age_seconds"))

        kept = d.pop("kept")

        dead_letter_state = cls(
            name=name,
            waiting=waiting,
            in_flight=in_flight,
            delayed=delayed,
            oldest_age_seconds=oldest_age_seconds,
            kept=kept,
        )

        dead_letter_state.additional_properties = d
        return dead_letter_state

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
