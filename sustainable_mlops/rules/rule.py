"""Definition of a rule: a function that checks one resource of a plan and yields results.

    @rule(
        id="SUS_SERVERLESS_VPC",
        severity=Severity.FAIL,
        title="The model of a serverless endpoint must not have a VPC configuration",
        practices=("52",),
        fix="Remove vpc_config from the model.",
        types=("aws_sagemaker_endpoint_configuration",),
    )
    def serverless_in_a_vpc(plan: Plan, configuration: Resource) -> RuleResults:
        ...
        yield failure("the model is in a VPC", "production_variants.0.model_name")

A rule that yields nothing does not apply to the resource.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from sustainable_mlops.plan import Plan, Resource
from sustainable_mlops.rules import fix_code, guideline


class Severity(StrEnum):
    """Severity of a failed rule."""

    FAIL = "fail"  # AWS refuses it or it cannot work: it must not be applied
    WARN = "warn"  # it wastes energy or adds risk, and needs a reason
    INFO = "info"  # advice


class Outcome(StrEnum):
    """Outcome of a rule for one resource."""

    PASS = "pass"  # noqa: S105  (no password)
    FAIL = "fail"
    UNKNOWN = "unknown"  # known only after apply
    WAIVED = "waived"


class RuleResult(NamedTuple):
    """One result that a rule's function yields."""

    outcome: Outcome
    message: str = ""
    path: str = ""


class Finding(NamedTuple):
    """The result of a rule for one resource; `path` is the location inside it, such as `production_variants.0`."""

    rule: str
    address: str
    outcome: Outcome
    message: str
    path: str = ""


#: The ID of every imported rule; `rules` imports all of them.
RULE_IDS: set[str] = set()

RuleResults: TypeAlias = Iterator[RuleResult]
Check: TypeAlias = Callable[[Plan, Resource], RuleResults]


def failure(message: str, path: str = "") -> RuleResult:
    """Return a failed result; `message` says in one line what is wrong, without the address."""
    return RuleResult(Outcome.FAIL, message, path)


def success() -> RuleResult:
    """Return a passed result."""
    return RuleResult(Outcome.PASS)


def unknown_result(reason: str, path: str = "") -> RuleResult:
    """Return an unknown result; `reason` says which value is unknown."""
    return RuleResult(Outcome.UNKNOWN, reason, path)


class Rule(NamedTuple):
    """A rule with its description."""

    id: str
    severity: Severity
    title: str  # the requirement: with "must" for the severity FAIL, else with "should"
    problem: str  # the headline of a finding, which states that the requirement is not met
    practices: tuple[str, ...]  # rows of catalogue/practices.yaml
    fix: str
    types: tuple[str, ...]  # the resource types that it checks; ("*",) for all
    check: Check
    includes_deleted: bool  # True if it also checks resources that the plan deletes
    is_about_change: bool  # True if it checks an update, a replacement or a deletion: a baseline cannot accept it

    @property
    def guideline(self) -> str:
        """References of the rule: the practices, with the ML Lens's IDs and the guidance's steps."""
        return guideline.format_guideline(self.practices)

    @property
    def fix_code(self) -> str:
        """Terraform code that satisfies the rule; empty if there is none."""
        return fix_code.read_code(self.id)


def rule(
    *,
    id: str,  # noqa: A002  (the usual word)
    severity: Severity,
    title: str,
    problem: str,
    practices: tuple[str, ...],
    fix: str,
    types: tuple[str, ...],
    includes_deleted: bool = False,
    is_about_change: bool = False,
) -> Callable[[Check], Rule]:
    """Turn the decorated function into a `Rule`."""

    def make(check: Check) -> Rule:
        RULE_IDS.add(id)
        return Rule(id, severity, title, problem, practices, fix, types, check, includes_deleted, is_about_change)

    return make
