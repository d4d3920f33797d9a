"""The API keys in Secrets Manager: JSON with a list of valid keys per access level.

`python -m infra.ops.api_keys <secret id>` (`make rotate-keys`) adds a new key of each level in front.
"""

import argparse
import json
import secrets
import sys
from dataclasses import dataclass
from typing import Any, Final

import boto3

LEVELS: Final = ("client", "operator")
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """The newest valid key of each level."""

    client: str
    operator: str


def ensure_keys(secretsmanager: Any, secret_id: str) -> ApiKeys:
    """Generate missing keys; existing keys are never changed.

    Args:
        secretsmanager: A boto3 client.
        secret_id: The stack's secret.
    """
    document = json.loads(secretsmanager.get_secret_value(SecretId=secret_id)["SecretString"])
    keys = {level: list(document.get(level) or []) for level in LEVELS}
    if not all(keys.values()):
        keys = {level: existing or [secrets.token_urlsafe(_KEY_BYTES)] for level, existing in keys.items()}
        secretsmanager.put_secret_value(SecretId=secret_id, SecretString=json.dumps(keys))
    return ApiKeys(client=keys["client"][0], operator=keys["operator"][0])


def rotate_keys(secretsmanager: Any, secret_id: str) -> ApiKeys:
    """Add a new key of each level and keep the previous one valid, so that callers can move over.

    Rotating a second time drops the oldest.
    """
    document = json.loads(secretsmanager.get_secret_value(SecretId=secret_id)["SecretString"])
    keys = {level: [secrets.token_urlsafe(_KEY_BYTES), *list(document.get(level) or [])[:1]] for level in LEVELS}
    secretsmanager.put_secret_value(SecretId=secret_id, SecretString=json.dumps(keys))
    return ApiKeys(client=keys["client"][0], operator=keys["operator"][0])


def main(arguments: list[str] | None = None) -> int:
    """Rotate a stack's keys; the keys themselves are not printed."""
    parser = argparse.ArgumentParser(prog="python -m infra.ops.api_keys", description=main.__doc__)
    parser.add_argument("secret", help="the stack's secret, such as soccer-prod/api-keys")
    secret: str = parser.parse_args(arguments).secret
    rotate_keys(boto3.client("secretsmanager"), secret)
    print(f"{secret}: a new key of each level is first; the previous one stays valid until the next rotation")
    print(f"read it with: aws secretsmanager get-secret-value --secret-id {secret}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
