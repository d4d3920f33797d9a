from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
    from ..models.base_scores import BaseScores
    from ..models.contribution import Contribution
    from ..models.prediction import Prediction


T = TypeVar("T", bound="PredictResponse")


@_attrs_define
class PredictResponse:
    """The answer to a synchronous prediction."""

    match_id: int
    prediction: Prediction
    """ One prediction and the model it came from. """
    base: BaseScores | None | Unset = UNSET
    """ With `explain=true` only. Base plus all contributions, through softmax, is the prediction. """
    contributions: list[Contribution] | None | Unset = UNSET
    """ With `explain=true` only: the largest contribution first. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.base_scores import BaseScores  # noqa: PLC0415
        from ..models.contribution import Contribution  # noqa: PLC0415
        from ..models.prediction import Prediction  # noqa: PLC0415

        match_id = self.match_id

        prediction = self.prediction.to_dict()

        base: dict[str, Any] | None | Unset
        if isinstance(self.base, Unset):
            base = UNSET
        elif isinstance(self.base, BaseScores):
            base = self.base.to_dict()
        else:
            base = self.base

        contributions: list[dict[str, Any]] | None | Unset
        if isinstance(self.contributions, Unset):
            contributions = UNSET
        elif isinstance(self.contributions, list):
            contributions = []
            for contributions_type_0_item_data in self.contributions:
                contributions_type_0_item = contributions_type_0_item_data.to_dict()
                contributions.append(contributions_type_0_item)

        else:
            contributions = self.contributions

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "match_id": match_id,
                "prediction": prediction,
            }
        )
        if base is not UNSET:
            field_dict["base"] = base
        if contributions is not UNSET:
            field_dict["contributions"] = contributions

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.base_scores import BaseScores  # noqa: PLC0415
        from ..models.contribution import Contribution  # noqa: PLC0415
        from ..models.prediction import Prediction  # noqa: PLC0415

        d = dict(src_dict)
        match_id = d.pop("match_id")

        prediction = Prediction.from_dict(d.pop("prediction"))

        def _parse_base(data: object) -> BaseScores | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                base_type_0 = BaseScores.from_dict(data)

                return base_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(BaseScores | None | Unset, data)

        base = _parse_base(d.pop("base", UNSET))

        def _parse_contributions(data: object) -> list[Contribution] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                contributions_type_0 = []
                _contributions_type_0 = data
                for contributions_type_0_item_data in _contributions_type_0:
                    contributions_type_0_item = Contribution.from_dict(contributions_type_0_item_data)

                    contributions_type_0.append(contributions_type_0_item)

                return contributions_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[Contribution] | None | Unset, data)

        contributions = _parse_contributions(d.pop("contributions", UNSET))

        predict_response = cls(
            match_id=match_id,
            prediction=prediction,
            base=base,
            contributions=contributions,
        )

        predict_response.additional_properties = d
        return predict_response

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
