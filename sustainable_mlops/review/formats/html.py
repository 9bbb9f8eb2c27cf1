"""The review as one HTML file: no script, nothing from elsewhere, readable on a phone and in print."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sustainable_mlops.review.formats import charts, effects, wording
from sustainable_mlops.review.formats import items as said
from sustainable_mlops.review.formats.bundle import ItemsBySection, build_bundle
from sustainable_mlops.review.formats.items import ReportSection
from sustainable_mlops.review.review import Review
from sustainable_mlops.review.risk import Level

#: More rows of what changes are in the table alone.
_MOST_ROWS = 20
#: Where a name may be broken, rather than in a word.
_BREAKS = re.compile(r"(?<=[._/\[-])")


def render(review: Review) -> str:
    """The page. Names in the plan are escaped by the template engine, and no script may run at all."""
    page = {"headline": wording.format_headline(review), "verdict": review.verdict, "title": review.name}
    view = _view(review, said.group_by_section(said.list_items(review)), review.notes, review.remarks)
    return _page("review.html.j2", page=page, view=view)


def render_several(reviews: Sequence[Review]) -> str:
    """One page about several plans: the worst first, and what they have in common once."""
    found = build_bundle(reviews)
    page = {"headline": found.headline, "verdict": found.verdict, "title": f"{len(reviews)} plans"}
    members = [(one, _view(one.review, one.own_items, one.notes, one.remarks)) for one in found.members]
    totals = effects.list_totals(found.footprint)
    return _page(
        "reviews.html.j2", page=page, bundle=found, members=members, totals=totals, common=_points(found.common_items)
    )


def _page(template: str, **given: Any) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "short": wording.shorten,
        "marked": _marked,
        "pieces": _BREAKS.split,
        "signed": wording.format_change,
        "spread": wording.format_interval,
        "central": wording.format_central,
    }
    environment.globals |= {
        "budget_text": wording.format_budget,
        "counts": effects.format_counts,
        "elsewhere": wording.format_shared_count,
        "folded": said.get_fold_title,
        "gate_titles": wording.GATE_TITLES,
        "headline": wording.format_headline,
        "method": wording.METHOD,
        "note": Level.NOTE,
        "some": wording.join_names,
        "most_rows": _MOST_ROWS,
    }
    return environment.get_template(template).render(**given)


def _view(review: Review, found: ItemsBySection, notes: Sequence[str], remarks: Sequence[str]) -> dict[str, Any]:
    """All that the page says of one review."""
    rows, totals = effects.list_rows(review), effects.list_totals(review.footprint)
    return {
        "review": review,
        "notes": notes,
        "remarks": remarks,
        "totals": totals,
        "rows": rows,
        "done": effects.summarize_actions(review),
        "points": _points(found),
        "later": said.summarize_until_apply(review),
        "waterfalls": [
            ("Carbon", totals[0].unit, charts.build_waterfall(totals[0], [(row.address, row.kg[2]) for row in rows])),
            ("Cost", totals[1].unit, charts.build_waterfall(totals[1], [(row.address, row.usd[2]) for row in rows])),
        ],
        "ranges": charts.build_ranges(rows),
        "savings": charts.build_savings(
            (f"{one.title}: {one.address or one.part}", one.saved_kg, one.drawbacks) for one in review.alternatives[:8]
        ),
    }


def _points(found: ItemsBySection) -> dict[str, Any]:
    """What is said, by where it stands: first what is serious, with what is left alone where that is as serious."""
    alone = found[ReportSection.UNTOUCHED]
    worst = alone[0].level if alone else None
    left_alone = (said.summarize(ReportSection.UNTOUCHED, alone), said.group_by_topic(alone), worst)
    sections = ((ReportSection.STOP, Level.STOP), (ReportSection.LOOK, Level.LOOK))
    folds = [left_alone] if worst is Level.NOTE else []
    if record := found[ReportSection.RECORD]:
        folds.append((said.summarize(ReportSection.RECORD, record), said.group_by_topic(record), Level.NOTE))
    if before := found[ReportSection.BASELINE]:
        folds.append((wording.format_baseline_count(len(before)), said.group_by_topic(before), Level.NOTE))
    return {
        "loud": [
            (place, said.group_by_topic(found[place]), left_alone if worst is level else None)
            for place, level in sections
            if found[place] or worst is level
        ],
        "folds": folds,
        "explained": [
            (said.summarize(place, its), its)
            for place in (ReportSection.UNCOUNTED, ReportSection.ASSUMPTIONS)
            if (its := found[place])
        ],
    }


def _marked(text: str) -> list[tuple[bool, str]]:
    """A rule's own text in parts, with whether each is code."""
    return [(bool(position % 2), part) for position, part in enumerate(text.split("`"))]
