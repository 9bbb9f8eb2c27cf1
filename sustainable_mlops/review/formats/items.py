"""All that a review says, as single statements, sorted by what a reader does with them."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from sustainable_mlops import rules
from sustainable_mlops.review.assessment import FindingAssessment, RiskAssessment
from sustainable_mlops.review.baseline import KNOWN_BEFORE
from sustainable_mlops.review.budgets import BudgetStatus
from sustainable_mlops.review.formats.wording import GATE_TITLES, format_budget, format_coverage_gap, format_risk
from sustainable_mlops.review.review import Review
from sustainable_mlops.review.risk import Level, RiskArea

#: So many rules are named of those that cannot be told on one resource; the JSON has them all.
_MOST_RULES = 5
#: So many of the different reasons.
_MOST_REASONS = 3
#: More rules than these to look at are folded, so that what the change does is not far below.
_MOST_OPEN = 3
_TOPICS = {RiskArea.DATA: "Data at risk", RiskArea.PRIVILEGES: "Privileges widened"}
_POLICIES = "Policies"
CANNOT_TELL = "Cannot tell"
_ORDER = {level: number for number, level in enumerate(Level)}


class ReportSection(StrEnum):
    """Where a reader finds a statement, in this order; each is the title there."""

    STOP = "What stops it"
    LOOK = "What to look at"
    UNTOUCHED = "Policies on what this plan leaves alone"
    RECORD = "For the record"
    BASELINE = "There before (baseline)"
    UNCOUNTED = "Not counted"
    ASSUMPTIONS = "Assumptions"


class ReportItem(NamedTuple):
    """One statement about one place."""

    section: ReportSection
    topic: str
    level: Level
    label: str  # how serious, in a word
    address: str  # of what; empty where it is of no resource
    text: str
    fix: str = ""  # what to do; `code` is marked
    title: str = ""  # the rule as a statement that holds where it is kept
    id: str = ""  # of the rule or check
    source: str = ""  # what the rule is of, or which rules it leaves open
    path: str = ""  # the place inside the resource
    plans: tuple[str, ...] = ()  # those that it is true of, where it is not true of all that are spoken of


class ItemGroup(NamedTuple):
    """Points of one rule at one level, which are shown together; any other point is a group of its own."""

    first: ReportItem
    items: tuple[ReportItem, ...]


def list_items(review: Review) -> list[ReportItem]:
    """Everything that the review says but the figures and the changes, in the order of topics."""
    return [
        *(_risk(one, review) for one in review.risks),
        *_unseen(review),
        *_findings(review),
        *_budgets(review),
        *_checkov(review),
        *_figures(review),
    ]


def group_by_section(found: Iterable[ReportItem]) -> dict[ReportSection, list[ReportItem]]:
    """By where they are found, the most serious first."""
    places: dict[ReportSection, list[ReportItem]] = {place: [] for place in ReportSection}
    for point in found:
        places[point.section].append(point)
    return {place: sorted(its, key=lambda point: _ORDER[point.level]) for place, its in places.items()}


def group_by_topic(found: Sequence[ReportItem]) -> dict[str, list[ItemGroup]]:
    """The points of one place by topic, those of a rule together."""
    first = (*_TOPICS.values(), GATE_TITLES["unseen"], CANNOT_TELL)
    by_topic: dict[str, dict[object, list[ReportItem]]] = {topic: {} for topic in first}
    for number, point in enumerate(found):
        key = (point.level, point.label, point.id) if point.title else number
        by_topic.setdefault(point.topic, {}).setdefault(key, []).append(point)
    return {
        topic: [ItemGroup(its[0], tuple(its)) for its in groups.values()]
        for topic, groups in by_topic.items()
        if groups
    }


def get_fold_title(place: ReportSection, topic: str, groups: Sequence[ItemGroup]) -> str:
    """The title under which a topic is folded, where it has too many rules to look at; empty where it has not."""
    if place is not ReportSection.LOOK or not groups[0].first.id or len(groups) <= _MOST_OPEN:
        return ""
    resources = len({point.address for group in groups for point in group.items})
    return f"{topic}: {_several(len(groups), 'rule')} on {_several(resources, 'resource')}"


def summarize(title: str, found: Sequence[ReportItem]) -> str:
    """A title with how many there are, and how serious those are that are not only for the record."""
    words = {Level.STOP: "to stop", Level.LOOK: "to look at"}
    counts = [f"{number} {word}" for level, word in words.items() if (number := sum(p.level is level for p in found))]
    serious = f" ({', '.join(counts)})" if counts else ""
    return f"{title}: {len(found)}{serious}"


def summarize_until_apply(review: Review) -> str:
    """How much can only be told after the apply, in one line; empty where nothing is left open."""
    found = [one.finding for one in review.findings if one.until_apply]
    if not found:
        return ""
    rules_, resources = len({one.rule for one in found}), len({one.address for one in found})
    return f"{_several(rules_, 'rule')} on {_several(resources, 'resource')} can be told only after this apply"


def _several(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _judged(level: Level, gate: str, review: Review, *, is_open: bool = False) -> tuple[ReportSection, Level]:
    """Where something is found, and how serious it is there. A gate that is off stops nothing, and is to look at."""
    if is_open and "unknown" in review.fail_on:
        return ReportSection.STOP, Level.STOP
    if level is Level.NOTE:
        return ReportSection.RECORD, level
    return (ReportSection.STOP if level is Level.STOP and gate in review.fail_on else ReportSection.LOOK), level


def _risk(one: RiskAssessment, review: Review) -> ReportItem:
    risk = one.risk
    place, level = _judged(one.level, str(risk.area), review, is_open=one.is_open)
    fix = "" if one.acceptance else risk.fix
    return ReportItem(place, _TOPICS[risk.area], level, str(level), risk.address, format_risk(one), fix)


def _unseen(review: Review) -> Iterator[ReportItem]:
    for one in review.coverage_gaps:
        place, level = _judged(one.level, "unseen", review, is_open=one.level is Level.LOOK)
        place = ReportSection.BASELINE if one.in_baseline else place
        yield ReportItem(place, GATE_TITLES["unseen"], level, str(level), one.address, format_coverage_gap(one))


def _findings(review: Review) -> Iterator[ReportItem]:
    untold: dict[str, list[FindingAssessment]] = {}
    for one in review.findings:
        level = one.level
        if one.until_apply:
            continue
        if one.is_open:
            untold.setdefault(one.finding.address, []).append(one)
            continue
        place, level = _judged(level, "rules", review)
        place = ReportSection.BASELINE if one.in_baseline else place if one.is_touched else ReportSection.UNTOUCHED
        word = "waived" if one.finding.outcome is rules.Outcome.WAIVED else str(level)
        yield _of_rule(one, place, level, word)
    for address, several in untold.items():
        yield _untold(address, several, review)


def _of_rule(one: FindingAssessment, place: ReportSection, level: Level, word: str) -> ReportItem:
    finding, rule = one.finding, one.rule
    told = (finding.address, finding.message, rule.fix, rule.title, rule.id, _guideline(rule.id), finding.path)
    return ReportItem(place, _POLICIES, level, word, *told)


@cache
def _guideline(rule: str) -> str:
    return rules.BY_ID[rule].guideline


def _untold(address: str, several: Sequence[FindingAssessment], review: Review) -> ReportItem:
    """One thing that is not known, such as a pipeline's definition, leaves many rules open."""
    worst = Level.LOOK if any(one.level is Level.LOOK for one in several) else Level.NOTE
    place, level = _judged(worst, "rules", review, is_open=True)
    place = place if any(one.is_touched for one in several) else ReportSection.UNTOUCHED
    reasons = list(dict.fromkeys(one.finding.message for one in several))
    ids = list(dict.fromkeys(one.finding.rule for one in several))
    text = _cut(reasons, _MOST_REASONS, "; ")
    source = f"{_several(len(ids), 'rule')}: {_cut(ids, _MOST_RULES, ', ')}"
    return ReportItem(place, CANNOT_TELL, level, CANNOT_TELL.lower(), address, text, source=source)


