"""Tables of cost and carbon on the modules' pages, estimated from the plans of the minimal examples."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.footprint import PlanFootprint, estimate_plan, format_number, read_usage
from sustainable_mlops.footprint.figures import UnknownItem, UnknownKind
from sustainable_mlops.plan import load
from tests.modules.examples import Example
from tests.stale_files import suggest_update

CASE = "minimal"
_IDLE = ROOT / "tests" / "modules" / "idle.yaml"
_PART = re.compile(r"(?<=<!-- footprint -->\n).*?(?=<!-- /footprint -->)", re.S)


def check_footprint(example: Example, plan: dict[str, Any]) -> None:
    """Compare the table on the module's page with the estimate of this plan."""
    check_table(_find_page(example).read_text(), example, plan)


def check_table(page: str, example: Example, plan: dict[str, Any]) -> None:
    """Compare the table in the text of a page with the estimate of this plan."""
    (table,) = _PART.findall(page)
    assert table == render_footprint(example, plan), suggest_update(
        f".venv/bin/python -m tests.modules.update_inventories {example}"
    )


def write_footprint(example: Example, plan: dict[str, Any]) -> None:
    """Write the table on the module's page."""
    page = _find_page(example)
    page.write_text(_PART.sub(lambda _: render_footprint(example, plan), page.read_text()))


def _find_page(example: Example) -> Path:
    return ROOT / "modules" / example.module / "README.md"


def render_footprint(example: Example, plan: dict[str, Any]) -> str:
    """Return the table of a month, idle and at the load of the example's `usage.yaml`, and its assumptions."""
    usage = example.folder / "usage.yaml"
    idle = _estimate(plan, _IDLE)
    rows = [("idle", idle)]
    if usage.is_file():
        load = usage.read_text().partition("\n")[0].removeprefix("# ")
        rows.append((f"[{load}](examples/{CASE}/usage.yaml)", _estimate(plan, usage)))
    lines = ["| a month | USD | kgCO2e |", "|---|---|---|"]
    for label, footprint in rows:
        cost, carbon = (_render(footprint, metric, is_idle=footprint is idle) for metric in ("cost", "total"))
        lines.append(f"| {label} | {cost} | {carbon} |")
    types = {*idle.billed_by_usage, *(one.type for one in idle.resources if _has_unknown_usage(one.unknowns))}
    kinds = ", ".join(f"`{kind}`" for kind in sorted(types))
    lines += [
        "",
        f"The whole [minimal example](examples/{CASE}/main.tf) in eu-north-1, as `smlops review` estimates its plan: "
        "list prices, with the interval in brackets. Idle means without requests, runs or objects. "
        + (f"Billed by usage, and not counted: {kinds}. " if kinds else "")
        + "[Footprint: method and accuracy](../../docs/footprint.md).",
    ]
    return "\n".join(lines) + "\n"


def _estimate(plan: dict[str, Any], usage: Path) -> PlanFootprint:
    return estimate_plan(load(json.dumps(plan).encode()), read_usage(usage))


def _render(footprint: PlanFootprint, metric: str, *, is_idle: bool) -> str:
    estimate = footprint.total_after
    if (figure := estimate.get(metric)) is None:
        unknowns = [unknown for _, unknown in footprint.unknowns]
        # A resource without use is idle: an empty repository, a domain without apps.
        return "0" if not footprint.resources or (is_idle and _has_unknown_usage(unknowns)) else "not known"
    low, central, high = map(format_number, (figure.low, figure.central, figure.high))
    text = central if low == high else f"{central} ({low} to {high})"
    return f"at least {text}" if metric in estimate.partial else text


def _has_unknown_usage(unknowns: Iterable[UnknownItem]) -> bool:
    """Return whether something is unknown, and usage is the only cause."""
    return {unknown.kind for unknown in unknowns} == {UnknownKind.USAGE}
