"""A served model takes features by name."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain import Stage
from chalicelib.errors import (
    FeaturesRejected,
)
from chalicelib.models.store import ModelStore
from tests.support.builders import mirror_model
from tests.support.fakes import InMemoryObjectStore, InMemoryQueue, InMemoryTaskStore

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
FEATURES: dict[str, float | None] = {"diff_elo": 80.0, "home_rest_days": 6.0, "sex": 0}


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def tasks() -> InMemoryTaskStore:
    return InMemoryTaskStore()


@pytest.fixture
def queue() -> InMemoryQueue:
    return InMemoryQueue()


@pytest.fixture
def objects() -> InMemoryObjectStore:
    """A bucket with a champion."""
    store = InMemoryObjectStore()
    mirror_model(store)
    return store


@pytest.fixture
def models(objects: InMemoryObjectStore) -> ModelStore:
    return ModelStore(objects, 0)


def test_rejected_features_say_which(models: ModelStore) -> None:
    with pytest.raises(FeaturesRejected, match="diff_elo"):
        models.current(Stage.CHAMPION).row({"sex": 0})
