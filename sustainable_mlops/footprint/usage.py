"""Usage file `usage.yaml`: the usage of resources, which a plan does not contain.

    resources:
      module.serving.aws_sagemaker_endpoint.this:       # an address; * matches any text
        requests_per_month: 2_000_000                    # a number is exact
        duration_seconds: {low: 0.02, expected: 0.05, high: 0.2}
      aws_sagemaker_pipeline.retrain:                    # for all its steps
        runs_per_month: 2
      aws_sagemaker_pipeline.retrain#Train:              # for one step
        hours_per_run: 0.5
      aws_s3_bucket.data:
        storage_gb: {STANDARD: 500, GLACIER_IR: 100}     # or a number: everything in STANDARD
    defaults:                                            # replace those of catalogue/assumptions.csv
      requests_per_month: 100_000

More specific entries override: defaults, then the patterns in their order, then the exact address, then the step.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sustainable_mlops.base.documents import check_keys, check_mapping, read_mapping
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue import storage
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.plan.addresses import split_address
from sustainable_mlops.plan.cloudformation import CLOUD_CONTROL

#: Maximum value, description and unit of each key.
KEYS = {
    "requests_per_month": (1e12, "requests a month", "requests"),
    "duration_seconds": (3600.0, "duration of a request", "s"),
    "duty": (1.0, "busy share of the time", "of the time"),
    "hours_per_month": (744.0, "hours on a month", "h"),
    "instances": (1e5, "instances", "instances"),
    "runs_per_month": (1e5, "runs a month", "runs"),
    "hours_per_run": (24.0 * 28, "hours a run", "h"),
    "spot_discount": (1.0, "discount of managed spot", "of the price"),
    "provisioned_concurrency": (1e4, "workers that are always ready", "workers"),
    "transfer_gb_per_month": (1e12, "GB sent to another Region a month", "GB"),
    "online_gb": (1e12, "GB in the online store", "GB"),
    "offline_gb": (1e12, "GB in the offline store", "GB"),
}
_STORAGE_KEY = "storage_gb"
_SERVING_KEYS = (
    "requests_per_month",
    "duration_seconds",
    "duty",
    "hours_per_month",
    "instances",
    "provisioned_concurrency",
)
_JOB_KEYS = ("runs_per_month", "hours_per_run", "instances", "duty", "spot_discount")
_INSTANCE_KEYS = ("hours_per_month", "instances", "duty", "spot_discount")
#: Keys of each resource type.
KEYS_BY_TYPE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("aws_ec2_capacity_block_reservation", "aws_ec2_capacity_reservation", "aws_ec2_host"),
        ("hours_per_month", "instances", "duty"),
    ),
    **dict.fromkeys(
        (
            "aws_autoscaling_group",
            "aws_batch_compute_environment",
            "aws_ec2_fleet",
            "aws_eks_node_group",
            "aws_emr_instance_fleet",
            "aws_emr_instance_group",
            "aws_spot_fleet_request",
        ),
        _INSTANCE_KEYS,
    ),
    **dict.fromkeys(
        ("aws_emr_cluster", "aws_instance", "aws_spot_instance_request"), ("hours_per_month", "duty", "spot_discount")
    ),
    "aws_s3_bucket": (_STORAGE_KEY, "transfer_gb_per_month"),
    "aws_s3_bucket_replication_configuration": ("transfer_gb_per_month",),
    "aws_sagemaker_app": ("hours_per_month", "duty"),
    "aws_sagemaker_cluster": ("hours_per_month", "duty"),
    "aws_sagemaker_domain": ("hours_per_month", "instances", "duty"),
    "aws_sagemaker_endpoint": _SERVING_KEYS,
    "aws_sagemaker_endpoint_configuration": _SERVING_KEYS,
    "aws_sagemaker_feature_group": ("online_gb", "offline_gb"),
    "aws_sagemaker_hyper_parameter_tuning_job": _JOB_KEYS,
    "aws_sagemaker_monitoring_schedule": _JOB_KEYS[:-1],
    "aws_sagemaker_notebook_instance": ("hours_per_month", "duty"),
    "aws_sagemaker_pipeline": _JOB_KEYS,
    "aws_sagemaker_space": ("hours_per_month", "instances", "duty"),
    "aws_sagemaker_training_job": _JOB_KEYS,
}
_BOUND_NAMES = ("low", "expected", "high")


class ResourceUsage:
    """Usage of resources, by address."""

    def __init__(
        self, entries: Mapping[str, dict[str, Any]] | None = None, defaults: dict[str, Any] | None = None
    ) -> None:
        """Store the checked keys of each address or pattern; see `read_usage`."""
        self._entries = dict(entries or {})
        self._patterns = {entry: _compile_pattern(entry) for entry in self._entries if "*" in entry}
        self._defaults = dict(defaults or {})
        self._used: set[str] = set()

    def find_keys(self, address: str) -> "UsageKeys":
        """Return the usage of a resource, or of a step (`address#step`)."""
        resource, step = _split_address(address)
        resource_entries = self._find_entries(resource)
        # An entry for the whole pipeline is not an entry for the step itself.
        own_entries = (
            [entry for entry in self._find_entries(address) if entry not in resource_entries]
            if step
            else resource_entries
        )
        return UsageKeys(
            self._defaults | self._merge_entries([*resource_entries, *own_entries]), self._merge_entries(own_entries)
        )

    def _find_entries(self, address: str) -> list[str]:
        entries = [entry for entry, pattern in self._patterns.items() if pattern.fullmatch(address)]
        entries += [address] if address in self._entries else []
        self._used.update(entries)
        return entries

    def _merge_entries(self, entries: list[str]) -> dict[str, Any]:
        return {key: value for entry in entries for key, value in self._entries[entry].items()}

    @property
    def unused_entries(self) -> list[str]:
        """The entries that match no resource of the estimated plans."""
        return [entry for entry in self._entries if entry not in self._used]


class UsageKeys:
    """Usage of one resource or step."""

    __slots__ = ("_known", "_own")

    def __init__(self, known: Mapping[str, Any], own: Mapping[str, Any]) -> None:
        """Store all checked keys, and those given for this very resource or step."""
        self._known = known
        self._own = own

    def get(self, key: str) -> Quantity | None:
        """Return the quantity of `key` (see `KEYS`), or None."""
        value: Quantity | None = self._known.get(key)
        return value

    def get_own(self, key: str) -> Quantity | None:
        """Return the quantity of `key` if it is given for this very resource or step."""
        value: Quantity | None = self._own.get(key)
        return value

    def get_storage(self) -> dict[str, Quantity] | None:
        """Return the GB by storage class, or None."""
        value: dict[str, Quantity] | None = self._known.get(_STORAGE_KEY)
        return value


def _split_address(address: str) -> tuple[str, str]:
    """Return `aws_sagemaker_pipeline.p#Train` as its two parts; an index may contain a # too."""
    resource, _, step = address.rpartition("#")
    return (resource, step) if resource and "]" not in step else (address, "")


