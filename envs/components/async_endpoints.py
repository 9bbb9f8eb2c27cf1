"""Asynchronous endpoints: requests wait in a queue, and no instance runs without requests."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from envs.common import CommonSettings
from envs.components.instance_endpoints import InstanceEndpoints
from envs.components.model_endpoints import ENVIRONMENT_INPUTS, ServedModelSettings
from envs.components.storage import Storage
from envs.provider import make_aws_provider_field
from envs.settings_models import add_module_options
from modules.async_endpoint import iam_statements
from modules.async_endpoint.inputs import Inputs
from modules.common import LocatedInputs
from modules.model_registry.inputs import GroupKey
from sustainable_mlops.authoring import Field, ModuleInputs

if TYPE_CHECKING:
    from envs.root import EnvironmentRoot


@add_module_options(Inputs, excluded=(*ENVIRONMENT_INPUTS, "aws_provider", *LocatedInputs.model_fields, "s3_uri"))
class AsyncEndpointOptions(ModuleInputs):
    """Settings of an asynchronous endpoint."""

    aws_provider: Literal[5, 6] = make_aws_provider_field()


class AsyncModel(ServedModelSettings):
    async_endpoint: AsyncEndpointOptions | None = Field(
        None, description="Endpoint with a queue that scales to zero. It is created with the first package."
    )


class AsyncSettings(CommonSettings):
    models: dict[GroupKey, AsyncModel] = Field({})


class AsyncEndpoints(InstanceEndpoints[AsyncSettings]):
    """Asynchronous endpoints of the models."""

    module, name_suffix = "async_endpoint", "async"
    inputs, statements = Inputs, iam_statements.build_statements

    def list_declared_endpoints(self) -> Mapping[str, ModuleInputs]:
        models = self.settings.models.items()
        return {key: model.async_endpoint for key, model in models if model.async_endpoint}

    def build_environment_inputs(self, env: "EnvironmentRoot") -> dict[str, Any]:
        return super().build_environment_inputs(env) | {
            "s3_uri": f"s3://{env[Storage].buckets['artifacts'].name}/async-inference"
        }
