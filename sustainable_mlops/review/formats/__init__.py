"""A review shown: for the pull request, for a browser, for machines, for code scanning, for a terminal."""

from collections.abc import Callable
from importlib import import_module

from sustainable_mlops.review.review import Review

#: Each format, and the suffix by which a file's name asks for it.
FORMATS = {"markdown": ".md", "html": ".html", "json": ".json", "sarif": ".sarif", "text": ".txt"}


def render(review: Review, form: str) -> str:
    """The review in one of `FORMATS`. Imports what only this format needs."""
    show: Callable[[Review], str] = import_module(f"{__name__}.{form}").render
    return show(review)
