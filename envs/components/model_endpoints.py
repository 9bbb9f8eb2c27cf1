"""Base component of all endpoints: one for each model that declares it, created with the first approved package."""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, cast

from envs.component import Component, S
from envs.components.access import Access
from envs.components.network import ModelInNetwork
from envs.components.storage import Storage
from envs.log_groups import ManagedLogGroup
from envs.names import EnvironmentName, join_parts, shorten_name
from envs.settings_models import get_explicit_settings
from modules.endpoints import inputs
from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.authoring.expressions import contains, each_of, get, keys, map_of

if TYPE_CHECKING:
    from envs.root import EnvironmentRoot
    from sustainable_mlops.authoring.resources import Outputs

#: Inputs of a container that a model sets, and the other inputs of endpoints, which the environment sets.
MODEL_CONTAINER_INPUTS = ("environment_variables", "inference_specification_name")
ENVIRONMENT_INPUTS = tuple(
    name
    for name in (*inputs.EndpointInputs.model_fields, *inputs.ContainerInputs.model_fields)
    if name not in MODEL_CONTAINER_INPUTS
)


class ServedModelSettings(ModelInNetwork):
    """Settings of every model that has endpoints."""

    latency_slo: Literal["minutes", "cold_start", "milliseconds"] = Field(
        "cold_start",
        description="Latency that callers accept, a tag of the resources of the model's endpoints. minutes: an "
        "asynchronous endpoint, cold_start: a serverless one, milliseconds: a real-time one.",
    )


class EndpointExpression(Protocol):
    """Attributes of an endpoint, as expressions."""

    endpoint_name: str


class ModelEndpoints(Component[S]):
    """Endpoints of one kind."""

    #: Module of an endpoint. The field of a model that declares the endpoint has the same name.
    module: ClassVar[str]
    #: Settings of the endpoints (a local), and the calls of the module, by model.
    model_local: Mapping[str, Any]
    endpoints: Mapping[str, EndpointExpression]

    def list_declared_endpoints(self) -> Mapping[str, ModuleInputs]:
        """Return the settings of the endpoint of each model that declares one."""
        raise NotImplementedError

    def build_endpoint_name(self, key: str) -> str:
        """Return the name of a model's endpoint."""
        return shorten_name("endpoint", join_parts(self.settings.name_prefix, key))

    def list_names(self) -> Iterator[EnvironmentName]:
        for key in self.list_declared_endpoints():
            yield EnvironmentName("endpoint", f"models.{key}.{self.module}", self.build_endpoint_name(key))

    def list_log_groups(self) -> Iterator[ManagedLogGroup]:
        for key in self.list_declared_endpoints():
            address = f"module.{self.module}[each.key].aws_cloudwatch_log_group.this"
            yield ManagedLogGroup(f"/aws/sagemaker/Endpoints/{self.build_endpoint_name(key)}", address, model=key)

    def build_environment_inputs(self, env: "EnvironmentRoot") -> dict[str, Any]:
        """Return the inputs that are the same for all endpoints of this kind."""
        return {"name_prefix": self.settings.name_prefix, "kms_key_arn": env[Storage].kms_key_arn}

    def find_model(self, key: str) -> ServedModelSettings:
        """Return the settings of a model."""
        model: ServedModelSettings = cast(Any, self.settings).models[key]
        return model

    def build_model_inputs(self, env: "EnvironmentRoot", key: str, endpoint: ModuleInputs) -> dict[str, Any]:  # noqa: ARG002
        """Return the inputs of the endpoint of one model."""
        inputs = {name: value for name, value in get_explicit_settings(endpoint).items() if value is not None}
        return {**inputs, "tags": {"latency_slo": self.find_model(key).latency_slo}}

    def add(self, env: "EnvironmentRoot") -> None:
        if not self.list_declared_endpoints():
            return
        entries = {
            key: {"name": self.build_endpoint_name(key), **self.build_model_inputs(env, key, one)}
            for key, one in self.list_declared_endpoints().items()
        }
        self.model_local = env.local(f"{self.module}s", entries)
        fields = dict.fromkeys(field for entry in entries.values() for field in entry)
        packages = env.var.model_packages
        endpoint = each_of(
            map_of(
                self.model_local,
                lambda _name, endpoint: endpoint,
                where=lambda name, _: contains(keys(packages), name),
            )
        )
        self.endpoints = env.call(
            env.modules[self.module],
            why="An endpoint needs a model, so it is created with the first approved package.",
            for_each=endpoint,
            **self.build_environment_inputs(env),
            model_package_arn=packages[endpoint.key],
            **{field: _find_model_value(endpoint.value, field, entries.values()) for field in fields},
            log_retention_days=self.settings.log_retention_days,
            role_arn=env[Access].role_arns["inference"],
        )

    def list_outputs(self) -> "Outputs":
        from sustainable_mlops.authoring.resources import Output

        if not self.list_declared_endpoints():
            return {}
        names = map_of(self.endpoints, lambda _name, endpoint: endpoint.endpoint_name)
        return {f"{self.module}s": Output(names, "Name of the endpoint to invoke, by model.")}


def _find_model_value(endpoint: Any, field: str, entries: Collection[Mapping[str, Any]]) -> Any:
    """Return the value of a field. If only other models set it, return null, which selects the module's default."""
    return getattr(endpoint, field) if all(field in entry for entry in entries) else get(endpoint, field, None)
