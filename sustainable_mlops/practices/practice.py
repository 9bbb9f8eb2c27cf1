"""Reader of `catalogue/practices.yaml`, joined with the rules.

A rule names its practices, so this relation cannot go stale.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sustainable_mlops import rules
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue.tables import CATALOGUE_DIRECTORY

#: The sections of the list, by the row they begin with.
SECTIONS = {
    1: "Business goal and problem framing",
    7: "Data preparation",
    25: "Model development, training and tuning",
    48: "Deployment",
    69: "Monitoring and management",
}
#: The states of a practice, and their meanings.
STATES = {
    "implemented": "a module, a command or a workload implements it, by default or with the listed input",
    "partly": "a part of the practice is implemented",
    "checked": "rules check it in a plan; no module or command does it yet",
    "not yet": "neither implemented nor checked",
    "not possible": "AWS has closed the feature, or neither Terraform nor a job file can express it",
}
_FIELDS = {"row", "title", "lens", "guidance", "implemented_by", "not_yet", "cannot"}
_FILE = CATALOGUE_DIRECTORY / "practices.yaml"


class Implementation(NamedTuple):
    """A part of the project that implements a practice: its path in the repository, its name, and its input."""

    path: str
    name: str
    input: str = ""

    def __str__(self) -> str:
        """Return `realtime_endpoint: off_hours`, `smlops train` or a path."""
        return f"{self.name}: {self.input}" if self.input else self.name


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
    def section(self) -> str:
        """Title of the section of the list."""
        return SECTIONS[max(first for first in SECTIONS if first <= self.row)]

    @property
    def checked_by(self) -> tuple[str, ...]:
        """IDs of the rules that check the practice."""
        return _group_rules().get(str(self.row), ())

    @property
    def implementations(self) -> tuple[Implementation, ...]:
        """Parts of the project that implement the practice."""
        return tuple(map(_parse_implementation, self.implemented_by))

    @property
    def state(self) -> str:
        """State: one of `STATES`."""
        if self.implemented_by:
            return "partly" if self.not_yet else "implemented"
        if self.cannot:
            return "not possible"
        return "checked" if self.checked_by else "not yet"

    @property
    def reason(self) -> str:
        """Missing part of the practice, or the reason why it is not possible; empty if it is implemented."""
        return self.not_yet or self.cannot

    def to_dict(self) -> dict[str, Any]:
        """Return the practice for JSON."""
        return {
            "row": self.row,
            "title": self.title,
            "section": self.section,
            "lens": list(self.lens),
            "guidance": list(self.guidance),
            "state": self.state,
            "reason": self.reason,
            "implemented_by": list(self.implemented_by),
            "checked_by": list(self.checked_by),
        }


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
        raise UserError(f"{_FILE}: row {entry.get('row')}: unknown field {', '.join(sorted(unknown))}")
    return Practice(
        row=int(entry["row"]),
        title=str(entry["title"]),
        lens=tuple(entry.get("lens", ())),
        guidance=tuple(entry.get("guidance", ())),
        implemented_by=tuple(entry.get("implemented_by", ())),
        not_yet=entry.get("not_yet", ""),
        cannot=entry.get("cannot", ""),
    )


def _parse_implementation(text: str) -> Implementation:
    path, _, module_input = text.partition("#")
    if command := re.fullmatch(r"(?:sustainable_mlops|clone)/commands/(\w+)\.py", path):
        return Implementation(path, f"smlops {command[1].replace('_', '-')}")
    return Implementation(path, path.removeprefix("modules/"), module_input)


@cache
def _group_rules() -> dict[str, tuple[str, ...]]:
    ids: dict[str, tuple[str, ...]] = {}
    for rule in rules.ALL:
        for row in rule.practices:
            ids[row] = (*ids.get(row, ()), rule.id)
    return ids
