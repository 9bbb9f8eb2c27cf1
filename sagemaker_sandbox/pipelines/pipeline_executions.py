"""Operations on pipeline executions. `pipelines.runner` runs them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sagemaker_sandbox.base.errors import ConflictError, ResourceNotFoundError, ValidationError
from sagemaker_sandbox.pipelines.pipelines import SageMakerPipelines, parse_definition
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.listing import build_page, is_created_within, is_descending
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, ServicePart, now

if TYPE_CHECKING:
    from sagemaker_sandbox.pipelines.execution import PipelineExecution, StepRecord
    from sagemaker_sandbox.pipelines.runner import ExecutionRunner


class PipelineExecutions(ServicePart):
    """Handlers of the operations on pipeline executions, their steps and their callbacks."""

    noun = "pipeline execution"

    def __init__(self, region: AccountRegion, pipelines: SageMakerPipelines) -> None:
        super().__init__(region)
        self._pipelines = pipelines
        self._executions: dict[str, PipelineExecution] = {}
        self._runners: dict[str, ExecutionRunner] = {}
        pipelines.usage_checks.append(lambda name: any(not run.is_over for run in self._list_executions(name)))
        pipelines.on_removed.append(self._remove_executions)
        region.on_state_change.append(self._wake_runners)

    def _list_executions(self, pipeline: str) -> "list[PipelineExecution]":
        return [run for run in list(self._executions.values()) if run.pipeline_name == pipeline]

    def _remove_executions(self, pipeline: str) -> None:
        for run in self._list_executions(pipeline):
            del self._executions[run.arn]
            self._runners.pop(run.arn, None)

    def _wake_runners(self) -> None:
        """Wake every runner, because a job may have changed."""
        for runner in list(self._runners.values()):
            runner.wake()

    @emulated_operation
    def start_pipeline_execution(self, request: Fields) -> Fields:
        """Run the requested version of a pipeline, or the latest."""
        from sagemaker_sandbox.pipelines import names
        from sagemaker_sandbox.pipelines.execution import PipelineExecution
        from sagemaker_sandbox.pipelines.parameters import convert_values

        pipeline, token = self._pipelines.get(request["PipelineName"]), request["ClientRequestToken"]
        for run in self._list_executions(pipeline.name):
            if token in run.tokens:
                return {"PipelineExecutionArn": run.arn}
        if "RoleArn" in request:
            raise ValidationError("RoleArn can be specified only for a pipeline that Amazon Web Services manages.")
        version = self._pipelines.find_version(pipeline, request)
        parameter_values = {
            parameter["Name"]: parameter["Value"] for parameter in request.get("PipelineParameters", [])
        }
        parameters = convert_values(parse_definition(version["definition"]), parameter_values)
        created, name = now(), names.create_execution_id()
        run = PipelineExecution(
            name,
            f"{pipeline.arn}/execution/{name}",
            pipeline.name,
            pipeline.arn,
            version["definition"],
            parameters=parameters,
            parameter_texts=parameter_values,
            version=version["id"],
            tokens=[token],
            created=created,
            display_name=request.get("PipelineExecutionDisplayName", f"execution-{created.timestamp() * 1000:.0f}"),
            description=request.get("PipelineExecutionDescription"),
            selective=request.get("SelectiveExecutionConfig"),
        )
        run.max_parallel = _find_max_parallel(request) or _find_max_parallel(pipeline.fields)
        if "MlflowExperimentName" in request:
            run.mlflow = {"MlflowExperimentName": request["MlflowExperimentName"]}
        runner = self._create_runner(run)
        runner.prepare(self._find_source(run))
        version["last_execution"], pipeline.fields["LastRunTime"] = run.arn, created
        self._executions[run.arn] = run
        self._start_runner(runner)
        return {"PipelineExecutionArn": run.arn}

    def _find_source(self, run: "PipelineExecution") -> "PipelineExecution | None":
        """Return the execution whose results a selective execution reuses, or None."""
        arn = (run.selective or {}).get("SourcePipelineExecutionArn")
        if arn is None:
            return None
        source = self._get_execution(arn)
        if source.pipeline_name != run.pipeline_name:
            raise ValidationError(f"The source execution {arn} is not one of pipeline {run.pipeline_name}.")
        return source

    def _create_runner(self, run: "PipelineExecution") -> "ExecutionRunner":
        from sagemaker_sandbox.pipelines.pipeline_services import PipelineServices
        from sagemaker_sandbox.pipelines.runner import ExecutionRunner

        roles = [one.fields.get("RoleArn") for one in self._pipelines if one.name == run.pipeline_name]
        services = PipelineServices(self.region, roles[0] if roles else None)
        definition = parse_definition(run.definition)
        return ExecutionRunner(
            run, definition, services, self._create_listener(run), lambda: self._list_executions(run.pipeline_name)
        )

    def _start_runner(self, runner: "ExecutionRunner") -> None:
        active = {arn: other for arn, other in self._runners.items() if not other.execution.is_over}
        self._runners = active | {runner.execution.arn: runner}
        runner.start()

    def _create_listener(self, run: "PipelineExecution") -> "Callable[[str | None, StepRecord | None], None]":
        from sagemaker_sandbox.pipelines import descriptions

        def publish(previous: str | None, record: "StepRecord | None") -> None:
            if record is None:
                kind, detail = descriptions.EXECUTION_EVENT, descriptions.build_execution_event(run, previous)
            else:
                kind, detail = descriptions.STEP_EVENT, descriptions.build_step_event(run, record, previous)
            with self.region.lock:  # so that the next save includes the change
                self.region.publish(kind, detail, run.pipeline_arn, run.arn)

        return publish

    @emulated_operation
    def describe_pipeline_execution(self, request: Fields) -> Fields:
        """Return the execution as it is now."""
        run = self._get_execution(request["PipelineExecutionArn"])
        return self._describe(run) | {"RoleArn": self._pipelines.get(run.pipeline_name).fields["RoleArn"]}

    def _describe(self, run: "PipelineExecution") -> Fields:
        from sagemaker_sandbox.pipelines import descriptions

        pipeline = self._pipelines.get(run.pipeline_name)
        version = self._pipelines.find_version(pipeline, {"PipelineVersionId": run.version})
        return descriptions.describe_execution(run) | {"PipelineVersionAliases": version["aliases"]}

    @emulated_operation
    def describe_pipeline_definition_for_execution(self, request: Fields) -> Fields:
        """Return the definition that the execution runs."""
        run = self._get_execution(request["PipelineExecutionArn"])
        return {"PipelineDefinition": run.definition, "CreationTime": run.created}

    @emulated_operation
    def list_pipeline_executions(self, request: Fields) -> Fields:
        """Return summaries, newest first. An alias selects the executions of one version."""
        pipeline = self._pipelines.get(request["PipelineName"])
        alias = request.get("PipelineVersionAlias")
        version = self._pipelines.find_version(pipeline, request)["id"] if alias is not None else None
        summaries = [
            self._describe(run)
            for run in self._list_executions(pipeline.name)
            if is_created_within(run.created, request) and version in (None, run.version)
        ]
        summaries.sort(key=lambda fields: fields[request.get("SortBy", "CreationTime")], reverse=is_descending(request))
        return build_page("ListPipelineExecutions", request, summaries)

    @emulated_operation
    def list_pipeline_execution_steps(self, request: Fields) -> Fields:
        """Return every step that has started or whose result is reused, the latest first."""
        from sagemaker_sandbox.pipelines import descriptions, graph

        if "PipelineExecutionArn" not in request:
            raise ValidationError("PipelineExecutionArn must be specified.")
        run = self._get_execution(request["PipelineExecutionArn"])
        steps = graph.index_steps(parse_definition(run.definition))
        summaries = [
            descriptions.describe_step(record, steps[record.definition_name].step)
            for record in list(run.records.values())
        ]
        summaries.sort(key=lambda fields: fields["StartTime"])
        return build_page(
            "ListPipelineExecutionSteps", request, summaries[::-1] if is_descending(request) else summaries
        )

    @emulated_operation
    def list_pipeline_parameters_for_execution(self, request: Fields) -> Fields:
        """Return the parameters of the start request."""
        texts = self._get_execution(request["PipelineExecutionArn"]).parameter_texts
        parameters = [{"Name": name, "Value": value} for name, value in texts.items()]
        return build_page("ListPipelineParametersForExecution", request, parameters)

    @emulated_operation
    def update_pipeline_execution(self, request: Fields) -> Fields:
        """Change name, description, or the number of parallel steps from now on."""
        run = self._get_execution(request["PipelineExecutionArn"])
        run.display_name = request.get("PipelineExecutionDisplayName", run.display_name)
        run.description = request.get("PipelineExecutionDescription", run.description)
        run.max_parallel = _find_max_parallel(request) or run.max_parallel
        run.modified = now()
        self._wake_runners()
        return {"PipelineExecutionArn": run.arn}

    @emulated_operation
    def stop_pipeline_execution(self, request: Fields) -> Fields:
        """Stop the jobs of an execution and start none. Callbacks and functions end by themselves."""
        run = self._get_execution(request["PipelineExecutionArn"])
        if run.is_over:
            raise ConflictError(f"Pipeline execution {run.arn} is in status {run.status} and cannot be stopped.")
        self._runners[run.arn].stop()
        return {"PipelineExecutionArn": run.arn}

    @emulated_operation
    def retry_pipeline_execution(self, request: Fields) -> Fields:
        """Run the failed and stopped steps and all steps after them. Successful steps are kept."""
        run, token = self._get_execution(request["PipelineExecutionArn"]), request["ClientRequestToken"]
        if token in run.tokens:
            return {"PipelineExecutionArn": run.arn}
        if run.status not in ("Failed", "Stopped", "CompletedWithFailures"):
            raise ConflictError(
                f"Pipeline execution {run.arn} is in status {run.status}; only one that failed or was stopped can be "
                "retried."
            )
        run.prepare_retry()
        run.tokens.append(token)
        run.max_parallel = _find_max_parallel(request) or run.max_parallel
        runner = self._create_runner(run)
        runner.prepare(self._find_source(run))
        self._start_runner(runner)
        return {"PipelineExecutionArn": run.arn}

    @emulated_operation
    def send_pipeline_execution_step_success(self, request: Fields) -> Fields:
        """End a callback step with its outputs."""
        outputs = {output["Name"]: output["Value"] for output in request.get("OutputParameters", [])}
        return self._finish_callback(request["CallbackToken"], outputs, None)

    @emulated_operation
    def send_pipeline_execution_step_failure(self, request: Fields) -> Fields:
        """End a callback step with a failure."""
        return self._finish_callback(request["CallbackToken"], None, request.get("FailureReason", ""))

    def _finish_callback(self, token: str, outputs: Fields | None, reason: str | None) -> Fields:
        for runner in self._runners.values():
            if runner.end_callback(token, outputs, reason):
                return {"PipelineExecutionArn": runner.execution.arn}
        raise ResourceNotFoundError(f"No callback step waits for the token {token}.")

    def _get_execution(self, arn: str) -> "PipelineExecution":
        if arn not in self._executions:
            raise ResourceNotFoundError(f"Pipeline execution with ARN {arn} does not exist.")
        return self._executions[arn]

    def list_remaining(self) -> dict[str, list[str]]:
        """Return the active executions. A finished one is a record, and is deleted with its pipeline."""
        names = [f"{run.pipeline_name}/{run.id}" for run in self._executions.values() if not run.is_over]
        return {"pipeline-execution": names} if names else {}

    def snapshot(self) -> Any:
        """Return every execution."""
        return [run.to_data() for run in self._executions.values()]

    def restore(self, snapshot: Any) -> None:
        """Restore every execution. An active one continues with the state of its jobs."""
        if not snapshot:
            return
        from sagemaker_sandbox.pipelines.execution import PipelineExecution

        for run in map(PipelineExecution.from_data, snapshot):
            self._executions[run.arn] = run
            if not run.is_over:
                self._start_runner(self._create_runner(run))

    def close(self) -> None:
        """Stop the runners. Active executions continue after a restore."""
        for runner in list(self._runners.values()):
            runner.close()


def _find_max_parallel(fields: Fields) -> int | None:
    max_parallel: int | None = fields.get("ParallelismConfiguration", {}).get("MaxParallelExecutionSteps")
    return max_parallel
