"""The rights of CloudFormation's role, read beside the templates that it works on."""

from typing import Any, Final

import pytest

from infra.paths import DEPLOYER
from infra.reference.rights import as_list
from infra.stack import cfn_yaml
from infra.stack.bulk import bulk_template
from infra.stack.function_alarms import function_alarms
from infra.stack.functions import FUNCTIONS
from infra.stack.stages import target_of

IAM_PREFIXES: Final = {"Serverless": "lambda", "StepFunctions": "states"}
"""Of services whose actions are not named as their resource types are."""


@pytest.fixture(scope="module")
def statements() -> list[dict[str, Any]]:
    """What the role is allowed."""
    role = cfn_yaml.load(DEPLOYER)["Resources"]["CloudFormationRole"]["Properties"]
    return [statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]]


@pytest.fixture
def resources(template: dict[str, Any]) -> dict[str, Any]:
    """All resources of the stack and of those nested in it."""
    nested = (bulk_template(target_of("prod")), function_alarms(FUNCTIONS))
    return {name: resource for part in (template, *nested) for name, resource in part["Resources"].items()}


def actions(statements: list[dict[str, Any]]) -> set[str]:
    return {action for statement in statements for action in as_list(statement["Action"])}


def test_it_may_work_on_every_service_that_a_template_has_resources_of(
    statements: list[dict[str, Any]], resources: dict[str, Any]
) -> None:
    services = {resource["Type"].split("::")[1] for resource in resources.values()}
    needed = {IAM_PREFIXES.get(service, service.lower()) for service in services}
    assert needed - {action.partition(":")[0] for action in actions(statements)} == set()


def test_it_may_pass_roles_to_every_service_that_takes_one(
    statements: list[dict[str, Any]], resources: dict[str, Any]
) -> None:
    (passing,) = [statement for statement in statements if statement["Action"] == "iam:PassRole"]
    allowed = set(passing["Condition"]["StringEquals"]["iam:PassedToService"])
    roles = [resource for resource in resources.values() if resource["Type"] == "AWS::IAM::Role"]
    trusts = [
        statement["Principal"]["Service"]
        for role in roles
        for statement in role["Properties"].get("AssumeRolePolicyDocument", {}).get("Statement", [])
    ]
    assert {service for trust in trusts for service in as_list(trust)} <= allowed
