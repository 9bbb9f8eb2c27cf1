#!/usr/bin/env python3
"""Write docs/practices.md (every practice, what keeps it, which rules check it) and its summary in the README."""

from pathlib import Path
from typing import Annotated

import typer

from sustainable_mlops import cli, practices

ROOT = Path(__file__).resolve().parent.parent
PAGE, README = ROOT / "docs" / "practices.md", ROOT / "README.md"

app = cli.app("practices", __doc__)


@app.command()
def main(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 where it is stale.")] = False,
) -> None:
    """Write docs/practices.md (every practice, what keeps it, which rules check it) and its summary in the README.

    - `scripts/practices.py`: write both
    - `scripts/practices.py --check`: exit 1 where one is stale
    """
    pages = {PAGE: practices.markdown(), README: practices.summary(README.read_text(encoding="utf-8"))}
    stale = [path for path, text in pages.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        name = path.relative_to(ROOT)
        cli.console.print(f"{name} is stale: run scripts/practices.py" if check else f"wrote {name}")
        if not check:
            path.write_text(pages[path], encoding="utf-8")
    if check and stale:
        raise typer.Exit(1)


if __name__ == "__main__":
    cli.run(app)
