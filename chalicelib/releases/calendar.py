"""Matches as a calendar (RFC 5545). Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

MATCH_LASTS: Final = timedelta(hours=2)
MAX_LINE_BYTES: Final = 75
"""Longer lines are folded."""


def calendar(name: str, rows: Iterable[dict[str, Any]], now: datetime) -> str:
    """An iCalendar object with an event for each match whose kickoff is known.

    Args:
        name: Title in calendar programs.
        rows: Prediction rows.
        now: Time of creation.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//soccer-predictions//matches//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
    ]
    for row in rows:
        if row["match_date"] is not None:
            lines += _event(row, now)
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _event(row: dict[str, Any], now: datetime) -> list[str]:
    kickoff = datetime.fromisoformat(row["match_date"]).astimezone(UTC)
    # a match with a date only is stored at 00:00 UTC: make it an all-day event
    of_the_day = (kickoff.hour, kickoff.minute, kickoff.second) == (0, 0, 0)
    if of_the_day:
        times = [f"DTSTART;VALUE=DATE:{kickoff:%Y%m%d}", f"DTEND;VALUE=DATE:{kickoff + timedelta(days=1):%Y%m%d}"]
    else:
        times = [f"DTSTART:{_stamp(kickoff)}", f"DTEND:{_stamp(kickoff + MATCH_LASTS)}"]
    chances = " / ".join(f"{100 * row[f'proba_{side}']:.0f}%" for side in ("home", "draw", "away"))
    description = f"{row['league']}, {row['region']}. Forecast 1 / X / 2: {chances}."
    summary = f"{row['home_team']} - {row['away_team']}"
    if row.get("home_score") is not None:
        summary += f" {row['home_score']}:{row['away_score']}"
    return [
        "BEGIN:VEVENT",
        f"UID:match-{row['match_id']}@soccer-predictions",
        f"DTSTAMP:{_stamp(now.astimezone(UTC))}",
        *times,
        f"SUMMARY:{_text(summary)}",
        f"DESCRIPTION:{_text(description)}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """A value as RFC 5545 (3.3.11) writes text; line breaks of any kind must not begin a property of their own."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return "\\n".join(escaped.splitlines())


def _folded(line: str) -> str:
    """Lines of at most 75 bytes, no character cut in two (RFC 5545, 3.1)."""
    parts, length = [""], 0
    for character in line:
        size = len(character.encode())
        if length + size > MAX_LINE_BYTES:
            parts.append(" ")
            length = 1
        parts[-1] += character
        length += size
    return "\r\n".join(parts)
