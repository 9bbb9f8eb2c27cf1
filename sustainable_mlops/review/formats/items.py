"""Report items: the single statements of a review, grouped by section and topic."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from sustainable_mlops import rules
from sustainable_mlops.base.wording import format_number_of
from sustainable_mlops.review.acceptances import format_entries
from sustainable_mlops.review.assessment import FindingAssessment, RiskAssessment
from sustainable_mlops.review.baseline import KNOWN_BEFORE
from sustainable_mlops.review.budgets import BudgetStatus
from sustainable_mlops.review.formats.wording import (
    COST_LIMIT_FIX,
    GATE_TITLES,
    format_budget,
    format_coverage_gap,
    format_risk,
)
from sustainable_mlops.review.review import Review
from sustainable_mlops.review.risk import Level, RiskArea

#: Maximum number of named rules without an outcome on one resource; the JSON report has all of them.
_MAX_RULES = 5
#: Maximum number of named reasons.
_MAX_REASONS = 3
#: A topic with more rules is folded, so that the effects of the change stay near the top.
_MAX_UNFOLDED = 3
_TOPICS = {area: GATE_TITLES[area] for area in RiskArea}
UNDECIDED = "Undecided"
FIX_CODE = "Terraform code to paste; … stands for your other arguments"
_ORDER = {level: number for number, level in enumerate(Level)}


class ReportSection(StrEnum):
    """A section of the report, in this order; the value is its title."""

    STOP = "Reasons to stop"
    LOOK = "Look at"
    UNTOUCHED = "Rules on unchanged resources"
    RECORD = "For the record"
    BASELINE = "In the baseline"
    UNCOUNTED = "Without an estimate"
    ASSUMPTIONS = "Assumptions"


class ReportItem(NamedTuple):
    """One statement of the report about one resource."""

    section: ReportSection
    topic: str
    level: Level
    label: str  # severity or status in one word
    address: str  # resource; empty for an item about no resource
    text: str
    fix: str = ""  # remedy; only `code` is markup
    title: str = ""  # problem that the rule found
    id: str = ""  # ID of the rule or check
    source: str = ""  # guideline of the rule, or the rules without an outcome
    path: str = ""  # attribute path inside the resource
    plans: tuple[str, ...] = ()  # plans with this item, unless it is all plans


class ItemGroup(NamedTuple):
    """Items of one rule at one level, or of one coverage gap, which are rendered together.

    Any other item forms its own group.
    """

    first: ReportItem
    items: tuple[ReportItem, ...]

    @property
    def addresses(self) -> tuple[str, ...]:
        """The distinct addresses of the items."""
        return tuple(dict.fromkeys(item.address for item in self.items if item.address))


def list_items(review: Review) -> list[ReportItem]:
    """Return all statements of the review except figures and changes, in the order of topics."""
    return [
        *(_build_risk_item(assessment, review) for assessment in review.risks),
        *_list_gap_items(review),
        *_list_finding_items(review),
        *_list_budget_items(review),
        *_list_checkov_items(review),
        *_list_figure_items(review),
    ]


def group_by_section(items: Iterable[ReportItem]) -> dict[ReportSection, list[ReportItem]]:
    """Return the items by section, the most serious first."""
    items_by_section: dict[ReportSection, list[ReportItem]] = {section: [] for section in ReportSection}
    for item in items:
        items_by_section[item.section].append(item)
    return {
        section: sorted(section_items, key=lambda item: _ORDER[item.level])
        for section, section_items in items_by_section.items()
    }


def group_by_topic(items: Sequence[ReportItem]) -> dict[str, list[ItemGroup]]:
    """Return the items of one section by topic, with items of one rule grouped."""
    gates = (GATE_TITLES[gate] for gate in ("budgets", "limit", "coverage"))
    first = (*_TOPICS.values(), *gates, UNDECIDED)
    by_topic: dict[str, dict[object, list[ReportItem]]] = {topic: {} for topic in first}
    for number, item in enumerate(items):
        key = _get_group_key(item) or number
        by_topic.setdefault(item.topic, {}).setdefault(key, []).append(item)
    return {
        topic: [ItemGroup(topic_items[0], tuple(topic_items)) for topic_items in groups.values()]
        for topic, groups in by_topic.items()
        if groups
    }


def _get_group_key(item: ReportItem) -> object:
    """Return the key of the group of an item: one rule, or one coverage gap of many resources."""
    if item.title:
        return item.level, item.label, item.id
    return item._replace(address="") if item.topic == GATE_TITLES["coverage"] else None


def get_fold_title(section: ReportSection, topic: str, groups: Sequence[ItemGroup]) -> str:
    """Return the title for folding a topic with too many rules, or an empty text if it stays open."""
    if section is not ReportSection.LOOK or not groups[0].first.id or len(groups) <= _MAX_UNFOLDED:
        return ""
    resources = len({item.address for group in groups for item in group.items})
    return f"{topic}: {format_number_of(len(groups), 'rule')} on {format_number_of(resources, 'resource')}"


def list_fix_codes(items: Iterable[ReportItem]) -> dict[str, list[str]]:
    """Return the Terraform code for the rules of the items, each with the IDs of its rules."""
    codes: dict[str, list[str]] = {}
    for rule_id in dict.fromkeys(item.id for item in items if item.topic == GATE_TITLES["rules"]):
        if code := rules.BY_ID[rule_id].fix_code:
            codes.setdefault(code, []).append(rule_id)
    return codes


def summarize(title: str, items: Sequence[ReportItem]) -> str:
    """Return a title with the number of items and of the serious ones."""
    words = {Level.STOP: "to stop", Level.LOOK: "to look at"}
    counts = [
        f"{number} {label}" for level, label in words.items() if (number := sum(item.level is level for item in items))
    ]
    serious = f" ({', '.join(counts)})" if counts else ""
    return f"{title}: {len(items)}{serious}"


def summarize_until_apply(review: Review) -> str:
    """Return the number of findings that only the apply settles, in one line; empty if there are none."""
    findings = [assessment.finding for assessment in review.findings if assessment.until_apply]
    if not findings:
        return ""
    rule_count = format_number_of(len({finding.rule for finding in findings}), "rule")
    resource_count = format_number_of(len({finding.address for finding in findings}), "resource")
    return f"The outcome of {rule_count} on {resource_count} is known only after this apply"


def _choose_section(level: Level, gate: str, review: Review, *, is_open: bool = False) -> tuple[ReportSection, Level]:
    """Return the section and the level of an item; items of a gate that is turned off only need attention."""
    if is_open and "unknown" in review.fail_on:
        return ReportSection.STOP, Level.STOP
    if level is Level.NOTE:
        return ReportSection.RECORD, level
    return (ReportSection.STOP if level is Level.STOP and gate in review.fail_on else ReportSection.LOOK), level


def list_acceptance_lines(review: Review) -> list[str]:
    """Return the lines of a file that accepts the risks that stop the plan; empty if there are none."""
    sections = ((one, _choose_section(one.level, str(one.risk.area), review)[0]) for one in review.risks)
    return format_entries(one.risk for one, section in sections if section is ReportSection.STOP)


def _build_risk_item(assessment: RiskAssessment, review: Review) -> ReportItem:
    risk = assessment.risk
    section, level = _choose_section(assessment.level, str(risk.area), review, is_open=assessment.is_open)
    fix = "" if assessment.acceptance else risk.fix
    return ReportItem(section, _TOPICS[risk.area], level, str(level), risk.address, format_risk(assessment), fix)


def _list_gap_items(review: Review) -> Iterator[ReportItem]:
    for gap in review.coverage_gaps:
        section, level = _choose_section(gap.level, "coverage", review, is_open=gap.level is Level.LOOK)
        section = ReportSection.BASELINE if gap.in_baseline else section
        yield ReportItem(section, GATE_TITLES["coverage"], level, str(level), gap.address, format_coverage_gap(gap))


def _list_finding_items(review: Review) -> Iterator[ReportItem]:
    undecided_by_address: dict[str, list[FindingAssessment]] = {}
    for assessment in review.findings:
        if assessment.until_apply:
            continue
        if assessment.is_open:
            undecided_by_address.setdefault(assessment.finding.address, []).append(assessment)
            continue
        section, level = _choose_section(assessment.level, "rules", review)
        section = (
            ReportSection.BASELINE
            if assessment.in_baseline
            else section
            if assessment.is_touched
            else ReportSection.UNTOUCHED
        )
        label = "waived" if assessment.finding.outcome is rules.Outcome.WAIVED else str(level)
        yield _build_finding_item(assessment, section, level, label)
    for address, undecided in undecided_by_address.items():
        yield _build_undecided_item(address, undecided, review)


def _build_finding_item(assessment: FindingAssessment, section: ReportSection, level: Level, label: str) -> ReportItem:
    finding, rule = assessment.finding, assessment.rule
    fields = (finding.address, finding.message, rule.fix, rule.problem, rule.id, _get_guideline(rule.id), finding.path)
    return ReportItem(section, GATE_TITLES["rules"], level, label, *fields)


@cache
def _get_guideline(rule: str) -> str:
    return rules.BY_ID[rule].guideline


def _build_undecided_item(address: str, assessments: Sequence[FindingAssessment], review: Review) -> ReportItem:
    """Return one item for all rules without an outcome on a resource: one unknown value can affect many rules."""
    worst = Level.LOOK if any(assessment.level is Level.LOOK for assessment in assessments) else Level.NOTE
    section, level = _choose_section(worst, "rules", review, is_open=True)
    section = section if any(assessment.is_touched for assessment in assessments) else ReportSection.UNTOUCHED
    reasons = list(dict.fromkeys(assessment.finding.message for assessment in assessments))
    ids = list(dict.fromkeys(assessment.finding.rule for assessment in assessments))
    text = _join_first(reasons, _MAX_REASONS, "; ")
    source = f"{format_number_of(len(ids), 'rule')}: {_join_first(ids, _MAX_RULES, ', ')}"
    return ReportItem(section, UNDECIDED, level, UNDECIDED.lower(), address, text, source=source)


def _join_first(texts: Sequence[str], most: int, by: str) -> str:
    rest = len(texts) - most
    return by.join(texts[:most]) + (f"{by}and {rest} more" if rest > 0 else "")


def _list_budget_items(review: Review) -> Iterator[ReportItem]:
    for result in review.budgets:
        if result.level is not None and result.status is not BudgetStatus.NOTHING:
            section, level = _choose_section(
                result.level, "budgets", review, is_open=result.status is BudgetStatus.UNKNOWN
            )
            text = f"{result.budget}, {result.description}: {format_budget(result)}"
            yield ReportItem(section, GATE_TITLES["budgets"], level, str(level), "", text)
    if review.cost_increase is not None and review.cost_increase.is_over:
        gate = next(gate for gate in review.gates if gate.name == "limit")
        section, level = _choose_section(gate.level or Level.LOOK, "limit", review)
        yield ReportItem(section, GATE_TITLES["limit"], level, str(level), "", gate.text, COST_LIMIT_FIX)


def _list_checkov_items(review: Review) -> Iterator[ReportItem]:
    checkov_result = review.checkov_result
    for check in (*checkov_result.failed, *checkov_result.explained) if checkov_result is not None else ():
        section, level = _choose_section(Level.NOTE if check.reason else Level.STOP, "checkov", review)
        section = ReportSection.BASELINE if check.reason == KNOWN_BEFORE else section
        text = f"{check.name}: {check.reason}" if check.reason else check.name
        yield ReportItem(section, GATE_TITLES["checkov"], level, str(level), check.address, text, id=check.check)


def _list_figure_items(review: Review) -> Iterator[ReportItem]:
    """Yield the resources without an estimate, and the assumptions of the figures."""
    for address, unknown in review.footprint.unknowns:
        description = unknown.describe(address)
        yield ReportItem(ReportSection.UNCOUNTED, ReportSection.UNCOUNTED, Level.NOTE, "-", address, description)
    if billed_by_usage := review.footprint.billed_by_usage:
        types = ", ".join(f"{number} {type_}" for type_, number in sorted(billed_by_usage.items()))
        description = f"billed by usage; a plan does not contain the usage: {types}"
        yield ReportItem(ReportSection.UNCOUNTED, ReportSection.UNCOUNTED, Level.NOTE, "-", "", description)
    for description in dict.fromkeys((*review.footprint.after.assumptions, *review.footprint.before.assumptions)):
        yield ReportItem(ReportSection.ASSUMPTIONS, ReportSection.ASSUMPTIONS, Level.NOTE, "-", "", description)
