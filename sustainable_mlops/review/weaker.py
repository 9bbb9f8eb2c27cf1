"""Single attributes that protect data or privileges, and what of a change to them makes them weaker."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sustainable_mlops.plan import UNKNOWN, Sensitive
from sustainable_mlops.review.risk import Level, Section

STOP, LOOK = Level.STOP, Level.LOOK
DATA, PRIVILEGES = Section.DATA, Section.PRIVILEGES
Test = Callable[[Any, Any], bool]


class Guard(NamedTuple):
    """An attribute that protects something; `weaker(old, new)` tells whether it protects less."""

    types: tuple[str, ...]
    path: str
    weaker: Test
    what: str
    level: Level = STOP
    section: Section = DATA
    #: What the attribute is where nobody sets it.
    default: Any = None


def turned_on(old: Any, new: Any) -> bool:
    """From not true to true."""
    return _true(new) and not _true(old)


def turned_off(old: Any, new: Any) -> bool:
    """From true to not true."""
    return _true(old) and not _true(new)


def lowered(old: Any, new: Any) -> bool:
    """To a smaller number."""
    return isinstance(old, int | float) and isinstance(new, int | float) and new < old


def shortened(old: Any, new: Any) -> bool:
    """To a shorter time, where 0 is for ever."""
    return isinstance(old, int | float) and isinstance(new, int | float) and new > 0 and (new < old or old == 0)


def leaves(value: str) -> Test:
    """From `value` to another one."""
    return lambda old, new: old == value and new != value


def becomes(*values: str) -> Test:
    """To one of `values`, from another one."""
    return lambda old, new: new in values and old != new


def removed(old: Any, new: Any) -> bool:
    """From set to not set."""
    return bool(old) and not new


def added(old: Any, new: Any) -> bool:
    """From not set to set."""
    return bool(new) and not old


def _true(value: Any) -> bool:
    return value is True or value == "true"


_DATABASES = ("aws_db_instance", "aws_rds_cluster", "aws_docdb_cluster", "aws_neptune_cluster", "aws_redshift_cluster")
_BUCKETS = ("aws_s3_bucket", "aws_s3_directory_bucket")
_PUBLIC = ("aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block")
_NOTEBOOK = ("aws_sagemaker_notebook_instance",)

GUARDS = (
    Guard(_BUCKETS, "force_destroy", turned_on, "destroying the bucket will delete its objects too"),
    Guard(("aws_ecr_repository",), "force_delete", turned_on, "destroying the repository will delete its images too"),
    Guard(("aws_s3_bucket",), "versioning.0.enabled", turned_off, "objects will be overwritten without a way back"),
    Guard(
        ("aws_s3_bucket_versioning",), "versioning_configuration.0.status", leaves("Enabled"),
        "objects will be overwritten and deleted without a way back",
    ),
    Guard(
        ("aws_s3_bucket_object_lock_configuration",), "rule.0.default_retention.0.days", lowered,
        "new objects are locked for a shorter time",
    ),
    Guard(("aws_kms_key",), "deletion_window_in_days", lowered, "less time to take a deletion back", default=30),
    Guard(("aws_kms_key",), "is_enabled", turned_off, "nothing encrypted under it can be read", default=True),
    Guard(
        ("aws_secretsmanager_secret",), "recovery_window_in_days", lowered, "less time to take a deletion back",
        default=30,
    ),
    Guard(("aws_cognito_user_pool",), "deletion_protection", leaves("ACTIVE"), "may be deleted"),
    Guard(_DATABASES, "deletion_protection", turned_off, "may be deleted"),
    Guard(_DATABASES, "skip_final_snapshot", turned_on, "destroying it will leave no snapshot"),
    Guard(_DATABASES, "backup_retention_period", lowered, "backups are kept for a shorter time"),
    Guard(("aws_dynamodb_table",), "deletion_protection_enabled", turned_off, "may be deleted"),
    Guard(("aws_dynamodb_table",), "point_in_time_recovery.0.enabled", turned_off, "cannot be taken back in time"),
    Guard(("aws_dynamodb_table",), "ttl.0.enabled", turned_on, "items will expire"),
    Guard(
        ("aws_sagemaker_domain",), "retention_policy.0.home_efs_file_system", becomes("Delete"),
        "home folders will be deleted with the domain", default="Retain",
    ),
    Guard(
        ("aws_sagemaker_feature_group",), "online_store_config.0.ttl_duration", added, "records will expire", LOOK
    ),
    Guard(("aws_ecr_repository",), "image_tag_mutability", leaves("IMMUTABLE"), "tags can move to other images", LOOK),
    Guard(("aws_cloudwatch_log_group",), "retention_in_days", shortened, "older logs will be deleted", LOOK, default=0),
    Guard(("aws_cloudwatch_log_group",), "skip_destroy", turned_off, "logs will be deleted with the group", LOOK),
    Guard(("aws_kinesis_stream",), "retention_period", lowered, "older records will be deleted"),
    Guard(("aws_sqs_queue",), "message_retention_seconds", lowered, "older messages will be deleted", LOOK),
    *(
        Guard(_PUBLIC, flag, turned_off, "public access is not blocked any more", STOP, PRIVILEGES)
        for flag in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    ),
    Guard(
        ("aws_s3_bucket_acl", "aws_s3_bucket"), "acl",
        becomes("public-read", "public-read-write", "authenticated-read"), "objects are public", STOP, PRIVILEGES,
    ),
    Guard(
        ("aws_s3_bucket_ownership_controls",), "rule.0.object_ownership", leaves("BucketOwnerEnforced"),
        "access control lists count again", LOOK, PRIVILEGES,
    ),
    Guard(
        ("aws_db_instance", "aws_rds_cluster_instance", "aws_redshift_cluster"), "publicly_accessible", turned_on,
        "reachable from the internet", STOP, PRIVILEGES,
    ),
    Guard(
        _NOTEBOOK, "direct_internet_access", leaves("Disabled"), "reaches the internet directly", LOOK, PRIVILEGES,
        default="Enabled",
    ),
    Guard(
        _NOTEBOOK, "root_access", leaves("Disabled"), "users are root", LOOK, PRIVILEGES, default="Enabled"
    ),
    Guard(
        ("aws_sagemaker_model",), "enable_network_isolation", turned_off, "the container reaches the network", LOOK,
        PRIVILEGES,
    ),
    Guard(
        ("aws_sagemaker_domain",), "app_network_access_type", leaves("VpcOnly"), "apps reach the internet directly",
        LOOK, PRIVILEGES, default="PublicInternetOnly",
    ),
    Guard(
        ("aws_sagemaker_endpoint_configuration", "aws_sagemaker_notebook_instance"), "kms_key_arn", removed,
        "storage is no longer encrypted with a key of one's own", LOOK, PRIVILEGES,
    ),
)  # fmt: skip

GUARDS_BY_TYPE = {type_: [guard for guard in GUARDS if type_ in guard.types] for g in GUARDS for type_ in g.types}

#: Resources that protect the bucket they belong to: the same as all their guards weaker when they go.
PROTECTING = {
    "aws_s3_bucket_versioning": (DATA, "versioning is suspended: objects are overwritten without a way back"),
    "aws_s3_bucket_object_lock_configuration": (DATA, "new objects are not locked any more"),
    "aws_s3_bucket_public_access_block": (PRIVILEGES, "public access is not blocked any more"),
    "aws_s3_account_public_access_block": (PRIVILEGES, "public access is not blocked any more in the whole account"),
    "aws_s3_bucket_ownership_controls": (PRIVILEGES, "access control lists may count again"),
    "aws_s3_bucket_server_side_encryption_configuration": (
        PRIVILEGES, "objects are no longer encrypted with the key set here"
    ),
    "aws_backup_plan": (DATA, "no more backups by this plan"),
    "aws_backup_selection": (DATA, "what it selects is not backed up any more"),
    "aws_backup_vault_lock_configuration": (DATA, "recovery points may be deleted"),
    "aws_s3_bucket_replication_configuration": (DATA, "objects are not copied any more"),
}  # fmt: skip


def answer(guard: Guard, old: Any, new: Any) -> bool | None:
    """Whether it is weaker; None where it cannot be told before apply."""
    old = guard.default if old is None else old
    new = guard.default if new is None else new
    if new is UNKNOWN or old is UNKNOWN:
        return None
    if isinstance(new, Sensitive) or isinstance(old, Sensitive):
        return None if new != old else False
    return guard.weaker(old, new)
