"""Attributes that control copies and retention of data."""

from typing import Any

from sustainable_mlops.review.protections.copies import (
    backs_up_less_often,
    changes_vault,
    copies_backups_less,
    deletes_backups_sooner,
    deletes_nearly_all_backups,
    deletes_nearly_all_copies,
    loses_backup_rule,
    newly_replicates_deletions,
    replicates_fewer_images,
    replicates_less,
    replicates_nothing,
    selects_fewer_resources,
    takes_fewer_snapshots,
)
from sustainable_mlops.review.protections.protection import Protection
from sustainable_mlops.review.protections.retention import (
    deletes_more_snapshots_or_files,
    deletes_nearly_all_records,
    shortens_bin_retention,
    shortens_index_retention,
    shortens_kafka_retention,
)
from sustainable_mlops.review.protections.snapshot_policies import cuts_snapshots, makes_fewer_snapshots, shares_more
from sustainable_mlops.review.protections.weakening import (
    WeakeningTest,
    adds_any_of,
    changes_to,
    downgrades_from,
    drops_below_tenth,
    gains_items,
    is_changed,
    is_lowered,
    is_removed,
    is_replaced,
    is_turned_off,
    loses_block,
    loses_items,
)
from sustainable_mlops.review.risk import Level, RiskArea

STOP, LOOK = Level.STOP, Level.LOOK
_REPLICATED_LESS = "replication: some objects are no longer replicated, or go to another bucket"
_DELETIONS = "delete_marker_replication: deletions now reach the copy"
_OLDER = "older data will be deleted"
_NO_STANDBY = "no standby copy in another zone"
_LOST_MESSAGES = "messages that fail are lost: there is no dead-letter queue"
#: Attributes that the provider computes. They do not affect backups.
_COMPUTED = frozenset({"opt_in_to_archive_for_supported_resources", "recovery_point_tags", "cold_storage_after",
                       "copy_tags", "location", "times"})  # fmt: skip
_BACKUP_ALL = ("Enabled", "AllDocuments", "AllEvents", "AllData")


def _make_row(
    types: str,
    path: str,
    is_weaker: WeakeningTest,
    consequence: str,
    level: Level = LOOK,
    default: Any = None,
    *,
    is_drastic: WeakeningTest | None = None,
    level_if_new: Level | None = None,
    ignored: frozenset[str] = frozenset(),
) -> Protection:
    """Return the protection by an attribute that keeps data; `types` has one or more types."""
    return Protection(
        tuple(types.split()), path, is_weaker, consequence, level, RiskArea.DATA, default,
        is_drastic=is_drastic, level_if_new=level_if_new, ignored=ignored,
    )  # fmt: skip


