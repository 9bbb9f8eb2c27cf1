"""Inputs of `access`."""

from typing import Annotated, Any

from modules.common import ARN, KmsKeyArn, LocatedInputs, RoleArn, RoleInputs, SecurityGroupId, SubnetId
from modules.iam_statements import PHASES, Phase, RoleStatement
from modules.location import require_key_in_region, require_repository_in_region, require_role_of_account
from sustainable_mlops.authoring import Field, ModuleInputs, must, rule
from sustainable_mlops.authoring.expressions import (
    concat,
    contains,
    distinct,
    flatten,
    get,
    join,
    jsonencode,
    keys,
    length,
    list_of,
    match,
)

#: Phases without containers: a pipeline itself runs none.
WITHOUT_CONTAINERS: tuple[Phase, ...] = ("pipeline",)
BucketArn = Annotated[
    str,
    Field(
        pattern=rf"^{ARN}:s3:::[a-z0-9.-]+$",
        json_schema_extra=must("be the ARN of a bucket (arn:aws:s3:::name)"),
    ),
]
RepositoryArn = Annotated[
    str,
    Field(
        pattern=rf"^{ARN}:ecr:[a-z0-9-]+:[0-9]{{12}}:repository/.+$",
        json_schema_extra=must("be the ARN of an ECR repository (arn:aws:ecr:…:repository/…)"),
    ),
]
ResourceName = Annotated[
    str,
    Field(
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9-]*$",
        json_schema_extra=must("be a name of letters, digits and hyphens, without wildcards"),
    ),
]
S3Path = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9-]+/([^*?]+/)?$",
        json_schema_extra=must("be the key of a bucket and a prefix that ends with a slash, such as data/raw/"),
    ),
]


class BucketReference(ModuleInputs):
    """Bucket that paths refer to. Other attributes of the object are ignored."""

    arn: BucketArn = Field(description="ARN of the bucket.")


class Vpc(ModuleInputs):
    """Network of jobs and endpoints."""

    subnet_ids: list[SubnetId] = Field(
        description="Subnets that SageMaker may put network interfaces in.", min_length=1
    )
    security_group_ids: list[SecurityGroupId] = Field(description="Security groups of these interfaces.", min_length=1)


class PhasePaths(ModuleInputs):
    """S3 paths of one phase: `<key in buckets>/<prefix>/`. `<key>/` alone is the whole bucket."""

    read: list[S3Path] = Field(description="Paths to read.", min_length=1)
    write: list[S3Path] = Field(default_factory=list, description="Paths to write. They are readable too.")


def _make_phase_field(read: list[str], write: list[str], description: str) -> Any:
    return Field(PhasePaths(read=read, write=write), description=description)


class Paths(ModuleInputs):
    """S3 paths by phase. The defaults are the data classes of `storage`; a phase replaces its default completely."""

    data_preparation: PhasePaths = _make_phase_field(
        ["data/raw/", "artifacts/source/", "artifacts/models/"],
        ["data/feature-store/", "data/re-creatable/", "artifacts/runs/"],
        "Processing jobs, and the feature groups' offline store.",
    )
    training: PhasePaths = _make_phase_field(
        ["data/feature-store/", "data/re-creatable/", "artifacts/source/"],
        ["artifacts/checkpoints/", "artifacts/models/", "artifacts/runs/", "artifacts/debug-output/"],
        "Training and tuning jobs.",
    )
    pipeline: PhasePaths = _make_phase_field(
        ["artifacts/models/", "artifacts/runs/", "artifacts/source/"],
        [],
        "Pipelines, which read the reports of their steps.",
    )
    inference: PhasePaths = _make_phase_field(
        ["artifacts/models/", "artifacts/source/", "data/re-creatable/"],
        ["artifacts/async-inference/", "data/captures/", "data/re-creatable/predictions/"],
        "Endpoints and batch transform, which reads prepared records and writes predictions.",
    )


def get_bucket_key(path: str) -> str:
    """Return the key of the bucket of a path."""
    return match("^[^/]+", path)


