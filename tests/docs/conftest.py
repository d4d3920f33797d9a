"""Fixtures that the handlers' tests have too."""

from tests.handlers.conftest import aws, objects

__all__ = ["aws", "objects"]
