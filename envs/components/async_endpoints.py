"""Asynchronous endpoints: requests wait in a queue, and no instance runs without requests."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from envs.common import CommonSettings
from envs.component import module_options
from envs.components.instance_endpoints import InstanceEndpoints
from envs.components.model_endpoints import ENVIRONMENT_INPUTS, ServedModel
from envs.components.storage import Storage
from envs.provider import aws_provider_field
from modules.async_endpoint import iam_statements
from modules.async_endpoint.inputs import Inputs
from modules.common import LocatedInputs
from modules.model_registry.inputs import GroupKey
from sustainable_mlops.authoring import Field, ModuleInputs

if TYPE_CHECKING:
    from envs.root import Environment


@module_options(Inputs, excluded=(*ENVIRONMENT_INPUTS, "aws_provider", *LocatedInputs.model_fields, "s3_uri"))
class AsyncEndpointOptions(ModuleInputs):
    """Settings of an asynchronous endpoint."""

    aws_provider: Literal[5, 6] = aws_provider_field()


class AsyncModel(ServedModel):
    async_endpoint: AsyncEndpointOptions | None = Field(
        None, description="Endpoint with a queue that scales to zero. It is created with the first package."
    )


class AsyncSettings(CommonSettings):
    models: dict[GroupKey, AsyncModel] = Field({})


class AsyncEndpoints(InstanceEndpoints[AsyncSettings]):
    """Asynchronous endpoints of the models."""

    module, name_suffix = "async_endpoint", "async"
    inputs, statements = Inputs, iam_statements.build_statements

    def declared_endpoints(self) -> Mapping[str, ModuleInputs]:
        models = self.settings.models.items()
        return {key: model.async_endpoint for key, model in models if model.async_endpoint}

    def environment_inputs(self, env: "Environment") -> dict[str, Any]:
        return super().environment_inputs(env) | {
            "s3_uri": f"s3://{env[Storage].buckets['artifacts'].name}/async-inference"
        }
