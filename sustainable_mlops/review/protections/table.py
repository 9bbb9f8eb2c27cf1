"""Attributes that protect data or privileges, and the changes that weaken them."""

from functools import lru_cache

from sustainable_mlops.review.protections.copy_protections import COPY_EXPOSURES, COPY_PROTECTIONS
from sustainable_mlops.review.protections.protection import Protection
from sustainable_mlops.review.protections.switches import SWITCHES
from sustainable_mlops.review.protections.trust_settings import TRUST_SETTINGS
from sustainable_mlops.review.protections.weakening import (
    adds_any_of,
    changes_to,
    downgrades_from,
    drops_below_tenth,
    expires_at_once,
    expires_newly,
    expires_sooner,
    is_lowered,
    is_raised,
    is_removed,
    is_replaced,
    is_retention_cut,
    is_shortened,
    is_turned_off,
    is_turned_on,
    loses_block,
    unlocks_sooner,
)
from sustainable_mlops.review.risk import Level, RiskArea
from sustainable_mlops.review.stores import find_data_store

STOP, LOOK = Level.STOP, Level.LOOK
DATA, PRIVILEGES = RiskArea.DATA, RiskArea.PRIVILEGES


#: The flags of a public access block.
PUBLIC_ACCESS_BLOCKS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
_BUCKET = ("aws_s3_bucket",)
_ENCRYPTION = "server_side_encryption_configuration.0.rule.0.apply_server_side_encryption_by_default.0"
_PUBLIC = ("aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block")
_NOTEBOOK = ("aws_sagemaker_notebook_instance",)
_OLDER_DELETED = "older data will be deleted"
SHARED_OUTSIDE = "accounts outside the organization can get access"
_NO_OWN_KEY = "no longer encrypted with a customer managed key"
_IMDSV1 = "IMDSv1 is allowed: by a forged request (SSRF), an attacker can read the credentials of its role"

