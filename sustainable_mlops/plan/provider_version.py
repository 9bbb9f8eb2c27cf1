"""The major version of the AWS provider that made a plan, as far as the plan tells."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan.configuration import Configuration
from sustainable_mlops.plan.inventory import Inventory
from sustainable_mlops.plan.values import UNKNOWN, Unknown

AWS = "registry.terraform.io/hashicorp/aws"
#: The same provider in a plan of OpenTofu.
AWS_OF_OPENTOFU = "registry.opentofu.org/hashicorp/aws"

_TERM = LazyPattern(r"(=|!=|>=|<=|>|<|~>)?\s*v?([0-9]{1,4})((?:\.[0-9]+)*)[-+.0-9A-Za-z]*")
#: All types with these prefixes have an attribute `region` since 6.0.0, and not before (schemas of 5.100 and 6.69).
_REGIONAL = ("aws_sagemaker_", "aws_appautoscaling_", "aws_cloudwatch_", "aws_kms_", "aws_sns_")
_NEWEST_WITHOUT_REGION = 5
_FIRST_WITH_REGION = 6


def find_major_version(inventory: Inventory, configuration: Configuration) -> int | Unknown:
    """Return the major version from the version constraints if they allow only one, else from the resources.

    A result of 5 from the resources means 5 or older. The result is `UNKNOWN` if neither tells.
    """
    pinned = _find_pinned_major(configuration)
    return _infer_from_resources(inventory) if pinned is None else pinned


def _find_pinned_major(configuration: Configuration) -> int | None:
    minimum, maximum = 0, 9999
    for provider in configuration.providers.values():
        constraint = provider.get("version_constraint") if isinstance(provider, dict) else None
        if isinstance(constraint, str) and provider.get("full_name") in (AWS, AWS_OF_OPENTOFU):
            for low, high in map(_parse_majors, constraint.split(",")):
                minimum, maximum = max(minimum, low), min(maximum, high)
    return minimum if minimum == maximum else None


def _parse_majors(term: str) -> tuple[int, int]:
    """Return the lowest and the highest major version that a term such as `~> 5.40` allows."""
    match = _TERM.fullmatch(term.strip())
    if match is None or match[1] == "!=":
        return 0, 9999
    number, rest = int(match[2]), match[3].replace(".", "").strip("0")
    low = 0 if match[1] in ("<", "<=") else number
    if match[1] in (">", ">="):
        return low, 9999
    return low, number - 1 if match[1] == "<" and not rest else number


def _infer_from_resources(inventory: Inventory) -> int | Unknown:
    values = chain.from_iterable(
        _list_attributes(inventory, kind) for kind in inventory.by_type if kind.startswith(_REGIONAL)
    )
    attributes = next(values, None)
    if attributes is None:
        return UNKNOWN
    return _FIRST_WITH_REGION if "region" in attributes else _NEWEST_WITHOUT_REGION


def _list_attributes(inventory: Inventory, kind: str) -> Iterator[Mapping[str, Any]]:
    """Yield the known attributes of the resources of a type."""
    for resource in inventory.by_type[kind]:
        yield from (values for values in (resource.after, resource.before) if values)
