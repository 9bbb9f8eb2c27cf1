"""The HTML report: one file without scripts or external content, for screens, phones and print."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.review.formats import charts, effects, wording
from sustainable_mlops.review.formats import items as report_items
from sustainable_mlops.review.formats.bundle import ItemsBySection, build_bundle
from sustainable_mlops.review.formats.headline import SEPARATOR, format_headline
from sustainable_mlops.review.formats.items import ReportSection
from sustainable_mlops.review.review import Review
from sustainable_mlops.review.risk import Level
from sustainable_mlops.rules.fix_code import read_code

#: Maximum number of changed rows in the list; the table has all of them.
_MAX_ROWS = 20
#: Positions at which a long name may wrap.
_BREAK_POINTS = LazyPattern(r"(?<=[._/\[-])")


def render(review: Review) -> str:
    """Return the page. The template engine escapes all names of the plan, and no script may run."""
    page = _describe_page(format_headline(review), review.verdict, review.name)
    view = _build_view(
        review, report_items.group_by_section(report_items.list_items(review)), review.notes, review.remarks
    )
    return _render_template("review.html.j2", page=page, view=view)


def render_several(reviews: Sequence[Review]) -> str:
    """Return one page about several plans: the worst first, and common items once."""
    bundle = build_bundle(reviews)
    page = _describe_page(bundle.headline, bundle.verdict, f"{len(reviews)} plans")
    members = [
        (member, _build_view(member.review, member.own_items, member.notes, member.remarks))
        for member in bundle.members
    ]
    totals = effects.list_totals(bundle.footprint)
    return _render_template(
        "reviews.html.j2",
        page=page,
        bundle=bundle,
        members=members,
        totals=totals,
        common=_arrange_items(bundle.common_items),
    )


def _describe_page(headline: str, verdict: str, title: str) -> dict[str, str]:
    """Return the data of the header, with the change of cost and carbon below the verdict."""
    reasons, _, money = headline.rpartition(SEPARATOR)
    return {"headline": headline, "reasons": reasons, "money": money, "verdict": verdict, "title": title}


def _render_template(template: str, **variables: Any) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "shorten": wording.shorten,
        "split_code": _split_code,
        "split_name": _BREAK_POINTS.split,
        "format_change": wording.format_change,
        "format_interval": wording.format_interval,
    }
    environment.globals |= {
        "format_before_after": wording.format_before_after,
        "format_pair": wording.format_pair,
        "format_budget": wording.format_budget,
        "format_cost_saving": wording.format_cost_saving,
        "format_counts": effects.format_counts,
        "format_shared_count": wording.format_shared_count,
        "fix_code_title": report_items.FIX_CODE,
        "read_fix_code": read_code,
        "get_fold_title": report_items.get_fold_title,
        "gate_titles": wording.GATE_TITLES,
        "format_headline": format_headline,
        "method": wording.METHOD,
        "acceptance_title": wording.ACCEPTANCE,
        "note": Level.NOTE,
        "join_names": wording.join_names,
        "max_rows": _MAX_ROWS,
    }
    return environment.get_template(template).render(**variables)


def _build_view(
    review: Review, items_by_section: ItemsBySection, notes: Sequence[str], remarks: Sequence[str]
) -> dict[str, Any]:
    """Return the data of one review for the templates."""
    rows, totals = effects.list_rows(review), effects.list_totals(review.footprint)
    return {
        "review": review,
        "notes": notes,
        "remarks": remarks,
        "totals": totals,
        "gates": wording.list_shown_gates(review),
        "rows": rows,
        "actions": effects.summarize_actions(review),
        "sections": _arrange_items(items_by_section),
        "acceptance": report_items.list_acceptance_lines(review),
        "until_apply": report_items.summarize_until_apply(review),
        "waterfalls": [
            ("Carbon", totals[0].unit, charts.build_waterfall(totals[0], [(row.address, row.kg[2]) for row in rows])),
            ("Cost", totals[1].unit, charts.build_waterfall(totals[1], [(row.address, row.usd[2]) for row in rows])),
        ],
        "ranges": charts.build_ranges(rows),
        "savings": charts.build_savings(
            (
                f"{alternative.title}: {alternative.address or alternative.part}",
                alternative.saved_kg,
                alternative.drawbacks,
            )
            for alternative in review.alternatives[:8]
        ),
    }


def _arrange_items(items_by_section: ItemsBySection) -> dict[str, Any]:
    """Return the items by section: serious sections first, then folded ones.

    Items of untouched resources join the section of their worst level.
    """
    untouched = items_by_section[ReportSection.UNTOUCHED]
    worst = untouched[0].level if untouched else None
    untouched_fold = (
        report_items.summarize(ReportSection.UNTOUCHED, untouched),
        report_items.group_by_topic(untouched),
        worst,
    )
    sections = ((ReportSection.STOP, Level.STOP), (ReportSection.LOOK, Level.LOOK))
    folds = [untouched_fold] if worst is Level.NOTE else []
    if record := items_by_section[ReportSection.RECORD]:
        folds.append(
            (report_items.summarize(ReportSection.RECORD, record), report_items.group_by_topic(record), Level.NOTE)
        )
    if baseline_items := items_by_section[ReportSection.BASELINE]:
        folds.append(
            (
                wording.format_baseline_count(len(baseline_items)),
                report_items.group_by_topic(baseline_items),
                Level.NOTE,
            )
        )
    return {
        "serious": [
            (
                section,
                report_items.group_by_topic(items_by_section[section]),
                untouched_fold if worst is level else None,
            )
            for section, level in sections
            if items_by_section[section] or worst is level
        ],
        "folded": folds,
        "explanations": [
            (report_items.summarize(section, section_items), section_items)
            for section in (ReportSection.UNCOUNTED, ReportSection.ASSUMPTIONS)
            if (section_items := items_by_section[section])
        ],
    }


def _split_code(text: str) -> list[tuple[bool, str]]:
    """Return the parts of a remedy, each with a flag that is True for code."""
    return [(bool(position % 2), part) for position, part in enumerate(text.split("`"))]
