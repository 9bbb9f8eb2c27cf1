"""Dashboard: health, utilization, carbon and cost, computed by metric math over SageMaker's metrics."""

from itertools import pairwise
from typing import Any

from cdktn_provider_aws.cloudwatch_dashboard import CloudwatchDashboard

from modules.observability import alarm_catalogue
from modules.observability.factors import LOADS, WATTS
from modules.observability.inputs import Inputs
from sustainable_mlops.authoring.expressions import (
    coalesce,
    contains,
    distinct,
    each_of,
    get,
    highest,
    is_null,
    length,
    list_of,
    lowest,
    map_of,
    path,
    replace,
    set_of,
    templatefile,
    try_,
    when,
)
from sustainable_mlops.authoring.resources import Module


def add(module: Module[Inputs]) -> Any:
    """Add the dashboard if there are endpoints. Returns a map with at most one dashboard."""
    var, nothing = module.var, set[str]()
    dashboard_lines = module.local(
        "dashboard_lines",
        alarm_catalogue.list_dashboard_lines(),
        why="Content of the dashboard by kind of endpoint: lines, unit of times, and the SLO.",
    )
    factors = _add_factors(module)
    variant_alarms = module.locals.variant_alarms
    # ARNs are composed from names, so that a plan shows the endpoints on the dashboard.
    alarms = f"arn:{var.partition}:cloudwatch:{var.region}:{var.account_id}:alarm:"
    ranges, math = _add_ranges(module, factors), _add_math(module, factors)
    return module.add(
        CloudwatchDashboard,
        "this",
        for_each=each_of(when(length(var.endpoints) > 0, set_of(["this"]), set_of(nothing))),
        dashboard_name=var.name_prefix,
        dashboard_body=templatefile(
            f"{path.module}/dashboard.json.tftpl",
            {
                "alarms": {
                    "Health": list_of(var.endpoints, lambda endpoint: f"{alarms}{endpoint.name}/health"),
                    "Waste": list_of(
                        variant_alarms, lambda alarm: f"{alarms}{alarm.name}", where=lambda alarm: alarm.waste
                    ),
                },
                "efficiency": get(var.thresholds, "efficiency", alarm_catalogue.ALARMS["efficiency"].threshold),
                "factors": module.locals.threshold_factors,
                "math": math,
                "prefix": var.name_prefix,
                "ranges": ranges,
                "region": var.region,
                "lines": dashboard_lines,
                "variants": module.locals.variants,
            },
        ),
    )


def _add_factors(module: Module[Inputs]) -> Any:
    threshold_factors, variants = module.locals.threshold_factors, module.locals.variants
    prices, region_factors, unknown = module.locals.prices, module.locals.region_factors, module.locals.unknown

    def build_hour(key: str, row: Any) -> dict[str, Any]:
        ready = threshold_factors[key].provisioned_concurrency
        return {
            "size": coalesce(variants[key].memory_mb, 1024) / 1024,
            "grams": list_of(
                [row[column] for column in WATTS],
                lambda watts: (
                    watts * region_factors.pue * region_factors.grid_g_per_kwh / 1000 + row.embodied_g_per_hour
                ),
            ),
            "usd": try_(row.usd_per_hour * prices[row.family], None),
            "by": when(is_null(ready), row.busy_by, "ready"),
            "number": coalesce(ready, threshold_factors[key].gpus, row.vcpus),
        }

    return module.local(
        "hour_factors",
        map_of(module.locals.variant_factors, build_hour, where=lambda key, _: ~contains(unknown, key)),
        why="Grams of CO2e of one instance hour at 0, 10, 50 and 100 % load, and USD. For a serverless worker, per GB.",
    )


def _add_ranges(module: Module[Inputs], factors: Any) -> Any:
    region_factors, variants = module.locals.region_factors, module.locals.variants
    kinds = module.local(
        "metric_prefixes",
        distinct(
            list_of(
                factors, lambda key, _factor: when(variants[key].kind == alarm_catalogue.SERVERLESS, "serverless_", "")
            )
        ),
    )

    def find_widest(metric: str) -> dict[str, Any]:
        return {
            "low": lowest(list_of(kinds, lambda kind: region_factors[f"{kind}{metric}_low"])),
            "high": highest(list_of(kinds, lambda kind: region_factors[f"{kind}{metric}_high"])),
        }

    return module.local(
        "ranges",
        map_of(["kg", "usd"], find_widest, where=lambda _metric: length(kinds) > 0, key=lambda metric: metric),
        why="Widest intervals of the footprint model for these instances in this Region.",
    )


def _add_math(module: Module[Inputs], factors: Any) -> Any:
    load_metrics = module.local(
        "load_metrics", alarm_catalogue.LOAD_METRICS, why="Hours and load from metrics, by the metric of the load."
    )
    lines = module.local(
        "lines", map_of(factors, _build_lines), why="Grams of one hour by load, linear between two loads."
    )

    def build_math(key: str, factor: Any) -> dict[str, Any]:
        def fill(metric: str) -> str:
            return replace(replace(load_metrics[factor.by][metric], "{key}", key), "{number}", factor.number)

        return {
            **{metric: fill(metric) for metric in ("hours", "load", "paid")},
            "metrics": load_metrics[factor.by].metrics,
            "kg": f"hours_{key} * {factor.size} / 1000 * {_select_by_load(key, lines[key])}",
            "usd": when(is_null(factor.usd), None, f"paid_{key} * {factor.size} * {factor.usd:.6f}"),
        }

    return module.local("math", map_of(factors, build_math), why="CloudWatch's metric math.")


def _build_lines(key: str, factor: Any) -> list[str]:
    def build_line(index: int, start: float, end: float) -> str:
        grams, beyond = factor.grams[index], f"(load_{key} - {start:g})" if start else f"load_{key}"
        return f"{grams:.5f} + {1 / (end - start) * (factor.grams[index + 1] - grams):.5f} * {beyond}"

    return [build_line(index, *ends) for index, ends in enumerate(pairwise(LOADS))]


def _select_by_load(key: str, lines: Any) -> str:
    """Return the metric math that selects the line by load."""
    *ends, last = enumerate(LOADS[1:])
    text = f"{lines[last[0]]}"
    for index, end in reversed(ends):
        text = f"IF(load_{key} < {end:g}, {lines[index]}, {text})"
    return text
