"""Write a new environment, module or workload that passes the tests without edits.

- `smlops new environment qa --account 321098765432 --region eu-west-1`
- `smlops new module audit_log`
- `smlops new workload churn --framework sklearn`
"""

from typing import Annotated

import typer

from clone.scaffold.framework import Framework, Task
from sustainable_mlops.base import cli

app = cli.create_app(__doc__)


@app.command()
def environment(
    name: Annotated[str, typer.Argument(help="2 to 12 lower-case letters and digits.")],
    account: Annotated[str, typer.Option(help="Account ID, 12 digits.")],
    region: Annotated[str, typer.Option(help="Region of the environment.")],
    source: Annotated[str, typer.Option("--from", help="Environment whose settings are copied.")] = "dev",
    name_prefix: Annotated[
        str | None,
        typer.Option(
            help="Prefix of every name.", show_default="the prefix of the copied environment, with the new name"
        ),
    ] = None,
    disposable: Annotated[
        bool, typer.Option("--disposable", help="Leave the data unprotected, so that one command removes everything.")
    ] = False,
) -> None:
    """Write the settings and the HCL of a new environment.

    In an account and Region that has an environment already, the two share the log groups of jobs. The command copies
    the settings of another environment, and prints the next commands for AWS and for the sandbox.

    - `smlops new environment qa --account 321098765432 --region eu-west-1`
    - `smlops new environment trial --account 432109876543 --region eu-west-1 --name-prefix ml-trial --disposable`
    """
    cli.require("new", "authoring")
    from clone.scaffold.environment import create_draft

    environment = create_draft(name, account, region, source=source, name_prefix=name_prefix, disposable=disposable)
    with cli.console.status("synthesizing") as status:
        environment.write(lambda step: status.update(f"synthesizing: {step}"))
    page = f"envs/{name}/settings.yaml"
    print(f"Wrote {page} and its HCL: the settings of {source}, for account {account} in {region}.")
    if disposable:
        print("Its data is not protected (deletion_protection: false): one command deletes it all.")
    else:
        print("Its data is protected: Terraform refuses plans that delete it. --disposable turns this off.")
    for number in environment.find_source_lines():
        print(f"Check {page}:{number}: it still names {source}'s account or Region.")
    print(f"\n{environment.render_commands()}", end="")


@app.command()
def module(
    name: Annotated[str, typer.Argument(help="3 to 24 lower-case letters, digits and single underscores.")],
) -> None:
    """Write a module with one log group: its page, examples, tests and HCL, and its row in README.md.

    - `smlops new module audit_log`
    """
    cli.require("new", "authoring")
    from clone.scaffold import module

    with cli.console.status("synthesizing") as status:
        paths = module.create(name, lambda step: status.update(f"synthesizing: {step}"))
    *others, readme = paths
    print(f"Wrote {' and '.join(others)}, which pass the tests, and a row in {readme}.")
    print("After each edit of module.py or its page, run:\n")
    print(f"  smlops synth {name}")
    print(f"  .venv/bin/pytest -q tests/modules -k {name}    # 1 minute")


@app.command()
def workload(
    name: Annotated[str, typer.Argument(help="3 to 24 lower-case letters, digits and single underscores.")],
    environment: Annotated[str, typer.Option(help="Environment of the workload.")] = "dev",
    framework: Annotated[
        Framework, typer.Option(help="Boosted trees that resume, or any scikit-learn model.")
    ] = Framework.XGBOOST,
    task: Annotated[
        Task, typer.Option(help="Label to predict: 0 or 1, one of several classes, or a number.")
    ] = Task.BINARY,
) -> None:
    """Write a workload: a small model that trains and serves, with its job files, pipeline and tests.

    - `smlops new workload churn`
    - `smlops new workload churn --framework sklearn`
    - `smlops new workload price --task regression`
    """
    cli.require("new", "authoring", "pipelines")
    from clone.scaffold import workload

    with cli.console.status("writing the workload and its pipeline"):
        folders, commands = workload.create(name, environment, framework, task)
    print(f"Wrote {' and '.join(folders)}, which pass the tests.\n\n{commands}", end="")
