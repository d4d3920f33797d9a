"""What the emulator does not enforce, on the template as AWS expands it: who may invoke, assume, poll and log.

Together with tests/e2e/test_rights.py every right of every role is covered: one removed or one too many fails here or
there.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.packaging.build import template_of_stage
from infra.reference.rights import as_list
from infra.stack.functions import FUNCTIONS, Function
from tests.support.rights import CONSUMERS, NOT_ASKED_LOCALLY, Right, asked_locally

pytestmark = pytest.mark.slow

Resources = dict[str, dict[str, Any]]

# Rights that only a parameter gives: condition, statement's Sid, action, resource.
MLFLOW_SECRET = ("MlflowSecretGiven", "secretsmanager:GetSecretValue", "{'Ref': 'MlflowSecretArn'}")
KMS = ("KmsKeyGiven", "kms:Decrypt", "{'Ref': 'KmsKeyArn'}")
VPC = {
    ("VpcGiven", f"ec2:{operation}", "*")
    for operation in (
        *("AssignPrivateIpAddresses", "CreateNetworkInterface", "DeleteNetworkInterface"),
        *("DescribeNetworkInterfaces", "DescribeSubnets", "UnassignPrivateIpAddresses"),
    )
}


def tracking_server(*operations: str) -> set[tuple[str, str, str]]:
    """Rights on a SageMaker tracking server."""
    return {("SageMakerMlflow", f"sagemaker-mlflow:{one}", "{'Ref': 'MlflowTrackingUri'}") for one in operations}


LOG_RUNS = tracking_server("CreateExperiment", "CreateRun", "GetExperimentByName", "LogBatch", "LogInputs", "UpdateRun")
READ_MODELS = tracking_server(
    "GetDownloadURIForModelVersionArtifacts", "GetModelVersionByAlias", "GetRun", "ListArtifacts"
)
MLFLOW = {MLFLOW_SECRET, KMS, *VPC, *LOG_RUNS}
GIVEN_BY_PARAMETER = {
    **dict.fromkeys(("rebuild", "monitor_drift"), MLFLOW),
    # The emulator's table has no backup to export from.
    "export_table": {
        *MLFLOW,
        ("OnAws", "dynamodb:DescribeTable", "{'Fn::GetAtt': ['TasksTable', 'Arn']}"),
        ("OnAws", "dynamodb:ExportTableToPointInTime", "{'Fn::GetAtt': ['TasksTable', 'Arn']}"),
        ("OnAws", "s3:AbortMultipartUpload", "${DataBucket.Arn}/exports/*"),
        ("OnAws", "s3:PutObjectAcl", "${DataBucket.Arn}/exports/*"),
    },
    "sync_models": {
        *MLFLOW,
        *READ_MODELS,
        ("MlflowArtifactsGiven", "s3:GetObject", "arn:${AWS::Partition}:s3:::${MlflowArtifactsBucket}/*"),
        ("MlflowArtifactsGiven", "s3:ListBucket", "arn:${AWS::Partition}:s3:::${MlflowArtifactsBucket}"),
    },
    "refresh_odds": {
        *MLFLOW,
        ("OddsProviderIsLive", "s3:PutObject", "${DataBucket.Arn}/raw/odds/${OddsProvider}/*"),
        ("OddsApiKeyGiven", "secretsmanager:GetSecretValue", "{'Ref': 'OddsApiKeySecretArn'}"),
    },
}


def of_type(plain: Resources, kind: str) -> Resources:
    """Resources of a type by logical id."""
    return {name: resource for name, resource in plain.items() if resource["Type"] == kind}


def spelled(resource: Any) -> str:
    """A resource as one text."""
    return str(resource["Fn::Sub"]) if isinstance(resource, dict) and "Fn::Sub" in resource else str(resource)


def rights(plain: Resources, function: Function) -> Iterator[tuple[str, Right]]:
    """Every right of a function's role beside the condition it depends on."""
    for policy in plain[function.role_logical_id]["Properties"]["Policies"]:
        for entry in policy["PolicyDocument"]["Statement"]:
            condition, statement = entry["Fn::If"][:2] if "Fn::If" in entry else ("", entry)
            assert statement["Effect"] == "Allow"
            for action in as_list(statement["Action"]):
                for resource in as_list(statement["Resource"]):
                    yield condition, Right(function.name, action, spelled(resource))


# ── Rights that the emulator does not ask for ───────────────────────────────────────────────────────

Held = list[tuple[str, Right]]
Asked = tuple[str, str, str]


def unasked(held: Held) -> list[Asked]:
    """Condition, action and resource of the rights that the emulator does not ask for."""
    return sorted((condition, right.action, right.resource) for condition, right in held if not asked_locally(right))


def conditional(held: Held) -> set[Asked]:
    """Condition, action and resource of the rights that a parameter gives."""
    return {
        (condition, right.action, right.resource) for condition, right in held if condition not in {"", "TracingActive"}
    }


