"""What the emulator does not enforce is checked here, on the template that AWS would get."""

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from batch.export import EXPORTS
from batch.jobs.bulk import BULK
from batch.odds.providers.snapshot import PREFIX
from batch.odds.sources import SNAPSHOTS
from batch.settings import BatchSettings
from chalicelib.endpoints import ENDPOINTS
from chalicelib.settings import Settings
from infra.local.dropped_properties import lifecycle_rules
from infra.stack.functions import BY_NAME, FUNCTIONS, Package
from infra.stack.template import TemplateError, check_template

GATEWAY_LIMIT_SECONDS = 29

# actions that cannot be restricted to a resource, and why a function needs them
ONLY_WITHOUT_RESOURCE = {
    "cloudwatch:GetMetricData": "GET /metrics reads counters that functions emitted",
    "cloudwatch:ListMetrics": "GET /metrics finds the label values there are",
    "lambda:ListEventSourceMappings": "GET /monitoring/workers shows the queue's mapping",
    **dict.fromkeys(
        (
            *("ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"),
            *("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses"),
        ),
        "Lambda's network interfaces, where SubnetIds are given",
    ),
    "xray:PutTelemetryRecords": "tracing, when the stack parameter Tracing is Active",
    "xray:PutTraceSegments": "tracing, when the stack parameter Tracing is Active",
}


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Resources of a type by logical id."""
    return {name: res for name, res in template["Resources"].items() if res["Type"] == kind}


def functions(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Properties of every function by logical id."""
    return {name: res["Properties"] for name, res in of_type(template, "AWS::Serverless::Function").items()}


def default_of(template: dict[str, Any], value: Any) -> Any:
    """A literal, or the default of the parameter it refers to."""
    return template["Parameters"][value["Ref"]]["Default"] if isinstance(value, dict) and "Ref" in value else value


