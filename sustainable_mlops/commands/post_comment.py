"""Put a review on its pull or merge request, as one comment that is replaced each time.

Plans are told apart by what the review calls them: `smlops review --name`, else by their paths. A comment about
several plans replaces those about any of them.

- `smlops post-comment review.md` in a GitHub workflow: `GITHUB_TOKEN` and `PULL_REQUEST` (its number) must be set
- `smlops post-comment review.md` in a GitLab pipeline of a merge request: `GITLAB_TOKEN` must be set
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from sustainable_mlops import cli
from sustainable_mlops.errors import UserError

app = cli.app()


@app.command(help=__doc__)
def post_comment(file: Annotated[Path, typer.Argument(help="What `smlops review` wrote as Markdown.")]) -> None:
    """Post the comment."""
    from sustainable_mlops.review import pr_comment
    from sustainable_mlops.review.comment_marker import plans_of

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read: {error}") from None
    if not plans_of(text):
        raise UserError(f"{file}: is no review; give what smlops review --write {file.stem}.md wrote")
    print(pr_comment.post(text, pr_comment.place(os.environ)))
