"""Fixtures that the handlers' tests have too."""

from tests.handlers.conftest import aws, environment, in_memory, objects

__all__ = ["aws", "environment", "in_memory", "objects"]
