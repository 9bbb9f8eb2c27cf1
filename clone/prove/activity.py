"""Active pipeline executions and jobs of a run. AWS does not delete the resources that they use."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from clone.prove.evidence import Recorder
from sustainable_mlops.aws.statuses import STATUSES

EXECUTION = "active pipeline execution"
#: Statuses of an execution that has not ended.
EXECUTION_STATUSES = STATUSES["PipelineExecutionStatus"].running
_JOB_STATUSES = STATUSES["ProcessingJobStatus"].running


@dataclass(frozen=True)
class ActiveJobKind:
    """One job kind: its name in operations of SageMaker, and in a sentence."""

    noun: str
    operation: str

    @property
    def name(self) -> str:
        """Kind in the inventory."""
        return f"active {self.operation.replace('_', ' ')}"

    def list_names(self, sagemaker: Any) -> Iterator[str]:
        """Return the names of the account's jobs that have not ended."""
        pages = sagemaker.get_paginator(f"list_{self.operation}s")
        for status in _JOB_STATUSES:
            for page in pages.paginate(StatusEquals=status):
                yield from (one[f"{self.noun}Name"] for one in page[f"{self.noun}Summaries"])

    def describe(self, sagemaker: Any, name: str) -> dict[str, Any]:
        """Return the description of a job."""
        described: dict[str, Any] = getattr(sagemaker, f"describe_{self.operation}")(**{f"{self.noun}Name": name})
        return described

    def stop(self, sagemaker: Any, name: str) -> None:
        """Stop a job, unless it is already ending."""
        if self.describe(sagemaker, name)[f"{self.noun}Status"] == "InProgress":
            getattr(sagemaker, f"stop_{self.operation}")(**{f"{self.noun}Name": name})


_JOBS = (ActiveJobKind("TrainingJob", "training_job"), ActiveJobKind("ProcessingJob", "processing_job"))
#: Kinds in the order in which they are stopped: an execution starts jobs.
KINDS = (EXECUTION, *(kind.name for kind in _JOBS))


def find_activities(recorder: Recorder, run: str) -> Iterator[tuple[str, str]]:
    """Return the kind and the name of each active execution and job of the run."""
    sagemaker = recorder.get_client("sagemaker")
    yield from ((EXECUTION, arn) for arn in _list_executions(sagemaker, run))
    for kind in _JOBS:
        yield from (
            (kind.name, name) for name in kind.list_names(sagemaker) if _belongs_to_run(sagemaker, kind, name, run)
        )


def _list_executions(sagemaker: Any, run: str) -> Iterator[str]:
    pipelines = sagemaker.get_paginator("list_pipelines").paginate(PipelineNamePrefix=run)
    for pipeline in [one["PipelineName"] for page in pipelines for one in page["PipelineSummaries"]]:
        for page in sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=pipeline):
            for one in page["PipelineExecutionSummaries"]:
                if one["PipelineExecutionStatus"] in EXECUTION_STATUSES:
                    yield one["PipelineExecutionArn"]


def _belongs_to_run(sagemaker: Any, kind: ActiveJobKind, name: str, run: str) -> bool:
    """Return whether a job is the run's. Pipelines name their jobs themselves, but each job has a role of the run."""
    return run in name or run in kind.describe(sagemaker, name)["RoleArn"]


def stop_activity(recorder: Recorder, kind: str, name: str) -> None:
    """Stop an execution or a job, unless it is already ending. Raises ClientError if AWS refuses."""
    sagemaker = recorder.get_client("sagemaker")
    if kind == EXECUTION:
        _stop_execution(sagemaker, name)
    else:
        next(one for one in _JOBS if one.name == kind).stop(sagemaker, name)


def _stop_execution(sagemaker: Any, arn: str) -> None:
    status = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
    if status != "Executing":
        return
    try:
        sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    except ClientError:
        # It may have ended in the meantime.
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        if described["PipelineExecutionStatus"] in EXECUTION_STATUSES:
            raise
