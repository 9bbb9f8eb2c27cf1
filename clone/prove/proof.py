"""Proof: results of a run for each module and each check."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from clone.prove.evidence import Request

#: `no` is the refusal that a check expects; `undecided` is any other error, which does not answer the question.
Verdict = Literal["yes", "no", "undecided", "not tried"]


@dataclass
class ModuleResult:
    """Result of one module. None stands for a step that does not exist or did not run."""

    module: str
    apply_seconds: float | None = None
    second_plan_empty: bool | None = None
    used: bool | None = None
    changed: bool | None = None
    rolled_back: bool | None = None
    destroyed: bool | None = None
    nothing_left: bool | None = None
    #: Time from the first step to the last, in seconds.
    seconds: float | None = None
    #: Description of the actions.
    notes: list[str] = field(default_factory=list)
    error: str = ""

    @property
    def has_passed(self) -> bool:
        """True if all steps passed, from the apply to the destruction."""
        return bool(self.nothing_left) and not self.has_failed

    @property
    def has_failed(self) -> bool:
        """True if a step of the module failed."""
        steps = (self.second_plan_empty, self.used, self.changed, self.rolled_back, self.destroyed, self.nothing_left)
        return bool(self.error) or False in steps


@dataclass
class CheckResult:
    """Answer to one named check."""

    name: str
    question: str
    documentation: str
    verdict: Verdict = "not tried"
    text: str = ""
    requests: list[Request] = field(default_factory=list)

    @property
    def has_failed(self) -> bool:
        """True if the answer is no or undecided."""
        return self.verdict in ("no", "undecided")

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data."""
        return {**vars(self), "requests": [one.to_dict() for one in self.requests]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the result of plain data."""
        return cls(**{**data, "requests": [Request(**one) for one in data["requests"]]})


@dataclass
class Proof:
    """Result of a run."""

    modules: dict[str, ModuleResult] = field(default_factory=dict)
    checks: dict[str, CheckResult] = field(default_factory=dict)
    #: Resources of the run that cleanup could not delete, and errors of its search.
    left: list[str] = field(default_factory=list)
    #: Other actions of the cleanup, and resources that AWS keeps for a while, such as a key until its deletion.
    notes: list[str] = field(default_factory=list)
    interruption: str = ""

    @property
    def has_failed(self) -> bool:
        """True if a step failed, a check answered no, or a resource is left."""
        return bool(
            self.interruption
            or self.left
            or any(result.has_failed for result in self.modules.values())
            or any(result.has_failed for result in self.checks.values())
        )
