"""Network of the environment: subnets of an existing VPC for its jobs and endpoints."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from envs.common import CommonSettings
from envs.component import Component
from envs.settings_models import add_module_options, get_explicit_settings
from modules.common import LocatedInputs, SecurityGroupId, SubnetId
from modules.network.inputs import Inputs
from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.catalogue.limits import get_limit

if TYPE_CHECKING:
    from envs.root import EnvironmentRoot


@add_module_options(Inputs, excluded=(*LocatedInputs.model_fields, "subnet_ids"))
class VpcEndpointOptions(ModuleInputs):
    """Settings of the module `network`: its security groups and VPC endpoints."""


class NetworkOptions(ModuleInputs):
    """Subnets of jobs and endpoints, with existing security groups or the security groups of the module `network`."""

    security_group_ids: list[SecurityGroupId] | None = Field(
        None,
        min_length=1,
        max_length=get_limit("vpc_config_security_groups"),
        description="Existing security groups, in a VPC that already has the VPC endpoints. Instead of vpc_endpoints.",
    )
    subnet_ids: list[SubnetId] = Field(
        min_length=2,
        max_length=get_limit("vpc_config_subnets"),
        description="Private subnets in two or more Availability Zones.",
    )
    vpc_endpoints: VpcEndpointOptions | None = Field(
        None, description="Security groups and VPC endpoints that the environment creates with the module `network`."
    )


class NetworkSettings(CommonSettings):
    network: NetworkOptions | None = Field(
        None,
        description="Run jobs, pipelines, and the endpoints on instances in subnets of an existing VPC. Default: in no "
        "VPC.",
    )


class ModelInNetwork(ModuleInputs):
    """Network of a model's endpoints."""

    vpc: bool = Field(
        True, description="False leaves the endpoints of this model outside the network of the environment."
    )


class Network(Component[NetworkSettings]):
    """Subnets and security groups of all jobs and endpoints."""

    #: Subnets and security groups as modules take them; None without a network.
    vpc_config: Any = None

    def find_problems(self) -> Iterator[str]:
        network = self.settings.network
        if network and (network.security_group_ids is None) == (network.vpc_endpoints is None):
            yield "network: set either security_group_ids or vpc_endpoints"

    def add(self, env: "EnvironmentRoot") -> None:
        network = self.settings.network
        if network is None:
            return
        if network.vpc_endpoints is None:
            self.vpc_config = env.local(
                "vpc_config",
                {"subnets": network.subnet_ids, "security_group_ids": network.security_group_ids},
                why="Network of all jobs and endpoints.",
            )
            return
        options = get_explicit_settings(network.vpc_endpoints)
        # Otherwise the endpoint of S3 would deny models that were promoted from another account.
        if buckets := dict.fromkeys([*options.get("readable_bucket_arns", ()), *env.list_readable_bucket_arns()]):
            options["readable_bucket_arns"] = list(buckets)
        module = env.call(env.modules["network"], **self.settings.located, subnet_ids=network.subnet_ids, **options)
        self.vpc_config = module.vpc_config

    @property
    def vpc(self) -> dict[str, Any] | None:
        """Subnets and security groups as `access` and launchers take them; None without a network."""
        config = self.vpc_config
        if config is None:
            return None
        return {"subnet_ids": config.subnets, "security_group_ids": config.security_group_ids}

    def list_platform_fields(self) -> Mapping[str, Any]:
        return {} if self.vpc is None else {"vpc": self.vpc}
