"""GET /predict/projections/."""

from typing import Any

import pytest

from chalicelib.contracts.lists import ProjectionRow
from chalicelib.storage.objects import ObjectStore
from tests.handlers.calling import call
from tests.support.builders import make_predictions, publish


def make_row(**changes: Any) -> dict[str, Any]:
    extra: Any = ProjectionRow.model_config["json_schema_extra"]
    example: dict[str, Any] = extra["examples"][0]
    return example | changes


ROWS = [
    make_row(),
    make_row(team="Chelsea", projected_position=2),
    make_row(team="Tottenham Hotspur", projected_position=3),
    make_row(region="Spain", league="La Liga", team="Girona"),
    make_row(region="Spain", league="La Liga", team="Atl\u00e9tico Madrid", projected_position=2),
]
ENGLAND, SPAIN = ["Arsenal", "Chelsea", "Tottenham Hotspur"], ["Girona", "Atl\u00e9tico Madrid"]


MATCHES = make_predictions(3).assign(
    region=["England", "England", "Spain"],
    home_team=["Arsenal", "Chelsea", "Girona"],
    away_team=["Tottenham Hotspur", "Everton", "Atl\u00e9tico Madrid"],
)


def teams(objects: ObjectStore, **query: str) -> list[str]:
    publish(objects, predictions=MATCHES, projections=ROWS)
    status, body, _ = call("projections", query=query)
    assert status == 200
    return [row["team"] for row in body]


def test_the_rows_are_those_of_the_release(objects: ObjectStore) -> None:
    publish(objects, projections=ROWS)
    status, body, headers = call("projections")
    assert (status, body) == (200, ROWS)
    assert call("projections", headers={"If-None-Match": headers["etag"]})[0] == 304


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"region": "sp\u00e1in"}, SPAIN),
        ({"league": "PREMIER LEAGUE"}, ENGLAND),
        # A team's whole table, since a place means nothing without the others.
        ({"team": "chels"}, ENGLAND),
        ({"team": "Spurs"}, ENGLAND),
        ({"team": "atletico"}, SPAIN),
        ({"team": "."}, []),
        ({"team": "Ajax"}, []),
    ],
)
def test_filters_choose_whole_tables(objects: ObjectStore, query: dict[str, str], expected: list[str]) -> None:
    assert teams(objects, **query) == expected


def test_a_release_without_projections_is_503(objects: ObjectStore) -> None:
    publish(objects)
    assert call("projections")[0] == 503
