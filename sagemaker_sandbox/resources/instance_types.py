"""Instance types of a variant: its own type, or the types of its instance pools."""

from sagemaker_sandbox.resources.resources import Fields


def list_instance_types(variant: Fields) -> list[str]:
    """Return the instance types of a variant, by priority; none if it is serverless.

    The sandbox always has capacity, so all instances are of the first type.
    """
    if "InstanceType" in variant:
        return [variant["InstanceType"]]
    return [pool["InstanceType"] for pool in list_pools(variant)]


def list_pools(variant: Fields) -> list[Fields]:
    """Return the instance pools of a variant, by priority."""
    return sorted(variant.get("InstancePools", ()), key=lambda pool: int(pool["Priority"]))
