"""What a follower of clubs asks for: other spellings, calendars, and how old a list's predictions are."""

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from chalicelib.releases.calendar import MAX_LINE_BYTES, calendar
from chalicelib.storage.objects import ObjectStore
from tests.handlers.calling import call
from tests.support.builders import NOW, make_odds, make_predictions, publish


def spurs() -> pd.DataFrame:
    return make_predictions().assign(home_team=["Tottenham Hotspur", "Arsenal", "Chelsea"])


def test_a_clubs_other_spellings_travel_with_it(objects: ObjectStore) -> None:
    publish(objects, predictions=spurs())
    status, body, _ = call("clubs", query={"region": "england"})
    assert status == 200
    club = next(row for row in body if row["club"] == "Tottenham Hotspur")
    assert {"tottenham hotspur", "spurs"} <= set(club["spellings"])
    assert club["matches"] == 1
    assert call("clubs", query={"region": "Nowhere"})[1] == []


def events(text: str) -> list[dict[str, str]]:
    """The properties of each event, unfolded."""
    blocks = text.replace("\r\n ", "").split("BEGIN:VEVENT\r\n")[1:]
    return [dict(line.split(":", 1) for line in block.split("\r\n") if ":" in line) for block in blocks]


def test_a_leagues_calendar_holds_its_upcoming_matches(objects: ObjectStore) -> None:
    publish(objects, predictions=spurs())
    status, text, headers = call("calendar", query={"league": "premier league"})
    assert (status, headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    upcoming = call("matches")[1]
    assert [event["UID"] for event in events(text)] == [
        f"match-{row['match_id']}@soccer-predictions" for row in upcoming
    ]
    assert call("calendar", query={"league": "premier league"}, headers={"If-None-Match": headers["etag"]})[0] == 304


def test_a_team_is_found_by_any_of_its_spellings_and_a_match_by_its_id(objects: ObjectStore) -> None:
    publish(objects, predictions=spurs().assign(outcome_1x2=None, match_date=[NOW + timedelta(days=1)] * 3))
    (event,) = events(call("calendar", query={"team": "spurs"})[1])
    assert event["SUMMARY"].startswith("Tottenham Hotspur - ")
    (event,) = events(call("calendar", query={"match_id": "2"})[1])
    assert event["UID"] == "match-2@soccer-predictions"
    assert call("calendar", query={"match_id": "999"})[0] == 404


def row(**changes: Any) -> dict[str, Any]:
    return {
        "match_id": 7,
        "home_team": "Ajax",
        "away_team": "PSV",
        "match_date": "2024-05-04T18:45:00Z",
        "region": "Netherlands",
        "league": "Eredivisie",
        "proba_home": 0.5,
        "proba_draw": 0.25,
        "proba_away": 0.25,
    } | changes


def test_an_event_lasts_two_hours_in_utc() -> None:
    (event,) = events(calendar("x", [row()], NOW))
    assert (event["DTSTART"], event["DTEND"]) == ("20240504T184500Z", "20240504T204500Z")
    assert event["DESCRIPTION"] == "Eredivisie\\, Netherlands. Forecast 1 / X / 2: 50% / 25% / 25%."


def test_a_match_without_a_time_is_an_event_of_the_day_and_one_without_a_date_is_none() -> None:
    (event,) = events(calendar("x", [row(match_date="2024-05-04T00:00:00Z"), row(match_date=None)], NOW))
    assert event["DTSTART;VALUE=DATE"] == "20240504"
    assert event["DTEND;VALUE=DATE"] == "20240505"


@pytest.mark.parametrize("breaks", ["\r\n", "\n", "\r", "\u2028", "\x0b"])
def test_a_name_cannot_begin_a_property_of_its_own(breaks: str) -> None:
    text = calendar("x", [row(home_team=f"A{breaks}BEGIN:VALARM")], NOW)
    assert "\nBEGIN:VALARM" not in text
    assert len(events(text)) == 1


def test_long_lines_are_folded_and_no_character_is_cut() -> None:
    name = "Żółć " * 40
    text = calendar("x", [row(home_team=name)], NOW)
    assert all(len(line.encode()) <= MAX_LINE_BYTES for line in text.split("\r\n"))
    assert events(text)[0]["SUMMARY"].startswith(name)


def test_the_age_of_predictions_is_theirs_whatever_the_odds_are(objects: ObjectStore) -> None:
    publish(objects, predictions=make_predictions(), odds=make_odds([1]), odds_at=NOW + timedelta(days=3))
    _, _, headers = call("cards")
    assert headers["x-predictions-computed-at"] == "2024-05-01T12:00:00Z"
    assert headers["last-modified"] == "Sat, 04 May 2024 12:00:00 GMT"
    assert headers["x-clock"] == "2024-05-01T12:00:00Z"
    assert "x-predictions-computed-at" not in call("odds")[2]
