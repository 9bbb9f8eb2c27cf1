"""Find the endpoint that serves a model with the least carbon, by SageMaker's own load test of it.

Tries instance types that its images run on (Graviton, x86, Inferentia2 or GPU) and serverless memory, asks for the
scaling that follows from what was measured, ranks all by kgCO2e of 1,000 requests at the load you expect, with USD
beside it, and prints the winner as the inputs of its module: for the model's file in envs/catalogue/models, or as HCL.

No job of SageMaker's asks an asynchronous endpoint. Where callers can wait, what an instance answered at once says how
an asynchronous endpoint on it works off its queue (--asynchronous); its way through S3 is in no measurement.

A test runs real endpoints for some minutes each, one after the other. It is named by what it tries: the same command
follows one that runs, and asks one that is done again without running anything.

Exit codes: 0 recommended, 1 nothing keeps the latency, 2 bad input, 130 Ctrl-C (the job goes on).

Examples, with the ARN of a model package, and the role that the environment names (`recommendation_role_arn` in its
settings) or --role:

* `smlops recommend $PACKAGE --p95 200 --dry-run`: what would be tried, and what it takes
* `smlops recommend $PACKAGE --environment prod --p95 200 --requests-per-day 500000 --write out/flights.yaml`
* `smlops recommend $PACKAGE --p95 5000 --asynchronous`: callers can wait minutes for an answer
* `smlops recommend $PACKAGE --role $ROLE --p95 80 --instance-type ml.c7g.large --instance-type ml.c7i.large`
* `smlops recommend churn --role $ROLE --p95 50 --framework XGBOOST --content-type text/csv --payload s3://b/s.tar.gz`
"""

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sustainable_mlops import cli
from sustainable_mlops.commands._early import ended_early
from sustainable_mlops.errors import UserError
from sustainable_mlops.files import write_whole

if TYPE_CHECKING:
    from sustainable_mlops.recommendation.job import Job

app = cli.app()
_FORMATS = (".yaml", ".tf")


