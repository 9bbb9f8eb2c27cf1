"""Data that are protected less: retention, backups, keys and deletion protection."""

from typing import Any

from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.risk import Level, RiskArea
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan
from tests.review.data.plans import encrypted, list_risks_of, risks


def mfa(*states: str) -> list[Any]:
    return [[{"status": "Enabled", "mfa_delete": state}] for state in states]


def lock(mode: str = "COMPLIANCE", **unchanged: int) -> Any:
    return [{"default_retention": [{"mode": mode, **unchanged}]}]


def statuses(*states: str) -> list[Any]:
    return [[{"id": "a", "status": state}] for state in states]


def backups(unchanged: int | None) -> Any:
    return [{"rule_name": "daily", "schedule": "cron(0 1 * * ? *)", "lifecycle": [{"delete_after": unchanged}]}]


def days(name: str, *values: int) -> list[Any]:
    return [[{name: value}] for value in values]


def ttl(value: int, unit: str | None = "Days") -> Any:
    return [{"ttl_duration": [{"unit": unit, "value": value}]}]


def expiring(attribute: str | None, enabled: bool = True) -> Any:
    return [{"enabled": enabled, "attribute_name": attribute}]


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


@check_cases(("kind", "name", "old"), [(kind, name, old) for kind, name, old, _ in WEAKER[:12]])
def test_a_protection_that_is_unknown_until_apply_is_never_fine(kind: str, name: str, old: Any) -> None:
    entry = build_change(f"{kind}.this", {"id": "x"}, before={"id": "x", name: old}, unknown={name: True})
    found_risks = risks(build_plan(entry))
    assert {(risk.id, risk.is_known, risk.level) for risk in found_risks} == {("DATA_UNKNOWN", False, Level.LOOK)}
