"""Settings of the batch functions; the only reader of their environment."""

from typing import Literal

from pydantic import Field

from chalicelib.settings import Settings


class BatchSettings(Settings):
    """Settings of a batch function, beyond those of the serving functions."""

    mlflow_tracking_uri: str = Field(
        default="",
        description="URL (or SageMaker ARN) of the MLflow server that is mirrored and gets run logs; empty: none, "
        "models come by batch.promote --bucket.",
    )
    mlflow_auth: Literal["none", "basic", "bearer", "sigv4"] = Field(
        default="none",
        description="How requests to the MLflow server prove who sends them; basic and bearer need a secret, sigv4 the "
        "ARN of a SageMaker tracking server as tracking URI.",
    )
    mlflow_secret_id: str = Field(
        default="",
        description="Secrets Manager id of the MLflow server's user:password (basic) or token (bearer).",
    )
    mlflow_ui_url: str = Field(
        default="",
        description="Base URL at which people open the MLflow server's pages, for links to runs; empty: no link. "
        "Everybody can read it.",
    )
    odds_provider: Literal["fonbet", "the_odds_api", "s3"] = Field(default="s3", description="Where odds come from.")
    odds_api_key_secret_id: str = Field(
        default="", description="Secrets Manager id of The Odds API's key; empty where none is needed."
    )
    odds_api_sports: str = Field(
        default="soccer_epl,soccer_spain_la_liga", description="Sport keys asked of The Odds API, separated by commas."
    )
    fonbet_base_url: str = Field(default="", description="Base URL of the Fonbet line service; empty: the usual one.")
    fonbet_scope_market: int = Field(default=1600, ge=1, description="Fonbet's scopeMarket; differs by brand.")
    odds_replay_ahead_days: int = Field(
        default=0, ge=0, le=60, description="Days beyond as_of from which a replay shows odds of matches to come."
    )
    export_from_backup: bool = Field(
        default=False,
        description="Whether DynamoDB exports a table from its point-in-time backup, as JSON files, instead of a scan.",
    )
    kept_rebuilds: int = Field(default=14, ge=1, description="Rebuilds that stay readable behind the current one.")
    kept_hours: float = Field(
        default=24,
        ge=1,
        description="Hours for which a replaced release stays readable with all the odds it had: for open listings.",
    )
