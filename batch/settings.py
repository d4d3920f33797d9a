"""Settings of the batch functions; the only reader of their environment."""

from pydantic import Field

from chalicelib.settings import Settings


class BatchSettings(Settings):
    """What a batch function knows beside what the serving functions know."""

    mlflow_tracking_uri: str = Field(default="", description="Base URL of the MLflow server that sync_models mirrors.")
    mlflow_token_secret_id: str = Field(
        default="", description="Secrets Manager id of the MLflow server's bearer token; empty without one."
    )
    odds_provider: str = Field(
        default="s3",
        pattern="^(fonbet|the_odds_api|s3)$",
        description="Where odds come from: fonbet, the_odds_api, s3.",
    )
    odds_api_key_secret_id: str = Field(
        default="", description="Secrets Manager id of The Odds API's key; empty where none is needed."
    )
    fonbet_base_url: str = Field(
        default="", description="Base URL of the Fonbet line service; empty for the usual one."
    )
    kept_releases: int = Field(default=14, ge=1, description="Releases kept readable behind the current one.")
