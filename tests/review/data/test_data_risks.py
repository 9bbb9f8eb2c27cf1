"""Data at risk: deletion, replacement and weaker protection of data."""

import json
from typing import Any

import pytest

from sustainable_mlops.plan import Plan
from sustainable_mlops.review.attributes.risks import find_protection_risks
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.data.risks import find_data_risks
from sustainable_mlops.review.deployment import find_deployment_risks
from sustainable_mlops.review.risk import Level, Risk, RiskArea
from sustainable_mlops.review.safeguards.risks import find_safeguard_risks
from sustainable_mlops.review.stores import STORES
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan

BUCKET = {"bucket": "data", "id": "data", "arn": "arn:aws:s3:::data", "force_destroy": False}
KEY = {"arn": "arn:aws:kms:eu-north-1:123456789012:key/1", "deletion_window_in_days": 30, "is_enabled": True}


def risks(plan: Plan) -> list[Risk]:
    comparison = Comparison(plan)
    return list_risks_of(comparison)


def list_risks_of(comparison: Comparison) -> list[Risk]:
    finders = find_data_risks, find_protection_risks, find_safeguard_risks, find_deployment_risks
    return [risk for find_risks in finders for risk in find_risks(comparison)]


def build_rules(*days: int, expires: Any = None, old: Any = None, **more: Any) -> dict[str, Any]:
    """Return lifecycle rules for objects under raw/, or for their old versions."""
    kinds: list[dict[str, Any]] = [{"expiration": [{"days": n}]} for n in days]
    kinds += [{"expiration": [expires]}] if expires else []
    kinds += [{"noncurrent_version_expiration": [{"noncurrent_days": 30, **old}]}] if old is not None else []
    rules = [{"status": "Enabled", "filter": [{"prefix": "raw/"}], **kind, **more} for kind in kinds]
    return {"bucket": "data", "rule": rules}


def larger(size: Any) -> Any:
    return [{"prefix": "raw/", "object_size_greater_than": size}]


@check_cases("kind", sorted(STORES))
def test_deleting_or_replacing_what_holds_data_is_a_risk(kind: str) -> None:
    before = {"arn": "arn:aws:x:eu-north-1:123456789012:y"}
    deleted = build_plan(build_change(f"{kind}.this", before=before))
    replaced = build_plan(build_change(f"{kind}.this", before, before=before, actions=["delete", "create"]))
    assert [(risk.id, risk.level) for risk in risks(deleted)] == [("DATA_DELETED", STORES[kind].level)]
    assert [(risk.id, risk.level) for risk in risks(replaced)] == [("DATA_REPLACED", STORES[kind].level)]


def test_a_replacement_that_leaves_an_old_object_to_delete_is_a_risk() -> None:
    found_risks = risks(build_plan(build_change("aws_s3_bucket.this", before=BUCKET, deposed="1a2b3c4d")))
    assert [risk.id for risk in found_risks] == ["DATA_DELETED"]
    assert "a deposed object" in found_risks[0].description


def test_an_address_that_moves_is_no_risk() -> None:
    moved = build_change("aws_s3_bucket.this", BUCKET, before=BUCKET, previous_address="aws_s3_bucket.old")
    assert risks(build_plan(moved)) == []


def test_a_created_or_unchanged_store_is_no_risk() -> None:
    assert (
        risks(build_plan(build_change("aws_s3_bucket.a", BUCKET), build_change("aws_kms_key.b", KEY, before=KEY))) == []
    )


def test_a_forgotten_store_needs_a_look() -> None:
    found_risks = risks(build_plan(build_change("aws_s3_bucket.this", before=BUCKET, actions=["forget"])))
    assert [(risk.id, risk.level) for risk in found_risks] == [("DATA_FORGOTTEN", Level.LOOK)]


def test_a_removed_deletion_guard_is_reported_with_its_resource() -> None:
    guard = build_change(
        "module.storage.terraform_data.deletion_protection", before={"triggers_replace": BUCKET["arn"]}, index="data"
    )
    (risk,) = risks(build_plan(guard))
    assert (risk.id, risk.level) == ("DATA_GUARD_REMOVED", Level.STOP)
    assert "arn:aws:s3:::data" in risk.description


@pytest.mark.parametrize("reason", ["delete_because_no_resource_config", "delete_because_no_module"])
def test_a_guard_removed_with_its_configuration_and_data_has_its_own_text(reason: str) -> None:
    address = "module.storage.terraform_data.deletion_protection"
    guard = build_change(address, before={"triggers_replace": BUCKET["arn"]}, index="data", action_reason=reason)
    bucket = build_change("module.storage.aws_s3_bucket.this", before=BUCKET, action_reason=reason)
    elsewhere = build_change("module.other.aws_s3_bucket.this", before=BUCKET, action_reason=reason)
    unchanged = build_change("module.storage.aws_s3_bucket.this", BUCKET, before=BUCKET)

    def guards(*changes: Any) -> list[tuple[str, Level]]:
        found_risks = [risk for risk in risks(build_plan(*changes)) if "GUARD" in risk.id]
        return [(risk.id, risk.level) for risk in found_risks]

    assert guards(guard, bucket) == [("DATA_GUARD_UNCONFIGURED", Level.STOP)]
    assert guards(guard, elsewhere) == guards(guard, unchanged) == [("DATA_GUARD_REMOVED", Level.STOP)]


def mfa(*states: str) -> list[Any]:
    return [[{"status": "Enabled", "mfa_delete": state}] for state in states]


def lock(mode: str = "COMPLIANCE", **unchanged: int) -> Any:
    return [{"default_retention": [{"mode": mode, **unchanged}]}]


