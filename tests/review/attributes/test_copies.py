"""Copies and retention: replication, backups, snapshots, and data with a limited retention."""

import json
from typing import Any

from sustainable_mlops.review.attributes.risks import find_protection_risks
from sustainable_mlops.review.attributes.rows.data import DATA_ROWS
from sustainable_mlops.review.attributes.table import ROWS
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.privileges.exposure import find_exposure_risks
from sustainable_mlops.review.risk import Level, Risk
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_plan
from tests.review.attributes.test_switches import nest

LOOK, STOP = Level.LOOK, Level.STOP
COPY = "arn:aws:s3:::copy"


def find_risks(kind: str, old: dict[str, Any] | None, new: dict[str, Any], **marks: Any) -> list[Risk]:
    before = None if old is None else {"id": "x", **old}
    comparison = Comparison(build_plan(build_change(f"{kind}.this", {"id": "x", **new}, before=before, **marks)))
    return [*find_protection_risks(comparison), *find_exposure_risks(comparison)]


def replicate(prefix: str | None = "", markers: str = "Disabled", **more: Any) -> dict[str, Any]:
    """Return a replication rule of the second version of the format."""
    rule = {"id": "all", "status": "Enabled", "filter": [{"prefix": prefix}],
            "delete_marker_replication": [{"status": markers}], "destination": [{"bucket": COPY}]}  # fmt: skip
    return {**rule, **more}


def replicate_first(prefix: str = "", **more: Any) -> dict[str, Any]:
    """Return a rule of the first version of the format, which copies deletions."""
    return {"id": "all", "status": "Enabled", "prefix": prefix, "destination": [{"bucket": COPY}], **more}


def _tag(**tags: str) -> list[dict[str, Any]]:
    return [{"and": [{"prefix": "", "tags": tags}]}]


ENCRYPTED = [{"sse_kms_encrypted_objects": [{"status": "Enabled"}]}]
#: Rules before and after the change. The new rules copy less, or copy deletions too.
REPLICATION = [
    ([replicate()], [replicate("public/")]),
    ([replicate()], [replicate(filter=[{"tag": [{"key": "a", "value": "b"}]}])]),
    ([replicate(filter=_tag(a="b"))], [replicate(filter=_tag(a="b", c="d"))]),
    ([replicate(), replicate(destination=[{"bucket": "other"}])], [replicate()]),
    ([replicate(source_selection_criteria=ENCRYPTED)], [replicate()]),
    ([replicate()], [replicate(markers="Enabled")]),
    ([replicate()], [replicate_first()]),
    ([replicate_first()], [replicate_first("public/")]),
    ([replicate(), replicate(destination=[{"bucket": "other"}])], [replicate(), replicate("b/", status="Disabled")]),
]  # fmt: skip


@check_cases(("old", "new"), REPLICATION)
def test_a_bucket_that_is_replicated_less_is_a_risk_and_more_is_none(old: Any, new: Any) -> None:
    kind = "aws_s3_bucket_replication_configuration"
    assert [(risk.id, risk.level) for risk in find_risks(kind, {"rule": old}, {"rule": new})] == [("DATA_WEAKER", LOOK)]
    assert find_risks(kind, {"rule": new}, {"rule": old}) == []


def test_a_bucket_with_another_copy_or_none_is_a_risk() -> None:
    kind = "aws_s3_bucket_replication_configuration"
    other = {"rule": [replicate(destination=[{"bucket": "other"}])]}
    assert [risk.level for risk in find_risks(kind, {"rule": [replicate()]}, other)] == [LOOK]
    off = {"rule": [replicate(status="Disabled")]}
    assert [risk.level for risk in find_risks(kind, {"rule": [replicate()]}, off)] == [STOP]


def test_an_equivalent_replication_is_no_risk() -> None:
    kind = "aws_s3_bucket_replication_configuration"
    split = [replicate("", id="b", priority=2), replicate("raw/", id="c")]
    assert find_risks(kind, {"rule": [replicate(), replicate("raw/")]}, {"rule": split}) == []


def test_rules_inside_a_bucket_are_compared_too() -> None:
    rule = {"status": "Enabled", "delete_marker_replication_status": "Disabled", "destination": [{"bucket": COPY}]}
    old, new = (nest("replication_configuration.0.rules", [{**rule, "filter": [{"prefix": p}]}]) for p in ("", "a/"))
    assert find_risks("aws_s3_bucket", new, old) == []
    (risk,) = find_risks("aws_s3_bucket", old, new)
    assert "no longer replicated" in risk.description


def back_up(name: str = "daily", schedule: str = "cron(0 5 * * ? *)", after: int | None = 35, **more: Any) -> Any:
    lifecycle = [{"delete_after": after, "opt_in_to_archive_for_supported_resources": None}]
    return {"rule_name": name, "schedule": schedule, "target_vault_name": "main", "lifecycle": lifecycle, **more}


