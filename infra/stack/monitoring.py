"""Alarms and dashboard of the stack: `monitoring.yaml` and `dashboard.json` as parts of the template."""

import json
from typing import Any, Final

from infra.paths import ROOT
from infra.stack import cfn_yaml

MONITORING: Final = ROOT / "infra" / "stack" / "monitoring.yaml"
DASHBOARD: Final = ROOT / "infra" / "stack" / "dashboard.json"
_ALARM_ARN: Final = "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:"
_TOPIC: Final = {"Fn::If": ["AlarmTopicGiven", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
NOTIFY: Final = {"AlarmActions": _TOPIC, "OKActions": _TOPIC}
"""What every alarm does, when it rises and when it is over."""


def alarms() -> dict[str, dict[str, Any]]:
    """The properties of every alarm by its logical id."""
    return {
        name: resource["Properties"]
        for name, resource in monitoring_template()["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


def monitoring_template() -> dict[str, Any]:
    """Parameters, conditions and resources to merge into the stack's template."""
    template = cfn_yaml.load(MONITORING)
    body = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    body["widgets"][0]["properties"]["alarms"] = [
        f"{_ALARM_ARN}{resource['Properties']['AlarmName']['Fn::Sub']}" for resource in template["Resources"].values()
    ]
    template["Resources"]["Dashboard"] = {
        "Type": "AWS::CloudWatch::Dashboard",
        "Properties": {
            "DashboardName": {"Fn::Sub": "${AWS::StackName}"},
            "DashboardBody": {"Fn::Sub": json.dumps(body, indent=1)},
        },
    }
    return template
