"""Fixtures that the handlers' tests have too."""

from tests.handlers.conftest import aws, in_memory, objects

__all__ = ["aws", "in_memory", "objects"]
