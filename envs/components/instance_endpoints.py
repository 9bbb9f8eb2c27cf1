"""Base component of endpoints on instances: real-time and asynchronous."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from envs.component import S
from envs.components.model_endpoints import ModelEndpoints
from envs.components.network import Network
from envs.names import join_parts, shorten_name
from modules.endpoints import hardware
from modules.iam_statements import StatementsByPhase
from sustainable_mlops.authoring import ModuleInputs, bind_inputs
from sustainable_mlops.authoring.expressions.evaluation import fold_constants

if TYPE_CHECKING:
    from envs.root import EnvironmentRoot


class InstanceEndpoints(ModelEndpoints[S]):
    """Endpoints of one kind on instances."""

    #: Suffix of their names, to distinguish them from other endpoints of a model.
    name_suffix: ClassVar[str]
    #: Inputs of their module, and the function that returns its IAM statements.
    inputs: ClassVar[type[ModuleInputs]]
    statements: ClassVar[Callable[[Any], StatementsByPhase]]

    def build_endpoint_name(self, key: str) -> str:
        return shorten_name("endpoint", join_parts(self.settings.name_prefix, key, self.name_suffix))

    def find_problems(self) -> Iterator[str]:
        region = self.settings.region
        for key, endpoint in self.list_declared_endpoints().items():
            kind: str = getattr(endpoint, "instance_type")  # noqa: B009  every module on instances has this input
            if hardware.is_unavailable(kind, region):
                yield (
                    f"models.{key}.{self.module}.instance_type: {region} has no {kind}; use another type, or another "
                    "Region"
                )

    def build_environment_inputs(self, env: "EnvironmentRoot") -> dict[str, Any]:
        return super().build_environment_inputs(env) | self.settings.located

    def build_model_inputs(self, env: "EnvironmentRoot", key: str, endpoint: ModuleInputs) -> dict[str, Any]:
        inputs = super().build_model_inputs(env, key, endpoint)
        network = env[Network].vpc_config
        if network is not None and self.find_model(key).vpc:
            inputs.setdefault("vpc_config", network)
        return inputs

    def list_iam_statements(self, env: "EnvironmentRoot") -> Iterator[StatementsByPhase]:
        for key, endpoint in self.list_declared_endpoints().items():
            inputs = bind_inputs(
                self.inputs,
                **self.build_environment_inputs(env),
                **self.build_model_inputs(env, key, endpoint),
                name=self.build_endpoint_name(key),
            )
            yield fold_constants(type(self).statements(inputs))
