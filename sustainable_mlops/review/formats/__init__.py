"""Report formats of a review: text, Markdown, HTML, JSON and SARIF."""

from collections.abc import Callable, Sequence
from importlib import import_module

from sustainable_mlops.review.review import Review

#: Each format, and the file suffix that selects it.
FORMATS = {"text": ".txt", "markdown": ".md", "html": ".html", "json": ".json", "sarif": ".sarif"}


def render(reviews: Review | Sequence[Review], form: str) -> str:
    """Return one review, or several as one report, in one of `FORMATS`; import only the modules of this format."""
    module = import_module(f"{__name__}.{form}")
    review_list = [reviews] if isinstance(reviews, Review) else list(reviews)
    if len(review_list) == 1:
        render_one: Callable[[Review], str] = module.render
        return render_one(review_list[0])
    render_many: Callable[[Sequence[Review]], str] = module.render_several
    return render_many(review_list)
