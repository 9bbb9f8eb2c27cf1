"""Safeguards that a plan removes."""

from typing import Any

import pytest

from sustainable_mlops.plan import Plan
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.data.risks import find_data_risks
from sustainable_mlops.review.review import ReviewVerdict, review
from sustainable_mlops.review.risk import WEAKER_IDS, Level, RiskArea
from sustainable_mlops.review.safeguards.risks import find_safeguard_risks
from sustainable_mlops.review.safeguards.table import SAFEGUARDS
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_plan

LOOK, STOP = Level.LOOK, Level.STOP
ALARM = {"alarm_name": "a", "namespace": "AWS/SageMaker", "metric_name": "Invocation5XXErrors", "metric_query": [],
         "dimensions": {"EndpointName": "churn", "VariantName": "main"}}  # fmt: skip
PROTECTING: dict[str, dict[str, Any]] = {
    "aws_cloudwatch_event_rule": {"event_pattern": '{"source": ["aws.guardduty"]}'},
    "aws_sns_topic_subscription": {"protocol": "email", "topic_arn": "t"},
    "aws_ssm_document": {"document_type": "Session"},
    "aws_cloudwatch_event_target": {"rule": "r", "arn": "t"},
}
RULE = build_change("aws_cloudwatch_event_rule.r", *[{"name": "r", **PROTECTING["aws_cloudwatch_event_rule"]}],
                    before={"name": "r", **PROTECTING["aws_cloudwatch_event_rule"]})  # fmt: skip


def find_levels(*changes: dict[str, Any]) -> list[Level]:
    return [risk.level for risk in find_safeguard_risks(Comparison(build_plan(*changes)))]


@check_cases("kind", SAFEGUARDS)
def test_the_removal_of_a_safeguard_is_a_risk_and_its_creation_is_none(kind: str) -> None:
    values = {"id": "x", **PROTECTING.get(kind, {})}
    more = [RULE] if kind.endswith("event_target") else []
    (risk,) = find_safeguard_risks(Comparison(build_plan(build_change(f"{kind}.this", before=values), *more)))
    expected = {**WEAKER_IDS, RiskArea.SAFEGUARDS: "SAFEGUARD_REMOVED"}[SAFEGUARDS[kind].area]
    assert (risk.id, risk.level, risk.description) == (expected, SAFEGUARDS[kind].level, SAFEGUARDS[kind].effect)
    assert find_levels(build_change(f"{kind}.this", values), *more) == []
    forgotten = build_change(f"{kind}.this", before=values, actions=["forget"])
    assert find_levels(forgotten, *more) == [LOOK]


@check_cases("kind", SAFEGUARDS)
def test_a_removed_safeguard_is_reported_once(kind: str) -> None:
    values = {"id": "x", **PROTECTING.get(kind, {})}
    more = [RULE] if kind.endswith("event_target") else []
    comparison = Comparison(build_plan(build_change(f"{kind}.this", before=values), *more))
    assert len([*find_data_risks(comparison), *find_safeguard_risks(comparison)]) == 1


#: A type, its values, and the protected resource.
TOGETHER = [
    ("aws_flow_log", {"vpc_id": "vpc-1"}, "aws_vpc", {"id": "vpc-1"}),
    ("aws_wafv2_web_acl_association", {"resource_arn": "arn:lb"}, "aws_lb", {"arn": "arn:lb"}),
    ("aws_secretsmanager_secret_rotation", {"secret_id": "arn:s"}, "aws_secretsmanager_secret", {"arn": "arn:s"}),
    ("aws_backup_selection", {"plan_id": "p", "name": "n"}, "aws_backup_plan", {"id": "p"}),
    ("aws_s3_bucket_logging", {"bucket": "b"}, "aws_s3_bucket", {"bucket": "b"}),
    ("aws_cloudwatch_log_metric_filter", {"log_group_name": "g"}, "aws_cloudwatch_log_group", {"name": "g"}),
    ("aws_cloudwatch_metric_alarm", ALARM, "aws_sagemaker_endpoint", {"name": "churn"}),
    (
        "aws_cloudwatch_metric_alarm",
        {"dimensions": {"LoadBalancer": "app/a/1"}},
        "aws_lb",
        {"arn_suffix": "app/a/1"},
    ),
    (
        "aws_cloudwatch_metric_alarm",
        {"dimensions": {"DBInstanceIdentifier": "d"}},
        "aws_db_instance",
        {"identifier": "d"},
    ),
    (
        "aws_cloudwatch_metric_alarm",
        {"metric_query": [{"metric": [{"dimensions": {"FunctionName": "f"}}]}]},
        "aws_lambda_function",
        {"function_name": "f"},
    ),
    (
        "aws_cloudwatch_composite_alarm",
        {"alarm_rule": 'ALARM("a") OR ALARM(b)'},
        "aws_cloudwatch_metric_alarm",
        {"alarm_name": "a", "id": "b", "actions_enabled": False},
    ),
    (
        "aws_cloudwatch_metric_alarm",
        {"namespace": "app", "metric_name": "errors"},
        "aws_cloudwatch_log_metric_filter",
        {"metric_transformation": [{"namespace": "app", "name": "errors"}], "enabled": False},
    ),
]


