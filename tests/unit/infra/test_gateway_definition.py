"""The REST API's resources from the HTTP table."""

from typing import Any

import pytest

from chalicelib.endpoints import Access, Endpoint
from infra.stack.functions import Function, Package
from infra.stack.gateway_definition import gateway_resources, published
from infra.stack.stages import target_of

AWS = target_of("prod")
FUNCTIONS = {name: Function(name, Package.API) for name in ("predict", "predict_match", "docs")}


def deployment_of(*endpoints: Endpoint) -> str:
    """Logical id of the deployment of these endpoints."""
    (name,) = (name for name in gateway_resources(FUNCTIONS, AWS, endpoints) if name.startswith("ApiDeployment"))
    return name


def endpoint_of(function: str, path: str, **details: Any) -> Endpoint:
    """A GET endpoint of which only function and path matter."""
    return Endpoint(function, "GET", path, Access.PUBLIC, "site", summary="A title", description="A text.", **details)


PREDICT = endpoint_of("predict", "/predict")
MATCH = endpoint_of("predict_match", "/predict/{match_id}")


def test_folders_above_a_path_become_resources_once() -> None:
    resources = gateway_resources(FUNCTIONS, AWS, [PREDICT, MATCH])
    paths = {name: res["Properties"]["PathPart"] for name, res in resources.items() if name.startswith("Path")}
    assert paths == {"PathPredict": "predict", "PathPredictMatchId": "{match_id}"}
    assert resources["PathPredictMatchId"]["Properties"]["ParentId"] == {"Ref": "PathPredict"}


def test_an_added_route_publishes_a_new_deployment_and_an_unchanged_table_does_not() -> None:
    assert deployment_of(PREDICT) == deployment_of(PREDICT)
    assert deployment_of(PREDICT) != deployment_of(PREDICT, MATCH)


def test_an_added_route_leaves_the_api_itself_alone() -> None:
    # the emulator replaces an API whose own definition changes, and its URL with it
    before, after = gateway_resources(FUNCTIONS, AWS, [PREDICT]), gateway_resources(FUNCTIONS, AWS, [PREDICT, MATCH])
    assert before["RestApi"] == after["RestApi"]
    assert "Body" not in before["RestApi"]["Properties"]


def test_endpoints_of_functions_that_are_not_deployed_are_left_out() -> None:
    resources = gateway_resources({"predict": FUNCTIONS["predict"]}, AWS, [PREDICT, MATCH])
    assert "MethodPredict" in resources
    assert "MethodPredictMatchId" not in resources


def test_a_greedy_path_is_invocable_below_it() -> None:
    docs = endpoint_of("docs", "/docs", asset_paths=("/docs/{asset+}",))
    resources = gateway_resources(FUNCTIONS, AWS, [docs])
    assert resources["PathDocsAsset"]["Properties"]["PathPart"] == "{asset+}"
    assert resources["InvokeDocsAsset"]["Properties"]["SourceArn"]["Fn::Sub"].endswith("${RestApi}/*/*/docs/*")


def test_two_paths_that_would_share_a_logical_id_are_refused() -> None:
    with pytest.raises(ValueError, match="share the id"):
        gateway_resources(
            FUNCTIONS,
            AWS,
            [MATCH, endpoint_of("predict", "/predict/match-id")],
        )


def test_every_method_of_a_path_reaches_its_function_which_answers_preflights_and_405() -> None:
    assert gateway_resources(FUNCTIONS, AWS, [PREDICT])["MethodPredict"]["Properties"]["HttpMethod"] == "ANY"


def test_another_board_origin_publishes_a_new_deployment_because_the_gateways_errors_name_it() -> None:
    resources = gateway_resources(FUNCTIONS, AWS, [PREDICT])
    template = {"Parameters": {"BoardOrigin": {"Default": ""}, "LogLevel": {"Default": "INFO"}}, "Resources": resources}

    def deployments(**values: str) -> set[str]:
        return {name for name in published(template, values)["Resources"] if name.startswith("ApiDeployment")}

    before = deployments(BoardOrigin="", LogLevel="INFO")
    assert deployments(BoardOrigin="", LogLevel="DEBUG") == before
    assert len(before) == 1
    assert deployments(BoardOrigin="https://example.org", LogLevel="INFO").isdisjoint(before)
    (name,) = before
    stage = published(template, {"BoardOrigin": ""})["Resources"]["ApiStage"]["Properties"]
    assert stage["DeploymentId"] == {"Ref": name}


def test_operators_and_public_paths_get_limits_of_their_own() -> None:
    functions = {name: Function(name, Package.API) for name in ("predict", "cards", "queues", "task_status")}
    kinds = {"predict": Access.CLIENT, "cards": Access.PUBLIC, "queues": Access.OPERATOR, "task_status": Access.PUBLIC}
    endpoints = [
        Endpoint(name, "GET", f"/{name}/x", access, "tasks" if name == "task_status" else "lists", "A", "B")
        for name, access in kinds.items()
    ]
    stage = gateway_resources(functions, AWS, endpoints)["ApiStage"]["Properties"]
    limits = {
        (setting["ResourcePath"], setting["HttpMethod"]): setting["ThrottlingRateLimit"]["Ref"]
        for setting in stage["MethodSettings"]
    }
    assert limits == {
        ("/*", "*"): "PublicThrottleRate",
        ("/~1predict~1x", "GET"): "ThrottleRate",
        ("/~1queues~1x", "GET"): "OperatorThrottleRate",
        ("/~1task_status~1x", "GET"): "ThrottleRate",
    }