def statuses(*states: str) -> list[Any]:
    return [[{"id": "a", "status": state}] for state in states]


def days(name: str, *values: int) -> list[Any]:
    return [[{name: value}] for value in values]


def backups(unchanged: int | None) -> Any:
    return [{"rule_name": "daily", "schedule": "cron(0 1 * * ? *)", "lifecycle": [{"delete_after": unchanged}]}]


def ttl(value: int, unit: str | None = "Days") -> Any:
    return [{"ttl_duration": [{"unit": unit, "value": value}]}]


def expiring(attribute: str | None, enabled: bool = True) -> Any:
    return [{"enabled": enabled, "attribute_name": attribute}]


def encrypted(algorithm: str) -> Any:
    return [{"apply_server_side_encryption_by_default": [{"sse_algorithm": algorithm}]}]


def snapshots(unchanged: dict[str, Any], created: dict[str, Any] | None = None, **details: Any) -> Any:
    """Return a Data Lifecycle Manager policy with one schedule."""
    times = {"interval": 24, "interval_unit": "HOURS", "times": ["03:00"]}
    schedule = {"name": "daily", "create_rule": [created or times], "retain_rule": [unchanged]}
    return [{"resource_types": ["VOLUME"], "target_tags": {"backup": "yes"}, "schedule": [schedule], **details}]


def two(unchanged: dict[str, Any]) -> Any:
    """Return two schedules; one keeps snapshots for a year."""
    yearly = {"name": "yearly", "retain_rule": [{"interval": 1, "interval_unit": "YEARS"}]}
    (details,) = snapshots(unchanged)
    return [{**details, "schedule": [*details["schedule"], yearly]}]


