"""AWS on this machine, for Terraform, boto3 and the AWS CLI. No account, and no request leaves the machine.

- `smlops sandbox start`
- `smlops sandbox exec -- terraform -chdir=envs/dev apply`
- `smlops sandbox exec -- aws sagemaker list-endpoints`
- `smlops sandbox fault --operation CreateTrainingJob --error CapacityError`
- `smlops sandbox advance --days 1`
- `smlops sandbox status`
- `smlops sandbox stop`
"""

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.context import DEFAULT_ACCOUNT, DEFAULT_REGION
from sagemaker_sandbox.process import LOG
from sustainable_mlops import cli, terraform
from sustainable_mlops.errors import UserError

#: What a script may rely on, by how its container sees /opt/ml.
_OPT_ML = {
    "mounted": "Jobs find /opt/ml as on SageMaker.",
    "paths": "Jobs find /opt/ml elsewhere: by SM_* variables, and in the request's own paths, which are translated.",
}
_TERRAFORM_VARIABLES = ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR", "CHECKPOINT_DISABLE")

app = cli.app(__doc__)


@app.command()
def start(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of 127.0.0.1; 0 takes a free one.")] = 0,
    state: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder to keep everything in from one start to the next.")
    ] = None,
    account: Annotated[str, typer.Option(help="Account that it stands for: the one in the environment's settings.")] = (
        DEFAULT_ACCOUNT
    ),
    region: Annotated[
        str, typer.Option(help="Region of the commands that name none; it has all of them.")
    ] = DEFAULT_REGION,
    time_scale: Annotated[
        float,
        typer.Option(
            min=1, max=3600, help="Seconds that pass there in one of this machine's: by 60, alarms take no minutes."
        ),
    ] = 1,
) -> None:
    """Start the sandbox in the background.

    - kept from one start to the next: `smlops sandbox start --account 210987654321 --state .local/sandbox/state`
    - endpoints that scale in seconds: `smlops sandbox start --time-scale 60`
    """
    cli.require("sandbox", "sandbox")
    began = time.monotonic()
    with cli.console.status("Starting the sandbox"):
        sandbox = Sandbox.start_in_background(
            state=state, port=port, account=account, region=region, time_scale=time_scale
        )
    print(f"The sandbox answers at {sandbox.endpoint} after {time.monotonic() - began:.1f} s; messages go to {LOG}.")
    print("Use it with: smlops sandbox exec -- COMMAND")


@app.command()
def stop() -> None:
    """Stop the sandbox, its training jobs and its model servers. Without --state, all it held is gone."""
    sandbox = Sandbox.find()
    if sandbox is None:
        print("No sandbox is running.")
        return
    with cli.console.status("Stopping the sandbox"):
        in_time = sandbox.stop()
    if in_time:
        print(f"Stopped the sandbox at {sandbox.endpoint}.")
    else:
        print(f"Killed the sandbox at {sandbox.endpoint}, which did not end: its state lacks the last seconds.")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="For machines: endpoint, variables and inventory.")] = False,
) -> None:
    """Where the sandbox is, and every resource in it."""
    sandbox = _running()
    inventory = sandbox.inventory()
    if as_json:
        facts = {"endpoint": sandbox.endpoint, "environment": sandbox.environment, "opt_ml": sandbox.opt_ml}
        print(json.dumps(facts | {"inventory": inventory}, indent=2))
        return
    table = Table("Service", "Type", "Number", title=f"Sandbox at {sandbox.endpoint}", title_justify="left")
    table.add_column("Names", overflow="fold")
    for service, types in sorted(inventory.items()):
        for kind, names in sorted(types.items()):
            table.add_row(service, kind, str(len(names)), _shorten(names))
    if not inventory:
        table.add_row("", "nothing", "0", "")
    cli.stdout().print(table)
    print(_OPT_ML[sandbox.opt_ml])


@app.command()
def advance(
    days: Annotated[float, typer.Option(min=0, help="Days.")] = 0,
    hours: Annotated[float, typer.Option(min=0, help="Hours.")] = 0,
    minutes: Annotated[float, typer.Option(min=0, help="Minutes.")] = 0,
) -> None:
    """Move the sandbox's time ahead: schedules and rules start what falls due on the way. Jobs go on as before.

    Example: `smlops sandbox advance --days 1`
    """
    moment = _running().advance(timedelta(days=days, hours=hours, minutes=minutes).total_seconds())
    print(f"The sandbox's time is {moment:%Y-%m-%d %H:%M:%S} UTC; what fell due on the way has begun.")


