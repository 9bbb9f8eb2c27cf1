"""Settings of every environment, independent of its components."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import StringConstraints

from envs.subscribers import NotificationSettings
from modules.common import AccountId, NamePrefix, Region, RoleArn
from sustainable_mlops.authoring import Field, ModuleInputs, must
from sustainable_mlops.base.settings import WORKLOAD
from sustainable_mlops.catalogue.limits import LogRetentionDays
from sustainable_mlops.catalogue.regions import find_partition


class StateSettings(ModuleInputs):
    """Location of Terraform's state. The bucket must exist before the first `terraform init`."""

    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="Bucket of the state.")
    kms_key_arn: str | None = Field(None, description="KMS key of the state. Null: the default key of the bucket.")


class TagSettings(ModuleInputs):
    """Tags of all resources, set by the provider's `default_tags`."""

    removed_keys: ClassVar[Mapping[str, str]] = {
        "latency_slo": "each model has its own; move it to envs/catalogue/models/MODEL.yaml, or to "
        "models.MODEL.latency_slo of this file for one environment"
    }

    workload: str = Field(
        description="Workload that causes the cost and the footprint.",
        pattern=f"^{WORKLOAD}$",
        json_schema_extra=must("be letters, digits, - and _, starting with a letter or digit"),
    )
    owner: str = Field(description="Person or team that is responsible.")
    data_class: Literal["public", "internal", "confidential"] = Field(description="Sensitivity of the data.")
    expires_on: Annotated[str, StringConstraints(pattern=r"^(never|[0-9]{4}-[0-9]{2}-[0-9]{2})$")] = Field(
        "never", description="Last day that the environment is needed, as yyyy-mm-dd, or never."
    )


class CommonSettings(ModuleInputs):
    """Location of an environment, and settings of all its resources."""

    environment: str = Field(
        description="Name of the environment, equal to the name of its folder.",
        pattern=r"^[a-z][a-z0-9]{1,11}$",
        json_schema_extra=must("be 2 to 12 lower-case letters and digits, starting with a letter"),
    )
    account_id: AccountId = Field(description="Account of the environment. Terraform refuses any other.")
    region: Region = Field(description="Region of the environment.")
    name_prefix: NamePrefix = Field(description="Start of every name.")
    assume_role_arn: RoleArn | None = Field(None, description="Role that Terraform assumes, or null.")
    state: StateSettings = Field(description="Location of Terraform's state.")
    tags: TagSettings = Field(description="Tags of all resources.")
    deletion_protection: bool = Field(
        True, description="Refuse plans that delete or replace data. Use false only in dev."
    )
    warm_pools: bool = Field(
        False,
        description="Allow training jobs to keep their instances for the next job. Idle instances are billed.",
    )
    log_retention_days: LogRetentionDays = Field(30, description="Retention of logs, in days.")
    notifications: NotificationSettings = Field(
        NotificationSettings(), description="People and systems that receive alarms and other notifications."
    )
    account_log_groups: Literal["owned", "shared"] = Field(
        "owned",
        description="Owner of the log groups of jobs, which exist once in an account and Region: this environment, or "
        "another one with which it shares them.",
    )
    existing_log_groups: list[str] = Field(
        default_factory=list,
        description="Log groups that already exist in the account, such as /aws/sagemaker/TrainingJobs. The next apply "
        "adopts them with their logs instead of failing, and a teardown deletes them. Only log groups that this "
        "environment manages.",
    )

    @property
    def partition(self) -> str:
        """Partition of the Region."""
        return find_partition(self.region)

    @property
    def account_and_region(self) -> dict[str, Any]:
        """Inputs of a module with `OptionalLocation`."""
        return {"account_id": self.account_id, "region": self.region}

    @property
    def located(self) -> dict[str, Any]:
        """Inputs of a module with `LocatedInputs`."""
        others = {} if self.partition == "aws" else {"partition": self.partition}
        return {"name_prefix": self.name_prefix, **self.account_and_region, **others}

    @property
    def protected(self) -> dict[str, Any]:
        """Inputs of a module with `ProtectedInputs`."""
        return {"deletion_protection": self.deletion_protection}

    @property
    def all_tags(self) -> dict[str, str]:
        """Tags, with the name of the environment."""
        return {"environment": self.environment, **self.tags.model_dump()}
