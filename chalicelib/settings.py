"""The frozen settings of a function, parsed from the variables that the stack sets; `wiring` passes the environment.

The runtime's own variables (`AWS_*`) are read where they are needed: they are not settings of the stack.
"""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1)]


class Settings(BaseModel):
    """Settings of a serving function.

    Each field is read from the environment variable of the same name in upper case. Defaults are defined
    here only: a stack parameter of a field's name takes its default, range and description from the field.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    data_bucket: Name = Field(description="Bucket of the model mirror, the data releases and the reports.")
    tasks_table: Name = Field(description="DynamoDB table of asynchronous tasks and idempotency keys.")
    inference_queue_url: Name = Field(description="SQS queue that the inference function drains.")
    dead_letter_queue_url: Name = Field(description="SQS queue of messages that failed too often.")
    inference_function: Name = Field(description="Name of the inference function, for the workers view.")
    api_keys_secret_id: Name = Field(
        description="Secrets Manager id of the API keys, JSON with lists client, operator."
    )
    client_key_required: bool = Field(
        default=True, description="Whether client routes demand an API key. Operator routes always do."
    )
    api_keys_check_seconds: float = Field(
        default=60,
        ge=0,
        description="Seconds that the API keys are kept in memory; a rotation takes at most this long.",
    )
    key_rate: float = Field(
        default=25,
        ge=0,
        description="Requests per second one API key may make in one sandbox in the long run, above it 429; "
        "0 does not throttle.",
    )
    key_burst: int = Field(default=100, ge=1, description="Requests that one API key may make in one sandbox at once.")
    model_check_seconds: float = Field(
        default=15, ge=0, description="Seconds between two looks at the model mirror; a promotion takes at most this."
    )
    release_check_seconds: float = Field(
        default=5, ge=0, description="Seconds between two looks at the data release pointer."
    )
    cdn: bool = Field(
        default=False,
        description="Whether a shared cache (CloudFront) may keep public answers for release_check_seconds.",
    )
    task_retention_seconds: int = Field(
        default=86_400, ge=60, description="Seconds that a task and its result, or an idempotency key, are kept."
    )
    max_backlog: int = Field(
        default=10_000,
        ge=1,
        description="Waiting messages beyond which new asynchronous requests are answered 429: tasks drained a second "
        "times the seconds that a caller may wait.",
    )
    max_queue_age_seconds: int = Field(
        default=86_400,
        ge=60,
        le=259_200,
        description="Seconds that a task may be pending; after that the sweep ends it as failed. "
        "At most task_retention_seconds.",
    )
    resend_after_seconds: float = Field(
        default=1_200,
        ge=1,
        description="Seconds after which the sweep sends a pending task again, then with waits twice as long each; "
        "more than the inference queue's visibility timeout times its maximum receive count.",
    )
    pending_shards: int = Field(
        default=4,
        ge=1,
        le=16,
        description="Shards of the index of pending tasks; each takes about 500 submissions a second. "
        "May be changed at any time.",
    )
    sends_per_sweep: int = Field(
        default=1_000,
        ge=1,
        description="Lost messages that one sweep sends again at most; what is left waits for the next one.",
    )
    max_body_bytes: int = Field(default=65_536, ge=1_024, description="Largest request body accepted, in bytes.")
    replay_as_of: str = Field(
        default="", description="ISO-8601 time that stands for now (the demo's replay clock); empty: the real clock."
    )
    direct_reads: bool = Field(
        default=True,
        description="Whether objects and API keys are read by requests signed here, which spares a cold start 0.2 s, "
        "instead of the SDK.",
    )
    metrics_namespace: Name = Field(default="SoccerPredictions", description="CloudWatch namespace of all metrics.")
    stack_name: str = Field(default="local", description="Name of the stack, for dashboards and logs.")
    board_origin: str = Field(
        default="",
        description="Origins whose pages may call besides the API's own, separated by commas: https://x.example.",
    )
    public_url: str = Field(
        default="",
        description="URL under which callers reach the API, for absolute links; empty: taken from each request.",
    )

    @property
    def allowed_origins(self) -> frozenset[str]:
        """The origins of `board_origin`."""
        return frozenset(origin for part in self.board_origin.split(",") if (origin := part.strip()))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read and check the settings.

        Raises:
            pydantic.ValidationError: a required variable is missing or a value is out of its range.
        """
        return cls.model_validate(
            {name: environment[name.upper()] for name in cls.model_fields if name.upper() in environment}
        )
