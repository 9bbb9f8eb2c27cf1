"""Descriptions of executions and steps in responses and events."""

from datetime import datetime
from typing import Any

from sagemaker_sandbox.pipelines.definition import StepDefinition
from sagemaker_sandbox.pipelines.execution import PipelineExecution, StepRecord
from sagemaker_sandbox.pipelines.expressions import to_text
from sagemaker_sandbox.pipelines.services import Fields

EXECUTION_EVENT = "SageMaker Model Building Pipeline Execution Status Change"
STEP_EVENT = "SageMaker Model Building Pipeline Execution Step Status Change"


def describe_step(record: StepRecord, definition: StepDefinition) -> Fields:
    """Return a step in the form of ListPipelineExecutionSteps."""
    fields: Fields = {
        "StepName": record.name,
        "StepDisplayName": definition.display_name,
        "StepDescription": definition.description,
        "StartTime": record.start_time,
        "EndTime": record.end_time,
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
        context = {"ParentStepName": record.parent, "Index": record.index, "Item": to_text(record.item)}
        fields["IterationContext"] = context
    return fields


def describe_execution(run: PipelineExecution) -> Fields:
    """Return an execution in the form of DescribePipelineExecution."""
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


def build_execution_event(run: PipelineExecution, previous: str | None) -> Fields:
    """Return the detail of the event for a changed status of an execution."""
    return _drop_none(
        {
            "pipelineExecutionDisplayName": run.display_name,
            "currentPipelineExecutionStatus": run.status,
            "previousPipelineExecutionStatus": previous,
            "executionStartTime": _format_time(run.created),
            "executionEndTime": _format_time(run.modified) if run.is_over else None,
            "pipelineExecutionDescription": run.description,
            "pipelineArn": run.pipeline_arn,
            "pipelineExecutionArn": run.arn,
        }
    )


def build_step_event(run: PipelineExecution, record: StepRecord, previous: str | None) -> Fields:
    """Return the detail of the event for a changed status of a step."""
    source = record.cache_source
    return _drop_none(
        {
            "metadata": _convert_to_camel_case(record.metadata),
            "stepStartTime": _format_time(record.start_time),
            "stepEndTime": _format_time(record.end_time) if record.end_time else None,
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


def _drop_none(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if value is not None}


def _format_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _convert_to_camel_case(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _convert_to_camel_case(inner) for key, inner in value.items()}
    return [_convert_to_camel_case(inner) for inner in value] if isinstance(value, list) else value
