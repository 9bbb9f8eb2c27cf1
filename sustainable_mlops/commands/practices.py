"""Write docs/practices.md (every practice, what keeps it, which rules check it) and its summary in the README.

- `smlops practices`: write both
- `smlops practices --check`: exit 1 where one is stale
"""

from typing import Annotated

import typer

from sustainable_mlops import cli

app = cli.app()


@app.command(help=__doc__)
def practices(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 where it is stale.")] = False,
) -> None:
    """Write the pages."""
    cli.need("practices", clone=True)
    from sustainable_mlops.operations.practices import markdown, summary
    from sustainable_mlops.terraform import ROOT

    page, readme = ROOT / "docs" / "practices.md", ROOT / "README.md"
    pages = {page: markdown(), readme: summary(readme.read_text(encoding="utf-8"))}
    stale = [path for path, text in pages.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        name = path.relative_to(ROOT)
        cli.say(f"{name} is stale: run smlops practices" if check else f"wrote {name}")
        if not check:
            path.write_text(pages[path], encoding="utf-8")
    if check and stale:
        raise typer.Exit(1)
