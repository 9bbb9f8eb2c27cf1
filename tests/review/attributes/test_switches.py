"""Safeguards that are turned off or cover less."""

import json
from typing import Any

from sustainable_mlops.review.attributes.risks import find_protection_risks
from sustainable_mlops.review.attributes.rows.safeguards import SAFEGUARD_ROWS
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.privileges.exposure import find_exposure_risks
from sustainable_mlops.review.risk import Level, Risk, RiskArea
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_plan

STOP, LOOK = Level.STOP, Level.LOOK


def find_risks(kind: str, old: dict[str, Any] | None, new: dict[str, Any], **marks: Any) -> list[Risk]:
    before = None if old is None else {"id": "x", **old}
    comparison = Comparison(build_plan(build_change(f"{kind}.this", {"id": "x", **new}, before=before, **marks)))
    return [*find_protection_risks(comparison), *find_exposure_risks(comparison)]


def nest(path: str, value: Any) -> dict[str, Any]:
    """Return attributes with `value` at `path`, in blocks."""
    name, _, rest = path.partition(".")
    if not rest:
        return {name: value}
    return {name: [nest(rest[2:], value)] if rest.startswith("0.") else nest(rest, value)}


def select(*types: str, read_write: str = "All", management: bool = True, **more: Any) -> list[dict[str, Any]]:
    data = [{"type": "AWS::S3::Object", "values": [value]} for value in types]
    basic = {"read_write_type": read_write, "include_management_events": management, "data_resource": data}
    return [{**basic, **more}]


