from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import Literal, cast


T = TypeVar("T", bound="AsyncPredictResponse")


@_attrs_define
class AsyncPredictResponse:
    """An accepted task and where to poll for its result."""

    task_id: str
    status_url: str
    """ Path below the API's URL; the header `Location` has the whole URL. """
    status: Literal["submitted"] | Unset = "submitted"
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        task_id = self.task_id

        status_url = self.status_url

        status = self.status

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "task_id": task_id,
                "status_url": status_url,
            }
        )
        if status is not UNSET:
            field_dict["status"] = status

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        task_id = d.pop("task_id")

        status_url = d.pop("status_url")

        status = cast(Literal["submitted"] | Unset, d.pop("status", UNSET))
        if status != "submitted" and not isinstance(status, Unset):
            raise ValueError(f"status must match const 'submitted', got '{status}'")

        async_predict_response = cls(
            task_id=task_id,
            status_url=status_url,
            status=status,
        )

        async_predict_response.additional_properties = d
        return async_predict_response

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
