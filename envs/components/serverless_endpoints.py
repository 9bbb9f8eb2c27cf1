"""Serverless endpoints, which scale to zero."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from envs.component import module_options
from envs.components.model_endpoints import ENVIRONMENT_INPUTS, ModelEndpoints, ServedModel
from envs.components.network import NetworkSettings
from modules.common import OptionalLocation
from modules.model_registry.inputs import GroupKey
from modules.serverless_endpoint.inputs import Inputs
from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.catalogue import regions

if TYPE_CHECKING:
    from envs.root import Environment


@module_options(Inputs, excluded=(*ENVIRONMENT_INPUTS, *OptionalLocation.model_fields))
class ServerlessEndpointOptions(ModuleInputs):
    """Settings of a serverless endpoint."""


class ServerlessModel(ServedModel):
    serverless_endpoint: ServerlessEndpointOptions | None = Field(
        None, description="Endpoint that scales to zero. It is created with the first package in `model_packages`."
    )


class ServerlessSettings(NetworkSettings):
    models: dict[GroupKey, ServerlessModel] = Field({})


class ServerlessEndpoints(ModelEndpoints[ServerlessSettings]):
    """Serverless endpoints of the models."""

    module = "serverless_endpoint"

    def declared_endpoints(self) -> Mapping[str, ModuleInputs]:
        models = self.settings.models.items()
        return {key: model.serverless_endpoint for key, model in models if model.serverless_endpoint}

    def environment_inputs(self, env: "Environment") -> dict[str, Any]:
        return super().environment_inputs(env) | self.settings.account_and_region

    def find_problems(self) -> Iterator[str]:
        for key in self.declared_endpoints() if self.settings.network else ():
            if self.settings.models[key].vpc:
                yield (
                    f"models.{key}.serverless_endpoint: a serverless endpoint cannot join the network of the "
                    f"environment; use another kind of endpoint, or set models.{key}.vpc to false"
                )
        region = regions.find(self.settings.region)
        if self.declared_endpoints() and region is not None and not region.has_serverless:
            supported = [name for name, other in regions.load_all().items() if other.has_serverless]
            yield (
                f"region: {region.name} has no Serverless Inference, as {', '.join(self.declared_endpoints())} would "
                f"need; use one of: {', '.join(supported)}"
            )