def advance(*fields: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": "n", "field_selector": list(fields)}]


def group(*types: str, everything: bool = False, **more: Any) -> list[dict[str, Any]]:
    return [{"all_supported": everything, "resource_types": list(types), **more}]


def exclude(*types: str) -> list[dict[str, Any]]:
    return group(exclusion_by_resource_types=[{"resource_types": list(types)}])


def notify(threshold: float, *addresses: str) -> list[dict[str, Any]]:
    return [{"comparison_operator": "GREATER_THAN", "threshold": threshold, "threshold_type": "PERCENTAGE",
             "notification_type": "ACTUAL", "subscriber_email_addresses": list(addresses)}]  # fmt: skip


def guard(name: str, key: str, *items: str, **more: Any) -> list[dict[str, Any]]:
    return [{name: [{key: item, **more} for item in items]}]


def mask(*kinds: str) -> dict[str, Any]:
    statement = {"DataIdentifier": kinds, "Operation": {"Deidentify": {"MaskConfig": {}}}}
    return {"policy_document": json.dumps({"Statement": [statement]})}


def observe(statistic: str, operator: str = "Greater") -> dict[str, Any]:
    """Return an alarm on a percentile, such as `p90`, or on another statistic."""
    name = "extended_statistic" if statistic.startswith("p") else "statistic"
    return {"comparison_operator": f"{operator}ThanThreshold", "threshold": 1, name: statistic}


def select_costs(**filters: str) -> list[dict[str, Any]]:
    return [{"name": name, "values": [value]} for name, value in filters.items()]


MANAGEMENT = {"field": "eventCategory", "equals": ["Management"]}
READ_ONLY = {"field": "readOnly", "equals": ["true"]}
PII, TOPICS, CONTENT = "sensitive_information_policy_config", "topic_policy_config", "content_policy_config"
#: A type, its former attributes, and new attributes that protect less.
WEAKER: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("aws_cloudtrail", {"event_selector": []}, {"event_selector": select(read_write="WriteOnly")}),
    ("aws_cloudtrail", {"event_selector": []}, {"event_selector": select(management=False)}),
    ("aws_cloudtrail", {"event_selector": select("a", "b")}, {"event_selector": select("a")}),
    (
        "aws_cloudtrail",
        {"event_selector": select()},
        {"event_selector": select(exclude_management_event_sources=["kms.amazonaws.com"])},
    ),
    ("aws_cloudtrail", {}, {"advanced_event_selector": advance(MANAGEMENT, READ_ONLY)}),
    (
        "aws_cloudtrail_event_data_store",
        {"advanced_event_selector": [*advance(MANAGEMENT), *advance({"field": "eventCategory", "equals": ["Data"]})]},
        {"advanced_event_selector": advance(MANAGEMENT)},
    ),
    ("aws_config_configuration_recorder", {}, {"recording_group": group("AWS::S3::Bucket")}),
    (
        "aws_config_configuration_recorder",
        {"recording_group": group(everything=True, include_global_resource_types=True)},
        {"recording_group": group(everything=True)},
    ),
    (
        "aws_config_configuration_recorder",
        {"recording_group": group("A", "B")},
        {"recording_group": group("A")},
    ),
    ("aws_config_configuration_recorder", {"recording_group": exclude("A")}, {"recording_group": exclude("A", "B")}),
    ("aws_config_configuration_recorder", {"recording_group": exclude("A")}, {"recording_group": group("B")}),
    ("aws_flow_log", {"traffic_type": "ALL"}, {"traffic_type": "REJECT"}),
    ("aws_lb", {"access_logs": [{"bucket": "b", "enabled": True}]}, {"access_logs": []}),
    ("aws_lb", {"access_logs": [{"bucket": "b", "enabled": True}]}, {"access_logs": [{"enabled": False}]}),
    ("aws_elb", {"access_logs": [{"bucket": "b"}]}, {"access_logs": []}),
    ("aws_budgets_budget", {"limit_amount": "100"}, {"limit_amount": "1000.0"}),
    ("aws_ce_cost_allocation_tag", {"status": "Active"}, {"status": "Inactive"}),
    ("aws_budgets_budget", {"notification": notify(80, "a")}, {"notification": notify(95, "a")}),
    ("aws_budgets_budget", {"notification": notify(80, "a", "b")}, {"notification": notify(80, "a")}),
    ("aws_budgets_budget", {"notification": notify(80, "a")}, {"notification": []}),
    ("aws_cloudwatch_metric_alarm", {"alarm_actions": ["a"]}, {"alarm_actions": []}),
    (
        "aws_cloudwatch_metric_alarm",
        {"comparison_operator": "GreaterThanThreshold", "threshold": 80},
        {"comparison_operator": "GreaterThanThreshold", "threshold": 100},
    ),
    (
        "aws_cloudwatch_metric_alarm",
        {"comparison_operator": "LessThanThreshold", "threshold": 5},
        {"comparison_operator": "LessThanThreshold", "threshold": 1},
    ),
    (
        "aws_cloudwatch_metric_alarm",
        {"comparison_operator": "LessThanThreshold", "evaluation_periods": 1, "period": 60},
        {"comparison_operator": "LessThanThreshold", "evaluation_periods": 11, "period": 60},
    ),
    (
        "aws_cloudwatch_metric_alarm",
        {"comparison_operator": "GreaterThanOrEqualToThreshold"},
        {"comparison_operator": "GreaterThanThreshold"},
    ),
    ("aws_cloudwatch_metric_alarm", {"treat_missing_data": "breaching"}, {"treat_missing_data": "missing"}),
    ("aws_iam_account_password_policy", {"minimum_password_length": 14}, {"minimum_password_length": 8}),
    ("aws_iam_account_password_policy", {"max_password_age": 90}, {"max_password_age": 0}),
    ("aws_iam_account_password_policy", {"require_symbols": True}, {"require_symbols": False}),
    ("aws_iam_account_password_policy", {"hard_expiry": True}, {}),
    ("aws_bedrock_guardrail", {TOPICS: guard("topics_config", "name", "a", "b")},
     {TOPICS: guard("topics_config", "name", "a")}),
    ("aws_bedrock_guardrail", {PII: guard("pii_entities_config", "type", "EMAIL", action="BLOCK")},
     {PII: guard("pii_entities_config", "type", "EMAIL", action="ANONYMIZE")}),
    ("aws_bedrock_guardrail", {CONTENT: guard("filters_config", "type", "HATE", input_strength="HIGH")},
     {CONTENT: guard("filters_config", "type", "HATE", input_strength="LOW")}),
    ("aws_ecr_registry_scanning_configuration", {"scan_type": "ENHANCED"}, {"scan_type": "BASIC"}),
    (
        "aws_ecr_registry_scanning_configuration",
        {"rule": [{"scan_frequency": "SCAN_ON_PUSH", "repository_filter": [{"filter": "a"}]}]},
        {"rule": []},
    ),
    (
        "aws_backup_region_settings",
        {"resource_type_opt_in_preference": {"EBS": True, "RDS": True}},
        {"resource_type_opt_in_preference": {"EBS": True, "RDS": False}},
    ),
    ("aws_guardduty_detector", {}, {"enable": False}),
    ("aws_guardduty_detector", {"finding_publishing_frequency": "FIFTEEN_MINUTES"},
     {"finding_publishing_frequency": "SIX_HOURS"}),
    ("aws_macie2_account", {"finding_publishing_frequency": "ONE_HOUR"}, {"finding_publishing_frequency": "SIX_HOURS"}),
    ("aws_ssm_patch_baseline", {"rejected_patches": []}, {"rejected_patches": ["openssl*"]}),
    ("aws_config_configuration_recorder_status", {"is_enabled": True}, {"is_enabled": False}),
    ("aws_bedrock_model_invocation_logging_configuration", {"logging_config": {"s3_config": {"bucket_name": "b"}}},
     {"logging_config": {}}),
    ("aws_cloudfront_distribution", {"web_acl_id": "arn"}, {"web_acl_id": ""}),
    ("aws_cloudwatch_log_data_protection_policy", mask("EmailAddress", "Name"), mask("EmailAddress")),
    ("aws_cloudwatch_event_rule", {"event_pattern": '{"source": ["aws.guardduty"]}', "state": "ENABLED"},
     {"event_pattern": '{"source": ["aws.guardduty"]}', "state": "DISABLED"}),
    ("aws_ebs_snapshot_block_public_access", {"state": "block-all-sharing"}, {"state": "unblocked"}),
    ("aws_cloudwatch_metric_alarm", observe("p90"), observe("p10")),
    ("aws_cloudwatch_metric_alarm", observe("Maximum"), observe("Minimum")),
    ("aws_cloudwatch_metric_alarm", observe("p99"), observe("Average")),
    ("aws_cloudwatch_metric_alarm", observe("Minimum", "Less"), observe("Maximum", "Less")),
    ("aws_budgets_budget", {"cost_filter": []}, {"cost_filter": select_costs(Service="a")}),
    ("aws_budgets_budget", {"cost_filter": select_costs(Service="a")},
     {"cost_filter": select_costs(Service="a", Region="b")}),
    ("aws_budgets_budget", {"cost_filter": [{"name": "Service", "values": ["a", "b"]}]},
     {"cost_filter": select_costs(Service="a")}),
]  # fmt: skip


