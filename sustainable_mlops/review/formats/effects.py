"""Effects of a plan: changed resources, changed parts, and changes of carbon and cost."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sustainable_mlops.footprint.figures import FootprintEstimate, FootprintFigure
from sustainable_mlops.footprint.plan_footprint import PartChange as PartChange
from sustainable_mlops.footprint.plan_footprint import PlanFootprint, ResourceFootprint
from sustainable_mlops.review.formats import part_changes
from sustainable_mlops.review.formats.wording import format_central, format_change, format_interval, format_pair
from sustainable_mlops.review.review import ChangeSummary, Review


class Total(NamedTuple):
    """One figure of the whole plan."""

    title: str
    unit: str
    before: FootprintFigure | None
    after: FootprintFigure | None
    delta: FootprintFigure | None
    is_partial: bool = False  # True if unknown parts are left out
    is_empty: bool = False  # True if no part of the plan can have the figure
    may_change: bool = True  # False if the plan changes nothing of it, known or unknown
    omits_change: bool = False  # True if a part without this figure changes

    @property
    def is_known(self) -> bool:
        """True if there is any figure."""
        return any(figure is not None for figure in (self.before, self.after, self.delta))

    @property
    def change(self) -> str:
        """The change, without its unit."""
        if self.is_empty:
            return "none"
        return f"{format_interval(self.delta, change=True)}{', partial' if self.is_partial else ''}"

    @property
    def headline(self) -> str:
        """The change as one word or number. A change of 0 is unknown if a part without a figure changes."""
        if self.is_empty:
            return "none"
        if self.delta is None or (self.delta.central == 0 and self.omits_change):
            return "unknown"
        return format_change(self.delta.central)

    @property
    def line(self) -> str:
        """The values before and after, and the change, in one line."""
        if self.is_empty:
            return "nothing counted"
        if not self.is_known:
            return "unknown" if self.may_change else "unknown, but unchanged"
        part = "; some parts are not counted" if self.is_partial else ""
        if self.delta is not None and self.delta.low == self.delta.high == 0:
            return f"{format_central(self.after)} {self.unit}, unchanged{part}"
        if self.delta is None:
            return f"{format_central(self.after or self.before)} {self.unit} counted, change unknown{part}"
        grade = f", class {self.delta.grade}" if self.delta is not None and self.delta.low != self.delta.high else ""
        start = f"{format_pair(self.before, self.after)} {self.unit}"
        return f"{start}: {format_interval(self.delta, change=True)}{grade}{part}"


def list_totals(footprint: PlanFootprint) -> list[Total]:
    """Return the figures of the plan, carbon and cost first."""
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
            footprint.before.get(metric),
            footprint.after.get(metric),
            footprint.delta.get(metric),
            metric in {*footprint.before.partial, *footprint.after.partial},
            not footprint.list_changes(metric),
            any(resource.is_changed for resource in footprint.resources)
            and any(resource.has_unknown_delta(metric) for resource in footprint.resources),
            any(change.is_changed and change.get_figures(metric) is None for change in footprint.list_changes(metric)),
        )
        for metric, (title, unit) in titles.items()
    ]


class FootprintRow(NamedTuple):
    """The footprint of a resource in a table."""

    address: str
    action: str
    #: A line of text per part.
    part_changes: tuple[str, ...]
    #: True if a part changes.
    has_part_change: bool
    #: True if a figure of the change is unknown.
    is_change_unknown: bool
    kg: tuple[FootprintFigure | None, FootprintFigure | None, FootprintFigure | None]
    usd: tuple[FootprintFigure | None, FootprintFigure | None, FootprintFigure | None]
    driver: str
    grade: str
    parts: tuple[PartChange, ...]

    @property
    def per_thousand(self) -> str:
        """The carbon of 1,000 requests after the plan, the functional unit of SCI; empty without requests."""
        changes = [
            (change, part) for change in self.parts if (part := change.after) is not None and part.estimate is not None
        ]
        figures = [
            (change.name, estimate.get("total")) for change, part in changes if (estimate := part.per_thousand_requests)
        ]
        texts = [(name, format_interval(figure.multiply(1000))) for name, figure in figures if figure is not None]
        has_names = len(texts) > 1
        return "; ".join(f"{f'{name}: ' if has_names else ''}{text} gCO2e per 1,000 requests" for name, text in texts)

    @property
    def is_known(self) -> bool:
        """True if there is any figure."""
        return any(figure is not None for figure in (*self.kg, *self.usd))

    @property
    def is_changing(self) -> bool:
        """True if the plan changes the footprint, or may change it."""
        may_change = self.action != "no-op" and (self.is_change_unknown or self.has_part_change)
        return may_change or any(delta is not None and delta.central != 0 for delta in (self.kg[2], self.usd[2]))


def list_rows(review: Review) -> list[FootprintRow]:
    """Return a row per resource with known data, the largest carbon change first."""
    return [build_row(resource) for resource in rank_resources(review)]


def rank_resources(review: Review) -> list[ResourceFootprint]:
    """Return the resources with known data, the largest carbon change first."""
    known = [
        resource
        for resource in review.footprint.resources
        if resource.has_figure("total")
        or resource.has_figure("cost")
        or part_changes.describe_parts(resource.changes)[0]
    ]
    return sorted(known, key=_rank_resource)


def _rank_resource(resource: ResourceFootprint) -> float:
    delta = resource.find_delta("total")
    return -abs(delta.central) if delta is not None else 0.0


def build_row(resource: ResourceFootprint) -> FootprintRow:
    sides = resource.before, resource.after, resource.delta
    kg, usd = _select_metric(sides, "total"), _select_metric(sides, "cost")
    main = kg[1] if kg[1] is not None and kg[1].central else kg[0]
    return FootprintRow(
        resource.address,
        resource.action,
        *part_changes.describe_parts(resource.changes),
        any(resource.has_unknown_delta(metric) for metric in ("total", "cost")),
        kg,
        usd,
        main.driver if main is not None else "",
        main.grade if main is not None else "",
        resource.changes,
    )


def _select_metric(
    sides: tuple[FootprintEstimate, ...], metric: str
) -> tuple[FootprintFigure | None, FootprintFigure | None, FootprintFigure | None]:
    before, after, delta = (side.get(metric) for side in sides)
    return before, after, delta


class ActionSummary(NamedTuple):
    """The resources of one action, by address or counted by type."""

    verb: str
    number: int
    addresses: tuple[str, ...]
    types: tuple[tuple[int, str], ...]
    #: Number of addresses or types that are left out.
    omitted: int


def format_counts(review: Review) -> str:
    """Return the number of resources by action, in one line."""
    text = ", ".join(f"{number} {action}" for action, number in review.count_changes().items()) or "none"
    return f"{text}; {review.unchanged} unchanged"


#: Verb and maximum number of named resources per action. Irreversible actions name all resources; others are counted
#: by type if there are many.
_VERBS = {"replace": ("replaces", 20), "delete": ("deletes", 20), "forget": ("no longer manages", 20),
          "update": ("changes", 5), "create": ("adds", 3), "move": ("moves", 3), "import": ("imports", 3)}  # fmt: skip
_MAX_TYPES = 8


def summarize_actions(review: Review) -> list[ActionSummary]:
    """Return a summary per action, the most serious first."""
    by_action: dict[str, list[ChangeSummary]] = {action: [] for action in _VERBS}
    for change in review.changes:
        by_action.setdefault(change.action, []).append(change)
    return [_summarize_action(action, changes) for action, changes in by_action.items() if changes]


def _summarize_action(action: str, changes: Sequence[ChangeSummary]) -> ActionSummary:
    verb, max_named = _VERBS.get(action, (action, 0))
    if len(changes) <= max_named or action in ("replace", "delete", "forget"):
        addresses = tuple(change.address for change in changes[:max_named])
        return ActionSummary(verb, len(changes), addresses, (), len(changes) - len(addresses))
    types = Counter(change.type for change in changes).most_common()
    named_types = tuple((number, type_) for type_, number in types[:_MAX_TYPES])
    return ActionSummary(verb, len(changes), (), named_types, sum(number for _, number in types[_MAX_TYPES:]))