TWICE = {"interval": 12, "interval_unit": "HOURS"}
WEEKS = {"interval": 4, "interval_unit": "WEEKS"}
DELETES = [{"home_efs_file_system": "Delete"}]
WEAKER = [
    ("aws_s3_bucket", "force_destroy", False, True),
    ("aws_ecr_repository", "force_delete", None, True),
    ("aws_kms_key", "deletion_window_in_days", 30, 7),
    ("aws_kms_key", "deletion_window_in_days", None, 7),
    ("aws_kms_key", "is_enabled", True, False),
    ("aws_db_instance", "deletion_protection", True, False),
    ("aws_db_instance", "skip_final_snapshot", False, True),
    ("aws_dynamodb_table", "deletion_protection_enabled", True, False),
    ("aws_dynamodb_table", "point_in_time_recovery", [{"enabled": True}], [{"enabled": False}]),
    ("aws_s3_bucket_versioning", "versioning_configuration", [{"status": "Enabled"}], [{"status": "Suspended"}]),
    ("aws_sagemaker_domain", "retention_policy", [{"home_efs_file_system": "Retain"}], DELETES),
    ("aws_cloudwatch_log_group", "retention_in_days", 0, 30),
    ("aws_kms_key", "enable_key_rotation", True, False),
    ("aws_kms_key", "rotation_period_in_days", 90, 2560),
    ("aws_kms_key", "rotation_period_in_days", None, 366),
    ("aws_s3_bucket_versioning", "versioning_configuration", *mfa("Enabled", "Disabled")),
    ("aws_s3_bucket_object_lock_configuration", "rule", lock(days=365), lock(days=1)),
    ("aws_s3_bucket_object_lock_configuration", "rule", lock(years=10), lock(days=365)),
    ("aws_s3_bucket_object_lock_configuration", "rule", lock(days=365), lock("GOVERNANCE", days=365)),
    ("aws_s3_bucket_object_lock_configuration", "rule", lock(days=365), []),
    ("aws_s3_bucket_replication_configuration", "rule", *statuses("Enabled", "Disabled")),
    ("aws_dynamodb_table", "ttl", [{"enabled": False}], [{"enabled": True, "attribute_name": "ends"}]),
    ("aws_dynamodb_table", "replica", [{"region_name": "a"}, {"region_name": "b"}], [{"region_name": "a"}]),
    ("aws_timestreamwrite_table", "retention_properties", *days("magnetic_store_retention_period_in_days", 3650, 1)),
    ("aws_efs_backup_policy", "backup_policy", *statuses("ENABLED", "DISABLED")),
    ("aws_fsx_lustre_file_system", "automatic_backup_retention_days", 30, 0),
    ("aws_elasticache_replication_group", "snapshot_retention_limit", 30, None),
    ("aws_redshift_cluster", "automated_snapshot_retention_period", 35, 0),
    ("aws_rds_global_cluster", "deletion_protection", True, False),
    ("aws_lb", "enable_deletion_protection", True, False),
    ("aws_backup_vault", "force_destroy", False, True),
    ("aws_backup_plan", "rule", backups(365), backups(30)),
    ("aws_backup_plan", "rule", backups(None), backups(30)),
    ("aws_backup_plan", "rule", [{**backups(1)[0], "lifecycle": []}], backups(30)),
    ("aws_backup_plan", "rule", [*backups(30), {**backups(30)[0], "rule_name": "other"}], backups(30)),
    ("aws_sagemaker_feature_group", "online_store_config", ttl(365), ttl(1)),
    ("aws_sagemaker_feature_group", "online_store_config", [{}], ttl(1)),
    ("aws_sagemaker_feature_group", "online_store_config", ttl(365), ttl(365, None)),
    ("aws_dynamodb_table", "ttl", [{"enabled": False, "attribute_name": "a"}], expiring("a")),
    ("aws_dlm_lifecycle_policy", "state", "ENABLED", "DISABLED"),
    ("aws_dlm_lifecycle_policy", "state", None, "DISABLED"),
    ("aws_dlm_lifecycle_policy", "policy_details", snapshots({"count": 14}), snapshots({"count": 7})),
    ("aws_dlm_lifecycle_policy", "policy_details", snapshots(WEEKS), snapshots({**WEEKS, "interval": 3})),
    ("aws_dlm_lifecycle_policy", "policy_details", snapshots(WEEKS), snapshots({**WEEKS, "interval_unit": "DAYS"})),
    ("aws_dlm_lifecycle_policy", "policy_details", [{"retain_interval": 7}], [{"retain_interval": 3}]),
    ("aws_backup_selection", "resources", ["a", "b"], ["b"]),
    ("aws_backup_vault_lock_configuration", "min_retention_days", 30, None),
    ("aws_cloudtrail_event_data_store", "retention_period", None, 365),
    ("aws_cloudtrail_event_data_store", "termination_protection_enabled", True, False),
    ("aws_cloudwatch_event_archive", "retention_days", 0, 30),
    ("aws_kinesis_stream", "retention_period", 168, None),
    ("aws_kinesis_video_stream", "data_retention_in_hours", 24, None),
    ("aws_sqs_queue", "message_retention_seconds", 1_209_600, None),
    ("aws_fsx_windows_file_system", "skip_final_backup", None, True),
    ("aws_db_instance", "delete_automated_backups", False, True),
    ("aws_rds_cluster", "backtrack_window", 86_400, 0),
    ("aws_made_tomorrow", "retention_in_days", 30, 14),
    ("aws_made_tomorrow", "retention_period", 30, 14),
    ("awscc_logs_log_group", "retention_in_days", 30, 14),
]
#: Retentions cut so short that nearly everything is deleted immediately, and shortened ones.
CUT = [
    ("aws_kms_alias", "target_key_id", "1", [], ["2"]),
    ("aws_cloudwatch_log_group", "retention_in_days", 365, [1, 3, 5, 30, 36], [37, 180]),
    ("aws_cloudwatch_log_group", "retention_in_days", 400, [30], [40]),
    ("aws_cloudwatch_log_group", "retention_in_days", 0, [1, 3, 5], [7, 365]),
    ("aws_cloudwatch_log_group", "retention_in_days", 7, [1, 3, 5], []),
    ("aws_cloudwatch_log_group", "retention_in_days", 5, [], [1, 3]),
    ("aws_cloudwatch_event_archive", "retention_days", 0, [1, 6], [7]),
    ("aws_sqs_queue", "message_retention_seconds", 1_209_600, [60, 120_959], [120_960, 345_600]),
    ("aws_sqs_queue", "message_retention_seconds", None, [60], [86_400]),
    ("aws_made_tomorrow", "retention_period", 168, [1], [24]),
    ("aws_backup_plan", "rule", backups(365), [backups(6), backups(30)], [backups(90)]),
    ("aws_backup_plan", "rule", backups(None), [backups(1)], [backups(7)]),
    ("aws_backup_plan", "rule", [*backups(30), {**backups(30)[0], "rule_name": "other"}],
     [[*backups(1), {**backups(30)[0], "rule_name": "other"}]], [backups(30)]),
    ("aws_sagemaker_feature_group", "online_store_config", ttl(365), [ttl(1)], [ttl(180)]),
    ("aws_sagemaker_feature_group", "online_store_config", ttl(30), [ttl(6)], [ttl(7), ttl(1, "Weeks")]),
    ("aws_dlm_lifecycle_policy", "policy_details", snapshots({"count": 30}),
     [snapshots({"count": 1}), snapshots({"count": 6})], [snapshots({"count": 7})]),
    ("aws_dlm_lifecycle_policy", "policy_details", snapshots({"count": 60}, TWICE), [snapshots({"count": 12}, TWICE)],
     [snapshots({"count": 14}, TWICE)]),
    ("aws_dlm_lifecycle_policy", "policy_details", two({"count": 30}), [two({"count": 1})], [two({"count": 14})]),
    ("aws_dlm_lifecycle_policy", "policy_details", snapshots(WEEKS),
     [snapshots({"interval": 1, "interval_unit": "DAYS"})],
     [snapshots({"interval": 1, "interval_unit": "WEEKS"}), snapshots(WEEKS, target_tags={"backup": "no"}),
      snapshots(WEEKS, {"cron_expression": "cron(0 3 ? * MON *)"})]),
]  # fmt: skip
EXPOSED = [
    ("aws_sagemaker_endpoint_configuration", "kms_key_arn", "k", None),
    ("aws_sagemaker_notebook_instance", "kms_key_id", "k", None),
    ("aws_sns_topic", "kms_master_key_id", "k", None),
    ("aws_sqs_queue", "sqs_managed_sse_enabled", True, False),
    ("aws_cloudwatch_log_group", "kms_key_id", "k", ""),
    ("aws_dynamodb_table", "server_side_encryption", [{"enabled": True}], []),
    ("aws_kinesis_stream", "encryption_type", "KMS", "NONE"),
    ("aws_s3_bucket_server_side_encryption_configuration", "rule", encrypted("aws:kms"), encrypted("AES256")),
    ("aws_sagemaker_model", "enable_network_isolation", True, False),
    ("aws_s3_bucket_public_access_block", "block_public_acls", True, False),
    ("aws_db_instance", "publicly_accessible", False, True),
    ("aws_ram_resource_share", "allow_external_principals", False, True),
]


