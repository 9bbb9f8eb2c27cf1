"""Sentences that `advise`, `compare`, `recommend` and `size` share."""

from collections.abc import Iterable, Iterator

from sustainable_mlops.catalogue.limits import get_limit
from sustainable_mlops.footprint import FootprintFigure

#: Largest load in requests a day without a warning: 12,000 a second (assumption of this project).
PLAUSIBLE_REQUESTS_PER_DAY = 1e9


def describe_cold_start() -> str:
    """Return the effect of a serverless cold start on a latency in ms. All commands use this text."""
    minutes = get_limit("serverless_start_s") // 60
    return (
        f"a start after a pause takes seconds, at most {minutes} minutes, which exceeds any p95 or p99 in ms; "
        "provisioned concurrency avoids this, but runs all the time"
    )


def describe_implausible_load(requests_per_day: float) -> str:
    """Return a warning about an implausible load; empty for a plausible one."""
    if requests_per_day <= PLAUSIBLE_REQUESTS_PER_DAY:
        return ""
    return (
        f"requests a day: {requests_per_day:,.0f} is {requests_per_day / 86_400:,.0f} a second, an implausible load "
        "for one endpoint; check the number and its unit"
    )


def list_legend(figures: Iterable[tuple[str, FootprintFigure | None]]) -> Iterator[tuple[str, str]]:
    """Yield rows that explain figures: their unit, classes and sources, and the most uncertain input of each title."""
    yield "CO2e", "operational and embodied; the interval goes from low to high"
    yield (
        "classes",
        "A measured, stated by the manufacturer or given by you, B derived, C assumed; the weakest input decides",
    )
    titles_by_driver: dict[str, list[str]] = {}
    for title, figure in figures:
        if figure is not None and figure.driver:
            titles_by_driver.setdefault(figure.driver, []).append(title)
    for driver, titles in titles_by_driver.items():
        yield "uncertainty", f"{', '.join(dict.fromkeys(titles))}: mainly from {driver}"
    yield "sources", "docs/footprint.md, with the date and the interval of each price, coefficient and assumption"


def format_figure_cell(figure: FootprintFigure | None) -> tuple[str, str]:
    """Return the value with its unit, and the interval with the class, such as `2.2 g` and `(1.7 to 3.6, C)`."""
    if figure is None:
        return "unknown", ""
    text = figure.format()
    return f"{text.value} {text.unit.removesuffix('CO2e')}", f"({text.interval}, {figure.grade})"
