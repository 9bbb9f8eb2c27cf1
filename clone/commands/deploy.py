"""Serve a model of an environment: choose the endpoint, write the settings, plan, review, confirm, apply.

The kind of endpoint follows from the latency SLO (`latency_slo` of the model), from the load, and from the
silicon of the package's images. `smlops deploy` takes the option with the least carbon in the order of `smlops advise`,
or the result of `smlops recommend --write`. It writes the model's file in envs/catalogue/models and the package in the
environment's models.auto.tfvars.json; commit both.

The values that you wrote in the model's file stay: the command changes only values with its own comment
`# advised VALUE`. If the advice differs from your value, it prints the advice. The review uses the same load as the
advice, which the command writes to out/deploy/ENVIRONMENT.usage.yaml.

The credentials, with `assume_role_arn` of the settings, must belong to the account in the settings.

Each step checks the current state, so after an error the same command continues. It does not apply a plan that the
review stops, or that you do not confirm. The review is in out/deploy/. The review stops a model's first asynchronous
endpoint, because the role gains permissions on the key of the topics: accept this risk in accepted.yaml
(docs/review.md).

An endpoint whose first creation failed can exist in AWS but not in the Terraform state. The apply would then fail with
"Cannot create already existing endpoint", so the command deletes that endpoint first. It never deletes an endpoint that
is in service or in the state.

On Ctrl-C, Terraform finishes its current operation and saves its state. The printed command keeps the resource that
Terraform was creating, which a plain apply would replace.

Exit codes: 0 deployed (or planned), 1 the review or you stopped it, 2 invalid input or a failed step, 130 Ctrl-C.

Examples:

* `smlops deploy flight_delay --requests-per-day 5000 --dry-run`: print the endpoint and the changes of the files
* `smlops deploy flight_delay --requests-per-day 5000 --no-apply`: write, plan and review; then look at `git diff`
* `smlops deploy flight_delay --requests-per-day 5000`: the same, and apply after your confirmation
* `smlops deploy flight_delay --environment prod --requests-per-day 2000000 --duration 0.02`
* `smlops deploy flight_delay --inputs out/flights.yaml --package $PACKAGE --yes`: the result of recommend
* `smlops sandbox exec -- smlops deploy flight_delay --requests-per-day 5000 --yes`
"""

import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.commands import _load
from sustainable_mlops.commands._early import LaunchState, report_early_end

if TYPE_CHECKING:
    from clone.deploy.run import Deployment, DeploymentTarget

app = cli.create_app()


@app.command(help=__doc__)
def deploy(
    model: Annotated[str, typer.Argument(help="A model of envs/catalogue/models.")],
    environment: Annotated[str, typer.Option(help="Environment that serves the model; it must be applied.")] = "dev",
    package: Annotated[
        str | None, typer.Option(help="ARN of the model package.", show_default="the newest approved")
    ] = None,
    requests_per_day: Annotated[float, typer.Option(help="Expected requests a day.")] = 10_000.0,
    peak: _load.Peak = 3.0,
    latency: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="p99 in ms that callers need; required without --inputs if the model's latency_slo is milliseconds. "
            "It becomes latency_slo_ms, which the alarms compare with the p90.",
        ),
    ] = None,
    duration: Annotated[
        float, typer.Option(help="Seconds for which a request keeps one vCPU or accelerator busy.")
    ] = 0.2,
    payload_kb: _load.PayloadKb = 10.0,
    accelerator: _load.Accelerator = "none",
    provider: Annotated[int, typer.Option(help="Major version of the AWS provider in use.")] = 5,
    inputs: Annotated[Path | None, typer.Option(help="File of `smlops recommend --write`, instead of advice.")] = None,
    accepted: Annotated[
        Path | None, typer.Option(help="accepted.yaml: accepted risks, as for `smlops review`.")
    ] = None,
    budgets: Annotated[
        Path | None, typer.Option(help="budgets.yaml: limits of carbon and cost, as for `smlops review`.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the endpoint and the changes of the files; write nothing.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply/--no-apply", help="Apply, or stop after the review.")] = True,
    yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")] = False,
) -> None:
    """Deploy a model."""
    cli.require("deploy", "authoring")
    from clone.deploy import run
    from clone.deploy.choice import choose_endpoint, read_choice
    from clone.deploy.load import check_load
    from sustainable_mlops.aws import AccountClients
    from sustainable_mlops.base.steps import Steps
    from sustainable_mlops.review.acceptances import read_acceptances
    from sustainable_mlops.review.budgets import read_budgets

    if apply and not dry_run and not yes and not (sys.stdin and sys.stdin.isatty()):
        raise UserError(
            "deploy: there is no terminal for the confirmation; "
            "pass --yes to apply, or --no-apply to stop after the review"
        )
    target = run.DeploymentTarget(model, environment)
    settings = target.load_settings()
    choice = read_choice(inputs) if inputs is not None else None
    risks = read_acceptances(accepted) if accepted is not None else ()
    limits = read_budgets(budgets) if budgets is not None else ()
    check_load(requests_per_day)
    load = {
        "requests_per_day": requests_per_day,
        "peak": peak,
        "duration_s": duration,
        "payload_kb": payload_kb,
        "accelerator": accelerator,
        "provider": provider,
    }
    requirements = _read_requirements(target, settings, latency, load, is_chosen=choice is not None)
    steps = Steps(cli.console)
    account = AccountClients(settings.region, settings.assume_role_arn, settings.account_id)
    with report_early_end() as launch_state:
        account.check()
        clients = account.connect()
        with steps.step("Find the package") as this:
            model_package = run.find_package(target, account, package)
            this.result = model_package.name
        requirements = _set_model_size(requirements, model_package.model_mb)
        if choice is None:
            choice = choose_endpoint(model_package, requirements, latency, *target.read_own_endpoint())
        serving = run.plan_serving(target, model_package, choice, requirements)
        if dry_run:
            cli.make_stdout_console().print(run.format_dry_run(serving), crop=False)
            return
        with closing(run.Deployment(serving, steps)) as deployment:
            deployment.write()
            if (note := target.find_quota_note()) is not None:
                cli.say(note, style="yellow")
            launch_state.update(lambda: f"envs/{environment} is unchanged on AWS; its local files changed")
            deployment.wait_until_settled(clients)
            review, changed = deployment.plan(risks, limits)
            if review.exit_code:
                _stop(review, environment)
            failed = deployment.find_failed_endpoints(clients)
            for endpoint in failed:
                cli.say(f"{endpoint.name} is Failed and not in the Terraform state; it is deleted before the apply.")
            if not apply:
                return
            if changed:
                _confirm(environment, len(changed), yes=yes)
                if failed:
                    deployment.delete_failed_endpoints(failed, clients)
                _apply(deployment, changed, environment, launch_state)
            print(deployment.find_endpoint(clients))


