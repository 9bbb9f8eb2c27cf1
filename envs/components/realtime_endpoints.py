"""Real-time endpoints: instances that run all the time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from envs.common import CommonSettings
from envs.component import module_options
from envs.components.instance_endpoints import InstanceEndpoints
from envs.components.model_endpoints import ENVIRONMENT_INPUTS, ServedModel
from envs.components.storage import Storage
from envs.provider import aws_provider_field
from modules.common import LocatedInputs
from modules.model_registry.inputs import GroupKey
from modules.realtime_endpoint import iam_statements
from modules.realtime_endpoint.inputs import DataCapture, Inputs
from sustainable_mlops.authoring import Field, ModuleInputs

if TYPE_CHECKING:
    from envs.root import Environment

#: Inputs that an environment does not set, because a model package has its own containers.
_PACKAGE_INPUTS = ("containers", "containers_mode", "model_cache", "models_s3_uri")


@module_options(DataCapture, excluded=("s3_uri",))
class DataCaptureOptions(ModuleInputs):
    """Settings of the capture of requests and responses in the data bucket."""


@module_options(
    Inputs,
    excluded=(*ENVIRONMENT_INPUTS, "aws_provider", *LocatedInputs.model_fields, *_PACKAGE_INPUTS, "data_capture"),
)
class RealtimeEndpointOptions(ModuleInputs):
    """Settings of a real-time endpoint."""

    aws_provider: Literal[5, 6] = aws_provider_field()

    data_capture: DataCaptureOptions | None = Field(
        None, description="Capture a sample of requests and responses. Default: none."
    )


class RealtimeModel(ServedModel):
    realtime_endpoint: RealtimeEndpointOptions | None = Field(
        None, description="Endpoint on instances that always run. It is created with the first package."
    )


class RealtimeSettings(CommonSettings):
    models: dict[GroupKey, RealtimeModel] = Field({})


class RealtimeEndpoints(InstanceEndpoints[RealtimeSettings]):
    """Real-time endpoints of the models."""

    module, name_suffix = "realtime_endpoint", "realtime"
    inputs, statements = Inputs, iam_statements.build_statements

    def declared_endpoints(self) -> Mapping[str, ModuleInputs]:
        models = self.settings.models.items()
        return {key: model.realtime_endpoint for key, model in models if model.realtime_endpoint}

    def model_inputs(self, env: "Environment", key: str, endpoint: ModuleInputs) -> dict[str, Any]:
        inputs = super().model_inputs(env, key, endpoint)
        if "data_capture" in inputs:
            inputs["data_capture"] |= {"s3_uri": f"s3://{env[Storage].buckets['data'].name}/captures"}
        return inputs
