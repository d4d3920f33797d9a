"""Client of the soccer-predictions HTTP API.

    from soccer_predictions import SoccerPredictions

    with SoccerPredictions("https://api.example.org/prod", api_key="...") as client:
        for card in client.cards(region="Spain", status="upcoming"):
            print(card.home_team, card.away_team, card.proba_home)

`AsyncSoccerPredictions` has the same methods for `async` code.
"""

from soccer_predictions.aio import AsyncSoccerPredictions
from soccer_predictions.client import SoccerPredictions
from soccer_predictions.errors import (
    AccessDenied,
    ApiError,
    Conflict,
    InvalidRequest,
    NotFound,
    ServiceUnavailable,
    TaskFailed,
    TaskTimeout,
    TooManyRequests,
)

__all__ = [
    "AccessDenied",
    "ApiError",
    "AsyncSoccerPredictions",
    "Conflict",
    "InvalidRequest",
    "NotFound",
    "ServiceUnavailable",
    "SoccerPredictions",
    "TaskFailed",
    "TaskTimeout",
    "TooManyRequests",
]
