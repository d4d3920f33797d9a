from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
    from ..models.pool_scored import PoolScored
    from ..models.threshold_record import ThresholdRecord


T = TypeVar("T", bound="PoolRecord")


@_attrs_define
class PoolRecord:
    """The pool of model and price, and the record of its flags."""

    price: float
    """ Exponent of the price. """
    model: float
    """ Exponent of the model. """
    home: float
    """ Constant of home win. """
    away: float
    """ Constant of away win. """
    matches: int
    """ Settled matches that the weights were fitted on; 0 means the market alone. """
    min_matches: int
    """ From how many on they are fitted. """
    scores: PoolScored
    """ The pool of model and price beside both, over the same matches. """
    bets: ThresholdRecord
    """ The same for edges above a threshold. """
    is_proven: bool
    """ Whether flags are called value. """
    min_bets: int
    """ From how many flags with a known closing price on that is decided. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.pool_scored import PoolScored  # noqa: PLC0415
        from ..models.threshold_record import ThresholdRecord  # noqa: PLC0415

        price = self.price

        model = self.model

        home = self.home

        away = self.away

        matches = self.matches

        min_matches = self.min_matches

        scores = self.scores.to_dict()

        bets = self.bets.to_dict()

        is_proven = self.is_proven

        min_bets = self.min_bets

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "price": price,
                "model": model,
                "home": home,
                "away": away,
                "matches": matches,
                "min_matches": min_matches,
                "scores": scores,
                "bets": bets,
                "is_proven": is_proven,
                "min_bets": min_bets,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.pool_scored import PoolScored  # noqa: PLC0415
        from ..models.threshold_record import ThresholdRecord  # noqa: PLC0415

        d = dict(src_dict)
        price = d.pop("price")

        model = d.pop("model")

        home = d.pop("home")

        away = d.pop("away")

        matches = d.pop("matches")

        min_matches = d.pop("min_matches")

        scores = PoolScored.from_dict(d.pop("scores"))

        bets = ThresholdRecord.from_dict(d.pop("bets"))

        is_proven = d.pop("is_proven")

        min_bets = d.pop("min_bets")

        pool_record = cls(
            price=price,
            model=model,
            home=home,
            away=away,
            matches=matches,
            min_matches=min_matches,
            scores=scores,
            bets=bets,
            is_proven=is_proven,
            min_bets=min_bets,
        )

        pool_record.additional_properties = d
        return pool_record

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
