"""The REST API's resources from the HTTP table."""

from typing import Any

import pytest

from chalicelib.endpoints import Access, Endpoint
from infra.stack.functions import Function, Package
from infra.stack.gateway_definition import gateway_resources

FUNCTIONS = {name: Function(name, Package.API) for name in ("predict", "predict_match", "docs")}


def deployment_of(*endpoints: Endpoint) -> str:
    """Logical id of the deployment of these endpoints."""
    (name,) = (name for name in gateway_resources(FUNCTIONS, endpoints) if name.startswith("ApiDeployment"))
    return name


def endpoint_of(function: str, path: str, **details: Any) -> Endpoint:
    """A GET endpoint of which only function and path matter."""
    return Endpoint(function, "GET", path, Access.PUBLIC, "site", summary="A title", description="A text.", **details)


PREDICT = endpoint_of("predict", "/predict")
MATCH = endpoint_of("predict_match", "/predict/{match_id}")


def test_folders_above_a_path_become_resources_once() -> None:
    resources = gateway_resources(FUNCTIONS, [PREDICT, MATCH])
    paths = {name: res["Properties"]["PathPart"] for name, res in resources.items() if name.startswith("Path")}
    assert paths == {"PathPredict": "predict", "PathPredictMatchId": "{match_id}"}
    assert resources["PathPredictMatchId"]["Properties"]["ParentId"] == {"Ref": "PathPredict"}


def test_an_added_route_publishes_a_new_deployment_and_an_unchanged_table_does_not() -> None:
    assert deployment_of(PREDICT) == deployment_of(PREDICT)
    assert deployment_of(PREDICT) != deployment_of(PREDICT, MATCH)


def test_an_added_route_leaves_the_api_itself_alone() -> None:
    # the emulator replaces an API whose own definition changes, and its URL with it
    before, after = gateway_resources(FUNCTIONS, [PREDICT]), gateway_resources(FUNCTIONS, [PREDICT, MATCH])
    assert before["RestApi"] == after["RestApi"]
    assert "Body" not in before["RestApi"]["Properties"]


def test_endpoints_of_functions_that_are_not_deployed_are_left_out() -> None:
    resources = gateway_resources({"predict": FUNCTIONS["predict"]}, [PREDICT, MATCH])
    assert "MethodPredict" in resources
    assert "MethodPredictMatchId" not in resources


def test_a_greedy_path_is_invocable_below_it() -> None:
    docs = endpoint_of("docs", "/docs", asset_paths=("/docs/{asset+}",))
    resources = gateway_resources(FUNCTIONS, [docs])
    assert resources["PathDocsAsset"]["Properties"]["PathPart"] == "{asset+}"
    assert resources["InvokeDocsAsset"]["Properties"]["SourceArn"]["Fn::Sub"].endswith("${RestApi}/*/*/docs/*")


def test_two_paths_that_would_share_a_logical_id_are_refused() -> None:
    with pytest.raises(ValueError, match="share the id"):
        gateway_resources(
            FUNCTIONS,
            [MATCH, endpoint_of("predict", "/predict/match-id")],
        )


def test_every_method_of_a_path_reaches_its_function_which_answers_preflights_and_405() -> None:
    assert gateway_resources(FUNCTIONS, [PREDICT])["MethodPredict"]["Properties"]["HttpMethod"] == "ANY"
