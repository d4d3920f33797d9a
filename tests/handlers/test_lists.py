"""The lists of the current release through the functions."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from batch.release import read_pointer
from chalicelib import wiring
from chalicelib.releases.pointer import POINTER_KEY
from chalicelib.releases.store import ReleaseStore
from chalicelib.storage.objects import ObjectStore
from tests.handlers.calling import call
from tests.support.builders import NOW, make_odds, make_predictions, publish

ROI = (
    "region,bets,turnover,profit,roi,roi_ci_low,roi_ci_high,clv\nEngland,2,2.0,0.4,0.2,-1.0,1.4,\nSpain,0,0.0,0.0,,,,\n"
)


def ids(rows: list[dict[str, Any]]) -> list[int]:
    return [row["match_id"] for row in rows]


def test_a_precomputed_prediction_is_the_matchs_row(objects: ObjectStore) -> None:
    publish(objects)
    status, body, _ = call("precomputed", match_id=1)
    assert status == 200
    assert body == {
        "match_id": 1,
        "home_team": "Home 1",
        "away_team": "Away 1",
        "match_date": "2024-04-30T12:00:00Z",
        "region": "England",
        "league": "Premier League",
        "proba_home": 0.5,
        "proba_draw": 0.25,
        "proba_away": 0.25,
        "predicted_class": 0,
        "predicted_label": "home",
        "is_future": False,
        "model_run_id": "3f7a1c9d2e4b",
        "model_stage": "champion",
        "outcome_1x2": "home",
        "home_score": 2,
        "away_score": 1,
    }


def test_the_log_line_says_how_many_reads_of_a_large_release_a_page_took(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch, printed: pytest.CaptureFixture[str]
) -> None:
    publish(objects)
    large = ReleaseStore(objects, 60, whole_bytes=0)
    monkeypatch.setattr(wiring, "releases", lambda: large)
    printed.readouterr()
    reads = []
    for _ in range(2):
        assert call("cards")[0] == 200
        lines = [json.loads(line) for line in printed.readouterr().out.splitlines()]
        reads += [line["range_reads"] for line in lines if line.get("message") == "request"]
    assert 1 <= reads[0] <= 8
    assert reads[1] == 0


def test_a_match_without_a_precomputed_prediction_is_404(objects: ObjectStore) -> None:
    publish(objects)
    assert call("precomputed", match_id=9)[0] == 404


@pytest.mark.parametrize("function", ["predictions", "matches", "odds", "cards", "region_roi"])
def test_before_any_release_a_list_is_503(objects: ObjectStore, function: str) -> None:
    status, _, headers = call(function)
    assert (status, headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize("function", ["odds", "region_roi"])
def test_a_data_set_that_the_release_does_not_carry_yet_is_503(objects: ObjectStore, function: str) -> None:
    publish(objects)
    assert call(function)[0] == 503


def test_matches_are_the_upcoming_ones(objects: ObjectStore) -> None:
    publish(objects, predictions=make_predictions(5))
    _, body, _ = call("matches")
    assert ids(body) == [3, 4, 5]
    assert set(body[0]) == {"match_id", "home_team", "away_team", "match_date", "region", "league", "sex"}


def test_odds_are_listed_with_their_margin(objects: ObjectStore) -> None:
    publish(objects, odds=make_odds([1, 3]))
    _, body, _ = call("odds")
    assert ids(body) == [1, 3]
    assert body[0]["margin"] == pytest.approx(1 / 2.2 + 1 / 3.4 + 1 / 3.6 - 1)
    assert body[0]["collected_at"] == "2024-05-01T12:00:00Z"


def test_a_card_merges_prediction_odds_and_edge(objects: ObjectStore) -> None:
    publish(objects, odds=make_odds([1, 3]), region_roi=ROI)
    _, body, _ = call("cards")
    first = body[0]
    assert first["edge_home"] == pytest.approx(0.5 * 2.2 - 1)
    assert first["edge_draw"] == pytest.approx(0.25 * 3.4 - 1)
    assert first["value_bet"] == "home"
    assert first["kelly_quarter"] == pytest.approx((0.5 * 2.2 - 1) / (2.2 - 1) / 4)
    assert first["pooled_edge_home"] == pytest.approx(first["pooled_home"] * 2.2 - 1)
    assert (first["status"], first["is_correct"], first["region_roi"]) == ("finished", True, 0.2)
    assert sum(first[f"implied_{label}"] for label in ("home", "draw", "away")) == pytest.approx(1)
    assert first["fonbet_url"] == "https://fon.bet/sports/football/1/1001"


def test_the_age_of_a_price_is_that_at_kickoff_once_it_is_past(objects: ObjectStore) -> None:
    publish(objects, predictions=make_predictions(5), odds=make_odds([1, 3]))
    kickoffs = {row["match_id"]: datetime.fromisoformat(row["match_date"]) for row in call("cards")[1]}
    for card in call("cards")[1]:
        if card["odds_collected_at"] is None:
            assert card["price_age_seconds"] is None
            continue
        until = min(wiring.now(), kickoffs[card["match_id"]])
        age = (until - datetime.fromisoformat(card["odds_collected_at"])).total_seconds()
        assert card["price_age_seconds"] == max(0, int(age))


def test_a_card_without_a_market_has_null_odds_and_edges(objects: ObjectStore) -> None:
    publish(objects, odds=make_odds([1]))
    card = call("cards")[1][1]
    kinds = ("odds", "implied", "edge", "pooled", "pooled_edge")
    names = [f"{kind}_{label}" for kind in kinds for label in ("home", "draw", "away")]
    assert {card[name] for name in names} == {None}
    assert (card["value_bet"], card["kelly_quarter"], card["status"], card["is_correct"]) == (None, None, "live", None)


def test_cards_are_there_before_any_odds(objects: ObjectStore) -> None:
    publish(objects)
    status, body, _ = call("cards")
    assert (status, ids(body)) == (200, [1, 2, 3])


def test_a_suspended_market_has_no_edge(objects: ObjectStore) -> None:
    publish(objects, odds=make_odds([1]).assign(suspended=True))
    assert call("cards")[1][0]["edge_home"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"region": "Spain"}, [2, 4]),
        ({"league": "Premier League"}, [1, 3, 5]),
        ({"status": "finished"}, [1]),
        ({"status": "live"}, [2]),
        ({"status": "upcoming"}, [3, 4, 5]),
        ({"from": "2024-05-01T11:00:00Z", "to": "2024-05-02T13:00:00"}, [2, 3]),
        ({"team": "away 4"}, [4]),
        ({"value_only": "true"}, [1, 3]),
        ({"min_region_roi": "0.1"}, [1, 3, 5]),
        ({"region": "Nowhere"}, []),
    ],
)
def test_cards_are_filtered(objects: ObjectStore, query: dict[str, str], expected: list[int]) -> None:
    publish(objects, predictions=make_predictions(5), odds=make_odds([1, 3]), region_roi=ROI)
    status, body, _ = call("cards", query=query)
    assert (status, ids(body)) == (200, expected)


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "99999"}, {"status": "over"}, {"from": "yesterday"}, {"min_region_roi": "nan"},
     {"cursor": "nonsense"}, {"cursor": "WyJhIiwgLTEsIDAsICIiXQ"}, {"limit": "ten"}],
)  # fmt: skip
def test_a_filter_that_means_nothing_is_422(objects: ObjectStore, query: dict[str, str]) -> None:
    publish(objects)
    assert call("cards", query=query)[0] == 422


def all_pages(function: str, query: dict[str, str], between: Any = None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        status, body, headers = call(function, query={**query, **cursor})
        assert status == 200
        rows += body
        if "x-next-cursor" not in headers:
            return rows
        cursor = {"cursor": headers["x-next-cursor"]}
        if between is not None:
            between()


@pytest.mark.parametrize("limit", ["1", "2", "7", "100"])
def test_pages_together_are_the_whole_list(objects: ObjectStore, limit: str) -> None:
    publish(objects, predictions=make_predictions(7))
    assert ids(all_pages("predictions", {"limit": limit})) == [1, 2, 3, 4, 5, 6, 7]


def test_a_listing_continues_in_the_release_it_began_in(objects: ObjectStore) -> None:
    publish(objects, predictions=make_predictions(7))

    def new_release() -> None:
        publish(objects, predictions=make_predictions(4, home_team="Changed"), now=NOW + timedelta(minutes=5))

    rows = all_pages("cards", {"limit": "2"}, new_release)
    assert ids(rows) == [1, 2, 3, 4, 5, 6, 7]
    assert not any(row["home_team"] == "Changed" for row in rows)


def test_a_cursor_belongs_to_its_filters(objects: ObjectStore) -> None:
    publish(objects, predictions=make_predictions(7))
    cursor = call("cards", query={"limit": "2"})[2]["x-next-cursor"]
    assert call("cards", query={"limit": "2", "region": "Spain", "cursor": cursor})[0] == 422


def test_an_unchanged_list_is_304(objects: ObjectStore) -> None:
    publish(objects)
    status, _, headers = call("cards")
    assert status == 200
    assert headers["last-modified"] == "Wed, 01 May 2024 12:00:00 GMT"
    status, body, headers_304 = call("cards", headers={"if-none-match": headers["etag"]})
    assert (status, body, headers_304["etag"]) == (304, None, headers["etag"])


def test_a_new_release_ends_the_304(objects: ObjectStore) -> None:
    publish(objects)
    etag = call("cards")[2]["etag"]
    publish(objects, predictions=make_predictions(4), now=NOW + timedelta(minutes=5))
    assert call("cards", headers={"if-none-match": etag})[0] == 200


def test_another_filter_has_another_etag(objects: ObjectStore) -> None:
    publish(objects)
    assert call("cards")[2]["etag"] != call("cards", query={"region": "Spain"})[2]["etag"]


def test_a_large_list_is_gzipped_for_who_accepts_it(objects: ObjectStore) -> None:
    publish(objects, predictions=make_predictions(50))
    _, plain, headers = call("predictions")
    assert "content-encoding" not in headers
    _, packed, headers = call("predictions", headers={"accept-encoding": "gzip, br"})
    assert headers["content-encoding"] == "gzip"
    assert packed == plain


def test_roi_per_region_has_its_interval(objects: ObjectStore) -> None:
    publish(objects, region_roi=ROI)
    assert call("region_roi")[1] == [
        {"region": "England", "bets": 2, "turnover": 2.0, "profit": 0.4, "roi": 0.2, "roi_ci_low": -1.0,
         "roi_ci_high": 1.4, "clv": None, "clv_ci_low": None, "clv_ci_high": None},
        {"region": "Spain", "bets": 0, "turnover": 0.0, "profit": 0.0, "roi": None, "roi_ci_low": None,
         "roi_ci_high": None, "clv": None, "clv_ci_low": None, "clv_ci_high": None},
    ]  # fmt: skip


def test_the_last_release_is_served_while_its_pointer_is_damaged(objects: ObjectStore) -> None:
    publish(objects)
    call("cards")
    objects.put(POINTER_KEY, b"{")
    assert call("cards")[0] == 200


def test_a_pointer_knows_what_it_names(objects: ObjectStore) -> None:
    assert publish(objects) == read_pointer(objects)[0]
