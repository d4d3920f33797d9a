from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
    from ..models.async_predict_request_features_type_0 import AsyncPredictRequestFeaturesType0


T = TypeVar("T", bound="AsyncPredictRequest")


@_attrs_define
class AsyncPredictRequest:
    """A match, with its feature values or without: then they come from the current data release."""

    match_id: int
    """ Identifier of the match. """
    features: AsyncPredictRequestFeaturesType0 | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.async_predict_request_features_type_0 import AsyncPredictRequestFeaturesType0  # noqa: PLC0415

        match_id = self.match_id

        features: dict[str, Any] | None | Unset
        if isinstance(self.features, Unset):
            features = UNSET
        elif isinstance(self.features, AsyncPredictRequestFeaturesType0):
            features = self.features.to_dict()
        else:
            features = self.features

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "match_id": match_id,
            }
        )
        if features is not UNSET:
            field_dict["features"] = features

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.async_predict_request_features_type_0 import AsyncPredictRequestFeaturesType0  # noqa: PLC0415

        d = dict(src_dict)
        match_id = d.pop("match_id")

        def _parse_features(data: object) -> AsyncPredictRequestFeaturesType0 | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                features_type_0 = AsyncPredictRequestFeaturesType0.from_dict(data)

                return features_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AsyncPredictRequestFeaturesType0 | None | Unset, data)

        features = _parse_features(d.pop("features", UNSET))

        async_predict_request = cls(
            match_id=match_id,
            features=features,
        )

        async_predict_request.additional_properties = d
        return async_predict_request

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
