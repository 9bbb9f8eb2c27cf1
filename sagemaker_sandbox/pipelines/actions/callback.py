"""Steps that an external system ends."""

import json

from sagemaker_sandbox.pipelines.actions.action import StepContext, StepProgress
from sagemaker_sandbox.pipelines.actions.outputs import convert_outputs, list_outputs
from sagemaker_sandbox.pipelines.definition import StepDefinition
from sagemaker_sandbox.pipelines.execution import PipelineExecution, StepRecord
from sagemaker_sandbox.pipelines.expressions import resolve, to_text
from sagemaker_sandbox.pipelines.services import ExecutionServices, Fields, StepError


class CallbackAction:
    """A message to a queue, and the wait for SendPipelineExecutionStepSuccess or …Failure."""

    def __init__(self, services: ExecutionServices, execution: PipelineExecution) -> None:
        self._services, self._execution = services, execution
        #: Results by the callback's token.
        self.results: dict[str, StepProgress] = {}

    def start(self, context: StepContext) -> StepProgress:
        """Send the message with the token."""
        queue_url = to_text(resolve(context.step.sqs_queue_url, context.scope))
        self._send(queue_url, context.job, context.arguments, "Executing")
        metadata = {"Callback": {"CallbackToken": context.job, "SqsQueueUrl": queue_url}}
        return StepProgress("Executing", metadata, {"Arguments": context.arguments})

    def check(self, step: StepDefinition, record: StepRecord) -> StepProgress | None:
        """Return the result of the callback, if it has ended."""
        result = self.results.pop(record.job or "", None)
        if result is None or result.status != "Succeeded":
            return result
        outputs = result.properties
        metadata = record.metadata["Callback"] | {"OutputParameters": list_outputs(outputs)}
        try:
            return StepProgress(
                "Succeeded", {"Callback": metadata}, {"OutputParameters": convert_outputs(step, outputs)}
            )
        except StepError as error:
            return StepProgress("Failed", {"Callback": metadata}, reason=error.message)

    def stop(self, record: StepRecord) -> bool:
        """Send a message about the stop. Only the external system can end the step."""
        if record.job is not None:
            queue_url = record.metadata["Callback"]["SqsQueueUrl"]
            self._send(queue_url, record.job, record.properties["Arguments"], "Stopping")
        return False

    def _send(self, queue_url: str, token: str, arguments: Fields, status: str) -> None:
        message = {
            "token": token,
            "pipelineExecutionArn": self._execution.arn,
            "arguments": arguments,
            "status": status,
        }
        self._services.send(queue_url, json.dumps(message))
