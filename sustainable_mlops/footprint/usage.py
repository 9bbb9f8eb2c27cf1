"""`usage.yaml`: what a plan cannot say about how its resources are used.

    resources:
      module.serving.aws_sagemaker_endpoint.this:       # an address; * stands for anything
        requests_per_month: 2_000_000                    # a number is taken as known
        duration_seconds: {low: 0.02, expected: 0.05, high: 0.2}
      aws_sagemaker_pipeline.retrain:                    # of all its steps
        runs_per_month: 2
      aws_sagemaker_pipeline.retrain#Train:              # of one step
        hours_per_run: 0.5
      aws_s3_bucket.data:
        storage_gb: {STANDARD: 500, GLACIER_IR: 100}     # or a number: all in STANDARD
    defaults:                                            # instead of catalogue/assumptions.csv
      requests_per_month: 100_000

What is more specific wins: defaults, then the patterns in their order, then the exact address, then the step's.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sustainable_mlops.catalogue import storage
from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint.mapping_file import read_mapping
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.plan.addresses import split_address
from sustainable_mlops.plan.cloudformation import CLOUD_CONTROL

#: Each key: the greatest value, and what it is.
KEYS = {
    "requests_per_month": (1e12, "requests a month"),
    "duration_seconds": (3600.0, "time a request takes"),
    "duty": (1.0, "share of the time busy"),
    "hours_per_month": (744.0, "hours on a month"),
    "instances": (1e5, "instances"),
    "runs_per_month": (1e5, "runs a month"),
    "hours_per_run": (24.0 * 28, "hours a run"),
    "spot_discount": (1.0, "discount of managed spot"),
    "provisioned_concurrency": (1e4, "workers kept ready"),
    "transfer_gb_per_month": (1e12, "GB sent to another Region a month"),
    "online_gb": (1e12, "GB in the online store"),
    "offline_gb": (1e12, "GB in the offline store"),
}
_STORAGE = "storage_gb"
_SERVING = ("requests_per_month", "duration_seconds", "duty", "hours_per_month", "instances", "provisioned_concurrency")
_RUNNING = ("runs_per_month", "hours_per_run", "instances", "duty", "spot_discount")
_MACHINES = ("hours_per_month", "instances", "duty", "spot_discount")
#: The keys that tell something of each type of resource.
OF_TYPE: dict[str, tuple[str, ...]] = {
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
        _MACHINES,
    ),
    **dict.fromkeys(
        ("aws_emr_cluster", "aws_instance", "aws_spot_instance_request"),
        ("hours_per_month", "duty", "spot_discount"),
    ),
    "aws_s3_bucket": (_STORAGE, "transfer_gb_per_month"),
    "aws_s3_bucket_replication_configuration": ("transfer_gb_per_month",),
    "aws_sagemaker_app": ("hours_per_month", "duty"),
    "aws_sagemaker_cluster": ("hours_per_month", "duty"),
    "aws_sagemaker_domain": ("hours_per_month", "instances", "duty"),
    "aws_sagemaker_endpoint": _SERVING,
    "aws_sagemaker_endpoint_configuration": _SERVING,
    "aws_sagemaker_feature_group": ("online_gb", "offline_gb"),
    "aws_sagemaker_hyper_parameter_tuning_job": _RUNNING,
    "aws_sagemaker_monitoring_schedule": _RUNNING[:-1],
    "aws_sagemaker_notebook_instance": ("hours_per_month", "duty"),
    "aws_sagemaker_pipeline": _RUNNING,
    "aws_sagemaker_space": ("hours_per_month", "instances", "duty"),
    "aws_sagemaker_training_job": _RUNNING,
}
_ENDS = ("low", "expected", "high")


class Usage:
    """How resources are used, by address."""

    def __init__(
        self, entries: Mapping[str, dict[str, Any]] | None = None, defaults: dict[str, Any] | None = None
    ) -> None:
        """`entries`: an address or pattern to checked keys; see `read_usage`."""
        self._entries = dict(entries or {})
        self._patterns = {entry: _pattern(entry) for entry in self._entries if "*" in entry}
        self._defaults = dict(defaults or {})
        self._used: set[str] = set()

    def of(self, address: str) -> "Keys":
        """What is known of the use of the resource (or `address#step`)."""
        resource, step = _split(address)
        fitting = self._fitting(resource)
        # What fits the whole pipeline is no word on the step itself.
        own = [entry for entry in self._fitting(address) if entry not in fitting] if step else fitting
        return Keys(self._defaults | self._together([*fitting, *own]), self._together(own))

    def _fitting(self, address: str) -> list[str]:
        found = [entry for entry, pattern in self._patterns.items() if pattern.fullmatch(address)]
        found += [address] if address in self._entries else []
        self._used.update(found)
        return found

    def _together(self, entries: list[str]) -> dict[str, Any]:
        return {key: value for entry in entries for key, value in self._entries[entry].items()}

    @property
    def unused(self) -> list[str]:
        """The entries that `of` was never asked about: they name nothing of the plans that were estimated."""
        return [entry for entry in self._entries if entry not in self._used]


class Keys:
    """What is known of the use of one resource, or step."""

    __slots__ = ("_known", "_own")

    def __init__(self, known: Mapping[str, Any], own: Mapping[str, Any]) -> None:
        """`known`: checked keys; `own`: those given for this very resource or step, and not as a default."""
        self._known = known
        self._own = own

    def get(self, key: str) -> Quantity | None:
        """The quantity given for `key` (see `KEYS`)."""
        value: Quantity | None = self._known.get(key)
        return value

    def own(self, key: str) -> Quantity | None:
        """The same, where it is given for this very resource or step."""
        value: Quantity | None = self._own.get(key)
        return value

    def storage(self) -> dict[str, Quantity] | None:
        """GB by storage class."""
        value: dict[str, Quantity] | None = self._known.get(_STORAGE)
        return value


def _split(address: str) -> tuple[str, str]:
    """`aws_sagemaker_pipeline.p#Train` as its two parts; an index may hold a # too."""
    resource, _, step = address.rpartition("#")
    return (resource, step) if resource and "]" not in step else (address, "")