def _list_unknown_paths(v: Any) -> list[str]:
    """Return the paths without a known bucket, of phases whose roles this module creates."""
    return flatten(
        list_of(
            v.s3_paths,
            lambda phase, paths: list_of(
                concat(paths.read, paths.write),
                lambda path: f"{phase}: {path}",
                lambda path: (
                    ~contains(keys(v.existing_role_arns), phase) & ~contains(keys(v.buckets), get_bucket_key(path))
                ),
            ),
        )
    )


def list_statements(v: Any, phase: str) -> list[RoleStatement]:
    """Return the statements of all modules for a phase."""
    nothing: list[RoleStatement] = []
    return flatten(list_of(v.role_statements, lambda statements: get(statements, phase, nothing)))


def _find_conflicting_sids(v: Any) -> list[str]:
    """Return the sids with conflicting statements in one phase."""

    def has_conflict(phase: str, sid: str) -> bool:
        variants = list_of(
            list_statements(v, phase),
            lambda one: jsonencode([one.actions, one.condition]),
            lambda one: one.sid == sid,
        )
        return length(distinct(variants)) > 1

    return flatten(
        list_of(
            list(PHASES),
            lambda phase: list_of(
                distinct(list_of(list_statements(v, phase), lambda one: one.sid)),
                lambda sid: f"{phase}: {sid}",
                lambda sid: has_conflict(phase, sid),
            ),
        )
    )


class Inputs(LocatedInputs, RoleInputs):
    """Inputs of `access`."""

    buckets: dict[str, BucketReference] = Field(
        description="Buckets by purpose, from `storage`. s3_paths refers to these keys."
    )
    decrypt_key_arns: list[KmsKeyArn] = Field(
        default_factory=list,
        description="KMS keys of other owners, in this Region, that these roles may decrypt with.",
    )
    existing_role_arns: dict[Phase, RoleArn] = Field(
        default_factory=dict, description="Existing roles by phase. Nothing is created for these phases."
    )
    feature_group_names: list[ResourceName] = Field(
        default_factory=list,
        description="Feature groups that data preparation writes, and training and inference read. Use names and not "
        "outputs of `feature_store`, which needs a role of this module.",
    )
    image_repository_arns: list[RepositoryArn] = Field(
        default_factory=list, description="ECR repositories to pull from, in addition to SageMaker's framework images."
    )
    kms_key_arn: KmsKeyArn = Field(description="Key that encrypts the buckets, volumes and feature groups.")
    model_package_group_names: list[ResourceName] = Field(
        default_factory=list, description="Model package groups that pipelines register models in."
    )
    role_statements: list[dict[Phase, Annotated[list[RoleStatement], Field(min_length=1)]]] = Field(
        default_factory=list,
        description="Additional statements of these roles: a list of maps by phase, such as the outputs "
        "`role_statements` of other modules. Statements of a phase with the same sid are merged, with all their "
        "resources.",
    )
    s3_paths: Paths = Field(default_factory=Paths, description="Paths in S3 that each phase reads and writes.")
    vpc: Vpc | None = Field(None, description="Network that jobs and endpoints may join. Default: none.")

    rules = (
        require_key_in_region(),
        require_key_in_region("decrypt_key_arns", lambda v: v.decrypt_key_arns),
        require_repository_in_region("image_repository_arns", lambda v: v.image_repository_arns),
        require_role_of_account("existing_role_arns", lambda v: list_of(v.existing_role_arns, lambda arn: arn)),
        rule(
            "role_statements",
            lambda v: length(_find_conflicting_sids(v)) == 0,
            lambda v: (
                f"statements with the same sid must have the same actions and conditions; change the sid of "
                f"{join(', ', _find_conflicting_sids(v))}"
            ),
        ),
        rule(
            "s3_paths",
            lambda v: length(_list_unknown_paths(v)) == 0,
            lambda v: (
                "each path must start with a key of buckets "
                f"({join(', ', keys(v.buckets))}) and a slash; correct {join(', ', _list_unknown_paths(v))}"
            ),
        ),
    )
