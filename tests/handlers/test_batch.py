"""The batch functions on a bucket: rebuild, export, odds, drift."""

import io
import json
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import batch.sample
from batch import handlers
from batch.features import FEATURES
from batch.jobs import context
from batch.jobs import rebuild as rebuild_job
from batch.jobs import refresh_odds as refresh_job
from batch.jobs.datasets import frame_of, write_returns
from batch.odds.providers.base import MarketOdds, OddsSnapshot, in_order
from batch.refresh import returns
from batch.release import read_pointer
from chalicelib.domain import Stage
from chalicelib.errors import (
    InvalidMatches,
    ModelUnavailable,
    ProviderUnavailable,
    ReleaseRefused,
    ReleaseUnavailable,
)
from chalicelib.models.mirror import mirror_key
from chalicelib.storage.objects import ObjectStore
from infra.stack.functions import BY_NAME
from tests.handlers.calling import call
from tests.support.builders import Context, mirror_model

SAMPLE = Path(batch.sample.__file__).parent / "matches.parquet"

ROWS = [
    "match_id,kickoff,season,region,league,sex,home_team,away_team,home_goals,away_goals",
    "1,2024-04-01T14:00:00Z,2023/24,Nowhere,First,0,Reds,Blues,2,1",
    "2,2024-04-08T14:00:00Z,2023/24,Nowhere,First,0,Blues,Greens,0,0",
    "3,2024-05-08T14:00:00Z,2023/24,Nowhere,First,0,Greens,Reds,,",
]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    context.settings.cache_clear()
    rebuild_job.parsed_files.clear()


def put_matches(objects: ObjectStore, rows: list[str] = ROWS, name: str = "matches.csv") -> None:
    objects.put(f"raw/matches/{name}", "\n".join(rows).encode())


def served_model(objects: ObjectStore) -> None:
    """A champion that takes features which the batch computes."""
    features = [
        {"name": f.name, "type": f.type, "required": f.required}
        for f in FEATURES
        if f.name in ("diff_elo", "home_rest_days", "sex")
    ]
    mirror_model(objects, features=features)


def test_a_rebuild_publishes_features_and_predictions(objects: ObjectStore) -> None:
    put_matches(objects)
    served_model(objects)
    result = handlers.rebuild({}, Context())
    assert result["published"]
    assert result["rows"] == {"match_features": 3, "predictions": 3, "projections": 0}
    status, body, _ = call("matches")
    assert (status, [row["match_id"] for row in body]) == (200, [3])
    assert call("precomputed", match_id=1)[1]["outcome_1x2"] == "home"
    assert call("predict_match", match_id=3)[0] == 200


def test_the_same_input_and_as_of_give_the_same_bytes(objects: ObjectStore) -> None:
    put_matches(objects)
    served_model(objects)

    def checksums() -> dict[str, str]:
        handlers.rebuild({}, Context())
        pointer, _ = read_pointer(objects)
        assert pointer is not None
        return {name: entry.sha256 for name, entry in pointer.datasets.items()}

    assert checksums() == checksums()


def test_results_after_as_of_are_not_known(objects: ObjectStore) -> None:
    put_matches(objects)
    served_model(objects)
    handlers.rebuild({"as_of": "2024-04-05T00:00:00Z"}, Context())
    assert call("precomputed", match_id=2)[1]["outcome_1x2"] is None


def test_only_new_or_changed_files_are_read_again(objects: ObjectStore) -> None:
    put_matches(objects)
    served_model(objects)
    handlers.rebuild({}, Context())
    before = dict(rebuild_job.parsed_files)
    put_matches(objects, [ROWS[0], "4,2024-04-02T14:00:00Z,2023/24,Nowhere,First,0,Reds,Greens,1,1"], "more.csv")
    handlers.rebuild({}, Context())
    unchanged = [file for file in before if rebuild_job.parsed_files.get(file) is before[file]]
    assert unchanged == list(before)
    assert len(rebuild_job.parsed_files) == 2


def test_a_run_report_names_its_inputs_and_what_it_refused(objects: ObjectStore) -> None:
    put_matches(objects, [*ROWS, "x,2024-04-08T14:00:00Z,2023/24,Nowhere,First,0,A,B,0,0"])
    served_model(objects)
    release_id = handlers.rebuild({}, Context())["release_id"]
    stored = objects.get(f"releases/{release_id}/run.json")
    assert stored is not None
    report = json.loads(stored.body)
    assert report["inputs"][0]["key"] == "raw/matches/matches.csv"
    assert report["matches"]["rejected"] == 1
    assert report["rejected"][0]["row"] == 4


