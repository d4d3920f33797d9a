from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime

if TYPE_CHECKING:
    from ..models.closing_price import ClosingPrice
    from ..models.seen_price import SeenPrice


T = TypeVar("T", bound="PriceMovement")


@_attrs_define
class PriceMovement:
    """How the price of a match moved before its kickoff."""

    match_id: int
    match_date: datetime.datetime | None
    """ Kickoff, ISO-8601 UTC; null while unknown. """
    provider: None | str
    """ Whose odds they are; null without any. """
    snapshots: list[SeenPrice]
    """ In order of time: each price that differed from the one before it, and the one the odds of the release show.
    More than a day before the last change one of every three hours is kept; of matches played more than 90 days ago
    the first and the last. """
    closing: ClosingPrice | None
    """ Null before kickoff and where it is not known. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.closing_price import ClosingPrice  # noqa: PLC0415
        from ..models.seen_price import SeenPrice  # noqa: PLC0415

        match_id = self.match_id

        match_date: None | str
        if isinstance(self.match_date, datetime.datetime):
            match_date = self.match_date.isoformat()
        else:
            match_date = self.match_date

        provider: None | str
        provider = self.provider

        snapshots = []
        for snapshots_item_data in self.snapshots:
            snapshots_item = snapshots_item_data.to_dict()
            snapshots.append(snapshots_item)

        closing: dict[str, Any] | None
        if isinstance(self.closing, ClosingPrice):
            closing = self.closing.to_dict()
        else:
            closing = self.closing

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "match_id": match_id,
                "match_date": match_date,
                "provider": provider,
                "snapshots": snapshots,
                "closing": closing,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.closing_price import ClosingPrice  # noqa: PLC0415
        from ..models.seen_price import SeenPrice  # noqa: PLC0415

        d = dict(src_dict)
        match_id = d.pop("match_id")

        def _parse_match_date(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                match_date_type_0 = datetime.datetime.fromisoformat(data)

                return match_date_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        match_date = _parse_match_date(d.pop("match_date"))

        def _parse_provider(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        provider = _parse_provider(d.pop("provider"))

        snapshots = []
        _snapshots = d.pop("snapshots")
        for snapshots_item_data in _snapshots:
            snapshots_item = SeenPrice.from_dict(snapshots_item_data)

            snapshots.append(snapshots_item)

        def _parse_closing(data: object) -> ClosingPrice | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                closing_type_0 = ClosingPrice.from_dict(data)

                return closing_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ClosingPrice | None, data)

        closing = _parse_closing(d.pop("closing"))

        price_movement = cls(
            match_id=match_id,
            match_date=match_date,
            provider=provider,
            snapshots=snapshots,
            closing=closing,
        )

        price_movement.additional_properties = d
        return price_movement

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
