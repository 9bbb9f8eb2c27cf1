"""Several reviews as one report, until `formats` takes them: to be deleted with its three uses in command.py."""

import json
from collections.abc import Sequence

from sustainable_mlops.review import formats
from sustainable_mlops.review.formats import content
from sustainable_mlops.review.review import Review

content.GATE_TITLES.setdefault("only", "Scope")


def render(reviews: Sequence[Review], form: str) -> str:
    """What `formats.render` will give."""
    texts = [formats.render(review, form) for review in reviews]
    if len(texts) == 1:
        return texts[0]
    if form == "markdown":
        from sustainable_mlops.review.marker import marker

        bodies = [text.partition("\n")[2] for text in texts]
        return f"{marker(*(review.name for review in reviews))}\n" + "\n".join(bodies)
    if form == "json":
        plans = [json.loads(text) for text in texts]
        worst = max(("fine", "look", "stop").index(plan["verdict"]) for plan in plans)
        return json.dumps({"verdict": ("fine", "look", "stop")[worst], "plans": plans}, ensure_ascii=False) + "\n"
    if form == "sarif":
        whole = [json.loads(text) for text in texts]
        return json.dumps({**whole[0], "runs": [run for one in whole for run in one["runs"]]}) + "\n"
    return "\n".join(texts)


def print_to_terminal(reviews: Sequence[Review]) -> None:
    """What `formats.text.print_to_terminal` will do."""
    from sustainable_mlops.review.formats.text import print_to_terminal

    for review in reviews:
        print_to_terminal(review)


def not_reviewed(names: Sequence[str], why: str) -> str:
    """What `formats.markdown.not_reviewed` will give."""
    from sustainable_mlops.review.formats import markdown
    from sustainable_mlops.review.marker import marker

    text = markdown.not_reviewed(", ".join(names), why)
    return f"{marker(*names)}\n{text.partition(chr(10))[2]}"