def _apply(
    deployment: "Deployment", changed: Mapping[str, Sequence[str]], environment: str, launch_state: LaunchState
) -> None:
    """Apply the plan. After Ctrl-C, the printed command keeps the resource that Terraform was creating."""
    launch_state.update(lambda: f"envs/{environment} may be partly changed")
    try:
        deployment.apply(changed)
    except KeyboardInterrupt:
        launch_state.command = " && ".join([*deployment.list_untaint_commands(), launch_state.command])
        raise


def _read_requirements(
    target: "DeploymentTarget", settings: Any, latency: int | None, load: dict[str, Any], *, is_chosen: bool
) -> Any:
    """Return the requirements of the callers. Raises UserError if settings and options contradict each other."""
    from sustainable_mlops.advice import ServingRequirements

    if is_chosen and latency is not None:
        raise UserError("--latency: does not apply to --inputs, which have their own; omit one of them")
    if is_chosen:
        return ServingRequirements(region=settings.region, **load)
    if target.model not in settings.models:
        where = f"envs/{target.environment}/settings.yaml: models.{target.model}"
        raise UserError(f"{where}: removes the model from this environment; delete that line first")
    accepted = settings.models[target.model].latency_slo
    where = f"{target.locate_latency_slo()}: {accepted}"
    if accepted == "milliseconds" and latency is None:
        raise UserError(f"{where}: pass the p99 that callers need with --latency MS")
    if accepted != "milliseconds" and latency is not None:
        raise UserError(f"{where}: callers can wait, so --latency does not apply; omit it, or change latency_slo")
    return ServingRequirements(region=settings.region, latency=latency or accepted, **load)


def _set_model_size(requirements: Any, model_mb: float) -> Any:
    from dataclasses import replace

    return replace(requirements, model_mb=max(1.0, model_mb))


def _stop(review: Any, environment: str) -> None:
    """Print the gates that stop the plan, and exit with 1."""
    from sustainable_mlops.review.formats import wording
    from sustainable_mlops.review.formats.items import list_acceptance_lines
    from sustainable_mlops.review.risk import Level

    for gate in review.gates:
        if gate.level is Level.STOP and gate.name in review.fail_on:
            cli.console.print(f"{gate.name}: {gate.text}", markup=False, soft_wrap=True)
    cli.say("The review stops this plan; nothing is applied.", style="red")
    cli.say(f"The report is out/deploy/{environment}.md.")
    if lines := list_acceptance_lines(review):
        print("\n".join([wording.ACCEPTANCE, *lines]), file=sys.stderr)
    raise typer.Exit(1)


def _confirm(environment: str, count: int, *, yes: bool) -> None:
    if not yes and not cli.confirm(f"Apply {count} changes to envs/{environment}?"):
        cli.say("Nothing is applied.")
        raise typer.Exit(1)
