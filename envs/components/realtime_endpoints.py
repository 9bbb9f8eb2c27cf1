"""Real-time endpoints: instances that run all the time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from envs.common import CommonSettings
from envs.components.instance_endpoints import InstanceEndpoints
from envs.components.model_endpoints import ENVIRONMENT_INPUTS, ServedModelSettings
from envs.components.storage import Storage
from envs.provider import make_aws_provider_field
from envs.settings_models import add_module_options
from modules.common import LocatedInputs
from modules.model_registry.inputs import GroupKey
from modules.realtime_endpoint import iam_statements
from modules.realtime_endpoint.inputs import DataCapture, Inputs
from sustainable_mlops.authoring import Field, ModuleInputs

if TYPE_CHECKING:
    from envs.root import EnvironmentRoot

#: Inputs that an environment does not set, because a model package has its own containers.
_PACKAGE_INPUTS = ("containers", "containers_mode", "model_cache", "models_s3_uri")


@add_module_options(DataCapture, excluded=("s3_uri",))
class DataCaptureOptions(ModuleInputs):
    """Settings of the capture of requests and responses in the data bucket."""


@add_module_options(
    Inputs,
    excluded=(*ENVIRONMENT_INPUTS, "aws_provider", *LocatedInputs.model_fields, *_PACKAGE_INPUTS, "data_capture"),
)
class RealtimeEndpointOptions(ModuleInputs):
    """Settings of a real-time endpoint."""

    aws_provider: Literal[5, 6] = make_aws_provider_field()

    data_capture: DataCaptureOptions | None = Field(
        None, description="Capture a sample of requests and responses. Default: none."
    )


class RealtimeModel(ServedModelSettings):
    realtime_endpoint: RealtimeEndpointOptions | None = Field(
        None, description="Endpoint on instances that always run. It is created with the first package."
    )


class RealtimeSettings(CommonSettings):
    models: dict[GroupKey, RealtimeModel] = Field({})


class RealtimeEndpoints(InstanceEndpoints[RealtimeSettings]):
    """Real-time endpoints of the models."""

    module, name_suffix = "realtime_endpoint", "realtime"
    inputs, statements = Inputs, iam_statements.build_statements

    def list_declared_endpoints(self) -> Mapping[str, ModuleInputs]:
        models = self.settings.models.items()
        return {key: model.realtime_endpoint for key, model in models if model.realtime_endpoint}

    def build_model_inputs(self, env: "EnvironmentRoot", key: str, endpoint: ModuleInputs) -> dict[str, Any]:
        inputs = super().build_model_inputs(env, key, endpoint)
        if "data_capture" in inputs:
            inputs["data_capture"] |= {"s3_uri": f"s3://{env[Storage].buckets['data'].name}/captures"}
        return inputs
