"""Several reviews as one report: the worst first, common items once, and the sum of all footprints."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sustainable_mlops.footprint.plan_footprint import PlanFootprint
from sustainable_mlops.review.formats import items, wording
from sustainable_mlops.review.formats.headline import format_headline, sum_footprints
from sustainable_mlops.review.formats.items import ReportItem, ReportSection
from sustainable_mlops.review.review import Review, ReviewVerdict
from sustainable_mlops.review.risk import Level

ItemsBySection = Mapping[ReportSection, Sequence[ReportItem]]


class BundleMember(NamedTuple):
    """A review of the bundle, with the items that only this review has."""

    review: Review
    own_items: ItemsBySection
    notes: tuple[str, ...]
    remarks: tuple[str, ...]
    #: Number of items that stop the plan, and number of items to look at.
    stop_count: int
    look_count: int
    #: Number of these items that several plans share.
    shared_count: int


class Bundle(NamedTuple):
    """Reviews that form one report."""

    members: tuple[BundleMember, ...]
    #: Items that several plans share, with the names of the plans unless it is all of them.
    common_items: ItemsBySection
    notes: tuple[str, ...]
    remarks: tuple[str, ...]
    footprint: PlanFootprint

    @property
    def reviews(self) -> tuple[Review, ...]:
        """The reviews, the worst first."""
        return tuple(member.review for member in self.members)

    @property
    def verdict(self) -> ReviewVerdict:
        """The worst verdict."""
        return self.members[0].review.verdict

    @property
    def headline(self) -> str:
        """The worst verdict with its plans and reasons."""
        return format_headline(*self.reviews)


def rank_by_verdict(reviews: Sequence[Review]) -> list[Review]:
    """Return the reviews sorted by verdict, the worst first; equal verdicts keep their order."""
    return sorted(reviews, key=lambda review: -wording.VERDICT_ORDER.index(review.verdict))


def build_bundle(reviews: Sequence[Review]) -> Bundle:
    """Return the reviews as one bundle."""
    ranked_reviews = rank_by_verdict(reviews)
    items_by_review = [list(dict.fromkeys(items.list_items(review))) for review in ranked_reviews]
    plans_by_item: dict[ReportItem, list[str]] = {}
    for review, review_items in zip(ranked_reviews, items_by_review, strict=True):
        for item in review_items:
            plans_by_item.setdefault(item, []).append(review.name)
    shared_items = {item for item, names in plans_by_item.items() if len(names) > 1}
    notes, remarks = (
        _find_repeated([review.notes for review in ranked_reviews]),
        _find_repeated([review.remarks for review in ranked_reviews]),
    )
    members = [
        BundleMember(
            review,
            items.group_by_section(item for item in review_items if item not in shared_items),
            tuple(note for note in review.notes if note not in notes),
            tuple(remark for remark in review.remarks if remark not in remarks),
            sum(_get_serious_level(item) is Level.STOP for item in review_items),
            sum(_get_serious_level(item) is Level.LOOK for item in review_items),
            sum(_get_serious_level(item) is not None and item in shared_items for item in review_items),
        )
        for review, review_items in zip(ranked_reviews, items_by_review, strict=True)
    ]
    common_items = (
        item if len(names) == len(ranked_reviews) else item._replace(plans=tuple(names))
        for item, names in plans_by_item.items()
        if len(names) > 1
    )
    return Bundle(tuple(members), items.group_by_section(common_items), notes, remarks, sum_footprints(ranked_reviews))


def _get_serious_level(item: ReportItem) -> Level | None:
    """Return STOP or LOOK if the item stops the plan or needs attention, else None."""
    if item.section is ReportSection.UNTOUCHED:
        return item.level if item.level is not Level.NOTE else None
    return {ReportSection.STOP: Level.STOP, ReportSection.LOOK: Level.LOOK}.get(item.section)


def _find_repeated(texts: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Return the texts that appear in more than one of `texts`."""
    counts: dict[str, int] = {}
    for plan_texts in texts:
        for text in dict.fromkeys(plan_texts):
            counts[text] = counts.get(text, 0) + 1
    return tuple(text for text, number in counts.items() if number > 1)
