"""Serve a model of an environment: choose the endpoint, write the settings, plan, review, ask, apply.

The kind of endpoint follows from what callers accept, which the environment's tag `latency_slo` says, from the load,
and from the silicon that the package has images for: the adviser's least carbon (`smlops advise` shows them all). Or it
is what `smlops recommend --write` found by a load test. It goes into the model's file in envs/catalogue/models, and the
package into the environment's models.auto.tfvars.json; both are changes to commit.

The credentials must be of the account in the settings, with its `assume_role_arn` where there is one.

Every step says what it did, and looks at what is there: where one fails, the same command goes on. Nothing is applied
that the review stops, or that you do not say yes to. The review is in out/deploy/. It stops a model's first
asynchronous endpoint, as its role may use the key for topics then: accept that in accepted.yaml (docs/review.md).
An endpoint whose first creation failed can exist in AWS but not in the Terraform state. The apply would then fail with
"Cannot create already existing endpoint", so the command deletes that endpoint first. It never deletes an endpoint that
is in service or in the state.

Ctrl-C lets Terraform end by itself, so that its state is whole; what it was making then, it would replace: the command
to go on keeps it.

Exit codes: 0 deployed (or planned), 1 the review stopped it or you did, 2 bad input or a step that failed, 130 Ctrl-C.

Examples:

* `smlops deploy flight_delay --requests-per-day 5000 --no-apply`: write, plan and review; then look at `git diff`
* `smlops deploy flight_delay --requests-per-day 5000`: the same, and apply once you say yes
* `smlops deploy flight_delay --environment prod --requests-per-day 2000000 --duration 0.02`
* `smlops deploy flight_delay --inputs out/flights.yaml --package $PACKAGE --yes`: what recommend found
* `smlops sandbox exec -- smlops deploy flight_delay --requests-per-day 5000 --yes`
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from sustainable_mlops import cli
from sustainable_mlops.commands._early import ended_early
from sustainable_mlops.errors import UserError

app = cli.app()


@app.command(help=__doc__)
def deploy(
    model: Annotated[str, typer.Argument(help="A model of envs/catalogue/models.")],
    environment: Annotated[str, typer.Option(help="Environment that serves it, applied before.")] = "dev",
    package: Annotated[
        str | None, typer.Option(help="ARN of the model package.", show_default="the newest approved")
    ] = None,
    requests_per_day: Annotated[float, typer.Option(help="Requests a day that are expected.")] = 10_000.0,
    peak: Annotated[float, typer.Option(help="Busiest moment as a multiple of the average.")] = 3.0,
    latency: Annotated[
        int | None,
        typer.Option(min=1, help="p99 in ms, needed where the environment's latency_slo is milliseconds."),
    ] = None,
    duration: Annotated[float, typer.Option(help="Seconds that a request keeps one vCPU or accelerator busy.")] = 0.2,
    payload_kb: Annotated[float, typer.Option(help="The larger of request and answer.")] = 10.0,
    accelerator: Annotated[str, typer.Option(help="none, any (GPU or Neuron chip), or gpu.")] = "none",
    provider: Annotated[int, typer.Option(help="Major version of the AWS provider in use.")] = 5,
    inputs: Annotated[
        Path | None, typer.Option(help="What `smlops recommend --write` wrote, in place of the adviser.")
    ] = None,
    accepted: Annotated[
        Path | None, typer.Option(help="accepted.yaml: risks that somebody accepts, as `smlops review` takes it.")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply/--no-apply", help="Apply, or stop after the review.")] = True,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Deploy a model."""
    cli.require("deploy", "authoring", clone=True)
    from sustainable_mlops.aws import AccountClients
    from sustainable_mlops.operations.deploy import run
    from sustainable_mlops.operations.deploy.choice import by_file, by_need, check_images
    from sustainable_mlops.review.acceptances import read_accepted
    from sustainable_mlops.steps import Steps

    if apply and not yes and not (sys.stdin and sys.stdin.isatty()):
        raise UserError("deploy: there is no terminal to ask on; --yes applies, --no-apply stops after the review")
    target = run.Target(model, environment)
    settings = target.settings()
    choice = by_file(inputs) if inputs is not None else None
    risks = read_accepted(accepted) if accepted is not None else ()
    needed = {
        "requests_per_day": requests_per_day,
        "peak": peak,
        "duration_s": duration,
        "payload_kb": payload_kb,
        "accelerator": accelerator,
        "provider": provider,
    }
    need = None if choice is not None else _need(settings, latency, needed)
    steps = Steps(cli.console)
    account = AccountClients(settings.region, settings.assume_role_arn, settings.account_id)
    with ended_early() as so_far:
        account.check()
        clients = account.connect()
        with steps.step("Find the package") as this:
            found = run.find_package(target, account, package)
            this.result = found.name
        if choice is not None:
            check_images(found, choice)
        else:
            choice = by_need(found, _of_size(need, found.model_mb), latency)
        deployment = run.Deployment(target, steps)
        deployment.write(found.name, choice)
        if (note := target.quota_note()) is not None:
            cli.say(note, style="yellow")
        so_far.begin(lambda: f"envs/{environment} is as it was before, but for its files here")
        deployment.wait_until_settled(clients)
        review, changed = deployment.plan(risks)
        if review.exit_code:
            _stop(review, environment)
        failed = deployment.find_failed_endpoints(clients)
        for leftover in failed:
            cli.say(f"{leftover.name} is Failed and not in the Terraform state; it is deleted before the apply.")
        if not apply:
            return
        if changed:
            _ask(environment, len(changed), yes=yes)
            if failed:
                deployment.delete_failed_endpoints(failed, clients)
            so_far.begin(lambda: f"envs/{environment} may be changed in part")
            try:
                deployment.apply(changed)
            except KeyboardInterrupt:
                so_far.command = " && ".join([*deployment.keep(), so_far.command])
                raise
        print(deployment.endpoint(choice, clients))


def _need(settings: Any, latency: int | None, needed: dict[str, Any]) -> Any:
    """What callers need, as the settings say what they accept. Raises UserError."""
    from sustainable_mlops.advice import Need

    accepted = settings.tags.latency_slo
    where = f"envs/{settings.environment}/settings.yaml: tags.latency_slo: {accepted}"
    if accepted == "milliseconds" and latency is None:
        raise UserError(f"{where}: give the p99 that callers need, --latency MS")
    if accepted != "milliseconds" and latency is not None:
        raise UserError(f"{where}: callers can wait, so --latency has no place; leave it out, or change the tag")
    return Need(region=settings.region, latency=latency or accepted, **needed)


def _of_size(need: Any, model_mb: float) -> Any:
    from dataclasses import replace

    return replace(need, model_mb=max(1.0, model_mb))


def _stop(review: Any, environment: str) -> None:
    """Say which gates stop it, and end."""
    from sustainable_mlops.review.risk import Level

    for gate in review.gates:
        if gate.level is Level.STOP and gate.name in review.fail_on:
            cli.console.print(f"{gate.name}: {gate.text}", markup=False, soft_wrap=True)
    cli.say("The review stops this plan; nothing is applied.", style="red")
    cli.say(f"out/deploy/{environment}.md says what and why; what is wanted all the same stands in a file, --accepted.")
    raise typer.Exit(1)


def _ask(environment: str, count: int, *, yes: bool) -> None:
    try:
        agreed = yes or typer.confirm(f"Apply {count} changes to envs/{environment}?", err=True)
    except typer.Abort:
        raise KeyboardInterrupt from None
    if not agreed:
        cli.say("Nothing is applied.")
        raise typer.Exit(1)
