"""Serverless endpoints: between requests nothing runs."""

from collections.abc import Iterator, Mapping

from envs.common import Common
from envs.component import options
from envs.components.model_endpoints import GIVEN, ModelEndpoints
from modules.model_registry.inputs import GroupKey
from modules.serverless_endpoint.inputs import Inputs
from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.catalogue import regions


@options(Inputs, but=GIVEN)
class ServerlessEndpoint(ModuleInputs):
    """A serverless endpoint."""


class Served(ModuleInputs):
    serverless_endpoint: ServerlessEndpoint | None = Field(
        None, description="Endpoint that scales to zero; it comes with the first package in `model_packages`."
    )


class ServerlessSettings(Common):
    models: dict[GroupKey, Served] = Field({})


class ServerlessEndpoints(ModelEndpoints[ServerlessSettings]):
    """Endpoints that scale to zero."""

    module = "serverless_endpoint"

    def asked(self) -> Mapping[str, ModuleInputs]:
        models = self.settings.models.items()
        return {key: model.serverless_endpoint for key, model in models if model.serverless_endpoint}

    def problems(self) -> Iterator[str]:
        region = regions.find(self.settings.region)
        if self.asked() and region is not None and not region.serverless:
            with_it = [name for name, other in regions.everything().items() if other.serverless]
            yield (
                f"region: {region.name} has no Serverless Inference, as {', '.join(self.asked())} would need; "
                f"take one that has: {', '.join(with_it)}"
            )
