"""Serverless endpoints, which scale to zero."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from envs.components.model_endpoints import ENVIRONMENT_INPUTS, ModelEndpoints, ServedModelSettings
from envs.components.network import NetworkSettings
from envs.settings_models import add_module_options
from modules.common import OptionalLocation
from modules.model_registry.inputs import GroupKey
from modules.serverless_endpoint.inputs import Inputs
from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.catalogue import regions

if TYPE_CHECKING:
    from envs.root import EnvironmentRoot


@add_module_options(Inputs, excluded=(*ENVIRONMENT_INPUTS, *OptionalLocation.model_fields))
class ServerlessEndpointOptions(ModuleInputs):
    """Settings of a serverless endpoint."""


class ServerlessModel(ServedModelSettings):
    serverless_endpoint: ServerlessEndpointOptions | None = Field(
        None, description="Endpoint that scales to zero. It is created with the first package in `model_packages`."
    )


class ServerlessSettings(NetworkSettings):
    models: dict[GroupKey, ServerlessModel] = Field({})


class ServerlessEndpoints(ModelEndpoints[ServerlessSettings]):
    """Serverless endpoints of the models."""

    module = "serverless_endpoint"

    def list_declared_endpoints(self) -> Mapping[str, ModuleInputs]:
        models = self.settings.models.items()
        return {key: model.serverless_endpoint for key, model in models if model.serverless_endpoint}

    def build_environment_inputs(self, env: "EnvironmentRoot") -> dict[str, Any]:
        return super().build_environment_inputs(env) | self.settings.account_and_region

    def find_problems(self) -> Iterator[str]:
        for key in self.list_declared_endpoints() if self.settings.network else ():
            if self.settings.models[key].vpc:
                yield (
                    f"models.{key}.serverless_endpoint: a serverless endpoint cannot join the network of the "
                    f"environment; use another kind of endpoint, or set models.{key}.vpc to false"
                )
        region = regions.find(self.settings.region)
        if self.list_declared_endpoints() and region is not None and not region.has_serverless:
            supported = [name for name, other in regions.load_all().items() if other.has_serverless]
            yield (
                f"region: {region.name} has no Serverless Inference, which {', '.join(self.list_declared_endpoints())} "
                f"would need; use one of: {', '.join(supported)}"
            )
