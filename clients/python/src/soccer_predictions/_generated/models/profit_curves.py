from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast


T = TypeVar("T", bound="ProfitCurves")


@_attrs_define
class ProfitCurves:
    """Cumulative profit: of the pool's flags, of a bettor at random, of one on every favourite."""

    pool: list[list[float | int | str]]
    random: list[list[float | int | str]]
    favourite: list[list[float | int | str]]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        pool = []
        for pool_item_data in self.pool:
            pool_item = []
            for pool_item_item_data in pool_item_data:
                pool_item_item: float | int | str
                pool_item_item = pool_item_item_data
                pool_item.append(pool_item_item)

            pool.append(pool_item)

        random = []
        for random_item_data in self.random:
            random_item = []
            for random_item_item_data in random_item_data:
                random_item_item: float | int | str
                random_item_item = random_item_item_data
                random_item.append(random_item_item)

            random.append(random_item)

        favourite = []
        for favourite_item_data in self.favourite:
            favourite_item = []
            for favourite_item_item_data in favourite_item_data:
                favourite_item_item: float | int | str
                favourite_item_item = favourite_item_item_data
                favourite_item.append(favourite_item_item)

            favourite.append(favourite_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "pool": pool,
                "random": random,
                "favourite": favourite,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        pool = []
        _pool = d.pop("pool")
        for pool_item_data in _pool:
            pool_item = []
            _pool_item = pool_item_data
            for pool_item_item_data in _pool_item:

                def _parse_pool_item_item(data: object) -> float | int | str:
                    return cast(float | int | str, data)

                pool_item_item = _parse_pool_item_item(pool_item_item_data)

                pool_item.append(pool_item_item)

            pool.append(pool_item)

        random = []
        _random = d.pop("random")
        for random_item_data in _random:
            random_item = []
            _random_item = random_item_data
            for random_item_item_data in _random_item:

                def _parse_random_item_item(data: object) -> float | int | str:
                    return cast(float | int | str, data)

                random_item_item = _parse_random_item_item(random_item_item_data)

                random_item.append(random_item_item)

            random.append(random_item)

        favourite = []
        _favourite = d.pop("favourite")
        for favourite_item_data in _favourite:
            favourite_item = []
            _favourite_item = favourite_item_data
            for favourite_item_item_data in _favourite_item:

                def _parse_favourite_item_item(data: object) -> float | int | str:
                    return cast(float | int | str, data)

                favourite_item_item = _parse_favourite_item_item(favourite_item_item_data)

                favourite_item.append(favourite_item_item)

            favourite.append(favourite_item)

        profit_curves = cls(
            pool=pool,
            random=random,
            favourite=favourite,
        )

        profit_curves.additional_properties = d
        return profit_curves

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
