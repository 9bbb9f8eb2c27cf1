"""The command `sagemaker-sandbox`, which `smlops sandbox` runs too."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.table import Table
from typer.main import get_command

from sagemaker_sandbox import DEFAULT_ACCOUNT, DEFAULT_REGION, LOG, Sandbox
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.program import create_console, report_usage_errors, run

PROGRAM = "sagemaker-sandbox"
_ABOUT = """Run an emulation of AWS on this computer, for Terraform, boto3 and the AWS CLI.

It needs no account, and sends no request to AWS.

- `sagemaker-sandbox start`
- `sagemaker-sandbox exec -- terraform -chdir=envs/dev apply`
- `sagemaker-sandbox exec -- aws sagemaker list-endpoints`
- `sagemaker-sandbox fault --operation CreateTrainingJob --error CapacityError`
- `sagemaker-sandbox advance --days 1`
- `sagemaker-sandbox carbon --factor 1.3`
- `sagemaker-sandbox unused`
- `sagemaker-sandbox status`
- `sagemaker-sandbox stop`
"""
#: Modules that the server needs, with the packages that have them.
_REQUIRED = {
    "cryptography": "cryptography",
    "flask": "flask",
    "jsonpath": "python-jsonpath",
    "moto": "moto[server]",
    "numpy": "numpy",
    "optuna": "optuna",
    "psutil": "psutil",
    "pyarrow": "pyarrow",
    "trustme": "trustme",
    "werkzeug": "werkzeug",
}
#: Explanation of each access of jobs to /opt/ml and to the files of this computer.
_OPT_ML = {
    "mounted": "Jobs find /opt/ml as on SageMaker.\nThey can read only programs and libraries of this computer.",
    "paths": "Jobs do not have /opt/ml: SM_* variables and translated paths in the request name its folder.\n"
    "They can read and write all files that you can.",
}
#: Ways to give containers a root of their own, by the prefix of the cause that they have none.
_OPT_ML_REMEDIES = {
    "SANDBOX_OPT_ML": "unset this variable, and start the sandbox again",
    "": "start the sandbox on Linux, as root or with user namespaces\n"
    "(on Ubuntu: `sysctl kernel.apparmor_restrict_unprivileged_userns=0`)",
}


def create_app(program: str = PROGRAM, get_variables: Callable[[], Mapping[str, str]] = dict) -> typer.Typer:
    """Return the typer application.

    `program` is the command in help texts. `get_variables` returns further environment variables for `exec`.
    """
    app = typer.Typer(
        help=_ABOUT.replace(PROGRAM, program),
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
    )

    def execute(
        command: Annotated[list[str], typer.Argument(help="Command with its arguments, after `--`.")],
    ) -> None:
        """Run a command with the variables that direct it to the sandbox, and exit with its code.

        Example: `sagemaker-sandbox exec -- python -c "import boto3; print(boto3.client('s3').list_buckets())"`
        """
        _run_command(command, get_variables())

    commands: dict[str, Callable[..., Any]] = {
        "start": start,
        "stop": stop,
        "status": show_status,
        "advance": advance,
        "fault": inject_fault,
        "carbon": report_carbon,
        "unused": show_unused_grants,
        "exec": execute,
    }
    for name, function in commands.items():
        text = (function.__doc__ or "").replace(PROGRAM, program)
        settings = {"ignore_unknown_options": True} if name == "exec" else None
        app.command(name, help=text, context_settings=settings)(_name_program(function, program))
    return app


def _name_program(function: Callable[..., Any], program: str) -> Callable[..., Any]:
    """Return the command, whose errors name the program that was called."""

    @wraps(function)
    def run_command(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except UserError as error:
            raise UserError(str(error).replace(f"`{PROGRAM} ", f"`{program} "), *error.remedy) from None

    return run_command


def main() -> None:
    """Run `sagemaker-sandbox` with this process's arguments."""
    run(lambda: report_usage_errors(get_command(create_app()))(prog_name=PROGRAM))