PROTECTIONS = (
    # Every type with such an attribute.
    *(
        Protection((), name, is_turned_off, "can be deleted")
        for name in ("deletion_protection", "deletion_protection_enabled", "enable_deletion_protection",
                     "termination_protection", "termination_protection_enabled", "disable_api_termination")
    ),
    Protection((), "skip_final_snapshot", is_turned_on, "a destroy will leave no snapshot"),
    Protection((), "skip_final_backup", is_turned_on, "a destroy will leave no backup"),
    Protection((), "force_destroy", is_turned_on, "a destroy will also delete its content"),
    Protection((), "force_delete", is_turned_on, "a destroy will also delete its content"),
    *(
        Protection((), name, is_lowered, "backups are kept for less time", default=0)
        for name in ("backup_retention_period", "automated_snapshot_retention_period", "snapshot_retention_limit",
                     "automatic_backup_retention_days")
    ),
    *(
        Protection((), name, is_shortened, _OLDER_DELETED, LOOK, is_drastic=is_retention_cut)
        for name in ("retention_in_days", "retention_period_in_days", "retention_days")
    ),
    # In days or hours.
    Protection((), "retention_period", is_shortened, _OLDER_DELETED, LOOK, is_drastic=drops_below_tenth),
    *(
        Protection((), name, is_removed, _NO_OWN_KEY, LOOK, PRIVILEGES)
        for name in ("kms_key_id", "kms_key_arn", "kms_key", "kms_master_key_id")
    ),
    *(
        Protection((), name, is_turned_off, "no longer encrypted", LOOK, PRIVILEGES)
        for name in ("encrypted", "storage_encrypted", "at_rest_encryption_enabled", "transit_encryption_enabled")
    ),
    Protection(
        (), "publicly_accessible", is_turned_on, "reachable from the internet", STOP, PRIVILEGES, level_if_new=LOOK,
    ),
    # Buckets.
    Protection(_BUCKET, "versioning.0.enabled", is_turned_off, "overwritten objects cannot be restored"),
    # Settings inside a bucket: all of them in CloudFormation, some of them in provider versions before 4.
    Protection(
        _BUCKET, "object_lock_configuration.0.rule.0.default_retention.0", unlocks_sooner,
        "new objects are locked for less time, or some users can remove the lock",
    ),
    Protection(
        _BUCKET, f"{_ENCRYPTION}.sse_algorithm", downgrades_from("aws:kms", "aws:kms:dsse"), _NO_OWN_KEY, LOOK,
        PRIVILEGES,
    ),
    Protection(_BUCKET, f"{_ENCRYPTION}.kms_master_key_id", is_removed, _NO_OWN_KEY, LOOK, PRIVILEGES),
    *(
        Protection(
            _BUCKET, f"public_access_block_configuration.0.{flag}", is_turned_off, "public access is no longer blocked",
            STOP, PRIVILEGES,
        )
        for flag in PUBLIC_ACCESS_BLOCKS
    ),
    Protection(
        _BUCKET, "ownership_controls.0.rules.0.object_ownership", downgrades_from("BucketOwnerEnforced"),
        "access control lists apply again", LOOK, PRIVILEGES,
    ),
    Protection(
        ("aws_s3_bucket_versioning",), "versioning_configuration.0.status", downgrades_from("Enabled"),
        "overwritten and deleted objects cannot be restored",
    ),
    Protection(
        ("aws_s3_bucket_versioning",), "versioning_configuration.0.mfa_delete", downgrades_from("Enabled"),
        "old versions can be deleted without a second factor", LOOK,
    ),
    Protection(
        ("aws_s3_bucket_object_lock_configuration",), "rule.0.default_retention.0", unlocks_sooner,
        "new objects are locked for less time, or some users can remove the lock",
    ),
    Protection(
        ("aws_s3_bucket_server_side_encryption_configuration",),
        "rule.0.apply_server_side_encryption_by_default.0.sse_algorithm", downgrades_from("aws:kms", "aws:kms:dsse"),
        _NO_OWN_KEY, LOOK, PRIVILEGES,
    ),
    Protection(
        ("aws_s3_bucket_server_side_encryption_configuration",),
        "rule.0.apply_server_side_encryption_by_default.0.kms_master_key_id", is_removed, _NO_OWN_KEY, LOOK, PRIVILEGES,
    ),
    # Keys and secrets.
    Protection(("aws_kms_key",), "deletion_window_in_days", is_lowered, "less time to cancel a deletion", default=30),
    Protection(("aws_kms_key",), "is_enabled", is_turned_off, "data encrypted with it is unreadable", default=True),
    Protection(("aws_kms_key",), "enable_key_rotation", is_turned_off, "the key is no longer rotated", LOOK),
    Protection(
        ("aws_kms_key",), "rotation_period_in_days", is_raised, "the key is rotated less often", LOOK, default=365,
    ),
    Protection(("aws_kms_alias",), "target_key_id", is_replaced, "its users encrypt with another key", LOOK),
    Protection(
        ("aws_secretsmanager_secret",), "recovery_window_in_days", is_lowered, "less time to cancel a deletion",
        default=30,
    ),
    # Databases, streams and queues.
    Protection(("aws_cognito_user_pool",), "deletion_protection", downgrades_from("ACTIVE"), "can be deleted"),
    Protection(
        ("aws_dynamodb_table",), "point_in_time_recovery.0.enabled", is_turned_off,
        "no restore to an earlier point in time",
    ),
    Protection(
        ("aws_dynamodb_table",), "point_in_time_recovery.0.recovery_period_in_days", is_lowered,
        "the period for point-in-time restores is shorter", default=35,
    ),
    Protection(("aws_dynamodb_table",), "ttl.0", expires_newly, "items will expire"),
    Protection(
        ("aws_dynamodb_table",), "replica", loses_block("region_name"), "a copy in another Region is deleted", LOOK,
    ),
    Protection(
        ("aws_dynamodb_table",), "server_side_encryption.0.enabled", is_turned_off, _NO_OWN_KEY, LOOK, PRIVILEGES,
    ),
    *(
        Protection(
            ("aws_timestreamwrite_table",), f"retention_properties.0.{store}_store_retention_period_in_{unit}",
            is_lowered,
            "older records will be deleted",
        )
        for store, unit in (("magnetic", "days"), ("memory", "hours"))
    ),
    Protection(
        ("aws_db_instance", "aws_rds_cluster"), "delete_automated_backups", is_turned_on,
        "a destroy will also delete its automated backups", LOOK, default=True,
    ),
    Protection(
        ("aws_rds_cluster",), "backtrack_window", is_lowered, "the period for point-in-time restores is shorter",
        LOOK, default=0,
    ),
    Protection(("aws_kinesis_stream",), "retention_period", is_lowered, "older records will be deleted", default=24),
    Protection(
        ("aws_kinesis_video_stream",), "data_retention_in_hours", is_lowered, "older video will be deleted", default=0,
    ),
    Protection(
        ("aws_kinesis_stream",), "encryption_type", downgrades_from("KMS"), "no longer encrypted", LOOK, PRIVILEGES,
    ),
    Protection(
        ("aws_sqs_queue",), "message_retention_seconds", is_lowered, "older messages will be deleted", LOOK,
        default=345_600, is_drastic=drops_below_tenth,
    ),
    Protection(
        ("aws_sqs_queue",), "sqs_managed_sse_enabled", is_turned_off, "no longer encrypted", LOOK, PRIVILEGES,
        compensated_by="kms_master_key_id",
    ),
    # Files, images, logs, backups.
    Protection(("aws_efs_backup_policy",), "backup_policy.0.status", downgrades_from("ENABLED"), "no longer backed up"),
    Protection(
        ("aws_efs_file_system",), "protection.0.replication_overwrite", downgrades_from("ENABLED"),
        "a replication may overwrite it", LOOK,
    ),
    Protection(
        ("aws_backup_vault_lock_configuration",), "min_retention_days", is_lowered, "backups can be deleted earlier",
        LOOK,
        default=0,
    ),
    Protection(
        ("aws_dlm_lifecycle_policy",), "state", downgrades_from("ENABLED"), "this policy no longer makes snapshots",
        default="ENABLED",
    ),
    Protection(
        ("aws_cloudtrail_event_data_store",), "retention_period", is_lowered, "older events will be deleted",
        default=2555,
    ),
    Protection(
        ("aws_datasync_task",), "options.0.preserve_deleted_files", changes_to("REMOVE"),
        "files that are missing in the source will be deleted", default="PRESERVE",
    ),
    Protection(
        ("aws_ecr_repository",), "image_tag_mutability", downgrades_from("IMMUTABLE"),
        "a tag can move to another image", LOOK,
    ),
    Protection(
        ("aws_cloudwatch_log_group",), "retention_in_days", is_shortened, "older logs will be deleted", LOOK,
        default=0,
          is_drastic=is_retention_cut),
    Protection(
        ("aws_cloudwatch_log_group",), "skip_destroy", is_turned_off, "logs will be deleted with the group", LOOK,
    ),
    # SageMaker.
    Protection(
        ("aws_sagemaker_domain",), "retention_policy.0.home_efs_file_system", changes_to("Delete"),
        "home folders will be deleted with the domain", default="Retain",
    ),
    Protection(
        ("aws_sagemaker_feature_group",), "online_store_config.0.ttl_duration.0", expires_sooner,
        "records will newly expire, or expire earlier", LOOK, is_drastic=expires_at_once,
    ),
    # Access.
    Protection(
        ("aws_ram_resource_share",), "allow_external_principals", is_turned_on, SHARED_OUTSIDE, STOP, PRIVILEGES,
    ),
    *(
        Protection(_PUBLIC, flag, is_turned_off, "public access is no longer blocked", STOP, PRIVILEGES)
        for flag in PUBLIC_ACCESS_BLOCKS
    ),
    Protection(
        ("aws_s3_bucket_acl", "aws_s3_bucket"), "acl",
        changes_to("public-read", "public-read-write", "authenticated-read"), "objects are public", STOP, PRIVILEGES,
    ),
    Protection(
        ("aws_s3_bucket_ownership_controls",), "rule.0.object_ownership", downgrades_from("BucketOwnerEnforced"),
        "access control lists apply again", LOOK, PRIVILEGES,
    ),
    *(
        Protection(
            (type_,), f"{path}.0.{flag}", is_turned_off, "public access is not blocked", STOP, PRIVILEGES, default=True,
            level_if_new=LOOK,
        )
        for type_, path in (("aws_s3_access_point", "public_access_block_configuration"),
                            ("aws_s3control_multi_region_access_point", "details.0.public_access_block"))
        for flag in PUBLIC_ACCESS_BLOCKS
    ),
    Protection(
        ("aws_emr_block_public_access_configuration",), "block_public_security_group_rules", is_turned_off,
        "clusters may be open to the internet", STOP, PRIVILEGES, default=True, level_if_new=LOOK,
    ),
    Protection(
        ("aws_cognito_identity_pool",), "allow_unauthenticated_identities", is_turned_on,
        "unauthenticated users get credentials", STOP,
        PRIVILEGES, level_if_new=LOOK,
    ),
    Protection(
        ("aws_cognito_identity_pool_roles_attachment",), "roles.unauthenticated", is_replaced,
        "unauthenticated users can assume this role",
        STOP, PRIVILEGES, level_if_new=STOP,
    ),
    Protection(
        ("aws_eks_cluster",), "vpc_config.0.endpoint_public_access", is_turned_on, "reachable from the internet", STOP,
        PRIVILEGES, default=True,
    ),
    Protection(
        ("aws_eks_cluster",), "vpc_config.0.public_access_cidrs", adds_any_of("0.0.0.0/0", "::/0"),
        "reachable from the whole internet", STOP, PRIVILEGES, default=["0.0.0.0/0"],
    ),
    Protection(
        ("aws_instance", "aws_launch_template"), "metadata_options.0.http_tokens", downgrades_from("required"),
        _IMDSV1, LOOK, PRIVILEGES,
    ),
    Protection(
        _NOTEBOOK, "direct_internet_access", downgrades_from("Disabled"), "reaches the internet directly", LOOK,
        PRIVILEGES, default="Enabled", level_if_new=LOOK, old_if_new="Disabled",
    ),
    Protection(
        _NOTEBOOK, "root_access", downgrades_from("Disabled"), "users have root access", LOOK, PRIVILEGES,
        default="Enabled"
    ),
    Protection(
        _NOTEBOOK, "instance_metadata_service_configuration.0.minimum_instance_metadata_service_version",
        downgrades_from("2"), _IMDSV1, LOOK, PRIVILEGES, default="1",
    ),
    Protection(
        ("aws_sagemaker_model",), "enable_network_isolation", is_turned_off, "the container reaches the network", LOOK,
        PRIVILEGES,
    ),
    Protection(
        ("aws_sagemaker_domain",), "app_network_access_type", downgrades_from("VpcOnly"),
        "apps reach the internet directly",
        LOOK, PRIVILEGES, default="PublicInternetOnly",
    ),
    *COPY_PROTECTIONS,
    *COPY_EXPOSURES,
    Protection(
        ("aws_ssm_parameter",), "type", downgrades_from("SecureString"), "the value is no longer encrypted", LOOK,
        PRIVILEGES,
    ),
    *(
        Protection(
            ("aws_networkfirewall_firewall_policy",), f"firewall_policy.0.{name}", adds_any_of("aws:pass"),
            "packets pass without inspection", LOOK, PRIVILEGES,
        )
        for name in ("stateless_default_actions", "stateless_fragment_default_actions")
    ),
    Protection(
        ("aws_ec2_client_vpn_authorization_rule",), "authorize_all_groups", is_turned_on, "every user may connect",
        LOOK, PRIVILEGES,
    ),
    Protection(
        ("aws_ec2_client_vpn_authorization_rule",), "access_group_id", is_removed, "other users may connect", LOOK,
        PRIVILEGES,
    ),
    *SWITCHES,
    *TRUST_SETTINGS,
)  # fmt: skip

PROTECTIONS_BY_TYPE: dict[str, list[Protection]] = {}
for _protection in PROTECTIONS:
    for _type in _protection.types:
        PROTECTIONS_BY_TYPE.setdefault(_type, []).append(_protection)
_PROTECTIONS_OF_ANY_TYPE = [protection for protection in PROTECTIONS if not protection.types]


@lru_cache(maxsize=4096)
def list_protections(type_: str) -> tuple[Protection, ...]:
    """Return the protections of a type.

    For a type without data of its own, protections of deletion and backups have the level `look`.
    """
    own = PROTECTIONS_BY_TYPE.get(type_, [])
    paths = {path for protection in own for path in protection.paths}
    data_store = find_data_store(type_)
    is_minor = data_store is None or data_store.level is not STOP
    return (
        *own,
        *(
            protection._replace(level=LOOK) if is_minor and protection.area is DATA else protection
            for protection in _PROTECTIONS_OF_ANY_TYPE
            if protection.path not in paths
        ),
    )


@lru_cache(maxsize=4096)
def list_protected_paths(type_: str) -> tuple[str, ...]:
    """Return the paths of the attributes that the protections of a type read."""
    return tuple(path for protection in list_protections(type_) for path in protection.paths)
