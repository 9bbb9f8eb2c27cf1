"""Find the endpoint that serves a model with the least carbon, by a load test of SageMaker.

The command tries instance types that the model's images support (Graviton, x86, Inferentia2 or GPU), and with
--serverless also serverless memory. It ranks the candidates by kgCO2e of 1,000 requests at the expected load, and also
prints USD. It prints the best candidate as inputs of its module: for the model's file in envs/catalogue/models, or as
HCL.

SageMaker has no load test for asynchronous endpoints. With --asynchronous, the command derives the throughput of a
queue from the responses of one instance; the measurements do not include the transfer through S3.

A test runs real endpoints for some minutes each, one after the other. The candidates identify a test, so the same
command follows a running test and reads a finished one.

Exit codes: 0 recommended, 1 no candidate keeps the latency, 2 the input is not valid, 130 Ctrl-C (the test continues).

The role of the test is --role, or `recommendation_role_arn` in the settings of the environment. Without both, it is
the role of the account that trusts SageMaker and has AmazonSageMakerFullAccess, if there is only one.

Examples, with the ARN of a model package:

* `smlops recommend $PACKAGE --p95 200 --dry-run`: the candidates, and the cost of their test
* `smlops recommend $PACKAGE --environment prod --p95 200 --requests-per-day 500000 --write out/flights.yaml`
* `smlops recommend $PACKAGE --p95 5000 --asynchronous`: callers can wait minutes for a response
* `smlops recommend $PACKAGE --role $ROLE --p95 80 --instance-type ml.c7g.large --instance-type ml.c7i.large`
* `smlops recommend churn --role $ROLE --p95 50 --framework XGBOOST --content-type text/csv --payload s3://b/s.tar.gz`
"""

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.files import write_file
from sustainable_mlops.commands import _load
from sustainable_mlops.commands._early import report_early_end

if TYPE_CHECKING:
    from sustainable_mlops.advice.recommendation.job import RecommendationJob

app = cli.create_app()
_FORMATS = (".yaml", ".tf")


@app.command(help=__doc__)
def recommend(
    model: Annotated[str, typer.Argument(help="ARN of a model package, or the name of a model.")],
    p95: Annotated[
        int, typer.Option(min=1, help="Maximum p95 latency of the load test, in ms. It becomes latency_slo_ms.")
    ],
    environment: Annotated[str, typer.Option(help="Environment that names the role of the test.")] = "dev",
    role: Annotated[
        str | None,
        typer.Option(
            help="ARN of the role of the test, which creates, invokes and deletes models and endpoints.",
            show_default="the role of the environment, or the only one of the account",
        ),
    ] = None,
    requests_per_day: Annotated[float, typer.Option(help="Expected requests a day.")] = 10_000.0,
    peak: _load.Peak = 3.0,
    instance_type: Annotated[
        list[str] | None,
        typer.Option(
            help="Instance type to try. Repeatable.", show_default="for each image, the best type of three families"
        ),
    ] = None,
    serverless: Annotated[
        bool,
        typer.Option(
            help="Also try serverless endpoints. Callers accept their cold start, which --p95 does not include."
        ),
    ] = False,
    asynchronous: Annotated[
        bool, typer.Option("--asynchronous", help="Callers can wait minutes: rank asynchronous endpoints too.")
    ] = False,
    minutes: Annotated[
        int, typer.Option(min=2, max=60, help="Duration of the test of each candidate, in minutes.")
    ] = 10,
    payload: Annotated[str | None, typer.Option(help="s3:// address of a .tar.gz of sample requests.")] = None,
    content_type: Annotated[str | None, typer.Option(help="Content type of the sample requests.")] = None,
    framework: Annotated[str | None, typer.Option(help="Framework of the model, such as XGBOOST.")] = None,
    provider: Annotated[int, typer.Option(help="Major version of the AWS provider.")] = 5,
    one_instance_because: Annotated[
        str | None,
        typer.Option(
            help="Reason for a single instance. Without a reason, the endpoint has two instances in two zones."
        ),
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Region of the test.", show_default="the Region of the package")
    ] = None,
    write: Annotated[Path | None, typer.Option(help="Write the inputs to this file, .yaml or .tf.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the candidates; start nothing.")] = False,
    as_json: cli.AsJson = False,
) -> None:
    """Recommend an endpoint."""
    from sustainable_mlops import aws
    from sustainable_mlops.advice.recommendation import candidates, job, model_under_test, ranking
    from sustainable_mlops.advice.recommendation.role import find_role
    from sustainable_mlops.advice.wording import describe_implausible_load

    if write is not None and write.suffix not in _FORMATS:
        raise UserError(f"--write: {write} must end in .yaml or .tf")
    for option, value, least in (("--requests-per-day", requests_per_day, 0.0), ("--peak", peak, 1.0)):
        if not value >= least or value == 0:
            raise UserError(f"{option}: {value:g} must be {'more than 0' if least == 0 else 'at least 1'}")
    if warning := describe_implausible_load(requests_per_day):
        cli.say(warning)
    where = _choose_region(model, region)
    finished: list[tuple[RecommendationJob, Any]] = []
    with report_early_end() as launch_state:
        clients = aws.connect_clients(where)
        where = clients.sagemaker.meta.region_name
        expected = ranking.ExpectedLoad(
            where, requests_per_day, peak, p95, provider, one_instance_because, asynchronous, serverless
        )
        served = model_under_test.read_model(model, clients)
        tried = candidates.choose_candidates(served, where, provider, instance_type or (), serverless=serverless)
        test_role = role or find_role(environment, where)
        if role is None:
            cli.say(f"role of the load test: {test_role}")
        jobs = job.plan_jobs(
            served, tried, job.LoadTestSettings(test_role, p95, minutes, None, payload, content_type, framework)
        )
        if dry_run:
            _show_plan(jobs, where, minutes, as_json=as_json)
            return
        for one in jobs:
            launch_state.update(partial(_describe_job, one, clients.sagemaker))
            finished.append((one, _follow(one, clients.sagemaker)))
        ranked = ranking.rank_recommendations(finished, expected, clients.sagemaker)
        failed = {title: why for one in jobs for title, why in job.list_failures(one, clients.sagemaker).items()}
    _show(ranked, failed, expected, jobs, write, as_json=as_json)


