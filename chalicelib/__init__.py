"""The serving code of the soccer-prediction API; imports nothing from batch or infra."""

from typing import Final

NAME: Final = "soccer-predictions"
"""The service's name: of the Chalice app, in tags, logs and metrics."""

VERSION: Final = "1.0.0"
"""The API's version; CHANGELOG.md says what changed in it."""
