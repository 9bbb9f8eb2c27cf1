"""Conversion of job files to the steps of a pipeline, for a workload's `pipeline.py`."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.kinds import KINDS, JobKind
from sustainable_mlops.jobs.kinds.kind import JobReferences
from sustainable_mlops.jobs.layout import Layout
from sustainable_mlops.jobs.pipelines.identity import build_identity, to_json_value
from sustainable_mlops.jobs.pipelines.names import make_step_name
from sustainable_mlops.jobs.pipelines.parameters import (
    GROUP,
    IMAGES,
    INPUT_KEY,
    ROLES,
    START_REASON,
    name_image_parameter,
)
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
    ProcessingStep,
    RegistrationStep,
    RequestStep,
    TrainingStep,
    TuningStep,
    Value,
    join_values,
)
from sustainable_mlops.jobs.platform import Buckets
from sustainable_mlops.jobs.register import PENDING, SOURCE_DIGEST, build_specifications
from sustainable_mlops.jobs.source import pack_source_folder
from sustainable_mlops.jobs.spec_files import load_spec_file
from sustainable_mlops.jobs.specs.common import Launchable
from sustainable_mlops.jobs.specs.pipeline import MetricGate, PipelineSpec
from sustainable_mlops.jobs.specs.processing import ProcessingSpec
from sustainable_mlops.jobs.specs.training import TrainingSpec
from sustainable_mlops.jobs.specs.tuning import TuningSpec

Spec = TypeVar("Spec", bound=Launchable)
StepType = TypeVar("StepType", bound=RequestStep)

#: Placeholders in addresses for values that only an execution knows.
_PLACEHOLDER = re.compile(r"\{(data|artifacts|execution|identity)\}")


class Flow:
    """The steps of a pipeline, built from the job files that `pipeline.yaml` names.

    Everything that differs by environment or execution is a parameter of the definition; the rest is literal. No AWS
    API is called, so the bytes of the definition are the same on every computer. Raises UserError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spec = load_spec_file(path, PipelineSpec)
        self._parameters: dict[str, Parameter] = {}
        self._steps: list[RequestStep] = []
        self._layout = Layout(Buckets(data="{data}", artifacts="{artifacts}"), self.spec.name)
        self._data, self._artifacts = self.add_string("DataBucket"), self.add_string("ArtifactsBucket")
        self._kms_key = self.add_string("KmsKeyArn")
        self._environment = self.add_string("Environment")

    @property
    def raw(self) -> Value:
        """Address of the data set of an execution, ending with a slash."""
        return join_values("s3://", self._data, "/", self.raw_key)

    @property
    def raw_key(self) -> ParameterString:
        """Key of the data set. It ends with the digest of the data if `smlops pipeline run --data` uploaded them."""
        return self.add_string(INPUT_KEY)

    @property
    def start_reason(self) -> ParameterString:
        """Reason of the start. A step with this argument hits the cache only of starts for the same reason."""
        return self.add_string(START_REASON, "none")

    def add_string(self, name: str, default: str | None = None, one_of: Sequence[str] | None = None) -> ParameterString:
        """Add a string parameter and return it; a start must give its value if it has no default."""
        return self._declare_parameter(ParameterString(name, default_value=default, enum_values=one_of))

    def add_integer(self, name: str, default: int) -> ParameterInteger:
        """Add an integer parameter and return it."""
        return self._declare_parameter(ParameterInteger(name, default_value=default))

    def add_number(self, name: str, default: float) -> ParameterFloat:
        """Add a number parameter and return it."""
        return self._declare_parameter(ParameterFloat(name, default_value=default))

    @property
    def gate(self) -> MetricGate:
        """The gate of the pipeline file. Raises UserError if the file has none."""
        if self.spec.gate is None:
            raise UserError(f"{self.path}: gate: is missing; write the metric that a new model is compared by")
        return self.spec.gate

    def compare_with_bound(
        self, value: Value, bound: Value
    ) -> ConditionGreaterThanOrEqualTo | ConditionLessThanOrEqualTo:
        """Return the condition that `value` is at least as good as `bound`, by the goal of the gate."""
        if self.gate.goal == "maximize":
            return ConditionGreaterThanOrEqualTo(value, bound)
        return ConditionLessThanOrEqualTo(value, bound)

    def _make_choice(self, name: str, default: Any) -> Parameter:
        if isinstance(default, int):
            return self.add_integer(name, default)
        return self.add_number(name, default) if isinstance(default, float) else self.add_string(name, default)

    def _declare_parameter(self, parameter: Any) -> Any:
        declared = self._parameters.setdefault(parameter.name, parameter)
        if to_json_value(declared.to_request()) != to_json_value(parameter.to_request()):
            raise ValueError(f"parameter {parameter.name} is declared twice with different settings")
        return declared

    def add_processing(self, key: str, inputs: Mapping[str, Value], arguments: Sequence[Value] = ()) -> ProcessingStep:
        """Add the step of a processing job file and return it; `arguments` follow the file's arguments."""
        kind, spec = KINDS["processing"], self._load_job(key, ProcessingSpec)
        locate = {"re-creatable": self._layout.locate_recreatable, "runs": self._layout.locate_report}
        # Omit the trailing slash: SageMaker adds one before the name of a property file.
        outputs = {
            name: self._build_address(locate[data_class]("{execution}", name).rstrip("/"))
            for name, data_class in spec.outputs.items()
        }
        request = kind.build_request(spec, self._make_references(spec, kind, inputs, outputs))
        cluster = request["ProcessingResources"]["ClusterConfig"]
        cluster["InstanceType"] = self._declare_instance_type("ProcessingInstanceType", cluster["InstanceType"])
        container = request["AppSpecification"]
        container["ContainerArguments"] = [*container.get("ContainerArguments", []), *map(join_values, arguments)]
        return self._add_step(ProcessingStep(make_step_name(key), self._add_tags(request)))

    def add_training(
        self, key: str, data: Mapping[str, Value], choices: Mapping[str, str] | None = None
    ) -> TrainingStep:
        """Add the step of a training job file and return it.

        `choices` maps hyperparameters to pipeline parameters, whose defaults are the file's values.
        """
        kind, spec = KINDS["training"], self._load_job(key, TrainingSpec)
        request = kind.build_request(spec, self._make_references(spec, kind, data, {}))
        resources = request["ResourceConfig"]
        resources["InstanceType"] = self._declare_instance_type("TrainingInstanceType", resources["InstanceType"])
        for name, parameter in (choices or {}).items():
            request["HyperParameters"][name] = join_values(self._make_choice(parameter, spec.hyperparameters[name]))
        step = TrainingStep(make_step_name(key), self._add_tags(request), spec.serving, self._digest_source(spec))
        self._set_checkpoints(step, request)
        return self._add_step(step)

    def add_tuning(self, key: str, data: Mapping[str, Value]) -> TuningStep:
        """Add the step of a tuning job file and return it; it replaces a training step."""
        kind, spec = KINDS["tuning"], self._load_job(key, TuningSpec)
        request = kind.build_request(spec, self._make_references(spec, kind, data, {}))
        resources = request["TrainingJobDefinition"]["ResourceConfig"]
        resources["InstanceType"] = self._declare_instance_type("TrainingInstanceType", resources["InstanceType"])
        step = TuningStep(make_step_name(key), self._add_tags(request), spec.job.serving, self._digest_source(spec))
        self._set_checkpoints(step, request["TrainingJobDefinition"])
        return self._add_step(step)

    def _set_checkpoints(self, step: RequestStep, request: dict[str, Any]) -> None:
        """Set a checkpoint address without values of a single execution: it is part of SageMaker's cache key."""
        if "CheckpointConfig" in request:
            parameters = [
                parameter for parameter in self._parameters.values() if parameter not in (self._data, self._artifacts)
            ]
            path = build_identity(step, [*self._steps, step], parameters)
            request["CheckpointConfig"]["S3Uri"] = self._build_address(
                self._layout.locate_checkpoints("{identity}"), identity=path
            )

    def make_registration(
        self,
        name: str,
        model_step: TrainingStep | TuningStep,
        description: Value,
        metadata: Mapping[str, Value],
        **members: Any,
    ) -> RegistrationStep:
        """Return a step that registers a model, pending a person's approval; `members` extend CreateModelPackage.

        The step records the digest of the source that trains the model, beside `metadata`.
        """
        if model_step.serving is None:
            raise UserError(
                f"{self.path}: the job file of {model_step.name} has no serving; describe how its model is served"
            )
        images = {name: self.add_string(name_image_parameter(name)) for name in model_step.serving.additional}
        if model_step.source_digest is not None:
            metadata = {SOURCE_DIGEST: model_step.source_digest, **metadata}
        request = {
            "ModelPackageGroupName": self.add_string(GROUP),
            "ModelPackageDescription": description,
            "ModelApprovalStatus": PENDING,
            **build_specifications(
                model_step.serving, self.add_string(name_image_parameter()), images, model_step.model
            ),
            "CustomerMetadataProperties": {key: join_values(value) for key, value in metadata.items()},
            **members,
        }
        return RegistrationStep(name, request)

    def build_definition(self, *steps: Step) -> str:
        """Return the definition as JSON with sorted keys."""
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

    def _load_job(self, key: str, model: type[Spec]) -> Spec:
        kind = next(kind for kind in KINDS.values() if kind.spec is model)
        loaded: Spec = kind.load(self.path.parent / self.spec.steps[key])
        return loaded

    def _make_references(
        self, spec: Launchable, kind: JobKind[Any], channels: Mapping[str, Value], outputs: Mapping[str, Value]
    ) -> JobReferences:
        if spec.network.vpc is False:
            raise UserError(
                f"{self.path}: {spec.name}: network.vpc: false has no effect in a pipeline, whose environment sets the "
                "network; remove it"
            )
        return JobReferences(
            role=self.add_string(ROLES[kind.phase]),
            image=self.add_string(IMAGES[kind.name]),
            kms_key=self._kms_key,
            source=self._find_source(spec),
            channels=dict(sorted(channels.items())),
            models=self._build_address(self._layout.models),
            checkpoints="" if spec.is_resumable else None,
            outputs=outputs,
        )

    def _find_source(self, spec: Launchable) -> Value | None:
        digest = self._digest_source(spec)
        return None if digest is None else self._build_address(self._layout.locate_source(digest))

    def _digest_source(self, spec: Launchable) -> str | None:
        if spec.code is None:
            return None
        return pack_source_folder(spec.code, self.path.parent / spec.code.directory).digest

    def _build_address(self, address: str, **values: Value) -> Value:
        values |= {
            "data": self._data,
            "artifacts": self._artifacts,
            "execution": ExecutionVariables.PIPELINE_EXECUTION_ID,
        }
        parts = _PLACEHOLDER.split(address)
        return join_values(*(values[part] if number % 2 else part for number, part in enumerate(parts) if part))

    def _declare_instance_type(self, parameter: str, default: str) -> ParameterString:
        return self.add_string(parameter, default, one_of=self.spec.instance_types)

    def _add_tags(self, request: dict[str, Any]) -> dict[str, Any]:
        tags = {"environment": self._environment, "workload": self.spec.name}
        return request | {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _add_step(self, step: StepType) -> StepType:
        self._steps.append(step)
        return step


#: Session for the SDK, which requests a client of EventBridge Scheduler and never uses it for a definition.
_OFFLINE: Any = SimpleNamespace(
    boto_session=SimpleNamespace(client=lambda _: None), boto_region_name=None, sagemaker_config={}
)
