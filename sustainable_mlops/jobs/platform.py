"""The platform of a job: the names and ARNs that an environment publishes for its launchers."""

from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict, Field

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import Settings, parse_json

if TYPE_CHECKING:
    from sustainable_mlops.aws import Client


#: Phase whose role a job assumes, as the platform document names the roles.
Phase = Literal["data_preparation", "training", "inference"]


class Buckets(Settings):
    """Bucket names."""

    model_config = ConfigDict(extra="ignore")

    data: str = Field(description="Bucket of data sets.")
    artifacts: str = Field(description="Bucket of sources, checkpoints, models and records.")


class Roles(Settings):
    """Role ARNs."""

    model_config = ConfigDict(extra="ignore")

    training: str = Field(description="Role that training and tuning jobs assume.")
    data_preparation: str | None = Field(None, description="Role that processing jobs assume.")
    pipeline: str | None = Field(None, description="Role that pipelines assume; it passes the other roles to the jobs.")
    inference: str | None = Field(None, description="Role that batch transform and endpoints assume.")
    recommendation: str | None = Field(None, description="Role that load tests of recommendation jobs assume.")


class Vpc(Settings):
    """Subnets and security groups of a VPC."""

    model_config = ConfigDict(extra="ignore")

    subnet_ids: list[str] = Field(min_length=1, description="Private subnets.")
    security_group_ids: list[str] = Field(min_length=1, description="Security groups.")

    def to_request(self) -> dict[str, list[str]]:
        """Return the `VpcConfig` of a request."""
        return {"SecurityGroupIds": self.security_group_ids, "Subnets": self.subnet_ids}


class Platform(Settings):
    """An environment, as a launcher needs it. Fields for other readers are ignored."""

    model_config = ConfigDict(extra="ignore")

    environment: str = Field("dev", description="Name of the environment.")
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="Region of the buckets and the jobs.")
    buckets: Buckets
    kms_key_arn: str | None = Field(
        None, description="Key for volumes and outputs. Null: the default key of the bucket."
    )
    roles: Roles
    model_package_groups: dict[str, str] = Field({}, description="Model package group of each workload.")
    name_prefix: str | None = Field(None, description="Start of every name in the environment.")
    pipelines: dict[str, str] = Field(
        {},
        description="Pipeline of each workload that the environment deploys. Without this field, the launcher creates "
        "and changes pipelines.",
    )
    tracking: str | None = Field(None, description="MLflow tracking server for runs: its ARN or address.")
    warm_pools: bool = Field(
        False, description="True if training jobs may keep instances for the next job, idle and billed."
    )
    tags: dict[str, str] = Field({}, description="Tags of everything in the environment.")
    vpc: Vpc | None = Field(None, description="Network of jobs and models. Null: no VPC.")

    def get_role_arn(self, phase: Phase) -> str:
        """Return the ARN of the phase's role. Raises UserError if the platform has none."""
        role: str | None = getattr(self.roles, phase)
        if role is None:
            raise UserError(f"platform.roles.{phase}: is missing; set the role that this job assumes")
        return role


class InlinePlatform(Platform):
    """The platform document inside `job.yaml`."""

    model_config = ConfigDict(extra="forbid")


def read_platform(parameter: str, ssm: "Client") -> Platform:
    """Read the platform document from the SSM `parameter`. Raises UserError if there is none."""
    try:
        value = ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        raise UserError(
            f"platform: the SSM parameter {parameter} does not exist in {ssm.meta.region_name}; apply the environment "
            "first (terraform apply publishes it), or correct the name or the Region"
        ) from None
    return parse_json(value, Platform, f"SSM parameter {parameter}")