def copy_to(vault: str, after: int = 35) -> list[dict[str, Any]]:
    return [{"destination_vault_arn": vault, "lifecycle": [{"delete_after": after}]}]


BACKUPS: list[tuple[Any, Any, Level]] = [
    (back_up(), back_up(schedule="cron(0 5 1 * ? *)"), LOOK),
    (back_up(), back_up(after=14), LOOK),
    (back_up(copy_action=copy_to("v")), back_up(), LOOK),
    (back_up(copy_action=copy_to("v")), back_up(copy_action=copy_to("v", 30)), LOOK),
    (back_up(copy_action=copy_to("v")), back_up(copy_action=copy_to("v", 2)), STOP),
    (back_up(copy_action=[*copy_to("v"), *copy_to("w")]), back_up(copy_action=copy_to("w")), LOOK),
    (back_up(enable_continuous_backup=True), back_up(), LOOK),
    (back_up(completion_window=600), back_up(completion_window=60), LOOK),
]


@check_cases(("old", "new", "level"), BACKUPS)
def test_a_backup_plan_that_backs_up_less_is_a_risk_and_more_is_none(old: Any, new: Any, level: Level) -> None:
    found_risks = find_risks("aws_backup_plan", {"rule": [old]}, {"rule": [new]})
    assert [(risk.id, risk.level) for risk in found_risks] == [("DATA_WEAKER", level)]
    assert find_risks("aws_backup_plan", {"rule": [new]}, {"rule": [old]}) == []


def test_a_removed_rule_of_a_backup_plan_is_one_risk() -> None:
    rules = [back_up(), back_up("hourly", copy_action=copy_to("v"))]
    (risk,) = find_risks("aws_backup_plan", {"rule": rules}, {"rule": rules[:1]})
    assert (risk.level, risk.description) == (LOOK, "rule: a rule no longer makes backups")


def test_backups_at_another_hour_or_with_a_computed_value_are_no_risk() -> None:
    at_another_hour = {"rule": [back_up(schedule="cron(0 3 * * ? *)")]}
    unknown = {"rule": [{"lifecycle": [{"opt_in_to_archive_for_supported_resources": True}]}]}
    assert find_risks("aws_backup_plan", {"rule": [back_up()]}, at_another_hour, unknown=unknown) == []
    vault = find_risks("aws_backup_plan", {"rule": [back_up()]}, {"rule": [back_up(target_vault_name="other")]})
    assert [risk.level for risk in vault] == [LOOK]
    unknown = {"rule": [{"lifecycle": [{"delete_after": True}]}]}
    found_risks = find_risks("aws_backup_plan", {"rule": [back_up()]}, at_another_hour, unknown=unknown)
    assert {risk.id for risk in found_risks} == {"DATA_UNKNOWN"}


def tag(key: str, value: str = "yes") -> dict[str, Any]:
    return {"type": "STRINGEQUALS", "key": key, "value": value}


ARN = "arn:aws:dynamodb:eu-north-1:123456789012:table/orders"
SELECTIONS = [
    ({"resources": ["*"]}, {"resources": [ARN]}),
    ({"resources": [ARN, "b"]}, {"resources": [ARN]}),
    ({"selection_tag": [tag("a"), tag("b")]}, {"selection_tag": [tag("a")]}),
    ({"resources": ["*"]}, {"resources": ["*"], "not_resources": [ARN]}),
    ({"resources": ["*"]}, {"resources": ["*"], "condition": [{"string_equals": [{"key": "a", "value": "b"}]}]}),
]


@check_cases(("old", "new"), SELECTIONS)
def test_a_selection_of_fewer_resources_is_a_risk_and_of_more_is_none(old: Any, new: Any) -> None:
    found_risks = find_risks("aws_backup_selection", old, new)
    assert [(risk.id, risk.level) for risk in found_risks] == [("DATA_WEAKER", STOP)]
    assert find_risks("aws_backup_selection", new, old) == []


def test_a_selection_of_another_tag_is_a_risk() -> None:
    both = {"selection_tag": [tag("a")]}, {"selection_tag": [tag("a", "no")]}
    assert len(find_risks("aws_backup_selection", *both)) == len(find_risks("aws_backup_selection", *both[::-1])) == 1


def snapshot(**more: Any) -> dict[str, Any]:
    schedule = {"name": "s", "create_rule": [{"interval": 12}], "retain_rule": [{"count": 14}], **more}
    return {"policy_details": [{"resource_types": ["VOLUME"], "target_tags": {"a": "b"}, "schedule": [schedule]}]}


