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
    """Put a review on its pull or merge request, as one comment a plan that is replaced each time.

    Plans are told apart by what the review calls them: `review_plan.py --name`, else the plan's path.

    - in a GitHub workflow: `GITHUB_TOKEN` and `PULL_REQUEST` (its number) must be set
    - in a GitLab pipeline of a merge request: `GITLAB_TOKEN` must be set
    """
    from sustainable_mlops.review import sticky
    from sustainable_mlops.review.formats.markdown import MARKER

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read: {error}") from None
    marker = text.partition("\n")[0]
    if not marker.startswith(MARKER):
        raise UserError(f"{file}: is no review; give what review_plan.py --write {file.stem}.md wrote")
    print(sticky.post(text, marker, sticky.place(os.environ)))


if __name__ == "__main__":
    cli.run(app)
