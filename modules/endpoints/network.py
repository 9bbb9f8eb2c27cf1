"""Network of an endpoint's containers: the VPC of its models."""

from typing import Any

from modules.common import SubnetId, VpcConfig
from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.authoring.expressions import Dynamic, optional, set_of


class EndpointVpcConfig(VpcConfig):
    """Network of the containers."""

    subnets: list[SubnetId] = Field(
        min_length=2, description="Subnets in at least two Availability Zones, so that one zone may fail."
    )


class VpcInputs(ModuleInputs):
    """Input of an endpoint whose containers can join a VPC."""

    vpc_config: EndpointVpcConfig | None = Field(
        None, description="Network of the containers. Set the same subnets in `access`. Default: none."
    )


def build_network_arguments(var: Any) -> dict[str, Any]:
    """Return the arguments of a model for its network."""
    return {
        "enable_network_isolation": var.enable_network_isolation,
        "vpc_config": Dynamic(
            optional(var.vpc_config),
            lambda vpc_config: {
                "subnets": vpc_config.value.subnets,
                "security_group_ids": vpc_config.value.security_group_ids,
            },
        ),
    }


def build_network_value(vpc_config: Any) -> dict[str, Any]:
    """Return a network as sets, so that a changed order of the subnets replaces no model."""
    return {
        "security_group_ids": set_of(vpc_config.security_group_ids),
        "subnets": set_of(vpc_config.subnets),
    }
