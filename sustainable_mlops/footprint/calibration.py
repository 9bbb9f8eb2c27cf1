"""Calibration: the ratio of the emissions that AWS reports to those that the model estimates.

A calibration file, which `smlops reconcile --write-calibration` writes:

    method: TOTAL_LBM_CARBON_EMISSIONS     # location-based, as the estimate
    ratios:
      - service: AmazonSageMaker
        region: eu-north-1
        months: [2026-08, 2026-09]
        low: 1.21                          # of single months
        ratio: 1.3
        high: 1.36

The ratio multiplies operational and embodied carbon, and so their total. It does not change energy, market-based
carbon, water and cost.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sustainable_mlops.base.documents import check_keys, check_mapping, read_mapping
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue import storage
from sustainable_mlops.footprint import coefficients
from sustainable_mlops.footprint.activities import (
    Activity,
    FleetActivity,
    JobActivity,
    ServerlessActivity,
    StorageActivity,
)
from sustainable_mlops.footprint.quantities import Quantity

#: Type of emissions that a ratio compares. Source: EmissionsType of AWS's service Sustainability.
LOCATION_BASED = "TOTAL_LBM_CARBON_EMISSIONS"
SAGEMAKER, EC2, S3 = "AmazonSageMaker", "AmazonEC2", "AmazonS3"
_KEYS = ("method", "ratios")
_RATIO_KEYS = ("service", "region", "months", "low", "ratio", "high")
#: Largest plausible ratio. With a larger one, the totals contain other resources.
_MAX_RATIO = 1000.0


class CarbonRatio(NamedTuple):
    """Ratio of reported to estimated carbon of a service in a Region, over `months`."""

    service: str
    region: str
    months: tuple[str, ...]
    low: float
    ratio: float
    high: float

    @property
    def quantity(self) -> Quantity:
        """The ratio as an input of the model."""
        months = self.months[0] if len(self.months) == 1 else f"{self.months[0]} to {self.months[-1]}"
        text = f"calibration with AWS's totals of {self.service} in {self.region}, {months}"
        return Quantity(self.low, self.ratio, self.high, "B", text, unit="x")

    def describe(self) -> str:
        """Return the ratio in one line."""
        return (
            f"carbon of {self.service} in {self.region} is calibrated: {self.ratio:.3g} ({self.low:.3g} to "
            f"{self.high:.3g}) times the model"
        )


def find_service(activity: Activity) -> str | None:
    """Return AWS's code of the service that reports the emissions of an activity, or None if it is unknown."""
    if isinstance(activity, FleetActivity | JobActivity):
        return find_instance_service(activity.instance_type)
    if isinstance(activity, ServerlessActivity):
        return SAGEMAKER
    if isinstance(activity, StorageActivity):
        return _find_storage_service(activity.storage_class)
    return None


def find_instance_service(instance_type: str) -> str:
    """Return AWS's code of the service that reports the emissions of an instance type."""
    return SAGEMAKER if instance_type.startswith("ml.") else EC2


def _find_storage_service(storage_class: str) -> str | None:
    if storage_class.startswith("feature_store") or storage_class == "volume":
        return SAGEMAKER
    if storage_class.startswith("ebs_"):
        return EC2
    return S3 if storage_class in storage.load_all() else None


def read_calibration(path: Path | str) -> tuple[CarbonRatio, ...]:
    """Return the ratios of a calibration file. Raises UserError that names the location of an invalid entry."""
    location, document = str(path), read_mapping(Path(path))
    check_keys(document, _KEYS, location)
    if document.get("method") != LOCATION_BASED:
        raise UserError(f"{location}: method: must be {LOCATION_BASED}, not {document.get('method')!r}")
    entries = document.get("ratios")
    if not isinstance(entries, list) or not entries:
        raise UserError(f"{location}: ratios: must be a list with at least one ratio; smlops reconcile writes it")
    ratios = tuple(_parse_ratio(entry, f"{location}: ratios.{number}") for number, entry in enumerate(entries))
    for number, one in enumerate(ratios):
        if (one.service, one.region) in {(other.service, other.region) for other in ratios[:number]}:
            raise UserError(
                f"{location}: ratios.{number}: {one.service} in {one.region} has a ratio already; omit one of them"
            )
    return ratios


def _parse_ratio(entry: Any, location: str) -> CarbonRatio:
    entry = check_mapping(entry, location)
    check_keys(entry, _RATIO_KEYS, location)
    if missing := [key for key in _RATIO_KEYS if key not in entry]:
        raise UserError(f"{location}: {missing[0]} is missing; smlops reconcile writes all of {', '.join(_RATIO_KEYS)}")
    months = entry["months"]
    if not isinstance(months, list) or not months:
        raise UserError(f"{location}.months: must be a list of months such as 2026-08")
    numbers = [_parse_number(entry[key], f"{location}.{key}") for key in ("low", "ratio", "high")]
    if sorted(numbers) != numbers:
        raise UserError(f"{location}: low, ratio and high must be in ascending order")
    return CarbonRatio(str(entry["service"]), str(entry["region"]), tuple(map(str, months)), *numbers)


def _parse_number(value: Any, location: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _MAX_RATIO:
        raise UserError(f"{location}: must be a number above 0 and at most {_MAX_RATIO:g}, not {value!r}")
    return float(value)


def render_calibration(ratios: tuple[CarbonRatio, ...], comment: str) -> str:
    """Return the text of a calibration file. Raises UserError for a ratio that `read_calibration` would refuse."""
    lines = [f"# {comment}", f"method: {LOCATION_BASED}", "ratios:"]
    for one in ratios:
        months = ", ".join(f'"{month}"' for month in one.months)
        lines += [f"  - service: {one.service}", f"    region: {one.region}", f"    months: [{months}]"]
        location = f"calibration of {one.service} in {one.region}"
        for key in ("low", "ratio", "high"):
            try:
                lines.append(f"    {key}: {_parse_number(getattr(one, key), f'{location}: {key}'):.6g}")
            except UserError as error:
                raise UserError(
                    f"{error}; pass the plans and records of the whole account, or choose other months with --from "
                    "and --to"
                ) from None
    return "\n".join(lines) + "\n"


@contextmanager
def apply_calibration(ratios: tuple[CarbonRatio, ...]) -> Iterator[None]:
    """Multiply the carbon of all estimates inside the `with` block by the ratio of their service and Region."""
    by_location = tuple(((one.service, one.region), one.quantity) for one in ratios)
    with coefficients.use(coefficients.Coefficients.get_current()._replace(carbon_ratios=by_location)):
        yield
