"""Asynchronous endpoints: requests wait in a queue, and without any nothing runs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from envs.common import Common
from envs.component import options
from envs.components.model_endpoints import GIVEN
from envs.components.on_instances import OnInstances
from envs.components.storage import Storage
from envs.provider import aws_provider_field
from modules.async_endpoint import needs
from modules.async_endpoint.inputs import Inputs
from modules.common import Located
from modules.model_registry.inputs import GroupKey
from sustainable_mlops.authoring import Field, ModuleInputs

if TYPE_CHECKING:
    from envs.root import Environment


@options(Inputs, but=(*GIVEN, "aws_provider", *Located.model_fields, "s3_uri"))
class AsyncEndpoint(ModuleInputs):
    """An asynchronous endpoint."""

    aws_provider: Literal[5, 6] = aws_provider_field()


class Queued(ModuleInputs):
    async_endpoint: AsyncEndpoint | None = Field(
        None, description="Endpoint with a queue, which scales to zero; it comes with the first package too."
    )


class AsyncSettings(Common):
    models: dict[GroupKey, Queued] = Field({})


class AsyncEndpoints(OnInstances[AsyncSettings]):
    """Endpoints whose answers a caller has later."""

    module, ending = "async_endpoint", "async"
    inputs, statements = Inputs, needs.statements

    def asked(self) -> Mapping[str, ModuleInputs]:
        models = self.settings.models.items()
        return {key: model.async_endpoint for key, model in models if model.async_endpoint}

    def wired(self, env: "Environment") -> dict[str, Any]:
        return super().wired(env) | {"s3_uri": f"s3://{env[Storage].buckets['artifacts'].name}/async-inference"}
