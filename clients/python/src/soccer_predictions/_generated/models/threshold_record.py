from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast


T = TypeVar("T", bound="ThresholdRecord")


@_attrs_define
class ThresholdRecord:
    """The same for edges above a threshold."""

    promised: float | None
    """ Mean edge at the time of the bet. """
    bets: int
    turnover: float | None
    profit: float | None
    roi: float | None
    """ Profit by turnover. """
    roi_ci_low: float | None
    roi_ci_high: float | None
    clv: float | None
    """ Mean closing-line value: price taken times closing probability, minus one. """
    clv_ci_low: float | None
    clv_ci_high: float | None
    threshold: float
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        promised: float | None
        promised = self.promised

        bets = self.bets

        turnover: float | None
        turnover = self.turnover

        profit: float | None
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

        threshold = self.threshold

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "promised": promised,
                "bets": bets,
                "turnover": turnover,
                "profit": profit,
                "roi": roi,
                "roi_ci_low": roi_ci_low,
                "roi_ci_high": roi_ci_high,
                "clv": clv,
                "clv_ci_low": clv_ci_low,
                "clv_ci_high": clv_ci_high,
                "threshold": threshold,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_promised(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        promised = _parse_promised(d.pop("promised"))

        bets = d.pop("bets")

        def _parse_turnover(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        turnover = _parse_turnover(d.pop("turnover"))

        def _parse_profit(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        profit = _parse_profit(d.pop("profit"))

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

        threshold = d.pop("threshold")

        threshold_record = cls(
            promised=promised,
            bets=bets,
            turnover=turnover,
            profit=profit,
            roi=roi,
            roi_ci_low=roi_ci_low,
            roi_ci_high=roi_ci_high,
            clv=clv,
            clv_ci_low=clv_ci_low,
            clv_ci_high=clv_ci_high,
            threshold=threshold,
        )

        threshold_record.additional_properties = d
        return threshold_record

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
