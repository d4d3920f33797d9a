"""What stands in front of the gateway in production: web ACL, CloudFront, budget."""

import json
from typing import Any

from infra.paths import EDGE_ACL
from infra.stack import cfn_yaml
from infra.stack.stages import stage_parameters

SECRET = {"Fn::Sub": "{{resolve:secretsmanager:${OriginSecret}:SecretString}}"}


def properties(template: dict[str, Any], name: str) -> Any:
    """A resource's properties."""
    return template["Resources"][name]["Properties"]


def test_production_has_all_of_it_and_a_first_look_costs_nothing() -> None:
    prod, dev = stage_parameters("prod"), stage_parameters("dev")
    assert int(prod["AddressLimit"]) >= 10
    assert prod["Cdn"] == "true"
    assert int(prod["MonthlyBudgetDollars"]) > 0
    assert not {"AddressLimit", "Cdn", "MonthlyBudgetDollars"} & dev.keys()


def test_none_of_it_is_made_unless_it_is_asked_for(template: dict[str, Any]) -> None:
    conditions = {
        "WebAcl": "AddressLimited",
        "WebAclOnTheStage": "AddressLimited",
        "OriginSecret": "CdnOn",
        "CallerAddress": "CdnOn",
        "CdnCaching": "CdnOn",
        "Distribution": "CdnOn",
        "Budget": "BudgetGiven",
    }
    assert {name: template["Resources"][name]["Condition"] for name in conditions} == conditions
    defaults = {
        name: template["Parameters"][name]["Default"] for name in ("AddressLimit", "Cdn", "MonthlyBudgetDollars")
    }
    assert defaults == {"AddressLimit": 0, "Cdn": "false", "MonthlyBudgetDollars": 0}


def test_one_address_cannot_use_up_what_is_there_for_all(template: dict[str, Any]) -> None:
    *_, rule = properties(template, "WebAcl")["Rules"]
    assert rule["Action"] == {"Block": {}}
    condition, behind_cdn, direct = rule["Statement"]["RateBasedStatement"]["Fn::If"]
    assert condition == "CdnOn"
    assert direct["Limit"] == behind_cdn["Limit"] == {"Ref": "AddressLimit"}
    assert direct["AggregateKeyType"] == "IP"
    # Behind CloudFront every connection is CloudFront's; X-Forwarded-For begins with what the caller wrote.
    assert behind_cdn["CustomKeys"][0]["Header"]["Name"] == "x-caller-address"
    association = properties(template, "WebAclOnTheStage")
    assert association["ResourceArn"]["Fn::Sub"].endswith("/restapis/${RestApi}/stages/${Stage}")


def test_nobody_passes_cloudfront_by_and_writes_the_address_himself(template: dict[str, Any]) -> None:
    condition, rule, otherwise = properties(template, "WebAcl")["Rules"][0]["Fn::If"]
    assert (condition, otherwise) == ("CdnOn", {"Ref": "AWS::NoValue"})
    assert rule["Priority"] == 0
    match = rule["Statement"]["NotStatement"]["Statement"]["ByteMatchStatement"]
    assert match["SearchString"] == SECRET
    (origin,) = properties(template, "Distribution")["DistributionConfig"]["Origins"]
    assert origin["OriginCustomHeaders"] == [{"HeaderName": "x-origin-secret", "HeaderValue": SECRET}]
    assert match["FieldToMatch"]["SingleHeader"]["Name"] == "x-origin-secret"
    code = properties(template, "CallerAddress")["FunctionCode"]
    assert 'event.request.headers["x-caller-address"] = { value: event.viewer.ip }' in code


def test_cloudfront_keeps_what_the_functions_name_and_nothing_else(template: dict[str, Any]) -> None:
    config = properties(template, "CdnCaching")["CachePolicyConfig"]
    assert (config["MinTTL"], config["DefaultTTL"]) == (0, 0)
    key = config["ParametersInCacheKeyAndForwardedToOrigin"]
    assert key["QueryStringsConfig"] == {"QueryStringBehavior": "all"}
    assert set(key["HeadersConfig"]["Headers"]) == {"Accept", "Origin", "X-API-Key"}
    assert key["EnableAcceptEncodingGzip"] is True
    behaviour = properties(template, "Distribution")["DistributionConfig"]["DefaultCacheBehavior"]
    # CloudFront's own compression would weaken the functions' ETags
    assert behaviour["Compress"] is False
    assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https"
    errors = properties(template, "Distribution")["DistributionConfig"]["CustomErrorResponses"]
    assert {error["ErrorCode"]: error["ErrorCachingMinTTL"] for error in errors} == dict.fromkeys(
        (404, 500, 502, 503, 504), 0
    )


def test_a_budget_tells_the_topic_before_the_money_is_spent(template: dict[str, Any]) -> None:
    budget = properties(template, "Budget")
    assert budget["Budget"]["BudgetLimit"]["Amount"] == {"Ref": "MonthlyBudgetDollars"}
    topics = {
        (
            notification["Notification"]["NotificationType"],
            notification["Notification"]["Threshold"],
            json.dumps(notification["Subscribers"]),
        )
        for notification in budget["NotificationsWithSubscribers"]
    }
    topic = json.dumps([{"SubscriptionType": "SNS", "Address": {"Ref": "AlarmTopicArn"}}])
    assert topics == {("ACTUAL", 80, topic), ("FORECASTED", 100, topic)}


def test_the_distributions_own_acl_limits_by_address_where_aws_takes_it() -> None:
    acl = cfn_yaml.load(EDGE_ACL)["Resources"]["WebAcl"]["Properties"]
    assert acl["Scope"] == "CLOUDFRONT"
    assert acl["Rules"][0]["Statement"]["RateBasedStatement"]["AggregateKeyType"] == "IP"


def test_cloudfront_is_never_without_the_acl_that_closes_the_way_past_it(template: dict[str, Any]) -> None:
    rule = template["Rules"]["CdnNeedsTheWebAcl"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Cdn"}, "true"]}
    assert rule["Assertions"][0]["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AddressLimit"}, "0"]}]}
