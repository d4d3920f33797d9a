"""Fixtures that the handlers' tests have too."""

from tests.handlers.conftest import aws, environment, objects

__all__ = ["aws", "environment", "objects"]
