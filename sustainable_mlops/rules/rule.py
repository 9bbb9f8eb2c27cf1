"""What a rule is: a plain function over a plan and one resource that says what it found.

    @rule(
        id="SUS_SERVERLESS_VPC",
        severity=Severity.FAIL,
        title="A serverless endpoint's model has no VPC configuration",
        practices=("52",),
        fix="Remove vpc_config from the model.",
        types=("aws_sagemaker_endpoint_configuration",),
    )
    def serverless_in_a_vpc(plan: Plan, configuration: Resource) -> Verdicts:
        ...
        yield failed("the model is in a VPC", "production_variants.0.model_name")

A function that yields nothing says that the rule does not apply to this resource.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from sustainable_mlops.plan import Plan, Resource
from sustainable_mlops.rules import guideline


class Severity(StrEnum):
    """How much a broken rule matters."""

    FAIL = "fail"  # dead or impossible: it must not be applied
    WARN = "warn"  # a choice that needs a reason
    INFO = "info"  # advice


class Outcome(StrEnum):
    """What a rule says of one resource."""

    PASS = "pass"  # noqa: S105  (no password)
    FAIL = "fail"
    UNKNOWN = "unknown"  # the plan cannot tell before it is applied
    WAIVED = "waived"


class Verdict(NamedTuple):
    """What a rule's function yields."""

    outcome: Outcome
    message: str = ""
    path: str = ""


class Finding(NamedTuple):
    """A rule's verdict on one resource; `path` is the place inside it, such as `production_variants.0`."""

    rule: str
    address: str
    outcome: Outcome
    message: str
    path: str = ""


#: The id of every rule, as its file is imported; `rules` imports them all.
IDS: set[str] = set()

Verdicts: TypeAlias = Iterator[Verdict]
Check: TypeAlias = Callable[[Plan, Resource], Verdicts]


def failed(message: str, path: str = "") -> Verdict:
    """The rule is broken; `message` says how, in one line without the address."""
    return Verdict(Outcome.FAIL, message, path)


def passed() -> Verdict:
    """The rule is kept."""
    return Verdict(Outcome.PASS)


def unknown(why: str, path: str = "") -> Verdict:
    """The plan cannot tell; `why` says what is not known."""
    return Verdict(Outcome.UNKNOWN, why, path)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule and what people need to know of it."""

    id: str
    severity: Severity
    title: str  # the rule as a statement that holds where it is kept
    practices: tuple[str, ...]  # rows of catalogue/practices.yaml
    fix: str
    types: tuple[str, ...]  # the resource types that it looks at; ("*",) for all
    check: Check
    deleted: bool  # whether it also looks at what the plan deletes
    of_change: bool  # whether it judges an update, a replacement or a deletion, not what is there: no baseline holds it

    @property
    def guideline(self) -> str:
        """What it is of: the practices, with the ML Lens's ids and the guidance's steps."""
        return guideline.of(self.practices)


def rule(
    *,
    id: str,  # noqa: A002  (the word that everybody uses for it)
    severity: Severity,
    title: str,
    practices: tuple[str, ...],
    fix: str,
    types: tuple[str, ...],
    deleted: bool = False,
    of_change: bool = False,
) -> Callable[[Check], Rule]:
    """Make the function below it a `Rule`."""

    def make(check: Check) -> Rule:
        IDS.add(id)
        return Rule(id, severity, title, practices, fix, types, check, deleted, of_change)

    return make
