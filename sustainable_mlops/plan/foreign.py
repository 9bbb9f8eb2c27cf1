"""Resources of which a plan, or the readers of it, tell too little to be reviewed."""

from typing import NamedTuple

from sustainable_mlops.plan.cloudformation import AWSCC, CLOUD_CONTROL
from sustainable_mlops.plan.inventory import Inventory
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.values import UNKNOWN

_MAKES = "what its template makes is not in the plan"
_EVERYWHERE = "what its template makes, in every account and Region of it, is not in the plan"
_STACKS = {
    "aws_cloudformation_stack": _MAKES,
    "aws_cloudformation_stack_instances": _EVERYWHERE,
    "aws_cloudformation_stack_set": _EVERYWHERE,
    "aws_cloudformation_stack_set_instance": _EVERYWHERE,
}


_WRITTEN_SO = (AWSCC, CLOUD_CONTROL, "aws_cloudformation_stack")


class Foreign(NamedTuple):
    """A resource that is not reviewed, and why."""

    resource: Resource
    why: str


def foreign(inventory: Inventory) -> list[Foreign]:
    """The stacks of CloudFormation, and what is written as a CloudFormation type and cannot be read, by type."""
    return [
        Foreign(resource, why)
        for resources in inventory.by_type.values()
        for resource in resources
        if resource.written_type.startswith(_WRITTEN_SO)
        if (why := _why(resource)) and (resource.exists() or resource.exists(before=True))
    ]


def _why(resource: Resource) -> str | None:
    if resource.type in _STACKS:
        return _STACKS[resource.type]
    if resource.type.startswith(AWSCC):
        return f"{resource.type} is a type of CloudFormation that is not reviewed"
    if resource.type == CLOUD_CONTROL:
        name = resource.values(before=not resource.exists()).text("type_name")
        told = name if isinstance(name, str) else "the type_name of this resource, which is not known,"
        return f"{told} is a type of CloudFormation that is not reviewed"
    if resource.exists() and resource.new.values is UNKNOWN:
        what = "desired_state" if resource.written_type == CLOUD_CONTROL else "all of it"
        return f"{what} is not known until apply (or is hidden), so nothing of it is reviewed"
    return None
