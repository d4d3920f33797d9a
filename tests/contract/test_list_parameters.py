"""Order, selection by id, clock, forms and sizes of the lists."""

import base64
import csv
import gzip
import io
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.api.rendering import MAX_PLAIN_BYTES
from chalicelib.contracts.lists import ProjectionRow
from chalicelib.storage.objects import ObjectStore
from tests.contract.documented import check, operation
from tests.handlers.calling import call
from tests.support.builders import NOW, make_odds, make_predictions, publish

import app  # isort: skip
from tests.support.builders import Context, make_event  # isort: skip

LISTS = ("predictions", "matches", "odds", "cards", "region_roi")
ROI = "region,bets,turnover,profit,roi,roi_ci_low,roi_ci_high\nEngland,2,2.0,0.4,0.2,-1.0,1.4\n"


@pytest.fixture
def filled(in_memory: ObjectStore) -> ObjectStore:
    """A release of 30 matches, odds for some."""
    publish(in_memory, predictions=make_predictions(30), odds=make_odds([1, 3, 5]), region_roi=ROI)
    return in_memory


def ids(function: str, **query: str) -> list[int]:
    status, body, _ = call(function, query=query)
    assert status == 200, body
    return [row["match_id"] for row in body]


@pytest.mark.parametrize("function", ["predictions", "matches", "cards"])
def test_a_list_can_be_turned_round(filled: ObjectStore, function: str) -> None:
    assert ids(function, sort="-kickoff") == ids(function)[::-1]


@pytest.mark.parametrize("sort", ["kickoff", "-kickoff", "edge"])
def test_pages_of_any_order_make_the_whole(filled: ObjectStore, sort: str) -> None:
    whole = ids("cards", sort=sort)
    paged: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        status, body, headers = call("cards", query={"sort": sort, "limit": "7", **cursor})
        assert status == 200
        paged += [row["match_id"] for row in body]
        if "x-next-cursor" not in headers:
            break
        cursor = {"cursor": headers["x-next-cursor"]}
    assert paged == whole
    assert len(set(whole)) == 30


def test_the_largest_edge_comes_first_and_matches_without_one_last(filled: ObjectStore) -> None:
    cards = call("cards", query={"sort": "edge"})[1]
    edges = [[card[f"edge_{side}"] for side in ("home", "draw", "away")] for card in cards]
    best = [max(three) for three in edges if None not in three]
    assert best == sorted(best, reverse=True)
    assert [card["edge_home"] is None for card in cards] == [False] * len(best) + [True] * (30 - len(best))


@pytest.mark.parametrize("function", ["predictions", "cards"])
def test_many_matches_by_id_in_one_call(filled: ObjectStore, function: str) -> None:
    assert sorted(ids(function, match_ids="3,1,3,999")) == [1, 3]


@pytest.mark.parametrize("function", ["odds", "cards"])
def test_one_match_by_id(filled: ObjectStore, function: str) -> None:
    assert ids(function, match_id="3") == [3]
    assert ids(function, match_id="3", match_ids="1,5") == []


@pytest.mark.parametrize("value", ["", ",", "1,", "1;2", "a", "1,-2", ",".join(["1"] * 201), "1 ,2"])
def test_ids_that_are_none_are_refused(filled: ObjectStore, value: str) -> None:
    assert call("cards", query={"match_ids": value})[0] == 422
    assert call("cards", query={"match_ids": ",".join(["1"] * 200)})[0] == 200


def test_a_cursor_belongs_to_its_list_its_stage_its_order_and_its_filters(filled: ObjectStore) -> None:
    cursor = call("cards", query={"limit": "2"})[2]["x-next-cursor"]
    assert call("cards", query={"cursor": cursor, "limit": "9"})[0] == 200
    others: list[dict[str, str]] = [{"sort": "-kickoff"}, {"region": "England"}, {"match_ids": "1"}]
    for function, query in (("predictions", {}), *(("cards", other) for other in others)):
        status, body, _ = call(function, query={"cursor": cursor, **query})
        assert (status, body["code"]) == (422, "invalid_cursor")
        assert body["details"] == [{"loc": ["query", "cursor"], "msg": body["message"], "type": "invalid_cursor"}]


