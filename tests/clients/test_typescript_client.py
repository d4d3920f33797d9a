"""The TypeScript types: those of the document, accepted by the compiler, and true of a running stack."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from soccer_predictions import SoccerPredictions

from infra.paths import ROOT
from tests.support.throwaway import RunningStack

FOLDER = ROOT / "clients" / "typescript"
SCRIPT = """
import { connect, homeProbability, upcomingCards } from "./example.js";
const api = connect(process.env.BASE_URL, process.env.CLIENT_KEY);
const cards = await upcomingCards(api, "Spain");
const home = await homeProbability(api, cards[0].match_id);
console.log(JSON.stringify({ ids: cards.map((card) => card.match_id), home }));
"""


def run(*command: str, cwd: Path = FOLDER, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def node() -> str:
    """PATH with Node, its packages installed."""
    run("make", "--silent", "clients/typescript/node_modules/.ready", cwd=ROOT)
    return f"{run('bash', 'infra/local/find_node.sh', cwd=ROOT).strip()}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.slow
def test_the_committed_types_are_those_of_the_document(node: str, tmp_path: Path) -> None:
    target = tmp_path / "schema.d.ts"
    run("npx", "openapi-typescript", "../../docs/openapi.json", "--output", str(target), PATH=node)
    assert (FOLDER / "schema.d.ts").read_text("utf-8") == target.read_text("utf-8"), "stale: make openapi"


def test_a_program_compiles_and_says_what_the_python_client_says(node: str, stack: RunningStack) -> None:
    run("npm", "run", "--silent", "build", PATH=node)
    script = FOLDER / "build" / "ask.js"
    script.write_text(SCRIPT, "utf-8")
    key = stack.environment["CLIENT_KEY"]
    said = json.loads(run("node", str(script), PATH=node, BASE_URL=stack.base_url, CLIENT_KEY=key))
    with SoccerPredictions(stack.base_url, api_key=key) as client:
        expected = [card.match_id for card in client.cards(region="Spain", status="upcoming")]
        live = client.predict_match(expected[0])
    assert said == {"ids": expected, "home": pytest.approx(live.prediction.probabilities.home)}
