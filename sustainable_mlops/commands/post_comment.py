"""Post a review as one comment on its pull or merge request, and replace the comment each time.

A comment belongs to the names of its plans: `smlops review --name`, or their paths. A comment about several plans
replaces the comments about each of them.

- `smlops post-comment review.md` in a GitHub workflow: set `GITHUB_TOKEN` and `PULL_REQUEST` (its number)
- `smlops post-comment review.md` in a GitLab pipeline of a merge request: set `GITLAB_TOKEN`
- `smlops post-comment review.md --comment-above 50`: no new comment if the cost changes by at most 50 USD a month in
  either direction, unless the review stops the plan or cannot count a change. An existing comment is always updated.
"""

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.files import read_text

app = cli.create_app()


@app.command(help=__doc__)
def post_comment(
    file: Annotated[Path, typer.Argument(help="The Markdown file of `smlops review --write`.")],
    comment_above: Annotated[
        str, typer.Option(metavar="USD", help="Create a comment only if the cost of a month changes by more than this.")
    ] = "",
) -> None:
    """Post the comment."""
    from sustainable_mlops.review import pr_comment
    from sustainable_mlops.review.comment_marker import find_plan_hashes

    above = _parse_amount(comment_above) if comment_above else None
    text = read_text(file)
    if not find_plan_hashes(text):
        raise UserError(f"{file}: is not a review; pass the file that smlops review --write {file.stem}.md writes")
    print(pr_comment.post_comment(text, pr_comment.detect_api(os.environ), above))


def _parse_amount(text: str) -> float:
    match = re.fullmatch(r"\s*\$?\s*(\d+(?:\.\d+)?)\s*(?:USD)?\s*", text, re.IGNORECASE)
    if match is None:
        raise UserError(f"--comment-above: must be an amount in USD such as 50, not {text!r}")
    return float(match[1])
