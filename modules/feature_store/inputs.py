"""Inputs of `feature_store`."""

from typing import Annotated, Any, Literal

from modules.common import (
    KmsKeyArn,
    NamedInputs,
    OptionalLocation,
    ProtectedInputs,
    RoleArn,
    RoleInputs,
    require_role_of_location,
)
from modules.location import find_region, require_key_in_region
from sustainable_mlops.authoring import Field, ModuleInputs, must, rule
from sustainable_mlops.authoring.expressions import (
    contains,
    every,
    flatten,
    is_null,
    keys,
    list_of,
    optional,
)
from sustainable_mlops.authoring.rules import InputRule

#: Feature names that Feature Store adds to every record of the offline store.
RESERVED = ("api_invocation_time", "is_deleted", "write_time")
#: Allowed types of the two special features. An event time is ISO 8601 text or seconds since 1970.
KEY_TYPES = {"event_time": ("String", "Fractional"), "record_identifier": ("String", "Integral")}

GroupKey = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9_]{0,37}[a-z0-9]$",
        json_schema_extra=must(
            "be 2 to 39 lower-case letters, digits and underscores; in the group's name they become hyphens"
        ),
    ),
]
FeatureName = Annotated[
    str,
    Field(
        pattern=r"^[a-zA-Z0-9]([a-zA-Z0-9_-]{0,62}[a-zA-Z0-9])?$",
        json_schema_extra=must(
            "be 1 to 64 letters, digits, underscores and hyphens, with a letter or digit at both ends"
        ),
    ),
]


class FeatureDefinition(ModuleInputs):
    type: Literal["Integral", "Fractional", "String"] = Field(
        description="Type of the feature. It cannot change later."
    )


class Ttl(ModuleInputs):
    unit: Literal["Seconds", "Minutes", "Hours", "Days", "Weeks"] = Field("Days", description="Unit of `value`.")
    value: int = Field(30, ge=1, description="Time that a record is kept after its event time, in `unit`.")


class OnlineStoreInputs(ModuleInputs):
    ttl: Ttl = Field(Ttl(), description="Retention of records in the online store. The offline store keeps them.")


def _require_feature(field: str, types: tuple[str, ...]) -> InputRule:
    def holds(v: Any) -> bool:
        name = getattr(v, field)
        return contains(keys(v.features), name) & contains(types, v.features[name].type)

    return rule(
        field, holds, lambda v: f"'{getattr(v, field)}' must be one of its features, of type {' or '.join(types)}"
    )


class FeatureGroup(ModuleInputs):
    record_identifier: str = Field(description="Feature that identifies the record; String or Integral.")
    event_time: str = Field(description="Feature with the event time of the record; String or Fractional.")
    features: dict[FeatureName, FeatureDefinition] = Field(description="Features by name, in any order.")
    description: str | None = Field(
        None, description="Content of the group. It cannot change later, because no API updates it."
    )
    online: OnlineStoreInputs | None = Field(
        None, description="Online store, for look-ups in milliseconds. Default: none."
    )

    rules = (
        *(_require_feature(field, types) for field, types in KEY_TYPES.items()),
        rule(
            "features",
            lambda v: every(RESERVED, lambda name: ~contains(keys(v.features), name)),
            f"Feature Store reserves {', '.join(RESERVED)}; choose other names",
        ),
    )


class ExistingOptimizerRole(ModuleInputs):
    """Existing role that Glue optimizes the tables with."""

    arn: RoleArn = Field(
        description="ARN of the role. Glue must be able to assume it, and it needs the permissions in the section "
        "Compaction of this page."
    )


class SnapshotRetention(ModuleInputs):
    days: int = Field(5, ge=1, description="Time that Glue keeps each snapshot, in days.")
    min_snapshots: int = Field(1, ge=1, description="Number of snapshots that Glue keeps, even if they are older.")


class OrphanFileDeletion(ModuleInputs):
    days: int = Field(3, ge=3, description="Age of files without a reference at which Glue deletes them, in days.")


class TableOptimizers(ModuleInputs):
    """Glue table optimizers of the offline stores."""

    compaction: bool = Field(True, description="Merge small files.")
    existing_role: ExistingOptimizerRole | None = Field(
        None,
        description="Optimize with this role instead of a new one. It is an object, so that the ARN may be unknown "
        "until apply.",
    )
    orphan_file_deletion: OrphanFileDeletion | None = Field(
        None, description="Delete files to which no snapshot refers. Default: none, so they stay."
    )
    retention: SnapshotRetention | None = Field(
        None,
        description="Delete older snapshots, and the files that only they refer to. Queries cannot go back to them. "
        "Default: none, so they stay.",
    )

    rules = (
        rule(
            "compaction",
            lambda v: v.compaction | ~is_null(v.retention) | ~is_null(v.orphan_file_deletion),
            "without compaction, retention and orphan_file_deletion, nothing is optimized; set one of them.",
        ),
    )


def read_optimizer_roles(v: Any) -> list[str]:
    """Return the ARN of the existing role for the optimizers, or an empty list."""
    return flatten(
        list_of(
            optional(v.table_optimizers),
            lambda optimizers: list_of(optional(optimizers.existing_role), lambda role: role.arn),
        )
    )


class Inputs(NamedInputs, OptionalLocation, ProtectedInputs, RoleInputs):
    feature_groups: dict[GroupKey, FeatureGroup] = Field(
        description="Feature groups by key; the group of key flight_delay is named `<name_prefix>-flight-delay`."
    )
    kms_key_arn: KmsKeyArn = Field(description="Key that encrypts both stores.")
    offline_store_s3_uri: str = Field(
        description="S3 prefix of the offline stores: s3://bucket/prefix. It cannot change later.",
        pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^*?]*[^/*?])?$",
        json_schema_extra=must("be s3://bucket or s3://bucket/prefix, without wildcards or a slash at its end"),
    )
    role_arn: RoleArn = Field(
        description="Role that Feature Store writes the offline store with. It cannot change later."
    )
    table_optimizers: TableOptimizers | None = Field(
        None,
        description="Let AWS Glue compact the Iceberg tables, and delete their old snapshots and files. Default: none.",
    )

    rules = (
        require_role_of_location(),
        require_role_of_location("table_optimizers", read_optimizer_roles),
        require_key_in_region(read_region=find_region),
    )
