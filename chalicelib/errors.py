"""One class per failure, under three parents that say what the caller can do.

ServiceError
├── NotFound            the thing is not there; asking again changes nothing
│   ├── MatchNotFound
│   ├── PredictionNotFound
│   └── TaskNotFound
├── Rejected            the request can never succeed as it is
│   ├── FeaturesRejected
│   ├── BodyTooLarge
│   ├── UnsupportedMediaType
│   ├── MethodNotAllowed
│   ├── InvalidCursor
│   ├── InvalidMatches      (batch: a raw file whose columns do not follow the schema)
│   ├── InvalidModel        (a model file that contradicts its own signature)
│   └── IdempotencyConflict
├── AccessDenied        the caller may not
│   ├── MissingKey
│   └── WrongLevel
├── Throttled           too much at once; the same request may succeed later
│   ├── KeyThrottled
│   └── BacklogFull
└── Retryable           a dependency or a data set is not there yet; the same request may succeed later
    ├── ModelUnavailable
    ├── ReleaseUnavailable
    ├── DatasetUnavailable
    ├── DriftReportUnreadable
    ├── TaskStoreUnavailable
    ├── QueueUnavailable
    ├── WorkersUnavailable
    ├── RegistryUnavailable
    ├── KeysUnavailable
    ├── ProviderUnavailable (batch: an odds provider did not answer usefully)
    └── DeadlineExceeded

This module knows neither HTTP nor SQS: `gateway` maps the parents to status codes, the queue
handlers map the same parents to acknowledge or retry.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class ServiceError(Exception):
    """Parent of every failure this service names.

    Args:
        message: What went wrong, fit to show to the caller.
        details: Structured facts, each with `loc`, `msg` and `type`, as Pydantic lists them.
    """

    code: ClassVar[str] = "service_error"

    def __init__(self, message: str, details: list[Mapping[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or []


class NotFound(ServiceError):
    """The thing asked for does not exist."""

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
        super().__init__(f"task {task_id} was never issued or is past its retention of 24 hours")


class Rejected(ServiceError):
    """The request can never succeed as it is."""

    code = "rejected"


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
        super().__init__(f"this path answers {allowed} only")
        self.allowed = allowed


class InvalidCursor(Rejected):
    """The cursor was not issued by this service for this listing."""

    code = "invalid_cursor"


class InvalidMatches(Rejected):
    """A raw-matches file cannot be read or does not follow the schema."""

    code = "invalid_matches"


class InvalidModel(Rejected):
    """A model's file and its recorded signature contradict each other."""

    code = "invalid_model"


class IdempotencyConflict(Rejected):
    """The idempotency key was used before with another body."""

    code = "idempotency_conflict"


class AccessDenied(ServiceError):
    """The caller may not do this."""

    code = "access_denied"


class MissingKey(AccessDenied):
    """No valid API key came with the request."""

    code = "missing_key"


class WrongLevel(AccessDenied):
    """The key is valid but its level does not reach this route."""

    code = "wrong_level"


class Throttled(ServiceError):
    """Too much at once; the same request may succeed later."""

    code = "throttled"


class KeyThrottled(Throttled):
    """One API key asks faster than it may.

    Args:
        seconds: Whole seconds until it may ask again.
    """

    code = "key_throttled"

    def __init__(self, seconds: int) -> None:
        super().__init__("this API key asks too often")
        self.seconds = seconds


class BacklogFull(Throttled):
    """The inference queue holds more than the configured backlog."""

    code = "backlog_full"


class Retryable(ServiceError):
    """Something this request needs is not there now; the same request may succeed later."""

    code = "unavailable"


class ModelUnavailable(Retryable):
    """No model is mirrored for the stage, or none could be read yet."""

    code = "model_unavailable"


class ReleaseUnavailable(Retryable):
    """No data release has been published yet."""

    code = "release_unavailable"


class DatasetUnavailable(Retryable):
    """The current data release does not carry this data set yet."""

    code = "dataset_unavailable"


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
    """Lambda does not tell about the inference function."""

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