def statements(template: dict[str, Any], role: str) -> Iterator[dict[str, Any]]:
    """A role's statements, those under a condition included."""
    for policy in template["Resources"][role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            yield statement["Fn::If"][1] if "Fn::If" in statement else statement


def listed(value: Any) -> list[Any]:
    """A value that may be one or a list, as a list."""
    return value if isinstance(value, list) else [value]


# ── Functions ───────────────────────────────────────────────────────────────────────────────────────


def test_every_function_of_the_table_is_in_the_template(template: dict[str, Any]) -> None:
    assert set(functions(template)) == {function.logical_id for function in FUNCTIONS}


def test_every_function_has_memory_timeout_name_and_a_runtime_with_a_new_enough_glibc(template: dict[str, Any]) -> None:
    for name, properties in functions(template).items():
        assert 128 <= properties["MemorySize"] <= 10_240, name
        assert 1 <= properties["Timeout"] <= 900, name
        assert properties["Runtime"] == "python3.12", name
        assert properties["FunctionName"]["Fn::Sub"].startswith("${AWS::StackName}-"), name


def test_functions_behind_the_gateway_give_up_before_the_gateway_does(template: dict[str, Any]) -> None:
    for endpoint in ENDPOINTS:
        timeout = functions(template)[BY_NAME[endpoint.function].logical_id]["Timeout"]
        assert timeout < GATEWAY_LIMIT_SECONDS, endpoint.function


def test_layers_go_only_where_they_are_used(template: dict[str, Any]) -> None:
    layers = {
        name: sorted(layer["Ref"] for layer in properties.get("Layers", []))
        for name, properties in functions(template).items()
    }
    assert layers["Predict"] == ["LightgbmNativeLayer"]
    assert layers["Rebuild"] == ["LightgbmNativeLayer", "PyarrowLayer"]
    assert layers["Cards"] == []
    assert layers["TaskStatus"] == []


def test_every_function_writes_to_a_log_group_with_retention(template: dict[str, Any]) -> None:
    groups = of_type(template, "AWS::Logs::LogGroup")
    for name, properties in functions(template).items():
        group = groups[properties["LoggingConfig"]["LogGroup"]["Ref"]]["Properties"]
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name
        assert group["LogGroupName"]["Fn::Sub"] == "/aws/lambda/" + properties["FunctionName"]["Fn::Sub"], name


def test_functions_get_every_setting_without_a_default_and_none_that_nobody_reads(template: dict[str, Any]) -> None:
    shared = set(template["Globals"]["Function"]["Environment"]["Variables"])
    of_library = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"}
    required = {name.upper() for name, field in Settings.model_fields.items() if field.is_required()}
    readable = {name.upper() for name in Settings.model_fields} | of_library
    known_to_batch = {name.upper() for name in BatchSettings.model_fields} | of_library
    assert required <= shared <= readable
    for function in FUNCTIONS:
        variables = set(functions(template)[function.logical_id].get("Environment", {}).get("Variables", {}))
        assert variables <= (known_to_batch if function.package is Package.BATCH else readable), function.name


# ── Queues ──────────────────────────────────────────────────────────────────────────────────────────


def consumers(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Each function that a queue invokes, its event's properties and its queue's."""
    for name, properties in functions(template).items():
        for event in properties.get("Events", {}).values():
            if event["Type"] == "SQS":
                queue = event["Properties"]["Queue"]["Fn::GetAtt"][0]
                yield name, event["Properties"], template["Resources"][queue]["Properties"]


def test_every_queue_redrives_to_a_dead_letter_queue_unless_it_is_one(template: dict[str, Any]) -> None:
    queues = of_type(template, "AWS::SQS::Queue")
    redrives = {
        name: queue["Properties"]["RedrivePolicy"]
        for name, queue in queues.items()
        if "RedrivePolicy" in queue["Properties"]
    }
    dead = {policy["deadLetterTargetArn"]["Fn::GetAtt"][0] for policy in redrives.values()}
    assert dead == {"DeadLetterQueue"}
    # what nobody consumes is looked at by a person
    assert set(queues) - set(redrives) == {"DeadLetterQueue", "FailedRunsQueue"}
    assert {policy["maxReceiveCount"] for policy in redrives.values()} == {5}


def test_a_message_stays_invisible_for_six_times_the_consumers_timeout(template: dict[str, Any]) -> None:
    visibility_by_queue = {name: queue["VisibilityTimeout"] for name, _, queue in consumers(template)}
    assert set(visibility_by_queue) == {"Inference", "DeadLetters"}
    for name, visibility in visibility_by_queue.items():
        assert visibility >= 6 * functions(template)[name]["Timeout"], name


def test_one_bad_message_fails_alone(template: dict[str, Any]) -> None:
    for name, event, _ in consumers(template):
        assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name


def test_large_batches_have_the_window_that_aws_demands(template: dict[str, Any]) -> None:
    for name, event, _ in consumers(template):
        if default_of(template, event["BatchSize"]) > 10:
            assert default_of(template, event["MaximumBatchingWindowInSeconds"]) >= 1, name


def test_reserving_less_than_the_queue_may_start_is_not_the_default(template: dict[str, Any]) -> None:
    # a mapping that starts more than the reservation would throttle, and throttled messages end as dead letters
    assert template["Parameters"]["InferenceReservedConcurrency"]["Default"] == -1


# ── Data ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["DataBucket", "TasksTable"])
def test_what_holds_data_outlives_the_stack(template: dict[str, Any], name: str) -> None:
    resource = template["Resources"][name]
    # but not the creation that fails, which could otherwise never be tried again under the same names
    assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource["UpdateReplacePolicy"] == "Retain"


def test_the_bucket_is_private_versioned_and_encrypted(template: dict[str, Any]) -> None:
    bucket = template["Resources"]["DataBucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rules[0]["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_what_only_grows_is_forgotten_in_time(template: dict[str, Any]) -> None:
    rules = template["Resources"]["DataBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    by_prefix = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    providers = set(get_args(BatchSettings.model_fields["odds_provider"].annotation)) - {SNAPSHOTS}
    assert by_prefix == {
        **{f"{PREFIX}{provider}/": {"Ref": "RawOddsDays"} for provider in providers},
        EXPORTS: {"Ref": "ExportDays"},
        BULK: 7,
    }
    everywhere = next(rule for rule in rules if rule["Id"] == "forget-overwritten-versions")
    assert everywhere["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert everywhere["ExpiredObjectDeleteMarker"] is True


def test_the_emulator_is_given_the_same_lifecycle(template: dict[str, Any]) -> None:
    values = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
    rules = lifecycle_rules(template["Resources"]["DataBucket"], values)
    by_id = {rule["ID"]: rule for rule in rules}
    expected = {"Filter": {"Prefix": "exports/"}, "Expiration": {"Days": 30}}
    assert expected.items() <= by_id["forget-exports"].items()
    assert rules[0]["Expiration"] == {"ExpiredObjectDeleteMarker": True}


def test_bucket_and_queues_refuse_plain_http(template: dict[str, Any]) -> None:
    for name in ("DataBucketPolicy", "QueuesPolicy", "FailedRunsPolicy"):
        statement = template["Resources"][name]["Properties"]["PolicyDocument"]["Statement"][0]
        assert statement["Effect"] == "Deny", name
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}, name


def test_the_table_expires_items_and_can_be_restored(template: dict[str, Any]) -> None:
    table = template["Resources"]["TasksTable"]["Properties"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_queues_encrypt_at_rest(template: dict[str, Any]) -> None:
    for name, queue in of_type(template, "AWS::SQS::Queue").items():
        assert queue["Properties"]["SqsManagedSseEnabled"] is True, name


def test_the_api_keys_start_empty_so_that_nobody_knows_one(template: dict[str, Any]) -> None:
    generated = template["Resources"]["ApiKeysSecret"]["Properties"]["GenerateSecretString"]
    assert json.loads(generated["SecretStringTemplate"]) == {"client": [], "operator": []}


# ── Rights ──────────────────────────────────────────────────────────────────────────────────────────


def test_every_function_has_a_role_of_its_own_that_only_lambda_assumes(template: dict[str, Any]) -> None:
    roles = [properties["Role"]["Fn::GetAtt"][0] for properties in functions(template).values()]
    assert len(set(roles)) == len(roles)
    for role in roles:
        (statement,) = template["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}, role
        assert "ManagedPolicyArns" not in template["Resources"][role]["Properties"], role


def test_no_right_is_a_wildcard_of_actions(template: dict[str, Any]) -> None:
    for function in FUNCTIONS:
        for statement in statements(template, function.role_logical_id):
            assert statement["Effect"] == "Allow"
            for action in listed(statement["Action"]):
                assert "*" not in action, function.name


def test_only_actions_that_cannot_be_restricted_have_every_resource(template: dict[str, Any]) -> None:
    for function in FUNCTIONS:
        for statement in statements(template, function.role_logical_id):
            if "*" in listed(statement["Resource"]):
                assert set(listed(statement["Action"])) <= set(ONLY_WITHOUT_RESOURCE), function.name


def test_every_function_may_write_its_own_log_and_no_other(template: dict[str, Any]) -> None:
    for function in FUNCTIONS:
        logs = [
            statement
            for statement in statements(template, function.role_logical_id)
            if statement["Action"][0].startswith("logs:")
        ]
        assert [statement["Action"] for statement in logs] == [["logs:CreateLogStream", "logs:PutLogEvents"]], (
            function.name
        )
        assert logs[0]["Resource"]["Fn::Sub"].endswith(f"/aws/lambda/${{AWS::StackName}}-{function.name}:*")


def test_only_functions_that_look_at_a_key_read_the_keys(template: dict[str, Any]) -> None:
    guarded = {endpoint.function for endpoint in ENDPOINTS if endpoint.access}
    # Public lists give a known caller longer pages than an anonymous one.
    lists = {"cards", "matches", "odds", "predictions", "region_roi"}
    readers = {
        function.name
        for function in FUNCTIONS
        for statement in statements(template, function.role_logical_id)
        if statement.get("Sid") == "ReadApiKeys"
    }
    assert readers == guarded | lists


def test_the_gateway_may_invoke_each_function_for_its_own_paths_only(template: dict[str, Any]) -> None:
    permissions = [res["Properties"] for res in of_type(template, "AWS::Lambda::Permission").values()]
    allowed = {
        (permission["FunctionName"]["Ref"], permission["SourceArn"]["Fn::Sub"].partition("${RestApi}/*/")[2])
        for permission in permissions
    }
    assert ("PredictMatchAliaslive", "*/predict/*") in allowed
    assert ("PredictAliaslive", "*/predict") in allowed
    assert len(allowed) == sum(len(endpoint.paths) for endpoint in ENDPOINTS)
    assert {permission["Principal"] for permission in permissions} == {"apigateway.amazonaws.com"}


# ── Gateway ─────────────────────────────────────────────────────────────────────────────────────────


def test_every_endpoint_has_exactly_one_integration_with_its_function(template: dict[str, Any]) -> None:
    resources = of_type(template, "AWS::ApiGateway::Resource")

    def path_of(name: str) -> str:
        parent = resources[name]["Properties"]["ParentId"]
        above = path_of(parent["Ref"]) if "Ref" in parent else ""
        return f"{above}/{resources[name]['Properties']['PathPart']}"

    integrations = sorted(
        (
            path_of(res["Properties"]["ResourceId"]["Ref"]),
            res["Properties"]["HttpMethod"],
            res["Properties"]["Integration"]["Uri"]["Fn::Sub"].partition("functions/${")[2].partition("Aliaslive}")[0],
        )
        for res in of_type(template, "AWS::ApiGateway::Method").values()
    )
    expected = sorted(
        (path, "ANY", BY_NAME[endpoint.function].logical_id) for endpoint in ENDPOINTS for path in endpoint.paths
    )
    assert integrations == expected


def test_the_deployment_waits_for_every_method_and_every_error_form(template: dict[str, Any]) -> None:
    (deployment,) = of_type(template, "AWS::ApiGateway::Deployment").values()
    expected = {*of_type(template, "AWS::ApiGateway::Method"), *of_type(template, "AWS::ApiGateway::GatewayResponse")}
    assert set(deployment["DependsOn"]) == expected


def test_the_gateways_own_errors_are_json_of_our_form_with_a_request_id(template: dict[str, Any]) -> None:
    responses = {
        res["Properties"]["ResponseType"]: res["Properties"]
        for res in of_type(template, "AWS::ApiGateway::GatewayResponse").values()
    }
    for kind, response in responses.items():
        body = json.loads(response["ResponseTemplates"]["application/json"])
        assert body["statusCode"] == int(response["StatusCode"]), kind
        assert body["message"], kind
        assert response["ResponseParameters"]["gatewayresponse.header.x-request-id"] == "context.requestId"
    assert responses["MISSING_AUTHENTICATION_TOKEN"]["StatusCode"] == "404"
    assert responses["INTEGRATION_TIMEOUT"]["StatusCode"] == "504"
    assert responses["REQUEST_TOO_LARGE"]["StatusCode"] == "413"
    for kind in ("THROTTLED", "QUOTA_EXCEEDED"):
        assert responses[kind]["StatusCode"] == "429"
        assert "gatewayresponse.header.Retry-After" in responses[kind]["ResponseParameters"]


def test_production_is_not_deployed_without_somebody_to_page(template: dict[str, Any]) -> None:
    rule = template["Rules"]["SomebodyIsPagedInProduction"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}
    (assertion,) = rule["Assertions"]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]}


def test_every_path_is_throttled_by_what_it_costs(template: dict[str, Any]) -> None:
    settings = template["Resources"]["ApiStage"]["Properties"]["MethodSettings"]
    assert {setting["MetricsEnabled"] for setting in settings} == {False}
    rates = {
        (one["ResourcePath"], one["HttpMethod"]): (
            one["ThrottlingRateLimit"]["Ref"],
            one["ThrottlingBurstLimit"]["Ref"],
        )
        for one in settings
    }
    assert rates["/*", "*"] == ("PublicThrottleRate", "PublicThrottleBurst")
    assert rates["/~1predict", "POST"] == ("ThrottleRate", "ThrottleBurst")
    assert rates["/~1monitoring~1task_status~1{task_id}", "GET"] == ("ThrottleRate", "ThrottleBurst")
    assert rates["/~1metrics", "GET"] == ("OperatorThrottleRate", "OperatorThrottleRate")
    assert ("/~1predict~1cards", "GET") not in rates


# ── The whole ───────────────────────────────────────────────────────────────────────────────────────


def test_schedules_can_be_switched_off_together(template: dict[str, Any]) -> None:
    schedules = {
        name: event["Properties"]["State"]
        for properties in functions(template).values()
        for name, event in properties.get("Events", {}).items()
        if event["Type"] == "Schedule"
    }
    assert set(schedules) >= {"RebuildEvent", "RefreshOddsEvent", "SyncModelsEvent", "MonitorDriftEvent", "SweepEvent"}
    for name, state in schedules.items():
        # Without an MLflow server there is nothing to mirror; rebuilds in items have a schedule of their own.
        condition = {"SyncModelsEvent": "MirrorOn", "RebuildEvent": "RebuildScheduleOn"}.get(name, "SchedulesOn")
        assert state == {"Fn::If": [condition, "ENABLED", "DISABLED"]}, name
    for condition in ("MirrorOn", "RebuildScheduleOn"):
        assert template["Conditions"][condition]["Fn::And"][0] == {"Condition": "SchedulesOn"}


def test_two_intrinsics_merged_into_one_value_are_refused() -> None:
    clash = {"Queue": {"Fn::GetAtt": ["InferenceQueue", "Arn"], "Fn::Sub": "arn:aws:sqs:::inference"}}
    with pytest.raises(TemplateError, match="queue_arn"):
        check_template({"Resources": {"Inference": {"Type": "X", "Properties": clash}}})


def test_a_function_with_a_role_that_is_not_its_own_is_refused() -> None:
    function = {"Type": "AWS::Serverless::Function", "Properties": {"Role": {"Fn::GetAtt": ["DefaultRole", "Arn"]}}}
    with pytest.raises(TemplateError, match="instead of its own"):
        check_template({"Resources": {"Predict": function}})
