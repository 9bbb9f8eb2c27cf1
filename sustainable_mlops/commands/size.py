"""Report the input size at which a job outgrows the memory of its instances, and the next step.

The input is the peak memory of one instance and the size of its input: from records of measured runs, or from --peak-gb
and --input-gb, once for each measurement. With two or more sizes, the command fits a line. With one size, it assumes
that memory is proportional to the input. The next step has enough memory for an input of --target-gb (by default, twice
the largest possible input): shards, a larger instance type, or SageMaker's Spark image. The steps are ranked by kgCO2e
and then USD of an instance-hour.

Exit codes: 0 reported, 2 the input is not valid.

Examples:

* `smlops size out/runs/prepare-*.json --target-gb 200`
* `smlops size --instance-type ml.m5.xlarge --input-gb 2 --peak-gb 6`
* `smlops size --instance-type ml.m5.xlarge --input-gb 2 --peak-gb 6 --input-gb 4 --peak-gb 10 --objects 48`
* `smlops size --instance-type ml.m5.xlarge --input-gb 2 --peak-gb 6 --kind training --json | jq .options[0]`
"""

import json
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError

app = cli.create_app()
_GB = 10**9


@app.command(help=__doc__)
def size(
    records: Annotated[list[Path] | None, typer.Argument(help="Records of runs.", metavar="[RECORD.json]...")] = None,
    instance_type: Annotated[str | None, typer.Option(help="Instance type of the job, such as ml.m5.xlarge.")] = None,
    input_gb: Annotated[list[float] | None, typer.Option(help="Input of one instance, in GB.")] = None,
    peak_gb: Annotated[list[float] | None, typer.Option(help="Peak memory of one instance, in GB.")] = None,
    instances: Annotated[int, typer.Option(min=1, help="Instances that share the input.")] = 1,
    objects: Annotated[int | None, typer.Option(min=1, help="Number of objects in the input.")] = None,
    kind: Annotated[str, typer.Option(help="Job kind: processing or training.")] = "processing",
    target_gb: Annotated[float | None, typer.Option(help="Size of the input in GB.")] = None,
    region: Annotated[str, typer.Option(help="Region of the job, for carbon and cost.")] = "eu-north-1",
    as_json: cli.AsJson = False,
) -> None:
    """Report the input size at which a job outgrows its instances."""
    from sustainable_mlops.advice.memory_growth import build_job
    from sustainable_mlops.advice.size import GrowingJob, MemorySample, forecast_growth, format_growth
    from sustainable_mlops.catalogue import regions

    sample_options = (instance_type, input_gb, peak_gb)
    if records and any(sample_options):
        raise UserError("pass either records, or --instance-type with --input-gb and --peak-gb")
    if records:
        job = build_job(records)
    else:
        if instance_type is None or not input_gb or not peak_gb:
            raise UserError("pass records of runs, or --instance-type with --input-gb and --peak-gb")
        if len(input_gb) != len(peak_gb):
            raise UserError(f"--peak-gb: {len(peak_gb)} values for {len(input_gb)} of --input-gb; pass one for each")
        if kind not in ("processing", "training"):
            raise UserError(f"--kind: {kind} must be processing or training")
        samples = tuple(MemorySample(one * _GB, peak * _GB) for one, peak in zip(input_gb, peak_gb, strict=True))
        job = GrowingJob(instance_type, samples, cast("Any", kind), instances, instances > 1, objects)
    if target_gb is not None and target_gb <= 0:
        raise UserError(f"--target-gb: {target_gb:g} must be more than 0")
    regions.require(region)
    result = forecast_growth(job, None if target_gb is None else target_gb * _GB, region)
    if as_json:
        print(json.dumps(result.to_dict(), indent=2, allow_nan=False))
    else:
        cli.make_stdout_console().print(
            "\n".join(format_growth(job, result)), markup=False, highlight=False, soft_wrap=True
        )
