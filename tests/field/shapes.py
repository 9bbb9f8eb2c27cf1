"""Root modules of the shapes that people review, their plans, and what a review says of each.

A folder here is a shape: `main.tf` (planned by the real provider, without an account), or `plan.json` where no provider
at hand can plan it. `changes/<name>/` is laid over the root after a first apply, on the sandbox or, where `before.json`
is there, as that state says.
"""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import unified_diff
from pathlib import Path
from typing import Any

import yaml

from sustainable_mlops.footprint.figures import Figure
from sustainable_mlops.plan import load
from sustainable_mlops.review import Review, review
from sustainable_mlops.review.formats import FORMATS, render
from sustainable_mlops.terraform import Terraform
from tests.renewal import renew

HERE = Path(__file__).parent
#: The day by which waivers are judged; none of them has one.
TODAY = date(2026, 6, 1)
#: What every secret in these plans ends with.
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
        """Where its files are."""
        return HERE / self.name

    @property
    def expectation(self) -> Path:
        """What the reviews of its plans say, by plan; by hand in its comment, what they should say."""
        return self.folder / "expected.yaml"

    @property
    def written(self) -> bool:
        """Whether its plan is written by hand."""
        return (self.folder / "plan.json").exists()

    @property
    def shares(self) -> bool:
        """Whether one running provider may plan it: its provider is configured once."""
        return not self.written and (self.folder / "main.tf").read_text().count('\nprovider "') == 1

    @property
    def changes(self) -> list[str]:
        """The names of its changes."""
        return sorted(one.name for one in self.folder.glob("changes/*"))

    @property
    def applied(self) -> bool:
        """Whether its changes follow an apply, and not a state that is written by hand."""
        return bool(self.changes) and not (self.folder / "before.json").exists()

    def plans(self, folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
        """The name and Terraform's JSON of each plan, made in `folder`; `environment` leads to a sandbox or a provider.

        What was applied is destroyed again after the last.
        """
        if self.written:
            yield _CREATED, json.loads((self.folder / "plan.json").read_text())
            return
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        terraform = Terraform(folder, environment)
        terraform.init()
        yield _CREATED, terraform.plan(folder / _FILE)
        if self.applied:
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


def shapes() -> list[Shape]:
    """Every shape, by name."""
    roots = [*HERE.glob("*/main.tf"), *HERE.glob("*/plan.json")]
    return [Shape(name) for name in sorted(root.parent.name for root in roots)]


def reviewed(name: str, plan: Mapping[str, Any]) -> Review:
    """The review of a plan called `name`."""
    return review(load(json.dumps(plan).encode(), name), today=TODAY)


def said(found: Review, plan: Mapping[str, Any]) -> dict[str, Any]:
    """What an expectation holds of a review."""
    footprint, whole = found.footprint, load(json.dumps(plan).encode())
    regions = {
        one.address: whole.region(resource) for one in footprint.resources if (resource := whole.resource(one.address))
    }
    return {
        "verdict": str(found.verdict),
        "gates": {gate.name: gate.text for gate in found.gates},
        "comment": _top(render(found, "markdown")),
        "figures": {
            unit: {side: _rounded(getattr(footprint, side).get(metric)) for side in ("before", "after", "delta")}
            for metric, unit in (("total", "kgCO2e"), ("cost", "USD"))
        },
        "unseen": [f"{one.address}: {one.why}" for one in found.unseen],
        "regions": {address: region if isinstance(region, str) else "unknown" for address, region in regions.items()},
    }


def every_format(name: str, plan: Mapping[str, Any]) -> str:
    """All that any format says of a plan."""
    found = reviewed(name, plan)
    return "\n".join(render(found, form) for form in FORMATS)


def differences(shape: Shape, name: str, plan: Mapping[str, Any]) -> str:
    """How the review of the plan called `name` differs from what is expected, and what to run to expect it."""
    expected = yaml.safe_load(shape.expectation.read_text()) if shape.expectation.is_file() else None
    wanted = (expected or {}).get(name, {})
    found = said(reviewed(f"{shape} {name}", plan), plan)
    lines = unified_diff(
        _dumped(wanted).splitlines(), _dumped(found).splitlines(), "expected", "found", lineterm="", n=1
    )
    text = "\n".join(lines)
    return f"{name}:\n{text}\n{renew(f'.venv/bin/python -m tests.field.renew {shape}')}\n" if text else ""


def write(shape: Shape, found: Mapping[str, Any]) -> None:
    """Expect `found` of a shape's plans; the comment at the top stays."""
    shape.expectation.touch()
    comment = _COMMENT.match(shape.expectation.read_text())
    shape.expectation.write_text((comment[0] if comment else "") + _dumped(found))


def _dumped(found: Mapping[str, Any]) -> str:
    return yaml.dump(dict(found), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)


def _top(markdown: str) -> str:
    """A comment from its title to the end of its first table."""
    lines = markdown[markdown.index("## ") :].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    end = next((number for number, line in enumerate(lines) if number > first and not line.startswith("|")), len(lines))
    return "\n".join(lines[:end]) + "\n"


def _rounded(figure: Figure | None) -> float | str:
    return "unknown" if figure is None else round(figure.central, 1)


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