@check_cases(
    ("kind", "one", "other"),
    [
        ("aws_cloudwatch_metric_alarm", observe("Average"), observe("Sum")),
        (
            "aws_budgets_budget",
            {"cost_filter": select_costs(TagKeyValue="user:a$b")},
            {"cost_filter": select_costs(TagKeyValue="user:a$c")},
        ),
    ],
)
def test_a_statistic_or_filter_that_cannot_be_compared_needs_a_look(
    kind: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert [risk.id for risk in find_risks(kind, one, other)] == ["SAFEGUARD_WEAKER"]
    assert [risk.id for risk in find_risks(kind, other, one)] == ["SAFEGUARD_WEAKER"]


@check_cases(("kind", "old", "new"), WEAKER)
def test_a_safeguard_that_covers_less_is_a_risk_and_one_that_covers_more_is_none(
    kind: str, old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert [risk.id for risk in find_risks(kind, old, new)] in (["SAFEGUARD_WEAKER"], ["PRIVILEGES_EXPOSED"])
    assert find_risks(kind, new, old) == []


#: Values before and after, by the name of the test that compares them.
VALUES: dict[str, tuple[Any, Any]] = {
    "is_turned_off": (True, False),
    "is_turned_on": (False, True),
    "loses_items": (["a", "b"], ["a"]),
    "gains_items": (["a"], ["a", "b"]),
    "is_raised": (10, 20),
    "is_removed": ("a", None),
    "is_emptied": (["a"], []),
    "is_changed": ("a", "b"),
    "is_replaced": ("a", "b"),
}


def _list_values(switch: Any) -> tuple[Any, Any] | None:
    name = getattr(switch.is_weaker, "__name__", "")
    if name in VALUES:
        return VALUES[name]
    if hasattr(switch.is_weaker, "args") and isinstance(switch.is_weaker.args[0], dict):
        return max(switch.is_weaker.args[0], key=switch.is_weaker.args[0].__getitem__), "other"
    return None


SIMPLE = [
    (switch, kind, *values) for switch in SAFEGUARD_ROWS for kind in switch.types if (values := _list_values(switch))
]


@check_cases(("switch", "kind", "old", "new"), SIMPLE, ids=[f"{item[1]}.{item[0].path}" for item in SIMPLE])
def test_a_switch_is_a_risk_only_if_it_is_turned_off(switch: Any, kind: str, old: Any, new: Any) -> None:
    before, after = nest(switch.path, old), nest(switch.path, new)
    (risk,) = find_risks(kind, before, after)
    assert (risk.level, risk.area, switch.consequence in risk.description) == (switch.level, switch.area, True)
    if getattr(switch.is_weaker, "__name__", "") not in ("is_changed", "is_replaced"):
        assert find_risks(kind, after, before) == []


@check_cases("shape", [lambda block: block, lambda block: [block]])
def test_a_single_block_is_read_as_an_object_and_as_a_list(shape: Any) -> None:
    """The provider aws 5 has an object where version 6 has a list of one block."""
    kind = "aws_bedrock_model_invocation_logging_configuration"
    on, off = (
        {"logging_config": shape({"text_data_delivery_enabled": flag, "s3_config": shape({"bucket_name": "b"})})}
        for flag in (True, False)
    )
    assert [risk.id for risk in find_risks(kind, on, off)] == ["SAFEGUARD_WEAKER"]
    assert find_risks(kind, off, on) == []
    without = {"logging_config": shape({"text_data_delivery_enabled": True})}
    assert [risk.id for risk in find_risks(kind, on, without)] == ["SAFEGUARD_WEAKER"]


def test_a_switch_that_is_unknown_until_apply_is_never_fine() -> None:
    (risk,) = find_risks("aws_guardduty_detector", {"enable": True}, {}, unknown={"enable": True})
    assert (risk.id, risk.area, risk.level) == ("SAFEGUARD_UNKNOWN", RiskArea.SAFEGUARDS, LOOK)


#: A type and its attributes before and after, which differ too little to matter.
ADJUSTED = [
    ("aws_budgets_budget", {"limit_amount": "1000"}, {"limit_amount": "1100"}),
    ("aws_cloudwatch_metric_alarm", {"threshold": 80}, {"threshold": 90}),
    ("aws_cloudwatch_metric_alarm", observe("p99"), observe("p90")),
    ("aws_cloudwatch_metric_alarm", {"statistic": "Average"}, {"statistic": None, "metric_query": [{"id": "a"}]}),
    ("aws_cloudwatch_metric_alarm", {"period": 60, "evaluation_periods": 1}, {"period": 300, "evaluation_periods": 1}),
    ("aws_cloudwatch_event_rule", {"event_pattern": '{"source": ["my.app"]}'},
     {"event_pattern": '{"source": ["my.app"]}', "state": "DISABLED"}),
    ("aws_elb", {"access_logs": [{"bucket": "a"}]}, {"access_logs": [{"bucket": "b"}]}),
    ("aws_config_configuration_recorder", {"recording_group": group("B")}, {"recording_group": exclude("A")}),
    ("aws_sagemaker_notebook_instance", {"direct_internet_access": "Enabled"}, {}),
    ("aws_sagemaker_notebook_instance", {}, {"direct_internet_access": "Enabled"}),
]  # fmt: skip


@check_cases(("kind", "old", "new"), ADJUSTED)
def test_an_adjusted_setting_is_no_risk(kind: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    same = {"comparison_operator": "GreaterThanThreshold"} if "threshold" in old else {}
    assert find_risks(kind, {**same, **old}, {**same, **new}) == []


def test_an_alarm_that_notifies_a_new_topic_is_fine() -> None:
    new = {"alarm_actions": [None]}
    risks = find_risks("aws_cloudwatch_metric_alarm", {"alarm_actions": ["a"]}, new, unknown={"alarm_actions": [True]})
    assert risks == []


@check_cases(
    ("kind", "path", "off", "on"),
    [
        ("aws_guardduty_detector_feature", "status", "DISABLED", "ENABLED"),
        ("aws_securityhub_standards_control", "control_status", "DISABLED", "ENABLED"),
        ("aws_guardduty_filter", "action", "ARCHIVE", "NOOP"),
        ("aws_inspector2_filter", "action", "SUPPRESS", "NONE"),
        ("aws_ebs_encryption_by_default", "enabled", False, True),
        ("aws_ec2_image_block_public_access", "state", "unblocked", "block-new-sharing"),
        ("aws_vpc_block_public_access_exclusion", "internet_gateway_exclusion_mode", "allow-bidirectional", None),
        ("aws_sagemaker_notebook_instance", "direct_internet_access", "Enabled", "Disabled"),
        ("aws_sagemaker_notebook_instance", "direct_internet_access", None, "Disabled"),
    ],
)
def test_a_new_resource_that_turns_a_default_off_is_a_risk(kind: str, path: str, off: Any, on: Any) -> None:
    assert [risk.id for risk in find_risks(kind, None, {path: off})] in (["SAFEGUARD_WEAKER"], ["PRIVILEGES_EXPOSED"])
    assert find_risks(kind, None, {path: on}) == []
