"""Reviews shown: for the pull request, for a browser, for machines, for code scanning, for a terminal."""

from collections.abc import Callable, Sequence
from importlib import import_module

from sustainable_mlops.review.review import Review

#: Each format, and the suffix by which a file's name asks for it.
FORMATS = {"text": ".txt", "markdown": ".md", "html": ".html", "json": ".json", "sarif": ".sarif"}


def render(reviews: Review | Sequence[Review], form: str) -> str:
    """One review, or several as one, in one of `FORMATS`. Imports what only this format needs."""
    module = import_module(f"{__name__}.{form}")
    found = [reviews] if isinstance(reviews, Review) else list(reviews)
    if len(found) == 1:
        one: Callable[[Review], str] = module.render
        return one(found[0])
    several: Callable[[Sequence[Review]], str] = module.render_several
    return several(found)
