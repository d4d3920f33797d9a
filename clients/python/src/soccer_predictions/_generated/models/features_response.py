from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime

if TYPE_CHECKING:
    from ..models.features_response_features import FeaturesResponseFeatures


T = TypeVar("T", bound="FeaturesResponse")


@_attrs_define
class FeaturesResponse:
    """A match's features in the current data release; `match_id` and `features` are a body of `POST /predict`."""

    match_id: int
    features: FeaturesResponseFeatures
    features_computed_at: datetime.datetime
    """ Time of the data release they come from. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.features_response_features import FeaturesResponseFeatures  # noqa: PLC0415

        match_id = self.match_id

        features = self.features.to_dict()

        features_computed_at = self.features_computed_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "match_id": match_id,
                "features": features,
                "features_computed_at": features_computed_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.features_response_features import FeaturesResponseFeatures  # noqa: PLC0415

        d = dict(src_dict)
        match_id = d.pop("match_id")

        features = FeaturesResponseFeatures.from_dict(d.pop("features"))

        features_computed_at = datetime.datetime.fromisoformat(d.pop("features_computed_at"))

        features_response = cls(
            match_id=match_id,
            features=features,
            features_computed_at=features_computed_at,
        )

        features_response.additional_properties = d
        return features_response

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
