"""Pipeline executions with simulated SageMaker jobs, which a test controls."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.pipelines.checks import check_definition
from sagemaker_sandbox.pipelines.execution import PipelineExecution, StepRecord
from sagemaker_sandbox.pipelines.runner import ExecutionRunner
from sagemaker_sandbox.pipelines.services import Fields, StepError
from tests.sandbox.support import WAIT_SECONDS

_JOB = re.compile(r"(?P<verb>Create|Describe|Stop)(?P<noun>\w+Job)")
PIPELINE = "arn:aws:sagemaker:eu-north-1:123456789012:pipeline/p"


class ThrottledError(ApiError):
    """SageMaker's error for too many requests."""

    code = "ThrottlingException"


class SimulatedServices:
    """Jobs that complete when they are described, unless a test holds them or makes them fail."""

    def __init__(self) -> None:
        #: Every create request with its operation, in order.
        self.create_requests: list[tuple[str, Fields]] = []
        #: Event that a job waits for, by a part of the job's name.
        self.held: dict[str, threading.Event] = {}
        #: Failure reasons of successive jobs, by a part of their name.
        self.failures: dict[str, list[str]] = {}
        #: Errors of successive calls, by operation.
        self.refusals: dict[str, list[ApiError]] = {}
        self.documents: dict[str, Any] = {}
        self.messages: list[Fields] = []
        self.functions: dict[str, Callable[[Fields], Any]] = {}
        self.stopped: list[str] = []
        self._jobs: dict[str, Fields] = {}
        self._lock = threading.Lock()
        self.max_running = 0
        #: Sandbox's time, if a test sets it.
        self.moment: datetime | None = None

    def call(self, operation: str, request: Fields) -> Fields:
        with self._lock:
            if self.refusals.get(operation):
                raise self.refusals[operation].pop(0)
            if job := _JOB.fullmatch(operation):
                return self._handle_job(job["verb"], job["noun"], request)
            return self._handle_other(operation, request)

    def _handle_job(self, verb: str, noun: str, request: Fields) -> Fields:
        name = request[f"{noun}Name"]
        arn = f"arn:aws:sagemaker:eu-north-1:123456789012:{noun.lower()}/{name}"
        if verb == "Create":
            self.create_requests.append((f"Create{noun}", request))
            self._jobs[name] = request | {f"{noun}Arn": arn, f"{noun}Status": "InProgress"}
            running = [job for job in self._jobs.values() if "InProgress" in job.values()]
            self.max_running = max(self.max_running, len(running))
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

    def _handle_other(self, operation: str, request: Fields) -> Fields:
        if operation.startswith("Create"):
            self.create_requests.append((operation, request))
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

    def now(self) -> datetime:
        return self.moment or datetime.now(UTC)

    def start(self, name: str, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name=name, daemon=True).start()

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.create_requests]


def pipeline(*steps: Fields, **more: Any) -> str:
    """Return a definition of these steps."""
    return json.dumps({"Version": "2020-12-01", "Steps": list(steps), **more})


def training(name: str, *, hyperparameters: Mapping[str, Any] | None = None, **more: Any) -> Fields:
    """Return a training step."""
    return {"Name": name, "Type": "Training", "Arguments": {"HyperParameters": dict(hyperparameters or {})}, **more}


def condition(name: str, left: Any, right: Any, *, then: list[Fields], otherwise: list[Fields]) -> Fields:
    """Return a condition step that compares two values."""
    conditions = [{"Type": "GreaterThan", "LeftValue": left, "RightValue": right}]
    arguments = {"Conditions": conditions, "IfSteps": then, "ElseSteps": otherwise}
    return {"Name": name, "Type": "Condition", "Arguments": arguments}


class Pipeline:
    """Executions of one pipeline, in order, and the `events` of their statuses."""

    def __init__(self) -> None:
        self.services = SimulatedServices()
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
        """Start an execution, or retry a failed one, and return its runner."""
        number = len(self.executions)
        execution = retry or PipelineExecution(
            f"e{number}", f"{PIPELINE}/execution/e{number}", "p", PIPELINE, definition, **more
        )
        if retry is None:
            self.executions.append(execution)
        if selected is not None:
            execution.selective = {"SelectedSteps": [{"StepName": name} for name in selected]}

        def report(_previous: str | None, record: StepRecord | None) -> None:
            self.events.append((record.name, record.status) if record else ("", execution.status))

        runner = ExecutionRunner(
            execution, check_definition(definition), self.services, report, lambda: self.executions
        )
        if retry is None:
            runner.prepare(source)
        runner.start()
        return runner

    def run(self, definition: str, **more: Any) -> PipelineExecution:
        """Start an execution and wait for its end."""
        runner = self.begin(definition, **more)
        assert runner.join(WAIT_SECONDS), f"it did not end: {runner.execution}"
        return runner.execution


def statuses(execution: PipelineExecution) -> dict[str, str]:
    """Return the status of each step that has started."""
    return {record.name: record.status for record in execution.records.values()}


def reused(execution: PipelineExecution) -> set[str]:
    """Return the steps whose results came from the cache."""
    return {record.name for record in execution.records.values() if record.cache_source}
