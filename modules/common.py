"""Inputs with the same meaning in every module."""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from sustainable_mlops.authoring import Field, ModuleInputs, must, one_of, rule
from sustainable_mlops.authoring.expressions import can, coalesce, every, keys, match, split, truncate, when
from sustainable_mlops.authoring.rules import InputRule
from sustainable_mlops.catalogue import prices
from sustainable_mlops.catalogue.limits import make_name_pattern
from sustainable_mlops.catalogue.regions import PARTITIONS
from sustainable_mlops.catalogue.regions import load_all as regions

#: Maximum length of a name prefix; every name leaves room for it.
LONGEST_PREFIX = 24
NamePrefix = Annotated[
    str,
    Field(
        pattern=rf"^[a-z][a-z0-9-]{{1,{LONGEST_PREFIX - 2}}}[a-z0-9]$",
        json_schema_extra=must(
            f"be 3 to {LONGEST_PREFIX} lower-case letters, digits and hyphens, starting with a letter"
        ),
    ),
]
#: Number of characters that the provider appends to a `name_prefix`.
_SUFFIX = 26
AccountId = Annotated[str, Field(pattern=r"^[0-9]{12}$", json_schema_extra=must("be the 12 digits of an account"))]
_NOTE = "in partition aws, aws-cn or aws-us-gov"
#: Pattern of the partitions whose DNS suffixes the modules know. They refuse isolated and sovereign partitions.
_ANY_PARTITION = "(aws|aws-cn|aws-us-gov)"
_PARTITION = f"^{_ANY_PARTITION}$"
#: Start of the pattern of an ARN.
ARN = f"arn:{_ANY_PARTITION}"
#: Regions with a known grid or known prices.
REGIONS = sorted({*regions(), *prices.list_regions()})
Region = Annotated[
    str,
    one_of(REGIONS),
    Field(json_schema_extra=must(f"be a Region of the catalogue such as eu-north-1, {_NOTE}")),
]


def _make_id_field(prefix: str, noun: str) -> Any:
    """Return the constraint of an ID of EC2."""
    return Field(
        pattern=f"^{prefix}-[0-9a-f]{{8}}([0-9a-f]{{9}})?$",
        json_schema_extra=must(f"be the id of a {noun} such as {prefix}-0123456789abcdef0"),
    )


def make_instance_type_field(example: str) -> Any:
    """Return the constraint of an instance type."""
    return Field(
        pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$", json_schema_extra=must(f"be an instance type such as {example}")
    )


