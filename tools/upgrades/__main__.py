"""Comparison of the inputs, outputs and addresses of the modules with the last release.

- `python -m tools.upgrades`: print each breaking change, and write them to `docs/upgrading.md`; exit with 1 if one is
  not declared in `modules/breaking_changes.yaml`
- `python -m tools.upgrades --release v0.1.0`: make the current modules the last release, under this tag or commit
"""

from typing import Annotated

import typer

from clone import synth
from sustainable_mlops.base import cli, program
from tools.upgrades import declarations, releases
from tools.upgrades.comparison import (
    PLAN_PREFIX,
    find_differences,
    list_changes_since_release,
    list_stricter_inputs_since_release,
)

app = cli.create_app()


@app.command(help=__doc__)
def compare_modules(
    release: Annotated[str, typer.Option("--release", help="Name of the new release, a tag or a commit.")] = "",
) -> None:
    """Compare the modules with the last release, or make them the last release."""
    bodies = synth.load_module_json()
    if release:
        declarations.release_declarations(release, list_stricter_inputs_since_release(bodies))
        releases.write_release(release, bodies)
    differences = []
    for module, changes in list_changes_since_release(bodies).items():
        for change in changes:
            cli.say(f"{module}: {change}")
        declared = [line for line in declarations.list_declared_changes(module) if not line.startswith(PLAN_PREFIX)]
        differences += find_differences(module, changes, declared)
    page = declarations.render_page(releases.read_name(), list_stricter_inputs_since_release(bodies))
    declarations.PAGE.write_text(page, encoding="utf-8")
    if differences:
        cli.say("\n".join([f"modules/{declarations.FILE.name}:", *differences]))
        raise typer.Exit(1)


if __name__ == "__main__":
    program.run(app)
