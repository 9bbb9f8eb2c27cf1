"""Progress of a pipeline execution, with the status and figures of each step."""

import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.base.errors import UserError
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
    """Return the record when the execution has ended; `show` receives each state. Raises UserError.

    A step's job whose instances are idle, below the step's floor in `floors`, is stopped.

    Ctrl-C leaves the execution running.
    """
    watches: dict[str, UtilizationWatch] = {}
    with aws.translate_aws_errors(f"following execution {record.execution} of {record.pipeline}"):
        for pause in iterate_pauses():
            record = refresh_execution(record, sagemaker)
            show(record)
            if record.is_ended:
                break
            record = _stop_idle_jobs(record, floors or {}, watches, sagemaker)
            sleep(pause)
    return record


def refresh_execution(record: PipelineRecord, sagemaker: Client) -> PipelineRecord:
    """Return the record with the current state of the execution."""
    description = sagemaker.describe_pipeline_execution(PipelineExecutionArn=record.execution_arn)
    records_by_step = {step.name: step for step in record.steps}
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=record.execution_arn, SortOrder="Ascending"
    )
    summaries = [summary for page in pages for summary in page["PipelineExecutionSteps"]]
    steps = [
        _make_step_record(summary, records_by_step.get(summary["StepName"]), record, sagemaker) for summary in summaries
    ]
    status = description["PipelineExecutionStatus"]
    updated = record.model_copy(update={"status": status})
    return updated.model_copy(
        update={
            "pipeline_version": description.get("PipelineVersionId"),
            "failure_reason": description.get("FailureReason"),
            "launched_at": description["CreationTime"],
            "ended_at": description["LastModifiedTime"] if updated.is_ended else None,
            "steps": steps,
            "model_package": _find_model_package(summaries),
            "figures": sum_figures([step.job.figures for step in steps if step.job and step.ran_job]),
            "saved": sum_figures([step.job.figures for step in steps if step.job and not step.ran_job]),
        }
    )


def load_execution(path: Path, execution: str | None) -> tuple[PipelineRecord, Client]:
    """Return an execution of the pipeline file's pipeline in its current state. Raises UserError.

    `execution` is an ARN or its last part; None selects the newest execution.
    """
    spec = load_spec_file(path, PipelineSpec)
    with aws.translate_aws_errors("AWS"):
        platform = find_platform(spec.platform)
        sagemaker = aws.make_client("sagemaker", platform.region)
        name, _ = find_pipeline_name(spec, platform)
        pages = sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=name, SortOrder="Descending")
        arns = (summary["PipelineExecutionArn"] for page in pages for summary in page["PipelineExecutionSummaries"])
        arn = next((arn for arn in arns if execution is None or execution in (arn, arn.rpartition("/")[2])), None)
        if arn is None:
            problem = "no execution yet" if execution is None else f"no execution {execution}"
            raise UserError(f"{name} has {problem}; start one with smlops pipeline run")
        pages = sagemaker.get_paginator("list_pipeline_parameters_for_execution").paginate(PipelineExecutionArn=arn)
        record = PipelineRecord(
            workload=spec.name,
            environment=platform.environment,
            region=platform.region,
            pipeline=name,
            execution_arn=arn,
            status="Executing",
            launched_at=datetime.now(UTC),
            parameters={summary["Name"]: summary["Value"] for page in pages for summary in page["PipelineParameters"]},
        )
        return refresh_execution(record, sagemaker), sagemaker


def retry_execution(record: PipelineRecord, sagemaker: Client) -> None:
    """Run the failed or stopped steps, and the steps after them, again. Raises UserError."""
    if not record.is_ended or record.status == SUCCEEDED:
        remedy = (
            "start a new one with smlops pipeline run" if record.is_ended else "follow it with smlops pipeline watch"
        )
        raise UserError(
            f"execution {record.execution} is {record.status}; only a failed or stopped one can be retried; {remedy}"
        )
    with aws.translate_aws_errors("RetryPipelineExecution"):
        sagemaker.retry_pipeline_execution(
            PipelineExecutionArn=record.execution_arn, ClientRequestToken=uuid.uuid4().hex
        )


def _stop_idle_jobs(
    record: PipelineRecord,
    floors: Mapping[str, UtilizationFloor],
    watches: dict[str, UtilizationWatch],
    sagemaker: Client,
) -> PipelineRecord:
    """Stop idle jobs and return the record; `watches` has the existing watches by job."""
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


def _make_step_record(
    summary: Mapping[str, Any], known: PipelineStepRecord | None, record: PipelineRecord, sagemaker: Client
) -> PipelineStepRecord:
    metadata = summary.get("Metadata", {})
    member = next((name for name in KIND_OF_METADATA if metadata.get(name, {}).get("Arn")), None)
    job = known.job if known is not None else None
    if member is not None:
        kind, arn = KINDS[KIND_OF_METADATA[member]], metadata[member]["Arn"]
        if job is None or job.job_name != arn.rpartition("/")[2]:  # a retried step has another job
            job = _make_job_record(kind, arn, record, sagemaker)
        elif not job.is_ended:
            job = kind.refresh(job, sagemaker)
    outcome = metadata.get("Condition", {}).get("Outcome")
    idle_reasons = "; ".join(job.stopped.values()) if job is not None else ""
    return PipelineStepRecord(
        name=summary["StepName"],
        type=_find_step_type(metadata),
        status=summary["StepStatus"],
        cached_from=summary.get("CacheHitResult", {}).get("SourcePipelineExecutionArn"),
        reason=idle_reasons or summary.get("FailureReason") or (f"outcome: {outcome}" if outcome else None),
        attempts=summary.get("AttemptCount") or 1,
        started_at=summary.get("StartTime"),
        ended_at=summary.get("EndTime"),
        job=job,
    )


def _find_step_type(metadata: Mapping[str, Any]) -> str:
    """Return the type of a step by the name of its metadata: an execution does not report types."""
    return next((name.removesuffix("Job") for name, value in metadata.items() if value), "")


def _make_job_record(kind: JobKind[Any], arn: str, record: PipelineRecord, sagemaker: Client) -> RunRecord:
    """Return the record of a job that a step started."""
    record_without_job = RunRecord(
        kind=kind.name,
        run_key="",  # the pipeline's cache has its own key
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
    description = kind.describe(record_without_job, sagemaker)
    job_instances = kind.read_instances(description)
    fields = {
        "launched_at": description["CreationTime"],
        "spot": bool(job_instances.spot),
        "instance_type": job_instances.instance_type,
        "instance_count": job_instances.count,
    }
    return kind.update_record(record_without_job.model_copy(update=fields), description)


def _find_model_package(summaries: list[Mapping[str, Any]]) -> str | None:
    arns = [step.get("Metadata", {}).get("RegisterModel", {}).get("Arn") for step in summaries]
    return next((arn for arn in arns if arn), None)
