from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
    from ..models.forecast_scores import ForecastScores


T = TypeVar("T", bound="MarketScored")


@_attrs_define
class MarketScored:
    """The model beside base rates and market, over the matches that had fair odds before kickoff."""

    model: ForecastScores
    """ Quality of forecasts over finished matches; null without any. """
    base_rates: ForecastScores
    """ Quality of forecasts over finished matches; null without any. """
    matches: int
    market: ForecastScores
    """ Quality of forecasts over finished matches; null without any. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.forecast_scores import ForecastScores  # noqa: PLC0415

        model = self.model.to_dict()

        base_rates = self.base_rates.to_dict()

        matches = self.matches

        market = self.market.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "model": model,
                "base_rates": base_rates,
                "matches": matches,
                "market": market,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.forecast_scores import ForecastScores  # noqa: PLC0415

        d = dict(src_dict)
        model = ForecastScores.from_dict(d.pop("model"))

        base_rates = ForecastScores.from_dict(d.pop("base_rates"))

        matches = d.pop("matches")

        market = ForecastScores.from_dict(d.pop("market"))

        market_scored = cls(
            model=model,
            base_rates=base_rates,
            matches=matches,
            market=market,
        )

        market_scored.additional_properties = d
        return market_scored

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
