"""Look whether an account is ready for the first apply of an environment, and say what to do where it is not.

One line a check: `ok`, `look` (for a person to judge) or `stop` (the first apply would fail), with a command that mends
it. It reads the account and changes nothing. A denied read is never `ok`: its line names the missing IAM action.

Checked: the account of the credentials, the Region, the bucket of the state, quotas of endpoints and pipelines, Lake
Formation, service-linked roles, names that are taken, what runs between requests in USD and kg CO2e, the provider.

Examples:

* `smlops preflight envs/dev`: against the account of your credentials
* `smlops sandbox exec -- smlops preflight envs/dev`: against the sandbox
* `smlops preflight envs/dev --job workloads/flight_delay/tune.yaml`: and whether a tuning finds its instances
* `smlops preflight envs/prod --json`: for a script; the exit code is 0 when nothing stops, else 1
"""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from sustainable_mlops import cli

app = cli.app()
_STYLES = {"ok": "green", "look": "yellow", "stop": "red"}


@app.command(help=__doc__)
def preflight(
    environment: Annotated[Path, typer.Argument(help="The environment's folder, such as envs/dev.", metavar="FOLDER")],
    job: Annotated[
        list[Path] | None, typer.Option(help="Job file whose instances to check, too.", metavar="FILE")
    ] = None,
    as_json: cli.AsJson = False,
) -> None:
    """Check the account."""
    cli.need("preflight", clone=True)
    from sustainable_mlops.operations import preflight as checks

    with cli.console.status("reading settings") as status:
        target = _read_target(environment, job or [])
        account = checks.Account(target.region, target.assume_role_arn)
        findings = []
        for finding in checks.run(target, account, lambda name: status.update(f"checking {name}")):
            findings.append(finding)
            if not as_json:
                _print(finding)
    stops = sum(one.status == "stop" for one in findings)
    if as_json:
        print(json.dumps({"ready": not stops, "findings": [one.to_dict() for one in findings]}, indent=2))
    else:
        looks = sum(one.status == "look" for one in findings)
        print(f"{'not ready' if stops else 'ready'}: {stops} to stop for, {looks} to look at")
    raise typer.Exit(1 if stops else 0)


def _read_target(folder: Path, jobs: list[Path]) -> Any:
    """Return what the environment and job files ask of the account. Raises UserError for files that are refused."""
    from sustainable_mlops import synth
    from sustainable_mlops.operations.preflight.job_files import read_job

    synth.import_from_here()
    target = import_module("envs.preflight").read_target(folder)
    return replace(target, jobs=(*target.jobs, *map(read_job, jobs)))


def _print(finding: Any) -> None:
    out = cli.stdout()
    out.print(f"[{_STYLES[finding.status]}]{finding.status:<4}[/]", end="  ")
    out.print(f"{finding.check}: {finding.text}", markup=False, soft_wrap=True)
    if finding.remedy:
        out.print(f"      {finding.remedy}", markup=False, soft_wrap=True)
