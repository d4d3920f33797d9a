from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.prediction_predicted_class import check_prediction_predicted_class
from ..models.prediction_predicted_class import PredictionPredictedClass
from ..models.stage import check_stage
from ..models.stage import Stage
from typing import cast
import datetime

if TYPE_CHECKING:
    from ..models.probabilities import Probabilities


T = TypeVar("T", bound="Prediction")


@_attrs_define
class Prediction:
    """One prediction and the model it came from."""

    predicted_class: PredictionPredictedClass
    """ Most probable class: 0 home win, 1 draw, 2 away win. """
    probabilities: Probabilities
    """ Outcome probabilities by class: 0 home win, 1 draw, 2 away win. """
    model_version: Stage
    """ Alias of the registered model: the champion, or the challenger compared with it. """
    model_run_id: str
    """ MLflow run that produced the model. """
    features_computed_at: datetime.datetime | None
    """ Time of the data release the features came from; null where the caller sent them. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.probabilities import Probabilities  # noqa: PLC0415

        predicted_class: int = self.predicted_class

        probabilities = self.probabilities.to_dict()

        model_version: str = self.model_version

        model_run_id = self.model_run_id

        features_computed_at: None | str
        if isinstance(self.features_computed_at, datetime.datetime):
            features_computed_at = self.features_computed_at.isoformat()
        else:
            features_computed_at = self.features_computed_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "predicted_class": predicted_class,
                "probabilities": probabilities,
                "model_version": model_version,
                "model_run_id": model_run_id,
                "features_computed_at": features_computed_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.probabilities import Probabilities  # noqa: PLC0415

        d = dict(src_dict)
        predicted_class = check_prediction_predicted_class(d.pop("predicted_class"))

        probabilities = Probabilities.from_dict(d.pop("probabilities"))

        model_version = check_stage(d.pop("model_version"))

        model_run_id = d.pop("model_run_id")

        def _parse_features_computed_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                features_computed_at_type_0 = datetime.datetime.fromisoformat(data)

                return features_computed_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        features_computed_at = _parse_features_computed_at(d.pop("features_computed_at"))

        prediction = cls(
            predicted_class=predicted_class,
            probabilities=probabilities,
            model_version=model_version,
            model_run_id=model_run_id,
            features_computed_at=features_computed_at,
        )

        prediction.additional_properties = d
        return prediction

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