def expected_unasked(function: Function, held: Held) -> list[Asked]:
    """What AWS asks for and the emulator does not."""
    log = (
        f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:"
        f"/aws/lambda/${{AWS::StackName}}-{function.name}:*"
    )
    expected = [("", "logs:CreateLogStream", log), ("", "logs:PutLogEvents", log)]
    expected += [("TracingActive", action, "*") for action in ("xray:PutTelemetryRecords", "xray:PutTraceSegments")]
    if any(right.action == "s3:GetObject" for condition, right in held if not condition):
        expected.append(("", "s3:ListBucket", "{'Fn::GetAtt': ['DataBucket', 'Arn']}"))
    if function.name in CONSUMERS:
        queue = {"inference": "InferenceQueue", "dead_letters": "DeadLetterQueue"}[function.name]
        polling = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
        expected += [("", action, f"{{'Fn::GetAtt': ['{queue}', 'Arn']}}") for action in polling]
    if function.is_unattended:
        expected.append(("", "sqs:SendMessage", "{'Fn::GetAtt': ['FailedRunsQueue', 'Arn']}"))
    expected += [one for one in GIVEN_BY_PARAMETER.get(function.name, set()) if one[1] in NOT_ASKED_LOCALLY]
    return sorted(expected)


def sound(function: Function, held: Held) -> bool:
    """Whether a role's rights are those that no run can show, exactly."""
    parameter_rights = GIVEN_BY_PARAMETER.get(function.name, set())
    return unasked(held) == expected_unasked(function, held) and conditional(held) == parameter_rights


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_role_has_exactly_the_rights_that_aws_asks_for_and_the_emulator_does_not(
    function: Function, plain: Resources
) -> None:
    held = list(rights(plain, function))
    assert unasked(held) == expected_unasked(function, held)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_rights_given_by_a_parameter_are_to_what_it_names_and_no_more(function: Function, plain: Resources) -> None:
    assert conditional(list(rights(plain, function))) == GIVEN_BY_PARAMETER.get(function.name, set())


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_each_right_taken_away_is_missed_here_or_by_a_run(function: Function, plain: Resources) -> None:
    # A run misses what the emulator asks for: tests/e2e/test_rights.py, and each of them by `make mutate-rights`.
    held = list(rights(plain, function))
    for index, (condition, right) in enumerate(held):
        shown_by_a_run = asked_locally(right) and not condition
        assert shown_by_a_run or not sound(function, held[:index] + held[index + 1 :]), right


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_right_too_many_that_no_run_can_show_is_found_here(function: Function, plain: Resources) -> None:
    held = list(rights(plain, function))
    for action in NOT_ASKED_LOCALLY:
        assert not sound(function, [*held, ("", Right(function.name, action, "*"))]), action
    conditional_right = (
        "MlflowArtifactsGiven",
        Right(function.name, "s3:PutObject", "arn:${AWS::Partition}:s3:::else/*"),
    )
    assert not sound(function, [*held, conditional_right])


def test_nobody_has_a_right_twice(plain: Resources) -> None:
    for function in FUNCTIONS:
        held = list(rights(plain, function))
        assert len(held) == len(set(held)), function.name


def test_the_consumers_are_the_functions_that_a_queue_invokes(plain: Resources) -> None:
    mappings = of_type(plain, "AWS::Lambda::EventSourceMapping").values()
    by_id = {f"{function.logical_id}Aliaslive": function.name for function in FUNCTIONS}
    assert {by_id[mapping["Properties"]["FunctionName"]["Ref"]] for mapping in mappings} == CONSUMERS


# ── Who may assume, who may invoke ──────────────────────────────────────────────────────────────────


