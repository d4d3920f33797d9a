from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast


T = TypeVar("T", bound="ForecastScores")


@_attrs_define
class ForecastScores:
    """Quality of forecasts over finished matches; null without any."""

    accuracy: float | None
    log_loss: float | None
    """ Mean of minus ln of the probability given to what came. """
    rps: float | None
    """ Ranked probability score. """
    brier: float | None
    """ Sum of squared differences over the three outcomes. """
    ece: float | None
    """ Expected calibration error over ten bins. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        accuracy: float | None
        accuracy = self.accuracy

        log_loss: float | None
        log_loss = self.log_loss

        rps: float | None
        rps = self.rps

        brier: float | None
        brier = self.brier

        ece: float | None
        ece = self.ece

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "accuracy": accuracy,
                "log_loss": log_loss,
                "rps": rps,
                "brier": brier,
                "ece": ece,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_accuracy(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        accuracy = _parse_accuracy(d.pop("accuracy"))

        def _parse_log_loss(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        log_loss = _parse_log_loss(d.pop("log_loss"))

        def _parse_rps(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        rps = _parse_rps(d.pop("rps"))

        def _parse_brier(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        brier = _parse_brier(d.pop("brier"))

        def _parse_ece(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        ece = _parse_ece(d.pop("ece"))

        forecast_scores = cls(
            accuracy=accuracy,
            log_loss=log_loss,
            rps=rps,
            brier=brier,
            ece=ece,
        )

        forecast_scores.additional_properties = d
        return forecast_scores

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
