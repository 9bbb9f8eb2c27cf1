"""Writer of docs/practices.md: every practice, the part of the project that implements it, and the rules that check it.

- `python -m tools.practices`: write the page
- `python -m tools.practices --check`: exit with 1 if it is stale

It joins `catalogue/practices.yaml` with the rules. A rule names its practices, so this relation cannot go stale.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

import typer

from sustainable_mlops import cli, program, rules
from sustainable_mlops.catalogue.tables import CATALOGUE_DIRECTORY
from sustainable_mlops.errors import UserError
from sustainable_mlops.rules.fix_code import find_file
from sustainable_mlops.terraform import ROOT

#: The sections of the list, by the row they begin with.
SECTIONS = {
    1: "Business goal and problem framing",
    7: "Data preparation",
    25: "Model development, training and tuning",
    48: "Deployment",
    69: "Monitoring and management",
}
_FIELDS = {"row", "title", "lens", "guidance", "implemented_by", "not_yet", "cannot"}
_FILE = CATALOGUE_DIRECTORY / "practices.yaml"


app = cli.app()


@dataclass(frozen=True, slots=True)
class Practice:
    """One practice, with the fields that `practices.yaml` describes."""

    row: int
    title: str
    lens: tuple[str, ...] = ()
    guidance: tuple[int, ...] = ()
    implemented_by: tuple[str, ...] = ()
    not_yet: str = ""
    cannot: str = ""

    @property
    def checked_by(self) -> tuple[str, ...]:
        """IDs of the rules that check the practice."""
        return _group_rules().get(str(self.row), ())

    @property
    def state(self) -> str:
        """State: `implemented`, `partly`, `checked` (by rules only), `not yet` or `not possible`."""
        if self.implemented_by:
            return "partly" if self.not_yet else "implemented"
        if self.cannot:
            return "not possible"
        return "checked" if self.checked_by else "not yet"


@cache
def load_practices() -> dict[str, Practice]:
    """Return every practice by its row, as rules name it (`"33"`). Raises UserError if the file is not valid."""
    import yaml

    try:
        entries = yaml.load(_FILE.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  (both safe)
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"{_FILE}: {error}; install the package again") from None
    practices = [_parse_practice(entry) for entry in entries]
    return {str(practice.row): practice for practice in practices}


def _parse_practice(entry: Mapping[str, Any]) -> Practice:
    if unknown := entry.keys() - _FIELDS:
        raise UserError(f"{_FILE}: row {entry.get('row')}: {', '.join(sorted(unknown))} is no field of a practice")
    return Practice(
        row=int(entry["row"]),
        title=str(entry["title"]),
        lens=tuple(entry.get("lens", ())),
        guidance=tuple(entry.get("guidance", ())),
        implemented_by=tuple(entry.get("implemented_by", ())),
        not_yet=entry.get("not_yet", ""),
        cannot=entry.get("cannot", ""),
    )


@cache
def _group_rules() -> dict[str, tuple[str, ...]]:
    ids: dict[str, tuple[str, ...]] = {}
    for rule in rules.ALL:
        for row in rule.practices:
            ids[row] = (*ids.get(row, ()), rule.id)
    return ids


def render_page() -> str:
    """Return the page `docs/practices.md`."""
    return "\n".join([*_render_head(), *_render_practices(), *_render_rules(), ""])


def _render_head() -> Iterator[str]:
    practices = list(load_practices().values())
    counts = {state: sum(p.state == state for p in practices) for state in _STATES}
    yield "<!-- Written by tools/practices.py from sustainable_mlops/catalogue/practices.yaml and the rules. -->"
    yield "# Practices and their implementation"
    yield ""
    yield f"{len(practices)} practices of AWS's"
    yield "[Guidance for Optimizing MLOps for Sustainability](https://aws.amazon.com/solutions/guidance/optimizing-mlops-for-sustainability/)"
    yield "(steps 1 to 14) and of the"
    yield "[Well-Architected Machine Learning Lens](https://docs.aws.amazon.com/wellarchitected/latest/machine-learning-lens/)"
    yield "(MLSUS…). The page lists the part of the project that implements each practice, and the"
    yield "[rules](#rules) that check it in any Terraform plan."
    yield ""
    yield "| state | practices | meaning |"
    yield "|---|---|---|"
    for state, meaning in _STATES.items():
        yield f"| {state} | {counts[state]} | {meaning} |"


_STATES = {
    "implemented": "a module, a command or a workload does it, by default or with the listed input",
    "partly": "implemented, but something is missing",
    "checked": "rules check it in a plan; no module or command does it yet",
    "not yet": "neither implemented nor checked",
    "not possible": "AWS has closed the feature, or neither Terraform nor a job file can express it",
}


def _render_practices() -> Iterator[str]:
    for practice in load_practices().values():
        if practice.row in SECTIONS:
            yield from ("", f"## {SECTIONS[practice.row]}", "")
            yield "| no | practice | ML Lens | step | state | implemented by | checked by |"
            yield "|---|---|---|---|---|---|---|"
        yield _render_row(
            str(practice.row),
            practice.title,
            ", ".join(practice.lens),
            ", ".join(map(str, practice.guidance)),
            f"{practice.state}: {why}" if (why := practice.not_yet or practice.cannot) else practice.state,
            ", ".join(map(_link, practice.implemented_by)),
            ", ".join(f"[{rule}](#{rule.lower()})" for rule in practice.checked_by),
        )


def _link(implemented_by: str) -> str:
    path, _, variable = implemented_by.partition("#")
    name = path.removeprefix("modules/")
    if command := re.fullmatch(r"sustainable_mlops/commands/(\w+)\.py", path):
        name = f"smlops {command[1].replace('_', '-')}"
    return f"[{f'{name}: `{variable}`' if variable else name}](../{path})"


def _render_rules() -> Iterator[str]:
    yield from ("", "## Rules", "")
    yield "Severity: `fail` is closed or impossible, `warn` is a choice that needs a reason, `info` is advice. The tag"
    yield "`sust_waiver:<rule>` = `<reason> until <yyyy-mm-dd>` accepts a finding until that day."
    yield ""
    yield "*Code* is Terraform code that satisfies the rule: tests plan it with the AWS provider. Names such as"
    yield "`aws_s3_bucket.this` stand for your resources."
    yield ""
    yield "| rule | severity | requirement | remedy | practices |"
    yield "|---|---|---|---|---|"
    for rule in sorted(rules.ALL, key=lambda rule: rule.id):
        anchor = f'<a id="{rule.id.lower()}"></a>{rule.id}'
        file = find_file(rule.id)
        remedy = f"{rule.fix} [Code](../{file.relative_to(ROOT)})" if file.is_file() else rule.fix
        yield _render_row(anchor, rule.severity, rule.title, remedy, ", ".join(rule.practices))


def _render_row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


@app.command(help=__doc__)
def write_page(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 if the page is stale.")] = False,
) -> None:
    """Write the page, or check it."""
    page, text = ROOT / "docs" / "practices.md", render_page()
    if page.is_file() and page.read_text(encoding="utf-8") == text:
        return
    if check:
        cli.say("docs/practices.md is stale: run python -m tools.practices")
        raise typer.Exit(1)
    page.write_text(text, encoding="utf-8")
    cli.say("wrote docs/practices.md")


if __name__ == "__main__":
    program.run(app)