@lru_cache(maxsize=1024)
def _pattern(address: str) -> re.Pattern[str]:
    """Only `*` is special: addresses hold brackets and dots."""
    return re.compile(".*".join(map(re.escape, address.split("*"))))


def read_usage(path: Path | str) -> Usage:
    """The usage file at `path`, YAML or JSON. Raises UserError naming the place of anything that cannot be used."""
    place = str(path)
    document = read_mapping(Path(path))
    _refuse_others(document, {"resources", "defaults"}, place)
    resources = _object(document.get("resources") or {}, f"{place}: resources")
    entries = {}
    for address, keys in resources.items():
        where = f"{place}: resources.{address}"
        entries[str(address)] = _entry(keys, where)
        _refuse_useless(entries[str(address)], str(address), where)
    return Usage(entries, _entry(document.get("defaults") or {}, f"{place}: defaults"))


def _refuse_useless(keys: Mapping[str, Any], address: str, place: str) -> None:
    """Raises UserError on a key that says nothing of the type of resource that the address names, if it names one."""
    names = [part for part in split_address(_split(address)[0]) if isinstance(part, str)]
    kind = names[-2] if len(names) > 1 and names[-3:-2] != ["module"] else ""
    if not kind.startswith("aws_") or "*" in kind or kind == CLOUD_CONTROL:  # which may be of many types
        return
    known = OF_TYPE.get(kind, ())
    for key in keys:
        if key not in known:
            takes = f"only {', '.join(known)}" if known else "nothing"
            raise UserError(f"{place}.{key}: of {kind}, {takes} is read")


def _entry(keys: Any, place: str) -> dict[str, Any]:
    keys = _object(keys, place)
    _refuse_others(keys, {*KEYS, _STORAGE}, place)
    found: dict[str, Any] = {}
    for key, value in keys.items():
        if key == _STORAGE:
            found[key] = _storage(value, f"{place}.{key}")
        else:
            greatest, text = KEYS[key]
            found[key] = _quantity(value, greatest, text, f"{place}.{key}")
    return found


def _storage(value: Any, place: str) -> dict[str, Quantity]:
    by_class = value if isinstance(value, dict) and not set(value) <= set(_ENDS) else {"STANDARD": value}
    _refuse_others(by_class, {name for name in storage.everything() if name.isupper()}, place)
    return {
        name: _quantity(gb, 1e12, f"GB in {name}", place if by_class is not value else f"{place}.{name}")
        for name, gb in by_class.items()
    }


def _quantity(value: Any, greatest: float, text: str, place: str) -> Quantity:
    if isinstance(value, dict):
        _refuse_others(value, set(_ENDS), place)
        if missing := [end for end in _ENDS if end not in value]:
            raise UserError(f"{place}: give low, expected and high; {', '.join(missing)} is missing")
        low, expected, high = (_number(value[end], greatest, f"{place}.{end}") for end in _ENDS)
        if not low <= expected <= high:
            raise UserError(f"{place}: low, expected and high must rise, not {low:g}, {expected:g}, {high:g}")
        return Quantity(low, expected, high, "B", f"{text} (usage file)")
    number = _number(value, greatest, place)
    return Quantity(number, number, number, "A", f"{text} (usage file)")


def _number(value: Any, greatest: float, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= greatest:
        raise UserError(f"{place}: must be a number from 0 to {greatest:g}, not {value!r}")
    return float(value)


def _object(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UserError(f"{place}: must be a mapping of keys, not {type(value).__name__}")
    return value


def _refuse_others(value: Mapping[Any, Any], known: set[str], place: str) -> None:
    if others := [str(key) for key in value if key not in known]:
        raise UserError(f"{place}: unknown key {others[0]}; known are {', '.join(sorted(known))}")