def test_only_lambda_assumes_the_roles_and_each_function_has_its_own(plain: Resources) -> None:
    roles = of_type(plain, "AWS::IAM::Role")
    assert set(roles) == {function.role_logical_id for function in FUNCTIONS} | {"CanaryRole"}
    for name, role in roles.items():
        limits = {"Path", "PermissionsBoundary"}
        assert set(role["Properties"]) == {"AssumeRolePolicyDocument", "Policies"} | limits, name
        (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Action"] == "sts:AssumeRole"
        service = "codedeploy" if name == "CanaryRole" else "lambda"
        assert trust["Principal"] == {"Service": f"{service}.amazonaws.com"}, name
    for function in FUNCTIONS:
        expected = {"Fn::GetAtt": [function.role_logical_id, "Arn"]}
        assert plain[function.logical_id]["Properties"]["Role"] == expected


def test_a_function_may_be_invoked_from_one_source_only(plain: Resources) -> None:
    for name, permission in of_type(plain, "AWS::Lambda::Permission").items():
        properties = permission["Properties"]
        assert properties["Action"] == "lambda:InvokeFunction", name
        if properties["Principal"] == "apigateway.amazonaws.com":
            assert "${RestApi}" in properties["SourceArn"]["Fn::Sub"], name
        else:
            assert properties["Principal"] == "events.amazonaws.com", name
            rule = properties["SourceArn"]["Fn::GetAtt"][0]
            (target,) = plain[rule]["Properties"]["Targets"]
            assert target["Arn"] == properties["FunctionName"], name


def test_no_function_has_an_address_of_its_own(plain: Resources) -> None:
    assert of_type(plain, "AWS::Lambda::Url") == {}


# ── The stack as AWS gets it ────────────────────────────────────────────────────────────────────────

TAGGED = {
    "AWS::S3::Bucket",
    "AWS::DynamoDB::Table",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::ApiGateway::DomainName",
    "AWS::Lambda::Function",
}


def test_what_costs_money_or_holds_data_is_tagged(plain: Resources) -> None:
    for name, resource in plain.items():
        if resource["Type"] in TAGGED:
            tags = {tag.get("Key") for tag in resource["Properties"]["Tags"]}
            assert {"service", "stage"} <= tags, name


def test_tracing_is_one_switch_for_functions_and_gateway(plain: Resources) -> None:
    for name, function in of_type(plain, "AWS::Lambda::Function").items():
        assert function["Properties"]["TracingConfig"] == {"Mode": {"Ref": "Tracing"}}, name
    assert plain["ApiStage"]["Properties"]["TracingEnabled"] == {"Fn::If": ["TracingActive", True, False]}


def test_no_log_is_kept_for_ever(plain: Resources) -> None:
    for name, group in of_type(plain, "AWS::Logs::LogGroup").items():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name


def test_an_own_domain_is_optional_needs_a_certificate_and_modern_tls(
    written: dict[str, Any], plain: Resources
) -> None:
    assert written["Parameters"]["DomainName"]["Default"] == ""
    assert plain["Domain"]["Condition"] == plain["DomainMapping"]["Condition"] == "DomainGiven"
    assert plain["DomainRecord"]["Condition"] == "ZoneGiven"
    assert plain["Domain"]["Properties"]["SecurityPolicy"] == "TLS_1_2"
    assert plain["Domain"]["Properties"]["RegionalCertificateArn"] == {"Ref": "CertificateArn"}
    (assertion,) = written["Rules"]["DomainNeedsCertificate"]["Assertions"]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "CertificateArn"}, ""]}]}


def test_access_logs_are_optional_and_hold_neither_headers_nor_queries(
    written: dict[str, Any], plain: Resources
) -> None:
    assert written["Parameters"]["AccessLogs"]["Default"] == "false"
    condition, setting, otherwise = plain["ApiStage"]["Properties"]["AccessLogSetting"]["Fn::If"]
    assert (condition, otherwise) == ("AccessLogsOn", {"Ref": "AWS::NoValue"})
    for secret in ("header", "querystring", "apiKey", "authorizer"):
        assert secret.lower() not in setting["Format"].lower()


def test_concurrency_is_bounded_for_whatever_a_queue_starts(plain: Resources) -> None:
    for name, mapping in of_type(plain, "AWS::Lambda::EventSourceMapping").items():
        assert "MaximumConcurrency" in mapping["Properties"]["ScalingConfig"], name
    for name in ("Inference", "Rebuild"):
        assert plain[name]["Properties"]["ReservedConcurrentExecutions"]["Fn::If"][0].startswith("Reserve")


def test_no_secret_is_in_a_variable_or_a_parameter_default(written: dict[str, Any], plain: Resources) -> None:
    for name, function in of_type(plain, "AWS::Lambda::Function").items():
        for variable, value in function["Properties"]["Environment"]["Variables"].items():
            told = any(word in variable for word in ("KEY", "TOKEN", "SECRET", "PASSWORD"))
            harmless = variable.endswith(("_ID", "_REQUIRED", "_SECONDS", "_RATE", "_BURST"))
            assert harmless or not told, f"{name}: {variable}={value}"
    for name, parameter in written["Parameters"].items():
        if any(word in name for word in ("Token", "Secret", "KeySecret")):
            assert parameter["Default"] == "", name


def longest(value: Any, parameters: Resources) -> int:
    """Characters that a variable's value has at most: a number's or a choice's few, else those of a name or a URL."""
    parameter = parameters.get(value["Ref"], {}) if isinstance(value, dict) and "Ref" in value else {}
    if "AllowedValues" in parameter:
        return max(map(len, parameter["AllowedValues"]))
    return 12 if parameter.get("Type") == "Number" else 120


def test_environment_variables_fit_lambdas_four_kilobytes(plain: Resources, written: dict[str, Any]) -> None:
    for name, function in of_type(plain, "AWS::Lambda::Function").items():
        variables = function["Properties"]["Environment"]["Variables"]
        size = sum(len(key) + longest(value, written["Parameters"]) for key, value in variables.items())
        assert size < 4_096, name


def test_dev_is_the_same_stack_as_prod(written: dict[str, Any], tmp_path: Path) -> None:
    # cfn-lint and everything above look at prod; what differs between the two is in infra/stack/parameters
    text = json.dumps(template_of_stage("dev", tmp_path)).replace("stage=dev:app=", "stage=prod:app=")
    assert json.loads(text) == written


def test_the_stack_has_room_below_cloudformations_limit_of_resources(plain: Resources) -> None:
    # 500 in one stack, those under a false condition included; an endpoint is about ten.
    assert len(plain) <= 500 - 5 * 10
