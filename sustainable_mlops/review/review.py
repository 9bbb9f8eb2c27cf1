"""A plan reviewed: everything a person needs to decide, and whether a gate stops it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING

from sustainable_mlops.footprint.alternatives import Alternative, alternatives
from sustainable_mlops.footprint.plan_footprint import PlanFootprint, of_plan
from sustainable_mlops.footprint.usage import Usage
from sustainable_mlops.plan import Plan
from sustainable_mlops.review.acceptances import Acceptance
from sustainable_mlops.review.budgets import Budget, BudgetResult, Held, Planned, hold
from sustainable_mlops.review.comparison import Comparison, Pair
from sustainable_mlops.review.data.risks import data_at_risk
from sustainable_mlops.review.deployment import deployment
from sustainable_mlops.review.assessment import JudgedFinding, JudgedRisk, judged_findings, judged_risk
from sustainable_mlops.review.scope import beyond, told
from sustainable_mlops.review.privileges.exposure import exposure
from sustainable_mlops.review.privileges.widening import privileges
from sustainable_mlops.review.risk import Level, Risk, Section, ranked
from sustainable_mlops.review.coverage_gaps import Unseen, Why, unseen

if TYPE_CHECKING:
    from sustainable_mlops.checkov import Result

GATES = ("data", "privileges", "rules", "budgets", "checkov")
#: The gates that stop a plan whatever else does: who names what may change means it.
_ALWAYS = frozenset(("only",))


class Verdict(StrEnum):
    """The review in one word."""

    FINE = "fine"
    LOOK = "look"  # nothing stops it, but a person should look: at choices, or at what cannot be told before apply
    STOP = "stop"  # a gate failed


@dataclass(frozen=True, slots=True)
class Change:
    """What the plan does to one resource."""

    address: str
    type: str
    action: str
    previous_address: str | None = None
    attributes: tuple[str, ...] = ()
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    """One thing that can stop a plan."""

    name: str
    level: Level | None  # None: nothing to say
    text: str


@dataclass(frozen=True)
class Review:
    """All that a review found. The formats only show it."""

    name: str
    changes: tuple[Change, ...]
    unchanged: int
    risks: tuple[JudgedRisk, ...]
    findings: tuple[JudgedFinding, ...]
    #: How often a rule was found to be kept.
    rules_kept: int
    unseen: tuple[Unseen, ...]
    footprint: PlanFootprint
    alternatives: tuple[Alternative, ...]
    budgets: tuple[BudgetResult, ...] = ()
    #: What the review could not do, so that its verdict is never fine.
    notes: tuple[str, ...] = ()
    builtin: "Result | None" = None
    fail_on: frozenset[str] = field(default_factory=lambda: frozenset(GATES))
    #: What alone the plan may change: addresses, in which `*` stands for anything; none for all.
    only: tuple[str, ...] = ()
    #: What the reader should know and what leaves the verdict alone.
    remarks: tuple[str, ...] = ()

    def of(self, section: Section) -> list[JudgedRisk]:
        """The risks of a section, the most serious first."""
        return [one for one in self.risks if one.risk.section is section]

    @cached_property
    def gates(self) -> list[Gate]:
        """Every gate and how it stands."""
        found = [_only_gate(self.only, self.changes, self.unseen)] if self.only else []
        found += [_risk_gate("data", self.of(Section.DATA)), _risk_gate("privileges", self.of(Section.PRIVILEGES))]
        found += [_rules_gate(self.findings)]
        found += [_gate("unseen", [one.level for one in self.unseen], "nothing to look at")]
        found += [_budgets_gate(self.budgets)] if self.budgets else []
        return found + ([_checkov_gate(self.builtin)] if self.builtin is not None else [])

    @cached_property
    def verdict(self) -> Verdict:
        """The worst that the gates say. A plan that is not whole or whose checks fail is never fine."""
        levels = {
            Level.LOOK if gate.level is Level.STOP and gate.name not in self.fail_on else gate.level
            for gate in self.gates
        }
        if Level.STOP in levels or ("unknown" in self.fail_on and self.unknown):
            return Verdict.STOP
        return Verdict.LOOK if Level.LOOK in levels or self.notes else Verdict.FINE

    @property
    def unknown(self) -> bool:
        """Whether something is not seen or cannot be judged, other than what the apply itself will tell."""
        return (
            bool(self.notes)
            or any(one.open for one in self.risks)
            or any(one.open for one in self.findings)
            or any(one.level is Level.LOOK for one in self.unseen)
            or any(one.held is Held.UNKNOWN for one in self.budgets)
        )

    @property
    def exit_code(self) -> int:
        """0, or 1 where a gate failed."""
        return 1 if self.verdict is Verdict.STOP else 0

    def counts(self) -> dict[str, int]:
        """How many resources there are by what is done to them."""
        found = dict.fromkeys(("create", "update", "replace", "delete", "forget", "move", "import"), 0)
        for change in self.changes:
            found[change.action] = found.get(change.action, 0) + 1
        return {action: number for action, number in found.items() if number}


def review(
    plan: Plan,
    *,
    base: Plan | None = None,
    usage: Usage | None = None,
    budgets: Sequence[Budget] = (),
    accepted: Sequence[Acceptance] = (),
    fail_on: frozenset[str] = frozenset(GATES),
    only: Sequence[str] = (),
    checkov: "Callable[[], Result] | None" = None,
    today: date | None = None,
) -> Review:
    """Review `plan` against its own state or, for plans without one, against `base`.

    `checkov` gives the built-in checks' result, asked for last, so that it can run beside. `today` is the day by which
    waivers and acceptances are judged. Raises UserError from `checkov` alone.
    """
    (found,) = review_all(
        [plan],
        base=base,
        usage=usage,
        budgets=budgets,
        accepted=accepted,
        fail_on=fail_on,
        only=only,
        checkov=(checkov,),
        today=today,
    )
    return found


def review_all(
    plans: Sequence[Plan],
    *,
    base: Plan | None = None,
    usage: Usage | None = None,
    budgets: Sequence[Budget] = (),
    accepted: Sequence[Acceptance] = (),
    fail_on: frozenset[str] = frozenset(GATES),
    only: Sequence[str] = (),
    checkov: "Sequence[Callable[[], Result] | None]" = (),
    today: date | None = None,
) -> list[Review]:
    """Review plans that one comment is about, each by itself; only budgets hold what all of them use together.

    `base` is what each is compared with, and `checkov` gives the result of each in turn; else as in `review`.
    """
    today = today or date.today()
    compared = [Comparison(plan, base) for plan in plans]
    planned = [_planned(one, usage) for one in compared]
    unused = tuple(_unused(usage, len(plans)))  # known once all of them were asked
    found = [
        replace(
            _judged(one, accepted, today),
            budgets=tuple(results),
            notes=(*_notes(one.comparison.plan), *unused),
            fail_on=fail_on | _ALWAYS,
            only=tuple(only),
        )
        for one, results in zip(planned, hold(budgets, planned), strict=True)
    ]
    return [replace(one, builtin=result()) if result else one for one, result in zip_longest(found, checkov)]


def _planned(comparison: Comparison, usage: Usage | None) -> Planned:
    footprint = of_plan(comparison.plan, usage, comparison.base)
    return Planned(comparison.plan.name, footprint, comparison, tuple(unseen(comparison, footprint)))


def _judged(planned: Planned, accepted: Sequence[Acceptance], today: date) -> Review:
    """What is said of a plan by itself."""
    _, footprint, comparison, not_seen = planned
    plan = comparison.plan
    risks = [risk for find in _RISKS for risk in find(comparison)]
    changes = tuple(_changes(comparison))
    findings, kept = judged_findings(comparison, today)
    return Review(
        name=plan.name,
        changes=changes,
        unchanged=sum(pair.action == "no-op" or _merely_read(pair, plan) for pair in comparison.pairs),
        risks=tuple(judged_risk(risk, accepted, today) for risk in ranked(risks)),
        findings=findings,
        rules_kept=kept,
        unseen=not_seen,
        footprint=footprint,
        alternatives=tuple(alternatives(footprint, plan.provider_major)),
        remarks=tuple(_remarks(plan)),
    )


_RISKS: tuple[Callable[[Comparison], Iterator[Risk]], ...] = (data_at_risk, deployment, privileges, exposure)


def _changes(comparison: Comparison) -> Iterator[Change]:
    for pair in comparison.pairs:
        resource, previous = pair.resource, pair.resource.previous_address
        if pair.action == "read" or (pair.action == "no-op" and not previous and not resource.imported):
            continue
        if _merely_read(pair, comparison.plan):
            continue
        action, attributes = pair.action, _attributes(pair, comparison.plan)
        if action == "no-op":
            action = "import" if resource.imported else "move"
        yield Change(pair.address, pair.type, action, previous, attributes, tuple(resource.replaced_because))


def _merely_read(pair: Pair, plan: Plan) -> bool:
    """Whether nothing changes but what AWS says of it, as after what others had attached to it."""
    return bool(pair.resource.drift) and pair.action == "update" and not _attributes(pair, plan)


def _attributes(pair: Pair, plan: Plan) -> tuple[str, ...]:
    """What changes, without what was merely read anew: nobody sets it, and the plan does nothing about it."""
    if pair.action not in ("update", "replace"):
        return ()
    read = () if plan.refresh_only else pair.resource.drift
    return tuple(n for n in pair.changed() if n not in read or plan.configured(pair.resource, n) is not False)


def _notes(plan: Plan) -> Iterator[str]:
    if not plan.whole:
        yield "the plan is not whole: -target, -exclude or a deferral left changes out, which are not reviewed"
    for check in plan.failed_checks:
        if check.status == "unknown":
            continue  # what this plan makes is held to it on apply
        problems = f": {'; '.join(check.problems)}" if check.problems else ""
        yield f"{check.address}: its condition {_STATUS.get(check.status, 'did not pass')}{problems}"


def _unused(usage: Usage | None, plans: int) -> Iterator[str]:
    where = "this plan has nothing" if plans == 1 else "no plan here has anything"
    for entry in usage.unused if usage is not None else ():
        yield f"the usage file says something of {entry}, of which {where} that is estimated"


def _remarks(plan: Plan) -> Iterator[str]:
    if plan.default_region:
        yield f"where the plan does not tell the Region, it is taken to be {plan.default_region}, as given"


_STATUS = {"fail": "fails", "error": "could not be evaluated"}


def _only_gate(only: Sequence[str], changes: Sequence[Change], not_seen: Sequence[Unseen]) -> Gate:
    """What moves is there twice: neither its old nor its new address may be another's. Actions do what they do."""
    addresses = [address for one in changes for address in (one.address, one.previous_address) if address]
    addresses += [one.address for one in not_seen if one.why is Why.COMMAND and ".data." not in f".{one.address}"]
    if others := beyond(only, addresses):
        return Gate("only", Level.STOP, f"changes more than {' and '.join(only)}: {told(others)}")
    return Gate("only", None, f"changes nothing but {' and '.join(only)}")


