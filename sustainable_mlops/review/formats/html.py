"""The review as one HTML file: no script, nothing from elsewhere, readable on a phone and in print."""

from pathlib import Path

from sustainable_mlops.review.formats import charts, content
from sustainable_mlops.review.review import Review
from sustainable_mlops.review.risk import Level, Section

_SECTIONS: tuple[tuple[Section, str], ...] = (
    (Section.DATA, "Data at risk"),
    (Section.PRIVILEGES, "Privileges widened"),
)


def render(review: Review) -> str:
    """The page. Names in the plan are escaped by the template engine, and no script may run at all."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "short": content.short,
        "marked": _marked,
        "signed": content.signed,
        "spread": content.spread,
        "central": content.central,
    }
    rows = content.rows(review)
    totals = content.totals(review)
    return environment.get_template("report.html.j2").render(
        review=review,
        headline=content.headline(review),
        totals=totals,
        rows=rows,
        gate_titles=content.GATE_TITLES,
        sections=[(title, review.of(section)) for section, title in _SECTIONS],
        risk_text=content.risk_text,
        rule_groups=content.rule_groups(review),
        outcome_word=content.outcome_word,
        budget_text=content.budget_text,
        unseen_text=content.unseen_text,
        unknowns=list(content.unknowns(review)),
        assumptions=content.assumptions(review),
        method=content.METHOD,
        note=Level.NOTE,
        waterfalls=[
            ("Carbon", totals[0].unit, charts.waterfall(totals[0], [(row.address, row.kg[2]) for row in rows])),
            ("Cost", totals[1].unit, charts.waterfall(totals[1], [(row.address, row.usd[2]) for row in rows])),
        ],
        ranges=charts.ranges(rows),
        savings=charts.savings(
            (f"{one.title}: {one.part}", one.saved_kg, one.costs) for one in review.alternatives[:8]
        ),
    )


def _marked(text: str) -> list[tuple[bool, str]]:
    """A rule's own text in parts, with whether each is code."""
    return [(bool(position % 2), part) for position, part in enumerate(text.split("`"))]