@app.command()
def fault(
    operation: Annotated[
        str | None,
        typer.Option(help="Operation of SageMaker, such as `CreateEndpoint`; another service's as `s3:PutObject`."),
    ] = None,
    error: Annotated[
        str | None,
        typer.Option(
            help="A code that botocore's model or AWS's common errors have for it; or how what it makes fails: "
            "`Failed` (endpoint), `CreateFailed` (feature group), `CapacityError`, `InternalServerError` (jobs), "
            "`SpotInterruption` (training on managed spot)."
        ),
    ] = None,
    message: Annotated[str | None, typer.Option(help="Words of the error, or FailureReason.")] = None,
    times: Annotated[int, typer.Option(min=1, help="How often. A client's retry counts as another request.")] = 1,
    resource: Annotated[str, typer.Option(help="Part of a name in the request; without it, any matches.")] = "",
    delay: Annotated[float, typer.Option(min=0, help="Seconds before the request is answered.")] = 0,
    status_delay: Annotated[
        float, typer.Option(min=0, help="Seconds longer that what is made stays Creating, Updating or Starting.")
    ] = 0,
    after_checkpoints: Annotated[
        int | None, typer.Option(min=0, help="Checkpoint files in S3 before SpotInterruption; 1 without it, 0 is now.")
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="The faults that wait.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Forget all that wait.")] = False,
) -> None:
    """Have something go wrong, as often as is said, to see what your code does then.

    - throttled: `smlops sandbox fault --operation CreateTrainingJob --error ThrottlingException --times 3`
    - S3 is slow: `smlops sandbox fault --operation s3:PutObject --error SlowDown --times 5 --resource my-bucket`
    - it takes 10 s: `smlops sandbox fault --operation DescribeEndpoint --delay 10`
    - long under way: `smlops sandbox fault --operation CreateEndpoint --status-delay 60`
    - it fails: `smlops sandbox fault --operation CreateEndpoint --error Failed --message "Out of memory"`
    - no instances: `smlops sandbox fault --operation CreateTrainingJob --error CapacityError`
    - spot is lost: `smlops sandbox fault --operation CreateTrainingJob --error SpotInterruption --after-checkpoints 2`
    - what waits: `smlops sandbox fault --list`, and none of it any more: `smlops sandbox fault --clear`

    The first fault that matches is used. They are gone with the sandbox, or its reset.
    """
    asked = {
        "error": error,
        "message": message,
        "times": times,
        "resource": resource,
        "delay": delay,
        "status_delay": status_delay,
        "after_checkpoints": after_checkpoints,
    }
    if [operation is not None, show, clear].count(True) != 1:
        raise UserError("sandbox fault: say one of --operation, --list and --clear")
    sandbox = _running()
    if operation is not None:
        print(f"Waits: {sandbox.fault(operation, **asked)}.")
    elif clear:
        sandbox.clear_faults()
        print("No fault waits.")
    else:
        print("\n".join(map(str, sandbox.faults())) or "No fault waits.")


@app.command(name="exec", context_settings={"ignore_unknown_options": True})
def execute(
    command: Annotated[list[str], typer.Argument(help="The command and its arguments, after `--`.")],
) -> None:
    """Run a command with the variables that lead it to the sandbox; its exit code becomes this one's.

    Example: `smlops sandbox exec -- python -c "import boto3; print(boto3.client('s3').list_buckets())"`
    """
    sandbox = _running()
    # Terraform finds the same provider and plugin cache as everywhere in this project, yet may still ask.
    engine = {name: value for name, value in terraform.environment().items() if name in _TERRAFORM_VARIABLES}
    variables = sandbox.process_environment() | engine
    # What stands beside this Python, such as `smlops`, is found where PATH has no other.
    variables["PATH"] = os.pathsep.join([variables.get("PATH", os.defpath), os.path.dirname(sys.executable)])
    try:
        process = subprocess.Popen(command, env=variables)
    except FileNotFoundError:
        raise UserError(f"sandbox: no command `{command[0]}` on PATH") from None
    except OSError as error:
        raise UserError(f"sandbox: {command[0]} cannot be run: {error.strerror}") from None
    code = _ended(process)
    # Ended by a signal: as shells tell it.
    sys.exit(code if code >= 0 else 128 - code)


def _ended(process: subprocess.Popen[bytes]) -> int:
    """How it ended. Ctrl-C reaches it from the terminal as well, and it takes the time that it needs to stop."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def _running() -> Sandbox:
    with cli.console.status("Waiting for the sandbox to answer"):
        return Sandbox.running()


def _shorten(names: list[str], most: int = 4) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more (--json has all)" if rest > 0 else "")
