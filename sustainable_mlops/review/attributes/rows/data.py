"""Attributes that keep data and its copies, and the changes that weaken them."""

from sustainable_mlops.review.attributes.comparisons.copies import (
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
from sustainable_mlops.review.attributes.comparisons.retention import (
    deletes_more_snapshots_or_files,
    deletes_nearly_all_records,
    shortens_bin_retention,
    shortens_index_retention,
    shortens_kafka_retention,
)
from sustainable_mlops.review.attributes.comparisons.snapshot_policies import cuts_snapshots, makes_fewer_snapshots
from sustainable_mlops.review.attributes.row import keep
from sustainable_mlops.review.attributes.weakening import (
    adds_any_of,
    changes_to,
    downgrades_from,
    drops_below_tenth,
    expires_at_once,
    expires_newly,
    expires_sooner,
    gains_items,
    is_changed,
    is_lowered,
    is_raised,
    is_removed,
    is_replaced,
    is_retention_cut,
    is_shortened,
    is_turned_off,
    is_turned_on,
    loses_block,
    loses_items,
    unlocks_sooner,
)
from sustainable_mlops.review.risk import Level

STOP, LOOK = Level.STOP, Level.LOOK
_BUCKET = "aws_s3_bucket"
_REPLICATED_LESS = "replication: some objects are no longer replicated, or go to another bucket"
_DELETIONS = "delete_marker_replication: deletions now reach the copy"
_OLDER = "older data will be deleted"
_NO_STANDBY = "no standby copy in another zone"
_LOST_MESSAGES = "messages that fail are lost: there is no dead-letter queue"
#: Attributes that the provider computes. They do not affect backups.
COMPUTED = frozenset({"opt_in_to_archive_for_supported_resources", "recovery_point_tags", "cold_storage_after",
                      "copy_tags", "location", "times"})  # fmt: skip
_BACKUP_ALL = ("Enabled", "AllDocuments", "AllEvents", "AllData")

#: The names and defaults of attributes are those of the AWS provider 5.100.
DATA_ROWS = (
    # Settings inside a bucket: all of them in CloudFormation, some of them in provider versions before 4.
    keep(_BUCKET, "versioning.0.enabled", is_turned_off, "overwritten objects cannot be restored", STOP),
    # Keys and secrets.
    keep(_BUCKET, "object_lock_configuration.0.rule.0.default_retention.0", unlocks_sooner,
         "new objects are locked for less time, or some users can remove the lock", STOP),
    keep("aws_s3_bucket_versioning", "versioning_configuration.0.status", downgrades_from("Enabled"),
         "overwritten and deleted objects cannot be restored", STOP),
    keep("aws_s3_bucket_versioning", "versioning_configuration.0.mfa_delete", downgrades_from("Enabled"),
         "old versions can be deleted without a second factor"),
    keep("aws_s3_bucket_object_lock_configuration", "rule.0.default_retention.0", unlocks_sooner,
         "new objects are locked for less time, or some users can remove the lock", STOP),
    # Databases, streams and queues.
    keep("aws_kms_key", "deletion_window_in_days", is_lowered, "less time to cancel a deletion", STOP, default=30),
    keep("aws_kms_key", "is_enabled", is_turned_off, "data encrypted with it is unreadable", STOP, default=True),
    keep("aws_kms_key", "enable_key_rotation", is_turned_off, "the key is no longer rotated"),
    keep("aws_kms_key", "rotation_period_in_days", is_raised, "the key is rotated less often", default=365),
    keep("aws_kms_alias", "target_key_id", is_replaced, "its users encrypt with another key"),
    keep("aws_secretsmanager_secret", "recovery_window_in_days", is_lowered, "less time to cancel a deletion", STOP,
         default=30),
    # Files, images, logs, backups.
    keep("aws_cognito_user_pool", "deletion_protection", downgrades_from("ACTIVE"), "can be deleted", STOP),
    keep("aws_dynamodb_table", "point_in_time_recovery.0.enabled", is_turned_off,
         "no restore to an earlier point in time", STOP),
    keep("aws_dynamodb_table", "point_in_time_recovery.0.recovery_period_in_days", is_lowered,
         "the period for point-in-time restores is shorter", STOP, default=35),
    keep("aws_dynamodb_table", "ttl.0", expires_newly, "items will expire", STOP),
    keep("aws_dynamodb_table", "replica", loses_block("region_name"), "a copy in another Region is deleted"),
    *(
        keep("aws_timestreamwrite_table", f"retention_properties.0.{store}_store_retention_period_in_{unit}",
             is_lowered, "older records will be deleted", STOP)
        for store, unit in (("magnetic", "days"), ("memory", "hours"))
    ),
    keep("aws_db_instance aws_rds_cluster", "delete_automated_backups", is_turned_on,
         "a destroy will also delete its automated backups", default=True),
    keep("aws_rds_cluster", "backtrack_window", is_lowered, "the period for point-in-time restores is shorter",
         default=0),
    keep("aws_kinesis_stream", "retention_period", is_lowered, "older records will be deleted", STOP, default=24),
    keep("aws_kinesis_video_stream", "data_retention_in_hours", is_lowered, "older video will be deleted", STOP,
         default=0),
    keep("aws_sqs_queue", "message_retention_seconds", is_lowered, "older messages will be deleted", default=345600,
         is_drastic=drops_below_tenth),
    # SageMaker.
    keep("aws_efs_backup_policy", "backup_policy.0.status", downgrades_from("ENABLED"), "no longer backed up", STOP),
    keep("aws_efs_file_system", "protection.0.replication_overwrite", downgrades_from("ENABLED"),
         "a replication may overwrite it"),
    keep("aws_backup_vault_lock_configuration", "min_retention_days", is_lowered, "backups can be deleted earlier",
         default=0),
    keep("aws_dlm_lifecycle_policy", "state", downgrades_from("ENABLED"), "this policy no longer makes snapshots", STOP,
         default="ENABLED"),
    keep("aws_cloudtrail_event_data_store", "retention_period", is_lowered, "older events will be deleted", STOP,
         default=2555),
    keep("aws_datasync_task", "options.0.preserve_deleted_files", changes_to("REMOVE"),
         "files that are missing in the source will be deleted", STOP, default="PRESERVE"),
    keep("aws_ecr_repository", "image_tag_mutability", downgrades_from("IMMUTABLE"), "a tag can move to another image"),
    keep("aws_cloudwatch_log_group", "retention_in_days", is_shortened, "older logs will be deleted", default=0,
         is_drastic=is_retention_cut),
    keep("aws_cloudwatch_log_group", "skip_destroy", is_turned_off, "logs will be deleted with the group"),
    # Access.
    keep("aws_sagemaker_domain", "retention_policy.0.home_efs_file_system", changes_to("Delete"),
         "home folders will be deleted with the domain", STOP, default="Retain"),
    keep("aws_sagemaker_feature_group", "online_store_config.0.ttl_duration.0", expires_sooner,
         "records will newly expire, or expire earlier", is_drastic=expires_at_once),
    # Replication of buckets and images.
    *(
        keep(type_, path, test, consequence, is_drastic=drastic)
        for type_, path in (("aws_s3_bucket_replication_configuration", "rule"),
                            ("aws_s3_bucket", "replication_configuration.0.rules"))
        for test, consequence, drastic in ((replicates_less, _REPLICATED_LESS, replicates_nothing),
                                           (newly_replicates_deletions, _DELETIONS, None))
    ),
    keep("aws_ecr_replication_configuration", "replication_configuration.0.rule", replicates_fewer_images,
         "replication: fewer images are copied to other registries"),
    keep("aws_efs_replication_configuration", "destination.0.region", is_replaced,
         "the replication goes to another Region"),
    keep("aws_dynamodb_table", "replica", loses_block("region_name", point_in_time_recovery=True),
         "point_in_time_recovery: a copy cannot be restored to an earlier point in time"),
    keep("aws_dynamodb_table_replica", "point_in_time_recovery", is_turned_off,
         "no restore to an earlier point in time"),
    keep("aws_secretsmanager_secret", "replica", loses_block("region"), "a copy in another Region is deleted"),
    keep("aws_db_instance", "replicate_source_db", is_removed, "the replica becomes an independent database"),
    keep("aws_rds_cluster", "replication_source_identifier", is_removed, "the replica becomes an independent database"),
    keep("aws_rds_cluster aws_docdb_cluster aws_neptune_cluster", "global_cluster_identifier", is_removed,
         "the replication to other Regions ends"),
    keep("aws_db_instance", "multi_az", is_turned_off, _NO_STANDBY),
    keep("aws_elasticache_replication_group", "multi_az_enabled", is_turned_off, _NO_STANDBY),
    keep("aws_elasticache_replication_group", "automatic_failover_enabled", is_turned_off, _NO_STANDBY),
    keep("aws_msk_replicator", "replication_info_list.0.topic_replication.0.topics_to_replicate", loses_items,
         "some topics are no longer copied"),
    keep("aws_msk_replicator", "replication_info_list.0.topic_replication.0.topics_to_exclude", gains_items,
         "some topics are no longer copied"),
    keep("aws_datasync_task", "schedule.0.schedule_expression", is_removed, "files are no longer copied automatically"),
    # Backups and snapshots.
    *(
        keep("aws_backup_plan", "rule", test, consequence, is_drastic=drastic, ignored=COMPUTED)
        for test, consequence, drastic in (
            (loses_backup_rule, "a rule no longer makes backups", None),
            (backs_up_less_often, "backups run less often (schedule), or have a shorter window", None),
            (deletes_backups_sooner, "backups are deleted earlier (delete_after)", deletes_nearly_all_backups),
            (changes_vault, "new backups go to another vault (target_vault_name)", None),
            (copies_backups_less, "fewer backups are copied, or copies are deleted earlier (copy_action)",
             deletes_nearly_all_copies),
        )
    ),
    keep("aws_backup_plan", "advanced_backup_setting", loses_block("resource_type"),
         "Windows backups are no longer application-consistent"),
    keep("aws_backup_selection", "resources, not_resources, selection_tag, condition", selects_fewer_resources,
         "some selected resources are no longer backed up", STOP),
    keep("aws_dlm_lifecycle_policy", "policy_details.0", makes_fewer_snapshots,
         "snapshots cover less (target_tags), are made or copied less often, or are deleted earlier (retain_rule)",
         is_drastic=cuts_snapshots, ignored=COMPUTED),
    keep("aws_redshift_snapshot_schedule", "definitions", takes_fewer_snapshots, "snapshots are made less often"),
    keep("aws_redshift_snapshot_schedule_association", "schedule_identifier", is_changed,
         "the cluster follows another snapshot schedule"),
    keep("aws_redshift_snapshot_copy", "destination_region", is_changed, "snapshots are copied to another Region"),
    keep("aws_redshift_cluster", "snapshot_copy", is_removed, "snapshots are no longer copied to another Region"),
    *(
        keep(type_, path, is_lowered, "snapshots are kept for less time", default=7)
        for type_, path in (("aws_redshift_snapshot_copy", "retention_period"),
                            ("aws_redshift_cluster", "snapshot_copy.0.retention_period"))
    ),
    keep("aws_rbin_rule", "resource_type, resource_tags, retention_period", shortens_bin_retention,
         "retention: deleted snapshots and images can be restored for less time, or not at all"),
    keep("aws_rbin_rule", "lock_configuration", is_removed, "the rule can be deleted"),
    keep("aws_keyspaces_table", "point_in_time_recovery.0.status", downgrades_from("ENABLED"),
         "no restore to an earlier point in time", STOP),
    keep("aws_fsx_openzfs_file_system", "delete_options", adds_any_of("DELETE_CHILD_VOLUMES_AND_SNAPSHOTS"),
         "a destroy will also delete its volumes and snapshots", STOP),
    keep("aws_fsx_ontap_volume", "snapshot_policy", changes_to("none"), "snapshots are no longer made"),
    keep("aws_fsx_ontap_volume", "snaplock_configuration.0.privileged_delete", changes_to("ENABLED"),
         "locked files can be deleted", STOP, default="DISABLED"),
    *(
        keep("aws_kinesis_firehose_delivery_stream", f"{destination}_configuration.0.s3_backup_mode",
             downgrades_from(*_BACKUP_ALL), "the source records are no longer kept in S3")
        for destination in ("extended_s3", "redshift", "elasticsearch", "opensearch", "opensearchserverless", "splunk",
                            "http_endpoint", "snowflake", "iceberg")
    ),
    # Retention.
    keep("aws_msk_configuration", "server_properties", shortens_kafka_retention,
         "retention: brokers delete records sooner, or keep fewer copies", is_drastic=deletes_nearly_all_records),
    keep("aws_msk_cluster", "storage_mode", changes_to("LOCAL"), "records in tiered storage will be deleted", STOP,
         default="LOCAL"),
    keep("aws_glue_catalog_table_optimizer", "type, configuration", deletes_more_snapshots_or_files,
         "retention: snapshots or files of the table are deleted sooner", default={}, level_if_new=LOOK,
         ignored=frozenset({"role_arn"})),
    *(
        keep("aws_s3tables_table", f"maintenance_configuration.iceberg_snapshot_management.settings.{name}", is_lowered,
             "snapshots of the table are deleted sooner", default=default, is_drastic=drops_below_tenth)
        for name, default in (("max_snapshot_age_hours", 120), ("min_snapshots_to_keep", 1))
    ),
    *(
        keep("aws_s3tables_table_bucket",
             f"maintenance_configuration.iceberg_unreferenced_file_removal.settings.{name}", is_lowered,
             "files without a reference are deleted sooner", default=default)
        for name, default in (("non_current_days", 10), ("unreferenced_days", 3))
    ),
    keep("aws_opensearchserverless_lifecycle_policy", "policy", shortens_index_retention, _OLDER, level_if_new=LOOK),
    keep("aws_imagebuilder_lifecycle_policy", "policy_detail", is_replaced, "images may be deleted", level_if_new=LOOK),
    # Messages that fail.
    keep("aws_sqs_queue aws_sns_topic_subscription", "redrive_policy", is_removed, _LOST_MESSAGES),
    keep("aws_lambda_function aws_cloudwatch_event_target", "dead_letter_config", is_removed, _LOST_MESSAGES),
    keep("aws_lambda_event_source_mapping aws_lambda_function_event_invoke_config", "destination_config.0.on_failure",
         is_removed, _LOST_MESSAGES),
)  # fmt: skip
