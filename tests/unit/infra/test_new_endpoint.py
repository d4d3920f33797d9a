"""An endpoint takes four edits: entry, handler line, route, policy. Proved by adding one to a copy of the project."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.packaging.chalice_config import CONFIG, to_text
from infra.paths import ROOT

pytestmark = pytest.mark.slow

ENTRY = """
    Endpoint(
        "seasons",
        "GET",
        "/predict/seasons/{season}",
        Access.CLIENT,
        "lists",
        summary="Matches of a season",
        description="Counts the matches of a season.",
        layers=(Layer.LIGHTGBM,),
        memory_mb=640,
        timeout_seconds=12,
    ),
)

BY_FUNCTION"""
HANDLER = '\nseasons = http_function("seasons")\n'
ROUTE = '''

@ROUTERS["seasons"].get("/predict/seasons/<season>/", tags=["lists"], responses=documented(MatchRow, 404))
def seasons(season: int) -> Response[str]:
    """A season."""
    return Response(200, "application/json", str(season))
'''
ASK = """
import json, tempfile
from pathlib import Path
from chalicelib.api.openapi import document
from chalicelib.api.routes import all_routers
from infra.packaging.build import template_of_stage

folder = Path(tempfile.mkdtemp(dir=".")).resolve()
print(json.dumps({"template": template_of_stage("prod", folder), "document": document(all_routers())}))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the endpoint `seasons`."""
    copy = tmp_path_factory.mktemp("project")
    shutil.copyfile(ROOT / "app.py", copy / "app.py")
    for folder in ("chalicelib", "batch", "infra", ".chalice"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", "*.parquet"))
    table = copy / "chalicelib" / "endpoints.py"
    text = table.read_text(encoding="utf-8")
    assert text.count(")\n\nBY_FUNCTION") == 1
    table.write_text(text.replace(")\n\nBY_FUNCTION", ENTRY.lstrip("\n")), encoding="utf-8")
    for path, addition in (("app.py", HANDLER), ("chalicelib/api/routes/lists.py", ROUTE)):
        with (copy / path).open("a", encoding="utf-8") as file:
            file.write(addition)
    policies = copy / ".chalice"
    policy = (policies / "policy-docs.json").read_text(encoding="utf-8").replace("-docs", "-seasons")
    (policies / "policy-seasons.json").write_text(policy, encoding="utf-8")
    return copy


@pytest.fixture(scope="module")
def derived(project: Path) -> dict[str, Any]:
    """The template and the OpenAPI document that the copy makes."""
    result = subprocess.run([sys.executable, "-c", ASK], cwd=project, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return answer


def test_the_function_is_deployed_with_what_its_entry_says(derived: dict[str, Any]) -> None:
    function = derived["template"]["Resources"]["Seasons"]["Properties"]
    assert (function["MemorySize"], function["Timeout"]) == (640, 12)
    assert function["Handler"] == "app.seasons"
    assert function["Layers"] == [{"Ref": "LightgbmNativeLayer"}]
    assert function["Role"] == {"Fn::GetAtt": ["SeasonsRole", "Arn"]}
    policy = derived["template"]["Resources"]["SeasonsRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    assert "-seasons" in json.dumps(policy)


def test_the_gateway_leads_to_it(derived: dict[str, Any]) -> None:
    resources = derived["template"]["Resources"]
    method = resources["MethodPredictSeasonsSeason"]["Properties"]
    assert "${SeasonsAliaslive}" in method["Integration"]["Uri"]["Fn::Sub"]
    assert resources["InvokePredictSeasonsSeason"]["Properties"]["FunctionName"] == {"Ref": "SeasonsAliaslive"}
    assert "SeasonsLogs" in resources


def test_it_is_documented(derived: dict[str, Any]) -> None:
    operation = derived["document"]["paths"]["/predict/seasons/{season}"]["get"]
    assert operation["operationId"] == "seasons"
    assert operation["summary"] == "Matches of a season"
    assert operation["x-access-level"] == "client"
    assert operation["security"] == [{"apiKey": []}]


def test_it_answers_and_asks_for_a_key(project: Path) -> None:
    script = (
        "import json, app;"
        'event = {"httpMethod": "GET", "resource": "/predict/seasons/{season}", "path": "/predict/seasons/2023/",'
        ' "headers": {}, "pathParameters": {"season": "2023"}, "queryStringParameters": None, "requestContext": {}};'
        "print(json.dumps(app.seasons(event, None)))"
    )
    settings = dict.fromkeys(
        ("DATA_BUCKET", "TASKS_TABLE", "INFERENCE_QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "INFERENCE_FUNCTION"), "x"
    ) | {"API_KEYS_SECRET_ID": "x", "POWERTOOLS_LOG_LEVEL": "CRITICAL"}
    for required, status in (("false", 200), ("true", 503)):
        result = subprocess.run(
            [sys.executable, "-c", script],
            cwd=project,
            env={**settings, "CLIENT_KEY_REQUIRED": required, "AWS_DEFAULT_REGION": "us-east-1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        answer = json.loads(result.stdout.splitlines()[-1])
        assert answer["statusCode"] == status, answer


def test_chalices_own_configuration_is_the_one_the_table_makes() -> None:
    assert CONFIG.read_text(encoding="utf-8") == to_text(), "stale: make rights"
