"""Asynchronous endpoints: requests wait in a queue, and without any nothing runs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from envs.common import Common
from envs.component import given, options
from envs.components.model_endpoints import GIVEN, ModelEndpoints
from envs.components.storage import Storage
from envs.names import cut, joined
from modules.async_endpoint import needs
from modules.async_endpoint.inputs import Inputs
from modules.common import Located
from modules.model_registry.inputs import GroupKey
from modules.needs import Needs, combined
from sustainable_mlops.authoring import Field, ModuleInputs, called

if TYPE_CHECKING:
    from envs.root import Environment


@options(Inputs, but=(*GIVEN, *Located.model_fields, "s3_uri"))
class AsyncEndpoint(ModuleInputs):
    """An asynchronous endpoint."""


class Queued(ModuleInputs):
    async_endpoint: AsyncEndpoint | None = Field(
        None, description="Endpoint with a queue, which scales to zero; it comes with the first package too."
    )


class AsyncSettings(Common):
    models: dict[GroupKey, Queued] = Field({})


class AsyncEndpoints(ModelEndpoints[AsyncSettings]):
    """Endpoints whose answers a caller has later."""

    module = "async_endpoint"

    def asked(self) -> Mapping[str, ModuleInputs]:
        models = self.settings.models.items()
        return {key: model.async_endpoint for key, model in models if model.async_endpoint}

    def name(self, key: str) -> str:
        """Unlike a serverless endpoint's of the same model."""
        return cut("endpoint", joined(self.settings.name_prefix, key, "async"))

    def wired(self, env: "Environment") -> dict[str, Any]:
        bucket = env[Storage].buckets["artifacts"].name
        return super().wired(env) | self.settings.located | {"s3_uri": f"s3://{bucket}/async-inference"}

    def needs(self, env: "Environment") -> Needs:
        return combined(
            *(
                needs.statements(called(Inputs, **self.wired(env), **given(said), name=self.name(key)))
                for key, said in self.asked().items()
            )
        )
