"""Resources that a review cannot cover, because the plan or this package knows too little about them."""

from typing import NamedTuple

from sustainable_mlops.plan.cloudformation import AWSCC, CLOUD_CONTROL
from sustainable_mlops.plan.inventory import Inventory
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.values import UNKNOWN

_STACK_REASON = "the plan does not show the resources of its template"
_STACK_SET_REASON = "the plan does not show the resources that its template creates in each account and Region"
_STACKS = {
    "aws_cloudformation_stack": _STACK_REASON,
    "aws_cloudformation_stack_instances": _STACK_SET_REASON,
    "aws_cloudformation_stack_set": _STACK_SET_REASON,
    "aws_cloudformation_stack_set_instance": _STACK_SET_REASON,
}


_TYPE_PREFIXES = (AWSCC, CLOUD_CONTROL, "aws_cloudformation_stack")


class UnreviewedResource(NamedTuple):
    """A resource that is not reviewed, and the reason."""

    resource: Resource
    reason: str


def list_unreviewed_resources(inventory: Inventory) -> list[UnreviewedResource]:
    """Return the CloudFormation stacks, and the CloudFormation types that cannot be read, by type."""
    return [
        UnreviewedResource(resource, reason)
        for resources in inventory.by_type.values()
        for resource in resources
        if resource.source_type.startswith(_TYPE_PREFIXES)
        if (reason := _explain(resource)) and (resource.exists() or resource.exists(before=True))
    ]


def _explain(resource: Resource) -> str | None:
    if resource.type in _STACKS:
        return _STACKS[resource.type]
    if resource.type.startswith(AWSCC):
        return f"the reviewer does not read the CloudFormation type {resource.type}"
    if resource.type == CLOUD_CONTROL:
        name = resource.get_values(before=not resource.exists()).text("type_name")
        if not isinstance(name, str):
            return "its type_name is unknown until apply or sensitive"
        return f"the reviewer does not read the CloudFormation type {name}"
    if resource.exists() and resource.new.values is UNKNOWN:
        unknown_part = "its desired_state" if resource.source_type == CLOUD_CONTROL else "the whole resource"
        return f"{unknown_part} is unknown until apply or sensitive"
    return None