def _copy(target: str, days: int = 30) -> list[dict[str, Any]]:
    return [{"target": target, "retain_rule": [{"interval": days, "interval_unit": "DAYS"}]}]


TWO_WEEKS = [{"interval": 2, "interval_unit": "WEEKS"}]
SNAPSHOTS = [
    tuple(snapshot(create_rule=[{"interval": hours}], retain_rule=TWO_WEEKS) for hours in (12, 24)),
    (snapshot(cross_region_copy_rule=_copy("eu-west-1")), snapshot()),
    (snapshot(cross_region_copy_rule=_copy("eu-west-1")), snapshot(cross_region_copy_rule=_copy("eu-west-1", 14))),
    (
        snapshot(create_rule=[{"cron_expression": "cron(0 3 * * ? *)"}]),
        snapshot(create_rule=[{"cron_expression": "cron(0 3 ? * MON *)"}]),
    ),
]


@check_cases(("old", "new"), SNAPSHOTS)
def test_fewer_snapshots_or_copies_are_a_risk_and_more_are_none(old: Any, new: Any) -> None:
    assert [risk.id for risk in find_risks("aws_dlm_lifecycle_policy", old, new)] == ["DATA_WEAKER"]
    assert find_risks("aws_dlm_lifecycle_policy", new, old) == []


def test_a_policy_that_shares_snapshots_is_a_risk() -> None:
    shared = snapshot(share_rule=[{"target_accounts": ["999999999999"]}])
    assert [risk.id for risk in find_risks("aws_dlm_lifecycle_policy", snapshot(), shared)] == ["PRIVILEGES_EXPOSED"]
    assert find_risks("aws_dlm_lifecycle_policy", shared, snapshot()) == []


def optimize(kind: str = "retention", enabled: bool = True, **settings: Any) -> dict[str, Any]:
    name = f"{kind}_configuration"
    return {"type": kind, "configuration": [{"enabled": enabled, name: [{"iceberg_configuration": [settings]}]}]}


def expire(hours: str) -> dict[str, Any]:
    return {"policy": json.dumps({"Rules": [{"Resource": ["index/a/*"], "MinIndexRetention": hours}]})}


def properties(*lines: str) -> dict[str, Any]:
    return {"server_properties": "\n".join(lines)}


def recycle(value: int, unit: str = "DAYS", **more: Any) -> dict[str, Any]:
    period = [{"retention_period_value": value, "retention_period_unit": unit}]
    return {"resource_type": "EBS_SNAPSHOT", "retention_period": period, **more}


def copy_images(*regions: str, **more: Any) -> dict[str, Any]:
    rule = {"destination": [{"region": region, "registry_id": "1"} for region in regions], **more}
    return {"replication_configuration": [{"rule": [rule]}]}


SHORTER = [
    ("aws_msk_configuration", properties("log.retention.hours = 168"), properties("log.retention.hours = 100")),
    ("aws_msk_configuration", properties(""), properties("log.retention.ms=300000000", "log.retention.hours=500")),
    ("aws_msk_configuration", properties("log.retention.ms=-1"), properties("# log.retention.ms=-1")),
    ("aws_msk_configuration", properties(""), properties("log.retention.bytes=1000")),
    ("aws_msk_configuration", properties("min.insync.replicas=2"), properties("min.insync.replicas=1")),
    ("aws_msk_configuration", properties(""), properties("unclean.leader.election.enable=true")),
    ("aws_msk_configuration", properties("log.cleanup.policy=compact"), properties("log.cleanup.policy=delete")),
    ("aws_rbin_rule", recycle(30), recycle(1)),
    ("aws_rbin_rule", recycle(30), recycle(30, resource_tags=[{"resource_tag_key": "a"}])),
    ("aws_glue_catalog_table_optimizer", *(optimize(snapshot_retention_period_in_days=days) for days in (30, 1))),
    ("aws_glue_catalog_table_optimizer", *(optimize(number_of_snapshots_to_retain=count) for count in (10, None))),
    ("aws_glue_catalog_table_optimizer", *(optimize(clean_expired_files=clean) for clean in (False, True))),
    ("aws_glue_catalog_table_optimizer", *(optimize(enabled=enabled) for enabled in (False, True))),
    (
        "aws_glue_catalog_table_optimizer",
        *(optimize("orphan_file_deletion", orphan_file_retention_period_in_days=days) for days in (30, 1)),
    ),
    ("aws_opensearchserverless_lifecycle_policy", expire("30d"), expire("20d")),
    ("aws_opensearchserverless_lifecycle_policy", {"policy": '{"Rules": []}'}, expire("48h")),
    ("aws_ecr_replication_configuration", copy_images("a", "b"), copy_images("a")),
    ("aws_ecr_replication_configuration", copy_images("a", repository_filter=[{"filter": "x"}, {"filter": "y"}]),
     copy_images("a", repository_filter=[{"filter": "x"}])),
    ("aws_redshift_snapshot_schedule", {"definitions": ["rate(12 hours)"]}, {"definitions": ["rate(24 hours)"]}),
    ("aws_redshift_snapshot_schedule", {"definitions": ["cron(30 12 *)"]}, {"definitions": ["cron(30 12 MON)"]}),
    (
        "aws_s3tables_table",
        *(
            {"maintenance_configuration": {"iceberg_snapshot_management": {"settings": {"max_snapshot_age_hours": n}}}}
            for n in (None, 100)
        ),
    ),
    (
        "aws_dynamodb_table",
        *({"replica": [{"region_name": "a", "point_in_time_recovery": on}]} for on in (True, False)),
    ),
    ("aws_kinesis_firehose_delivery_stream", {"splunk_configuration": [{"s3_backup_mode": "AllEvents"}]},
     {"splunk_configuration": [{"s3_backup_mode": "FailedEventsOnly"}]}),
]  # fmt: skip


