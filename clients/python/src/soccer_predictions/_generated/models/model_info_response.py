from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.stage import check_stage
from ..models.stage import Stage
from typing import cast

if TYPE_CHECKING:
    from ..models.model_feature import ModelFeature
    from ..models.model_info_response_metrics import ModelInfoResponseMetrics
    from ..models.model_info_response_params import ModelInfoResponseParams


T = TypeVar("T", bound="ModelInfoResponse")


@_attrs_define
class ModelInfoResponse:
    """Model metadata from the MLflow Model Registry."""

    model_name: str
    model_version: Stage
    """ Alias of the registered model: the champion, or the challenger compared with it. """
    model_run_id: str
    loaded: bool
    """ Whether the model is in place, whole: every serving function loads it at its first prediction. While it is
    false, functions that hold the version before go on with that, and others answer 503. """
    registered_version: str
    metrics: ModelInfoResponseMetrics
    params: ModelInfoResponseParams
    features: list[ModelFeature]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.model_feature import ModelFeature  # noqa: PLC0415
        from ..models.model_info_response_metrics import ModelInfoResponseMetrics  # noqa: PLC0415
        from ..models.model_info_response_params import ModelInfoResponseParams  # noqa: PLC0415

        model_name = self.model_name

        model_version: str = self.model_version

        model_run_id = self.model_run_id

        loaded = self.loaded

        registered_version = self.registered_version

        metrics = self.metrics.to_dict()

        params = self.params.to_dict()

        features = []
        for features_item_data in self.features:
            features_item = features_item_data.to_dict()
            features.append(features_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "model_name": model_name,
                "model_version": model_version,
                "model_run_id": model_run_id,
                "loaded": loaded,
                "registered_version": registered_version,
                "metrics": metrics,
                "params": params,
                "features": features,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.model_feature import ModelFeature  # noqa: PLC0415
        from ..models.model_info_response_metrics import ModelInfoResponseMetrics  # noqa: PLC0415
        from ..models.model_info_response_params import ModelInfoResponseParams  # noqa: PLC0415

        d = dict(src_dict)
        model_name = d.pop("model_name")

        model_version = check_stage(d.pop("model_version"))

        model_run_id = d.pop("model_run_id")

        loaded = d.pop("loaded")

        registered_version = d.pop("registered_version")

        metrics = ModelInfoResponseMetrics.from_dict(d.pop("metrics"))

        params = ModelInfoResponseParams.from_dict(d.pop("params"))

        features = []
        _features = d.pop("features")
        for features_item_data in _features:
            features_item = ModelFeature.from_dict(features_item_data)

            features.append(features_item)

        model_info_response = cls(
            model_name=model_name,
            model_version=model_version,
            model_run_id=model_run_id,
            loaded=loaded,
            registered_version=registered_version,
            metrics=metrics,
            params=params,
            features=features,
        )

        model_info_response.additional_properties = d
        return model_info_response

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
