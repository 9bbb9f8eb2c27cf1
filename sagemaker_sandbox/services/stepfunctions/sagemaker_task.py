"""Optimized integration of SageMaker, `arn:aws:states:::sagemaker:<action>`, with and without `.sync`.

Source: Step Functions developer guide, "Create and manage Amazon SageMaker AI jobs with Step Functions". The module
loads moto's interpreter of state machines, so it is imported with the first request to Step Functions.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str

from sagemaker_sandbox.services.stepfunctions.clients import create_client

#: Jobs whose creation can end with `.sync`.
_JOBS = ("HyperParameterTuningJob", "ProcessingJob", "TrainingJob", "TransformJob")
_ACTIONS = (
    *(f"create{job}" for job in _JOBS),
    "createEndpoint",
    "createEndpointConfig",
    "createModel",
    "updateEndpoint",
)
_TASK_FAILED = StatesErrorName(typ=StatesErrorNameType.StatesTaskFailed)
_OTHER_ERROR = "SageMaker.AmazonSageMakerException"


class SageMakerTask(StateTaskServiceCallback):  # type: ignore[misc]  # moto is untyped
    """A task that calls an action of SageMaker and, with `.sync`, waits for the end of the job."""

    def __init__(self) -> None:
        # moto creates the token of a task only if it supports tokens. The validation refuses `.waitForTaskToken`.
        super().__init__(supported_integration_patterns={ResourceCondition.Sync, ResourceCondition.WaitForTaskToken})

    def _validate_service_integration_is_supported(self) -> None:
        action, condition = self.resource.api_action, self.resource.condition
        is_known = action in _ACTIONS if condition is None else action.removeprefix("create") in _JOBS
        if not is_known or condition not in (None, ResourceCondition.Sync):
            raise ValueError(
                f"No task {self.resource.resource_arn}; the sandbox has {', '.join(_ACTIONS)}, with .sync for jobs."
            )

    def _eval_service_task(
        self, env: Any, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> None:
        client = create_client(resource_runtime_part.region, "sagemaker", state_credentials)
        response = getattr(client, self._get_boto_service_action())(**normalised_parameters)
        env.stack.append(_convert_response(response))

    def _build_sync_resolver(
        self, env: Any, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> Callable[[], Any]:
        env.stack.pop()
        job = self.resource.api_action.removeprefix("create")
        client = create_client(resource_runtime_part.region, "sagemaker", state_credentials)
        describe = getattr(client, self._get_boto_service_action().replace("create_", "describe_"))
        name = {f"{job}Name": normalised_parameters[f"{job}Name"]}

        def resolve() -> Any:
            description = _convert_response(describe(**name))
            status = description[f"{job}Status"]
            if status in ("InProgress", "Stopping"):
                return None
            if status == "Completed":
                return description
            raise FailureEventException(self._build_failure(env, _TASK_FAILED, to_json_str(description)))

        return resolve

    def _from_error(self, env: Any, ex: Exception) -> Any:
        if not isinstance(ex, ClientError):
            return super()._from_error(env=env, ex=ex)
        code, message = ex.response["Error"]["Code"], ex.response["Error"]["Message"]
        # Exceptions of SageMaker's service model keep their name.
        name = _OTHER_ERROR if type(ex) is ClientError else f"SageMaker.{code}Exception"
        return self._build_failure(env, CustomErrorName(name), f"{code}: {message}")

    def _build_failure(self, env: Any, error: Any, cause: str) -> Any:
        details = TaskFailedEventDetails(
            resource=self._get_sfn_resource(),
            resourceType=self._get_sfn_resource_type(),
            error=error.error_name,
            cause=cause,
        )
        return FailureEvent(
            env=env,
            error_name=error,
            event_type=HistoryEventType.TaskFailed,
            event_details=EventDetails(taskFailedEventDetails=details),
        )


def _convert_response(response: dict[str, Any]) -> Any:
    """Return a response without boto3's metadata, and with times in milliseconds since the epoch."""
    return _convert_times({member: value for member, value in response.items() if member != "ResponseMetadata"})


def _convert_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {member: _convert_times(item) for member, item in value.items()}
    if isinstance(value, list):
        return [_convert_times(item) for item in value]
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else value
