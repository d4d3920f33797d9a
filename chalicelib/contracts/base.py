"""Shared by the models: field types, the base class, examples for the OpenAPI document."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError


def _integral(value: Any) -> Any:
    """1.0 is an integer in JSON (and in JSON Schema), 1.5 is not."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


MatchId = Annotated[
    int,
    Field(strict=True, ge=1, le=2**53 - 1, description="Identifier of the match.", examples=[99]),
    # last, so that the schema shows the limits above as its own keywords
    BeforeValidator(_integral),
]
# Strict: a string or a boolean is not a number. Integers are accepted and become doubles, as LightGBM takes them.
FeatureValue = Annotated[float, Field(strict=True, allow_inf_nan=False)] | None
Features = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=200)], FeatureValue],
    Field(
        max_length=1_000,
        description="Feature values by name, as the model's signature lists them (`GET /predict/model/info`).",
        examples=[{"diff_win_5_mean": 0.3, "diff_goals_for_3_mean": 0.6, "home_elo_pre": 1520.0, "sex": 0}],
    ),
]


def _sex_in_range(features: dict[str, float | None]) -> dict[str, float | None]:
    if features.get("sex") not in {None, 0, 1}:
        raise PydanticCustomError("sex_range", "should be 0 (men) or 1 (women)", {"inside": ["sex"]})
    return features


# Checked where callers send them; a message that was queued once stays readable.
RequestFeatures = Annotated[Features, AfterValidator(_sex_in_range)]
Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""ISO-8601 in UTC, with `Z`."""
Probability = Annotated[float, Field(ge=0, le=1)]
OutcomeLabel = Literal["home", "draw", "away"]
MatchStatus = Literal["upcoming", "live", "finished"]


class Frozen(BaseModel):
    """Base of the models; instances cannot change."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())


def with_example(**example: Any) -> ConfigDict:
    """Settings of a model, with an example of it for the OpenAPI document."""
    return ConfigDict(frozen=True, protected_namespaces=(), json_schema_extra={"examples": [example]})
