from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast


T = TypeVar("T", bound="DriftResponse")


@_attrs_define
class DriftResponse:
    """Latest feature-drift summary; `drift_score` is null while there is no report."""

    drift_score: float | None
    number_of_columns_beyond_noise: int | None | Unset = UNSET
    """ Features that moved farther than chance moves a sample of this size: read this first. """
    sufficient_sample: bool | None | Unset = UNSET
    """ Whether enough matches were compared; if not, `drift_score` proves nothing. """
    dataset_drift: bool | None | Unset = UNSET
    number_of_columns: int | None | Unset = UNSET
    number_of_drifted_columns: int | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        drift_score: float | None
        drift_score = self.drift_score

        number_of_columns_beyond_noise: int | None | Unset
        if isinstance(self.number_of_columns_beyond_noise, Unset):
            number_of_columns_beyond_noise = UNSET
        else:
            number_of_columns_beyond_noise = self.number_of_columns_beyond_noise

        sufficient_sample: bool | None | Unset
        if isinstance(self.sufficient_sample, Unset):
            sufficient_sample = UNSET
        else:
            sufficient_sample = self.sufficient_sample

        dataset_drift: bool | None | Unset
        if isinstance(self.dataset_drift, Unset):
            dataset_drift = UNSET
        else:
            dataset_drift = self.dataset_drift

        number_of_columns: int | None | Unset
        if isinstance(self.number_of_columns, Unset):
            number_of_columns = UNSET
        else:
            number_of_columns = self.number_of_columns

        number_of_drifted_columns: int | None | Unset
        if isinstance(self.number_of_drifted_columns, Unset):
            number_of_drifted_columns = UNSET
        else:
            number_of_drifted_columns = self.number_of_drifted_columns

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "drift_score": drift_score,
            }
        )
        if number_of_columns_beyond_noise is not UNSET:
            field_dict["number_of_columns_beyond_noise"] = number_of_columns_beyond_noise
        if sufficient_sample is not UNSET:
            field_dict["sufficient_sample"] = sufficient_sample
        if dataset_drift is not UNSET:
            field_dict["dataset_drift"] = dataset_drift
        if number_of_columns is not UNSET:
            field_dict["number_of_columns"] = number_of_columns
        if number_of_drifted_columns is not UNSET:
            field_dict["number_of_drifted_columns"] = number_of_drifted_columns

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_drift_score(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        drift_score = _parse_drift_score(d.pop("drift_score"))

        def _parse_number_of_columns_beyond_noise(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        number_of_columns_beyond_noise = _parse_number_of_columns_beyond_noise(
            d.pop("number_of_columns_beyond_noise", UNSET)
        )

        def _parse_sufficient_sample(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        sufficient_sample = _parse_sufficient_sample(d.pop("sufficient_sample", UNSET))

        def _parse_dataset_drift(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        dataset_drift = _parse_dataset_drift(d.pop("dataset_drift", UNSET))

        def _parse_number_of_columns(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        number_of_columns = _parse_number_of_columns(d.pop("number_of_columns", UNSET))

        def _parse_number_of_drifted_columns(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        number_of_drifted_columns = _parse_number_of_drifted_columns(d.pop("number_of_drifted_columns", UNSET))

        drift_response = cls(
            drift_score=drift_score,
            number_of_columns_beyond_noise=number_of_columns_beyond_noise,
            sufficient_sample=sufficient_sample,
            dataset_drift=dataset_drift,
            number_of_columns=number_of_columns,
            number_of_drifted_columns=number_of_drifted_columns,
        )

        drift_response.additional_properties = d
        return drift_response

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
