"""Lifecycle of objects: the classes of data and their lifecycle rules."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cdktn_provider_aws.s3_bucket_intelligent_tiering_configuration import S3BucketIntelligentTieringConfiguration
from cdktn_provider_aws.s3_bucket_lifecycle_configuration import S3BucketLifecycleConfiguration

from modules.storage.inputs import Inputs, LifecycleDays
from sustainable_mlops.authoring.expressions import Dynamic, each_of, optional, optional_map
from sustainable_mlops.authoring.expressions.scopes import Each
from sustainable_mlops.authoring.resources import Module


@dataclass(frozen=True)
class DataClass:
    """Class of data: its location, and the fields of `LifecycleDays` with its transition and expiration."""

    bucket: str
    prefix: str
    storage_class: str = ""
    moves: str = ""  # field of the transition; empty with a storage class: immediately
    goes: str = ""


DATA_CLASSES = {
    "raw": DataClass("data", "raw/", "INTELLIGENT_TIERING"),
    "features": DataClass("data", "feature-store/", "INTELLIGENT_TIERING"),
    "recreatable": DataClass("data", "re-creatable/", "ONEZONE_IA", "recreatable_to_one_zone", "recreatable"),
    "captures": DataClass("data", "captures/", goes="captures"),
    "models": DataClass("artifacts", "models/", "GLACIER_IR", "artifacts_to_glacier"),
    "source": DataClass("artifacts", "source/", "GLACIER_IR", "artifacts_to_glacier"),
    "runs": DataClass("artifacts", "runs/", "GLACIER_IR", "artifacts_to_glacier"),
    "checkpoints": DataClass("artifacts", "checkpoints/", goes="checkpoints"),
    "debug_output": DataClass("artifacts", "debug-output/", goes="debug_output"),
    "async_inference": DataClass("artifacts", "async-inference/", goes="async_inference"),
}

Rule = dict[str, Any]


def add(module: Module[Inputs], buckets: Any, logs: Any, versioning: Any) -> None:
    """Add the rules of every bucket."""
    var, days = module.var, module.var.lifecycle_days
    for purpose, why in (
        ("data", "Intelligent-Tiering, because the access pattern of raw data and features is unknown."),
        ("artifacts", "Glacier Instant Retrieval, because an endpoint may need an old model immediately."),
    ):
        _add_configuration(module, purpose, buckets[purpose].id, list(_build_rules(purpose, days)), versioning, why)
    extra = each_of(var.extra_buckets)
    rules = [_build_extra_rule(extra.value.expiration_days), _build_cleanup_rule(days)]
    _add_configuration(module, "extra", buckets[extra.key].id, rules, versioning, for_each=extra)
    expire_logs = _build_rule("expire", "") | {"expiration": [{"days": days.logs}]}
    _add_configuration(module, "logs", logs.id, [expire_logs, _build_cleanup_rule(days)], versioning)
    archive = each_of(optional_map("raw", var.intelligent_tiering_archive_days))
    module.add(
        S3BucketIntelligentTieringConfiguration,
        "raw",
        why="Only raw data. Features are queried in place, and a query fails on an archived object.",
        for_each=archive,
        bucket=buckets["data"].id,
        name="archive-raw",
        filter={"prefix": DATA_CLASSES["raw"].prefix},
        tiering=[{"access_tier": "ARCHIVE_ACCESS", "days": archive.value}],
    )


def _add_configuration(
    module: Module[Inputs],
    label: str,
    bucket: str,
    rules: list[Rule],
    versioning: Any,
    why: str = "",
    for_each: Each[Any, Any] | None = None,
) -> None:
    module.add(
        S3BucketLifecycleConfiguration,
        label,
        why=why,
        for_each=for_each,
        bucket=bucket,
        rule=rules,
        # S3 refuses rules on noncurrent versions before versioning is on.
        depends_on=[versioning],
    )


def _build_rules(bucket: str, days: LifecycleDays) -> Iterator[Rule]:
    for name, data in DATA_CLASSES.items():
        if data.bucket != bucket:
            continue
        rule = _build_rule(name.replace("_", "-"), data.prefix)
        if data.storage_class:
            moves = getattr(days, data.moves) if data.moves else 0
            rule["transition"] = [{"days": moves, "storage_class": data.storage_class}]
        if data.goes:
            rule["expiration"] = [{"days": getattr(days, data.goes)}]
            # Without this, versioning would keep expired objects for `noncurrent` days.
            rule["noncurrent_version_expiration"] = [{"noncurrent_days": 1}]
        yield rule
    yield _build_cleanup_rule(days)


def _build_extra_rule(expiration_days: int | None) -> Rule:
    return _build_rule("expire", "") | {
        "transition": [{"days": 0, "storage_class": "INTELLIGENT_TIERING"}],
        "expiration": Dynamic(optional(expiration_days), lambda expiration: {"days": expiration.value}),
    }


def _build_cleanup_rule(days: LifecycleDays) -> Rule:
    """Return the rule of every bucket that removes old versions, delete markers and incomplete uploads."""
    return _build_rule("tidy", "") | {
        "expiration": [{"expired_object_delete_marker": True}],
        "noncurrent_version_expiration": [{"noncurrent_days": days.noncurrent}],
        "abort_incomplete_multipart_upload": [{"days_after_initiation": days.incomplete_uploads}],
    }


def _build_rule(name: str, prefix: str) -> Rule:
    return {"id": name, "status": "Enabled", "filter": [{"prefix": prefix}]}
