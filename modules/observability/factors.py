"""What an hour of each kind of machine is worth in watts, grams and dollars: from the footprint model, as tables that
the module's HCL reads."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache

from sustainable_mlops.catalogue import instances, prices, regions
from sustainable_mlops.catalogue.instances import Instance
from sustainable_mlops.footprint.activities import FleetActivity, ServerlessActivity
from sustainable_mlops.footprint.figures import FootprintEstimate, sum_estimates
from sustainable_mlops.footprint.model import estimate
from sustainable_mlops.footprint.quantities import exact_quantity

#: Loads at which the power of a machine is told: between them it is straight, as the model has it.
LOADS = (0.0, 0.1, 0.5, 1.0)
WATTS = tuple(f"watts_at_{load * 100:g}" for load in LOADS)
#: The row of serverless workers, of which everything is by the GB; and of what their prices elsewhere go by.
SERVERLESS, _SERVERLESS_PRICES = "serverless", "serverless inference"
#: A Region whose PUE is known: watts are told before it.
_ANYWHERE = "eu-north-1"
_HOUR = exact_quantity(1.0)
_GB = 1024
_ENDS = ("low", "high")


@cache
def _hosted() -> tuple[Instance, ...]:
    return tuple(one for one in instances.everything().values() if "hosting" in one.uses)


def _silicon() -> list[Instance]:
    """An instance of each: the others of it are as well known."""
    instance_by_silicon = {(one.platform.name, one.accelerator and one.accelerator.name): one for one in _hosted()}
    return list(instance_by_silicon.values())


def table_columns() -> dict[str, Sequence[str]]:
    """What the columns of each table are called."""
    return {
        "machines": (
            *("type", "family", "busy_by", "vcpus", "gpus"),
            *WATTS,
            *("embodied_g_per_hour", "usd_per_hour"),
        ),
        "prices": ("family", *sorted(regions.everything())),
        "regions": (
            *("region", "pue", "grid_g_per_kwh"),
            *(f"{what}_{end}" for what in ("kg", "usd", "serverless_kg", "serverless_usd") for end in _ENDS),
        ),
    }


def render_tables() -> dict[str, str]:
    """The tables, by file name."""
    rows = {"machines": _machines(), "prices": _prices(), "regions": _regions()}
    return {f"{name}.csv": _table([names, *rows[name]]) for name, names in table_columns().items()}


def _machines() -> Iterable[Sequence[object]]:
    for one in _hosted():
        estimates = [_estimate_instance(one.name, _ANYWHERE, load) for load in LOADS]
        yield _machine(one.name, one.family, *_busy_by(one), estimates)
    busy, ready = (_estimate_serverless(_ANYWHERE, hours) for hours in (1.0, 0.0))
    yield _machine(
        SERVERLESS, _SERVERLESS_PRICES, "requests", 0, 0, [_interpolate(ready, busy, load) for load in LOADS]
    )


def _busy_by(one: Instance) -> tuple[str, int, int]:
    """Which metric says how busy it is, nothing of AWS's own chips; its vCPUs, and the GPUs that tell."""
    if one.accelerator is None:
        return "cpu", one.vcpu, 0
    of_gpu = one.family[0] in "gp"
    return ("gpu" if of_gpu else "assumed"), one.vcpu, one.accelerators if of_gpu else 0


def _machine(
    name: str, family: str, busy_by: str, vcpus: int, gpus: int, estimates: Sequence[FootprintEstimate]
) -> Sequence[object]:
    pue = regions.everything()[_ANYWHERE].pue
    watts = [_figure(one, "energy") * 1000 / pue for one in estimates]
    elsewhere = prices.elsewhere(_ANYWHERE, family).factor[1]
    paid = estimates[-1].get("cost")
    usd = "" if paid is None else _format_figure(paid.central / elsewhere)
    return (
        name,
        family,
        busy_by,
        vcpus,
        gpus,
        *map(_format_figure, watts),
        _format_figure(_figure(estimates[-1], "embodied") * 1000),
        usd,
    )


def _regions() -> Iterable[Sequence[object]]:
    """Where the range of a figure is told, it is the widest of all silicon there."""
    for name, region in sorted(regions.everything().items()):
        available = [one for one in _silicon() if instances.offered(one.name, name)] or _silicon()
        fleets = [_estimate_instance(one.name, name, 0.3) for one in available]
        spans = [
            _relative_range(estimates, metric)[place]
            for estimates in (fleets, [_estimate_serverless(name, 1.0)])
            for metric in ("total", "cost")
            for place in (0, 1)
        ]
        yield name, region.pue, region.grid[1], *(f"{span:.2g}" for span in spans)


def _relative_range(estimates: Iterable[FootprintEstimate], metric: str) -> tuple[float, float]:
    """How far down and up a figure may be from its central value, as factors."""
    figures = [figure for one in estimates if (figure := one.get(metric)) is not None]
    shares = [(figure.low / figure.central, figure.high / figure.central) for figure in figures]
    return min(low for low, _ in shares), max(high for _, high in shares)


def _prices() -> Iterable[Sequence[object]]:
    families = [*dict.fromkeys(one.family for one in _hosted()), _SERVERLESS_PRICES]
    names = sorted(regions.everything())
    for family in sorted(families):
        yield family, *(f"{prices.elsewhere(name, family).factor[1]:g}" for name in names)


def _estimate_instance(name: str, region: str, load: float) -> FootprintEstimate:
    return estimate(FleetActivity(name, region, hours=_HOUR, duty=exact_quantity(load)))


def _estimate_serverless(region: str, hours: float) -> FootprintEstimate:
    """A worker of 1 GB that answers for so many hours; where it does not, it is kept ready for one."""
    if hours:
        return estimate(
            ServerlessActivity(_GB, region, requests=exact_quantity(3600 * hours), duration_s=exact_quantity(1.0))
        )
    month = ServerlessActivity(_GB, region, exact_quantity(0.0), exact_quantity(1.0), provisioned=exact_quantity(1.0))
    return estimate(month).multiply(1 / 730)


def _interpolate(ready: FootprintEstimate, busy: FootprintEstimate, load: float) -> FootprintEstimate:
    """A worker that answers for a share of an hour, and is ready for the rest; it is paid as one that answers."""
    whole = sum_estimates([ready.multiply(1 - load), busy.multiply(load)])
    return replace(whole, figures={**whole.figures, "cost": busy.figures["cost"]})


def _figure(one: FootprintEstimate, metric: str) -> float:
    figure = one.get(metric)
    assert figure is not None, metric
    return figure.central


def _format_figure(value: float) -> str:
    return f"{value:.4g}"


def _table(lines: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()