@check_cases(("kind", "values", "owner", "names"), TOGETHER)
def test_a_safeguard_removed_together_with_its_resource_is_no_risk(
    kind: str, values: dict[str, Any], owner: str, names: dict[str, Any]
) -> None:
    removed = build_change(f"{kind}.s", before=values)
    owner_removed = build_change(f"{owner}.o", before=names)
    owner_unchanged = build_change(f"{owner}.o", names, before=names)
    other_removed = build_change("aws_iam_role.o", before=names)
    plans = [
        build_plan(removed, owner_removed),
        build_plan(removed, owner_unchanged),
        build_plan(removed, other_removed),
    ]

    def count(plan: Plan) -> int:
        return sum(risk.address == f"{kind}.s" for risk in find_safeguard_risks(Comparison(plan)))

    assert (count(plans[0]), count(plans[1])) == (0, 1)
    assert count(plans[2]) == 1 or any(str(value).startswith(("arn:", "vpc-")) for value in names.values())


#: A type, its former values, the values of a replacement at another address, and values that are no replacement.
SUCCESSORS = [
    ("aws_guardduty_detector", {"enable": True}, {"enable": True}, None),
    ("aws_cloudwatch_metric_alarm", ALARM, {**ALARM, "alarm_name": "b"}, {**ALARM, "metric_name": "Invocations"}),
    (
        "aws_cloudwatch_log_metric_filter",
        {"log_group_name": "g", "pattern": "root"},
        {"log_group_name": "g", "pattern": "root"},
        {"log_group_name": "g", "pattern": "ERROR"},
    ),
    ("aws_backup_selection", *({"plan_id": "p", "name": name} for name in ("a", "a", "b"))),
    ("aws_budgets_budget", {"name": "all"}, {"name": "all"}, {"name": "other"}),
    ("aws_ce_cost_allocation_tag", {"tag_key": "team"}, {"tag_key": "team"}, {"tag_key": "owner"}),
]  # fmt: skip


@check_cases(("kind", "old", "same", "other"), SUCCESSORS)
def test_a_new_safeguard_at_another_address_replaces_a_removed_one(
    kind: str, old: dict[str, Any], same: dict[str, Any], other: dict[str, Any] | None
) -> None:
    removed = build_change(f"{kind}.old", before=old)
    assert find_levels(removed, build_change(f"{kind}.new", same)) == []
    imported = build_change(f"{kind}.new", same, before=same)
    imported["change"]["importing"] = {"id": "x"}
    assert find_levels(build_change(f"{kind}.old", before=old, actions=["forget"]), imported) == []
    if other is not None:
        assert find_levels(removed, build_change(f"{kind}.new", other)) == [SAFEGUARDS[kind].level]


@pytest.mark.parametrize("kind", ["aws_cloudwatch_metric_alarm", "aws_flow_log"])
def test_an_existing_safeguard_does_not_replace_a_removed_one(kind: str) -> None:
    values = {**ALARM, "vpc_id": "vpc-1"}
    removed, existing = build_change(f"{kind}.old", before=values), build_change(f"{kind}.b", values, before=values)
    assert find_levels(removed, existing) == [LOOK]


