"""Parameters that only pass a setting on say what the setting says."""

import json
from typing import Any

import pytest

from chalicelib.settings import Settings
from infra.paths import ROOT
from infra.stack.setting_parameters import setting_parameters


@pytest.mark.parametrize(
    ("parameter", "field"),
    [("MaxBacklog", "max_backlog"), ("KeyRate", "key_rate"), ("ModelCheckSeconds", "model_check_seconds")],
)
def test_a_parameters_default_is_the_settings(template: dict[str, Any], parameter: str, field: str) -> None:
    assert template["Parameters"][parameter]["Default"] == Settings.model_fields[field].default
    assert template["Parameters"][parameter]["Description"] == Settings.model_fields[field].description


def test_ranges_and_choices_come_along(template: dict[str, Any]) -> None:
    age = template["Parameters"]["MaxQueueAgeSeconds"]
    assert (age["MinValue"], age["MaxValue"]) == (60, 259_200)
    assert template["Parameters"]["OddsProvider"]["AllowedValues"] == ["fonbet", "the_odds_api", "s3"]
    assert template["Parameters"]["ClientKeyRequired"]["Default"] == "true"


def test_what_the_template_declares_or_makes_itself_is_left_alone() -> None:
    variables = {
        "DATA_BUCKET": {"Ref": "DataBucket"},
        "KEY_RATE": {"Ref": "KeyRate"},
        "MAX_BACKLOG": {"Ref": "MaxBacklog"},
    }
    template = {
        "Parameters": {"KeyRate": {"Type": "Number"}},
        "Resources": {"DataBucket": {}},
        "Globals": {"Function": {"Environment": {"Variables": variables}}},
    }
    assert list(setting_parameters(template)) == ["MaxBacklog"]


def test_every_stages_parameters_exist(template: dict[str, Any]) -> None:
    for path in sorted((ROOT / "infra" / "stack" / "parameters").glob("*.json")):
        assert set(json.loads(path.read_text(encoding="utf-8"))) <= set(template["Parameters"]), path.name
