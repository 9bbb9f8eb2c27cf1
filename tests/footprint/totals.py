"""Totals of every test plan in a month, with alternatives and advice: a change of data shows in them.

`python -m tests.footprint.totals` rewrites `totals.txt`; its difference shows the values before and after.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from sustainable_mlops.advice import ServingRequirements, make_advice
from sustainable_mlops.footprint import JobActivity, estimate, estimate_plan, find_alternatives
from sustainable_mlops.footprint.figures import FootprintFigure
from sustainable_mlops.footprint.quantities import make_exact
from sustainable_mlops.plan import load

FILE = Path(__file__).with_name("totals.txt")
FIXTURES = Path(__file__).parents[1] / "plan" / "fixtures"
_METRICS = ("energy", "total", "cost")
_REQUIREMENTS = {
    "5,000 requests a day, cold start allowed": ServingRequirements("eu-north-1", 5000, latency="cold_start"),
    "40 requests a second": ServingRequirements("eu-west-1", 40 * 86_400, latency=150.0, duration_s=0.05),
    "300 requests a day on any accelerator, in minutes": ServingRequirements(
        "us-east-1", 300, latency="minutes", accelerator="any"
    ),
    "10 requests a second on any accelerator": ServingRequirements(
        "us-east-1", 864_000, latency=500.0, accelerator="any"
    ),
}
_JOBS = ("ml.m5.xlarge", "ml.g5.xlarge", "ml.g6e.48xlarge", "ml.p4d.24xlarge", "ml.p5.48xlarge", "ml.trn1.32xlarge")


def format_totals() -> Iterator[str]:
    """Yield the lines of the file."""
    for path in sorted(FIXTURES.glob("*.json")):
        if "resource_changes" not in json.loads(path.read_text(encoding="utf-8")):
            continue
        footprint = estimate_plan(load(path))
        yield f"plan {path.stem}"
        for metric in _METRICS:
            after, delta = (_format_figure(side.get(metric)) for side in (footprint.after, footprint.delta))
            yield f"  {metric}: {after}, change {delta}"
        for resource in footprint.resources:
            yield f"  {resource.address}: {_format_figure(resource.after.get('total'))}"
        for one in find_alternatives(footprint):
            yield f"  instead: {one.address} {one.title}: {_format_figure(one.saved_kg)}"
    for text, need in _REQUIREMENTS.items():
        yield f"advice for {text}"
        for rank, option in enumerate(make_advice(need).options[:5], 1):
            yield f"  {rank}. {option.title}: {_format_figure(option.estimate.get('total'))}"
    for name in _JOBS:
        result = estimate(JobActivity(name, "us-east-1", make_exact(1.0)))
        yield f"an hour of a job on {name}"
        yield from (f"  {metric}: {_format_figure(result.get(metric))}" for metric in _METRICS)


def _format_figure(figure: FootprintFigure | None) -> str:
    return "unknown" if figure is None else f"{figure} by {figure.driver or 'nothing'}"


if __name__ == "__main__":
    FILE.write_text("".join(f"{line}\n" for line in format_totals()), encoding="utf-8")