@check_cases(("kind", "name", "old", "new"), WEAKER)
def test_protecting_data_less_is_a_risk_and_more_is_none(kind: str, name: str, old: Any, new: Any) -> None:
    weaker = risks(build_plan(build_change(f"{kind}.this", {"id": "x", name: new}, before={"id": "x", name: old})))
    assert [risk.id for risk in weaker] == ["DATA_WEAKER"]
    assert risks(build_plan(build_change(f"{kind}.this", {"id": "x", name: old}, before={"id": "x", name: new}))) == []


def test_a_protection_of_a_store_with_data_has_a_higher_level() -> None:
    def level(kind: str) -> Level:
        old, new = ({"id": "x", "deletion_protection": protected} for protected in (True, False))
        (risk,) = risks(build_plan(build_change(f"{kind}.this", new, before=old)))
        return risk.level

    assert (level("aws_docdb_cluster"), level("aws_made_tomorrow")) == (Level.STOP, Level.LOOK)


@check_cases(("kind", "name", "old", "stops", "looks"), CUT)
def test_a_drastic_cut_of_a_retention_is_stopped(
    kind: str, name: str, old: Any, stops: list[Any], looks: list[Any]
) -> None:
    def list_risks(new: Any) -> list[tuple[str, Level]]:
        entry = build_change(f"{kind}.this", {"id": "x", name: new}, before={"id": "x", name: old})
        return [(risk.id, risk.level) for risk in risks(build_plan(entry))]

    assert [list_risks(new) for new in stops] == [[("DATA_WEAKER", Level.STOP)]] * len(stops)
    assert [list_risks(new) for new in looks] == [[("DATA_WEAKER", Level.LOOK)]] * len(looks)


#: Changes that protect as much as before.
EQUAL = [
    ("aws_s3_bucket", "force_destroy", None, False),
    ("aws_db_instance", "deletion_protection", False, None),
    ("aws_kms_key", "rotation_period_in_days", None, 365),
    ("aws_backup_selection", "resources", ["a", "b"], ["b", "a"]),
    ("aws_s3_bucket_object_lock_configuration", "rule", lock(years=1), lock(days=365)),
    ("aws_s3_bucket_ownership_controls", "rule", *([{"object_ownership": o}] for o in ("ObjectWriter", "Other"))),
    ("aws_dynamodb_table", "ttl", expiring("a"), [*expiring("a"), {}]),
    ("aws_dynamodb_table", "ttl", expiring("a"), [{**expiring("a")[0], "more": 1}]),
    ("aws_dynamodb_table", "ttl", expiring("a"), expiring(None, enabled=False)),
    *(
        ("aws_dlm_lifecycle_policy", "policy_details", *(snapshots({"interval": n, "interval_unit": unit})
                                                         for n, unit in pair))
        for some, days in (("WEEKS", 7), ("MONTHS", 30), ("YEARS", 365))
        for pair in (((1, some), (days, "DAYS")), ((days, "DAYS"), (1, some)))
    ),
    *(
        ("aws_sagemaker_feature_group", "online_store_config", ttl(*old), ttl(*new))
        for one, other in [((1, "Weeks"), (7, "Days")), ((1, "Days"), (24, "Hours")), ((1, "Hours"), (60, "Minutes")),
                           ((1, "Minutes"), (60, "Seconds"))]
        for old, new in [(one, other), (other, one)]
    ),
]  # fmt: skip


@check_cases(("kind", "name", "old", "new"), EQUAL)
def test_an_equal_protection_is_no_risk(kind: str, name: str, old: Any, new: Any) -> None:
    assert risks(build_plan(build_change(f"{kind}.this", {"id": "x", name: new}, before={"id": "x", name: old}))) == []


def test_an_unset_protection_cannot_become_weaker() -> None:
    for name, old in (("encryption_type", "NONE"), ("deletion_protection", False), ("kms_key_id", None)):
        entry = build_change(
            "aws_kinesis_stream.this", {"id": "x"}, before={"id": "x", name: old}, unknown={name: True}
        )
        assert risks(build_plan(entry)) == []


def test_a_long_value_is_not_shown() -> None:
    old, new = ({"id": "x", "policy_details": snapshots({"count": count})} for count in (30, 14))
    (risk,) = risks(build_plan(build_change("aws_dlm_lifecycle_policy.this", new, before=old)))
    assert risk.description.startswith("policy_details.0: snapshots cover less")
    old, new = ({"id": "x", "retention_in_days": count} for count in (30, 14))
    (risk,) = risks(build_plan(build_change("aws_cloudwatch_log_group.this", new, before=old)))
    assert risk.description == "retention_in_days: 30 → 14: older logs will be deleted"


@check_cases("kind", ["aws_dlm_lifecycle_policy", "aws_efs_replication_configuration",
                                  "aws_db_instance_automated_backups_replication"])  # fmt: skip
def test_a_removed_backup_or_replication_is_a_risk(kind: str) -> None:
    assert [(r.id, r.level) for r in risks(build_plan(build_change(f"{kind}.x", before={"id": "x"})))] == [
        ("DATA_WEAKER", Level.STOP)
    ]
    forgotten = risks(build_plan(build_change(f"{kind}.x", before={"id": "x"}, actions=["forget"])))
    assert [(risk.id, risk.level) for risk in forgotten] == [("DATA_WEAKER", Level.LOOK)]


def test_a_policy_that_was_disabled_is_not_missed() -> None:
    assert risks(build_plan(build_change("aws_dlm_lifecycle_policy.x", before={"state": "DISABLED"}))) == []