def start(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of 127.0.0.1. 0 selects a free port.")] = 0,
    state: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder that keeps all resources for the next start.")
    ] = None,
    account: Annotated[str, typer.Option(help="Default account, such as the account in an environment's settings.")] = (
        DEFAULT_ACCOUNT
    ),
    region: Annotated[
        str, typer.Option(help="Default Region of commands. The sandbox has every Region.")
    ] = DEFAULT_REGION,
    time_scale: Annotated[
        float,
        typer.Option(
            min=1, max=3600, help="Sandbox seconds in one second of this computer. With 60, minutes take seconds."
        ),
    ] = 1,
    enforce_iam: Annotated[
        bool,
        typer.Option("--enforce-iam", help="Deny requests that no IAM policy allows, as AWS does."),
    ] = False,
) -> None:
    """Start the sandbox in the background.

    - keep resources for the next start: `sagemaker-sandbox start --account 210987654321 --state .local/sandbox/state`
    - scale endpoints within seconds: `sagemaker-sandbox start --time-scale 60`
    - test the permissions of roles: `sagemaker-sandbox start --enforce-iam`
    """
    _require_packages()
    start_time = time.monotonic()
    with create_console(stderr=True).status("Starting the sandbox"):
        sandbox = Sandbox.start_in_background(
            state=state,
            port=port,
            account=account,
            region=region,
            time_scale=time_scale,
            enforce_iam=enforce_iam,
        )
    seconds = time.monotonic() - start_time
    print(f"The sandbox is ready at {sandbox.endpoint} after {seconds:.1f} s. Its log is {LOG}.")
    print(f"Use it with: {PROGRAM} exec -- COMMAND")
    if sandbox.opt_ml_cause:
        print(_describe_opt_ml(sandbox))


def stop() -> None:
    """Stop the sandbox with its training jobs and model servers. Without --state, its resources are lost."""
    sandbox = Sandbox.find()
    if sandbox is None:
        print("No sandbox is running.")
        return
    with create_console(stderr=True).status("Stopping the sandbox"):
        ended_in_time = sandbox.stop()
    if ended_in_time:
        print(f"Stopped the sandbox at {sandbox.endpoint}.")
    else:
        print(f"Killed the sandbox at {sandbox.endpoint} after a timeout: its state lacks the last seconds.")


def show_status(
    as_json: Annotated[bool, typer.Option("--json", help="Print endpoint, variables and inventory as JSON.")] = False,
) -> None:
    """Show the endpoint of the sandbox and all of its resources."""
    sandbox = _get_running_sandbox()
    inventory = sandbox.inventory()
    if as_json:
        facts = {
            "endpoint": sandbox.endpoint,
            "environment": sandbox.environment,
            "opt_ml": sandbox.opt_ml,
            "opt_ml_cause": sandbox.opt_ml_cause,
        }
        print(json.dumps(facts | {"inventory": inventory}, indent=2))
        return
    table = Table(box=None, pad_edge=False, title=f"Sandbox at {sandbox.endpoint}", title_justify="left")
    for title in ("Service", "Type", "Number"):
        table.add_column(title, overflow="fold")
    table.add_column("Names", overflow="fold")
    for service, types in sorted(inventory.items()):
        for kind, names in sorted(types.items()):
            table.add_row(service, kind, str(len(names)), _shorten(names))
    if not inventory:
        table.add_row("", "nothing", "0", "")
    create_console(stderr=False).print(table)
    print(_describe_opt_ml(sandbox))


def _describe_opt_ml(sandbox: Sandbox) -> str:
    """Return the access of jobs to /opt/ml; if it is limited, also the cause and the remedy."""
    access, cause = _OPT_ML[sandbox.opt_ml], sandbox.opt_ml_cause
    if not cause:
        return access
    remedy = next(text for prefix, text in _OPT_ML_REMEDIES.items() if cause.startswith(prefix))
    return f"{access}\nCause: {cause}\nRemedy: {remedy}"


def advance(
    days: Annotated[float, typer.Option(min=0, help="Days.")] = 0,
    hours: Annotated[float, typer.Option(min=0, help="Hours.")] = 0,
    minutes: Annotated[float, typer.Option(min=0, help="Minutes.")] = 0,
) -> None:
    """Move the sandbox's time ahead. Schedules and rules start what falls due; running jobs are not affected.

    Example: `sagemaker-sandbox advance --days 1`
    """
    seconds = timedelta(days=days, hours=hours, minutes=minutes).total_seconds()
    moment = _get_running_sandbox().advance(seconds)
    print(f"The sandbox's time is {moment:%Y-%m-%d %H:%M:%S} UTC. Everything that fell due has started.")