def test_a_file_that_cannot_be_read_fails_the_run_and_leaves_the_last_release(objects: ObjectStore) -> None:
    put_matches(objects)
    served_model(objects)
    handlers.rebuild({}, Context())
    before = read_pointer(objects)
    objects.put("raw/matches/broken.parquet", b"PAR1 this is not parquet")
    with pytest.raises(InvalidMatches):
        handlers.rebuild({}, Context())
    assert read_pointer(objects) == before


def test_a_rebuild_that_lost_most_matches_is_refused_and_leaves_the_last_release(objects: ObjectStore) -> None:
    put_matches(objects)
    served_model(objects)
    handlers.rebuild({}, Context())
    before = read_pointer(objects)
    for remaining, message in (
        ([ROWS[0], ROWS[1].replace("Blues", "Reds")], "no match was accepted"),
        (ROWS[:2], "1 matches, but the previous release"),
    ):
        put_matches(objects, remaining)
        with pytest.raises(ReleaseRefused, match=message):
            handlers.rebuild({}, Context())
        assert read_pointer(objects) == before
    assert handlers.rebuild({"force": True}, Context())["rows"]["match_features"] == 1


def test_without_a_champion_a_rebuild_fails_and_says_so(objects: ObjectStore) -> None:
    put_matches(objects)
    with pytest.raises(ModelUnavailable):
        handlers.rebuild({}, Context())


def test_an_event_with_a_time_that_is_none_is_refused(objects: ObjectStore) -> None:
    with pytest.raises(ValueError, match="isoformat"):
        handlers.rebuild({"as_of": "tomorrow"}, Context())


def test_the_embedded_sample_follows_the_schema() -> None:
    frame = pd.read_parquet(SAMPLE)
    assert len(frame) == 7_268
    assert frame["match_id"].is_unique


# odds ------------------------------------------------------------------------------------------------------

ODDS = [
    "region,league,home_team,away_team,kickoff,odds_home,odds_draw,odds_away,collected_at",
    "Nowhere,First,Reds,Blues,2024-04-01T14:00:00Z,3.0,3.3,2.4,2024-03-30T10:00:00Z",
    "Nowhere,First,Greens,Reds,2024-05-08T14:00:00Z,2.0,3.4,4.0,2024-05-06T10:00:00Z",
    "Nowhere,First,Purples,Oranges,2024-05-08T14:00:00Z,2.0,3.4,4.0,2024-04-20T10:00:00Z",
]


def put_odds(objects: ObjectStore, rows: list[str] = ODDS) -> None:
    objects.put("raw/odds/sightings.csv", "\n".join(rows).encode())


def test_odds_are_matched_and_published_into_the_current_release(objects: ObjectStore) -> None:
    put_matches(objects)
    put_odds(objects)
    served_model(objects)
    release_id = handlers.rebuild({}, Context())["release_id"]
    result = handlers.refresh_odds({}, Context())
    assert (result["matched"], result["unmatched"]) == (1, 1)
    pointer, _ = read_pointer(objects)
    assert pointer is not None
    assert pointer.release_id == release_id
    assert set(pointer.datasets) == {
        *("match_features", "predictions", "serving", "projections", "past_prices"),
        *("fonbet_odds", "price_history", "roi_by_region", "track_record", "serving_odds"),
    }
    assert [row["match_id"] for row in call("odds")[1]] == [1]
    assert call("region_roi")[0] == 200


def test_a_refresh_of_odds_writes_its_own_files_and_the_pointer_as_its_role_allows(objects: ObjectStore) -> None:
    put_matches(objects)
    put_odds(objects)
    served_model(objects)
    handlers.rebuild({}, Context())
    before = dict(objects.keys(""))
    handlers.refresh_odds({}, Context())
    written = {key for key, etag in objects.keys("") if before.get(key) != etag}
    patterns = [
        resource["Fn::Sub"].removeprefix("${DataBucket.Arn}/")
        for statement in json.loads(BY_NAME["refresh_odds"].policy_file.read_text(encoding="utf-8"))["Statement"]
        if "s3:PutObject" in statement.get("Action", [])
        for resource in statement["Resource"]
    ]
    assert "releases/current.json" in written
    assert [key for key in sorted(written) if not any(fnmatchcase(key, pattern) for pattern in patterns)] == []
    # what strangers send is parsed there: what others write stays out of reach
    for other in ("releases/x/predictions.parquet", "releases/x/serving.sqlite", "raw/odds/sightings.csv"):
        assert not any(fnmatchcase(other, pattern) for pattern in patterns)


