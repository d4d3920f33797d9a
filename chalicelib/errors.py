"""One class per failure, under three parents that say what the caller can do.

ServiceError
├── InternalError       a defect in the service
├── NotFound            the resource does not exist; asking again changes nothing
│   ├── MatchNotFound
│   ├── PredictionNotFound
│   ├── TaskNotFound
│   └── CursorExpired
├── Rejected            the request can never succeed as it is
│   ├── InvalidRequest
│   ├── FeaturesRejected
│   ├── BodyTooLarge
│   ├── UnsupportedMediaType
│   ├── MethodNotAllowed
│   ├── InvalidCursor
│   ├── InvalidMatches      (batch: a raw file whose columns do not follow the schema)
│   ├── ReleaseRefused      (batch: a rebuild that is empty or lost most of its rows)
│   ├── ReleaseTooLarge     (batch: a release's files do not fit on disk)
│   ├── InvalidModel        (a model that cannot be served: damaged, or contradicting its signature)
│   ├── InvalidSettings     (settings that cannot work together)
│   └── IdempotencyConflict
├── AccessDenied        the caller is not allowed to
│   ├── MissingKey
│   └── WrongLevel
├── Throttled           too many requests; the same request may succeed later
│   ├── KeyThrottled
│   ├── TooManyWrongKeys
│   └── BacklogFull
└── Retryable           a dependency or a data set is not available; the same request may succeed later
    ├── ModelUnavailable
    ├── ReleaseUnavailable
    ├── DatasetUnavailable
    ├── ReleaseDamaged
    ├── DriftReportUnreadable
    ├── TaskStoreUnavailable
    ├── QueueUnavailable
    ├── WorkersUnavailable
    ├── RegistryUnavailable
    ├── KeysUnavailable
    ├── ProviderUnavailable (batch: an odds provider did not answer usefully)
    └── DeadlineExceeded

This module knows neither HTTP nor SQS: `api.failures` maps the parents to status codes, the queue
handlers map the same parents to acknowledge or retry. `code` is part of the API (docs/api.md lists the codes
that callers can see): never reuse or rename one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


class ServiceError(Exception):
    """Parent of every named failure of the service.

    Args:
        message: What went wrong, safe to show to the caller.
        details: Each fault with `loc`, `msg` and `type`, as Pydantic lists them.
    """

    code: ClassVar[str] = "service_error"

    def __init__(self, message: str, details: list[Mapping[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or []


class InternalError(ServiceError):
    """A defect in the service; details are only in the logs."""

    code = "internal_error"


class NotFound(ServiceError):
    """The requested resource does not exist."""

    code = "not_found"


class MatchNotFound(NotFound):
    """The match is not in the current data release."""

    code = "match_not_found"

    def __init__(self, match_id: int) -> None:
        super().__init__(f"match {match_id} is not in the current data release")


class PredictionNotFound(NotFound):
    """No precomputed prediction for the match in the current data release."""

    code = "prediction_not_found"

    def __init__(self, match_id: int) -> None:
        super().__init__(f"no precomputed prediction for match {match_id}")


class TaskNotFound(NotFound):
    """The task id was never issued or is past its retention."""

    code = "task_not_found"

    def __init__(self, task_id: str) -> None:
        super().__init__(f"task {task_id} was never issued or is past its retention")


class CursorExpired(NotFound):
    """The data release that a cursor points into has been deleted."""

    code = "cursor_expired"

    def __init__(self) -> None:
        super().__init__("the data release that this listing began in has been deleted; start again without `cursor`")


class Rejected(ServiceError):
    """The request can never succeed as it is."""

    code = "rejected"


class InvalidRequest(Rejected):
    """The request contradicts the OpenAPI document.

    Args:
        details: Each fault with its place.
    """

    code = "invalid_request"

    def __init__(self, details: list[Mapping[str, Any]] | list[dict[str, Any]]) -> None:
        super().__init__("the request is not valid", list(details))


class FeaturesRejected(Rejected):
    """The features contradict the model's signature."""

    code = "features_rejected"


class BodyTooLarge(Rejected):
    """The request body is larger than the service accepts."""

    code = "body_too_large"


class UnsupportedMediaType(Rejected):
    """The request body is not JSON."""

    code = "unsupported_media_type"


