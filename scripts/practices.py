#!/usr/bin/env python3
"""Write docs/practices.md: every practice, what keeps it and which rules check it."""

from pathlib import Path
from typing import Annotated

import typer

from sustainable_mlops import cli
from sustainable_mlops.catalogue import practices

PAGE = Path(__file__).resolve().parent.parent / "docs" / "practices.md"

app = cli.app("practices", __doc__)


@app.command()
def main(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 where it is stale.")] = False,
) -> None:
    """Write docs/practices.md: every practice, what keeps it and which rules check it.

    - `scripts/practices.py`: write it
    - `scripts/practices.py --check`: exit 1 where it is stale
    """
    page = practices.markdown()
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page:
        return
    if check:
        cli.console.print("docs/practices.md is stale: run scripts/practices.py")
        raise typer.Exit(1)
    PAGE.write_text(page, encoding="utf-8")
    cli.console.print("wrote docs/practices.md")


if __name__ == "__main__":
    cli.run(app)
