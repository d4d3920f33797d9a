from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
    from ..models.dead_letter_state import DeadLetterState
    from ..models.queue_state import QueueState


T = TypeVar("T", bound="QueuesResponse")


@_attrs_define
class QueuesResponse:
    """The inference queue and its dead letters."""

    inference: QueueState
    """ Counts of one queue. """
    dead_letters: DeadLetterState
    """ Counts of the dead-letter queue, and of the failed tasks kept for `make redrive`. """
    active: int | None | Unset = UNSET
    """ Messages that a worker has received, as `in_flight`. """
    scheduled: int | None | Unset = UNSET
    """ Messages not due yet, as `delayed`. """
    reserved: int | None | Unset = UNSET
    """ Always 0: nothing is reserved before it is worked on. Null while counts are missing. """
    pending_tasks: int | None | Unset = UNSET
    """ Accepted tasks that have not ended; at most 10,000 are counted. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.dead_letter_state import DeadLetterState  # noqa: PLC0415
        from ..models.queue_state import QueueState  # noqa: PLC0415

        inference = self.inference.to_dict()

        dead_letters = self.dead_letters.to_dict()

        active: int | None | Unset
        if isinstance(self.active, Unset):
            active = UNSET
        else:
            active = self.active

        scheduled: int | None | Unset
        if isinstance(self.scheduled, Unset):
            scheduled = UNSET
        else:
            scheduled = self.scheduled

        reserved: int | None | Unset
        if isinstance(self.reserved, Unset):
            reserved = UNSET
        else:
            reserved = self.reserved

        pending_tasks: int | None | Unset
        if isinstance(self.pending_tasks, Unset):
            pending_tasks = UNSET
        else:
            pending_tasks = self.pending_tasks

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "inference": inference,
                "dead_letters": dead_letters,
            }
        )
        if active is not UNSET:
            field_dict["active"] = active
        if scheduled is not UNSET:
            field_dict["scheduled"] = scheduled
        if reserved is not UNSET:
            field_dict["reserved"] = reserved
        if pending_tasks is not UNSET:
            field_dict["pending_tasks"] = pending_tasks

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.dead_letter_state import DeadLetterState  # noqa: PLC0415
        from ..models.queue_state import QueueState  # noqa: PLC0415

        d = dict(src_dict)
        inference = QueueState.from_dict(d.pop("inference"))

        dead_letters = DeadLetterState.from_dict(d.pop("dead_letters"))

        def _parse_active(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        active = _parse_active(d.pop("active", UNSET))

        def _parse_scheduled(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        scheduled = _parse_scheduled(d.pop("scheduled", UNSET))

        def _parse_reserved(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        reserved = _parse_reserved(d.pop("reserved", UNSET))

        def _parse_pending_tasks(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        pending_tasks = _parse_pending_tasks(d.pop("pending_tasks", UNSET))

        queues_response = cls(
            inference=inference,
            dead_letters=dead_letters,
            active=active,
            scheduled=scheduled,
            reserved=reserved,
            pending_tasks=pending_tasks,
        )

        queues_response.additional_properties = d
        return queues_response

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
