"""How a match's price moved, and the track record, as the functions answer."""

import json
from datetime import timedelta
from typing import Any

import apsw
import pandas as pd
import pytest

from batch.release import ReleaseWriter, publish_datasets
from chalicelib.releases.pointer import SERVING_ODDS
from chalicelib.storage.objects import ObjectStore, read
from tests.handlers.calling import call
from tests.support.builders import NOW, make_history, make_odds, make_predictions, make_track_record, publish

BEFORE = NOW - timedelta(days=1)


def odds(**changes: Any) -> pd.DataFrame:
    return make_odds([1]).assign(**changes)


def seen(body: dict[str, Any]) -> list[tuple[str, float]]:
    return [(row["collected_at"], row["odds_home"]) for row in body["snapshots"]]


def test_the_prices_come_in_order_of_time_with_the_one_of_the_odds_among_them(objects: ObjectStore) -> None:
    history = make_history(1, ("2024-04-28T09:00:00Z", 2.0), ("2024-04-30T09:00:00Z", 2.2))
    publish(objects, odds=odds(), history=history)
    status, body, headers = call("prices", match_id=1)
    assert (status, body["provider"], body["closing"]) == (200, "fonbet", None)
    # the last one is the price of the odds, seen again without a change
    assert seen(body) == [
        ("2024-04-28T09:00:00Z", 2.0),
        ("2024-04-30T09:00:00Z", 2.2),
        ("2024-05-01T12:00:00Z", 2.2),
    ]
    assert call("prices", headers={"If-None-Match": headers["etag"]}, match_id=1)[0] == 304


@pytest.mark.parametrize(("closing_at", "shown"), [(BEFORE, "2024-04-30T12:00:00Z"), (None, None)])
def test_the_closing_price_stands_by_itself(objects: ObjectStore, closing_at: Any, shown: str | None) -> None:
    closing = {
        "closing_home": 1.8,
        "closing_draw": 3.6,
        "closing_away": 5.0,
        "closing_at": pd.to_datetime([closing_at], utc=True),
    }
    publish(objects, odds=odds(**closing))
    body = call("prices", match_id=1)[1]
    assert body["closing"] == {
        "collected_at": shown, "odds_home": 1.8, "odds_draw": 3.6, "odds_away": 5.0, "bookmaker": None
    }  # fmt: skip
    assert seen(body) == [("2024-05-01T12:00:00Z", 2.2)]


def test_a_match_without_odds_has_no_snapshots_and_an_unknown_one_is_404(objects: ObjectStore) -> None:
    publish(objects, odds=odds())
    status, body, _ = call("prices", match_id=2)
    assert (status, body["provider"], body["snapshots"], body["closing"]) == (200, None, [], None)
    assert call("prices", match_id=999)[0] == 404


def test_a_release_of_an_earlier_version_shows_the_price_of_its_odds(objects: ObjectStore) -> None:
    pointer = publish(objects, odds=odds(), history=make_history(1, ("2024-04-28T09:00:00Z", 2.0)))
    file = apsw.Connection(":memory:")
    file.deserialize("main", read(objects, pointer.datasets[SERVING_ODDS].key).body)
    file.execute("DROP TABLE prices")
    later = NOW + timedelta(hours=1)
    entry = ReleaseWriter(objects, "earlier", later, later).write("odds.sqlite", file.serialize("main"), 1)
    publish_datasets(objects, pointer, {SERVING_ODDS: entry}, later)
    assert seen(call("prices", match_id=1)[1]) == [("2024-05-01T12:00:00Z", 2.2)]


def test_a_release_without_odds_knows_no_price(objects: ObjectStore) -> None:
    publish(objects)
    assert call("prices", match_id=1)[1]["snapshots"] == []


def test_the_track_record_is_the_releases_own(objects: ObjectStore) -> None:
    predictions = make_predictions(5)
    record = make_track_record(predictions, odds())
    publish(objects, predictions=predictions, odds=odds(), record=record)
    status, body, headers = call("track_record")
    assert (status, body) == (200, json.loads(json.dumps(record)))
    assert call("track_record", headers={"If-None-Match": headers["etag"]})[0] == 304


def test_a_release_without_a_track_record_is_503(objects: ObjectStore) -> None:
    publish(objects)
    assert call("track_record")[0] == 503
