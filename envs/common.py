"""What `settings.yaml` of every environment says, whatever the environment is made of."""

from typing import Annotated, Any, Literal

from pydantic import StringConstraints

from modules.common import AccountId, LogRetentionDays, NamePrefix, Region, RoleArn, find_partition
from sustainable_mlops.authoring import Field, ModuleInputs, must
from sustainable_mlops.settings import WORKLOAD


class StateSettings(ModuleInputs):
    """Where Terraform keeps the state; the bucket must exist before the first `terraform init`."""

    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="Bucket of the state.")
    kms_key_arn: str | None = Field(None, description="Key that encrypts the state, or null for the bucket's own.")


class TagSettings(ModuleInputs):
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


class CommonSettings(ModuleInputs):
    """Where an environment is, and what holds for everything in it."""

    environment: str = Field(
        description="Its name, which is its folder's too.",
        pattern=r"^[a-z][a-z0-9]{1,11}$",
        json_schema_extra=must("be 2 to 12 lower-case letters and digits, and start with a letter"),
    )
    account_id: AccountId = Field(description="Account it lives in; Terraform refuses any other.")
    region: Region = Field(description="Region it lives in.")
    name_prefix: NamePrefix = Field(description="Start of every name.")
    assume_role_arn: RoleArn | None = Field(None, description="Role that Terraform takes on to apply, or null.")
    state: StateSettings = Field(description="Where Terraform keeps the state.")
    tags: TagSettings = Field(description="Tags of everything in the environment.")
    deletion_protection: bool = Field(True, description="Refuse plans that delete or replace data. False only in dev.")
    warm_pools: bool = Field(
        False,
        description="Allow training jobs to keep their instances for the next job. Idle instances are billed.",
    )
    log_retention_days: LogRetentionDays = Field(30, description="How long logs are kept, in days.")
    existing_log_groups: list[str] = Field(
        default_factory=list,
        description="Log groups that already exist in the account, such as /aws/sagemaker/TrainingJobs. The next apply "
        "adopts them with their logs instead of failing, and a teardown deletes them. Only log groups that this "
        "environment manages.",
    )

    @property
    def partition(self) -> str:
        """The partition of its Region."""
        return find_partition(self.region)

    @property
    def located(self) -> dict[str, Any]:
        """What a `Located` module takes of it."""
        others = {} if self.partition == "aws" else {"partition": self.partition}
        return {"name_prefix": self.name_prefix, "account_id": self.account_id, "region": self.region, **others}

    @property
    def protected(self) -> dict[str, Any]:
        """What a `Protected` module takes of it."""
        return {"deletion_protection": self.deletion_protection}

    @property
    def all_tags(self) -> dict[str, str]:
        """The tags, with the environment's name."""
        return {"environment": self.environment, **self.tags.model_dump()}
