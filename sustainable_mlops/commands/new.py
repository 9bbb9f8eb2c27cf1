"""Something new in this repository, which passes the tests as it is: an environment, a module, a workload.

- `smlops new environment prod --account 321098765432 --region eu-west-1`
- `smlops new module audit_log`
- `smlops new workload churn --framework sklearn`
"""

from typing import Annotated

import typer

from sustainable_mlops import cli
from sustainable_mlops.scaffold.framework import Framework

app = cli.app(__doc__)


@app.command()
def environment(
    name: Annotated[str, typer.Argument(help="2 to 12 lower-case letters and digits.")],
    account: Annotated[str, typer.Option(help="Account that it lives in, 12 digits.")],
    region: Annotated[str, typer.Option(help="Region that it lives in.")],
    source: Annotated[str, typer.Option("--from", help="Environment whose settings it starts with.")] = "dev",
    name_prefix: Annotated[
        str | None, typer.Option(help="Start of every name.", show_default="the other's, with this name in it")
    ] = None,
    disposable: Annotated[
        bool, typer.Option("--disposable", help="Its data is not protected: one command takes it all down again.")
    ] = False,
) -> None:
    """An environment like another, in an account and Region that has none yet: its settings and their Terraform.

    Prints what to run next, on AWS and on the sandbox.

    - `smlops new environment prod --account 321098765432 --region eu-west-1`
    - `smlops new environment trial --account 432109876543 --region eu-west-1 --name-prefix ml-trial --disposable`
    """
    cli.require("new", "authoring", clone=True)
    from sustainable_mlops.scaffold.environment import draft

    made = draft(name, account, region, source=source, name_prefix=name_prefix, disposable=disposable)
    with cli.console.status("synthesizing") as status:
        made.write(lambda step: status.update(f"synthesizing: {step}"))
    page = f"envs/{name}/settings.yaml"
    print(f"{page} and its Terraform are written: {source}'s settings for account {account} in {region}.")
    if disposable:
        print("Its data is not protected (deletion_protection: false): one command deletes it all.")
    else:
        print("Its data is protected: Terraform refuses plans that delete it. With --disposable it would not.")
    for number in made.left():
        print(f"To look at: {page}:{number} still names {source}'s account or Region.")
    print(f"\n{made.commands()}", end="")


@app.command()
def module(
    name: Annotated[str, typer.Argument(help="3 to 24 lower-case letters, digits and single underscores.")],
) -> None:
    """A module to grow from: one log group, with its page, its examples, its tests and its Terraform.

    - `smlops new module audit_log`
    """
    cli.require("new", "authoring", clone=True)
    from sustainable_mlops.scaffold import module

    with cli.console.status("synthesizing") as status:
        folders = module.create(name, lambda step: status.update(f"synthesizing: {step}"))
    print(f"{' and '.join(folders)} are written, and pass the tests. After each edit of module.py and of its page:\n")
    print(f"  smlops synth {name}")
    print(f"  .venv/bin/pytest -q tests/modules -k {name}    # 1 minute")


@app.command()
def workload(
    name: Annotated[str, typer.Argument(help="3 to 24 lower-case letters, digits and single underscores.")],
    environment: Annotated[str, typer.Option(help="Environment that it runs in.")] = "dev",
    framework: Annotated[
        Framework, typer.Option(help="Boosted trees that resume, or any model of scikit-learn.")
    ] = Framework.XGBOOST,
) -> None:
    """A workload to grow from: a small model that trains and serves, with its job files and its tests.

    - `smlops new workload churn`
    - `smlops new workload churn --framework sklearn`
    """
    cli.require("new", "authoring", clone=True)
    from sustainable_mlops.scaffold import workload

    folders, commands = workload.create(name, environment, framework)
    print(f"{' and '.join(folders)} are written, and pass the tests.\n\n{commands}", end="")
