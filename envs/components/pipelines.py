"""Pipelines of workloads. All environments share one definition, and each sets its parameters."""

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from envs.common import CommonSettings
from envs.component import Component
from envs.components.access import Access
from envs.components.model_registry import ModelRegistry, RegistrySettings
from envs.components.network import Network
from envs.components.storage import Storage
from envs.names import EnvironmentName, join_parts
from envs.settings_models import add_module_options, get_explicit_settings
from envs.subscribers import PIPELINES
from modules.access.registries import FRAMEWORK_REGISTRIES
from modules.common import LocatedInputs, RoleInputs
from modules.iam_statements import get_dns_suffix
from modules.model_registry.inputs import GroupKey
from modules.pipeline.inputs import DRIFT, LONGEST_NAME, DataArrival, Inputs
from sustainable_mlops.authoring import Field, ModuleInputs, must
from sustainable_mlops.authoring.expressions import file, path
from sustainable_mlops.base.errors import did_you_mean
from sustainable_mlops.base.terraform import ROOT

if TYPE_CHECKING:
    from envs.root import EnvironmentRoot
    from sustainable_mlops.authoring.resources import Outputs

PipelineKey = Annotated[
    str,
    Field(
        pattern=rf"^[a-z][a-z0-9_]{{0,{LONGEST_NAME - 2}}}[a-z0-9]$",
        json_schema_extra=must(f"be 2 to {LONGEST_NAME} lower-case letters, digits and underscores"),
    ),
]
Image = Annotated[
    str,
    Field(
        pattern=r"^([0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/[a-z0-9._/-]+|[a-z0-9._-]+):[A-Za-z0-9._-]+$",
        json_schema_extra=must("be an image of SageMaker's own such as sagemaker-xgboost:3.0-5, or one in Amazon ECR"),
    ),
]
#: Prefix of images in the first registry: XGBoost and scikit-learn. All others are in the last registry.
_FIRST_REGISTRY = "sagemaker-"

#: Values of the environment for parameters with these names, if a definition declares them.
ENVIRONMENT_PARAMETERS: dict[str, Callable[["EnvironmentRoot"], Any]] = {
    "ArtifactsBucket": lambda env: env[Storage].buckets["artifacts"].name,
    "DataBucket": lambda env: env[Storage].buckets["data"].name,
    "DataPreparationRoleArn": lambda env: env[Access].role_arns["data_preparation"],
    "DriftNamespace": lambda env: f"{env[Storage].settings.name_prefix}/{DRIFT}",
    "Environment": lambda env: env[Storage].settings.environment,
    "InferenceRoleArn": lambda env: env[Access].role_arns["inference"],
    "KmsKeyArn": lambda env: env[Storage].kms_key_arn,
    "TrainingRoleArn": lambda env: env[Access].role_arns["training"],
}
GROUP = "ModelPackageGroupName"


@add_module_options(DataArrival, excluded=("bucket",))
class DataArrivalOptions(ModuleInputs):
    """Settings of the trigger by objects in the data bucket."""


_ENVIRONMENT_INPUTS = (
    *("data_arrival", "definition", "existing_starter_role", "failure_topic", "name", "role_arn"),
    # Launchers expect each deployed definition in the network of the platform, so a pipeline cannot set another one.
    "vpc_config",
)


@add_module_options(Inputs, excluded=(*LocatedInputs.model_fields, *RoleInputs.model_fields, *_ENVIRONMENT_INPUTS))
class PipelineOptions(ModuleInputs):
    """Settings of a pipeline."""

    data_arrival: DataArrivalOptions | None = Field(
        None, description="Objects in the data bucket that start the pipeline. Default: none."
    )
    definition_file: str = Field(
        description="File of the definition, relative to the root of the repository.",
        pattern=r"^[a-z0-9_]+(/[a-z0-9_]+)*\.json$",
        json_schema_extra=must("be a JSON file in the repository, such as workloads/flight_delay/pipeline.json"),
    )
    images: dict[str, Image] = Field(
        {}, description="Images by parameter. SageMaker's images get the registry of the Region."
    )
    model: GroupKey | None = Field(
        None, description=f"Model whose package group receives the models, as the parameter {GROUP}."
    )


class PipelineSettings(RegistrySettings):
    pipelines: dict[PipelineKey, PipelineOptions] = Field(
        {}, description="Overrides of envs/catalogue/pipelines, by key. Null removes a pipeline."
    )


