"""Steps that somebody else ends."""

import json

from sagemaker_sandbox.pipelines.actions.action import Begun, Progress
from sagemaker_sandbox.pipelines.actions.outputs import listed, typed
from sagemaker_sandbox.pipelines.definition import Step
from sagemaker_sandbox.pipelines.execution import Execution, StepRecord
from sagemaker_sandbox.pipelines.expressions import as_text, resolve
from sagemaker_sandbox.pipelines.outside import Fields, Outside, StepError


class Callback:
    """Puts a message into a queue, and waits for SendPipelineExecutionStepSuccess or …Failure."""

    def __init__(self, outside: Outside, execution: Execution) -> None:
        self._outside, self._execution = outside, execution
        #: What was answered, by the callback's token.
        self.answers: dict[str, Progress] = {}

    def begin(self, begun: Begun) -> Progress:
        """Send the token."""
        queue_url = as_text(resolve(begun.step.sqs_queue_url, begun.scope))
        self._send(queue_url, begun.job, begun.arguments, "Executing")
        metadata = {"Callback": {"CallbackToken": begun.job, "SqsQueueUrl": queue_url}}
        return Progress("Executing", metadata, {"Arguments": begun.arguments})

    def look(self, step: Step, record: StepRecord) -> Progress | None:
        """Whether somebody has answered."""
        answer = self.answers.pop(record.job or "", None)
        if answer is None or answer.status != "Succeeded":
            return answer
        given = answer.properties
        metadata = record.metadata["Callback"] | {"OutputParameters": listed(given)}
        try:
            return Progress("Succeeded", {"Callback": metadata}, {"OutputParameters": typed(step, given)})
        except StepError as error:
            return Progress("Failed", {"Callback": metadata}, reason=error.message)

    def stop(self, record: StepRecord) -> bool:
        """Tell whoever works on it; only they end it."""
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
        self._outside.send(queue_url, json.dumps(message))
