"""EC2: moto gives each VPC, subnet, route table and security group a random ID, never the ID in a configuration.

The tag `_custom_id_` sets these IDs. moto already uses it for the IDs of other resources.
"""

import inspect
from contextvars import ContextVar
from typing import Any

from moto.ec2.models import EC2Backend, route_tables, security_groups, subnets, vpcs
from moto.utilities.id_generator import TAG_KEY_CUSTOM_ID

_CREATIONS = {
    "create_vpc": (vpcs, "random_vpc_id"),
    "create_subnet": (subnets, "random_subnet_id"),
    "create_route_table": (route_tables, "random_route_table_id"),
    "create_security_group": (security_groups, "random_security_group_id"),
}


def apply() -> None:
    """Read the tag when one of these resources is created."""
    for operation, (module, generator) in _CREATIONS.items():
        _read_tag(operation, module, generator)


def _read_tag(operation: str, module: Any, generator: str) -> None:
    chosen_id: ContextVar[str | None] = ContextVar(operation, default=None)
    generate, create = getattr(module, generator), getattr(EC2Backend, operation)
    signature = inspect.signature(create)

    def create_with_chosen_id(*arguments: Any, **options: Any) -> Any:
        token = chosen_id.set(_find_id(signature.bind(*arguments, **options).arguments.get("tags")))
        try:
            return create(*arguments, **options)
        finally:
            chosen_id.reset(token)

    setattr(module, generator, lambda: chosen_id.get() or generate())
    setattr(EC2Backend, operation, create_with_chosen_id)


def _find_id(tags: Any) -> str | None:
    """Return the value of the tag. moto has tags as a list, as a dictionary, or as dictionaries by type of resource."""
    if isinstance(tags, list):
        tags = {tag["Key"]: tag["Value"] for tag in tags}
    for values in (tags or {}, *(value for value in (tags or {}).values() if isinstance(value, dict))):
        if TAG_KEY_CUSTOM_ID in values:
            return str(values[TAG_KEY_CUSTOM_ID])
    return None
