"""What all formats for people say, in the same words and the same order."""

from collections.abc import Iterator
from dataclasses import dataclass

from sustainable_mlops import rules
from sustainable_mlops.footprint.figures import Estimate, Figure, shown
from sustainable_mlops.footprint.from_plan import Change as PartChange
from sustainable_mlops.footprint.from_plan import ResourceFootprint
from sustainable_mlops.review.budgets import BudgetResult, Held
from sustainable_mlops.review.judged import JudgedRisk
from sustainable_mlops.review.review import Review, Verdict
from sustainable_mlops.review.risk import Level
from sustainable_mlops.review.unseen import Unseen

#: Longer texts are cut in reports for people; the JSON has all of it.
_LONGEST = 700

GATE_TITLES = {
    "data": "Data at risk",
    "privileges": "Privileges",
    "rules": "Policies",
    "unseen": "Not seen",
    "budgets": "Budgets",
    "checkov": "checkov's checks",
}
LEVEL_WORDS = {Level.STOP: "stop", Level.LOOK: "look", Level.NOTE: "note"}
METHOD = (
    "Figures are estimates for a month of 730 hours: expected (low to high). Carbon is operational by the grid's "
    "average (location-based) plus embodied. Class A rests on measured or given inputs, B on derived ones, C on "
    "assumptions."
)


def short(text: str, longest: int = _LONGEST) -> str:
    """`text` in one line, cut where it is long."""
    line = text[: longest + 1]
    if not line.isprintable():
        line = "".join(character if character.isprintable() else " " for character in line)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def signed(value: float) -> str:
    """A change, with its sign."""
    return f"+{shown(value)}" if value > 0 else f"-{shown(-value)}" if value < 0 else "0"


def spread(figure: Figure | None, *, change: bool = False) -> str:
    """`12 (5 to 40)`, or that it is unknown."""
    if figure is None:
        return "unknown"
    say = signed if change else shown
    if figure.low == figure.high:
        return say(figure.central)
    return f"{say(figure.central)} ({say(figure.low)} to {say(figure.high)})"


def central(figure: Figure | None) -> str:
    """The expected value alone."""
    return "unknown" if figure is None else shown(figure.central)


def headline(review: Review) -> str:
    """The verdict and what it is for, in one line."""
    if review.verdict is Verdict.FINE:
        return "Fine: no gate failed and nothing is left to look at"
    stops = review.verdict is Verdict.STOP
    # A gate that is not to stop the plan is still to look at.
    failed = [gate for gate in review.gates if gate.level is Level.STOP and gate.name in review.fail_on]
    others = [gate for gate in review.gates if gate.level in (Level.STOP, Level.LOOK)]
    names = ", ".join(GATE_TITLES[gate.name].lower() for gate in (failed if stops else others))
    if stops:
        return f"Stop: {names or 'something cannot be told before apply, or was not reviewed'}"
    return f"Look: no gate failed, but see {names or 'what could not be reviewed'}"


@dataclass(frozen=True, slots=True)
class Total:
    """One figure of the whole plan."""

    title: str
    unit: str
    before: Figure | None
    after: Figure | None
    delta: Figure | None
    partial: bool = False  # whether something is left out, as it is not known

    @property
    def known(self) -> bool:
        """Whether there is any figure."""
        return any(figure is not None for figure in (self.before, self.after, self.delta))

    @property
    def line(self) -> str:
        """Before → after and the change, in one line."""
        if not self.known:
            return "unknown"
        grade = f", class {self.delta.grade}" if self.delta is not None and self.delta.low != self.delta.high else ""
        start = f"{central(self.before)} → {central(self.after)} {self.unit}"
        part = "; in part, as not all is known" if self.partial else ""
        return f"{start}: {spread(self.delta, change=True)}{grade}{part}"


def totals(review: Review) -> list[Total]:
    """The figures that a reader looks for first."""
    titles = {
        "total": ("Carbon", "kgCO2e a month"),
        "cost": ("Cost", "USD a month"),
        "energy": ("Energy", "kWh a month"),
        "operational": ("Operational carbon", "kgCO2e a month"),
        "embodied": ("Embodied carbon", "kgCO2e a month"),
        "market_based": ("Market-based instead", "kgCO2e a month"),
        "water": ("Water", "L a month"),
    }
    found = review.footprint
    return [
        Total(
            title,
            unit,
            found.before.get(metric),
            found.after.get(metric),
            found.delta.get(metric),
            metric in {*found.before.partial, *found.after.partial},
        )
        for metric, (title, unit) in titles.items()
    ]


