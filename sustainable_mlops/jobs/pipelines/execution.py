"""Follow an execution of a pipeline: what each step does and takes."""

import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.kinds import KINDS, JobKind
from sustainable_mlops.jobs.launch import find_platform
from sustainable_mlops.jobs.pipelines.figures import sum_figures
from sustainable_mlops.jobs.pipelines.names import KIND_OF_METADATA
from sustainable_mlops.jobs.pipelines.record import SUCCEEDED, PipelineRecord, PipelineStepRecord
from sustainable_mlops.jobs.pipelines.versions import find_pipeline_name
from sustainable_mlops.jobs.record import RunRecord
from sustainable_mlops.jobs.spec_files import load_spec_file
from sustainable_mlops.jobs.specs.common import UtilizationFloor
from sustainable_mlops.jobs.specs.pipeline import PipelineSpec
from sustainable_mlops.jobs.utilization import UtilizationWatch
from sustainable_mlops.jobs.wait import iterate_pauses, stop_idle_jobs, watch_job


def follow_execution(
    record: PipelineRecord,
    sagemaker: Client,
    show: Callable[[PipelineRecord], None],
    sleep: Callable[[float], None] = time.sleep,
    *,
    floors: Mapping[str, UtilizationFloor] | None = None,
) -> PipelineRecord:
    """The record when the execution has ended; `show` gets each state on the way. Raises UserError.

    A step's job that leaves its machines idle, below the floor that `floors` has for the step, is stopped.

    Ctrl-C passes through and leaves the execution running.
    """
    watches: dict[str, UtilizationWatch] = {}
    with aws.translate_aws_errors(f"following execution {record.execution} of {record.pipeline}"):
        for pause in iterate_pauses():
            record = refresh_execution(record, sagemaker)
            show(record)
            if record.is_ended:
                break
            record = _without_the_idle(record, floors or {}, watches, sagemaker)
            sleep(pause)
    return record


def refresh_execution(record: PipelineRecord, sagemaker: Client) -> PipelineRecord:
    """The record with what SageMaker says now."""
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=record.execution_arn)
    known = {step.name: step for step in record.steps}
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=record.execution_arn, SortOrder="Ascending"
    )
    told = [one for page in pages for one in page["PipelineExecutionSteps"]]
    steps = [_step(one, known.get(one["StepName"]), record, sagemaker) for one in told]
    status = described["PipelineExecutionStatus"]
    updated = record.model_copy(update={"status": status})
    return updated.model_copy(
        update={
            "pipeline_version": described.get("PipelineVersionId"),
            "failure_reason": described.get("FailureReason"),
            "launched_at": described["CreationTime"],
            "ended_at": described["LastModifiedTime"] if updated.is_ended else None,
            "steps": steps,
            "model_package": _registered(told),
            "figures": sum_figures([step.job.figures for step in steps if step.job and step.ran_job]),
            "saved": sum_figures([step.job.figures for step in steps if step.job and not step.ran_job]),
        }
    )


def load_execution(path: Path, execution: str | None) -> tuple[PipelineRecord, Client]:
    """An execution of the pipeline of a pipeline file, as it is now: the newest unless named. Raises UserError."""
    spec = load_spec_file(path, PipelineSpec)
    with aws.translate_aws_errors("AWS"):
        platform = find_platform(spec.platform)
        sagemaker = aws.make_client("sagemaker", platform.region)
        name, _ = find_pipeline_name(spec, platform)
        pages = sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=name, SortOrder="Descending")
        arns = (one["PipelineExecutionArn"] for page in pages for one in page["PipelineExecutionSummaries"])
        arn = next((arn for arn in arns if execution is None or execution in (arn, arn.rpartition("/")[2])), None)
        if arn is None:
            known = "no execution yet" if execution is None else f"no execution {execution}"
            raise UserError(f"{name} has {known}; smlops pipeline run starts one")
        pages = sagemaker.get_paginator("list_pipeline_parameters_for_execution").paginate(PipelineExecutionArn=arn)
        record = PipelineRecord(
            workload=spec.name,
            environment=platform.environment,
            region=platform.region,
            pipeline=name,
            execution_arn=arn,
            status="Executing",
            launched_at=datetime.now(UTC),
            parameters={one["Name"]: one["Value"] for page in pages for one in page["PipelineParameters"]},
        )
        return refresh_execution(record, sagemaker), sagemaker