def test_a_replay_may_show_odds_of_matches_to_come(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODDS_REPLAY_AHEAD_DAYS", "30")
    context.settings.cache_clear()
    put_matches(objects)
    put_odds(objects)
    served_model(objects)
    handlers.rebuild({}, Context())
    result = handlers.refresh_odds({}, Context())
    assert "1 matches to come show odds collected up to 30 days later" in result["notes"][0]
    odds = {row["match_id"]: row for row in call("odds")[1]}
    assert odds[3]["collected_at"] == "2024-05-06T10:00:00Z"


@pytest.mark.slow
def test_a_rebuild_keeps_the_odds_and_renews_the_returns(objects: ObjectStore) -> None:
    put_matches(objects)
    put_odds(objects)
    served_model(objects)
    handlers.rebuild({}, Context())
    handlers.refresh_odds({}, Context())
    before, _ = read_pointer(objects)
    handlers.rebuild({}, Context())
    after, _ = read_pointer(objects)
    assert before is not None
    assert after is not None
    assert after.datasets["fonbet_odds"] == before.datasets["fonbet_odds"]
    assert after.datasets["roi_by_region"].key.startswith(f"releases/{after.release_id}/")


def past_prices_of(objects: ObjectStore) -> dict[int, float]:
    """Home odds taken, by match."""
    pointer, _ = read_pointer(objects)
    frame = frame_of(objects, pointer, "past_prices")
    return {} if frame is None else dict(zip(frame["match_id"].tolist(), frame["odds_home"].tolist(), strict=True))


def priced_matches_of(objects: ObjectStore, match_id: int) -> int:
    """What a match's features say of the priced matches behind it."""
    pointer, _ = read_pointer(objects)
    features = frame_of(objects, pointer, "match_features")
    assert features is not None
    return int(features.loc[features["match_id"] == match_id, "market_priced_matches"].iloc[0])


def test_prices_of_the_past_are_features_of_what_is_to_come(objects: ObjectStore) -> None:
    more = "4,2024-04-02T14:00:00Z,2023/24,Nowhere,First,0,Greens,Yellows,1,0"
    price = "Nowhere,First,Greens,Yellows,2024-04-02T14:00:00Z,2.0,3.3,4.4,2024-03-30T10:00:00Z"
    put_matches(objects, [*ROWS, more])
    put_odds(objects, [*ODDS, price])
    served_model(objects)
    handlers.rebuild({}, Context())
    assert past_prices_of(objects) == {1: 3.0, 4: 2.0}
    assert priced_matches_of(objects, 3) == 1
    assert priced_matches_of(objects, 4) == 0


@pytest.mark.slow
def test_an_unchanged_set_of_past_prices_is_not_written_again(objects: ObjectStore) -> None:
    put_matches(objects)
    put_odds(objects)
    served_model(objects)
    handlers.rebuild({}, Context())
    before, _ = read_pointer(objects)
    handlers.refresh_odds({}, Context())
    handlers.rebuild({}, Context())
    after, _ = read_pointer(objects)
    assert before is not None
    assert after is not None
    assert after.datasets["past_prices"] == before.datasets["past_prices"]


class FakeLine:
    """A live provider: Reds v Blues and Greens v Reds, whose prices change with each look."""

    def __init__(self) -> None:
        self.looks = 0
        self.listed: tuple[str, ...] = ("Reds", "Greens")
        self.more = 0

    def fetch(self, as_of: datetime) -> OddsSnapshot:
        self.looks += 1
        kickoffs = {"Reds": ("Blues", "2024-04-01T14:00:00Z"), "Greens": ("Reds", "2024-05-08T14:00:00Z")}
        sides = [(home, *kickoffs[home]) for home in self.listed]
        sides += [(f"Club {n}", f"Other {n}", "2024-05-09T14:00:00Z") for n in range(self.more)]
        rows = [
            MarketOdds(
                provider="fonbet",
                event_id=home,
                region="Nowhere",
                league="First",
                home_team=home,
                away_team=away,
                kickoff=datetime.fromisoformat(kickoff),
                odds=(2.0 + self.looks / 10, 3.4, 4.0),
                suspended=False,
                collected_at=as_of,
            )
            for home, away, kickoff in sides
        ]
        return OddsSnapshot("fonbet", as_of, in_order(rows), raw={"events": b"{}"})


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> FakeLine:
    """A live line instead of stored sightings."""
    monkeypatch.setenv("ODDS_PROVIDER", "fonbet")
    found = FakeLine()
    monkeypatch.setattr(refresh_job, "odds_provider", lambda *_args, **_named: found)
    return found


def odds_rows(objects: ObjectStore) -> dict[int, dict[str, Any]]:
    pointer, _ = read_pointer(objects)
    assert pointer is not None
    stored = objects.get(pointer.datasets["fonbet_odds"].key)
    assert stored is not None
    return {row["match_id"]: row for row in pq.read_table(io.BytesIO(stored.body)).to_pylist()}


def assert_returns_are_those_of_the_odds(objects: ObjectStore) -> None:
    """ROI and track record of the current pointer are what its own predictions and odds give."""
    pointer, _ = read_pointer(objects)
    assert pointer is not None
    predictions, odds = frame_of(objects, pointer, "predictions"), frame_of(objects, pointer, "fonbet_odds")
    assert predictions is not None
    assert odds is not None
    record = returns(predictions, odds)
    roi, track = objects.get(pointer.datasets["roi_by_region"].key), objects.get(pointer.datasets["track_record"].key)
    assert roi is not None
    assert track is not None
    assert (roi.body, track.body) == (record.roi_csv, record.track_record_json())


def movement(match_id: int) -> list[tuple[str, float]]:
    """What the service says of a match's price."""
    status, body, _ = call("prices", match_id=match_id)
    assert status == 200
    return [(row["collected_at"], round(row["odds_home"], 6)) for row in body["snapshots"]]


@pytest.mark.slow
def test_the_price_of_a_live_line_is_followed_look_by_look_and_survives_rebuilds(
    objects: ObjectStore, line: FakeLine
) -> None:
    put_matches(objects)
    served_model(objects)
    handlers.rebuild({}, Context())
    looks = ["2024-03-30T12:00:00Z", "2024-03-31T12:00:00Z", "2024-04-01T13:30:00Z"]
    for look in looks:
        handlers.refresh_odds({"as_of": look}, Context())
    seen = list(zip(looks, (2.1, 2.2, 2.3), strict=True))
    assert movement(1) == seen
    handlers.rebuild({}, Context())
    assert movement(1) == seen
    # the same look once more, as after a failed run: the same file
    before, _ = read_pointer(objects)
    line.looks -= 1
    handlers.refresh_odds({"as_of": looks[-1]}, Context())
    after, _ = read_pointer(objects)
    assert before is not None
    assert after is not None
    assert after.datasets["price_history"].sha256 == before.datasets["price_history"].sha256


def test_a_damaged_price_history_is_replaced_by_the_one_before(objects: ObjectStore, line: FakeLine) -> None:
    put_matches(objects)
    served_model(objects)
    handlers.rebuild({}, Context())
    handlers.refresh_odds({"as_of": "2024-03-30T12:00:00Z"}, Context())
    handlers.refresh_odds({"as_of": "2024-03-31T12:00:00Z"}, Context())
    pointer, _ = read_pointer(objects)
    assert pointer is not None
    objects.put(pointer.datasets["price_history"].key, b"damaged")
    handlers.rebuild({}, Context())
    assert [price for _, price in movement(1)] == [2.1, 2.2]


def test_the_price_from_stored_sightings_is_all_they_tell(objects: ObjectStore) -> None:
    put_matches(objects)
    served_model(objects)
    later = "Nowhere,First,Reds,Blues,2024-04-01T14:00:00Z,2.8,3.3,2.5,2024-04-01T13:30:00Z"
    put_odds(objects, [*ODDS[:2], later])
    handlers.rebuild({}, Context())
    handlers.refresh_odds({}, Context())
    assert movement(1) == [("2024-03-30T10:00:00Z", 3.0), ("2024-04-01T13:30:00Z", 2.8)]
    assert call("prices", match_id=1)[1]["closing"]["collected_at"] == "2024-04-01T13:30:00Z"


@pytest.mark.slow
def test_past_prices_grow_with_a_live_line_survive_rebuilds_and_come_back_from_the_stored_odds(
    objects: ObjectStore, line: FakeLine
) -> None:
    put_matches(objects)
    served_model(objects)
    handlers.rebuild({}, Context())
    handlers.refresh_odds({"as_of": "2024-03-31T12:00:00Z"}, Context())
    assert past_prices_of(objects) == {}
    line.listed = ("Greens",)
    handlers.refresh_odds({"as_of": "2024-04-20T12:00:00Z"}, Context())
    assert past_prices_of(objects) == {1: 2.1}
    handlers.rebuild({}, Context())
    assert past_prices_of(objects) == {1: 2.1}
    assert priced_matches_of(objects, 3) == 0
    # an analyst's own history beside what was collected
    history = "Nowhere,First,Blues,Greens,2024-04-08T14:00:00Z,2.5,3.3,2.9,2024-04-07T10:00:00Z"
    put_odds(objects, [ODDS[0], history])
    handlers.rebuild({}, Context())
    assert past_prices_of(objects) == {1: 2.1}
    handlers.rebuild({"past_prices": "from_odds"}, Context())
    assert past_prices_of(objects) == {1: 2.1, 2: 2.5}
    assert priced_matches_of(objects, 3) == 1


@pytest.mark.slow
def test_a_live_line_keeps_past_prices_and_stores_its_answers(objects: ObjectStore, line: FakeLine) -> None:
    put_matches(objects)
    served_model(objects)
    handlers.rebuild({}, Context())
    handlers.refresh_odds({"as_of": "2024-03-31T12:00:00Z"}, Context())
    line.listed = ("Greens",)
    handlers.refresh_odds({"as_of": "2024-05-01T12:00:00Z"}, Context())
    assert {id_: row["odds_home"] for id_, row in odds_rows(objects).items()} == {1: 2.1, 3: 2.2}
    assert_returns_are_those_of_the_odds(objects)
    assert [key for key, _ in objects.keys("raw/odds/")] == [
        "raw/odds/confirmed_clubs.json",
        "raw/odds/fonbet/2024-03-31/20240331T120000000000Z.events.raw.gz",
        "raw/odds/fonbet/2024-03-31/20240331T120000000000Z.jsonl.gz",
        "raw/odds/fonbet/2024-05-01/20240501T120000000000Z.events.raw.gz",
        "raw/odds/fonbet/2024-05-01/20240501T120000000000Z.jsonl.gz",
    ]


@pytest.mark.slow
def test_odds_of_a_live_line_seen_after_as_of_are_not_carried_forward(objects: ObjectStore, line: FakeLine) -> None:
    put_matches(objects)
    served_model(objects)
    handlers.rebuild({}, Context())
    handlers.refresh_odds({"as_of": "2024-03-31T12:00:00Z"}, Context())
    handlers.refresh_odds({"as_of": "2024-05-01T12:00:00Z"}, Context())
    line.listed = ()
    handlers.refresh_odds({"as_of": "2024-04-15T12:00:00Z"}, Context())
    # match 1 was last listed on May 1st too: that sighting is from later, so there is none
    assert odds_rows(objects) == {}


@pytest.mark.slow
def test_a_halved_line_is_set_aside_for_the_last_good_one_known_by_then(objects: ObjectStore, line: FakeLine) -> None:
    put_matches(objects)
    served_model(objects)
    handlers.rebuild({}, Context())
    line.more = 20
    handlers.refresh_odds({"as_of": "2024-05-01T11:00:00Z"}, Context())
    handlers.refresh_odds({"as_of": "2024-05-01T13:00:00Z"}, Context())
    line.more = 0
    result = handlers.refresh_odds({"as_of": "2024-05-01T12:00:00Z"}, Context())
    assert "distrusted, serving the snapshot of 2024-05-01T11:00:00Z" in result["notes"][0]
    assert odds_rows(objects)[3]["odds_home"] == 2.1


@pytest.mark.slow
def test_a_rebuild_moved_back_leaves_out_odds_that_were_not_known_yet(objects: ObjectStore) -> None:
    put_matches(objects)
    put_odds(objects, [*ODDS[:2], ODDS[2].replace("2024-05-06", "2024-04-28")])
    served_model(objects)
    handlers.rebuild({}, Context())
    handlers.refresh_odds({}, Context())
    assert set(odds_rows(objects)) == {1, 3}
    handlers.rebuild({"as_of": "2024-04-10T00:00:00Z", "backwards": True}, Context())
    assert set(odds_rows(objects)) == {1}
    assert_returns_are_those_of_the_odds(objects)
    pointer, _ = read_pointer(objects)
    assert pointer is not None
    assert {entry.as_of for entry in pointer.datasets.values()} == {"2024-04-10T00:00:00Z"}


@pytest.mark.slow
def test_odds_and_returns_agree_and_say_when_they_differ_from_the_predictions_time(objects: ObjectStore) -> None:
    put_matches(objects)
    put_odds(objects)
    served_model(objects)
    handlers.rebuild({"as_of": "2024-05-01T12:00:00Z"}, Context())
    handlers.refresh_odds({"as_of": "2024-05-07T12:00:00Z"}, Context())
    assert_returns_are_those_of_the_odds(objects)
    pointer, _ = read_pointer(objects)
    assert pointer is not None
    times = {name: entry.as_of for name, entry in pointer.datasets.items()}
    assert times["predictions"] == times["match_features"] == pointer.as_of == "2024-05-01T12:00:00Z"
    assert times["fonbet_odds"] == times["roi_by_region"] == times["track_record"] == "2024-05-07T12:00:00Z"
    handlers.rebuild({"as_of": "2024-05-07T13:00:00Z"}, Context())
    assert_returns_are_those_of_the_odds(objects)


@pytest.mark.slow
def test_odds_refreshed_while_a_rebuild_publishes_get_returns_of_their_own(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_matches(objects)
    put_odds(objects, ODDS[:1] + ODDS[2:])
    served_model(objects)
    handlers.rebuild({}, Context())
    handlers.refresh_odds({}, Context())
    interrupted: list[str] = []

    def refreshed_meanwhile(*arguments: Any) -> Any:
        entries = write_returns(*arguments)
        if not interrupted:
            interrupted.append("once")
            put_odds(objects)
            handlers.refresh_odds({}, Context())
        return entries

    monkeypatch.setattr(rebuild_job, "write_returns", refreshed_meanwhile)
    release_id = handlers.rebuild({}, Context())["release_id"]
    pointer, _ = read_pointer(objects)
    assert pointer is not None
    assert pointer.release_id == release_id
    assert set(odds_rows(objects)) == {1}
    assert_returns_are_those_of_the_odds(objects)


@pytest.mark.slow
def test_odds_that_keep_changing_fail_the_rebuild_and_leave_the_last_release(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_matches(objects)
    put_odds(objects)
    served_model(objects)
    release_id = handlers.rebuild({}, Context())["release_id"]

    def refreshed_meanwhile(*arguments: Any) -> Any:
        handlers.refresh_odds({}, Context())
        return write_returns(*arguments)

    monkeypatch.setattr(rebuild_job, "write_returns", refreshed_meanwhile)
    with pytest.raises(ReleaseUnavailable, match="replaced 3 times"):
        handlers.rebuild({}, Context())
    pointer, _ = read_pointer(objects)
    assert pointer is not None
    assert pointer.release_id == release_id


def test_odds_before_any_release_are_refused(objects: ObjectStore) -> None:
    put_odds(objects)
    with pytest.raises(ReleaseUnavailable):
        handlers.refresh_odds({}, Context())


def test_a_provider_without_an_answer_fails_the_run_and_leaves_the_odds(objects: ObjectStore) -> None:
    put_matches(objects)
    served_model(objects)
    handlers.rebuild({}, Context())
    before = read_pointer(objects)
    with pytest.raises(ProviderUnavailable):
        handlers.refresh_odds({}, Context())
    assert read_pointer(objects) == before


# drift -----------------------------------------------------------------------------------------------------


def test_drift_is_measured_against_the_features_the_champion_was_trained_on(objects: ObjectStore) -> None:
    put_matches(objects)
    served_model(objects)
    handlers.rebuild({}, Context())
    random = np.random.default_rng(0)
    reference = pd.DataFrame({f.name: random.normal(0, 1, 500) for f in FEATURES})
    objects.put("models/champion/1-reference.parquet", reference.to_parquet())
    description = objects.get(mirror_key(Stage.CHAMPION))
    assert description is not None
    changed = json.loads(description.body) | {"reference_key": "models/champion/1-reference.parquet"}
    objects.put(mirror_key(Stage.CHAMPION), json.dumps(changed).encode())
    result = handlers.monitor_drift({"as_of": "2024-04-20T00:00:00Z"}, Context())
    assert result["number_of_columns"] > 0
    report = call("drift", headers={"x-api-key": "operator-key"})[1]
    assert report["drift_score"] == result["drift_score"]
    assert report["current_rows"] == 2
    assert report["reference_rows"] == 500
    html = objects.get("reports/drift/latest.html")
    assert html is not None
    assert b"<html" in html.body


def test_drift_before_any_release_is_refused(objects: ObjectStore) -> None:
    served_model(objects)
    with pytest.raises(ReleaseUnavailable):
        handlers.monitor_drift({}, Context())
