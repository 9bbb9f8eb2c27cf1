"""The review of a plan: the data a person needs to decide, and the gates that stop a plan."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from enum import StrEnum
from functools import cached_property, partial
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from sustainable_mlops.base.wording import format_number_of
from sustainable_mlops.footprint.alternatives import FootprintAlternative, find_alternatives
from sustainable_mlops.footprint.calibration import CarbonRatio
from sustainable_mlops.footprint.plan_footprint import PlanFootprint, estimate_plan
from sustainable_mlops.footprint.usage import ResourceUsage
from sustainable_mlops.plan import Plan
from sustainable_mlops.review.acceptances import Acceptance
from sustainable_mlops.review.assessment import (
    AssessedFindings,
    FindingAssessment,
    RiskAssessment,
    assess_findings,
    assess_risk,
)
from sustainable_mlops.review.attribute_changes.risks import find_attribute_risks
from sustainable_mlops.review.attributes.risks import find_protection_risks
from sustainable_mlops.review.background_process import run_in_background
from sustainable_mlops.review.budgets import Budget, BudgetResult, BudgetStatus, PlanUnderReview, evaluate_budgets
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.cost_limit import DEFAULT_COST_LIMIT, CostIncrease, CostLimit, measure_cost_increases
from sustainable_mlops.review.coverage_gaps import CoverageGap, GapKind, find_coverage_gaps
from sustainable_mlops.review.data.risks import find_data_risks
from sustainable_mlops.review.deployment import find_deployment_risks
from sustainable_mlops.review.gates import DEFAULT_GATES
from sustainable_mlops.review.privileges.destinations import find_destination_risks
from sustainable_mlops.review.privileges.dns_records import find_record_risks
from sustainable_mlops.review.privileges.exposure import find_exposure_risks
from sustainable_mlops.review.privileges.widening import find_privilege_risks
from sustainable_mlops.review.risk import Level, Risk, RiskArea, rank_risks
from sustainable_mlops.review.safeguards.risks import find_safeguard_risks
from sustainable_mlops.review.scope import list_out_of_scope, select_scope, summarize_addresses

if TYPE_CHECKING:
    from sustainable_mlops.review.checkov import CheckovResult

#: Number of resources from which a second process saves time.
_LARGE_PLAN = 500
#: Gates that always stop a plan. A scope is explicit, so --fail-on does not turn its gate off.
_ALWAYS_FAIL_ON = frozenset(("scope",))


class ReviewVerdict(StrEnum):
    """The result of a review in one word."""

    FINE = "fine"
    LOOK = "look"  # no gate failed, but a person should look: at decisions, or at values unknown before apply
    STOP = "stop"  # a gate failed


class ChangeSummary(NamedTuple):
    """The change of one resource."""

    address: str
    type: str
    action: str
    previous_address: str | None = None
    attributes: tuple[str, ...] = ()
    because: tuple[str, ...] = ()


class ReviewGate(NamedTuple):
    """One condition that can stop a plan."""

    name: str
    level: Level | None  # None: no risk or finding
    text: str


class _ReviewFields(NamedTuple):
    name: str
    changes: tuple[ChangeSummary, ...]
    unchanged: int
    risks: tuple[RiskAssessment, ...]
    coverage_gaps: tuple[CoverageGap, ...]
    footprint: PlanFootprint
    alternatives: tuple[FootprintAlternative, ...]
    findings: tuple[FindingAssessment, ...] = ()
    #: Number of rule checks that passed.
    rules_passed: int = 0
    budgets: tuple[BudgetResult, ...] = ()
    #: The cost that the plan adds, compared with a limit; None without a limit.
    cost_increase: CostIncrease | None = None
    #: Limitations of the review; with any of them the verdict is never fine.
    notes: tuple[str, ...] = ()
    checkov_result: "CheckovResult | None" = None
    fail_on: frozenset[str] = frozenset(DEFAULT_GATES)
    #: Addresses that the plan may change, with `*` for any text; empty for no limit.
    scope: tuple[str, ...] = ()
    #: Information for the reader that does not affect the verdict.
    remarks: tuple[str, ...] = ()


class Review(_ReviewFields):
    """All results of a review. The formats only render them."""

    def list_risks(self, section: RiskArea) -> list[RiskAssessment]:
        """Return the risks of an area, the most serious first."""
        return [assessment for assessment in self.risks if assessment.risk.area is section]

    @cached_property
    def gates(self) -> list[ReviewGate]:
        """All gates with their levels."""
        gates = [_build_scope_gate(self.scope, self.changes, self.coverage_gaps)] if self.scope else []
        gates += [
            _build_risk_gate("data", self.list_risks(RiskArea.DATA)),
            _build_risk_gate("privileges", self.list_risks(RiskArea.PRIVILEGES)),
        ]
        if safeguards := self.list_risks(RiskArea.SAFEGUARDS):
            gates.append(_build_risk_gate("safeguards", safeguards))
        gates += [_build_rules_gate(self.findings)]
        gates += [_build_gate("coverage", [gap.level for gap in self.coverage_gaps], "nothing to look at")]
        gates += [_build_budgets_gate(self.budgets)] if self.budgets else []
        gates += [_build_limit_gate(self.cost_increase, self.fail_on)] if self.cost_increase is not None else []
        return gates + ([_build_checkov_gate(self.checkov_result)] if self.checkov_result is not None else [])

    @cached_property
    def verdict(self) -> ReviewVerdict:
        """The worst level of the gates. An incomplete plan or a failed check is never fine."""
        levels = {
            Level.LOOK if gate.level is Level.STOP and gate.name not in self.fail_on else gate.level
            for gate in self.gates
        }
        if Level.STOP in levels or ("unknown" in self.fail_on and self.has_unknowns):
            return ReviewVerdict.STOP
        return ReviewVerdict.LOOK if Level.LOOK in levels or self.notes else ReviewVerdict.FINE

    @property
    def has_unknowns(self) -> bool:
        """True if something is not covered or has no outcome, except values that the apply reveals."""
        return (
            bool(self.notes)
            or any(assessment.is_open for assessment in self.risks)
            or any(assessment.is_open for assessment in self.findings)
            or any(gap.level is Level.LOOK for gap in self.coverage_gaps)
            or any(result.status is BudgetStatus.UNKNOWN for result in self.budgets)
        )

    @property
    def exit_code(self) -> int:
        """1 if a gate failed, else 0."""
        return 1 if self.verdict is ReviewVerdict.STOP else 0

    def count_changes(self) -> dict[str, int]:
        """Return the number of resources by action."""
        counts = dict.fromkeys(("create", "update", "replace", "delete", "forget", "move", "import"), 0)
        for change in self.changes:
            counts[change.action] = counts.get(change.action, 0) + 1
        return {action: number for action, number in counts.items() if number}


def review(
    plan: Plan,
    *,
    base: Plan | None = None,
    usage: ResourceUsage | None = None,
    budgets: Sequence[Budget] = (),
    limit: CostLimit | None = DEFAULT_COST_LIMIT,
    accepted: Sequence[Acceptance] = (),
    fail_on: frozenset[str] = frozenset(DEFAULT_GATES),
    only: Sequence[str] = (),
    checkov: "Callable[[], CheckovResult] | None" = None,
    today: date | None = None,
) -> Review:
    """Review `plan` against its own state or, for a plan without state, against `base`.

    `checkov` returns the result of the built-in checks. It is called last, so that checkov can run in parallel. Waivers
    and acceptances expire relative to `today`. Raises UserError only from `checkov`.
    """
    (result,) = review_all(
        [plan],
        base=base,
        usage=usage,
        budgets=budgets,
        limit=limit,
        accepted=accepted,
        fail_on=fail_on,
        only=only,
        checkov=(checkov,),
        today=today,
    )
    return result


def review_all(
    plans: Sequence[Plan],
    *,
    base: Plan | None = None,
    usage: ResourceUsage | None = None,
    budgets: Sequence[Budget] = (),
    limit: CostLimit | None = DEFAULT_COST_LIMIT,
    accepted: Sequence[Acceptance] = (),
    fail_on: frozenset[str] = frozenset(DEFAULT_GATES),
    only: Sequence[str] = (),
    checkov: "Sequence[Callable[[], CheckovResult] | None]" = (),
    today: date | None = None,
    calibration: Sequence[CarbonRatio] = (),
    two_processes: bool = False,
) -> list[Review]:
    """Review plans for one report, each by itself; budgets apply to all plans together.

    Each plan is compared with `base`. `checkov` has one entry per plan. `calibration` has the ratios of the enclosing
    `footprint.apply_calibration`. With `two_processes`, the rules of large plans run in a second process; the caller
    must have one thread only. The other parameters are the parameters of `review`.
    """
    today = today or date.today()
    comparisons = [Comparison(plan, base) for plan in plans]
    assess: Callable[[], list[AssessedFindings]] = partial(_assess_all_findings, comparisons, today)
    if two_processes and sum(len(comparison.pairs) for comparison in comparisons) >= _LARGE_PLAN:
        assess = run_in_background(assess)
    plans_under_review = [_prepare(plan_under_review, usage) for plan_under_review in comparisons]
    unused_usage = tuple(_list_unused_usage(usage, len(plans)))  # complete only after all footprints
    reviews = [
        _build_review(plan_under_review, accepted, today)._replace(
            budgets=tuple(results),
            cost_increase=increase,
            notes=(*_list_notes(plan_under_review.comparison.plan), *unused_usage),
            fail_on=fail_on | _ALWAYS_FAIL_ON,
            scope=select_scope(only, plan_under_review.comparison.plan.name),
            remarks=(*_list_remarks(plan_under_review.comparison.plan), *(one.describe() for one in calibration)),
        )
        for plan_under_review, results, increase in zip(
            plans_under_review,
            evaluate_budgets(budgets, plans_under_review),
            measure_cost_increases(limit, budgets, plans_under_review),
            strict=True,
        )
    ]
    return [
        plan_under_review._replace(
            findings=findings, rules_passed=passed_count, checkov_result=result() if result else None
        )
        for plan_under_review, (findings, passed_count), result in zip_longest(reviews, assess(), checkov)
    ]


def _assess_all_findings(comparisons: Sequence[Comparison], today: date) -> list[AssessedFindings]:
    return [assess_findings(comparison, today) for comparison in comparisons]


def _prepare(comparison: Comparison, usage: ResourceUsage | None) -> PlanUnderReview:
    footprint = estimate_plan(comparison.plan, usage, comparison.base)
    return PlanUnderReview(
        comparison.plan.name, footprint, comparison, tuple(find_coverage_gaps(comparison, footprint))
    )


def _build_review(planned: PlanUnderReview, accepted: Sequence[Acceptance], today: date) -> Review:
    """Return the review of one plan, without findings and budgets."""
    _, footprint, comparison, coverage_gaps = planned
    plan = comparison.plan
    risks = [risk for find_risks in _RISKS for risk in find_risks(comparison)]
    return Review(
        name=plan.name,
        changes=tuple(_list_changes(comparison)),
        unchanged=sum(pair.action == "no-op" or _is_only_refreshed(pair, plan) for pair in comparison.pairs),
        risks=tuple(assess_risk(risk, plan.name, accepted, today) for risk in rank_risks(risks)),
        coverage_gaps=coverage_gaps,
        footprint=footprint,
        alternatives=tuple(find_alternatives(footprint, plan.provider_major)),
    )


_RISKS: tuple[Callable[[Comparison], Iterator[Risk]], ...] = (
    find_data_risks,
    find_protection_risks,
    find_safeguard_risks,
    find_deployment_risks,
    find_privilege_risks,
    find_exposure_risks,
    find_destination_risks,
    find_record_risks,
    find_attribute_risks,
)


def _list_changes(comparison: Comparison) -> Iterator[ChangeSummary]:
    for pair in comparison.pairs:
        resource, previous = pair.resource, pair.resource.previous_address
        if pair.action == "read" or (pair.action == "no-op" and not previous and not resource.is_imported):
            continue
        if _is_only_refreshed(pair, comparison.plan):
            continue
        action, attributes = pair.action, _list_changed_attributes(pair, comparison.plan)
        if action == "no-op":
            action = "import" if resource.is_imported else "move"
        yield ChangeSummary(pair.address, pair.type, action, previous, attributes, tuple(resource.replacement_paths))


def _is_only_refreshed(pair: ResourcePair, plan: Plan) -> bool:
    """Return whether an update only repeats values that AWS reported, such as policies attached by others."""
    return bool(pair.resource.drift) and pair.action == "update" and not _list_changed_attributes(pair, plan)


def _list_changed_attributes(pair: ResourcePair, plan: Plan) -> tuple[str, ...]:
    """Return the changed attributes, without refreshed ones that the configuration does not set."""
    if pair.action not in ("update", "replace"):
        return ()
    refreshed = () if plan.is_refresh_only else pair.resource.drift
    return tuple(
        n
        for n in pair.list_changed_attributes()
        if n not in refreshed or plan.is_configured(pair.resource, n) is not False
    )


def _list_notes(plan: Plan) -> Iterator[str]:
    if not plan.is_complete:
        yield "the plan lacks changes (-target, -exclude or a deferred change); the review does not cover these"
    for check in plan.failed_checks:
        if check.status == "unknown":
            continue  # apply checks the values that the plan creates
        problems = f": {'; '.join(check.problems)}" if check.problems else ""
        yield f"{check.address}: its condition {_STATUS.get(check.status, 'did not pass')}{problems}"


def _list_unused_usage(usage: ResourceUsage | None, plans: int) -> Iterator[str]:
    subject = "this plan has" if plans == 1 else "these plans have"
    for entry in usage.unused_entries if usage is not None else ():
        yield f"the usage file has an entry {entry}, but {subject} no estimated resource for it"


def _list_remarks(plan: Plan) -> Iterator[str]:
    if plan.default_region:
        yield f"resources without a Region in the plan are reviewed as in {plan.default_region} (--region)"


_STATUS = {"fail": "fails", "error": "could not be evaluated"}


def _build_scope_gate(
    only: Sequence[str], changes: Sequence[ChangeSummary], coverage_gaps: Sequence[CoverageGap]
) -> ReviewGate:
    """Return the gate of `--only`.

    A move counts at its old and its new address. Actions of Terraform count too, data sources do not.
    """
    addresses = [address for change in changes for address in (change.address, change.previous_address) if address]
    addresses += [
        change.address
        for change in coverage_gaps
        if change.kind is GapKind.COMMAND and ".data." not in f".{change.address}"
    ]
    if out_of_scope := list_out_of_scope(only, addresses):
        return ReviewGate(
            "scope", Level.STOP, f"changes more than {' and '.join(only)}: {summarize_addresses(out_of_scope)}"
        )
    return ReviewGate("scope", None, f"changes only {' and '.join(only)}")


def _build_risk_gate(name: str, risks: list[RiskAssessment]) -> ReviewGate:
    return _build_gate(name, [assessment.level for assessment in risks])


def _build_rules_gate(findings: Sequence[FindingAssessment]) -> ReviewGate:
    """Return the gate of the rules.

    Findings without an outcome count once per resource. Findings that the apply settles are counted apart.
    """
    leveled_findings = [(assessment, assessment.level) for assessment in findings if not assessment.until_apply]
    undecided = {
        assessment.finding.address
        for assessment, level in leveled_findings
        if level is Level.LOOK and assessment.is_open
    }
    after_apply = len(findings) - len(leveled_findings)
    levels = [
        level
        for assessment, level in leveled_findings
        if not (assessment.is_open and assessment.finding.address in undecided)
    ]
    parts = [
        _format_counts([level for level in levels if level is not Level.NOTE]),
        f"{format_number_of(len(undecided), 'resource')} undecided" if undecided else "",
        _format_counts([level for level in levels if level is Level.NOTE]),
        f"{after_apply} known only after apply" if after_apply else "",
    ]
    worst_level = _find_worst([*levels, *[Level.LOOK] * len(undecided), *[Level.NOTE] * after_apply])
    return ReviewGate("rules", worst_level, ", ".join(filter(None, parts)) or "nothing found")


def _build_budgets_gate(budgets: Sequence[BudgetResult]) -> ReviewGate:
    levels = [result.level for result in budgets if result.level is not None]
    return _build_gate("budgets", levels, "all within limits")


def _build_limit_gate(increase: CostIncrease, fail_on: frozenset[str]) -> ReviewGate:
    level = Level.STOP if "limit" in fail_on else Level.LOOK
    return ReviewGate("limit", level if increase.is_over else None, increase.summary)


def _build_checkov_gate(result: "CheckovResult") -> ReviewGate:
    levels = [Level.STOP] * len(result.failed) + [Level.NOTE] * len(result.explained)
    return _build_gate("checkov", levels, f"{result.passed} passed")


def _build_gate(name: str, levels: list[Level], nothing: str = "nothing found") -> ReviewGate:
    return ReviewGate(name, _find_worst(levels), _format_counts(levels) or nothing)


def _find_worst(levels: list[Level]) -> Level | None:
    return next((level for level in Level if level in levels), None)


def _format_counts(levels: list[Level]) -> str:
    words = {Level.STOP: "to stop", Level.LOOK: "to look at", Level.NOTE: "for the record"}
    return ", ".join(f"{number} {words[level]}" for level in Level if (number := levels.count(level)))
