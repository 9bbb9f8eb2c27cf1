"""What tells one environment from another: the contents of `settings.yaml`."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import StringConstraints, model_validator

from modules.common import LONGEST_PREFIX, AccountId, NamePrefix, Region, RoleArn
from modules.feature_store.inputs import FeatureGroup
from modules.feature_store.inputs import GroupKey as FeatureGroupKey
from modules.model_registry.inputs import GroupKey as ModelKey
from modules.model_registry.inputs import ModelPackageGroup
from modules.serverless_endpoint.refused import Refused
from sustainable_mlops.authoring import Field, ModuleInputs, must
from sustainable_mlops.errors import UserError
from sustainable_mlops.settings import WORKLOAD, load_yaml, schema_text

#: What stands in envs/, or will, and is no environment.
PARTS = frozenset({"catalogue", "components", "environment", "settings"})


def check_name(environment: str) -> None:
    """Raise ValueError where an environment cannot be called so."""
    if environment in PARTS:
        raise ValueError(f"environment: '{environment}' is a part of envs/ itself; choose another name")


class State(ModuleInputs):
    """Where Terraform keeps the state; the bucket must exist before the first `terraform init`."""

    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="Bucket of the state.")
    kms_key_arn: str | None = Field(None, description="Key that encrypts the state, or null for the bucket's own.")


class Tags(ModuleInputs):
    """Tags of everything in the environment, by the provider's `default_tags`."""

    workload: str = Field(
        description="What the cost and the footprint are for.",
        pattern=f"^{WORKLOAD}$",
        json_schema_extra=must("be letters, digits, - and _, and start with a letter or digit"),
    )
    owner: str = Field(description="Who answers for it.")
    data_class: Literal["public", "internal", "confidential"] = Field(description="How sensitive its data is.")
    latency_slo: Literal["minutes", "cold_start", "milliseconds"] = Field(
        description="What callers tolerate: it decides between batch, serverless and always-on."
    )
    expires_on: Annotated[str, StringConstraints(pattern=r"^(never|[0-9]{4}-[0-9]{2}-[0-9]{2})$")] = Field(
        "never", description="Day after which it may go, as yyyy-mm-dd, or never."
    )


class Endpoint(Refused):
    """A serverless endpoint."""

    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = Field(2048, description="Memory of one worker, in MB.")
    max_concurrency: int = Field(5, ge=1, le=200, description="Most requests served at once.")


class Model(ModelPackageGroup):
    """A model: its package group, and the endpoint that serves its approved package."""

    serverless_endpoint: Endpoint | None = Field(
        None, description="Endpoint that scales to zero; it comes with the first package in `model_packages`."
    )


class Settings(ModuleInputs):
    """One environment, in one account and Region."""

    environment: str = Field(
        description="Its name, which is its folder's too.",
        pattern=r"^[a-z][a-z0-9]{1,11}$",
        json_schema_extra=must("be 2 to 12 lower-case letters and digits, and start with a letter"),
    )
    account_id: AccountId = Field(description="Account it lives in; Terraform refuses any other.")
    region: Region = Field(description="Region it lives in.")
    name_prefix: NamePrefix = Field(description="Start of every name.")
    assume_role_arn: RoleArn | None = Field(None, description="Role that Terraform takes on to apply, or null.")
    state: State = Field(description="Where Terraform keeps the state.")
    tags: Tags = Field(description="Tags of everything in the environment.")
    deletion_protection: bool = Field(True, description="Refuse plans that delete or replace data. False only in dev.")
    log_retention_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365] = Field(
        30, description="How long logs are kept, in days."
    )
    feature_groups: dict[FeatureGroupKey, FeatureGroup] = Field({}, description="Feature groups by key.")
    models: dict[ModelKey, Model] = Field({}, description="Models by key.")

    def name(self, key: str) -> str:
        """The name that the modules give what has this key."""
        return f"{self.name_prefix}-{key.replace('_', '-')}"

    @model_validator(mode="after")
    def _is_no_part(self) -> Self:
        check_name(self.environment)
        return self

    @model_validator(mode="after")
    def _names_of_endpoints(self) -> Self:
        for key in (key for key, model in self.models.items() if model.serverless_endpoint):
            if len(name := self.name(key)) > LONGEST_PREFIX:
                raise ValueError(
                    f"models.{key}: its endpoint would be named '{name}', {len(name)} characters of at most "
                    f"{LONGEST_PREFIX}; shorten the key or name_prefix"
                )
        return self


def load(folder: Path) -> Settings:
    """The settings of the environment in `folder`. Raises UserError naming the file, the field and the remedy."""
    path = folder / "settings.yaml"
    settings = load_yaml(path, Settings)
    if settings.environment != folder.name:
        raise UserError(
            f"{path}: environment: '{settings.environment}' is not the name of its folder, '{folder.name}'; "
            "give both the same name"
        )
    return settings


def load_all(folders: Iterable[Path]) -> dict[str, Settings]:
    """The settings of the environments in `folders`, by name. Raises UserError, also where two live in one place."""
    found = {folder.name: load(folder) for folder in folders}
    check_apart(found)
    return found


def check_apart(environments: Mapping[str, Settings]) -> None:
    """Raise UserError where two of the environments, by name, live in one account and Region."""
    taken: dict[tuple[str, str], str] = {}
    for name, settings in environments.items():
        other = taken.setdefault((settings.account_id, settings.region), name)
        if other != name:
            raise UserError(
                f"envs/{name}/settings.yaml: account {settings.account_id} in {settings.region} is where {other} "
                "lives, and an account and Region has one set of log groups of jobs; choose another account or Region"
            )


def schema() -> str:
    """The JSON schema of settings.yaml, for editors."""
    return schema_text(Settings)