def retry_execution(record: PipelineRecord, sagemaker: Client) -> None:
    """Run what failed or was stopped, and what comes after it, again. Raises UserError."""
    if not record.is_ended or record.status == SUCCEEDED:
        raise UserError(
            f"execution {record.execution} is {record.status}; only one that failed or was stopped can be retried"
            + ("" if record.is_ended else ", and smlops pipeline watch follows it")
        )
    with aws.translate_aws_errors("RetryPipelineExecution"):
        sagemaker.retry_pipeline_execution(
            PipelineExecutionArn=record.execution_arn, ClientRequestToken=uuid.uuid4().hex
        )


def _without_the_idle(
    record: PipelineRecord,
    floors: Mapping[str, UtilizationFloor],
    watches: dict[str, UtilizationWatch],
    sagemaker: Client,
) -> PipelineRecord:
    """The record with what was stopped now; `watches` are those begun, by job."""
    steps = []
    for step in record.steps:
        job, floor = step.job, floors.get(step.name)
        if step.ran_job and job is not None and not job.is_ended and floor is not None:
            if job.job_name not in watches:
                watches[job.job_name] = watch_job(floor, job)
            job = stop_idle_jobs(job, watches[job.job_name], sagemaker)
            steps.append(step.model_copy(update={"job": job}))
        else:
            steps.append(step)
    return record.model_copy(update={"steps": steps})


def _step(
    told: Mapping[str, Any], known: PipelineStepRecord | None, record: PipelineRecord, sagemaker: Client
) -> PipelineStepRecord:
    metadata = told.get("Metadata", {})
    member = next((name for name in KIND_OF_METADATA if metadata.get(name, {}).get("Arn")), None)
    job = known.job if known is not None else None
    if member is not None:
        kind, arn = KINDS[KIND_OF_METADATA[member]], metadata[member]["Arn"]
        if job is None or job.job_name != arn.rpartition("/")[2]:  # a step that is run again has another job
            job = _job(kind, arn, record, sagemaker)
        elif not job.is_ended:
            job = kind.refresh(job, sagemaker)
    outcome = metadata.get("Condition", {}).get("Outcome")
    idle = "; ".join(job.stopped.values()) if job is not None else ""
    return PipelineStepRecord(
        name=told["StepName"],
        type=_type(metadata),
        status=told["StepStatus"],
        cached_from=told.get("CacheHitResult", {}).get("SourcePipelineExecutionArn"),
        reason=idle or told.get("FailureReason") or (f"outcome: {outcome}" if outcome else None),
        attempts=told.get("AttemptCount") or 1,
        started_at=told.get("StartTime"),
        ended_at=told.get("EndTime"),
        job=job,
    )


def _type(metadata: Mapping[str, Any]) -> str:
    """What the step is, as its metadata is called: an execution does not tell its steps' types."""
    return next((name.removesuffix("Job") for name, value in metadata.items() if value), "")


def _job(kind: JobKind[Any], arn: str, record: PipelineRecord, sagemaker: Client) -> RunRecord:
    """The record of a job that a step started."""
    bare = RunRecord(
        kind=kind.name,
        run_key="",  # the pipeline's cache has a key of its own
        workload=record.workload,
        environment=record.environment,
        region=record.region,
        job_name=arn.rpartition("/")[2],
        status="InProgress",
        launched_at=record.launched_at,
        spot=False,
        image="",
        instance_type="",
        instance_count=1,
        data={},
    )
    described = kind.describe(bare, sagemaker)
    machines = kind.read_machines(described)
    known = {
        "launched_at": described["CreationTime"],
        "spot": bool(machines.spot),
        "instance_type": machines.instance_type,
        "instance_count": machines.count,
    }
    return kind.update_record(bare.model_copy(update=known), described)


def _registered(told: list[Mapping[str, Any]]) -> str | None:
    arns = [step.get("Metadata", {}).get("RegisterModel", {}).get("Arn") for step in told]
    return next((arn for arn in arns if arn), None)
