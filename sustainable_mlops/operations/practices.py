"""The practices of the guidance and of the ML Lens: `catalogue/practices.yaml`, joined with the rules that check them.

A rule names its practices, so what checks a practice is asked of the rules and cannot go stale.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from sustainable_mlops import rules
from sustainable_mlops.catalogue.tables import HERE
from sustainable_mlops.errors import UserError

#: Where each part of the list begins, by row.
SECTIONS = {
    1: "Business goal and problem framing",
    7: "Data preparation",
    25: "Model development, training and tuning",
    48: "Deployment",
    69: "Monitoring and management",
}
_FIELDS = {"row", "title", "lens", "guidance", "kept_by", "not_yet", "cannot"}
_FILE = HERE / "practices.yaml"
_START, _END = "<!-- practices: start -->", "<!-- practices: end -->"


@dataclass(frozen=True, slots=True)
class Practice:
    """One practice; the fields are those that `practices.yaml` describes."""

    row: int
    title: str
    lens: tuple[str, ...] = ()
    guidance: tuple[int, ...] = ()
    kept_by: tuple[str, ...] = ()
    not_yet: str = ""
    cannot: str = ""

    @property
    def checked_by(self) -> tuple[str, ...]:
        """The ids of the rules that check it."""
        return _rules().get(str(self.row), ())

    @property
    def state(self) -> str:
        """`kept`, `in part`, `checked` (by rules alone), `not yet` or `cannot`."""
        if self.kept_by:
            return "in part" if self.not_yet else "kept"
        if self.cannot:
            return "cannot"
        return "checked" if self.checked_by else "not yet"


@cache
def everything() -> dict[str, Practice]:
    """Every practice by its row, as rules name it (`"33"`). Raises UserError where the file is not as it should be."""
    import yaml

    try:
        listed = yaml.load(_FILE.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  (both safe)
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"{_FILE}: {error}; install the package again") from None
    found = [_practice(entry) for entry in listed]
    return {str(practice.row): practice for practice in found}


def _practice(entry: Mapping[str, Any]) -> Practice:
    if unknown := entry.keys() - _FIELDS:
        raise UserError(f"{_FILE}: row {entry.get('row')}: {', '.join(sorted(unknown))} is no field of a practice")
    return Practice(
        row=int(entry["row"]),
        title=str(entry["title"]),
        lens=tuple(entry.get("lens", ())),
        guidance=tuple(entry.get("guidance", ())),
        kept_by=tuple(entry.get("kept_by", ())),
        not_yet=entry.get("not_yet", ""),
        cannot=entry.get("cannot", ""),
    )


@cache
def _rules() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for rule in rules.ALL:
        for row in rule.practices:
            found[row] = (*found.get(row, ()), rule.id)
    return found


def markdown() -> str:
    """The page `docs/practices.md`."""
    return "\n".join([*_head(), *_practices(), *_rules_table(), ""])


def _head() -> Iterator[str]:
    practices = list(everything().values())
    counts = {state: sum(p.state == state for p in practices) for state in _STATES}
    yield "<!-- Written by scripts/practices.py from sustainable_mlops/catalogue/practices.yaml and the rules. -->"
    yield "# Practices, and where each is kept"
    yield ""
    yield f"{len(practices)} practices of AWS's"
    yield "[Guidance for Optimizing MLOps for Sustainability](https://aws.amazon.com/solutions/guidance/optimizing-mlops-for-sustainability/)"
    yield "(steps 1 to 14) and of the"
    yield "[Well-Architected Machine Learning Lens](https://docs.aws.amazon.com/wellarchitected/latest/machine-learning-lens/)"
    yield "(MLSUS…), what keeps each by default, and the [rules](#rules) that check it in any Terraform plan."
    yield ""
    yield "| state | practices | which means |"
    yield "|---|---|---|"
    for state, meaning in _STATES.items():
        yield f"| {state} | {counts[state]} | {meaning} |"


def summary(page: str) -> str:
    """`page`, such as the README, with the table between the marks that say where it goes. Raises UserError."""
    before, start, rest = page.partition(_START)
    _, end, after = rest.partition(_END)
    if not start or not end:
        raise UserError(f"README.md: {_START} and {_END} must stand around the table of practices; put them back")
    return "\n".join([before + start, *_summary(), end + after])


def _summary() -> Iterator[str]:
    yield f"| practices | {' | '.join(_STATES)} |"
    yield f"|---{'|---:' * len(_STATES)}|"
    starts = [*SECTIONS, 1000]
    for start, stop in pairwise(starts):
        inside = [practice for practice in everything().values() if start <= practice.row < stop]
        anchor = SECTIONS[start].lower().replace(" ", "-").replace(",", "")
        counts = [str(sum(practice.state == state for practice in inside)) for state in _STATES]
        yield f"| [{SECTIONS[start]}](docs/practices.md#{anchor}) | {' | '.join(counts)} |"


_STATES = {
    "kept": "a module, a script or a workload does it by default",
    "in part": "so, but something is still to come",
    "checked": "rules check it in a plan; nothing here does it yet",
    "not yet": "neither",
    "cannot": "dead, or not to be seen in a plan",
}


def _practices() -> Iterator[str]:
    for practice in everything().values():
        if practice.row in SECTIONS:
            yield from ("", f"## {SECTIONS[practice.row]}", "")
            yield "| no | practice | ML Lens | step | state | kept by | checked by |"
            yield "|---|---|---|---|---|---|---|"
        yield _line(
            str(practice.row),
            practice.title,
            ", ".join(practice.lens),
            ", ".join(map(str, practice.guidance)),
            f"{practice.state}: {why}" if (why := practice.not_yet or practice.cannot) else practice.state,
            ", ".join(map(_link, practice.kept_by)),
            ", ".join(f"[{rule}](#{rule.lower()})" for rule in practice.checked_by),
        )


def _link(kept_by: str) -> str:
    path, _, given = kept_by.partition("#")
    shown = f"{path.removeprefix('modules/')}: `{given}`" if given else path.removeprefix("modules/")
    return f"[{shown}](../{path})"


def _rules_table() -> Iterator[str]:
    yield from ("", "## Rules", "")
    yield "`fail` is dead or impossible, `warn` a choice that needs a reason, `info` advice. A tag"
    yield "`sust_waiver:<rule>` = `<reason> until <yyyy-mm-dd>` accepts a finding for a while."
    yield ""
    yield "| rule | severity | what holds where it is kept | otherwise | practices |"
    yield "|---|---|---|---|---|"
    for rule in sorted(rules.ALL, key=lambda rule: rule.id):
        anchor = f'<a id="{rule.id.lower()}"></a>{rule.id}'
        yield _line(anchor, rule.severity, rule.title, rule.fix, ", ".join(rule.practices))


def _line(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
