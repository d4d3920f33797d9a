from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.worker_state_ping import check_worker_state_ping
from ..models.worker_state_ping import WorkerStatePing
from typing import cast


T = TypeVar("T", bound="WorkerState")


@_attrs_define
class WorkerState:
    """The inference function: configuration, event source mapping and whether it answers."""

    name: str
    state: str
    """ As Lambda gives it (`Active`, `Pending`, `Failed`, ...); `Missing` without one. """
    last_update: None | str
    concurrency: int | None
    event_source_mapping: str
    """ As Lambda gives it (`Enabled`, `Disabled`, ...); else `missing`. """
    batch_size: int | None
    ping: WorkerStatePing
    """ `throttled`: all of its concurrency is in use. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        state = self.state

        last_update: None | str
        last_update = self.last_update

        concurrency: int | None
        concurrency = self.concurrency

        event_source_mapping = self.event_source_mapping

        batch_size: int | None
        batch_size = self.batch_size

        ping: str = self.ping

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "state": state,
                "last_update": last_update,
                "concurrency": concurrency,
                "event_source_mapping": event_source_mapping,
                "batch_size": batch_size,
                "ping": ping,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        state = d.pop("state")

        def _parse_last_update(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        last_update = _parse_last_update(d.pop("last_update"))

        def _parse_concurrency(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        concurrency = _parse_concurrency(d.pop("concurrency"))

        event_source_mapping = d.pop("event_source_mapping")

        def _parse_batch_size(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        batch_size = _parse_batch_size(d.pop("batch_size"))

        ping = check_worker_state_ping(d.pop("ping"))

        worker_state = cls(
            name=name,
            state=state,
            last_update=last_update,
            concurrency=concurrency,
            event_source_mapping=event_source_mapping,
            batch_size=batch_size,
            ping=ping,
        )

        worker_state.additional_properties = d
        return worker_state

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