@check_cases(("kind", "old", "new"), SHORTER)
def test_data_that_is_kept_for_a_shorter_time_is_a_risk_and_longer_is_none(kind: str, old: Any, new: Any) -> None:
    assert [(risk.id, risk.level) for risk in find_risks(kind, old, new)] == [("DATA_WEAKER", LOOK)]
    assert find_risks(kind, new, old) == []


@check_cases(
    ("old", "new"),
    [
        (properties("log.cleanup.policy=compact,delete"), properties("log.cleanup.policy=delete")),
        (properties("log.retention.hours=168"), properties("log.retention.minutes=10080", "num.io.threads=8")),
        (properties("log.retention.hours=168"), properties("log.retention.hours=many")),
    ],
)
def test_brokers_that_keep_records_as_long_as_before_are_no_risk(old: Any, new: Any) -> None:
    assert find_risks("aws_msk_configuration", old, new) == []


def test_the_deletion_of_nearly_all_records_is_stopped() -> None:
    found_risks = find_risks("aws_msk_configuration", properties(""), properties("log.retention.minutes=10"))
    assert [risk.level for risk in found_risks] == [STOP]


@check_cases(
    ("kind", "deletes", "keeps"),
    [
        ("aws_glue_catalog_table_optimizer", optimize(), optimize("compaction")),
        ("aws_opensearchserverless_lifecycle_policy", expire("7d"), {"policy": '{"Rules": []}'}),
        ("aws_imagebuilder_lifecycle_policy", {"policy_detail": [{"action": [{"type": "DELETE"}]}]}, {}),
    ],
)
def test_a_new_resource_that_deletes_data_is_a_risk(kind: str, deletes: Any, keeps: Any) -> None:
    assert [risk.id for risk in find_risks(kind, None, deletes)] == ["DATA_WEAKER"]
    assert find_risks(kind, None, keeps) == []


def test_an_optimizer_whose_role_is_unknown_until_apply_is_rated_by_its_settings() -> None:
    for kind, expected in (("compaction", []), ("retention", ["DATA_WEAKER"])):
        unknown = {"configuration": [{"role_arn": True}]}
        risks = find_risks("aws_glue_catalog_table_optimizer", None, optimize(kind), unknown=unknown)
        assert [risk.id for risk in risks] == expected


VALUES: dict[str, tuple[Any, Any]] = {
    "is_turned_off": (True, False),
    "loses_items": (["a", "b"], ["a"]),
    "gains_items": (["a"], ["a", "b"]),
    "is_removed": ([{"a": "b"}], None),
}
SIMPLE = [
    (protection, kind, *VALUES[getattr(protection.is_weaker, "__name__", "")])
    for protection in DATA_ROWS
    for kind in protection.types
    if getattr(protection.is_weaker, "__name__", "") in VALUES
]


@check_cases(("protection", "kind", "old", "new"), SIMPLE, ids=[f"{i[1]}.{i[0].path}" for i in SIMPLE])
def test_a_copy_that_ends_is_a_risk_and_one_that_starts_is_none(protection: Any, kind: str, old: Any, new: Any) -> None:
    before, after = nest(protection.path, old), nest(protection.path, new)
    (risk,) = find_risks(kind, before, after)
    assert (risk.id, risk.level) == ("DATA_WEAKER", protection.level)
    assert find_risks(kind, after, before) == []


def test_each_row_has_its_own_attribute_and_test() -> None:
    rows = [(kind, protection.path, protection.is_weaker) for protection in ROWS for kind in protection.types]
    assert sorted(map(str, rows)) == sorted(map(str, set(rows)))
