"""What the plan does: to which resources, to what they are, and to carbon and cost."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sustainable_mlops.footprint.figures import FootprintEstimate, FootprintFigure
from sustainable_mlops.footprint.plan_footprint import PartChange as PartChange
from sustainable_mlops.footprint.plan_footprint import PlanFootprint, ResourceFootprint
from sustainable_mlops.review.formats import part_changes
from sustainable_mlops.review.formats.wording import format_central, format_interval
from sustainable_mlops.review.review import ChangeSummary, Review


@dataclass(frozen=True, slots=True)
class Total:
    """One figure of the whole plan."""

    title: str
    unit: str
    before: FootprintFigure | None
    after: FootprintFigure | None
    delta: FootprintFigure | None
    is_partial: bool = False  # whether something is left out, as it is not known

    @property
    def is_known(self) -> bool:
        """Whether there is any figure."""
        return any(figure is not None for figure in (self.before, self.after, self.delta))

    @property
    def change(self) -> str:
        """The change alone, without its unit."""
        return f"{format_interval(self.delta, change=True)}{', in part' if self.is_partial else ''}"

    @property
    def line(self) -> str:
        """Before → after and the change, in one line."""
        if not self.is_known:
            return "unknown"
        grade = f", class {self.delta.grade}" if self.delta is not None and self.delta.low != self.delta.high else ""
        start = f"{format_central(self.before)} → {format_central(self.after)} {self.unit}"
        part = "; in part, as not all is known" if self.is_partial else ""
        return f"{start}: {format_interval(self.delta, change=True)}{grade}{part}"


def list_totals(found: PlanFootprint) -> list[Total]:
    """The figures that a reader looks for first, then the others."""
    titles = {
        "total": ("Carbon", "kgCO2e a month"),
        "cost": ("Cost", "USD a month"),
        "energy": ("Energy", "kWh a month"),
        "operational": ("Operational carbon", "kgCO2e a month"),
        "embodied": ("Embodied carbon", "kgCO2e a month"),
        "market_based": ("Market-based instead", "kgCO2e a month"),
        "water": ("Water", "L a month"),
    }
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
class FootprintRow:
    """A resource's footprint in a table."""

    address: str
    action: str
    #: What it is, or becomes, a line a part.
    part_changes: tuple[str, ...]
    #: Whether what it is changes.
    has_part_change: bool
    kg: tuple[FootprintFigure | None, FootprintFigure | None, FootprintFigure | None]
    usd: tuple[FootprintFigure | None, FootprintFigure | None, FootprintFigure | None]
    driver: str
    grade: str
    parts: tuple[PartChange, ...]

    @property
    def per_thousand(self) -> str:
        """The carbon of 1,000 requests after the plan, where it serves any; SCI's functional unit."""
        found = [(one, part) for one in self.parts if (part := one.after) is not None and part.estimate is not None]
        figures = [(one.name, estimate.get("total")) for one, part in found if (estimate := part.per_thousand_requests)]
        texts = [(name, format_interval(figure.multiply(1000))) for name, figure in figures if figure is not None]
        names = len(texts) > 1
        return "; ".join(f"{f'{name}: ' if names else ''}{text} gCO2e per 1,000 requests" for name, text in texts)

    @property
    def is_known(self) -> bool:
        """Whether there is any figure."""
        return any(figure is not None for figure in (*self.kg, *self.usd))

    @property
    def is_changing(self) -> bool:
        """Whether the plan changes it, or may."""
        deltas = self.kg[2], self.usd[2]
        may = self.action != "no-op" and (None in deltas or self.has_part_change)
        return may or any(delta is not None and delta.central != 0 for delta in deltas)


def list_rows(review: Review) -> list[FootprintRow]:
    """A row a resource of which something is known, those first whose carbon changes most."""
    found = [row for resource in review.footprint.resources if (row := _row(resource)).is_known or row.part_changes]
    return sorted(found, key=lambda row: -abs(row.kg[2].central) if row.kg[2] is not None else 0.0)


def _row(resource: ResourceFootprint) -> FootprintRow:
    sides = resource.before, resource.after, resource.delta
    kg, usd = _three(sides, "total"), _three(sides, "cost")
    main = kg[1] if kg[1] is not None and kg[1].central else kg[0]
    return FootprintRow(
        resource.address,
        resource.action,
        *part_changes.describe_parts(resource.changes),
        kg,
        usd,
        main.driver if main is not None else "",
        main.grade if main is not None else "",
        resource.changes,
    )


def _three(
    sides: tuple[FootprintEstimate, ...], metric: str
) -> tuple[FootprintFigure | None, FootprintFigure | None, FootprintFigure | None]:
    before, after, delta = (side.get(metric) for side in sides)
    return before, after, delta


@dataclass(frozen=True, slots=True)
class ActionSummary:
    """What the plan does to some resources: those by address, or all by type."""

    verb: str
    number: int
    addresses: tuple[str, ...]
    types: tuple[tuple[int, str], ...]
    #: Addresses or types that there would be as well.
    omitted: int


def format_counts(review: Review) -> str:
    """How many resources there are by what is done to them, in one line."""
    found = ", ".join(f"{number} {action}" for action, number in review.count_changes().items()) or "none"
    return f"{found}; {review.unchanged} unchanged"


#: What cannot be undone is named; of the rest a few are, and more are counted by type.
_VERBS = {"replace": ("replaces", 20), "delete": ("deletes", 20), "forget": ("no longer manages", 20),
          "update": ("changes", 5), "create": ("adds", 3), "move": ("moves", 3), "import": ("imports", 3)}  # fmt: skip
_MOST_TYPES = 8


def summarize_actions(review: Review) -> list[ActionSummary]:
    """What the plan does, the gravest first."""
    by_action: dict[str, list[ChangeSummary]] = {action: [] for action in _VERBS}
    for change in review.changes:
        by_action.setdefault(change.action, []).append(change)
    return [_done(action, changes) for action, changes in by_action.items() if changes]


def _done(action: str, changes: Sequence[ChangeSummary]) -> ActionSummary:
    verb, named = _VERBS.get(action, (action, 0))
    if len(changes) <= named or action in ("replace", "delete", "forget"):
        addresses = tuple(change.address for change in changes[:named])
        return ActionSummary(verb, len(changes), addresses, (), len(changes) - len(addresses))
    types = Counter(change.type for change in changes).most_common()
    kept = tuple((number, type_) for type_, number in types[:_MOST_TYPES])
    return ActionSummary(verb, len(changes), (), kept, sum(number for _, number in types[_MOST_TYPES:]))
