"""The words in which all formats for people say the same."""

from collections.abc import Sequence

from sustainable_mlops.footprint.figures import FootprintFigure, format_number
from sustainable_mlops.review.assessment import RiskAssessment
from sustainable_mlops.review.budgets import BudgetResult, BudgetStatus
from sustainable_mlops.review.coverage_gaps import CoverageGap
from sustainable_mlops.review.review import Review, ReviewVerdict
from sustainable_mlops.review.risk import Level

#: Longer texts are cut in reports for people; the JSON has all of it.
_LONGEST = 700

GATE_TITLES = {
    "only": "Scope",
    "data": "Data at risk",
    "privileges": "Privileges",
    "rules": "Policies",
    "unseen": "Not seen",
    "budgets": "Budgets",
    "checkov": "checkov's checks",
}
#: The verdicts, the worst last.
VERDICT_ORDER = (ReviewVerdict.FINE, ReviewVerdict.LOOK, ReviewVerdict.STOP)
METHOD = (
    "Figures are estimates for a month of 730 hours: expected (low to high). Carbon is operational by the grid's "
    "average (location-based) plus embodied. Class A rests on measured or given inputs, B on derived ones, C on "
    "assumptions. Of machines, 1 / 2 / 4 are the least, expected and most."
)


def shorten(text: str, longest: int = _LONGEST) -> str:
    """`text` in one line; of a long one its start and its end, where what follows from it may stand."""
    if len(text) > longest:
        end = longest // 3
        text = f"{text[: longest - end - 1]}…{text[-end:]}"
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else " " for character in text)


def format_change(value: float) -> str:
    """A change, with its sign."""
    return f"+{format_number(value)}" if value > 0 else f"-{format_number(-value)}" if value < 0 else "0"


def format_interval(figure: FootprintFigure | None, *, change: bool = False) -> str:
    """`12 (5 to 40)`, or that it is unknown."""
    if figure is None:
        return "unknown"
    say = format_change if change else format_number
    if figure.low == figure.high:
        return say(figure.central)
    return f"{say(figure.central)} ({say(figure.low)} to {say(figure.high)})"


def format_central(figure: FootprintFigure | None) -> str:
    """The expected value alone."""
    return "unknown" if figure is None else format_number(figure.central)


def format_headline(*reviews: Review) -> str:
    """The verdict and what it is for, in one line; of several plans, the worst and whose it is."""
    worst = max((one.verdict for one in reviews), key=VERDICT_ORDER.index)
    concerned = [one for one in reviews if one.verdict is worst]
    where = f" in {join_names([shorten(one.name, 60) for one in concerned])}" if len(reviews) > 1 else ""
    if worst is ReviewVerdict.FINE:
        every = f" in any of {len(reviews)} plans" if where else ""
        return f"Fine: no gate failed{every} and nothing is left to look at"
    reasons = {name for one in concerned for name in _reasons(one)}
    names = ", ".join(sorted(reasons, key=list(map(_title, GATE_TITLES)).index))
    if worst is ReviewVerdict.STOP:
        return f"Stop{where}: {names or 'something cannot be told before apply, or was not reviewed'}"
    return f"Look: no gate failed, but see {names or 'what could not be reviewed'}{where}"


def _reasons(review: Review) -> list[str]:
    """The gates that the verdict is for. One that is not to stop the plan is still to look at."""
    failed = [gate for gate in review.gates if gate.level is Level.STOP and gate.name in review.fail_on]
    others = [gate for gate in review.gates if gate.level in (Level.STOP, Level.LOOK)]
    return [_title(gate.name) for gate in (failed if review.verdict is ReviewVerdict.STOP else others)]


def _title(gate: str) -> str:
    return "what was not seen" if gate == "unseen" else GATE_TITLES[gate].lower()


def join_names(names: Sequence[str], most: int = 3) -> str:
    """`dev, prod and 4 more`."""
    rest = len(names) - most
    return f"{', '.join(names[:most])} and {rest} more" if rest > 0 else ", ".join(names)


def format_shared_count(number: int) -> str:
    """That some of what is said of a plan stands among what several have in common."""
    return f"{number} of what stops it or is to look at {'is' if number == 1 else 'are'} said of several plans, above."


def format_risk(judged: RiskAssessment) -> str:
    """What a risk is, and who accepted it."""
    text = judged.risk.description
    if judged.acceptance:
        text += f". Accepted until {judged.acceptance.until}: {judged.acceptance.reason}"
    if judged.expired_acceptance:
        text += f". Was accepted until {judged.expired_acceptance.until}: {judged.expired_acceptance.reason}"
    return text


def format_coverage_gap(one: CoverageGap) -> str:
    """Why it is not seen, and what is known of it."""
    return f"{one.kind}: {one.description}"


def format_baseline_count(number: int) -> str:
    """How much the baseline has."""
    return f"{number} {'was' if number == 1 else 'were'} there before (baseline)"


def format_budget(result: BudgetResult) -> str:
    """How a budget stands, in one line."""
    end = " at the high end" if result.uses_high_end else ""
    if result.status is BudgetStatus.NOTHING:
        return "no resource of this plan falls under it"
    if result.value is None:
        return f"cannot tell: nothing that it counts is known; {result.allowed:,g} {result.unit} are allowed"
    held = {
        BudgetStatus.WITHIN: "",
        BudgetStatus.OVER: "over: ",
        BudgetStatus.UNKNOWN: f"cannot tell: {_uncounted(result)}; the rest is ",
    }[result.status]
    return f"{held}{format_number(result.value)} {result.unit}{end} of {result.allowed:,g} {result.unit}"


def _uncounted(result: BudgetResult) -> str:
    """What a budget does not hold, or not in full."""
    if not result.is_complete and not result.unknown:
        return "the plan is not whole"
    names = [shorten(address, 80) for address in result.unknown]
    return f"{join_names(names, 2)} not counted, or not in full"
