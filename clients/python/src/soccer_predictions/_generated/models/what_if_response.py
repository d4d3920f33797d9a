from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
    from ..models.prediction import Prediction
    from ..models.what_if_response_features import WhatIfResponseFeatures


T = TypeVar("T", bound="WhatIfResponse")


@_attrs_define
class WhatIfResponse:
    """A prediction with changed features."""

    match_id: int
    prediction: Prediction
    """ One prediction and the model it came from. """
    features: WhatIfResponseFeatures
    """ Every feature of the match as it was used. """
    followed: list[str]
    """ Features that were not changed by the caller but followed. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.prediction import Prediction  # noqa: PLC0415
        from ..models.what_if_response_features import WhatIfResponseFeatures  # noqa: PLC0415

        match_id = self.match_id

        prediction = self.prediction.to_dict()

        features = self.features.to_dict()

        followed = self.followed

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "match_id": match_id,
                "prediction": prediction,
                "features": features,
                "followed": followed,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.prediction import Prediction  # noqa: PLC0415
        from ..models.what_if_response_features import WhatIfResponseFeatures  # noqa: PLC0415

        d = dict(src_dict)
        match_id = d.pop("match_id")

        prediction = Prediction.from_dict(d.pop("prediction"))

        features = WhatIfResponseFeatures.from_dict(d.pop("features"))

        followed = cast(list[str], d.pop("followed"))

        what_if_response = cls(
            match_id=match_id,
            prediction=prediction,
            features=features,
            followed=followed,
        )

        what_if_response.additional_properties = d
        return what_if_response

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
