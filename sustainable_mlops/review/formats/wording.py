"""Texts that all report formats share."""

from collections.abc import Sequence

from sustainable_mlops.footprint.figures import FootprintFigure, format_number
from sustainable_mlops.review.assessment import RiskAssessment
from sustainable_mlops.review.budgets import BudgetResult, BudgetStatus
from sustainable_mlops.review.coverage_gaps import CoverageGap
from sustainable_mlops.review.review import Review, ReviewVerdict
from sustainable_mlops.review.risk import Level

#: Maximum length of a text in reports for people; the JSON report has the full text.
_MAX_LENGTH = 700

GATE_TITLES = {
    "scope": "Scope",
    "data": "Data at risk",
    "privileges": "Privileges",
    "safeguards": "Safeguards",
    "rules": "Policies",
    "coverage": "Coverage gaps",
    "budgets": "Budgets",
    "checkov": "checkov",
}
#: The verdicts, the worst last.
VERDICT_ORDER = (ReviewVerdict.FINE, ReviewVerdict.LOOK, ReviewVerdict.STOP)
METHOD = (
    "Figures are estimates for a month of 730 hours: expected (low to high). Carbon is operational carbon with the "
    "average intensity of the grid (location-based) plus embodied carbon. Class A uses measured or specified inputs, "
    "class B derived inputs, and class C assumptions. 1 / 2 / 4 machines means least / expected / most."
)


def shorten(text: str, longest: int = _MAX_LENGTH) -> str:
    """Return `text` in one line. A long text keeps its start and its end, which may contain the consequence."""
    if len(text) > longest:
        end = longest // 3
        text = f"{text[: longest - end - 1]}…{text[-end:]}"
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else " " for character in text)


def format_change(value: float) -> str:
    """Return a change with its sign."""
    return f"+{format_number(value)}" if value > 0 else f"-{format_number(-value)}" if value < 0 else "0"


def format_interval(figure: FootprintFigure | None, *, change: bool = False) -> str:
    """Return `12 (5 to 40)`, or `unknown`."""
    if figure is None:
        return "unknown"
    format_value = format_change if change else format_number
    if figure.low == figure.high:
        return format_value(figure.central)
    return f"{format_value(figure.central)} ({format_value(figure.low)} to {format_value(figure.high)})"


def format_central(figure: FootprintFigure | None) -> str:
    """Return the expected value."""
    return "unknown" if figure is None else format_number(figure.central)


def format_headline(*reviews: Review) -> str:
    """Return the verdict and its reasons in one line; for several plans, the worst verdict and its plans."""
    worst_verdict = max((review.verdict for review in reviews), key=VERDICT_ORDER.index)
    worst_reviews = [review for review in reviews if review.verdict is worst_verdict]
    location = f" in {join_names([shorten(review.name, 60) for review in worst_reviews])}" if len(reviews) > 1 else ""
    if worst_verdict is ReviewVerdict.FINE:
        plan_count = f" in any of {len(reviews)} plans" if location else ""
        return f"Fine: no gate failed{plan_count} and there is nothing to look at"
    reasons = {name for review in worst_reviews for name in _list_reasons(review)}
    names = ", ".join(sorted(reasons, key=list(map(_get_title, GATE_TITLES)).index))
    if worst_verdict is ReviewVerdict.STOP:
        return f"Stop{location}: {names or 'something is unknown before apply, or was not reviewed'}"
    return f"Look: no gate failed, but look at {names or 'the limitations of the review'}{location}"


def _list_reasons(review: Review) -> list[str]:
    """Return the titles of the gates behind the verdict. A gate that is turned off still needs attention."""
    failed = [gate for gate in review.gates if gate.level is Level.STOP and gate.name in review.fail_on]
    others = [gate for gate in review.gates if gate.level in (Level.STOP, Level.LOOK)]
    return [_get_title(gate.name) for gate in (failed if review.verdict is ReviewVerdict.STOP else others)]


def _get_title(gate: str) -> str:
    return GATE_TITLES[gate].lower()


def join_names(names: Sequence[str], most: int = 3) -> str:
    """Return the first names and the number of the others: `dev, prod and 4 more`."""
    rest = len(names) - most
    return f"{', '.join(names[:most])} and {rest} more" if rest > 0 else ", ".join(names)


def format_shared_count(number: int) -> str:
    """Return a note about items of a plan that are listed among the common ones."""
    items_are = "item to stop or look at is" if number == 1 else "items to stop or look at are"
    return f"{number} {items_are} listed above, under several plans."


def format_risk(assessment: RiskAssessment) -> str:
    """Return the description of a risk and its acceptance."""
    text = assessment.risk.description
    if assessment.acceptance:
        text += f". Accepted until {assessment.acceptance.until}: {assessment.acceptance.reason}"
    if assessment.expired_acceptance:
        text += f". Was accepted until {assessment.expired_acceptance.until}: {assessment.expired_acceptance.reason}"
    return text


def format_coverage_gap(gap: CoverageGap) -> str:
    """Return the kind and the description of a coverage gap."""
    return f"{gap.kind}: {gap.description}"


def format_baseline_count(number: int) -> str:
    """Return the number of findings in the baseline."""
    return f"{number} {'finding' if number == 1 else 'findings'} in the baseline"


def format_budget(result: BudgetResult) -> str:
    """Return the result of a budget in one line."""
    if result.status is BudgetStatus.NOTHING:
        return "it covers no resource of this plan"
    if result.value is None:
        return f"undecided: no covered resource has an estimate; the limit is {result.allowed:,g} {result.unit}"
    bound = " (upper bound)" if result.uses_high_end else ""
    amount = f"{format_number(result.value)} {result.unit}{bound}"
    limit = f"the limit of {result.allowed:,g} {result.unit}"
    if result.status is BudgetStatus.OVER:
        return f"{amount} exceeds {limit}"
    if result.status is BudgetStatus.WITHIN:
        return f"{amount}, within {limit}"
    return f"undecided: {_describe_unestimated(result)}; the rest is {amount}, within {limit}"


def _describe_unestimated(result: BudgetResult) -> str:
    """Return the resources that the budget does not count in full."""
    if not result.is_complete and not result.unknown:
        return "the plan is incomplete"
    names = [shorten(address, 80) for address in result.unknown]
    return f"{join_names(names, 2)} without a full estimate"
