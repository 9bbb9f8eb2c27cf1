"""`usage.yaml`: what a plan cannot say about how its resources are used.

    resources:
      module.serving.aws_sagemaker_endpoint.this:       # an address; * stands for anything
        requests_per_month: 2_000_000                    # a number is taken as known
        duration_seconds: {low: 0.02, expected: 0.05, high: 0.2}
      aws_sagemaker_pipeline.retrain:
        runs_per_month: 2
      aws_sagemaker_pipeline.retrain#Train:              # one step of it
        hours_per_run: 0.5
      aws_s3_bucket.data:
        storage_gb: {STANDARD: 500, GLACIER_IR: 100}     # or a number: all in STANDARD
    defaults:                                            # instead of catalogue/assumptions.csv
      requests_per_month: 100_000

What is more specific wins: defaults, then the patterns in their order, then the exact address.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sustainable_mlops.catalogue import storage
from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint.quantities import Quantity

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
_ENDS = ("low", "expected", "high")


class Usage:
    """How resources are used, by address."""

    def __init__(
        self, entries: Mapping[str, dict[str, Any]] | None = None, defaults: dict[str, Any] | None = None
    ) -> None:
        """`entries`: an address or pattern to checked keys; see `read_usage`."""
        self._exact = {address: keys for address, keys in (entries or {}).items() if "*" not in address}
        self._patterns = [(_pattern(address), keys) for address, keys in (entries or {}).items() if "*" in address]
        self._defaults = dict(defaults or {})

    def of(self, address: str) -> "Keys":
        """What is known of the use of the resource (or `address#step`)."""
        found = dict(self._defaults)
        for pattern, keys in self._patterns:
            if pattern.fullmatch(address):
                found |= keys
        return Keys(found | self._exact.get(address, {}))

    @property
    def addresses(self) -> list[str]:
        """The exact addresses in the file, to tell of those that no resource has."""
        return list(self._exact)


class Keys:
    """What is known of the use of one resource."""

    __slots__ = ("_known",)

    def __init__(self, known: Mapping[str, Any]) -> None:
        """`known`: checked keys."""
        self._known = known

    def get(self, key: str) -> Quantity | None:
        """The quantity given for `key` (see `KEYS`)."""
        value: Quantity | None = self._known.get(key)
        return value

    def storage(self) -> dict[str, Quantity] | None:
        """GB by storage class."""
        value: dict[str, Quantity] | None = self._known.get(_STORAGE)
        return value


@lru_cache(maxsize=1024)
def _pattern(address: str) -> re.Pattern[str]:
    """Only `*` is special: addresses hold brackets and dots."""
    return re.compile(".*".join(map(re.escape, address.split("*"))))


def read_usage(path: Path | str) -> Usage:
    """The usage file at `path`, YAML or JSON. Raises UserError naming the place of anything that cannot be used."""
    path = Path(path)
    document = _document(path)
    place = str(path)
    _refuse_others(document, {"resources", "defaults"}, place)
    resources = _object(document.get("resources") or {}, f"{place}: resources")
    entries = {str(address): _entry(keys, f"{place}: resources.{address}") for address, keys in resources.items()}
    return Usage(entries, _entry(document.get("defaults") or {}, f"{place}: defaults"))


def _document(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not UTF-8 text") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    return _object(_parsed(text, path) or {}, str(path))


def _parsed(text: str, path: Path) -> Any:
    if path.suffix == ".json":
        import json

        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}: is not JSON: {error}") from None
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UserError(f"{path}: is not YAML: {' '.join(str(error).split())}") from None


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