def test_a_region_is_found_whatever_its_case_and_accents(filled: ObjectStore) -> None:
    for region in ("ENGLAND", "\u00c9ngland"):
        assert [row["region"] for row in call("region_roi", query={"region": region})[1]] == ["England"]
        assert ids("cards", region=region) == ids("cards", region="England") != []


def test_an_instant_is_one_filter_in_every_time_zone(filled: ObjectStore) -> None:
    utc, elsewhere = "2024-04-20T12:00:00Z", "2024-04-20T14:00:00+02:00"
    cursor = call("cards", query={"from": utc, "limit": "2"})[2]["x-next-cursor"]
    assert call("cards", query={"from": elsewhere, "cursor": cursor})[0] == 200


def test_one_clock_decides_rows_filter_and_etag_of_a_listing(
    filled: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at(moment: datetime) -> None:
        monkeypatch.setattr(wiring, "now", lambda: moment)

    at(NOW)
    first = call("cards", query={"status": "upcoming", "limit": "2"})
    cursor = first[2]["x-next-cursor"]
    page = call("cards", query={"status": "upcoming", "limit": "2", "cursor": cursor})
    # Every match has kicked off meanwhile: the listing goes on at its own time, a new one is of the new time.
    at(NOW + timedelta(days=400))
    again = call("cards", query={"status": "upcoming", "limit": "2", "cursor": cursor})
    assert (again[1], again[2]["etag"]) == (page[1], page[2]["etag"])
    assert {row["status"] for row in again[1]} == {"upcoming"}
    later = call("cards", query={"status": "upcoming", "limit": "2"}, headers={"if-none-match": first[2]["etag"]})
    assert (later[0], later[1]) == (200, [])


@pytest.mark.parametrize("function", ["predictions", "matches", "odds", "cards"])
def test_a_listing_goes_on_at_its_own_time_while_match_after_match_kicks_off(
    filled: ObjectStore, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    upcoming = {} if function == "matches" else {"status": "upcoming"}
    days = 0
    monkeypatch.setattr(wiring, "now", lambda: NOW + timedelta(days=days))
    expected = ids(function, **upcoming, limit="5000")
    first = call(function, query={**upcoming, "limit": "1"})
    paged: list[int] = []
    query = {**upcoming, "limit": "1"}
    while True:
        status, body, headers = call(function, query=query)
        assert (status, {row.get("status", "upcoming") for row in body}) == (200, {"upcoming"})
        paged += [row["match_id"] for row in body]
        # Match 3 kicks off on the next day, match 4 the day after, and so on.
        days += 1
        if "x-next-cursor" not in headers:
            break
        query = {**upcoming, "limit": "1", "cursor": headers["x-next-cursor"]}
    assert paged == expected
    # A new listing is of the new time, whatever the caller holds of the old one.
    held = {"if-none-match": first[2]["etag"]}
    status, body, _ = call(function, query={**upcoming, "limit": "1"}, headers=held)
    assert (status, [row["match_id"] for row in body]) == (200, [i for i in expected if i - 2 > days][:1])


def test_a_kickoff_is_a_modification(filled: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def modified(moment: datetime) -> str:
        monkeypatch.setattr(wiring, "now", lambda: moment)
        return call("cards")[2]["last-modified"]

    far = NOW + timedelta(days=365 * 20)
    before = modified(NOW)
    kickoffs = [row["match_date"] for row in call("cards")[1] if row["status"] == "upcoming"]
    assert kickoffs
    assert modified(far) >= before
    since = call("cards", headers={"if-modified-since": before})[0]
    assert since in {200, 304}


# ── Forms and sizes ─────────────────────────────────────────────────────────────────────────────────


def as_csv(function: str, accept: str = "text/csv", **event: Any) -> tuple[dict[str, str], list[dict[str, str]]]:
    answer = getattr(app, function)(make_event(function, headers={"accept": accept}, **event), Context())
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (200, "text/csv")
    return answer["headers"], list(csv.DictReader(io.StringIO(answer["body"])))


def test_projections_come_as_csv_too(objects: ObjectStore) -> None:
    extra: Any = ProjectionRow.model_config["json_schema_extra"]
    publish(objects, projections=extra["examples"])
    _, (row,) = as_csv("projections")
    (expected,) = call("projections")[1]
    assert row == {name: cell(value) for name, value in expected.items()}


@pytest.mark.parametrize("function", LISTS)
def test_a_list_as_csv_is_the_list(filled: ObjectStore, function: str) -> None:
    _, rows = as_csv(function)
    expected = call(function, query={"limit": "5000"})[1]
    assert rows == [{name: cell(value) for name, value in row.items()} for row in expected]


def cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_csv_is_all_of_it_where_no_limit_is_given(filled: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.api.routes.lists.MAX_LIMIT", 7)
    headers, rows = as_csv("predictions")
    assert (len(rows), "x-next-cursor" in headers) == (30, False)
    headers, rows = as_csv("predictions", query={"limit": "4"})
    assert (len(rows), "x-next-cursor" in headers) == (4, True)


def test_csv_ends_where_an_answer_does_and_its_cursor_goes_on(
    filled: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.api.routes.lists.MAX_LIMIT", 7)
    monkeypatch.setattr("chalicelib.api.routes.lists.is_too_large", lambda body, **_: body.count("\n") > 16)
    headers, rows = as_csv("predictions")
    assert len(rows) == 14
    _, others = as_csv("predictions", query={"cursor": headers["x-next-cursor"]})
    assert len({row["match_id"] for row in rows + others}) == 28


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("text/csv, application/json;q=0.5", "text/csv"),
        ("text/csv;q=0.4, */*", "application/json"),
        ("application/json, text/csv", "application/json"),
        ("*/*", "application/json"),
        ("text/csv;q=nonsense", "application/json"),
        ("", "application/json"),
    ],
)
def test_the_form_is_the_one_that_is_preferred(filled: ObjectStore, accept: str, form: str) -> None:
    answer = app.odds(make_event("odds", headers={"accept": accept}), Context())
    assert answer["headers"]["Content-Type"] == form
    assert "Accept" in answer["headers"]["Vary"].split(", ")


def test_both_forms_have_etags_of_their_own(filled: ObjectStore) -> None:
    assert as_csv("odds")[0]["ETag"] != call("odds")[2]["etag"]


def test_without_a_key_a_page_has_at_most_500_rows_where_keys_are_demanded(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(objects, predictions=make_predictions(600))
    asked = {"query": {"limit": "5000"}}
    assert len(call("predictions", **asked)[1]) == 600
    monkeypatch.setenv("CLIENT_KEY_REQUIRED", "true")
    wiring.settings.cache_clear()
    for key in ({}, {"x-api-key": "a guess"}):
        status, body, headers = call("predictions", headers=key, **asked)
        assert (status, len(body), "x-next-cursor" in headers) == (200, 500, True)
        assert len(as_csv("predictions")[1]) == 500
    for known in ("client-key", "operator-key"):
        assert len(call("predictions", headers={"x-api-key": known}, **asked)[1]) == 600


def test_a_large_page_leaves_compressed_or_ends_early_with_a_cursor(objects: ObjectStore) -> None:
    publish(objects, predictions=make_predictions(2_000))
    compressing = {"accept": "*/*", "accept-encoding": "gzip"}
    answers = {
        name: app.predictions(make_event("predictions", headers=headers, query={"limit": "5000"}), Context())
        for name, headers in (("gzip", compressing), ("plain", {"accept": "*/*"}))
    }
    packed = base64.b64decode(answers["gzip"]["body"])
    whole = json.loads(gzip.decompress(packed))
    assert (len(whole), answers["gzip"]["headers"].get("x-next-cursor")) == (2_000, None)
    plain, headers = answers["plain"]["body"], answers["plain"]["headers"]
    assert 0 < len(plain.encode()) <= MAX_PLAIN_BYTES < len(gzip.decompress(packed))
    assert json.loads(plain) == whole[: len(json.loads(plain))]
    following = call("predictions", query={"limit": "1", "cursor": headers["x-next-cursor"]})[1]
    assert following == [whole[len(json.loads(plain))]]
    # two pages of different length must not be taken for each other
    assert headers["ETag"] != answers["gzip"]["headers"]["ETag"]


@pytest.mark.parametrize("name", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(1)", "\t=1"])
def test_a_name_from_a_feed_is_no_formula_in_a_spreadsheet(objects: ObjectStore, name: str) -> None:
    predictions = make_predictions(2)
    predictions["home_team"] = name
    publish(objects, predictions=predictions)
    _, rows = as_csv("predictions")
    assert {row["home_team"] for row in rows} == {f"'{name}"}
    assert call("predictions")[1][0]["home_team"] == name


@pytest.mark.parametrize(
    ("cdn", "function", "key", "expected"),
    [
        ("true", "cards", {}, "public, max-age=0, s-maxage=5, stale-while-revalidate=5"),
        # a key's pages are longer, and what demands one is nobody else's
        ("true", "cards", {"x-api-key": "client-key"}, "no-cache"),
        ("false", "cards", {}, "no-cache"),
        ("true", "openapi_document", {}, "public, max-age=0, s-maxage=5, stale-while-revalidate=5"),
    ],
)
def test_a_shared_cache_keeps_public_answers_for_as_long_as_the_functions_do(
    filled: ObjectStore, monkeypatch: pytest.MonkeyPatch, cdn: str, function: str, key: dict[str, str], expected: str
) -> None:
    monkeypatch.setenv("CDN", cdn)
    monkeypatch.setenv("RELEASE_CHECK_SECONDS", "5")
    wiring.settings.cache_clear()
    if function == "openapi_document":
        answer = app.docs(
            {**make_event("docs", headers=key), "path": "/openapi.json", "resource": "/openapi.json"}, Context()
        )
    else:
        answer = getattr(app, function)(make_event(function, headers=key), Context())
    assert answer["headers"]["Cache-Control"] == expected
    again = {**key, "if-none-match": answer["headers"]["ETag"]}
    if function == "cards":
        held = app.cards(make_event(function, headers=again), Context())
        assert (held["statusCode"], held["headers"]["Cache-Control"]) == (304, expected)


# ── What there is ───────────────────────────────────────────────────────────────────────────────────


def test_regions_name_what_filters_take(filled: ObjectStore) -> None:
    status, body, headers = call("regions")
    check("regions", status, body, headers)
    assert sum(region["matches"] for region in body) == 30
    for region in body:
        for league in region["leagues"]:
            names = {"region": region["region"].upper(), "league": league["league"].lower()}
            found = ids("predictions", **names, limit="5000")
            assert len(found) == league["matches"] == sum(season["matches"] for season in league["seasons"])


@pytest.mark.parametrize("query", [{}, {"region": "X"}, {"team": "x"}, {"limit": "1"}, {"sort": "-kickoff"}])
def test_every_list_of_an_empty_release_is_empty(objects: ObjectStore, query: dict[str, str]) -> None:
    empty = ROI.splitlines()[0] + "\n"
    publish(objects, predictions=make_predictions(0), odds=make_odds([]), region_roi=empty, projections=[])
    for function in (*LISTS, "regions", "clubs", "projections"):
        status, body, _ = call(function, query=query)
        takes = query.keys() <= {parameter["name"] for parameter in operation(function).get("parameters", [])}
        assert (status, body) == (200, []) if takes else status == 422, function