def inject_fault(
    operation: Annotated[
        str | None,
        typer.Option(help="Operation of SageMaker, such as `CreateEndpoint`, or of another service: `s3:PutObject`."),
    ] = None,
    error: Annotated[
        str | None,
        typer.Option(
            help="Error code from botocore's model or AWS's common errors. Or a failure of the created resource: "
            "`Failed` (endpoint), `CreateFailed` (feature group), `CapacityError`, `InternalServerError` (jobs), "
            "`SpotInterruption` (training on managed spot)."
        ),
    ] = None,
    message: Annotated[str | None, typer.Option(help="Message of the error, or FailureReason.")] = None,
    times: Annotated[int, typer.Option(min=1, help="Number of requests. A client's retry counts as a request.")] = 1,
    resource: Annotated[str, typer.Option(help="Part of a name in the request. Without it, every request matches.")] = (
        ""
    ),
    skip: Annotated[int, typer.Option(min=0, help="Number of matching requests that succeed before the fault.")] = 0,
    after_effect: Annotated[
        bool,
        typer.Option("--after-effect", help="Carry out the request first; without --error, close the connection then."),
    ] = False,
    delay: Annotated[float, typer.Option(min=0, help="Delay of the response, in seconds.")] = 0,
    status_delay: Annotated[
        float, typer.Option(min=0, help="Additional time in Creating, Updating or Starting, in seconds.")
    ] = 0,
    after_checkpoints: Annotated[
        int | None, typer.Option(min=0, help="Checkpoint files in S3 before SpotInterruption: 1 by default, 0 is now.")
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="List the pending faults.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Remove the pending faults.")] = False,
) -> None:
    """Inject a fault into the next requests, to test how your code handles it.

    - throttled: `sagemaker-sandbox fault --operation CreateTrainingJob --error ThrottlingException --times 3`
    - slow S3: `sagemaker-sandbox fault --operation s3:PutObject --error SlowDown --times 5 --resource my-bucket`
    - lost response: `sagemaker-sandbox fault --operation CreateModel --after-effect --skip 1`
    - late response: `sagemaker-sandbox fault --operation DescribeEndpoint --delay 10`
    - slow transition: `sagemaker-sandbox fault --operation CreateEndpoint --status-delay 60`
    - failure: `sagemaker-sandbox fault --operation CreateEndpoint --error Failed --message "Out of memory"`
    - no instances: `sagemaker-sandbox fault --operation CreateTrainingJob --error CapacityError`
    - lost spot: `sagemaker-sandbox fault --operation CreateTrainingJob --error SpotInterruption --after-checkpoints 2`
    - pending faults: `sagemaker-sandbox fault --list` and `sagemaker-sandbox fault --clear`

    The first fault that matches a request is used. A reset or the end of the sandbox removes all faults.
    """
    options = {
        "error": error,
        "message": message,
        "times": times,
        "resource": resource,
        "skip": skip,
        "after_effect": after_effect,
        "delay": delay,
        "status_delay": status_delay,
        "after_checkpoints": after_checkpoints,
    }
    if [operation is not None, show, clear].count(True) != 1:
        raise UserError("sandbox fault: use exactly one of --operation, --list and --clear")
    sandbox = _get_running_sandbox()
    if operation is not None:
        print(f"Pending: {sandbox.fault(operation, **options)}.")
    elif clear:
        sandbox.clear_faults()
        print("No fault is pending.")
    else:
        print("\n".join(map(str, sandbox.faults())) or "No fault is pending.")