@check_cases(
    ("before", "after", "level"),
    [
        (None, {}, Level.LOOK),
        (None, {"noncurrent_days": 1}, Level.STOP),
        ({"noncurrent_days": 365}, {"noncurrent_days": 90}, Level.LOOK),
        ({"noncurrent_days": 365}, {"noncurrent_days": 30}, Level.STOP),
        ({"noncurrent_days": 7}, {"noncurrent_days": 6}, Level.STOP),
        ({"noncurrent_days": 5}, {"noncurrent_days": 3}, Level.LOOK),
    ],
)
def test_old_versions_may_go_but_not_all_at_once(before: Any, after: Any, level: Level) -> None:
    old = None if before is None else build_rules(old=before)
    rules = build_change("aws_s3_bucket_lifecycle_configuration.this", build_rules(old=after), before=old)
    found_risks = risks(build_plan(build_change("aws_s3_bucket.this", BUCKET, before=BUCKET), rules))
    assert [(risk.id, risk.level) for risk in found_risks] == [("DATA_EXPIRES", level)]


def test_old_versions_that_went_soon_elsewhere_did_not_go_here() -> None:
    old, new = (build_rules(old={"noncurrent_days": days})["rule"] for days in (3, 1))
    elsewhere = {**old[0], "filter": [{"prefix": "scratch/"}]}
    before, after = ({"bucket": "data", "rule": rules} for rules in ([elsewhere], [elsewhere, *new]))
    rules = build_change("aws_s3_bucket_lifecycle_configuration.this", after, before=before)
    found_risks = risks(build_plan(build_change("aws_s3_bucket.this", BUCKET, before=BUCKET), rules))
    assert [(risk.id, risk.level) for risk in found_risks] == [("DATA_EXPIRES", Level.STOP)]


@check_cases(("kind", "name", "old", "new"), EXPOSED)
@check_cases("actions", [["update"], ["delete", "create"]])
def test_a_guard_counts_also_where_what_it_guards_is_replaced(
    kind: str, name: str, old: Any, new: Any, actions: list[str]
) -> None:
    def exposed(before: Any, after: Any) -> list[str]:
        result = build_change(
            f"{kind}.this", {"id": "x", name: after}, before={"id": "x", name: before}, actions=actions
        )
        return [risk.id for risk in list_risks_of(Comparison(build_plan(result))) if risk.area is RiskArea.PRIVILEGES]

    assert exposed(old, new) == ["PRIVILEGES_EXPOSED"]
    assert exposed(new, old) == []


def test_a_key_instead_of_the_queues_own_encryption_is_no_risk() -> None:
    before = {"name": "q", "sqs_managed_sse_enabled": True, "kms_master_key_id": None}
    after = {"name": "q", "sqs_managed_sse_enabled": False, "kms_master_key_id": "k"}
    assert risks(build_plan(build_change("aws_sqs_queue.q", after, before=before))) == []


def test_a_computed_value_of_a_replacement_is_not_an_unknown_risk() -> None:
    def list_risks(*references: str) -> list[str]:
        entry = build_change(
            "aws_sagemaker_notebook_instance.n",
            {"name": "n"},
            before={"name": "m", "kms_key_id": ""},
            unknown={"kms_key_id": True, "storage_encrypted": True},
            actions=["delete", "create"],
        )
        entry["change"]["before"]["storage_encrypted"] = True
        arguments = {"storage_encrypted": list(references)} if references else {}
        root = {"resources": [build_configuration("aws_sagemaker_notebook_instance.n", name=["var.n"], **arguments)]}
        return [risk.id for risk in risks(build_plan(entry, root=root))]

    assert list_risks() == ["DATA_REPLACED", "PRIVILEGES_EXPOSED"]
    assert list_risks("var.encrypted") == ["DATA_REPLACED", "PRIVILEGES_UNKNOWN"]


@check_cases(
    ("kind", "old", "new", "id_"),
    [
        ("versioning", {"versioning_configuration": [{"status": "Enabled"}]}, {"versioning_configuration": [{}]}, "W"),
        ("server_side_encryption_configuration", {"rule": encrypted("aws:kms")}, {"rule": encrypted("AES256")}, "E"),
        ("ownership_controls", *({"rule": [{"object_ownership": o}]} for o in ("BucketOwnerEnforced", "Writer")), "E"),
        ("public_access_block", {"block_public_acls": True}, {"block_public_acls": False}, "E"),
        ("versioning", *[{"versioning_configuration": [{"status": "Enabled"}]}] * 2, ""),
    ],
)
def test_protection_under_another_address_is_compared_with_what_it_replaces(
    kind: str, old: Any, new: Any, id_: str
) -> None:
    found_risks = risks(
        build_plan(
            build_change("aws_s3_bucket.this", BUCKET, before=BUCKET),
            build_change(f"aws_s3_bucket_{kind}.old", before={"bucket": "data", **old}),
            build_change(f"aws_s3_bucket_{kind}.new", {"bucket": "data", **new}),
        )
    )
    names = {"W": ["DATA_WEAKER"], "E": ["PRIVILEGES_EXPOSED"], "": []}
    assert [risk.id for risk in found_risks] == names[id_]


@check_cases(
    ("kind", "looked_at"),
    [
        ("aws_kendra_index", True),
        ("awscc_rds_db_instance", True),
        ("google_storage_bucket", True),
        ("tls_private_key", True),
        ("aws_iam_role_policy_attachment", False),
        ("aws_security_group", False),
        ("aws_ecs_task_definition", False),
        ("aws_lambda_function", False),
        ("aws_sagemaker_model", False),
        ("random_id", False),
        ("null_resource", False),
        ("google_project_iam_member", True),
    ],
)
@check_cases("actions", [["delete"], ["delete", "create"]])
def test_deleting_a_type_that_may_hold_something_needs_a_look(kind: str, looked_at: bool, actions: list[str]) -> None:
    after = {"id": "y"} if "create" in actions else None
    found_risks = risks(build_plan(build_change(f"{kind}.this", after, before={"id": "x"}, actions=actions)))
    assert [risk.level for risk in found_risks] == [Level.LOOK] * looked_at


