from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset


T = TypeVar("T", bound="CalibrationBin")


@_attrs_define
class CalibrationBin:
    """Forecasts of about the same probability: how often did it come?"""

    lower: float
    """ Lower edge of the bin; bins are 0.1 wide. """
    count: int
    forecast: float
    """ Mean probability forecast. """
    frequency: float
    """ Share that came true. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        lower = self.lower

        count = self.count

        forecast = self.forecast

        frequency = self.frequency

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "lower": lower,
                "count": count,
                "forecast": forecast,
                "frequency": frequency,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        lower = d.pop("lower")

        count = d.pop("count")

        forecast = d.pop("forecast")

        frequency = d.pop("frequency")

        calibration_bin = cls(
            lower=lower,
            count=count,
            forecast=forecast,
            frequency=frequency,
        )

        calibration_bin.additional_properties = d
        return calibration_bin

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
