from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast


T = TypeVar("T", bound="RegionRoiRow")


@_attrs_define
class RegionRoiRow:
    """Flat-stake return where the model's own edge exceeds the threshold, by region, with 95 % intervals."""

    region: str
    bets: int
    turnover: float
    profit: float
    roi: float | None
    roi_ci_low: float | None
    roi_ci_high: float | None
    clv: float | None
    """ Mean closing-line value: price taken times closing probability, minus one. """
    clv_ci_low: float | None
    clv_ci_high: float | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        region = self.region

        bets = self.bets

        turnover = self.turnover

        profit = self.profit

        roi: float | None
        roi = self.roi

        roi_ci_low: float | None
        roi_ci_low = self.roi_ci_low

        roi_ci_high: float | None
        roi_ci_high = self.roi_ci_high

        clv: float | None
        clv = self.clv

        clv_ci_low: float | None
        clv_ci_low = self.clv_ci_low

        clv_ci_high: float | None
        clv_ci_high = self.clv_ci_high

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "region": region,
                "bets": bets,
                "turnover": turnover,
                "profit": profit,
                "roi": roi,
                "roi_ci_low": roi_ci_low,
                "roi_ci_high": roi_ci_high,
                "clv": clv,
                "clv_ci_low": clv_ci_low,
                "clv_ci_high": clv_ci_high,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        region = d.pop("region")

        bets = d.pop("bets")

        turnover = d.pop("turnover")

        profit = d.pop("profit")

        def _parse_roi(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        roi = _parse_roi(d.pop("roi"))

        def _parse_roi_ci_low(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        roi_ci_low = _parse_roi_ci_low(d.pop("roi_ci_low"))

        def _parse_roi_ci_high(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        roi_ci_high = _parse_roi_ci_high(d.pop("roi_ci_high"))

        def _parse_clv(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        clv = _parse_clv(d.pop("clv"))

        def _parse_clv_ci_low(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        clv_ci_low = _parse_clv_ci_low(d.pop("clv_ci_low"))

        def _parse_clv_ci_high(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        clv_ci_high = _parse_clv_ci_high(d.pop("clv_ci_high"))

        region_roi_row = cls(
            region=region,
            bets=bets,
            turnover=turnover,
            profit=profit,
            roi=roi,
            roi_ci_low=roi_ci_low,
            roi_ci_high=roi_ci_high,
            clv=clv,
            clv_ci_low=clv_ci_low,
            clv_ci_high=clv_ci_high,
        )

        region_roi_row.additional_properties = d
        return region_roi_row

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
