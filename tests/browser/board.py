"""The board as its user sees it: what is on it, and what can be done to it."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from playwright.sync_api import Locator, Page, Route, expect

PATIENCE_MS = 20_000
LOADING = "#app .skeleton"


class Board:
    """A page on the board.

    Args:
        page: The browser's page.
        base_url: The API, without trailing slash.
    """

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        self.base_url = base_url

    def open(self, query: str = "", path: str = "/ui/") -> None:
        """Go there and wait until everything has been fetched."""
        self.page.goto(f"{self.base_url}{path}{query}")
        self.settled()

    def settled(self, patience_ms: float = PATIENCE_MS) -> None:
        """Wait until nothing is being loaded any more."""
        expect(self.page.locator("main")).to_have_attribute("aria-busy", "false", timeout=patience_ms)
        expect(self.page.locator(LOADING)).to_have_count(0, timeout=PATIENCE_MS)

    @property
    def matches(self) -> Locator:
        """The rows in the document: the first screenfuls of what fits."""
        return self.page.locator(".match")

    @property
    def results(self) -> int:
        """How many matches fit the filters, as the board says."""
        text = self.page.locator("#results").inner_text()
        return int(text.split(" match")[0].replace(",", ""))

    @property
    def query(self) -> str:
        """The address's query."""
        return self.page.url.partition("?")[2]

    def status(self, name: str) -> None:
        """Choose a status by its name."""
        self.page.locator(f"#filter-status input[value={name}]").check(force=True)

    def reach(self, status: str) -> None:
        """Choose a status and wait until its matches have been fetched."""
        self.status(status)
        self.settled()

    def open_first(self) -> None:
        """Open the first match's page."""
        self.matches.first.locator(".open").click()
        self.settled()

    def load_older(self) -> None:
        """Fetch the years before the last, which wait for a click."""
        while self.page.locator("#older button").count():
            self.page.locator("#older button").click()
            self.settled(4 * PATIENCE_MS)

    def show_all_rows(self) -> None:
        """Extend the list to its end."""
        while self.page.locator(".more button").count():
            self.page.locator(".more button").click()

    def everything(self, name: str, attribute: str = "data-match") -> list[str]:
        """An attribute of all elements with it."""
        return [str(element.get_attribute(attribute)) for element in self.page.locator(name).all()]

    def answer(self, pattern: str, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        """Answer calls whose address contains the pattern ourselves."""

        def respond(route: Route) -> None:
            route.fulfill(status=status, headers=json_headers(headers), body=json.dumps(body))

        self.page.route(lambda url: pattern in url, respond)

    def change_cards(self, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
        """Change the cards on their way to the board."""

        def respond(route: Route) -> None:
            answer = route.fetch()
            headers = {name: value for name, value in answer.headers.items() if name != "content-encoding"}
            route.fulfill(status=answer.status, headers=headers, body=json.dumps(change(answer.json())))

        self.page.route(lambda url: "/predict/cards/" in url, respond)

    def bet_on_home_sides(self) -> None:
        """Make every home side with odds a value bet: whether the service flags any is its own affair."""
        self.change_cards(lambda rows: [row | {"value_bet": "home" if row["odds_home"] else None} for row in rows])


def json_headers(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Headers of a JSON answer."""
    return {"Content-Type": "application/json", **(more or {})}


def make_card(**changes: Any) -> dict[str, Any]:
    """A card of an upcoming match without a market; give only what matters."""
    nothing = dict.fromkeys(
        [
            *(f"{name}_{side}" for name in ("odds", "implied", "edge") for side in ("home", "draw", "away")),
            *("outcome_1x2", "home_score", "away_score", "value_bet", "kelly_quarter", "live_score", "region_roi"),
            *("is_correct", "odds_collected_at", "fonbet_url"),
        ]
    )
    card = {
        **nothing,
        "match_id": 1,
        "home_team": "Ajax",
        "away_team": "PSV",
        "match_date": "2024-04-06T18:00:00Z",
        "season": "2023/24",
        "region": "Netherlands",
        "league": "Eredivisie",
        "sex": 0,
        "proba_home": 0.5,
        "proba_draw": 0.3,
        "proba_away": 0.2,
        "predicted_class": 0,
        "predicted_label": "home",
        "is_future": True,
        "model_run_id": "run",
        "model_stage": "champion",
        "home_elo": 1500.0,
        "away_elo": 1500.0,
        "home_form": "WWDLW",
        "away_form": "",
        "in_sample": False,
        "status": "upcoming",
    }
    return card | changes