class Pipelines(Component[PipelineSettings]):
    """Pipelines of the environment."""

    pipelines: Mapping[str, Any]

    def list_names(self) -> Iterator[EnvironmentName]:
        for key in self.settings.pipelines:
            yield EnvironmentName("pipeline", f"pipelines.{key}", join_parts(self.settings.name_prefix, key))

    def find_problems(self) -> Iterator[str]:
        for key, pipeline in self.settings.pipelines.items():
            yield from (f"pipelines.{key}.{problem}" for problem in self._find_pipeline_problems(pipeline))

    def _find_pipeline_problems(self, pipeline: Any) -> Iterator[str]:
        region, file = self.settings.region, pipeline.definition_file
        arrival, drift = pipeline.data_arrival, pipeline.drift
        if pipeline.model and pipeline.model not in self.settings.models:
            yield f"model: models has no '{pipeline.model}'; use another model, or set the pipeline to null"
        if region not in FRAMEWORK_REGISTRIES and any("/" not in image for image in pipeline.images.values()):
            yield f"images: the registry of SageMaker's images in {region} is unknown; use full addresses"
        try:
            declared = _list_declared_parameters(file)
        except OSError:
            yield f"definition_file: {file} does not exist; the workload's pipeline.py writes it"
            return
        except (ValueError, TypeError, KeyError, AttributeError):
            yield f"definition_file: {file} is not a pipeline definition; run the workload's pipeline.py again"
            return
        for setting, name in sorted(_list_parameter_names(pipeline).items()):
            if name not in declared:
                yield f"{setting}: {file} declares no parameter '{name}'{did_you_mean(name, declared)}"
        available = {
            *ENVIRONMENT_PARAMETERS,
            *pipeline.images,
            *pipeline.parameters,
            *([GROUP] if pipeline.model else []),
        }
        triggers = {
            "parameters: new data": [arrival.key_parameter] if arrival else None,
            "drift.parameters: the drift alarm": drift.parameters if drift else None,
            "schedule.parameters: the schedule": pipeline.schedule.parameters if pipeline.schedule else None,
        }
        required = sorted(name for name, default in declared.items() if default is None and name not in available)
        for trigger, parameters in triggers.items():
            if parameters is not None and (without := [name for name in required if name not in parameters]):
                yield f"{trigger} would start the pipeline without {', '.join(without)}; set a value here"

    def add(self, env: "EnvironmentRoot") -> None:
        self.pipelines = {key: self._add_call(env, key, pipeline) for key, pipeline in self.settings.pipelines.items()}

    def _add_call(self, env: "EnvironmentRoot", key: str, pipeline: Any) -> Any:
        settings, storage, access = self.settings, env[Storage], env[Access]
        options = get_explicit_settings(pipeline)
        if (network := env[Network].vpc_config) is not None:
            options["vpc_config"] = network
        arrival = options.pop("data_arrival", None)
        if arrival is not None:
            options["data_arrival"] = {"bucket": storage.buckets["data"].name, **arrival}
        return env.call(
            env.modules["pipeline"],
            label=f"pipeline_{key}",
            **settings.located,
            **get_explicit_settings(access.settings.access, RoleInputs),
            **{
                name: value
                for name, value in options.items()
                if name not in ("definition_file", "images", "model", "parameters")
            },
            name=join_parts(key),
            definition=file(f"{path.module}/../../{pipeline.definition_file}"),
            parameters=self._build_parameters(env, pipeline),
            failure_topic={"kms_key_arn": storage.kms_key_arn, **_list_subscribers(settings)},
            role_arn=access.role_arns["pipeline"],
        )

    def _build_parameters(self, env: "EnvironmentRoot", pipeline: Any) -> dict[str, Any]:
        declared = _list_declared_parameters(pipeline.definition_file)
        environment_values = {name: value(env) for name, value in ENVIRONMENT_PARAMETERS.items() if name in declared}
        if pipeline.model and GROUP in declared:
            environment_values[GROUP] = env[ModelRegistry].model_package_groups[pipeline.model].name
        images = {name: self._format_image_address(image) for name, image in pipeline.images.items()}
        return dict(sorted({**environment_values, **images, **pipeline.parameters}.items()))

    def _format_image_address(self, image: str) -> str:
        """Return the full address of an image. SageMaker's images are in the registry of the Region."""
        if "/" in image:
            return image
        region = self.settings.region
        account = FRAMEWORK_REGISTRIES[region][0 if image.startswith(_FIRST_REGISTRY) else -1]
        return f"{account}.dkr.ecr.{region}.{get_dns_suffix(self.settings)}/{image}"

    def list_dead_letter_queue_names(self) -> list[Any]:
        """Return the names of the dead-letter queues of each pipeline."""
        return [pipeline.dead_letter_queue_names for pipeline in self.pipelines.values()]

    def list_platform_fields(self) -> Mapping[str, Any]:
        return {"pipelines": {key: pipeline.name for key, pipeline in self.pipelines.items()}}

    def list_outputs(self) -> "Outputs":
        from sustainable_mlops.authoring.resources import Output

        if not self.pipelines:
            return {}
        topics = {key: pipeline.failure_topic_arn for key, pipeline in self.pipelines.items()}
        return {"pipeline_failure_topics": Output(topics, "Topics of failed executions, by pipeline.")}


def _list_parameter_names(pipeline: Any) -> dict[str, str]:
    """Return the parameters that the settings of a pipeline name, by setting."""
    names = {f"{field}.{name}": name for field in ("images", "parameters") for name in getattr(pipeline, field)}
    if pipeline.data_arrival:
        names["data_arrival.key_parameter"] = pipeline.data_arrival.key_parameter
    if pipeline.drift:
        names["drift.reason_parameter"] = pipeline.drift.reason_parameter
        names |= {f"drift.parameters.{name}": name for name in pipeline.drift.parameters}
    return names


def _list_subscribers(settings: CommonSettings) -> dict[str, Any]:
    """Return the subscribers of a failure topic, as an attribute of the topic; empty without subscribers."""
    subscribers = settings.notifications.select(PIPELINES)
    return {"subscribers": subscribers} if subscribers else {}


@functools.cache
def _list_declared_parameters(definition: str) -> dict[str, Any]:
    """Return the parameters of a definition with their defaults, or None without a default."""
    parsed_definition = json.loads((ROOT / definition).read_text(encoding="utf-8"))
    return {one["Name"]: one.get("DefaultValue") for one in parsed_definition.get("Parameters", [])}
