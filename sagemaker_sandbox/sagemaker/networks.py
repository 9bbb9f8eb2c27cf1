"""Networks of models and jobs: the subnets and security groups of a `VpcConfig`.

AWS does not document how CreateModel and the operations that start jobs check the network. The sandbox assumes that
they refuse subnets and security groups that do not exist. Their messages are assumed too.
"""

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.sagemaker import resource_lookup


def check_vpc_config(region: AccountRegion, network: Fields | None) -> None:
    """Raise ValidationError unless subnets and security groups exist and are in one VPC."""
    if network is None:
        return
    vpcs: dict[str, str] = {}
    for subnet in network["Subnets"]:
        vpcs[subnet] = _check_vpc(resource_lookup.find_subnet_vpc(region, subnet), f"subnet ID '{subnet}'")
    for group in network["SecurityGroupIds"]:
        vpcs[group] = _check_vpc(resource_lookup.find_security_group_vpc(region, group), f"security group '{group}'")
    if len(set(vpcs.values())) > 1:
        raise ValidationError(f"{', '.join(vpcs)} must be in one VPC.")


def _check_vpc(vpc: str | None, resource: str) -> str:
    if vpc is None:
        raise ValidationError(f"The {resource} does not exist.")
    return vpc
