"""The template as it is uploaded and as AWS expands it."""

import json
import subprocess
from typing import Any

import pytest

from infra.local.emulator import emulator_python
from infra.packaging.build import template_of_stage

# AWS's own transformer, which the emulator's environment brings. Our roles name no managed policy.
EXPAND = """
import json, sys
from samtranslator.translator.transform import transform
class NoManagedPolicies:
    def load(self):
        return {}
template = json.load(sys.stdin)
values = {name: str(parameter.get("Default", "")) for name, parameter in template["Parameters"].items()}
json.dump(transform(template, {**values, "Build": "hash", "Canary": "true"}, NoManagedPolicies()), sys.stdout)
"""
ARCHIVE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


def uploaded(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource whose archive is in S3, as `aws cloudformation package` leaves it."""
    if resource["Type"] not in ARCHIVE:
        return resource
    return {**resource, "Properties": {**resource["Properties"], ARCHIVE[resource["Type"]]: "s3://packages/hash"}}


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The template of stage `prod` as it is uploaded."""
    return template_of_stage("prod", tmp_path_factory.mktemp("prod"))


@pytest.fixture(scope="session")
def plain(written: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The resources AWS makes of it: plain CloudFormation by logical id."""
    resources = {name: uploaded(resource) for name, resource in written["Resources"].items()}
    ran = subprocess.run(
        [str(emulator_python()), "-c", EXPAND],
        input=json.dumps({**written, "Resources": resources}),
        check=True,
        capture_output=True,
        text=True,
        env={"AWS_DEFAULT_REGION": "us-east-1"},
    )
    expanded: dict[str, dict[str, Any]] = json.loads(ran.stdout)["Resources"]
    return expanded
