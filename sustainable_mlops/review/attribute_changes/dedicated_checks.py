"""The attributes that checks of their own, the rules and the footprint model read."""

import csv
from functools import cache, lru_cache
from pkgutil import get_data

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.catalogue import service_prices
from sustainable_mlops.footprint.coverage import UNCOVERED_TYPES
from sustainable_mlops.footprint.sizes import is_size_path
from sustainable_mlops.review.attributes.paths import contains_path, normalize_path
from sustainable_mlops.review.instance_commands import list_command_paths
from sustainable_mlops.review.privileges.destinations import list_destination_paths
from sustainable_mlops.review.privileges.dns_records import list_record_paths
from sustainable_mlops.review.privileges.exposure import list_exposure_paths
from sustainable_mlops.review.privileges.policy_types import ATTACHMENTS, POLICY_TYPES
from sustainable_mlops.review.safeguards.table import SAFEGUARDS

#: Types with a dedicated check that compares all attributes.
_FULLY_COMPARED_TYPES = """
aws_security_group aws_default_security_group aws_security_group_rule aws_vpc_security_group_ingress_rule
aws_vpc_security_group_egress_rule aws_network_acl aws_default_network_acl aws_network_acl_rule
aws_s3_bucket_lifecycle_configuration aws_ecr_lifecycle_policy aws_appautoscaling_policy aws_appautoscaling_target
aws_appautoscaling_scheduled_action aws_autoscaling_policy aws_autoscaling_schedule aws_ec2_managed_prefix_list_entry
"""
#: Attributes with roles, which the check of privileges reads in every type.
_ROLE = LazyPattern(r"(?:.*_)?(?:roles?|role_arns?|instance_profile)|pipeline_definition")


def is_fully_compared(type_: str) -> bool:
    """Return whether a dedicated check compares every attribute of this type."""
    return type_ in _FULLY_COMPARED_TYPES.split()


@lru_cache(maxsize=16384)
def is_assessed_by_account(type_: str, path: str) -> bool:
    """Return whether another check assesses the accounts in the attribute at `path`: roles, grants, destinations."""
    return any(map(_ROLE.fullmatch, path.split("."))) or contains_path(_list_account_paths(type_), path)


@lru_cache(maxsize=16384)
def is_read_elsewhere(type_: str, path: str) -> bool:
    """Return whether a check of its own reads the attribute at `path`, or a block around it."""
    return any(map(_ROLE.fullmatch, path.split("."))) or contains_path(_list_other_paths(type_), path)


@lru_cache(maxsize=16384)
def is_estimated(type_: str, path: str) -> bool:
    """Return whether a rule or the footprint model reads the attribute at `path`, or a block around it."""
    if contains_path(_load_traced_paths().get(type_, frozenset()), path) or service_prices.reads_attribute(type_, path):
        return True
    return type_ in UNCOVERED_TYPES and is_size_path(path)


@lru_cache(maxsize=4096)
def _list_other_paths(type_: str) -> frozenset[str]:
    paths = [*list_command_paths(type_), *(SAFEGUARDS[type_].identity if type_ in SAFEGUARDS else ())]
    return frozenset(map(normalize_path, paths)) | _list_account_paths(type_)


@lru_cache(maxsize=4096)
def _list_account_paths(type_: str) -> frozenset[str]:
    policies = (*POLICY_TYPES.get(type_, ()), *ATTACHMENTS.get(type_, ()))
    paths = [
        *(path for kind in policies for path in (kind.path, kind.owner_path) if path),
        *list_exposure_paths(type_),
        *list_record_paths(type_),
        *list_destination_paths(type_),
    ]
    return frozenset(map(normalize_path, paths))


@cache
def _load_traced_paths() -> dict[str, frozenset[str]]:
    """Return the attributes that rules and the footprint model read, by type; see `tests.review.attribute_reads`."""
    content = get_data(__package__, "read_attributes.csv") or b""
    paths: dict[str, set[str]] = {}
    for row in csv.DictReader(content.decode().splitlines()):
        paths.setdefault(row["type"], set()).add(normalize_path(row["path"]))
    return {type_: frozenset(type_paths) for type_, type_paths in paths.items()}