@lru_cache(maxsize=1024)
def _compile_pattern(address: str) -> re.Pattern[str]:
    """Return a pattern in which only `*` is special, because addresses contain brackets and dots."""
    return re.compile(".*".join(map(re.escape, address.split("*"))))


def read_usage(path: Path | str) -> ResourceUsage:
    """Return the content of the usage file at `path`, YAML or JSON.

    Raises UserError that names the location of an invalid entry.
    """
    location = str(path)
    document = read_mapping(Path(path))
    check_keys(document, {"resources", "defaults"}, location)
    resources = check_mapping(document.get("resources") or {}, f"{location}: resources")
    entries = {}
    for address, keys in resources.items():
        where = f"{location}: resources.{address}"
        entries[str(address)] = _parse_entry(keys, where)
        _check_keys_of_type(entries[str(address)], str(address), where)
    return ResourceUsage(entries, _parse_entry(document.get("defaults") or {}, f"{location}: defaults"))


def _check_keys_of_type(keys: Mapping[str, Any], address: str, location: str) -> None:
    """Raise UserError for a key that does not apply to the resource type of the address."""
    names = [part for part in split_address(_split_address(address)[0]) if isinstance(part, str)]
    kind = names[-2] if len(names) > 1 and names[-3:-2] != ["module"] else ""
    if not kind.startswith("aws_") or "*" in kind or kind == CLOUD_CONTROL:  # Cloud Control resources have many types
        return
    known = KEYS_BY_TYPE.get(kind, ())
    for key in keys:
        if key not in known:
            hint = f"use one of {', '.join(known)}" if known else "remove the entry"
            raise UserError(f"{location}.{key}: does not apply to {kind}; {hint}")


def _parse_entry(keys: Any, location: str) -> dict[str, Any]:
    keys = check_mapping(keys, location)
    check_keys(keys, {*KEYS, _STORAGE_KEY}, location)
    entry: dict[str, Any] = {}
    for key, value in keys.items():
        if key == _STORAGE_KEY:
            entry[key] = _parse_storage(value, f"{location}.{key}")
        else:
            greatest, text, unit = KEYS[key]
            entry[key] = _parse_quantity(value, greatest, text, unit, f"{location}.{key}")
    return entry


def _parse_storage(value: Any, location: str) -> dict[str, Quantity]:
    by_class = value if isinstance(value, dict) and not set(value) <= set(_BOUND_NAMES) else {"STANDARD": value}
    check_keys(by_class, {name for name in storage.load_all() if name.isupper()}, location)
    return {
        name: _parse_quantity(
            gb, 1e12, f"GB in {name}", "GB", location if by_class is not value else f"{location}.{name}"
        )
        for name, gb in by_class.items()
    }


def _parse_quantity(value: Any, greatest: float, text: str, unit: str, location: str) -> Quantity:
    if isinstance(value, dict):
        check_keys(value, set(_BOUND_NAMES), location)
        if missing := [end for end in _BOUND_NAMES if end not in value]:
            raise UserError(f"{location}: write low, expected and high; {', '.join(missing)} is missing")
        low, expected, high = (_parse_number(value[end], greatest, f"{location}.{end}") for end in _BOUND_NAMES)
        if not low <= expected <= high:
            raise UserError(
                f"{location}: low, expected and high must be in ascending order, not {low:g}, {expected:g}, {high:g}"
            )
        return Quantity(low, expected, high, "B", f"{text} (usage file)", unit=unit)
    number = _parse_number(value, greatest, location)
    return Quantity(number, number, number, "A", f"{text} (usage file)", unit=unit)


def _parse_number(value: Any, greatest: float, location: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= greatest:
        raise UserError(f"{location}: must be a number from 0 to {greatest:g}, not {value!r}")
    return float(value)