class MethodNotAllowed(Rejected):
    """The path exists, but not with this method.

    Args:
        allowed: The methods it has, separated by commas.
    """

    code = "method_not_allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"this path accepts {allowed} only")
        self.allowed = allowed


class InvalidCursor(Rejected):
    """The cursor was not issued by this service for this listing."""

    code = "invalid_cursor"

    def __init__(self, message: str) -> None:
        super().__init__(message, [{"loc": ["query", "cursor"], "msg": message, "type": self.code}])


class InvalidMatches(Rejected):
    """A raw-matches file cannot be read or does not follow the schema."""

    code = "invalid_matches"


class ReleaseRefused(Rejected):
    """A rebuild would publish nothing, or less than half of the previous release."""

    code = "release_refused"


class ReleaseTooLarge(Rejected):
    """The files of a data release do not fit on disk."""

    code = "release_too_large"


class InvalidModel(Rejected):
    """A model cannot be served: its file is damaged, or contradicts its signature or its probabilities at training."""

    code = "invalid_model"


class InvalidSettings(Rejected):
    """The function's settings cannot work together."""

    code = "invalid_settings"


class IdempotencyConflict(Rejected):
    """The idempotency key was used before with another request: another body or another stage."""

    code = "idempotency_conflict"


class AccessDenied(ServiceError):
    """The caller is not allowed to do this."""

    code = "access_denied"


class MissingKey(AccessDenied):
    """No valid API key came with the request."""

    code = "missing_key"


class WrongLevel(AccessDenied):
    """The key is valid but its level does not allow this operation."""

    code = "wrong_level"


class Throttled(ServiceError):
    """Too many requests; the same request may succeed later."""

    code = "throttled"


@dataclass(frozen=True, slots=True)
class Allowance:
    """The state of a quota.

    Args:
        quota: Requests that may be made at once.
        window_seconds: Whole seconds in which the quota is fully restored.
        remaining: Requests that may be made now.
        reset_seconds: Whole seconds until the quota is restored or, with none left, until the next request is allowed.
    """

    quota: int
    window_seconds: int
    remaining: int
    reset_seconds: int


class KeyThrottled(Throttled):
    """An API key sends requests faster than allowed.

    Args:
        allowance: The key's exhausted quota.
    """

    code = "key_throttled"

    def __init__(self, allowance: Allowance) -> None:
        super().__init__("too many requests with this API key")
        self.allowance = allowance


class TooManyWrongKeys(Throttled):
    """An address sent too many wrong API keys; its keys are not checked for a while.

    Args:
        seconds: Whole seconds until keys are checked again.
    """

    code = "too_many_wrong_keys"

    def __init__(self, seconds: int) -> None:
        super().__init__("too many wrong API keys from this address")
        self.seconds = seconds


class BacklogFull(Throttled):
    """More predictions are queued than the configured backlog."""

    code = "backlog_full"


class Retryable(ServiceError):
    """Something this request depends on is not available; the same request may succeed later."""

    code = "unavailable"


class ModelUnavailable(Retryable):
    """No model is mirrored for the stage, or none could be read yet."""

    code = "model_unavailable"


class ReleaseUnavailable(Retryable):
    """No data release has been published yet."""

    code = "release_unavailable"


class DatasetUnavailable(Retryable):
    """The current data release does not have this data set yet."""

    code = "dataset_unavailable"


class ReleaseDamaged(Retryable):
    """A file of the data release differs from what was published."""

    code = "release_damaged"


class DriftReportUnreadable(Retryable):
    """The latest drift report is malformed; the next run writes another."""

    code = "drift_report_unreadable"


class TaskStoreUnavailable(Retryable):
    """The task table cannot be reached."""

    code = "task_store_unavailable"


class QueueUnavailable(Retryable):
    """The inference queue cannot be reached."""

    code = "queue_unavailable"


class WorkersUnavailable(Retryable):
    """Lambda does not describe the inference function."""

    code = "workers_unavailable"


class RegistryUnavailable(Retryable):
    """The MLflow model registry cannot be reached."""

    code = "registry_unavailable"


class KeysUnavailable(Retryable):
    """The API keys cannot be read from Secrets Manager."""

    code = "keys_unavailable"


class ProviderUnavailable(Retryable):
    """An odds provider did not give a usable answer."""

    code = "provider_unavailable"


class DeadlineExceeded(Retryable):
    """The work did not finish within the function's own time limit."""

    code = "deadline_exceeded"
