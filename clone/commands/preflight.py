"""Check if an account is ready for the first apply of an environment.

Print one line for each check: `ok`, `look` (review it) or `stop` (the first apply would fail), with a command that
fixes the problem. The command only reads the account. A denied read is always `look`, and its line names the missing
IAM action.

It checks the account of the credentials, the Region, the state bucket, the CI roles, quotas for endpoints and
pipelines, Lake Formation, service-linked roles, names in use, the AWS provider, and the monthly cost and emissions of
idle endpoints.

Examples:

* `smlops preflight envs/dev`: check the account of your credentials
* `smlops sandbox exec -- smlops preflight envs/dev`: check the sandbox
* `smlops preflight envs/dev --job workloads/flight_delay/tune.yaml`: check the instance quotas of a tuning job, too
* `smlops preflight envs/prod --json`: print JSON; the exit code is 1 if any check stops, else 0
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from sustainable_mlops.base import cli

app = cli.create_app()
_STYLES = {"ok": "green", "look": "yellow", "stop": "red"}


@app.command(help=__doc__)
def preflight(
    environment: Annotated[Path, typer.Argument(help="The environment's folder, such as envs/dev.", metavar="FOLDER")],
    job: Annotated[
        list[Path] | None, typer.Option(help="Also check the instance quotas of this job file.", metavar="FILE")
    ] = None,
    as_json: cli.AsJson = False,
) -> None:
    """Check the account."""
    from sustainable_mlops.account import preflight as checks

    with cli.console.status("reading settings") as status:
        target = _read_target(environment, job or [])
        account = checks.Account(target.region, target.assume_role_arn)
        findings = []
        for finding in checks.check_account(target, account, lambda name: status.update(f"checking {name}")):
            findings.append(finding)
            if not as_json:
                _print(finding)
    stops = sum(one.status == "stop" for one in findings)
    if as_json:
        print(json.dumps({"ready": not stops, "findings": [one.to_dict() for one in findings]}, indent=2))
    else:
        looks = sum(one.status == "look" for one in findings)
        print(f"{'not ready' if stops else 'ready'}: {stops} stop, {looks} look")
    raise typer.Exit(1 if stops else 0)


def _read_target(folder: Path, jobs: list[Path]) -> Any:
    """Return the requirements of the environment and job files. Raises UserError for invalid files."""
    from clone.deploy.entry import read_packages
    from envs.preflight import read_target
    from sustainable_mlops.account.preflight.job_files import read_job

    read_packages(folder)
    target = read_target(folder)
    return replace(target, jobs=(*target.jobs, *map(read_job, jobs)))


def _print(finding: Any) -> None:
    out = cli.make_stdout_console()
    out.print(f"[{_STYLES[finding.status]}]{finding.status:<4}[/]", end="  ")
    out.print(f"{finding.check}: {finding.text}", markup=False, soft_wrap=True)
    if finding.remedy:
        out.print(f"      {finding.remedy}", markup=False, soft_wrap=True)
