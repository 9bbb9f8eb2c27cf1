"""Factors of one instance hour (watts, grams, USD) from the footprint model, as tables that the module's HCL reads."""

import csv
import io
from collections.abc import Iterable, Sequence
from functools import cache

from sustainable_mlops.catalogue import instances, prices, regions
from sustainable_mlops.catalogue.instances import InstanceType
from sustainable_mlops.catalogue.month import HOURS_PER_MONTH
from sustainable_mlops.footprint.activities import FleetActivity, ServerlessActivity
from sustainable_mlops.footprint.figures import FootprintEstimate, sum_estimates
from sustainable_mlops.footprint.model import estimate
from sustainable_mlops.footprint.quantities import make_exact

#: Loads of the power columns. The model is linear between them.
LOADS = (0.0, 0.1, 0.5, 1.0)
WATTS = tuple(f"watts_at_{load * 100:g}" for load in LOADS)
#: Row of serverless workers, with values per GB, and their key in the table of prices.
SERVERLESS, _SERVERLESS_PRICES = "serverless", "serverless inference"
#: Region whose PUE is divided out of the power.
_ANYWHERE = "eu-north-1"
_HOUR = make_exact(1.0)
_GB = 1024
_ENDS = ("low", "high")


@cache
def _list_hosted_types() -> tuple[InstanceType, ...]:
    return tuple(one for one in instances.load_all().values() if "hosting" in one.uses)


def _list_reference_types() -> list[InstanceType]:
    """Return one instance type for each silicon; the intervals are the same for the others."""
    instance_by_silicon = {
        (one.platform.name, one.accelerator and one.accelerator.name): one for one in _list_hosted_types()
    }
    return list(instance_by_silicon.values())


def list_table_columns() -> dict[str, Sequence[str]]:
    """Return the column names of each table."""
    return {
        "instance_types": (
            *("type", "family", "busy_by", "vcpus", "gpus"),
            *WATTS,
            *("embodied_g_per_hour", "usd_per_hour"),
        ),
        "prices": ("family", *sorted(regions.load_all())),
        "regions": (
            *("region", "pue", "grid_g_per_kwh"),
            *(f"{quantity}_{end}" for quantity in ("kg", "usd", "serverless_kg", "serverless_usd") for end in _ENDS),
        ),
    }


def render_tables() -> dict[str, str]:
    """Return the CSV text of the tables by file name."""
    rows = {"instance_types": _list_instance_rows(), "prices": _list_price_rows(), "regions": _list_region_rows()}
    return {f"{name}.csv": _render_table([names, *rows[name]]) for name, names in list_table_columns().items()}


def _list_instance_rows() -> Iterable[Sequence[object]]:
    for one in _list_hosted_types():
        estimates = [_estimate_instance(one.name, _ANYWHERE, load) for load in LOADS]
        yield _build_instance_row(one.name, one.family, *_describe_load(one), estimates)
    busy, ready = (_estimate_serverless(_ANYWHERE, hours) for hours in (1.0, 0.0))
    yield _build_instance_row(
        SERVERLESS, _SERVERLESS_PRICES, "requests", 0, 0, [_interpolate(ready, busy, load) for load in LOADS]
    )


def _describe_load(one: InstanceType) -> tuple[str, int, int]:
    """Return the metric of the load, the vCPUs, and the GPUs with a metric."""
    if one.accelerator is None:
        return "cpu", one.vcpu, 0
    return ("gpu", one.vcpu, one.accelerators) if one.publishes_load else ("assumed", one.vcpu, 0)


def _build_instance_row(
    name: str, family: str, busy_by: str, vcpus: int, gpus: int, estimates: Sequence[FootprintEstimate]
) -> Sequence[object]:
    pue = regions.load_all()[_ANYWHERE].pue
    watts = [_get_figure(one, "energy") * 1000 / pue for one in estimates]
    elsewhere = prices.find_regional_price(_ANYWHERE, family).factor[1]
    paid = estimates[-1].get("cost")
    usd = "" if paid is None else _format_figure(paid.central / elsewhere)
    return (
        name,
        family,
        busy_by,
        vcpus,
        gpus,
        *map(_format_figure, watts),
        _format_figure(_get_figure(estimates[-1], "embodied") * 1000),
        usd,
    )


def _list_region_rows() -> Iterable[Sequence[object]]:
    """Yield the rows of Regions. Intervals are the widest of all silicon in the Region."""
    for name, region in sorted(regions.load_all().items()):
        available = [
            one for one in _list_reference_types() if instances.is_offered(one.name, name)
        ] or _list_reference_types()
        fleets = [_estimate_instance(one.name, name, 0.3) for one in available]
        spans = [
            _compute_relative_range(estimates, metric)[place]
            for estimates in (fleets, [_estimate_serverless(name, 1.0)])
            for metric in ("total", "cost")
            for place in (0, 1)
        ]
        yield name, region.pue, region.grid[1], *(f"{span:.2g}" for span in spans)


def _compute_relative_range(estimates: Iterable[FootprintEstimate], metric: str) -> tuple[float, float]:
    """Return the lower and upper bound relative to the central value."""
    figures = [figure for one in estimates if (figure := one.get(metric)) is not None]
    shares = [(figure.low / figure.central, figure.high / figure.central) for figure in figures]
    return min(low for low, _ in shares), max(high for _, high in shares)


def _list_price_rows() -> Iterable[Sequence[object]]:
    families = [*dict.fromkeys(one.family for one in _list_hosted_types()), _SERVERLESS_PRICES]
    names = sorted(regions.load_all())
    for family in sorted(families):
        yield family, *(f"{prices.find_regional_price(name, family).factor[1]:g}" for name in names)


def _estimate_instance(name: str, region: str, load: float) -> FootprintEstimate:
    return estimate(FleetActivity(name, region, hours=_HOUR, duty=make_exact(load)))


def _estimate_serverless(region: str, hours: float) -> FootprintEstimate:
    """Estimate a worker of 1 GB that is busy for `hours`; with 0, one that is provisioned and idle for an hour."""
    if hours:
        return estimate(ServerlessActivity(_GB, region, requests=make_exact(3600 * hours), duration_s=make_exact(1.0)))
    month = ServerlessActivity(_GB, region, make_exact(0.0), make_exact(1.0), provisioned=make_exact(1.0))
    return estimate(month).multiply(1 / HOURS_PER_MONTH)


def _interpolate(ready: FootprintEstimate, busy: FootprintEstimate, load: float) -> FootprintEstimate:
    """Estimate a worker that is busy for a share of an hour and idle for the rest, at the price of a busy one."""
    whole = sum_estimates([ready.multiply(1 - load), busy.multiply(load)])
    return whole._replace(figures={**whole.figures, "cost": busy.figures["cost"]})


def _get_figure(one: FootprintEstimate, metric: str) -> float:
    figure = one.get(metric)
    assert figure is not None, metric
    return figure.central


def _format_figure(value: float) -> str:
    return f"{value:.4g}"


def _render_table(lines: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()