@dataclass(frozen=True, slots=True)
class Row:
    """A resource's footprint in a table."""

    address: str
    action: str
    count: str
    kg: tuple[Figure | None, Figure | None, Figure | None]
    usd: tuple[Figure | None, Figure | None, Figure | None]
    driver: str
    grade: str
    changed: tuple[PartChange, ...]

    @property
    def per_thousand(self) -> str:
        """The carbon of 1,000 requests after the plan, where it serves any; SCI's functional unit."""
        found = [(one, part) for one in self.changed if (part := one.after) is not None and part.estimate is not None]
        figures = [(one.name, estimate.get("total")) for one, part in found if (estimate := part.per_thousand_requests)]
        texts = [(name, spread(figure.times(1000))) for name, figure in figures if figure is not None]
        names = len(texts) > 1
        return "; ".join(f"{f'{name}: ' if names else ''}{text} gCO2e per 1,000 requests" for name, text in texts)

    @property
    def known(self) -> bool:
        """Whether there is any figure."""
        return any(figure is not None for figure in (*self.kg, *self.usd))

    @property
    def changes(self) -> bool:
        """Whether the plan changes it, or may."""
        deltas = self.kg[2], self.usd[2]
        may = self.action != "no-op" and None in deltas
        return may or any(delta is not None and delta.central != 0 for delta in deltas)


def rows(review: Review) -> list[Row]:
    """A row a resource of which something is known, those first whose carbon changes most."""
    found = [row for resource in review.footprint.resources if (row := _row(resource)).known]
    return sorted(found, key=lambda row: -abs(row.kg[2].central) if row.kg[2] is not None else 0.0)


def _row(resource: ResourceFootprint) -> Row:
    sides = resource.before, resource.after, resource.delta
    kg, usd = _three(sides, "total"), _three(sides, "cost")
    main = kg[1] if kg[1] is not None and kg[1].central else kg[0]
    counts = [_count(change.after) for change in resource.changes if change.after is not None]
    return Row(
        resource.address,
        resource.action,
        "; ".join(filter(None, counts)),
        kg,
        usd,
        main.driver if main is not None else "",
        main.grade if main is not None else "",
        resource.changes,
    )


def _three(sides: tuple[Estimate, ...], metric: str) -> tuple[Figure | None, Figure | None, Figure | None]:
    before, after, delta = (side.get(metric) for side in sides)
    return before, after, delta


def _count(part: object) -> str:
    count = getattr(part, "count", None)
    if count is None:
        return ""
    if count.low == count.high:
        return f"{count.central:g} instance{'s' if count.central != 1 else ''}"
    return f"{count.low:g} / {count.central:.2g} / {count.high:g} instances (least / expected / most)"


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """A rule and all that it found at one level."""

    rule: rules.Rule
    level: Level
    outcome: rules.Outcome
    findings: tuple[rules.Finding, ...]


def rule_groups(review: Review) -> list[RuleGroup]:
    """The rules that are not kept, the most serious first."""
    groups: dict[tuple[Level, rules.Outcome, str], list[rules.Finding]] = {}
    for one in review.findings:
        if one.level is not None:
            groups.setdefault((one.level, one.finding.outcome, one.finding.rule), []).append(one.finding)
    order, outcomes = list(Level), list(rules.Outcome)
    ranked = sorted(groups, key=lambda key: (order.index(key[0]), outcomes.index(key[1])))
    return [RuleGroup(rules.BY_ID[key[2]], key[0], key[1], tuple(groups[key])) for key in ranked]


def outcome_word(group: RuleGroup) -> str:
    """How a group of findings is titled."""
    if group.outcome is rules.Outcome.WAIVED:
        return "waived"
    return "cannot tell" if group.outcome is rules.Outcome.UNKNOWN else LEVEL_WORDS[group.level]


def risk_text(judged: JudgedRisk) -> str:
    """What a risk is, and who accepted it."""
    text = judged.risk.what
    if judged.accepted:
        text += f". Accepted until {judged.accepted.until}: {judged.accepted.reason}"
    if judged.expired:
        text += f". Was accepted until {judged.expired.until}: {judged.expired.reason}"
    return text


def unseen_text(one: Unseen) -> str:
    """Why it is not seen, and what is known of it."""
    return f"{one.why}: {one.what}"


def budget_text(result: BudgetResult) -> str:
    """How a budget stands, in one line."""
    end = " at the high end" if result.high else ""
    if result.held is Held.NOTHING:
        return "no resource of this plan falls under it"
    if result.value is None:
        return f"cannot tell: nothing that it counts is known; {result.allowed:,g} {result.unit} are allowed"
    held = {
        Held.WITHIN: "",
        Held.OVER: "over: ",
        Held.UNKNOWN: f"cannot tell: {_uncounted(result)}; the rest is ",
    }[result.held]
    return f"{held}{shown(result.value)} {result.unit}{end} of {result.allowed:,g} {result.unit}"


def _uncounted(result: BudgetResult) -> str:
    """What a budget does not hold, or not in full."""
    if not result.whole and not result.unknown:
        return "the plan is not whole"
    names, more = [short(address, 80) for address in result.unknown[:2]], len(result.unknown) - 2
    return f"{', '.join(names)}{f' and {more} more' if more > 0 else ''} not counted, or not in full"


def unknowns(review: Review) -> Iterator[tuple[str, str]]:
    """(Address, what and why) of everything that is counted nowhere."""
    for address, unknown in review.footprint.unknowns:
        yield address, f"{unknown.what}: {unknown.reason}"


def assumptions(review: Review) -> list[str]:
    """What the figures rest on, in words."""
    both = (*review.footprint.before.assumptions, *review.footprint.after.assumptions)
    return list(dict.fromkeys(both))
