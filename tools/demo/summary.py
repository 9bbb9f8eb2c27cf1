"""Summary of the footprint of the jobs and endpoints on SageMaker, and of the processor time of this computer."""

import json
import resource
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import Terraform
from sustainable_mlops.footprint import UNITS, format_figure
from sustainable_mlops.review import checkov
from tools.demo.demo_run import OUT, DemoRun
from tools.demo.endpoints import EndpointUsage

#: Figures of a record and metrics of an estimate, with their names in the summary.
NAMES = {"energy": "energy", "co2e": "CO2e, operational and embodied", "cost": "cost"}
METRICS = {"energy": "energy", "total": NAMES["co2e"], "cost": "cost"}


def check_plan(demo_run: DemoRun, terraform: Terraform, checks: checkov.Checkov, name: str) -> str:
    """Run checkov on the plan of a whole environment and return a summary. Raises UserError if a check failed."""
    plan = terraform.show(OUT / f"{name}.tfplan")
    text = json.dumps(plan)
    (OUT / f"{name}.plan.json").write_text(text)
    demo_run.figures[f"Resources of {name}"] = str(_count_resources(plan))
    result = checks.check(text.encode())
    report = {"passed": result.passed, "explained": result.explained, "failed": result.failed}
    (OUT / f"{name}.checkov.json").write_text(json.dumps(report, default=vars, indent=2) + "\n")
    if result.failed:
        failed = ", ".join(f"{finding.check} on {finding.address}" for finding in result.failed)
        raise UserError(f"checkov: {name}: {failed}")
    return f"{name}: {result.passed} passed, 0 failed, {len(result.explained)} skipped with a reason"


def print_summary(demo_run: DemoRun, endpoint_usage: EndpointUsage) -> None:
    """Print the figures, the seconds of each step and the footprint, and write them as JSON."""
    footprint = (
        _sum_figures(demo_run)
        | _format_usage(endpoint_usage)
        | {"Processor time on this computer (s)": _measure_processor_time()}
    )
    seconds = {f"{step.title} (s)": f"{step.seconds:.1f}" for step in demo_run.steps.finished}
    total = f"{sum(step.seconds for step in demo_run.steps.finished):.1f}"
    rows = {**demo_run.figures, **seconds, "Total (s)": total, **footprint}
    cli.console.print(_make_table("Demo", {**demo_run.figures, **seconds, "Total (s)": total}))
    jobs = sum(step.ran_job for record in demo_run.records for step in record.steps)
    cli.console.print(
        _make_table(
            f"Footprint of the {jobs} jobs and 2 endpoints on SageMaker, and processor time of this computer", footprint
        )
    )
    (OUT / "demo.json").write_text(json.dumps(rows, indent=2) + "\n")


def _sum_figures(demo_run: DemoRun) -> dict[str, str]:
    """Return the sums of all executions with their intervals."""
    rows = {}
    for name, title in NAMES.items():
        figures = [record.figures[name] for record in demo_run.records if name in record.figures]
        rows[f"Jobs on SageMaker: {title}"] = _format_sum(figures, "value", figures[0].unit)
    saved = [record.saved["co2e"] for record in demo_run.records if "co2e" in record.saved]
    value = sum(one.value for one in saved)
    rows["Jobs that the cache avoided: CO2e"] = str(format_figure(value, value, value, saved[0].unit))
    return rows


def _format_usage(usage: EndpointUsage) -> dict[str, str]:
    """Return the usage of the endpoints, and the sums of their estimates with the intervals."""
    rows = {
        "Endpoints: requests": ", ".join(f"{count} {kind}" for kind, count in usage.requests.items()),
        "Endpoints: instance time": ", ".join(
            f"{60 * one:.0f} min of {name}" for name, one in usage.instance_hours.items()
        ),
    }
    for metric, title in METRICS.items():
        figures = [figures[metric] for figures in usage.estimates]
        rows[f"Endpoints: {title}"] = _format_sum(figures, "central", UNITS[metric])
    return rows


def _format_sum(figures: Sequence[Any], attribute: str, unit: str) -> str:
    """Return the sum of an attribute of the figures, with the sums of their bounds."""
    low, value, high = (sum(getattr(one, end) for one in figures) for end in ("low", attribute, "high"))
    shown = format_figure(value, low, high, unit)
    return f"{shown} ({shown.interval}, estimated)"


def _measure_processor_time() -> str:
    """Return the processor seconds of this process and its children."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return f"{own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime:.0f}"


def _make_table(title: str, rows: dict[str, str]) -> Table:
    table = Table(title=title, show_header=False, title_justify="left")
    for name in ("figure", "value"):
        table.add_column(name, overflow="fold")
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _count_resources(plan: dict[str, Any]) -> int:
    """Return the number of managed resources in a plan."""

    def count(module: dict[str, Any]) -> int:
        own: int = sum(resource["mode"] == "managed" for resource in module.get("resources", []))
        return own + sum(count(child) for child in module.get("child_modules", []))

    return count(plan["planned_values"].get("root_module", {}))
