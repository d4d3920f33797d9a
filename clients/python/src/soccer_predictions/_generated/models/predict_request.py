from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
    from ..models.predict_request_features import PredictRequestFeatures


T = TypeVar("T", bound="PredictRequest")


@_attrs_define
class PredictRequest:
    """A match and its feature values."""

    match_id: int
    """ Identifier of the match. """
    features: PredictRequestFeatures
    """ Feature values by name, as the model's signature lists them (`GET /predict/model/info`). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.predict_request_features import PredictRequestFeatures  # noqa: PLC0415

        match_id = self.match_id

        features = self.features.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "match_id": match_id,
                "features": features,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.predict_request_features import PredictRequestFeatures  # noqa: PLC0415

        d = dict(src_dict)
        match_id = d.pop("match_id")

        features = PredictRequestFeatures.from_dict(d.pop("features"))

        predict_request = cls(
            match_id=match_id,
            features=features,
        )

        predict_request.additional_properties = d
        return predict_request

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
