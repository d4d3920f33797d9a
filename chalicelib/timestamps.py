"""Instants; a time without a zone is UTC everywhere in this service."""

from datetime import UTC, datetime


def as_utc(moment: datetime) -> datetime:
    """The same instant in UTC; a time without a zone is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_utc(text: str) -> datetime:
    """The instant that an ISO-8601 text names; without a zone it is UTC.

    Raises:
        ValueError: it is not ISO-8601.
    """
    return as_utc(datetime.fromisoformat(text))


def iso_utc(moment: datetime) -> str:
    """The instant in the service's format: whole seconds, UTC, with a Z."""
    return as_utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")