@app.command(help=__doc__)
def recommend(
    model: Annotated[str, typer.Argument(help="ARN of a model package, or the name of a model.")],
    p95: Annotated[int, typer.Option(min=1, help="Milliseconds within which 95 of 100 answers have to be there.")],
    environment: Annotated[str, typer.Option(help="Environment that names the role of the test.")] = "dev",
    role: Annotated[
        str | None,
        typer.Option(
            help="ARN of the role that the test assumes: it makes models and endpoints, asks them and deletes them.",
            show_default="the environment's",
        ),
    ] = None,
    requests_per_day: Annotated[float, typer.Option(help="Requests a day that are expected.")] = 10_000.0,
    peak: Annotated[float, typer.Option(help="Busiest moment as a multiple of the average.")] = 3.0,
    instance_type: Annotated[
        list[str] | None,
        typer.Option(help="A type to try; may be given again.", show_default="the best of three families an image"),
    ] = None,
    serverless: Annotated[bool, typer.Option(help="Try serverless memory, too.")] = True,
    asynchronous: Annotated[
        bool, typer.Option("--asynchronous", help="Callers can wait minutes: rank asynchronous endpoints, too.")
    ] = False,
    minutes: Annotated[int, typer.Option(min=2, max=60, help="Minutes of the test of each.")] = 10,
    payload: Annotated[str | None, typer.Option(help="s3:// address of a .tar.gz of sample requests.")] = None,
    content_type: Annotated[str | None, typer.Option(help="Content type of the sample requests.")] = None,
    framework: Annotated[str | None, typer.Option(help="Framework of the model, such as XGBOOST.")] = None,
    provider: Annotated[int, typer.Option(help="Major version of the AWS provider that makes the endpoint.")] = 5,
    one_instance_because: Annotated[
        str | None, typer.Option(help="Why one instance is enough; without it there are two, in two zones.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="Where it runs.", show_default="the package's")] = None,
    write: Annotated[Path | None, typer.Option(help="Write the inputs to this file, .yaml or .tf.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be tried; start nothing.")] = False,
    as_json: cli.AsJson = False,
) -> None:
    """Recommend an endpoint."""
    from sustainable_mlops import aws
    from sustainable_mlops.recommendation import candidates, job, ranking, served_model

    if write is not None and write.suffix not in _FORMATS:
        raise UserError(f"--write: {write} must end in .yaml or .tf")
    for option, value, least in (("--requests-per-day", requests_per_day, 0.0), ("--peak", peak, 1.0)):
        if not value >= least or value == 0:
            raise UserError(f"{option}: {value:g} must be {'more than 0' if least == 0 else 'at least 1'}")
    where = _region(model, region)
    found: list[tuple[Job, Any]] = []
    with ended_early() as so_far:
        clients = aws.connect(where)
        where = clients.sagemaker.meta.region_name
        expected = ranking.Expected(where, requests_per_day, peak, p95, provider, one_instance_because, asynchronous)
        served = served_model.read(model, clients)
        tried = candidates.of(served, where, provider, instance_type or (), serverless=serverless)
        assumed = role or _role(environment, where)
        jobs = job.plan(served, tried, job.Load(assumed, p95, minutes, None, payload, content_type, framework))
        if dry_run:
            _show_plan(jobs, where, minutes, as_json=as_json)
            return
        for one in jobs:
            so_far.begin(partial(_state, one, clients.sagemaker))
            found.append((one, _follow(one, clients.sagemaker)))
        ranked = ranking.rank(found, expected, clients.sagemaker)
        failed = {title: why for one in jobs for title, why in job.failures(one, clients.sagemaker).items()}
    _show(ranked, failed, expected, jobs, write, as_json=as_json)


def _follow(one: "Job", sagemaker: Any) -> dict[str, Any]:
    """What a job has come to at its end; it is started unless it is there."""
    from sustainable_mlops.recommendation import job

    with cli.console.status(f"{one.name}: {len(one.candidates)} to try") as status:
        return job.follow(one, sagemaker, lambda at: status.update(f"{one.name}: {at}"))


def _region(model: str, region: str | None) -> Any:
    """The Region that the package's ARN names, unless one is given; else that of the AWS configuration."""
    from sustainable_mlops.catalogue import regions

    if region is not None and regions.find(region) is None:
        raise UserError(f"--region: the catalogue has no Region {region}; use for example eu-north-1")
    parts = model.split(":")
    named = parts[3] if model.startswith("arn:") and len(parts) > 5 else None
    if model.startswith("arn:") and ":model-package/" not in model:
        raise UserError(f"{model}: is no model package; give the ARN of one, or the name of a model")
    if region and named and region != named:
        raise UserError(f"--region: {region} is not the package's, {named}")
    return region or named


def _role(environment: str, region: str) -> str:
    """The role that an environment names for load tests. Raises UserError where it names none."""
    from sustainable_mlops import aws
    from sustainable_mlops.jobs.platform import read_platform

    parameter = f"/sustainable-mlops/{environment}/platform"
    with aws.translate_aws_errors(parameter):
        found = read_platform(parameter, aws.client("ssm", region)).roles.recommendation
    if found is None:
        raise UserError(
            f"{parameter}: names no role for load tests; give --role, or name one as recommendation_role_arn in "
            f"envs/{environment}/settings.yaml and apply it"
        )
    return found


def _state(one: "Job", sagemaker: Any) -> str:
    """What is true of a job that nobody follows any more."""
    from sustainable_mlops.recommendation import job

    found = job.find(one, sagemaker)
    if found is None:
        return "nothing was started"
    if found["Status"] in job.OVER:
        return f"recommendation job {one.name} is {found['Status']}"
    return f"recommendation job {one.name} goes on (stop it: {job.stop_command(one)})"


def _show_plan(jobs: list["Job"], region: str, minutes: int, *, as_json: bool) -> None:
    """What would be tried, and at most for how long and for what."""
    from sustainable_mlops.footprint import estimate_job
    from sustainable_mlops.footprint.figures import total

    if as_json:
        print(json.dumps([one.request for one in jobs], indent=2))
        return
    out = cli.stdout()
    for one in jobs:
        titles = ", ".join(candidate.title for candidate in one.candidates)
        out.print(f"{one.name}: {titles}", markup=False, soft_wrap=True)
    # An instance starts and goes as well; AWS says how long nowhere: taken to be as long as the test of ten minutes.
    on = [candidate.instance_type for one in jobs for candidate in one.candidates if candidate.instance_type]
    taken = total(estimate_job(kind, 1, minutes * 60 + 600, region) for kind in on)
    figures = [str(figure) for metric in ("total", "cost") if (figure := taken.get(metric))]
    out.print(f"At most {minutes} minutes each, one after the other; the instances take about {', '.join(figures)}.")


def _show(ranked: Any, failed: Any, expected: Any, jobs: list["Job"], write: Path | None, *, as_json: bool) -> None:
    from sustainable_mlops.recommendation import display, inputs

    if as_json:
        answer = {
            "jobs": [one.name for one in jobs],
            "recommended": [one.to_dict() for one in ranked],
            "failed": dict(failed),
        }
        print(json.dumps(answer, indent=2, allow_nan=False))
    else:
        display.show(ranked, failed, expected, cli.stdout())
    if not ranked:
        print(f"error: nothing answers 95 of 100 requests within {expected.latency_ms} ms", file=sys.stderr)
        raise typer.Exit(1)
    best = ranked[0]
    if write is not None:
        write_whole(write, inputs.as_hcl(best) if write.suffix == ".tf" else inputs.as_yaml(best))
        print(f"Inputs of {best.module}: {write}", file=sys.stderr)
    elif not as_json:
        print(f"\n{inputs.as_yaml(best)}", end="")
