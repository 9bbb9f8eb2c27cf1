"""Several reviews as one: the worst first, what they have in common once, and what all of them use together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sustainable_mlops.footprint.plan_footprint import PlanFootprint
from sustainable_mlops.review.formats import items, wording
from sustainable_mlops.review.formats.items import ReportItem, ReportSection
from sustainable_mlops.review.review import Review, ReviewVerdict
from sustainable_mlops.review.risk import Level

ItemsBySection = Mapping[ReportSection, Sequence[ReportItem]]


@dataclass(frozen=True)
class BundleMember:
    """A review of the bundle, and what it alone says."""

    review: Review
    own_items: ItemsBySection
    notes: tuple[str, ...]
    remarks: tuple[str, ...]
    #: How much of all that it says stops it, and how much is to look at.
    stop_count: int
    look_count: int
    #: How much of that is said of several plans.
    shared_count: int


@dataclass(frozen=True)
class Bundle:
    """Reviews that are shown as one."""

    members: tuple[BundleMember, ...]
    #: What is said of several plans, with the plans where those are not all.
    common_items: ItemsBySection
    notes: tuple[str, ...]
    remarks: tuple[str, ...]
    footprint: PlanFootprint

    @property
    def reviews(self) -> tuple[Review, ...]:
        """The worst first."""
        return tuple(one.review for one in self.members)

    @property
    def verdict(self) -> ReviewVerdict:
        """The worst."""
        return self.members[0].review.verdict

    @property
    def headline(self) -> str:
        """The worst verdict, whose it is, and what it is for."""
        return wording.format_headline(*self.reviews)


def rank_by_verdict(reviews: Sequence[Review]) -> list[Review]:
    """The reviews by verdict; those of one verdict in the order given."""
    return sorted(reviews, key=lambda one: -wording.VERDICT_ORDER.index(one.verdict))


def sum_footprints(reviews: Sequence[Review]) -> PlanFootprint:
    """What all plans use together."""
    return PlanFootprint(tuple(resource for one in reviews for resource in one.footprint.resources))


def build_bundle(reviews: Sequence[Review]) -> Bundle:
    """The reviews as one."""
    ranked = rank_by_verdict(reviews)
    said = [list(dict.fromkeys(items.list_items(one))) for one in ranked]
    of: dict[ReportItem, list[str]] = {}
    for review, its in zip(ranked, said, strict=True):
        for point in its:
            of.setdefault(point, []).append(review.name)
    shared = {point for point, names in of.items() if len(names) > 1}
    notes, remarks = _in_several([one.notes for one in ranked]), _in_several([one.remarks for one in ranked])
    members = [
        BundleMember(
            review,
            items.group_by_section(point for point in its if point not in shared),
            tuple(note for note in review.notes if note not in notes),
            tuple(remark for remark in review.remarks if remark not in remarks),
            sum(_serious(point) is Level.STOP for point in its),
            sum(_serious(point) is Level.LOOK for point in its),
            sum(_serious(point) is not None and point in shared for point in its),
        )
        for review, its in zip(ranked, said, strict=True)
    ]
    common = (
        point if len(names) == len(ranked) else point._replace(plans=tuple(names))
        for point, names in of.items()
        if len(names) > 1
    )
    return Bundle(tuple(members), items.group_by_section(common), notes, remarks, sum_footprints(ranked))


def _serious(point: ReportItem) -> Level | None:
    """Whether it stops the plan or is to look at."""
    if point.section is ReportSection.UNTOUCHED:
        return point.level if point.level is not Level.NOTE else None
    return {ReportSection.STOP: Level.STOP, ReportSection.LOOK: Level.LOOK}.get(point.section)


def _in_several(texts: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """What is in more than one of `texts`."""
    seen: dict[str, int] = {}
    for its in texts:
        for text in dict.fromkeys(its):
            seen[text] = seen.get(text, 0) + 1
    return tuple(text for text, number in seen.items() if number > 1)