def report_carbon(
    factor: Annotated[
        float | None, typer.Option(min=0, help="Factor of all emissions that the sandbox reports; 1 at its start.")
    ] = None,
    instance_type: Annotated[
        str | None, typer.Option(help="Instance type to report as if it ran from --start to --end.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Number of instances.")] = 1,
    start: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day of the period.")] = None,
    end: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day after the last day of the period.")
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Region of the instances.", show_default="the default Region of the sandbox")
    ] = None,
) -> None:
    """Set the emissions that the services Sustainability and Data Exports report.

    The services report the emissions of instances that ran in the sandbox, and of instances that this command adds.
    The factor multiplies all emissions. A month appears on the 21st of the next month.

    - report 30 % more: `sagemaker-sandbox carbon --factor 1.3`
    - past months: `sagemaker-sandbox carbon --instance-type ml.m5.large --start 2026-08-01 --end 2026-11-01`
    """
    if (factor is None) == (instance_type is None):
        raise UserError("sandbox carbon: use exactly one of --factor and --instance-type")
    sandbox = _get_running_sandbox()
    if factor is not None:
        sandbox.set_carbon_factor(factor)
        print(f"Reported emissions are {factor:g} times the estimate.")
        return
    if start is None or end is None:
        raise UserError("sandbox carbon: --instance-type needs --start and --end")
    options = {"count": count} | ({"region": region} if region else {})
    sandbox.add_instance_period(str(instance_type), start.replace(tzinfo=UTC), end.replace(tzinfo=UTC), **options)
    print(f"Reported: {count} x {instance_type} from {start:%Y-%m-%d} to {end:%Y-%m-%d}.")


def show_unused_grants(
    role: Annotated[str, typer.Option(help="Part of the name of a role or a user. Without it, all of them.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print grants, roles and limits as JSON.")] = False,
) -> None:
    """List the grants of roles that no request used since the start of the sandbox.

    The sandbox must run with --enforce-iam. Roles that did nothing are named below the table, without their grants.
    An action with a wildcard is listed with the actions that requests used.

    - all roles: `sagemaker-sandbox unused`
    - one role: `sagemaker-sandbox unused --role training`
    - wildcards: `sagemaker-sandbox unused --json | jq '.grants[] | select(.kind == "wildcard")'`
    """
    report = _get_running_sandbox().list_unused_grants(role)
    if as_json:
        print(json.dumps(report, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("Role", "Policy", "Statement", "Kind", "Not used", "Used"):
        table.add_column(title, overflow="fold")
    for grant in report["grants"]:
        table.add_row(
            grant["principal"].rpartition("/")[2],
            grant["policy"],
            grant["statement"],
            grant["kind"],
            _describe_grant(grant),
            ", ".join(grant["used_actions"]),
        )
    if report["grants"]:
        create_console(stderr=False).print(table)
    count = len(report["active"])
    print(f"{len(report['grants'])} grants of {count} {'role' if count == 1 else 'roles'} with requests.")
    if report["idle"]:
        names = [arn.rpartition("/")[2] for arn in report["idle"]]
        print(f"Without requests: {_shorten(names)}.")
    print("\n".join(["Limits:", *(f"- {limit}" for limit in report["limits"])]))


def _describe_grant(grant: Mapping[str, Any]) -> str:
    """Return the actions and resources of an unused grant in one text."""
    marked = [f"{one} (unchecked)" if one in grant["unchecked_actions"] else one for one in grant["actions"]]
    if grant["kind"] == "resource":
        return ", ".join(grant["resources"])
    if grant["kind"] == "statement":
        return f"{', '.join(marked)} on {', '.join(grant['resources'])}"
    return ", ".join(marked)


def _run_command(command: list[str], variables: Mapping[str, str]) -> NoReturn:
    """Replace this process by a command with the sandbox's environment variables.

    The command keeps the terminal, and receives each signal exactly once. A second one would end Terraform at once.
    """
    environment = {**_get_running_sandbox().process_environment(), **variables}
    # Programs beside this Python, such as `smlops`, are found if PATH has no other.
    environment["PATH"] = os.pathsep.join([environment.get("PATH", os.defpath), os.path.dirname(sys.executable)])
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and the command would inherit that
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606
    except FileNotFoundError:
        raise UserError(f"sandbox: no command `{command[0]}` on PATH; install it, or write its path") from None
    except OSError as error:
        raise UserError(
            f"sandbox: {command[0]} cannot be run: {error.strerror}; check the file and its permissions"
        ) from None


def _require_packages() -> None:
    """Raise UserError if a package of the server is missing."""
    missing = [package for module, package in _REQUIRED.items() if find_spec(module) is None]
    if missing:
        raise UserError(f"sandbox: needs {', '.join(missing)}: pip install 'sustainable-mlops[sandbox]'")


def _get_running_sandbox() -> Sandbox:
    with create_console(stderr=True).status("Waiting for the sandbox"):
        return Sandbox.running()


def _shorten(names: list[str], limit: int = 4) -> str:
    rest = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {rest} more (--json has all)" if rest > 0 else "")


if __name__ == "__main__":
    main()
