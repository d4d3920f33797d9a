"""Alarms and dashboard of the stack: `monitoring.yaml` and `dashboard.json` as parts of the template."""

from typing import Any, Final

from infra.paths import ROOT
from infra.stack import cfn_yaml

MONITORING: Final = ROOT / "infra" / "stack" / "monitoring.yaml"
DASHBOARD: Final = ROOT / "infra" / "stack" / "dashboard.json"
_NOTIFY: Final = {"Fn::If": ["AlarmTopicGiven", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}


def monitoring_template() -> dict[str, Any]:
    """Parameters, conditions and resources to merge into the stack's template.

    Every alarm notifies the topic, when it rises and when it is over.
    """
    template = cfn_yaml.load(MONITORING)
    for resource in template["Resources"].values():
        resource["Properties"] |= {"AlarmActions": _NOTIFY, "OKActions": _NOTIFY}
    template["Resources"]["Dashboard"] = {
        "Type": "AWS::CloudWatch::Dashboard",
        "Properties": {
            "DashboardName": {"Fn::Sub": "${AWS::StackName}"},
            "DashboardBody": {"Fn::Sub": DASHBOARD.read_text(encoding="utf-8")},
        },
    }
    return template