def _risk_gate(name: str, risks: list[JudgedRisk]) -> Gate:
    return _gate(name, [one.level for one in risks])


def _rules_gate(findings: Sequence[JudgedFinding]) -> Gate:
    """What cannot be told is counted once a resource, however many rules ask; what the apply itself tells, apart."""
    found = [(one, one.level) for one in findings]
    untold = {one.finding.address for one, level in found if level is Level.LOOK and one.open}
    later = sum(one.until_apply for one, _ in found)
    levels = [level for one, level in found if not one.until_apply and not (one.open and one.finding.address in untold)]
    parts = [
        _counted([level for level in levels if level is not Level.NOTE]),
        f"{len(untold)} resource{'s' if len(untold) != 1 else ''} of which it cannot be told" if untold else "",
        _counted([level for level in levels if level is Level.NOTE]),
        f"{later} told only by the apply" if later else "",
    ]
    worst = _worst([*levels, *[Level.LOOK] * len(untold), *[Level.NOTE] * later])
    return Gate("rules", worst, ", ".join(filter(None, parts)) or "nothing found")


def _budgets_gate(budgets: Sequence[BudgetResult]) -> Gate:
    levels = {Held.OVER: Level.STOP, Held.UNKNOWN: Level.LOOK, Held.NOTHING: Level.NOTE}
    return _gate("budgets", [levels[one.held] for one in budgets if one.held in levels], "all within")


def _checkov_gate(result: "Result") -> Gate:
    levels = [Level.STOP] * len(result.failed) + [Level.NOTE] * len(result.explained)
    return _gate("checkov", levels, f"{result.passed} passed")


def _gate(name: str, levels: list[Level], nothing: str = "nothing found") -> Gate:
    return Gate(name, _worst(levels), _counted(levels) or nothing)


def _worst(levels: list[Level]) -> Level | None:
    return next((level for level in Level if level in levels), None)


def _counted(levels: list[Level]) -> str:
    words = {Level.STOP: "to stop", Level.LOOK: "to look at", Level.NOTE: "for the record"}
    return ", ".join(f"{number} {words[level]}" for level in Level if (number := levels.count(level)))
