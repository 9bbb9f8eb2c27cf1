"""Executions of pipelines with a stand-in for SageMaker, which does what a test tells it."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.pipelines.checks import check_definition
from sagemaker_sandbox.pipelines.execution import PipelineExecution, StepRecord
from sagemaker_sandbox.pipelines.runner import ExecutionRunner
from sagemaker_sandbox.pipelines.services import Fields, StepError

_JOB = re.compile(r"(?P<verb>Create|Describe|Stop)(?P<noun>\w+Job)")
PIPELINE = "arn:aws:sagemaker:eu-north-1:123456789012:pipeline/p"


class ThrottledError(ApiError):
    """What SageMaker answers who asks too often."""

    code = "ThrottlingException"


class StandIn:
    """Jobs that are over when they are looked at, unless a test holds them or has them fail."""

    def __init__(self) -> None:
        #: Every request that made something, by operation, in order.
        self.made: list[tuple[str, Fields]] = []
        #: Part of a job's name to what it waits for before it completes.
        self.held: dict[str, threading.Event] = {}
        #: Part of a job's name to the failure reasons of the jobs so named, one after the other.
        self.failures: dict[str, list[str]] = {}
        #: Operation to the errors with which it is refused, one after the other.
        self.refusals: dict[str, list[ApiError]] = {}
        self.documents: dict[str, Any] = {}
        self.messages: list[Fields] = []
        self.functions: dict[str, Callable[[Fields], Any]] = {}
        self.stopped: list[str] = []
        self._jobs: dict[str, Fields] = {}
        self._lock = threading.Lock()
        self.most_at_once = 0

    def call(self, operation: str, request: Fields) -> Fields:
        with self._lock:
            if self.refusals.get(operation):
                raise self.refusals[operation].pop(0)
            if job := _JOB.fullmatch(operation):
                return self._job(job["verb"], job["noun"], request)
            return self._other(operation, request)

    def _job(self, verb: str, noun: str, request: Fields) -> Fields:
        name = request[f"{noun}Name"]
        arn = f"arn:aws:sagemaker:eu-north-1:123456789012:{noun.lower()}/{name}"
        if verb == "Create":
            self.made.append((f"Create{noun}", request))
            self._jobs[name] = request | {f"{noun}Arn": arn, f"{noun}Status": "InProgress"}
            running = [job for job in self._jobs.values() if "InProgress" in job.values()]
            self.most_at_once = max(self.most_at_once, len(running))
        elif verb == "Stop":
            self.stopped.append(name)
            self._jobs[name][f"{noun}Status"] = "Stopped"
        elif self._jobs[name][f"{noun}Status"] == "InProgress":
            self._jobs[name] |= self._end(name, noun)
        return {**self._jobs[name]}

    def _end(self, name: str, noun: str) -> Fields:
        if any(part in name and not event.is_set() for part, event in self.held.items()):
            return {}
        for part, reasons in self.failures.items():
            if part in name and reasons:
                return {f"{noun}Status": "Failed", "FailureReason": reasons.pop(0)}
        return {f"{noun}Status": "Completed", "ModelArtifacts": {"S3ModelArtifacts": f"s3://b/{name}/model.tar.gz"}}

    def _other(self, operation: str, request: Fields) -> Fields:
        if operation.startswith("Create"):
            self.made.append((operation, request))
        if operation == "ListTrainingJobsForHyperParameterTuningJob":
            return {"TrainingJobSummaries": [{"TrainingJobName": f"best-{request['SortOrder']}"}]}
        return request | {"ModelArn": "arn:model", "ModelPackageArn": "arn:package"}

    def read_json(self, uri: str) -> Any:
        if uri not in self.documents:
            raise StepError(f"ClientError: nothing at {uri}")
        return self.documents[uri]

    def send(self, queue_url: str, body: str) -> None:
        self.messages.append(json.loads(body) | {"queue": queue_url})

    def invoke(self, function_arn: str, event: Fields) -> Any:
        return self.functions[function_arn](event)

    def start(self, name: str, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name=name, daemon=True).start()

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.made]


def pipeline(*steps: Fields, **more: Any) -> str:
    """A definition of these steps."""
    return json.dumps({"Version": "2020-12-01", "Steps": list(steps), **more})


def training(name: str, *, hyperparameters: Mapping[str, Any] | None = None, **more: Any) -> Fields:
    """A training step."""
    return {"Name": name, "Type": "Training", "Arguments": {"HyperParameters": dict(hyperparameters or {})}, **more}


def condition(name: str, left: Any, right: Any, *, then: list[Fields], otherwise: list[Fields]) -> Fields:
    """A condition step that compares two values."""
    conditions = [{"Type": "GreaterThan", "LeftValue": left, "RightValue": right}]
    arguments = {"Conditions": conditions, "IfSteps": then, "ElseSteps": otherwise}
    return {"Name": name, "Type": "Condition", "Arguments": arguments}


class Pipeline:
    """Executions of one pipeline, in order; `events` are what was told of them."""

    def __init__(self) -> None:
        self.outside = StandIn()
        self.executions: list[PipelineExecution] = []
        self.events: list[tuple[str, str]] = []

    def begin(
        self,
        definition: str,
        *,
        selected: list[str] | None = None,
        source: PipelineExecution | None = None,
        retry: PipelineExecution | None = None,
        **more: Any,
    ) -> ExecutionRunner:
        """Start an execution, or take a failed one up again, and answer its runner."""
        number = len(self.executions)
        execution = retry or PipelineExecution(
            f"e{number}", f"{PIPELINE}/execution/e{number}", "p", PIPELINE, definition, **more
        )
        if retry is None:
            self.executions.append(execution)
        if selected is not None:
            execution.selective = {"SelectedSteps": [{"StepName": name} for name in selected]}

        def tell(_previous: str | None, record: StepRecord | None) -> None:
            self.events.append((record.name, record.status) if record else ("", execution.status))

        runner = ExecutionRunner(execution, check_definition(definition), self.outside, tell, lambda: self.executions)
        if retry is None:
            runner.prepare(source)
        runner.start()
        return runner

    def run(self, definition: str, **more: Any) -> PipelineExecution:
        """Start an execution and wait for its end."""
        runner = self.begin(definition, **more)
        assert runner.join(60), f"it did not end: {runner.execution}"
        return runner.execution


def statuses(execution: PipelineExecution) -> dict[str, str]:
    """Each step that was begun to how it stands."""
    return {record.name: record.status for record in execution.records.values()}


def reused(execution: PipelineExecution) -> set[str]:
    """The steps whose results came from the cache."""
    return {record.name for record in execution.records.values() if record.cache_source}