def test_a_successor_that_protects_less_is_a_risk() -> None:
    removed = build_change("aws_cloudwatch_metric_alarm.old", before={**ALARM, "alarm_actions": ["t"]})
    added = build_change("aws_cloudwatch_metric_alarm.new", {**ALARM, "alarm_actions": []})
    (risk,) = find_safeguard_risks(Comparison(build_plan(removed, added)))
    assert (risk.id, risk.address) == ("SAFEGUARD_WEAKER", "aws_cloudwatch_metric_alarm.new")


def test_a_safeguard_that_moves_to_another_resource_is_a_risk() -> None:
    def watch(name: str | None) -> dict[str, Any]:
        return {**ALARM, "alarm_actions": [name], "dimensions": {"EndpointName": name}}

    def list_levels(new: dict[str, Any], *more: dict[str, Any], **marks: Any) -> list[Level]:
        return find_levels(build_change("aws_cloudwatch_metric_alarm.a", new, before=watch("churn"), **marks), *more)

    endpoint, deletion = {"name": "churn"}, build_change("aws_sagemaker_endpoint.e", before={"name": "churn"})
    assert list_levels(watch("other")) == [LOOK]
    assert list_levels({**watch("churn"), "alarm_name": "b"}) == list_levels(watch("other"), deletion) == []
    unknown = {"dimensions": {"EndpointName": True}}
    renamed = build_change("aws_sagemaker_endpoint.e", {}, before=endpoint, unknown={"name": True})
    assert list_levels(watch(None), renamed, unknown=unknown) == []
    other = build_change("aws_cloudwatch_metric_alarm.b", watch("churn"))
    assert list_levels(watch("other"), other) == []
    associated = build_change("aws_wafv2_web_acl_association.a", {"resource_arn": "b"}, before={"resource_arn": "a"})
    assert find_levels(associated) == [STOP]


def test_a_detector_in_another_region_does_not_replace_a_removed_one() -> None:
    arn = "arn:aws:guardduty:{}:123456789012:detector/1"
    removed = build_change("aws_guardduty_detector.old", before={"arn": arn.format("eu-north-1")})
    elsewhere = build_change("aws_guardduty_detector.new", {"arn": arn.format("us-east-1")})
    existing = build_change("aws_guardduty_detector.b", {"id": "b"}, before={"id": "b"})
    assert find_levels(removed, elsewhere) == find_levels(removed, existing) == [STOP]


@check_cases(
    ("kind", "values"),
    [
        ("aws_guardduty_detector", {"enable": False}),
        ("aws_cloudwatch_metric_alarm", {**ALARM, "actions_enabled": False}),
        ("aws_macie2_account", {"status": "PAUSED"}),
        ("aws_cloudwatch_event_rule", {"event_pattern": '{"source": ["my.app"]}'}),
        ("aws_cloudwatch_event_rule", {"schedule_expression": "rate(1 day)"}),
        ("aws_sns_topic_subscription", {"protocol": "lambda", "topic_arn": "t"}),
        ("aws_route53_resolver_firewall_rule", {"action": "ALLOW"}),
        ("aws_ssm_document", {"document_type": "Command"}),
    ],
)
def test_the_removal_of_an_inactive_safeguard_is_no_risk(kind: str, values: dict[str, Any]) -> None:
    assert find_levels(build_change(f"{kind}.s", before=values)) == []


def test_a_function_that_forwards_alarms_is_a_safeguard() -> None:
    forwarder = build_change("aws_sns_topic_subscription.s", before={"protocol": "lambda", "topic_arn": "t"})
    alarm = {**ALARM, "alarm_actions": ["t"]}
    assert find_levels(forwarder, build_change("aws_cloudwatch_metric_alarm.a", alarm, before=alarm)) == [LOOK]


def test_a_deposed_safeguard_is_no_risk() -> None:
    assert find_levels(build_change("aws_flow_log.f", before={"vpc_id": "v"}, deposed="1a2b3c4d")) == []


def test_removed_safeguards_have_a_gate_that_stops_the_plan() -> None:
    result = review(build_plan(build_change("aws_guardduty_detector.d", before={"enable": True})))
    assert result.verdict is ReviewVerdict.STOP
    assert [(gate.name, gate.level) for gate in result.gates if gate.level] == [("safeguards", STOP)]
    result = review(build_plan(build_change("aws_guardduty_detector.d", {"enable": True})))
    assert "safeguards" not in {gate.name for gate in result.gates}
