"""From job files to the steps of a pipeline: what a workload's `pipeline.py` is written with."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.kinds import KINDS, JobKind
from sustainable_mlops.jobs.kinds.kind import JobReferences
from sustainable_mlops.jobs.layout import Layout
from sustainable_mlops.jobs.pipelines.identity import build_identity, to_json_value
from sustainable_mlops.jobs.pipelines.names import make_step_name
from sustainable_mlops.jobs.pipelines.parameters import GROUP, IMAGES, INPUT_KEY, ROLES, name_image_parameter
from sustainable_mlops.jobs.pipelines.sdk import (
    ConditionGreaterThanOrEqualTo,
    ConditionLessThanOrEqualTo,
    ExecutionVariables,
    Parameter,
    ParameterFloat,
    ParameterInteger,
    ParameterString,
    Pipeline,
    Step,
)
from sustainable_mlops.jobs.pipelines.steps import (
    Processing,
    RegistrationStep,
    RequestStep,
    TrainingStep,
    TuningStep,
    Value,
    join_values,
)
from sustainable_mlops.jobs.platform import Buckets
from sustainable_mlops.jobs.register import PENDING, build_specifications
from sustainable_mlops.jobs.source import pack_source_folder
from sustainable_mlops.jobs.spec_files import load_spec_file
from sustainable_mlops.jobs.specs.common import Launchable
from sustainable_mlops.jobs.specs.pipeline import MetricGate, PipelineSpec
from sustainable_mlops.jobs.specs.processing import ProcessingSpec as ProcessingSpec
from sustainable_mlops.jobs.specs.training import TrainingSpec as TrainingSpec
from sustainable_mlops.jobs.specs.tuning import TuningSpec as TuningSpec

Spec = TypeVar("Spec", bound=Launchable)
Made = TypeVar("Made", bound=RequestStep)

#: What stands in addresses for what only an execution knows.
_KNOWN_LATER = re.compile(r"\{(data|artifacts|execution|identity)\}")


class Flow:
    """The steps of a pipeline, made of the job files that `pipeline.yaml` names.

    All that differs by environment or execution is a parameter of the definition; the rest of it is literal. Nothing is
    called: the definition is the same bytes on every machine. Raises UserError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spec = load_spec_file(path, PipelineSpec)
        self._parameters: dict[str, Parameter] = {}
        self._steps: list[RequestStep] = []
        self._layout = Layout(Buckets(data="{data}", artifacts="{artifacts}"), self.spec.name)
        self._data, self._artifacts = self.string("DataBucket"), self.string("ArtifactsBucket")
        self._kms_key = self.string("KmsKeyArn")
        self._environment = self.string("Environment")

    @property
    def raw(self) -> Value:
        """The address of the data set that an execution is given, with a slash at its end."""
        return join_values("s3://", self._data, "/", self.string(INPUT_KEY))

    def string(self, name: str, default: str | None = None, one_of: Sequence[str] | None = None) -> ParameterString:
        """A parameter; without a default it must be given."""
        return self._parameter(ParameterString(name, default_value=default, enum_values=one_of))

    def integer(self, name: str, default: int) -> ParameterInteger:
        """A parameter that is a whole number."""
        return self._parameter(ParameterInteger(name, default_value=default))

    def number(self, name: str, default: float) -> ParameterFloat:
        """A parameter that is a number."""
        return self._parameter(ParameterFloat(name, default_value=default))

    @property
    def gate(self) -> MetricGate:
        """The gate of the pipeline file. Raises UserError if the file has none."""
        if self.spec.gate is None:
            raise UserError(f"{self.path}: gate: is missing; name the metric that a new model is compared by")
        return self.spec.gate

    def compare_with_bound(
        self, value: Value, bound: Value
    ) -> ConditionGreaterThanOrEqualTo | ConditionLessThanOrEqualTo:
        """Return the condition that `value` is at least as good as `bound`, by the goal of the gate."""
        if self.gate.goal == "maximize":
            return ConditionGreaterThanOrEqualTo(value, bound)
        return ConditionLessThanOrEqualTo(value, bound)

    def _choice(self, name: str, default: Any) -> Parameter:
        if isinstance(default, int):
            return self.integer(name, default)
        return self.number(name, default) if isinstance(default, float) else self.string(name, default)

    def _parameter(self, parameter: Any) -> Any:
        known = self._parameters.setdefault(parameter.name, parameter)
        if to_json_value(known.to_request()) != to_json_value(parameter.to_request()):
            raise ValueError(f"parameter {parameter.name} is declared twice, and otherwise the second time")
        return known

    def processing(self, key: str, inputs: Mapping[str, Value], arguments: Sequence[Value] = ()) -> Processing:
        """The step of a processing job's file; `arguments` come after the file's."""
        kind, spec = KINDS["processing"], self._job(key, ProcessingSpec)
        place = {"re-creatable": self._layout.re_creatable, "runs": self._layout.reports}
        # Without a slash at the end, as SageMaker puts one between it and the name of a property file.
        outputs = {
            name: self._address(place[kept]("{execution}", name).rstrip("/")) for name, kept in spec.outputs.items()
        }
        request = kind.build_request(spec, self._places(spec, kind, inputs, outputs))
        cluster = request["ProcessingResources"]["ClusterConfig"]
        cluster["InstanceType"] = self._instance_type("ProcessingInstanceType", cluster["InstanceType"])
        container = request["AppSpecification"]
        container["ContainerArguments"] = [*container.get("ContainerArguments", []), *map(join_values, arguments)]
        return self._added(Processing(make_step_name(key), self._tagged(request)))

    def training(self, key: str, data: Mapping[str, Value], choices: Mapping[str, str] | None = None) -> TrainingStep:
        """The step of a training job's file.

        `choices`: hyperparameters that are parameters of the pipeline, under these names, by default as the file says.
        """
        kind, spec = KINDS["training"], self._job(key, TrainingSpec)
        request = kind.build_request(spec, self._places(spec, kind, data, {}))
        resources = request["ResourceConfig"]
        resources["InstanceType"] = self._instance_type("TrainingInstanceType", resources["InstanceType"])
        for name, parameter in (choices or {}).items():
            request["HyperParameters"][name] = join_values(self._choice(parameter, spec.hyperparameters[name]))
        step = TrainingStep(make_step_name(key), self._tagged(request), spec.serving)
        self._keep_checkpoints(step, request)
        return self._added(step)

    def tuning(self, key: str, data: Mapping[str, Value]) -> TuningStep:
        """The step of a tuning job's file, for a search in place of a training."""
        kind, spec = KINDS["tuning"], self._job(key, TuningSpec)
        request = kind.build_request(spec, self._places(spec, kind, data, {}))
        resources = request["TrainingJobDefinition"]["ResourceConfig"]
        resources["InstanceType"] = self._instance_type("TrainingInstanceType", resources["InstanceType"])
        step = TuningStep(make_step_name(key), self._tagged(request), spec.job.serving)
        self._keep_checkpoints(step, request["TrainingJobDefinition"])
        return self._added(step)

    def _keep_checkpoints(self, step: RequestStep, request: dict[str, Any]) -> None:
        """In SageMaker's cache key, so the address may hold nothing that only one execution has."""
        if "CheckpointConfig" in request:
            deciding = [one for one in self._parameters.values() if one not in (self._data, self._artifacts)]
            path = build_identity(step, [*self._steps, step], deciding)
            request["CheckpointConfig"]["S3Uri"] = self._address(self._layout.checkpoints("{identity}"), identity=path)

    def registration(
        self,
        name: str,
        model_step: TrainingStep | TuningStep,
        description: Value,
        metadata: Mapping[str, Value],
        **members: Any,
    ) -> RegistrationStep:
        """A step that registers a model, pending a person's approval; `besides` are members of CreateModelPackage."""
        if model_step.serving is None:
            raise UserError(
                f"{self.path}: the job file of {model_step.name} does not say how its model is served (serving)"
            )
        images = {name: self.string(name_image_parameter(name)) for name in model_step.serving.additional}
        request = {
            "ModelPackageGroupName": self.string(GROUP),
            "ModelPackageDescription": description,
            "ModelApprovalStatus": PENDING,
            **build_specifications(model_step.serving, self.string(name_image_parameter()), images, model_step.model),
            "CustomerMetadataProperties": {one: join_values(value) for one, value in metadata.items()},
            **members,
        }
        return RegistrationStep(name, request)

    def definition(self, *steps: Step) -> str:
        """The definition as JSON, its members sorted."""
        pipeline = Pipeline(
            name=self.spec.name,
            parameters=list(self._parameters.values()),
            pipeline_experiment_config=None,
            steps=list(steps),
            sagemaker_session=_OFFLINE,
        )
        document = json.loads(pipeline.definition())
        present = {name: value for name, value in document.items() if value not in (None, {})}
        return json.dumps(present, indent=2, sort_keys=True) + "\n"

    def _job(self, key: str, model: type[Spec]) -> Spec:
        kind = next(kind for kind in KINDS.values() if kind.spec is model)
        loaded: Spec = kind.load(self.path.parent / self.spec.steps[key])
        return loaded

    def _places(
        self, spec: Launchable, kind: JobKind[Any], channels: Mapping[str, Value], outputs: Mapping[str, Value]
    ) -> JobReferences:
        return JobReferences(
            role=self.string(ROLES[kind.phase]),
            image=self.string(IMAGES[kind.name]),
            kms_key=self._kms_key,
            source=self._source(spec),
            channels=dict(sorted(channels.items())),
            models=self._address(self._layout.models),
            checkpoints="" if spec.resumable else None,
            outputs=outputs,
        )

    def _source(self, spec: Launchable) -> Value | None:
        if spec.code is None:
            return None
        return self._address(
            self._layout.source(pack_source_folder(spec.code, self.path.parent / spec.code.directory).digest)
        )

    def _address(self, address: str, **known: Value) -> Value:
        known |= {
            "data": self._data,
            "artifacts": self._artifacts,
            "execution": ExecutionVariables.PIPELINE_EXECUTION_ID,
        }
        parts = _KNOWN_LATER.split(address)
        return join_values(*(known[part] if number % 2 else part for number, part in enumerate(parts) if part))

    def _instance_type(self, parameter: str, default: str) -> ParameterString:
        return self.string(parameter, default, one_of=self.spec.instance_types)

    def _tagged(self, request: dict[str, Any]) -> dict[str, Any]:
        tags = {"environment": self._environment, "workload": self.spec.name}
        return request | {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _added(self, step: Made) -> Made:
        self._steps.append(step)
        return step


#: The SDK asks its session for a client of EventBridge Scheduler, and never uses it for a definition.
_OFFLINE: Any = SimpleNamespace(
    boto_session=SimpleNamespace(client=lambda _: None), boto_region_name=None, sagemaker_config={}
)
