"""Texts that all report formats share."""

from collections.abc import Sequence

from sustainable_mlops.base.wording import format_number_of
from sustainable_mlops.footprint.figures import (
    FootprintFigure,
    format_amount,
    format_compared,
    format_consistent_pair,
    format_number,
)
from sustainable_mlops.review.assessment import RiskAssessment
from sustainable_mlops.review.budgets import BudgetResult, BudgetStatus
from sustainable_mlops.review.coverage_gaps import CoverageGap
from sustainable_mlops.review.review import Review, ReviewGate, ReviewVerdict
from sustainable_mlops.review.risk import Risk

#: Maximum length of a text in reports for people; the JSON report has the full text.
_MAX_LENGTH = 700

#: The gates in the order of a headline: like the topics below it, what costs money comes before rules.
GATE_TITLES = {
    "scope": "Scope",
    "data": "Data at risk",
    "privileges": "Privileges",
    "safeguards": "Safeguards",
    "budgets": "Budgets",
    "limit": "Cost increase",
    "rules": "Rules",
    "coverage": "Coverage gaps",
    "checkov": "checkov",
}
ACCEPTANCE = "To accept these risks, give the reasons in a file for --accepted:"
COST_LIMIT_FIX = "Check that this cost is intended; `--limit` sets the limit."
#: The verdicts, the worst last.
VERDICT_ORDER = (ReviewVerdict.FINE, ReviewVerdict.LOOK, ReviewVerdict.STOP)
METHOD = (
    "Figures are estimates for a month of 730 hours: expected (low to high). Carbon is operational carbon with the "
    "average intensity of the grid (location-based) plus embodied carbon. Class A uses inputs that were measured, "
    "stated by the manufacturer or given by you, class B derived inputs, and class C assumptions. "
    "`1 / 2 / 4 instances`: minimum, expected and maximum number."
)


def list_shown_gates(review: Review) -> list[ReviewGate]:
    """Return the gates that a report shows. It omits the cost limit if it is not exceeded."""
    return [gate for gate in review.gates if gate.name != "limit" or gate.level is not None]


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


def format_saving(kg: FootprintFigure | None, usd: FootprintFigure | None) -> str:
    """Return the carbon and the cost that an alternative saves a month, or the cost that it adds."""
    cost = format_cost_saving(usd)
    end = f" and {cost.removeprefix('saves ')}" if cost.startswith("saves ") else f", {cost}"
    return f"saves {format_interval(kg)} kgCO2e{end}"


def format_cost_saving(usd: FootprintFigure | None) -> str:
    """Return `saves 12 (5 to 40) USD`, `costs 12 (5 to 40) USD more`, `same cost` or `cost unknown`."""
    if usd is None:
        return "cost unknown"
    if usd.low == usd.high == 0:
        return "same cost"
    if usd.central < 0:
        return f"costs {format_interval(usd.multiply(-1))} USD more"
    return f"saves {format_interval(usd)} USD"


def format_before_after(before: FootprintFigure | None, after: FootprintFigure | None, unit: str) -> str:
    """Return `12 → 15 USD`, or `USD unknown` if neither is known."""
    if before is None and after is None:
        return f"{unit} unknown"
    return f"{format_pair(before, after)} {unit}"


def format_pair(before: FootprintFigure | None, after: FootprintFigure | None, *, interval: bool = False) -> str:
    """Return `12 → 15`; with `interval`, also the bounds after the plan: `12 → 15 (10 to 30)`."""
    if before is None or after is None:
        return f"{format_central(before)} → {format_interval(after) if interval else format_central(after)}"
    text = " → ".join(format_consistent_pair(before.central, after.central))
    has_bounds = interval and after.low != after.high
    return f"{text} ({format_number(after.low)} to {format_number(after.high)})" if has_bounds else text


def join_names(names: Sequence[str], most: int = 3) -> str:
    """Return the first names and the number of the others: `dev, prod and 4 more`."""
    rest = len(names) - most
    return f"{', '.join(names[:most])} and {rest} more" if rest > 0 else ", ".join(names)


def format_shared_count(number: int) -> str:
    """Return a note about items of a plan that are listed among the common ones."""
    items_are = "item to stop or look at is" if number == 1 else "items to stop or look at are"
    return f"{number} {items_are} listed above, under several plans."


def format_description(risk: Risk) -> str:
    """Return the description without the address of the risk, which the formats print before it."""
    for start in ("", "new: "):
        if risk.description.startswith(f"{start}{risk.address}: "):
            return start + risk.description.removeprefix(f"{start}{risk.address}: ")
    return risk.description


def format_risk(assessment: RiskAssessment) -> str:
    """Return the description of a risk and its acceptance."""
    text = format_description(assessment.risk)
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
    return f"{format_number_of(number, 'finding')} in the baseline"


def format_budget(result: BudgetResult) -> str:
    """Return the result of a budget in one line."""
    if result.status is BudgetStatus.NOTHING:
        return "it covers no resource of this plan"
    if result.value is None:
        allowed = f"{format_amount(result.allowed)} {result.unit}"
        return f"undecided: no covered resource has an estimate; the limit is {allowed}"
    bound = " (upper bound)" if result.uses_high_end else ""
    amount = f"{format_compared(result.value, result.allowed)} {result.unit}{bound}"
    limit = f"the limit of {format_amount(result.allowed)} {result.unit}"
    if result.status is BudgetStatus.OVER:
        return f"{amount} exceeds {limit}"
    if result.status is BudgetStatus.OVER_BEFORE:
        return f"{amount} exceeded {limit} before this change, which does not add to it"
    if result.status is BudgetStatus.OVER_ELSEWHERE:
        return f"{amount} exceeds {limit}; the excess comes from {join_names(result.added_by)}, not from this plan"
    if result.status is BudgetStatus.WITHIN:
        return f"{amount}, within {limit}"
    return f"undecided: {_describe_unestimated(result)}; the rest is {amount}, within {limit}"


def _describe_unestimated(result: BudgetResult) -> str:
    """Return the resources that the budget does not count in full."""
    if not result.is_complete and not result.unknown:
        return "the plan is incomplete"
    names = [shorten(address, 80) for address in result.unknown]
    return f"{join_names(names, 2)} without a full estimate"
