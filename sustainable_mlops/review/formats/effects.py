"""What the plan does: to which resources, to what they are, and to carbon and cost."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sustainable_mlops.footprint.figures import Estimate, Figure
from sustainable_mlops.footprint.plan_footprint import Change as PartChange
from sustainable_mlops.footprint.plan_footprint import PlanFootprint, ResourceFootprint
from sustainable_mlops.review.formats import part_changes
from sustainable_mlops.review.formats.wording import central, spread
from sustainable_mlops.review.review import Change, Review


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
    def change(self) -> str:
        """The change alone, without its unit."""
        return f"{spread(self.delta, change=True)}{', in part' if self.partial else ''}"

    @property
    def line(self) -> str:
        """Before → after and the change, in one line."""
        if not self.known:
            return "unknown"
        grade = f", class {self.delta.grade}" if self.delta is not None and self.delta.low != self.delta.high else ""
        start = f"{central(self.before)} → {central(self.after)} {self.unit}"
        part = "; in part, as not all is known" if self.partial else ""
        return f"{start}: {spread(self.delta, change=True)}{grade}{part}"


def totals(found: PlanFootprint) -> list[Total]:
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
class Row:
    """A resource's footprint in a table."""

    address: str
    action: str
    #: What it is, or becomes, a line a part.
    part_changes: tuple[str, ...]
    #: Whether what it is changes.
    differs: bool
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
        may = self.action != "no-op" and (None in deltas or self.differs)
        return may or any(delta is not None and delta.central != 0 for delta in deltas)


def rows(review: Review) -> list[Row]:
    """A row a resource of which something is known, those first whose carbon changes most."""
    found = [row for resource in review.footprint.resources if (row := _row(resource)).known or row.part_changes]
    return sorted(found, key=lambda row: -abs(row.kg[2].central) if row.kg[2] is not None else 0.0)


def _row(resource: ResourceFootprint) -> Row:
    sides = resource.before, resource.after, resource.delta
    kg, usd = _three(sides, "total"), _three(sides, "cost")
    main = kg[1] if kg[1] is not None and kg[1].central else kg[0]
    return Row(
        resource.address,
        resource.action,
        *part_changes.lines(resource.changes),
        kg,
        usd,
        main.driver if main is not None else "",
        main.grade if main is not None else "",
        resource.changes,
    )


def _three(sides: tuple[Estimate, ...], metric: str) -> tuple[Figure | None, Figure | None, Figure | None]:
    before, after, delta = (side.get(metric) for side in sides)
    return before, after, delta


@dataclass(frozen=True, slots=True)
class Done:
    """What the plan does to some resources: those by address, or all by type."""

    verb: str
    number: int
    addresses: tuple[str, ...]
    types: tuple[tuple[int, str], ...]
    #: Addresses or types that there would be as well.
    left: int


def counts(review: Review) -> str:
    """How many resources there are by what is done to them, in one line."""
    found = ", ".join(f"{number} {action}" for action, number in review.counts().items()) or "none"
    return f"{found}; {review.unchanged} unchanged"


#: What cannot be undone is named; of the rest a few are, and more are counted by type.
_VERBS = {"replace": ("replaces", 20), "delete": ("deletes", 20), "forget": ("no longer manages", 20),
          "update": ("changes", 5), "create": ("adds", 3), "move": ("moves", 3), "import": ("imports", 3)}  # fmt: skip
_MOST_TYPES = 8


def done(review: Review) -> list[Done]:
    """What the plan does, the gravest first."""
    by_action: dict[str, list[Change]] = {action: [] for action in _VERBS}
    for change in review.changes:
        by_action.setdefault(change.action, []).append(change)
    return [_done(action, changes) for action, changes in by_action.items() if changes]


def _done(action: str, changes: Sequence[Change]) -> Done:
    verb, named = _VERBS.get(action, (action, 0))
    if len(changes) <= named or action in ("replace", "delete", "forget"):
        addresses = tuple(change.address for change in changes[:named])
        return Done(verb, len(changes), addresses, (), len(changes) - len(addresses))
    types = Counter(change.type for change in changes).most_common()
    kept = tuple((number, type_) for type_, number in types[:_MOST_TYPES])
    return Done(verb, len(changes), (), kept, sum(number for _, number in types[_MOST_TYPES:]))
