"""Inputs of `images`."""

from typing import Annotated

from modules.common import AccountId, KmsKeyArn, LocatedInputs, ProtectedInputs, Region
from modules.location import require_key_in_region
from sustainable_mlops.authoring import Field, ModuleInputs, must, rule
from sustainable_mlops.authoring.expressions import can, contains, every, match

RepositoryKey = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$",
        json_schema_extra=must(
            "be lower-case letters, digits and single underscores, which become hyphens in the repository's name"
        ),
    ),
]
TagPrefix = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$",
        json_schema_extra=must("be a tag prefix such as pr- or dev-"),
    ),
]


class TemporaryImages(ModuleInputs):
    """Images that expire, by their tags."""

    expire_after_days: int = Field(14, ge=1, description="Days from the push until such an image expires.")
    tag_prefixes: list[TagPrefix] = Field(
        min_length=1,
        max_length=10,
        description="Tag prefixes of temporary images. An image expires with all its tags.",
    )


class Repository(ModuleInputs):
    expire_untagged_after_days: int = Field(
        7, ge=1, description="Days from the push until an image without a tag expires."
    )
    reader_account_ids: list[AccountId] = Field(
        default_factory=list, description="Accounts that may pull the images. Their serverless endpoints cannot."
    )
    temporary_images: TemporaryImages | None = Field(
        None,
        description="Images that expire, by the prefixes of their tags, such as pr- for pull requests. Default: none.",
    )


class Registry(ModuleInputs):
    """Registry of an account in a Region."""

    account_id: AccountId = Field(description="Account of the registry.")
    region: Region = Field(description="Region of the registry.")


class Inputs(LocatedInputs, ProtectedInputs):
    kms_key_arn: KmsKeyArn = Field(description="KMS key of the images. It cannot change later.")
    replicate_from_account_ids: list[AccountId] = Field(
        default_factory=list,
        description="Accounts that may replicate images into these repositories. It sets the policy of the registry.",
    )
    replicate_to: list[Registry] = Field(
        default_factory=list,
        max_length=25,
        description="Registries that receive a copy of every new image. It sets the replication of the whole registry.",
    )
    repositories: dict[RepositoryKey, Repository] = Field(
        min_length=1,
        description="Repositories by key; the repository of key flight_delay is named `<name_prefix>/flight-delay`.",
    )

    rules = (
        require_key_in_region(),
        rule(
            "name_prefix",
            lambda v: ~can(match("--", v.name_prefix)),
            "must not contain two hyphens in a row, which ECR refuses.",
        ),
        rule(
            "replicate_from_account_ids",
            lambda v: ~contains(v.replicate_from_account_ids, v.account_id),
            lambda v: f"must not contain {v.account_id}, the account of the repositories; remove it.",
        ),
        rule(
            "replicate_to",
            lambda v: every(
                v.replicate_to,
                lambda registry: (registry.account_id != v.account_id) | (registry.region != v.region),
            ),
            "must not contain the registry of these repositories; remove it.",
        ),
        rule(
            "repositories",
            lambda v: every(v.repositories, lambda one: ~contains(one.reader_account_ids, v.account_id)),
            lambda v: (
                f"reader_account_ids must not contain {v.account_id}, the account of the repositories; remove it."
            ),
        ),
    )