def _follow(one: "RecommendationJob", sagemaker: Any) -> dict[str, Any]:
    """Start the job unless it exists, follow it to its end, and return its description."""
    from sustainable_mlops.advice.recommendation import job

    with cli.console.status(f"{one.name}: {len(one.candidates)} to try") as status:
        return job.run_job(one, sagemaker, lambda at: status.update(f"{one.name}: {at}"))


def _choose_region(model: str, region: str | None) -> Any:
    """Return the Region of the option or of the package's ARN; None means the AWS configuration."""
    from sustainable_mlops.aws import Arn
    from sustainable_mlops.catalogue import regions

    if region is not None:
        regions.require(region)
    arn = Arn.parse_or_none(model)
    package_region = arn.region if arn is not None else None
    if model.startswith("arn:") and ":model-package/" not in model:
        raise UserError(f"{model}: is not a model package; pass the ARN of a model package, or the name of a model")
    if region and package_region and region != package_region:
        raise UserError(f"--region: {region} is not the Region of the package; omit it, or pass {package_region}")
    return region or package_region


def _describe_job(one: "RecommendationJob", sagemaker: Any) -> str:
    """Describe a job that the command no longer follows."""
    from sustainable_mlops.advice.recommendation import job
    from sustainable_mlops.aws.statuses import STATUSES

    description = job.find_job(one, sagemaker)
    if description is None:
        return "nothing was started"
    if description["Status"] in STATUSES["RecommendationJobStatus"].final:
        return f"recommendation job {one.name} is {description['Status']}"
    stop_command = job.format_stop_command(one, sagemaker.meta.region_name)
    return f"recommendation job {one.name} continues (to stop it: {stop_command})"


def _show_plan(jobs: list["RecommendationJob"], region: str, minutes: int, *, as_json: bool) -> None:
    """Print the candidates, and the upper bound of time, carbon and cost."""
    from sustainable_mlops.advice.wording import format_figure_cell, list_legend
    from sustainable_mlops.footprint import estimate_job
    from sustainable_mlops.footprint.figures import sum_estimates

    if as_json:
        print(json.dumps([one.request for one in jobs], indent=2))
        return
    out = cli.make_stdout_console()
    for one in jobs:
        titles = ", ".join(candidate.title for candidate in one.candidates)
        out.print(f"{one.name}: {titles}", markup=False, soft_wrap=True)
    # AWS documents no time for the start and the end of an instance: assumed as long as the test of ten minutes.
    instance_types = [
        candidate.instance_type for one in jobs for candidate in one.candidates if candidate.instance_type
    ]
    total = sum_estimates(estimate_job(kind, 1, minutes * 60 + 600, region) for kind in instance_types)
    figures = [" ".join(format_figure_cell(figure)) for metric in ("total", "cost") if (figure := total.get(metric))]
    out.print(f"At most {minutes} minutes each, one after the other; the instances use about {', '.join(figures)}.")
    for name, text in list_legend([("the test", total.get("total"))]):
        out.print(f"{name}: {text}", markup=False, soft_wrap=True)


def _show(
    ranked: Any, failed: Any, expected: Any, jobs: list["RecommendationJob"], write: Path | None, *, as_json: bool
) -> None:
    from sustainable_mlops.advice.recommendation import display, inputs

    if as_json:
        result = {
            "jobs": [one.name for one in jobs],
            "recommended": [one.to_dict() for one in ranked],
            "failed": dict(failed),
        }
        print(json.dumps(result, indent=2, allow_nan=False))
    else:
        display.print_recommendations(ranked, failed, expected, cli.make_stdout_console())
    if not ranked:
        print(f"error: no candidate answers 95 of 100 requests within {expected.latency_ms} ms", file=sys.stderr)
        raise typer.Exit(1)
    best = ranked[0]
    if write is not None:
        write_file(write, inputs.format_hcl(best) if write.suffix == ".tf" else inputs.format_yaml(best))
        print(f"Inputs of {best.module}: {write}", file=sys.stderr)
    elif not as_json:
        print(f"\n{inputs.format_yaml(best)}", end="")