def test_a_type_of_awscc_holds_what_that_of_aws_holds() -> None:
    (risk,) = risks(build_plan(build_change("awscc_sagemaker_feature_group.this", before={"id": "x"})))
    assert (risk.id, risk.level) == ("DATA_DELETED", Level.STOP)


@check_cases(
    ("name", "expected"), [("bucket", ["DATA_REPLACED"]), ("acceleration_status", []), ("bucket_domain_name", [])]
)
def test_another_name_than_in_the_base_plan_is_another_object(name: str, expected: list[str]) -> None:
    base, new = (build_plan(build_change("aws_s3_bucket.b", {**BUCKET, name: value})) for value in ("one", "two"))
    assert [risk.id for risk in list_risks_of(Comparison(new, base))] == expected


def test_a_store_deleted_outside_terraform_needs_a_look() -> None:
    drift = [
        build_change("aws_s3_bucket.b", before=BUCKET),
        build_change("aws_s3_bucket.c", {**BUCKET, "tags": {}}, before=BUCKET),
        build_change("aws_iam_role_policy.p", before={"role": "a"}),
    ]
    found_risks = risks(build_plan(build_change("aws_s3_bucket.b", BUCKET), resource_drift=drift))
    assert [(risk.id, risk.address, risk.level) for risk in found_risks] == [
        ("DATA_VANISHED", "aws_s3_bucket.b", Level.LOOK)
    ]


def test_a_guard_that_moves_to_another_name_needs_a_look() -> None:
    values = {"triggers_replace": "a"}
    moved = build_change(
        "terraform_data.other", values, before=values, previous_address="terraform_data.deletion_protection"
    )
    stays = build_change("terraform_data.deletion_protection", values, before=values, index="a")
    assert [(risk.id, risk.level) for risk in risks(build_plan(moved, stays))] == [("DATA_GUARD_REMOVED", Level.LOOK)]


@check_cases(("kind", "name", "old"), [(kind, name, old) for kind, name, old, _ in WEAKER[:12]])
def test_a_protection_that_is_unknown_until_apply_is_never_fine(kind: str, name: str, old: Any) -> None:
    entry = build_change(f"{kind}.this", {"id": "x"}, before={"id": "x", name: old}, unknown={name: True})
    found_risks = risks(build_plan(entry))
    assert {(risk.id, risk.is_known, risk.level) for risk in found_risks} == {("DATA_UNKNOWN", False, Level.LOOK)}


def test_removed_versioning_of_a_remaining_bucket_is_a_risk() -> None:
    versioning = build_change("aws_s3_bucket_versioning.this", before={"bucket": "data"})
    stays = build_plan(build_change("aws_s3_bucket.this", BUCKET, before=BUCKET), versioning)
    goes = build_plan(build_change("aws_s3_bucket.this", before=BUCKET), versioning)
    assert [risk.id for risk in risks(stays)] == ["DATA_WEAKER"]
    assert [risk.id for risk in risks(goes)] == ["DATA_DELETED"]


@check_cases(
    ("before", "after", "expected"),
    [
        (None, build_rules(30), ["DATA_EXPIRES"]),
        (build_rules(90), build_rules(30), ["DATA_EXPIRES"]),
        (build_rules(30), build_rules(90), []),
        (build_rules(30), build_rules(30, status="Disabled"), []),
        (build_rules(30, status="Disabled"), build_rules(30), ["DATA_EXPIRES"]),
        (build_rules(30, filter=[{"prefix": ""}]), build_rules(30), []),
        (build_rules(30), build_rules(30, filter=[{"prefix": ""}]), ["DATA_EXPIRES"]),
        (build_rules(30), build_rules(30, filter=[{"and": [{"prefix": "raw/", "tags": {"a": "b"}}]}]), []),
        (build_rules(30), build_rules(30, expiration=[{"expired_object_delete_marker": True}]), []),
        (build_rules(30), build_rules(expires={"date": "2040-01-01"}), ["DATA_EXPIRES"]),
        (build_rules(expires={"date": "2040-01-01"}), build_rules(expires={"date": "2027-01-01"}), ["DATA_EXPIRES"]),
        (build_rules(expires={"date": "2027-01-01"}), build_rules(expires={"date": "2040-01-01"}), []),
        (
            build_rules(old={"newer_noncurrent_versions": 9}),
            build_rules(old={"newer_noncurrent_versions": 1}),
            ["DATA_EXPIRES"],
        ),
        (build_rules(old={"newer_noncurrent_versions": 9}), build_rules(old={}), ["DATA_EXPIRES"]),
        (build_rules(old={}), build_rules(old={"newer_noncurrent_versions": "9"}), []),
        (build_rules(30, filter=larger(10)), build_rules(30, filter=larger(1000)), []),
        (build_rules(30, filter=larger(1000)), build_rules(30, filter=larger("10")), ["DATA_EXPIRES"]),
        (build_rules(30, filter=larger(10)), build_rules(30, filter=[{}]), ["DATA_EXPIRES"]),
        (build_rules(30), build_rules(30, transition=[{"days": 1, "storage_class": "GLACIER_IR"}]), []),
    ],
)
def test_objects_that_newly_expire_are_a_risk(before: Any, after: Any, expected: list[str]) -> None:
    rules = build_change("aws_s3_bucket_lifecycle_configuration.this", after, before=before)
    assert [
        risk.id for risk in risks(build_plan(build_change("aws_s3_bucket.this", BUCKET, before=BUCKET), rules))
    ] == expected


