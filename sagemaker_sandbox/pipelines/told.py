"""An execution and its steps as the API answers them, and as events tell them."""

from datetime import datetime
from typing import Any

from sagemaker_sandbox.pipelines.definition import Step
from sagemaker_sandbox.pipelines.execution import Execution, StepRecord
from sagemaker_sandbox.pipelines.expressions import as_text
from sagemaker_sandbox.pipelines.outside import Fields

EXECUTION_EVENT = "SageMaker Model Building Pipeline Execution Status Change"
STEP_EVENT = "SageMaker Model Building Pipeline Execution Step Status Change"


def step(record: StepRecord, defined: Step) -> Fields:
    """A step as ListPipelineExecutionSteps answers it."""
    fields: Fields = {
        "StepName": record.name,
        "StepDisplayName": defined.display_name,
        "StepDescription": defined.description,
        "StartTime": record.started,
        "EndTime": record.ended,
        "StepStatus": record.status,
        "FailureReason": record.reason,
        "Metadata": record.metadata,
        "AttemptCount": record.attempts,
    }
    if record.cache_source:
        fields["CacheHitResult"] = {"SourcePipelineExecutionArn": record.cache_source}
    if record.reused_from:
        fields["SelectiveExecutionResult"] = {"SourcePipelineExecutionArn": record.reused_from}
    if record.parent is not None:
        context = {"ParentStepName": record.parent, "Index": record.index, "Item": as_text(record.item)}
        fields["IterationContext"] = context
    return fields


def execution(run: Execution) -> Fields:
    """An execution as DescribePipelineExecution answers it, and List… in part."""
    return {
        "PipelineArn": run.pipeline_arn,
        "PipelineExecutionArn": run.arn,
        "PipelineExecutionDisplayName": run.display_name,
        "PipelineExecutionStatus": run.status,
        "PipelineExecutionDescription": run.description,
        "PipelineExperimentConfig": run.experiment,
        "MLflowConfig": run.mlflow or None,
        "FailureReason": run.reason,
        "PipelineExecutionFailureReason": run.reason,
        "CreationTime": run.created,
        "StartTime": run.created,
        "LastModifiedTime": run.modified,
        "CreatedBy": {},
        "LastModifiedBy": {},
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": run.max_parallel} if run.max_parallel else None,
        "SelectiveExecutionConfig": run.selective,
        "PipelineVersionId": run.version,
    }


def execution_event(run: Execution, previous: str | None) -> Fields:
    """The detail of an event that tells an execution's change of status."""
    return _present(
        {
            "pipelineExecutionDisplayName": run.display_name,
            "currentPipelineExecutionStatus": run.status,
            "previousPipelineExecutionStatus": previous,
            "executionStartTime": _time(run.created),
            "executionEndTime": _time(run.modified) if run.over else None,
            "pipelineExecutionDescription": run.description,
            "pipelineArn": run.pipeline_arn,
            "pipelineExecutionArn": run.arn,
        }
    )


def step_event(run: Execution, record: StepRecord, previous: str | None) -> Fields:
    """The detail of an event that tells a step's change of status."""
    source = record.cache_source
    return _present(
        {
            "metadata": _camel(record.metadata),
            "stepStartTime": _time(record.started),
            "stepEndTime": _time(record.ended) if record.ended else None,
            "stepName": record.name,
            "stepType": record.type,
            "previousStepStatus": previous,
            "currentStepStatus": record.status,
            "failureReason": record.reason if record.status == "Failed" else None,
            "cacheHitResult": {"sourcePipelineExecutionArn": source} if source else None,
            "pipelineArn": run.pipeline_arn,
            "pipelineExecutionArn": run.arn,
        }
    )


def _present(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if value is not None}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _camel(inner) for key, inner in value.items()}
    return [_camel(inner) for inner in value] if isinstance(value, list) else value
