from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime

if TYPE_CHECKING:
    from ..models.against_the_pick import AgainstThePick
    from ..models.forecasts_scored import ForecastsScored
    from ..models.market_scored import MarketScored
    from ..models.pool_record import PoolRecord
    from ..models.profit_curves import ProfitCurves
    from ..models.record_by_threshold import RecordByThreshold
    from ..models.threshold_record import ThresholdRecord
    from ..models.track_record_by_region import TrackRecordByRegion
    from ..models.track_record_reliability import TrackRecordReliability


T = TypeVar("T", bound="TrackRecord")


@_attrs_define
class TrackRecord:
    """How the champion's published forecasts have done, and what bets by them returned."""

    schema_version: int
    matches: int
    """ Finished matches that the model was not fitted on. """
    first_kickoff: datetime.datetime | None
    last_kickoff: datetime.datetime | None
    forecasts: ForecastsScored
    """ The model beside base rates, over the same matches. """
    market: MarketScored | None
    """ Null without odds. """
    by_region: TrackRecordByRegion
    reliability: TrackRecordReliability
    """ By outcome, and `all` together. """
    value_bets: None | ThresholdRecord
    """ Bets on the model's own edges; null without odds. """
    profit_curve: list[list[float | int | str]]
    """ Of these bets: day, bets so far, profit so far in units. """
    pool: None | PoolRecord | Unset = UNSET
    by_threshold: None | RecordByThreshold | Unset = UNSET
    against_the_pick: AgainstThePick | None | Unset = UNSET
    curves: None | ProfitCurves | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.against_the_pick import AgainstThePick  # noqa: PLC0415
        from ..models.forecasts_scored import ForecastsScored  # noqa: PLC0415
        from ..models.market_scored import MarketScored  # noqa: PLC0415
        from ..models.pool_record import PoolRecord  # noqa: PLC0415
        from ..models.profit_curves import ProfitCurves  # noqa: PLC0415
        from ..models.record_by_threshold import RecordByThreshold  # noqa: PLC0415
        from ..models.threshold_record import ThresholdRecord  # noqa: PLC0415
        from ..models.track_record_by_region import TrackRecordByRegion  # noqa: PLC0415
        from ..models.track_record_reliability import TrackRecordReliability  # noqa: PLC0415

        schema_version = self.schema_version

        matches = self.matches

        first_kickoff: None | str
        if isinstance(self.first_kickoff, datetime.datetime):
            first_kickoff = self.first_kickoff.isoformat()
        else:
            first_kickoff = self.first_kickoff

        last_kickoff: None | str
        if isinstance(self.last_kickoff, datetime.datetime):
            last_kickoff = self.last_kickoff.isoformat()
        else:
            last_kickoff = self.last_kickoff

        forecasts = self.forecasts.to_dict()

        market: dict[str, Any] | None
        if isinstance(self.market, MarketScored):
            market = self.market.to_dict()
        else:
            market = self.market

        by_region = self.by_region.to_dict()

        reliability = self.reliability.to_dict()

        value_bets: dict[str, Any] | None
        if isinstance(self.value_bets, ThresholdRecord):
            value_bets = self.value_bets.to_dict()
        else:
            value_bets = self.value_bets

        profit_curve = []
        for profit_curve_item_data in self.profit_curve:
            profit_curve_item = []
            for profit_curve_item_item_data in profit_curve_item_data:
                profit_curve_item_item: float | int | str
                profit_curve_item_item = profit_curve_item_item_data
                profit_curve_item.append(profit_curve_item_item)

            profit_curve.append(profit_curve_item)

        pool: dict[str, Any] | None | Unset
        if isinstance(self.pool, Unset):
            pool = UNSET
        elif isinstance(self.pool, PoolRecord):
            pool = self.pool.to_dict()
        else:
            pool = self.pool

        by_threshold: dict[str, Any] | None | Unset
        if isinstance(self.by_threshold, Unset):
            by_threshold = UNSET
        elif isinstance(self.by_threshold, RecordByThreshold):
            by_threshold = self.by_threshold.to_dict()
        else:
            by_threshold = self.by_threshold

        against_the_pick: dict[str, Any] | None | Unset
        if isinstance(self.against_the_pick, Unset):
            against_the_pick = UNSET
        elif isinstance(self.against_the_pick, AgainstThePick):
            against_the_pick = self.against_the_pick.to_dict()
        else:
            against_the_pick = self.against_the_pick

        curves: dict[str, Any] | None | Unset
        if isinstance(self.curves, Unset):
            curves = UNSET
        elif isinstance(self.curves, ProfitCurves):
            curves = self.curves.to_dict()
        else:
            curves = self.curves

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "schema_version": schema_version,
                "matches": matches,
                "first_kickoff": first_kickoff,
                "last_kickoff": last_kickoff,
                "forecasts": forecasts,
                "market": market,
                "by_region": by_region,
                "reliability": reliability,
                "value_bets": value_bets,
                "profit_curve": profit_curve,
            }
        )
        if pool is not UNSET:
            field_dict["pool"] = pool
        if by_threshold is not UNSET:
            field_dict["by_threshold"] = by_threshold
        if against_the_pick is not UNSET:
            field_dict["against_the_pick"] = against_the_pick
        if curves is not UNSET:
            field_dict["curves"] = curves

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.against_the_pick import AgainstThePick  # noqa: PLC0415
        from ..models.forecasts_scored import ForecastsScored  # noqa: PLC0415
        from ..models.market_scored import MarketScored  # noqa: PLC0415
        from ..models.pool_record import PoolRecord  # noqa: PLC0415
        from ..models.profit_curves import ProfitCurves  # noqa: PLC0415
        from ..models.record_by_threshold import RecordByThreshold  # noqa: PLC0415
        from ..models.threshold_record import ThresholdRecord  # noqa: PLC0415
        from ..models.track_record_by_region import TrackRecordByRegion  # noqa: PLC0415
        from ..models.track_record_reliability import TrackRecordReliability  # noqa: PLC0415

        d = dict(src_dict)
        schema_version = d.pop("schema_version")

        matches = d.pop("matches")

        def _parse_first_kickoff(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                first_kickoff_type_0 = datetime.datetime.fromisoformat(data)

                return first_kickoff_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        first_kickoff = _parse_first_kickoff(d.pop("first_kickoff"))

        def _parse_last_kickoff(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                last_kickoff_type_0 = datetime.datetime.fromisoformat(data)

                return last_kickoff_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        last_kickoff = _parse_last_kickoff(d.pop("last_kickoff"))

        forecasts = ForecastsScored.from_dict(d.pop("forecasts"))

        def _parse_market(data: object) -> MarketScored | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                market_type_0 = MarketScored.from_dict(data)

                return market_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(MarketScored | None, data)

        market = _parse_market(d.pop("market"))

        by_region = TrackRecordByRegion.from_dict(d.pop("by_region"))

        reliability = TrackRecordReliability.from_dict(d.pop("reliability"))

        def _parse_value_bets(data: object) -> None | ThresholdRecord:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                value_bets_type_0 = ThresholdRecord.from_dict(data)

                return value_bets_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | ThresholdRecord, data)

        value_bets = _parse_value_bets(d.pop("value_bets"))

        profit_curve = []
        _profit_curve = d.pop("profit_curve")
        for profit_curve_item_data in _profit_curve:
            profit_curve_item = []
            _profit_curve_item = profit_curve_item_data
            for profit_curve_item_item_data in _profit_curve_item:

                def _parse_profit_curve_item_item(data: object) -> float | int | str:
                    return cast(float | int | str, data)

                profit_curve_item_item = _parse_profit_curve_item_item(profit_curve_item_item_data)

                profit_curve_item.append(profit_curve_item_item)

            profit_curve.append(profit_curve_item)

        def _parse_pool(data: object) -> None | PoolRecord | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                pool_type_0 = PoolRecord.from_dict(data)

                return pool_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PoolRecord | Unset, data)

        pool = _parse_pool(d.pop("pool", UNSET))

        def _parse_by_threshold(data: object) -> None | RecordByThreshold | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                by_threshold_type_0 = RecordByThreshold.from_dict(data)

                return by_threshold_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | RecordByThreshold | Unset, data)

        by_threshold = _parse_by_threshold(d.pop("by_threshold", UNSET))

        def _parse_against_the_pick(data: object) -> AgainstThePick | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                against_the_pick_type_0 = AgainstThePick.from_dict(data)

                return against_the_pick_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AgainstThePick | None | Unset, data)

        against_the_pick = _parse_against_the_pick(d.pop("against_the_pick", UNSET))

        def _parse_curves(data: object) -> None | ProfitCurves | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                curves_type_0 = ProfitCurves.from_dict(data)

                return curves_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | ProfitCurves | Unset, data)

        curves = _parse_curves(d.pop("curves", UNSET))

        track_record = cls(
            schema_version=schema_version,
            matches=matches,
            first_kickoff=first_kickoff,
            last_kickoff=last_kickoff,
            forecasts=forecasts,
            market=market,
            by_region=by_region,
            reliability=reliability,
            value_bets=value_bets,
            profit_curve=profit_curve,
            pool=pool,
            by_threshold=by_threshold,
            against_the_pick=against_the_pick,
            curves=curves,
        )

        track_record.additional_properties = d
        return track_record

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
