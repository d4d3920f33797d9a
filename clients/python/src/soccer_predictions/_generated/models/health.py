from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.health_status import check_health_status
from ..models.health_status import HealthStatus
from typing import cast

if TYPE_CHECKING:
    from ..models.health_checks import HealthChecks


T = TypeVar("T", bound="Health")


@_attrs_define
class Health:
    """Liveness or readiness, and the state of each dependency: `ok` or the code of its error."""

    status: HealthStatus
    worker_id: str
    memory_usage_mb: float
    """ Resident memory of the answering process. """
    checks: HealthChecks
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.health_checks import HealthChecks  # noqa: PLC0415

        status: str = self.status

        worker_id = self.worker_id

        memory_usage_mb = self.memory_usage_mb

        checks = self.checks.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "status": status,
                "worker_id": worker_id,
                "memory_usage_mb": memory_usage_mb,
                "checks": checks,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.health_checks import HealthChecks  # noqa: PLC0415

        d = dict(src_dict)
        status = check_health_status(d.pop("status"))

        worker_id = d.pop("worker_id")

        memory_usage_mb = d.pop("memory_usage_mb")

        checks = HealthChecks.from_dict(d.pop("checks"))

        health = cls(
            status=status,
            worker_id=worker_id,
            memory_usage_mb=memory_usage_mb,
            checks=checks,
        )

        health.additional_properties = d
        return health

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
