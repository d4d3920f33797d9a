"""The demo's calls: one of each kind over HTTP, with request and answer printed."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import requests

from infra.ops.api_keys import ApiKeys

_SHOWN_CHARACTERS: Final = 700
_TASK_SECONDS: Final = 30.0
_TIMEOUT_SECONDS: Final = 35.0


@dataclass(frozen=True, slots=True)
class Call:
    """One call and its expected status.

    Args:
        title: Its title.
        method: HTTP method.
        path: Path below the base URL, with its query.
        body: JSON body, or None.
        key: API key to send, or None.
        expected: Status.
    """

    title: str
    method: str
    path: str
    body: Mapping[str, Any] | None = None
    key: str | None = None
    expected: int = 200


def _shortened(text: str, content_type: str) -> str:
    if "json" in content_type:
        try:
            value = json.loads(text)
        except ValueError:
            return text[:_SHOWN_CHARACTERS]
        suffix = ""
        if isinstance(value, list) and len(value) > 1:
            suffix, value = f"\n... and {len(value) - 1} more", value[:1]
        text = json.dumps(value, indent=1, ensure_ascii=False) + suffix
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]} ..."


def make_call(base_url: str, call: Call) -> tuple[bool, Any]:
    """Make a call, print it and its answer.

    Returns:
        Whether it answered the expected status, and the parsed JSON body (None if it is not JSON).
    """
    headers = {"X-API-Key": call.key} if call.key else {}
    print(f"\n── {call.title}\n> {call.method} {call.path}")
    if call.body is not None:
        print(f"> {json.dumps(call.body)[:_SHOWN_CHARACTERS]}")
    started = time.monotonic()
    try:
        response = requests.request(
            call.method, base_url + call.path, json=call.body, headers=headers, timeout=_TIMEOUT_SECONDS
        )
    except requests.RequestException as error:
        print(f"< no answer: {error}")
        return False, None
    elapsed = (time.monotonic() - started) * 1000
    good = response.status_code == call.expected
    print(f"< {response.status_code} in {elapsed:.0f} ms{'' if good else f'   EXPECTED {call.expected}'}")
    print(_shortened(response.text, response.headers.get("content-type", "")))
    try:
        return good, response.json()
    except ValueError:
        return good, None


def _await_task(base_url: str, status_url: str) -> bool:
    """Poll an asynchronous task until it is done, then show it."""
    deadline = time.monotonic() + _TASK_SECONDS
    while time.monotonic() < deadline:
        response = requests.get(base_url + status_url, timeout=_TIMEOUT_SECONDS)
        if response.status_code == 200 and response.json().get("status") in {"success", "failed"}:  # noqa: PLR2004
            break
        time.sleep(0.2)
    good, body = make_call(base_url, Call("the asynchronous prediction's result", "GET", status_url))
    return good and isinstance(body, dict) and body.get("status") == "success"


def run(base_url: str, keys: ApiKeys) -> int:
    """Make one call of each kind.

    Args:
        base_url: The API, without trailing slash.
        keys: Keys of both levels.

    Returns:
        Number of calls with an unexpected answer.
    """
    results: list[bool] = []

    def show(call: Call) -> Any:
        good, body = make_call(base_url, call)
        results.append(good)
        return body

    def show_all(calls: Iterable[Call]) -> None:
        for call in calls:
            show(call)

    show(Call("is it alive?", "GET", "/healthcheck/"))
    show(Call("which model is served", "GET", "/predict/model/info"))
    matches = show(Call("upcoming matches", "GET", "/predict/matches/?" + urlencode({"limit": 3})))
    if not isinstance(matches, list) or not matches:
        print("\nno upcoming matches, so nothing to predict")
        return len(results) + 1 - sum(results)
    match_id = matches[0]["match_id"]
    show(
        Call(
            "live prediction of a match, features from the batch release",
            "GET",
            f"/predict/{match_id}",
            key=keys.client,
        )
    )
    show(Call("the same match, precomputed", "GET", f"/predict/precomputed/{match_id}"))
    explained = show(
        Call("the same with what each feature contributed", "GET", f"/predict/{match_id}?explain=true", key=keys.client)
    )
    contributions = explained.get("contributions", []) if isinstance(explained, dict) else []
    features = {contribution["feature"]: contribution["value"] for contribution in contributions}
    body = {"match_id": match_id, "features": features}
    show(Call("prediction from features in the body", "POST", "/predict/", body, keys.client))
    task = show(Call("asynchronous prediction", "POST", "/predict/async/", {"match_id": match_id}, keys.client, 202))
    if isinstance(task, dict) and "status_url" in task:
        results.append(_await_task(base_url, task["status_url"]))
    show_all(
        [
            Call("bookmaker odds", "GET", "/predict/odds/?limit=2"),
            Call("predictions merged with odds: the board's data", "GET", "/predict/cards/?limit=2"),
            Call("value-bet return by region", "GET", "/predict/region-roi/"),
            Call("feature drift", "GET", "/monitoring/drift", key=keys.operator),
            Call("queues", "GET", "/monitoring/queues", key=keys.operator),
            Call("an operator route without a key", "GET", "/monitoring/queues", expected=401),
            Call("a match that does not exist", "GET", "/predict/precomputed/1", expected=404),
            Call("a path that does not exist", "POST", "/predict/batch", expected=404),
        ]
    )
    return len(results) - sum(results)
