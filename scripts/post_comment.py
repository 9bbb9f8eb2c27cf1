#!/usr/bin/env python3
"""Put a review on its pull request, as one comment that is replaced each time."""

import os
from pathlib import Path
from typing import Annotated

import typer

from sustainable_mlops import cli
from sustainable_mlops.errors import UserError

app = cli.app("post_comment", __doc__)


@app.command()
def main(file: Annotated[Path, typer.Argument(help="What review_plan.py wrote as Markdown.")]) -> None:
    """Put a review on its pull or merge request, as one comment that is replaced each time.

    Plans are told apart by what the review calls them: `review_plan.py --name`, else by their paths. A comment about
    several plans replaces those about any of them.

    - in a GitHub workflow: `GITHUB_TOKEN` and `PULL_REQUEST` (its number) must be set
    - in a GitLab pipeline of a merge request: `GITLAB_TOKEN` must be set
    """
    from sustainable_mlops.review import sticky
    from sustainable_mlops.review.marker import plans_of

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read: {error}") from None
    if not plans_of(text):
        raise UserError(f"{file}: is no review; give what review_plan.py --write {file.stem}.md wrote")
    print(sticky.post(text, sticky.place(os.environ)))


if __name__ == "__main__":
    cli.run(app)
