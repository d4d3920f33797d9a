from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
    from ..models.threshold_record import ThresholdRecord


T = TypeVar("T", bound="RecordByThreshold")


@_attrs_define
class RecordByThreshold:
    """Promised beside realised returns, by the edge from which on one bets."""

    model: list[ThresholdRecord]
    pool: list[ThresholdRecord]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.threshold_record import ThresholdRecord  # noqa: PLC0415

        model = []
        for model_item_data in self.model:
            model_item = model_item_data.to_dict()
            model.append(model_item)

        pool = []
        for pool_item_data in self.pool:
            pool_item = pool_item_data.to_dict()
            pool.append(pool_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "model": model,
                "pool": pool,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.threshold_record import ThresholdRecord  # noqa: PLC0415

        d = dict(src_dict)
        model = []
        _model = d.pop("model")
        for model_item_data in _model:
            model_item = ThresholdRecord.from_dict(model_item_data)

            model.append(model_item)

        pool = []
        _pool = d.pop("pool")
        for pool_item_data in _pool:
            pool_item = ThresholdRecord.from_dict(pool_item_data)

            pool.append(pool_item)

        record_by_threshold = cls(
            model=model,
            pool=pool,
        )

        record_by_threshold.additional_properties = d
        return record_by_threshold

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