def move(storage_class: str, **more: Any) -> dict[str, Any]:
    """Return a lifecycle rule that moves objects under raw/ to a storage class after 30 days."""
    transition = {"days": 30, "storage_class": storage_class}
    return {"bucket": "data", "rule": [{"status": "Enabled", "filter": [{"prefix": "raw/"}], "transition": [transition],
                                        **more}]}  # fmt: skip


@check_cases(
    ("before", "after", "expected"),
    [
        (move("INTELLIGENT_TIERING"), move("ONEZONE_IA"), ["DATA_WEAKER"]),
        (None, move("ONEZONE_IA"), ["DATA_WEAKER"]),
        (move("ONEZONE_IA"), move("ONEZONE_IA", filter=[{"prefix": ""}]), ["DATA_WEAKER"]),
        (move("ONEZONE_IA", status="Disabled"), move("ONEZONE_IA"), ["DATA_WEAKER"]),
        (move("ONEZONE_IA"), move("STANDARD_IA"), []),
        (move("ONEZONE_IA"), move("ONEZONE_IA", id="x"), []),
        (None, move("INTELLIGENT_TIERING"), []),
        (None, move("ONEZONE_IA", filter=[{"prefix": "re-creatable/"}]), []),
        (None, move("GLACIER", noncurrent_version_transition=[{"storage_class": "ONEZONE_IA"}]), []),
    ],
)
def test_objects_that_newly_move_to_one_zone_are_a_risk(before: Any, after: Any, expected: list[str]) -> None:
    rules = build_change("aws_s3_bucket_lifecycle_configuration.this", after, before=before)
    existing, new = (build_change("aws_s3_bucket.this", BUCKET, before=old) for old in (BUCKET, None))
    assert [risk.id for risk in risks(build_plan(existing, rules))] == expected
    if before is None:
        assert risks(build_plan(new, rules)) == []


def test_a_storage_class_that_is_unknown_until_apply_is_never_fine() -> None:
    unknown = {"rule": [{"transition": [{"storage_class": True}]}]}
    rules = build_change(
        "aws_s3_bucket_lifecycle_configuration.this", move(""), before=move("GLACIER"), unknown=unknown
    )
    assert [risk.id for risk in risks(build_plan(rules))] == ["DATA_UNKNOWN"]


def test_an_earlier_expiry_tells_when_the_same_objects_expired_before() -> None:
    bucket = build_change("aws_s3_bucket.this", BUCKET, before=BUCKET)
    descriptions = []
    for before in (build_rules(365), build_rules(365, filter=[{"prefix": "raw/x/"}])):
        rules = build_change("aws_s3_bucket_lifecycle_configuration.this", build_rules(30), before=before)
        descriptions += [risk.description for risk in risks(build_plan(bucket, rules))]
    assert descriptions == [
        "earlier expiry: objects under raw/ are deleted after 30 days; before, after 365 days",
        "new expiry: objects under raw/ are deleted after 30 days",
    ]


def test_a_new_bucket_holds_nothing_that_could_expire() -> None:
    rules = build_change("aws_s3_bucket_lifecycle_configuration.this", build_rules(1))
    assert risks(build_plan(build_change("aws_s3_bucket.this", BUCKET), rules)) == []


def test_lifecycle_rules_that_are_unknown_until_apply_are_never_fine() -> None:
    rules = build_change(
        "aws_s3_bucket_lifecycle_configuration.this", {"bucket": "data"}, before=build_rules(30), unknown={"rule": True}
    )
    found_risks = risks(build_plan(build_change("aws_s3_bucket.this", BUCKET, before=BUCKET), rules))
    assert [(risk.id, risk.is_known) for risk in found_risks] == [("DATA_UNKNOWN", False)]


def test_lifecycle_rules_whose_objects_are_hidden_are_never_fine() -> None:
    hide = {"rule": [{"filter": [{"prefix": True}]}]}
    bucket = build_change("aws_s3_bucket.this", BUCKET, before=BUCKET)
    for after, expected in (("", ["DATA_UNKNOWN"]), ("raw/", [])):
        new = build_rules(30, filter=[{"prefix": after}])
        rules = build_change("aws_s3_bucket_lifecycle_configuration.this", {**new, "id": "y"}, before=build_rules(30),
                       sensitive=hide)  # fmt: skip
        assert [risk.id for risk in risks(build_plan(bucket, rules))] == expected


