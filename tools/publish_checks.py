"""Publisher of the rules on a branch of their own, which any checkov can use with `--external-checks-git`.

checkov runs every Python file of a repository, and complains about each file that is no check. So the branch holds
only the checks, the rules as an archive, and the license.

- `python -m tools.publish_checks`: a commit on `checks`, from HEAD
- `python -m tools.publish_checks --branch checks-1.2 --commit v1.2.0`
- `git push origin checks`, and `checkov -f plan.json --external-checks-git "https://…/….git?ref=heads/checks"`
"""

import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from sustainable_mlops.base import cli, program
from sustainable_mlops.base.git import run_git
from sustainable_mlops.base.terraform import ROOT

#: The parts of the package that the rules need, besides the standard library.
PARTS = ("__init__.py", "base", "plan", "rules", "catalogue", "aws")

app = cli.create_app()


@app.command(help=__doc__)
def publish_checks(
    branch: Annotated[str, typer.Option(help="The branch that gets a commit.")] = "checks",
    commit: Annotated[str, typer.Option(help="The commit whose rules are published.")] = "HEAD",
    repository: Annotated[Path, typer.Option(help="The repository that holds both.", show_default="this clone")] = ROOT,
) -> None:
    """Publish the rules."""
    git = partial(run_git, repository)
    source = git("rev-parse", "--verify", f"{commit}^{{commit}}")
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "sustainable_mlops.zip"
        git("archive", f"--output={archive}", source, *(f"sustainable_mlops/{part}" for part in PARTS))
        packed = git("hash-object", "-w", str(archive))
    checks = git("ls-tree", source, "policies/") + f"\n100644 blob {packed}\tpolicies/sustainable_mlops.zip"
    policies = git("mktree", stdin=checks.replace("\tpolicies/", "\t"))
    license_entry = git("ls-tree", source, "LICENSE")
    tree = git("mktree", stdin=f"{license_entry}\n040000 tree {policies}\tpolicies")
    name = f"refs/heads/{branch}"
    last = git("for-each-ref", "--format=%(objectname)", name)
    if last and git("rev-parse", f"{last}^{{tree}}") == tree:
        cli.console.print(f"{branch} holds these checks already")
        return
    parents = ["-p", last] if last else []
    new_commit = git("commit-tree", tree, *parents, "-m", f"Checks of {git('describe', '--always', '--tags', source)}")
    git("update-ref", name, new_commit)
    cli.console.print(f"{branch} is now {new_commit[:10]}; publish it with: git push origin {branch}")


if __name__ == "__main__":
    program.run(app)
