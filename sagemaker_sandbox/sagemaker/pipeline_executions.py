"""Executions of pipelines: the API's side. `pipelines.runner` runs them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sagemaker_sandbox.errors import ConflictError, ResourceNotFoundError, ValidationError
from sagemaker_sandbox.parts.listing import created_within, cut, descending
from sagemaker_sandbox.parts.handlers import emulated_operation
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields, ServicePart, now
from sagemaker_sandbox.sagemaker.pipelines import Pipelines, parsed

if TYPE_CHECKING:
    from sagemaker_sandbox.pipelines.execution import Execution, StepRecord
    from sagemaker_sandbox.pipelines.runner import Runner


class PipelineExecutions(ServicePart):
    """Start, Describe, Update, List, Stop and RetryPipelineExecution, what they hold, and the ends of callbacks."""

    noun = "pipeline execution"

    def __init__(self, region: AccountRegion, pipelines: Pipelines) -> None:
        super().__init__(region)
        self._pipelines = pipelines
        self._executions: dict[str, Execution] = {}
        self._runners: dict[str, Runner] = {}
        pipelines.in_use.append(lambda name: any(not run.over for run in self._of(name)))
        pipelines.on_removed.append(self._forget)
        region.on_state_change.append(self._wake)

    def _of(self, pipeline: str) -> "list[Execution]":
        return [run for run in list(self._executions.values()) if run.pipeline_name == pipeline]

    def _forget(self, pipeline: str) -> None:
        for run in self._of(pipeline):
            del self._executions[run.arn]
            self._runners.pop(run.arn, None)

    def _wake(self) -> None:
        """A job may have changed."""
        for runner in list(self._runners.values()):
            runner.wake()

    @emulated_operation
    def start_pipeline_execution(self, request: Fields) -> Fields:
        """Run the version asked for, else the latest."""
        from sagemaker_sandbox.pipelines import naming
        from sagemaker_sandbox.pipelines.execution import Execution
        from sagemaker_sandbox.pipelines.parameters import values

        pipeline, token = self._pipelines.get(request["PipelineName"]), request["ClientRequestToken"]
        for run in self._of(pipeline.name):
            if token in run.tokens:
                return {"PipelineExecutionArn": run.arn}
        if "RoleArn" in request:
            raise ValidationError("RoleArn can be specified only for a pipeline that Amazon Web Services manages.")
        version = self._pipelines.version(pipeline, request)
        given = {one["Name"]: one["Value"] for one in request.get("PipelineParameters", [])}
        parameters = values(parsed(version["definition"]), given)
        created, name = now(), naming.execution_id()
        run = Execution(
            name,
            f"{pipeline.arn}/execution/{name}",
            pipeline.name,
            pipeline.arn,
            version["definition"],
            parameters=parameters,
            given=given,
            version=version["id"],
            tokens=[token],
            created=created,
            display_name=request.get("PipelineExecutionDisplayName", f"execution-{created.timestamp() * 1000:.0f}"),
            description=request.get("PipelineExecutionDescription"),
            selective=request.get("SelectiveExecutionConfig"),
        )
        run.max_parallel = _most(request) or _most(pipeline.fields)
        if "MlflowExperimentName" in request:
            run.mlflow = {"MlflowExperimentName": request["MlflowExperimentName"]}
        runner = self._runner(run)
        runner.prepare(self._source(run))
        version["last_execution"], pipeline.fields["LastRunTime"] = run.arn, created
        self._executions[run.arn] = run
        self._start(runner)
        return {"PipelineExecutionArn": run.arn}

    def _source(self, run: "Execution") -> "Execution | None":
        """The execution from which a selective one takes what it does not run."""
        arn = (run.selective or {}).get("SourcePipelineExecutionArn")
        if arn is None:
            return None
        source = self._get(arn)
        if source.pipeline_name != run.pipeline_name:
            raise ValidationError(f"The source execution {arn} is not one of pipeline {run.pipeline_name}.")
        return source

    def _runner(self, run: "Execution") -> "Runner":
        from sagemaker_sandbox.pipelines.runner import Runner
        from sagemaker_sandbox.sagemaker.pipeline_services import Services

        definition, services = parsed(run.definition), Services(self.region)
        return Runner(run, definition, services, self._tell(run), lambda: self._of(run.pipeline_name))

    def _start(self, runner: "Runner") -> None:
        under_way = {arn: one for arn, one in self._runners.items() if not one.execution.over}
        self._runners = under_way | {runner.execution.arn: runner}
        runner.start()

    def _tell(self, run: "Execution") -> "Callable[[str | None, StepRecord | None], None]":
        from sagemaker_sandbox.pipelines import told

        def tell(previous: str | None, record: "StepRecord | None") -> None:
            if record is None:
                kind, detail = told.EXECUTION_EVENT, told.execution_event(run, previous)
            else:
                kind, detail = told.STEP_EVENT, told.step_event(run, record, previous)
            with self.region.lock:  # so that whoever keeps the state sees that there is another
                self.region.publish(kind, detail, run.pipeline_arn, run.arn)

        return tell

    @emulated_operation
    def describe_pipeline_execution(self, request: Fields) -> Fields:
        """The execution as it stands."""
        run = self._get(request["PipelineExecutionArn"])
        return self._told(run) | {"RoleArn": self._pipelines.get(run.pipeline_name).fields["RoleArn"]}

    def _told(self, run: "Execution") -> Fields:
        from sagemaker_sandbox.pipelines import told

        pipeline = self._pipelines.get(run.pipeline_name)
        version = self._pipelines.version(pipeline, {"PipelineVersionId": run.version})
        return told.execution(run) | {"PipelineVersionAliases": version["aliases"]}

    @emulated_operation
    def describe_pipeline_definition_for_execution(self, request: Fields) -> Fields:
        """The definition that it runs."""
        run = self._get(request["PipelineExecutionArn"])
        return {"PipelineDefinition": run.definition, "CreationTime": run.created}

    @emulated_operation
    def list_pipeline_executions(self, request: Fields) -> Fields:
        """Summaries, newest first; of one version where an alias names it."""
        pipeline = self._pipelines.get(request["PipelineName"])
        alias = request.get("PipelineVersionAlias")
        version = self._pipelines.version(pipeline, request)["id"] if alias is not None else None
        found = [
            self._told(run)
            for run in self._of(pipeline.name)
            if created_within(run.created, request) and version in (None, run.version)
        ]
        found.sort(key=lambda fields: fields[request.get("SortBy", "CreationTime")], reverse=descending(request))
        return cut("ListPipelineExecutions", request, found)

    @emulated_operation
    def list_pipeline_execution_steps(self, request: Fields) -> Fields:
        """Every step that has been begun or whose result is used, the latest first."""
        from sagemaker_sandbox.pipelines import graph, told

        if "PipelineExecutionArn" not in request:
            raise ValidationError("PipelineExecutionArn must be specified.")
        run = self._get(request["PipelineExecutionArn"])
        steps = graph.steps_by_name(parsed(run.definition))
        found = [told.step(record, steps[record.defined].step) for record in list(run.records.values())]
        found.sort(key=lambda fields: fields["StartTime"])
        return cut("ListPipelineExecutionSteps", request, found[::-1] if descending(request) else found)

    @emulated_operation
    def list_pipeline_parameters_for_execution(self, request: Fields) -> Fields:
        """Those that were given when it was started."""
        given = self._get(request["PipelineExecutionArn"]).given
        parameters = [{"Name": name, "Value": value} for name, value in given.items()]
        return cut("ListPipelineParametersForExecution", request, parameters)

    @emulated_operation
    def update_pipeline_execution(self, request: Fields) -> Fields:
        """Another name or description, or more or fewer steps at once from now on."""
        run = self._get(request["PipelineExecutionArn"])
        run.display_name = request.get("PipelineExecutionDisplayName", run.display_name)
        run.description = request.get("PipelineExecutionDescription", run.description)
        run.max_parallel = _most(request) or run.max_parallel
        run.modified = now()
        self._wake()
        return {"PipelineExecutionArn": run.arn}

    @emulated_operation
    def stop_pipeline_execution(self, request: Fields) -> Fields:
        """Stop its jobs and start none; callbacks and functions end by themselves."""
        run = self._get(request["PipelineExecutionArn"])
        if run.over:
            raise ConflictError(f"Pipeline execution {run.arn} is in status {run.status} and cannot be stopped.")
        self._runners[run.arn].stop()
        return {"PipelineExecutionArn": run.arn}

    @emulated_operation
    def retry_pipeline_execution(self, request: Fields) -> Fields:
        """Run what failed or was stopped, and what comes after it, again; what succeeded is kept."""
        run, token = self._get(request["PipelineExecutionArn"]), request["ClientRequestToken"]
        if token in run.tokens:
            return {"PipelineExecutionArn": run.arn}
        if run.status not in ("Failed", "Stopped", "CompletedWithFailures"):
            raise ConflictError(
                f"Pipeline execution {run.arn} is in status {run.status}; only one that failed or was stopped can be "
                "retried."
            )
        run.take_up_again()
        run.tokens.append(token)
        run.max_parallel = _most(request) or run.max_parallel
        runner = self._runner(run)
        runner.prepare(self._source(run))
        self._start(runner)
        return {"PipelineExecutionArn": run.arn}

    @emulated_operation
    def send_pipeline_execution_step_success(self, request: Fields) -> Fields:
        """End a callback well, with what it gives."""
        given = {one["Name"]: one["Value"] for one in request.get("OutputParameters", [])}
        return self._answer(request["CallbackToken"], given, None)

    @emulated_operation
    def send_pipeline_execution_step_failure(self, request: Fields) -> Fields:
        """End a callback badly."""
        return self._answer(request["CallbackToken"], None, request.get("FailureReason", ""))

    def _answer(self, token: str, outputs: Fields | None, reason: str | None) -> Fields:
        for runner in self._runners.values():
            if runner.answer(token, outputs, reason):
                return {"PipelineExecutionArn": runner.execution.arn}
        raise ResourceNotFoundError(f"No callback step waits for the token {token}.")

    def _get(self, arn: str) -> "Execution":
        if arn not in self._executions:
            raise ResourceNotFoundError(f"Pipeline execution with ARN {arn} does not exist.")
        return self._executions[arn]

    def list_remaining(self) -> dict[str, list[str]]:
        """Executions under way: one that is over is a record, and goes with its pipeline."""
        names = [f"{run.pipeline_name}/{run.id}" for run in self._executions.values() if not run.over]
        return {"pipeline-execution": names} if names else {}

    def snapshot(self) -> Any:
        """Every execution."""
        return [run.data() for run in self._executions.values()]

    def restore(self, kept: Any) -> None:
        """Every execution; what was under way goes on, with the jobs as they have been left."""
        if not kept:
            return
        from sagemaker_sandbox.pipelines.execution import Execution

        for run in map(Execution.of, kept):
            self._executions[run.arn] = run
            if not run.over:
                self._start(self._runner(run))

    def close(self) -> None:
        """Stop what runs; it is under way still, and goes on where its state is brought back."""
        for runner in list(self._runners.values()):
            runner.close()


def _most(fields: Fields) -> int | None:
    most: int | None = fields.get("ParallelismConfiguration", {}).get("MaxParallelExecutionSteps")
    return most