def images(number: int, status: str = "any", **more: Any) -> str:
    selection = {"tagStatus": status, "countType": "imageCountMoreThan", "countNumber": number, **more}
    return json.dumps({"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]})


@check_cases(
    ("before", "after", "level"),
    [
        (None, images(1), Level.STOP),
        (images(9), images(1), Level.STOP),
        (images(1), images(9), None),
        (images(1), images(9, "tagged", tagPrefixList=["v"]), None),
        (images(1, "tagged", tagPrefixList=["v"]), images(1, "tagged", tagPatternList=["v*"]), None),
        (images(1, "tagged", tagPrefixList=["v"]), images(1), Level.STOP),
        (images(1), images(9, countType="sinceImagePushed"), Level.STOP),
        (None, images(1, "untagged"), Level.LOOK),
        (None, "{", Level.LOOK),
    ],
)
def test_images_that_newly_expire_are_a_risk(before: str | None, after: str, level: Level | None) -> None:
    repository = {"name": "r", "arn": "arn:aws:ecr:eu-north-1:123456789012:repository/r"}
    old = None if before is None else {"repository": "r", "policy": before}
    policy = build_change("aws_ecr_lifecycle_policy.p", {"repository": "r", "policy": after}, before=old)
    found_risks = risks(build_plan(build_change("aws_ecr_repository.r", repository, before=repository), policy))
    assert [risk.level for risk in found_risks] == ([] if level is None else [level])
    assert risks(build_plan(build_change("aws_ecr_repository.r", repository), policy)) == []


def endpoint_plan(name_after: str | None) -> Plan:
    """Return a plan that replaces an endpoint configuration, with the endpoint that uses it."""
    old, new = {"name": "first", "kms_key_arn": "a"}, {"name": name_after, "kms_key_arn": "b"}
    unknown = {"name": True} if name_after is None else {}
    following = ["aws_sagemaker_endpoint_configuration.c.name"]
    endpoint = {"name": "e", "endpoint_config_name": "first"}
    moved = {"name": "e", **({"endpoint_config_name": name_after} if name_after else {})}
    return build_plan(
        build_change(
            "aws_sagemaker_endpoint_configuration.c", new, before=old, unknown=unknown, actions=["delete", "create"]
        ),
        build_change(
            "aws_sagemaker_endpoint.e",
            moved,
            before=endpoint,
            unknown={"endpoint_config_name": True} if unknown else {},
        ),
        root={"resources": [build_configuration("aws_sagemaker_endpoint.e", endpoint_config_name=following)]},
    )


def test_a_configuration_replaced_under_its_name_leaves_the_endpoint_as_it_was() -> None:
    (risk,) = risks(endpoint_plan("first"))
    assert (risk.id, risk.level) == ("ENDPOINT_STALE", Level.STOP)


@check_cases(
    ("packages", "calls", "expected"),
    [
        ({"flights": "arn"}, ("served",), ("ENDPOINT_UNLISTED", Level.STOP)),
        ({"churn": "arn"}, ("served",), ("ENDPOINT_DOWN", Level.LOOK)),  # such as another kind of endpoint
        ({}, (), ("ENDPOINT_DOWN", Level.LOOK)),  # the module call is gone
        (None, ("served",), ("ENDPOINT_DOWN", Level.LOOK)),  # another project
    ],
)
def test_an_endpoint_whose_package_left_the_file_is_a_risk(
    packages: dict[str, str] | None, calls: tuple[str, ...], expected: tuple[str, Level]
) -> None:
    deleted = build_change("module.served.aws_sagemaker_endpoint.this", before={"name": "dev-churn"})
    module = 'module.served["churn"]'
    deleted |= {"address": f"{module}.aws_sagemaker_endpoint.this", "module_address": module}
    variables = {} if packages is None else {"model_packages": {"value": packages}}
    root = {"module_calls": {name: {"source": "./served"} for name in calls}}
    (risk,) = risks(build_plan(deleted, root=root, variables=variables))
    assert (risk.id, risk.level) == expected
    assert ("endpoint dev-churn is destroyed" in risk.description) == (risk.level is Level.STOP)
    assert risk.fix.startswith("Add the package of churn again") == (risk.level is Level.STOP)


def test_a_model_replaced_under_its_name_leaves_the_endpoints_as_they_were() -> None:
    variant = {"variant_name": "v", "model_name": "first"}
    uses = {"name": "c", "production_variants": [variant]}
    configuration = build_change("aws_sagemaker_endpoint_configuration.c", uses, before=uses)

    def list_risks(name: str) -> list[tuple[str, str]]:
        old, new = {"name": "first", "execution_role_arn": "a"}, {"name": name, "execution_role_arn": "b"}
        model = build_change("aws_sagemaker_model.m", new, before=old, actions=["delete", "create"])
        return [(risk.id, risk.address) for risk in risks(build_plan(model, configuration))]

    assert ("ENDPOINT_STALE", "aws_sagemaker_model.m") in list_risks("first")
    assert "ENDPOINT_STALE" not in dict(list_risks("second"))


@pytest.mark.parametrize("name", ["second", None])
def test_an_endpoint_that_follows_the_new_configuration_is_no_risk(name: str | None) -> None:
    assert risks(endpoint_plan(name)) == []


@check_cases(
    ("before", "after", "ids"),
    [("p5", None, ["ENDPOINT_CAPACITY"]), ("p5", "p6", []), ("p5", "p5", []), (None, "p5", []), ("p5", "unknown", [])],
)
def test_an_endpoint_that_loses_its_reserved_capacity_needs_a_look(
    before: str | None, after: str | None, ids: list[str]
) -> None:
    """The configuration has a new name, so the endpoint follows it."""

    def build_values(name: str, reservation: str | None) -> dict[str, Any]:
        reserved = {"capacity_reservation_config": [{"ml_reservation_arn": reservation}]} if reservation else {}
        return {
            "name": name,
            "production_variants": [{"variant_name": "v", "instance_type": "ml.p5.48xlarge", **reserved}],
        }

    unknown = {"production_variants": [{"capacity_reservation_config": [{"ml_reservation_arn": True}]}]}
    change = build_change(
        "aws_sagemaker_endpoint_configuration.c",
        build_values("second", after),
        before=build_values("first", before),
        unknown=unknown if after == "unknown" else None,
        actions=["create", "delete"],
    )
    found_risks = risks(build_plan(change))
    assert [risk.id for risk in found_risks] == ids
    assert {risk.level for risk in found_risks} <= {Level.LOOK}