#: The names and defaults of attributes are those of the AWS provider 5.100.
COPY_PROTECTIONS = (
    # Replication of buckets and images.
    *(
        _make_row(type_, path, test, consequence, is_drastic=drastic)
        for type_, path in (("aws_s3_bucket_replication_configuration", "rule"),
                            ("aws_s3_bucket", "replication_configuration.0.rules"))
        for test, consequence, drastic in ((replicates_less, _REPLICATED_LESS, replicates_nothing),
                                           (newly_replicates_deletions, _DELETIONS, None))
    ),
    _make_row("aws_ecr_replication_configuration", "replication_configuration.0.rule", replicates_fewer_images,
              "replication: fewer images are copied to other registries"),
    _make_row("aws_efs_replication_configuration", "destination.0.region", is_replaced,
              "the replication goes to another Region"),
    _make_row("aws_dynamodb_table", "replica", loses_block("region_name", point_in_time_recovery=True),
              "point_in_time_recovery: a copy cannot be restored to an earlier point in time"),
    _make_row("aws_dynamodb_table_replica", "point_in_time_recovery", is_turned_off,
              "no restore to an earlier point in time"),
    _make_row("aws_secretsmanager_secret", "replica", loses_block("region"), "a copy in another Region is deleted"),
    _make_row("aws_db_instance", "replicate_source_db", is_removed, "the replica becomes an independent database"),
    _make_row("aws_rds_cluster", "replication_source_identifier", is_removed,
              "the replica becomes an independent database"),
    _make_row("aws_rds_cluster aws_docdb_cluster aws_neptune_cluster", "global_cluster_identifier", is_removed,
              "the replication to other Regions ends"),
    _make_row("aws_db_instance", "multi_az", is_turned_off, _NO_STANDBY),
    _make_row("aws_elasticache_replication_group", "multi_az_enabled", is_turned_off, _NO_STANDBY),
    _make_row("aws_elasticache_replication_group", "automatic_failover_enabled", is_turned_off, _NO_STANDBY),
    _make_row("aws_msk_replicator", "replication_info_list.0.topic_replication.0.topics_to_replicate", loses_items,
              "some topics are no longer copied"),
    _make_row("aws_msk_replicator", "replication_info_list.0.topic_replication.0.topics_to_exclude", gains_items,
              "some topics are no longer copied"),
    _make_row("aws_datasync_task", "schedule.0.schedule_expression", is_removed,
              "files are no longer copied automatically"),
    # Backups and snapshots.
    *(
        _make_row("aws_backup_plan", "rule", test, consequence, is_drastic=drastic, ignored=_COMPUTED)
        for test, consequence, drastic in (
            (loses_backup_rule, "a rule no longer makes backups", None),
            (backs_up_less_often, "backups run less often (schedule), or have a shorter window", None),
            (deletes_backups_sooner, "backups are deleted earlier (delete_after)", deletes_nearly_all_backups),
            (changes_vault, "new backups go to another vault (target_vault_name)", None),
            (copies_backups_less, "fewer backups are copied, or copies are deleted earlier (copy_action)",
             deletes_nearly_all_copies),
        )
    ),
    _make_row("aws_backup_plan", "advanced_backup_setting", loses_block("resource_type"),
              "Windows backups are no longer application-consistent"),
    _make_row("aws_backup_selection", "resources, not_resources, selection_tag, condition", selects_fewer_resources,
              "some selected resources are no longer backed up", STOP),
    _make_row("aws_dlm_lifecycle_policy", "policy_details.0", makes_fewer_snapshots,
              "snapshots cover less (target_tags), are made or copied less often, or are deleted earlier (retain_rule)",
              is_drastic=cuts_snapshots, ignored=_COMPUTED),
    _make_row("aws_redshift_snapshot_schedule", "definitions", takes_fewer_snapshots, "snapshots are made less often"),
    _make_row("aws_redshift_snapshot_schedule_association", "schedule_identifier", is_changed,
              "the cluster follows another snapshot schedule"),
    _make_row("aws_redshift_snapshot_copy", "destination_region", is_changed, "snapshots are copied to another Region"),
    _make_row("aws_redshift_cluster", "snapshot_copy", is_removed, "snapshots are no longer copied to another Region"),
    *(
        _make_row(type_, path, is_lowered, "snapshots are kept for less time", default=7)
        for type_, path in (("aws_redshift_snapshot_copy", "retention_period"),
                            ("aws_redshift_cluster", "snapshot_copy.0.retention_period"))
    ),
    _make_row("aws_rbin_rule", "resource_type, resource_tags, retention_period", shortens_bin_retention,
              "retention: deleted snapshots and images can be restored for less time, or not at all"),
    _make_row("aws_rbin_rule", "lock_configuration", is_removed, "the rule can be deleted"),
    _make_row("aws_keyspaces_table", "point_in_time_recovery.0.status", downgrades_from("ENABLED"),
              "no restore to an earlier point in time", STOP),
    _make_row("aws_fsx_openzfs_file_system", "delete_options", adds_any_of("DELETE_CHILD_VOLUMES_AND_SNAPSHOTS"),
              "a destroy will also delete its volumes and snapshots", STOP),
    _make_row("aws_fsx_ontap_volume", "snapshot_policy", changes_to("none"), "snapshots are no longer made"),
    _make_row("aws_fsx_ontap_volume", "snaplock_configuration.0.privileged_delete", changes_to("ENABLED"),
              "locked files can be deleted", STOP, "DISABLED"),
    *(
        _make_row("aws_kinesis_firehose_delivery_stream", f"{destination}_configuration.0.s3_backup_mode",
                  downgrades_from(*_BACKUP_ALL), "the source records are no longer kept in S3")
        for destination in ("extended_s3", "redshift", "elasticsearch", "opensearch", "opensearchserverless", "splunk",
                            "http_endpoint", "snowflake", "iceberg")
    ),
    # Retention.
    _make_row("aws_msk_configuration", "server_properties", shortens_kafka_retention,
              "retention: brokers delete records sooner, or keep fewer copies", is_drastic=deletes_nearly_all_records),
    _make_row("aws_msk_cluster", "storage_mode", changes_to("LOCAL"), "records in tiered storage will be deleted", STOP,
              "LOCAL"),
    _make_row("aws_glue_catalog_table_optimizer", "type, configuration", deletes_more_snapshots_or_files,
              "retention: snapshots or files of the table are deleted sooner", default={}, level_if_new=LOOK,
              ignored=frozenset({"role_arn"})),
    *(
        _make_row("aws_s3tables_table",
                  f"maintenance_configuration.iceberg_snapshot_management.settings.{name}", is_lowered,
                  "snapshots of the table are deleted sooner", default=default, is_drastic=drops_below_tenth)
        for name, default in (("max_snapshot_age_hours", 120), ("min_snapshots_to_keep", 1))
    ),
    *(
        _make_row("aws_s3tables_table_bucket",
                  f"maintenance_configuration.iceberg_unreferenced_file_removal.settings.{name}", is_lowered,
                  "files without a reference are deleted sooner", default=default)
        for name, default in (("non_current_days", 10), ("unreferenced_days", 3))
    ),
    _make_row("aws_opensearchserverless_lifecycle_policy", "policy", shortens_index_retention, _OLDER,
              level_if_new=LOOK),
    _make_row("aws_imagebuilder_lifecycle_policy", "policy_detail", is_replaced, "images may be deleted",
              level_if_new=LOOK),
    # Messages that fail.
    _make_row("aws_sqs_queue aws_sns_topic_subscription", "redrive_policy", is_removed, _LOST_MESSAGES),
    _make_row("aws_lambda_function aws_cloudwatch_event_target", "dead_letter_config", is_removed, _LOST_MESSAGES),
    _make_row("aws_lambda_event_source_mapping aws_lambda_function_event_invoke_config",
              "destination_config.0.on_failure", is_removed, _LOST_MESSAGES),
)  # fmt: skip
#: Sharing of copies with other accounts.
COPY_EXPOSURES = (
    Protection(
        ("aws_dlm_lifecycle_policy",), "policy_details.0", shares_more, "snapshots are shared with another account",
        LOOK, RiskArea.PRIVILEGES, ignored=_COMPUTED,
    ),
)  # fmt: skip
