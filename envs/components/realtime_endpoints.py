"""Real-time endpoints: instances that wait for callers who cannot."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from envs.common import Common
from envs.component import options
from envs.components.model_endpoints import GIVEN
from envs.components.on_instances import OnInstances
from envs.components.storage import Storage
from envs.provider import aws_provider_field
from modules.common import Located
from modules.model_registry.inputs import GroupKey
from modules.realtime_endpoint import needs
from modules.realtime_endpoint.inputs import DataCapture, Inputs
from sustainable_mlops.authoring import Field, ModuleInputs

if TYPE_CHECKING:
    from envs.root import Environment

#: A model of an environment is a package: it brings its own containers.
_OF_PACKAGES = ("containers", "containers_mode", "model_cache", "models_s3_uri")


@options(DataCapture, but=("s3_uri",))
class Captured(ModuleInputs):
    """A sample of requests and answers, in the data bucket."""


@options(Inputs, but=(*GIVEN, "aws_provider", *Located.model_fields, *_OF_PACKAGES, "data_capture"))
class RealtimeEndpoint(ModuleInputs):
    """A real-time endpoint."""

    aws_provider: Literal[5, 6] = aws_provider_field()

    data_capture: Captured | None = Field(None, description="Keep a sample of requests and answers; none by default.")


class Answered(ModuleInputs):
    realtime_endpoint: RealtimeEndpoint | None = Field(
        None, description="Endpoint on instances that always run; it comes with the first package too."
    )


class RealtimeSettings(Common):
    models: dict[GroupKey, Answered] = Field({})


class RealtimeEndpoints(OnInstances[RealtimeSettings]):
    """Endpoints that answer at once."""

    module, ending = "realtime_endpoint", "realtime"
    inputs, statements = Inputs, needs.statements

    def asked(self) -> Mapping[str, ModuleInputs]:
        models = self.settings.models.items()
        return {key: model.realtime_endpoint for key, model in models if model.realtime_endpoint}

    def said(self, env: "Environment", one: ModuleInputs) -> dict[str, Any]:
        said = super().said(env, one)
        if "data_capture" in said:
            said["data_capture"] |= {"s3_uri": f"s3://{env[Storage].buckets['data'].name}/captures"}
        return said
