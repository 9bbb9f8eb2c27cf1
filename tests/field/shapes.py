"""Root modules in the form that people submit for review, their plans and their expected reviews.

Each folder is a shape: `main.tf` (planned by the real provider, without an account), or `plan.json` if no provider
here can plan it. `changes/<name>/` is copied over the root module after a first apply in the sandbox, or after the
state in `before.json`.
"""

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import unified_diff
from pathlib import Path
from typing import Any

import yaml

from sustainable_mlops.base.terraform import Terraform
from sustainable_mlops.footprint.figures import FootprintFigure
from sustainable_mlops.plan import load
from sustainable_mlops.review import Review, review
from sustainable_mlops.review.formats import FORMATS, render
from tests.sandbox.support import push_images
from tests.stale_files import suggest_update

HERE = Path(__file__).parent
#: The date for waivers; no shape has one.
TODAY = date(2026, 6, 1)
#: The end of every secret in these plans.
HIDDEN = "made-up"
_CREATED = "created"
_FILE = "field.tfplan"
_COMMENT = re.compile(r"(?:#.*\n|\n)*")


@dataclass(frozen=True)
class Shape:
    """One folder."""

    name: str

    def __str__(self) -> str:
        return self.name

    @property
    def folder(self) -> Path:
        """Folder with its files."""
        return HERE / self.name

    @property
    def expectation(self) -> Path:
        """File with the expected review of each plan; its comment, by hand, tells the right result."""
        return self.folder / "expected.yaml"

    @property
    def is_manually_written(self) -> bool:
        """True if its plan is manually written."""
        return (self.folder / "plan.json").exists()

    @property
    def is_shareable(self) -> bool:
        """True if a shared provider process can plan it, because it configures one provider."""
        return not self.is_manually_written and (self.folder / "main.tf").read_text().count('\nprovider "') == 1

    @property
    def changes(self) -> list[str]:
        """Names of its changes."""
        return sorted(path.name for path in self.folder.glob("changes/*"))

    @property
    def is_applied(self) -> bool:
        """True if its changes follow an apply, not a manually written state."""
        return bool(self.changes) and not (self.folder / "before.json").exists()

    def plans(self, folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the name and the JSON of each plan, made in `folder`.

        `environment` points to a sandbox or a provider process. The applied resources are destroyed after the last
        plan.
        """
        if self.is_manually_written:
            yield _CREATED, json.loads((self.folder / "plan.json").read_text())
            return
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        terraform = Terraform(folder, environment)
        terraform.init()
        yield _CREATED, terraform.plan(folder / _FILE)
        if self.is_applied:
            terraform.run("apply", "-no-color", _FILE)
            try:
                yield from self._changed(terraform)
            finally:
                terraform.apply("-destroy", "-refresh=false")
        elif self.changes:
            shutil.copy(self.folder / "before.json", folder / "terraform.tfstate")
            yield from self._changed(terraform, "-refresh=false")

    def _changed(self, terraform: Terraform, *options: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for name in self.changes:
            shutil.copytree(self.folder / "changes" / name, terraform.folder, dirs_exist_ok=True)
            yield name, terraform.plan(terraform.folder / _FILE, *options)


def list_shapes() -> list[Shape]:
    """Return every shape, by name."""
    roots = [*HERE.glob("*/main.tf"), *HERE.glob("*/plan.json")]
    return [Shape(name) for name in sorted(root.parent.name for root in roots)]


def push_images_before(
    sandbox: Any, plans: Iterable[tuple[str, dict[str, Any]]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the plans after pushing their images, so that each can be applied."""
    for name, plan in plans:
        push_images(sandbox, json.dumps(plan))
        yield name, plan


def review_plan(name: str, plan: Mapping[str, Any]) -> Review:
    """Return the review of a plan with this name."""
    return review(load(json.dumps(plan).encode(), name), today=TODAY)


def summarize_review(result: Review, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a review that an expectation contains."""
    footprint, loaded_plan = result.footprint, load(json.dumps(plan).encode())
    regions = {
        estimate.address: loaded_plan.find_region(resource)
        for estimate in footprint.resources
        if (resource := loaded_plan.find_resource(estimate.address))
    }
    return {
        "verdict": str(result.verdict),
        "gates": {gate.name: gate.text for gate in result.gates},
        "comment": _cut_top(render(result, "markdown")),
        "figures": {
            unit: {side: _round_figure(getattr(footprint, side).get(metric)) for side in ("before", "after", "delta")}
            for metric, unit in (("total", "kgCO2e"), ("cost", "USD"))
        },
        "coverage_gaps": [f"{gap.address}: {gap.kind}" for gap in result.coverage_gaps],
        "regions": {address: region if isinstance(region, str) else "unknown" for address, region in regions.items()},
    }


def render_formats(name: str, plan: Mapping[str, Any]) -> str:
    """Return the review of a plan in every format."""
    result = review_plan(name, plan)
    return "\n".join(render(result, form) for form in FORMATS)


def list_differences(shape: Shape, name: str, plan: Mapping[str, Any]) -> str:
    """Return the differences from the expected review, and the command that accepts them."""
    expected = yaml.safe_load(shape.expectation.read_text()) if shape.expectation.is_file() else None
    expectation = (expected or {}).get(name, {})
    summary = summarize_review(review_plan(f"{shape} {name}", plan), plan)
    lines = unified_diff(
        _dump(expectation).splitlines(), _dump(summary).splitlines(), "expected", "found", lineterm="", n=1
    )
    text = "\n".join(lines)
    return (
        f"{name}:\n{text}\n{suggest_update(f'.venv/bin/python -m tests.field.update_expected {shape}')}\n"
        if text
        else ""
    )


def write_expectation(shape: Shape, summaries: Mapping[str, Any]) -> None:
    """Write the expected reviews of a shape; the comment at the top stays."""
    shape.expectation.touch()
    comment = _COMMENT.match(shape.expectation.read_text())
    shape.expectation.write_text((comment[0] if comment else "") + _dump(summaries))


def _dump(value: Mapping[str, Any]) -> str:
    return yaml.dump(dict(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)


def _cut_top(markdown: str) -> str:
    """Return a comment from its title to the end of its first table."""
    lines = markdown[markdown.index("## ") :].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    end = next((number for number, line in enumerate(lines) if number > first and not line.startswith("|")), len(lines))
    return "\n".join(lines[:end]) + "\n"


def _round_figure(figure: FootprintFigure | None) -> float | str:
    return "unknown" if figure is None else round(figure.central, 1)


class _Dumper(yaml.SafeDumper):
    """Dumper that writes texts of several lines as blocks."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)