def make_prefix_field(example: str) -> Any:
    """Return the constraint of an S3 prefix to which SageMaker appends a slash and a name."""
    return Field(
        pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/*?\s]+)+$",
        json_schema_extra=must(f"be a prefix in a bucket, without wildcards or a slash at its end: {example}"),
    )


#: Name of most resources of SageMaker. Source: its API model, EntityName, VariantName, UserProfileName and SpaceName.
EntityName = Annotated[
    str,
    Field(
        pattern=make_name_pattern(63),
        json_schema_extra=must("be 1 to 63 letters, digits and hyphens, without a hyphen at the start or the end"),
    ),
]
#: Key that the caller chooses for an item of a map.
MapKey = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9_]{0,62}$",
        json_schema_extra=must("be 1 to 63 lower-case letters, digits and underscores, starting with a letter"),
    ),
]
PrefixListId = Annotated[str, _make_id_field("pl", "prefix list")]
RouteTableId = Annotated[str, _make_id_field("rtb", "route table")]
SecurityGroupId = Annotated[str, _make_id_field("sg", "security group")]
SubnetId = Annotated[str, _make_id_field("subnet", "subnet")]
VpcId = Annotated[str, _make_id_field("vpc", "VPC")]
KmsKeyArn = Annotated[
    str,
    Field(
        pattern=rf"^{ARN}:kms:[a-z0-9-]+:[0-9]{{12}}:key/.+$",
        json_schema_extra=must(f"be the ARN of a KMS key (arn:aws:kms:…:key/…) {_NOTE}, not an alias or a bare id"),
    ),
]
RoleArn = Annotated[
    str,
    Field(
        pattern=rf"^{ARN}:iam::[0-9]{{12}}:role/.+$",
        json_schema_extra=must(f"be the ARN of an IAM role (arn:aws:iam::…:role/…) {_NOTE}"),
    ),
]
RolePath = Annotated[
    str,
    Field(
        pattern=r"^/([!-~]+/)?$",
        json_schema_extra=must("be a path that starts and ends with a slash, such as /mlops/"),
    ),
]


def derive_partition(region: str) -> str:
    """Return the partition of a Region as an expression."""
    partition = "aws"
    for start, name in PARTITIONS.items():
        partition = when(can(match(f"^{start}", region)), name, partition)
    return partition


def make_name_prefix(name: str, longest_name: int) -> str:
    """Return a `name_prefix` that starts with `name` and leaves room for the suffix of the provider."""
    return f"{truncate(name, longest_name - _SUFFIX - 1)}-"


#: Source: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
TagKey = Annotated[str, Field(pattern="^.{1,128}$", json_schema_extra=must("be 1 to 128 characters"))]
TagValue = Annotated[str, Field(max_length=256, json_schema_extra=must("be at most 256 characters"))]


class NamedInputs(ModuleInputs):
    """Inputs of every module."""

    name_prefix: NamePrefix = Field(description="Start of every name: 3 to 24 lower-case letters, digits and hyphens.")
    tags: dict[TagKey, TagValue] = Field(
        default_factory=dict, description="Tags of every resource, in addition to the provider's default tags."
    )

    rules: ClassVar[tuple[InputRule, ...]] = (
        rule(
            "tags",
            lambda v: every(keys(v.tags), lambda key: ~can(match("(?i)^aws:", key))),
            "AWS reserves keys that begin with aws:; choose another key.",
        ),
    )


class LocatedInputs(NamedInputs):
    """Inputs of a module that composes ARNs or unique names. A data source only verifies them."""

    account_id: AccountId = Field(description="Account of the resources.")
    region: Region = Field(description="Region of the resources.")
    partition: str = Field(
        "aws",
        description="Partition of the account and of the Region. A plan refuses a wrong one, and names the right one.",
        pattern=_PARTITION,
        json_schema_extra=must("be aws, aws-cn or aws-us-gov"),
    )
    verify_location: bool = Field(
        False,
        description="Read the identity and the Region of the provider, and warn if they are not account_id and region.",
    )

    rules: ClassVar[tuple[InputRule, ...]] = (
        rule(
            "partition",
            # An unknown partition has its own message.
            lambda v: ~can(match(_PARTITION, v.partition)) | (v.partition == derive_partition(v.region)),
            lambda v: (
                f"Region {v.region} is in {derive_partition(v.region)}, not in {v.partition}; "
                f"set partition to {derive_partition(v.region)}, or another region."
            ),
        ),
    )


def _read_account(arn: str) -> str:
    """Return the account in an ARN."""
    return split(":", arn)[4]


class OptionalLocation(ModuleInputs):
    """Location of a module that composes ARNs only for its IAM statements: see `derive_location`."""

    account_id: AccountId | None = Field(
        None, description="Account of the resources. Default: the account of kms_key_arn."
    )
    region: Region | None = Field(None, description="Region of the resources. Default: the Region of kms_key_arn.")


def require_role_of_location(
    field: str = "role_arn", read_roles: Callable[[Any], list[str]] | None = None
) -> InputRule:
    """Return the rule that roles are in the account of `OptionalLocation`, which the IAM statements name."""

    # Another rule reports an invalid ARN.
    def holds(v: Any, role: str) -> object:
        return (
            ~can(_read_account(role))
            | ~can(_read_account(v.kms_key_arn))
            | (_read_account(role) == coalesce(v.account_id, _read_account(v.kms_key_arn)))
        )

    return rule(
        field,
        (lambda v: holds(v, getattr(v, field)))
        if read_roles is None
        else lambda v: every(read_roles(v), lambda role: holds(v, role)),
        "must be a role of account_id; without account_id, of the account of kms_key_arn",
    )


class VpcConfig(ModuleInputs):
    """Network of jobs or containers, in a VPC."""

    security_group_ids: list[SecurityGroupId] = Field(min_length=1, description="Existing security groups.")
    subnets: list[SubnetId] = Field(min_length=1, description="Private subnets.")


class ProtectedInputs(ModuleInputs):
    """Input of a module that holds data."""

    deletion_protection: bool = Field(
        True,
        description="Refuse every plan that would delete or replace the data of this module. False allows `terraform "
        "destroy` to delete it.",
    )


class RoleInputs(ModuleInputs):
    """Inputs of a module that creates IAM roles."""

    permissions_boundary_arn: str | None = Field(
        None,
        description="Permissions boundary of the roles that this module creates.",
        pattern=rf"^{ARN}:iam::([0-9]{{12}}|aws):policy/.+$",
        json_schema_extra=must(f"be the ARN of an IAM policy (arn:aws:iam::…:policy/…) {_NOTE}"),
    )
    role_path: RolePath = Field("/", description="IAM path of the roles that this module creates.")


class ExistingPublisherRole(ModuleInputs):
    """Existing role that EventBridge publishes with."""

    arn: RoleArn = Field(
        description="ARN of the role. EventBridge must be able to assume it, and it must be able to publish to the "
        "topic and use the topic's key."
    )