def _cut(texts: Sequence[str], most: int, by: str) -> str:
    rest = len(texts) - most
    return by.join(texts[:most]) + (f"{by}and {rest} more" if rest > 0 else "")


def _budgets(review: Review) -> Iterator[ReportItem]:
    levels = {BudgetStatus.OVER: Level.STOP, BudgetStatus.UNKNOWN: Level.LOOK}
    for one in review.budgets:
        if one.status in levels:
            place, level = _judged(levels[one.status], "budgets", review, is_open=one.status is BudgetStatus.UNKNOWN)
            text = f"{one.budget}, {one.description}: {format_budget(one)}"
            yield ReportItem(place, GATE_TITLES["budgets"], level, str(level), "", text)


def _checkov(review: Review) -> Iterator[ReportItem]:
    found = review.checkov_result
    for one in (*found.failed, *found.explained) if found is not None else ():
        place, level = _judged(Level.NOTE if one.reason else Level.STOP, "checkov", review)
        place = ReportSection.BASELINE if one.reason == KNOWN_BEFORE else place
        text = f"{one.name}: {one.reason}" if one.reason else one.name
        yield ReportItem(place, GATE_TITLES["checkov"], level, str(level), one.address, text, id=one.check)


def _figures(review: Review) -> Iterator[ReportItem]:
    """What is counted nowhere, and what the figures rest on."""
    for address, unknown in review.footprint.unknowns:
        text = f"{unknown.subject}: {unknown.reason}"
        yield ReportItem(ReportSection.UNCOUNTED, ReportSection.UNCOUNTED, Level.NOTE, "-", address, text)
    for text in dict.fromkeys((*review.footprint.after.assumptions, *review.footprint.before.assumptions)):
        yield ReportItem(ReportSection.ASSUMPTIONS, ReportSection.ASSUMPTIONS, Level.NOTE, "-", "", text)
