"""The REST API as CloudFormation resources, generated from `chalicelib.endpoints`.

Plain `Resource` and `Method` resources rather than an OpenAPI body: the emulator replaces an API whose
body changes (its URL with it) and drops gateway responses, validators and binary types from a body.
A path with and without its trailing slash is one resource, in the emulator as on AWS.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from chalicelib.api.failures import error_body
from chalicelib.endpoints import ENDPOINTS, Access, Endpoint
from infra.stack.function_resources import reference
from infra.stack.functions import Function
from infra.stack.stages import Target

Resource = dict[str, Any]

_PUBLISHED: Final = frozenset({"AWS::ApiGateway::GatewayResponse", "AWS::ApiGateway::Method"})

# (type, status, code, message) of what API Gateway itself answers, before or instead of a function.
# An unknown path is MISSING_AUTHENTICATION_TOKEN in API Gateway's words.
GATEWAY_RESPONSES: Final = (
    ("DEFAULT_4XX", 400, "bad_request", "bad request"),
    ("DEFAULT_5XX", 500, "internal_error", "internal server error"),
    ("ACCESS_DENIED", 403, "access_denied", "access denied"),
    ("API_CONFIGURATION_ERROR", 500, "internal_error", "internal server error"),
    ("BAD_REQUEST_BODY", 400, "bad_request", "bad request body"),
    ("BAD_REQUEST_PARAMETERS", 400, "bad_request", "bad request parameters"),
    ("INTEGRATION_FAILURE", 502, "function_unreachable", "the function could not be reached"),
    ("INTEGRATION_TIMEOUT", 504, "deadline_exceeded", "no answer within the gateway's limit of 29 seconds"),
    ("MISSING_AUTHENTICATION_TOKEN", 404, "not_found", "not found"),
    ("QUOTA_EXCEEDED", 429, "throttled", "quota exceeded"),
    ("REQUEST_TOO_LARGE", 413, "body_too_large", "the request is larger than 10 MB"),
    ("RESOURCE_NOT_FOUND", 404, "not_found", "not found"),
    ("THROTTLED", 429, "throttled", "too many requests"),
    ("UNSUPPORTED_MEDIA_TYPE", 415, "unsupported_media_type", "unsupported media type"),
    ("WAF_FILTERED", 403, "access_denied", "access denied"),
)
RETRY_AFTER_SECONDS: Final = {"THROTTLED": 1, "QUOTA_EXCEEDED": 3600}

# Functions answer gzip as base64. With `*/*` both AWS and the emulator turn every base64 answer back
# into bytes; a list of types would do so only when the caller's Accept names one of them literally.
BINARY_MEDIA_TYPES: Final = ["*/*"]

# One line per request; no header and no query string, in which callers may have put a key.
ACCESS_LOG_FIELDS: Final = {
    "request_id": "$context.requestId",
    "time": "$context.requestTime",
    "method": "$context.httpMethod",
    "route": "$context.resourcePath",
    "status": "$context.status",
    "latency_ms": "$context.responseLatency",
    "integration_ms": "$context.integrationLatency",
    "bytes": "$context.responseLength",
    "error": "$context.error.responseType",
    "caller": "$context.identity.sourceIp",
}


def _words(text: str) -> str:
    """A path or name as the CamelCase CloudFormation ids allow: `/predict/{match_id}` is `PredictMatchId`."""
    parts = "".join(char if char.isalnum() else " " for char in text).split()
    return "".join(part[0].upper() + part[1:] for part in parts)


def _path_id(path: str) -> str:
    return f"Path{_words(path)}"


def _resources(paths: Iterable[str]) -> dict[str, Resource]:
    """One `AWS::ApiGateway::Resource` per path and per folder above it."""
    resources: dict[str, Resource] = {}
    for path in paths:
        parent: Resource = {"Fn::GetAtt": ["RestApi", "RootResourceId"]}
        prefix = ""
        for part in path.strip("/").split("/"):
            prefix = f"{prefix}/{part}"
            logical_id = _path_id(prefix)
            resource: Resource = {
                "Type": "AWS::ApiGateway::Resource",
                "Properties": {"RestApiId": {"Ref": "RestApi"}, "ParentId": parent, "PathPart": part},
            }
            if resources.setdefault(logical_id, resource) != resource:
                raise ValueError(f"two paths share the id {logical_id}; one of them is {prefix}")
            parent = {"Ref": logical_id}
    return resources


def _method(path: str, function: Function, target: Target) -> Resource:
    """The one integration of a path: its function, as a proxy, whatever the method.

    The function answers a browser's preflight (OPTIONS) and refuses other methods with 405 and `Allow`; by itself the
    gateway would say that the path does not exist.
    """
    return {
        "Type": "AWS::ApiGateway::Method",
        "Properties": {
            "RestApiId": {"Ref": "RestApi"},
            "ResourceId": {"Ref": _path_id(path)},
            "HttpMethod": "ANY",
            # Keys are compared by the functions, in constant time; the gateway only routes and throttles.
            "AuthorizationType": "NONE",
            "Integration": {
                "Type": "AWS_PROXY",
                "IntegrationHttpMethod": "POST",
                "Uri": {
                    "Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
                    f"${{{_invoked(function, target)}}}/invocations"
                },
            },
        },
    }


def _invoked(function: Function, target: Target) -> str:
    """The ARN that the gateway calls, as `Fn::Sub` names it."""
    return f"{function.logical_id}.Arn" if target.local else reference(function, target)


def _permission(path: str, function: Function, target: Target) -> Resource:
    """API Gateway may invoke the function, for this path only."""
    pattern = "/".join("*" if part.startswith("{") else part for part in path.split("/"))
    return {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "FunctionName": {"Ref": reference(function, target)},
            "Action": "lambda:InvokeFunction",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": {
                "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${RestApi}"
                f"/*/*{pattern}"
            },
        },
    }


def _gateway_response(kind: str, status: int, code: str, message: str) -> Resource:
    """An error of API Gateway's own in the contract's form, with the request's id."""
    first_origin = {"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "BoardOrigin"}]}]}
    headers: dict[str, Any] = {
        "gatewayresponse.header.x-request-id": "context.requestId",
        # API Gateway sends fixed values only, so that of several origins just the first can read these errors.
        "gatewayresponse.header.Access-Control-Allow-Origin": {
            "Fn::If": [
                "BoardOriginGiven",
                {"Fn::Sub": ["'${Origin}'", {"Origin": first_origin}]},
                {"Ref": "AWS::NoValue"},
            ]
        },
        "gatewayresponse.header.Access-Control-Expose-Headers": "'Retry-After, x-request-id'",
        "gatewayresponse.header.Vary": "'Origin'",
    }
    if kind in RETRY_AFTER_SECONDS:
        headers["gatewayresponse.header.Retry-After"] = f"'{RETRY_AFTER_SECONDS[kind]}'"
    return {
        "Type": "AWS::ApiGateway::GatewayResponse",
        "Properties": {
            "RestApiId": {"Ref": "RestApi"},
            "ResponseType": kind,
            "StatusCode": str(status),
            "ResponseParameters": headers,
            "ResponseTemplates": {"application/json": error_body(status, code, message)},
        },
    }


def _limits(resource_path: str, http_method: str, kind: str) -> Resource:
    """Method settings with the limits of a kind of route; API Gateway counts each path's method by itself."""
    burst = f"{kind}ThrottleRate" if kind == "Operator" else f"{kind}ThrottleBurst"
    return {
        "ResourcePath": resource_path,
        "HttpMethod": http_method,
        # Per method and priced per metric; the alarms read the API's own figures, which cost nothing.
        "MetricsEnabled": False,
        "ThrottlingRateLimit": {"Ref": f"{kind}ThrottleRate"},
        "ThrottlingBurstLimit": {"Ref": burst},
    }


def _special_limits(endpoints: Iterable[Endpoint]) -> list[tuple[str, str, str]]:
    """Path, method and kind where the limit is not a public one: more for keys and their tasks, less for operators.

    By concrete methods: API Gateway's stages know no ANY, a path with that method has settings for each it stands for.
    """
    kinds = {Access.OPERATOR: "Operator", Access.CLIENT: ""}
    return [
        (path, endpoint.method, kinds.get(endpoint.access, ""))
        for endpoint in endpoints
        if endpoint.access in kinds or endpoint.routes == "tasks"
        for path in endpoint.paths
    ]


def published(template: dict[str, Any], values: Mapping[str, str | None]) -> dict[str, Any]:
    """The template with a deployment of the gateway for these values.

    API Gateway publishes methods and its own responses only with a new deployment, whose id carries a hash of them;
    the values of the parameters in them (`BoardOrigin`) are known when the stack is deployed and not before.

    Args:
        template: A stack's template.
        values: The parameters' values that the stack is going to have.
    """
    resources = template["Resources"]
    used = {
        name: values.get(name)
        for resource in resources.values()
        if resource["Type"] in _PUBLISHED
        for name in _references(resource)
        if name in template["Parameters"]
    }
    (old,) = (name for name, one in resources.items() if one["Type"] == "AWS::ApiGateway::Deployment")
    new = f"ApiDeployment{hashlib.sha256(json.dumps([old, used], sort_keys=True).encode()).hexdigest()[:12]}"
    renamed: dict[str, Any] = json.loads(json.dumps(template).replace(f'"{old}"', f'"{new}"'))
    return renamed


def _references(value: Any) -> Iterator[str]:
    """The names that a part of a template refers to by `Ref`."""
    if isinstance(value, dict):
        if "Ref" in value:
            yield str(value["Ref"])
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _references(item)


def gateway_resources(
    functions: Mapping[str, Function], target: Target, endpoints: Iterable[Endpoint] = ENDPOINTS
) -> dict[str, Resource]:
    """The REST API with every endpoint whose function is deployed.

    Args:
        functions: The stack's functions by name; an endpoint of any other function is left out, so that
            a half-written app can be deployed.
        target: What the functions run on.
        endpoints: The HTTP table.

    Returns:
        CloudFormation resources by logical id. The deployment's id carries a hash of the rest, because
        API Gateway publishes a change only with a new deployment.
    """
    served = [endpoint for endpoint in endpoints if endpoint.function in functions]
    routes = [(path, functions[endpoint.function]) for endpoint in served for path in endpoint.paths]
    methods = {f"Method{_words(path)}": _method(path, function, target) for path, function in routes}
    permissions = {f"Invoke{_words(path)}": _permission(path, function, target) for path, function in routes}
    responses = {
        f"Gateway{_words(kind.replace('_', ' ').title())}": _gateway_response(kind, status, code, message)
        for kind, status, code, message in GATEWAY_RESPONSES
    }
    rest_api: Resource = {
        "Type": "AWS::ApiGateway::RestApi",
        "Properties": {
            "Name": {"Ref": "AWS::StackName"},
            "EndpointConfiguration": {"Types": ["REGIONAL"]},
            "BinaryMediaTypes": BINARY_MEDIA_TYPES,
            "Tags": [
                # An update of nothing but parameters and outputs would be no update for the emulator.
                {"Key": "build", "Value": {"Ref": "Build"}},
                {
                    "Fn::If": [
                        "FixedApiId",
                        {"Key": "ms-custom-id", "Value": {"Ref": "ApiId"}},
                        {"Ref": "AWS::NoValue"},
                    ]
                },
            ],
        },
    }
    resources = {
        "RestApi": rest_api,
        **_resources(path for path, _ in routes),
        **methods,
        **permissions,
        **responses,
    }
    digest = hashlib.sha256(json.dumps(resources, sort_keys=True).encode()).hexdigest()[:12]
    deployment_id = f"ApiDeployment{digest}"
    resources[deployment_id] = {
        "Type": "AWS::ApiGateway::Deployment",
        "DependsOn": sorted([*methods, *responses]),
        "Properties": {"RestApiId": {"Ref": "RestApi"}},
    }
    resources["ApiStage"] = {
        "Type": "AWS::ApiGateway::Stage",
        "Properties": {
            "RestApiId": {"Ref": "RestApi"},
            "DeploymentId": {"Ref": deployment_id},
            "StageName": {"Ref": "Stage"},
            "TracingEnabled": {"Fn::If": ["TracingActive", True, False]},
            "AccessLogSetting": {
                "Fn::If": [
                    "AccessLogsOn",
                    {"DestinationArn": {"Fn::GetAtt": ["AccessLog", "Arn"]}, "Format": json.dumps(ACCESS_LOG_FIELDS)},
                    {"Ref": "AWS::NoValue"},
                ]
            },
            "MethodSettings": [
                _limits("/*", "*", "Public"),
                *(
                    _limits(f"/{path.replace('/', '~1')}", method, kind)
                    for path, method, kind in _special_limits(served)
                ),
            ],
        },
    }
    return resources
