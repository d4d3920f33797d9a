"""API keys: who may call which route. Keys live in Secrets Manager and are rotated without a deploy.

The secret is JSON, `{"client": ["…"], "operator": ["…"]}`; during a rotation a list holds the old and the new key.
"""

import hmac
import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.endpoints import Access
from chalicelib.errors import KeysUnavailable, MissingKey, WrongLevel
from chalicelib.storage.aws_http import AwsUnreachable, SecretRefused, SecretsReader

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

logger = logging.getLogger(__name__)

MAX_KEY_LENGTH: Final = 512

Keys = Mapping[Access, tuple[str, ...]]


def level_of(presented: str | None, keys: Keys) -> Access:
    """The highest level that a presented key has; PUBLIC for none or an unknown one.

    Every configured key is compared, each in constant time, so that the time taken tells nothing about them.
    """
    level = Access.PUBLIC
    if presented is None or len(presented) > MAX_KEY_LENGTH:
        return level
    # A header that is no text at all must not become an error of ours.
    offered = presented.encode("utf-8", "replace")
    for granted, configured in keys.items():
        for key in configured:
            if hmac.compare_digest(offered, key.encode()):
                level = max(level, granted)
    return level


class KeyRing:
    """The configured keys, read once and again every `check_seconds`; the last good ones while Secrets Manager fails.

    Args:
        client: Secrets Manager client, or what reads secrets in its place.
        secret_id: Name or ARN of the secret.
        check_seconds: How long the keys are trusted.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        client: "SecretsManagerClient | SecretsReader",
        secret_id: str,
        check_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._check_seconds = check_seconds
        self._clock = clock
        self._keys: Keys | None = None
        self._checked_at = float("-inf")

    def keys(self) -> Keys:
        """The keys of each level.

        Raises:
            KeysUnavailable: they could never be read.
        """
        now = self._clock()
        if self._keys is None or now - self._checked_at >= self._check_seconds:
            try:
                self._keys = _parse(self._client.get_secret_value(SecretId=self._secret_id)["SecretString"])
            except (
                *(ClientError, BotoCoreError, AwsUnreachable, SecretRefused),
                *(ValueError, KeyError, TypeError),
            ) as error:
                # Never the error's text: it may quote the secret.
                if self._keys is None:
                    raise KeysUnavailable(f"the API keys cannot be read: {type(error).__name__}") from None
                logger.warning("API keys unreadable, keeping the last good ones: %s", type(error).__name__)
            self._checked_at = now
        return self._keys

    def admit(self, presented: str | None, needed: Access) -> None:
        """Let pass or raise.

        Raises:
            MissingKey: no key, or none of ours.
            WrongLevel: a key whose level does not reach.
            KeysUnavailable: the keys could never be read.
        """
        if needed is Access.PUBLIC:
            return
        level = level_of(presented, self.keys())
        if level is Access.PUBLIC:
            raise MissingKey("a valid X-API-Key header is needed")
        if level < needed:
            raise WrongLevel("this key's level does not reach this route")


def _parse(secret: str) -> Keys:
    raw = json.loads(secret)
    keys = {level: tuple(raw.get(level.name.lower(), ())) for level in (Access.CLIENT, Access.OPERATOR)}
    if not all(isinstance(key, str) and key for configured in keys.values() for key in configured):
        raise ValueError("keys must be non-empty strings")
    return keys
