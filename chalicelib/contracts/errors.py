"""The body of every error."""

from typing import Any

from pydantic import ConfigDict, Field

from chalicelib.contracts.base import Frozen


class Fault(Frozen):
    """What is wrong at one place of the request, as Pydantic gives it."""

    loc: list[str | int] = Field(description="Where: `body`, `query`, `path` or `header`, then the way to the value.")
    msg: str
    type: str


_EXAMPLE_FAULT: dict[str, Any] = {"loc": ["body", "match_id"], "msg": "Field required", "type": "missing"}


class ErrorResponse(Frozen):
    """Every error."""

    model_config = ConfigDict(
        frozen=True,
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {
                    "statusCode": 422,
                    "message": "the request is not valid",
                    "code": "invalid_request",
                    "detail": [_EXAMPLE_FAULT],
                    "details": [_EXAMPLE_FAULT],
                }
            ]
        },
    )

    status_code: int = Field(alias="statusCode", examples=[404])
    message: str = Field(description="For people; its words may change.")
    code: str = Field(description="For programs; docs/api.md lists the codes.", examples=["match_not_found"])
    detail: str | list[Fault] = Field(
        description="`details` where there are any, else `message`: where clients of the original system look."
    )
    details: list[Fault] = Field(
        default=[], description="Each fault of a request that is not valid; otherwise left out."
    )
