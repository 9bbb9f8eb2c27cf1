"""What endpoints of every kind have in common: one for each model that asks for it, with its first approved package."""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from envs.component import Component, S, given
from envs.components.access import Access
from envs.components.storage import Storage
from envs.log_groups import LogGroup
from envs.names import Name, cut, joined
from modules.endpoints import inputs
from sustainable_mlops.authoring import ModuleInputs
from sustainable_mlops.authoring.expressions import contains, each_of, get, keys, map_of

if TYPE_CHECKING:
    from envs.root import Environment
    from sustainable_mlops.authoring.resources import Outputs

#: Inputs of every kind of endpoint that the environment gives: a model's own are but these of its container.
OWN = ("environment_variables", "inference_specification_name")
GIVEN = tuple(name for name in (*inputs.Endpoint.model_fields, *inputs.Container.model_fields) if name not in OWN)


class Endpoint(Protocol):
    """An endpoint, as expressions."""

    endpoint_name: str


class ModelEndpoints(Component[S]):
    """Endpoints of one kind."""

    #: The module of one endpoint, which is also the model's field that asks for it.
    module: ClassVar[str]
    #: What the models say, and the endpoints there are, by model.
    declared: Mapping[str, Any]
    endpoints: Mapping[str, Endpoint]

    def asked(self) -> Mapping[str, ModuleInputs]:
        """What the module is given of each model that has such an endpoint."""
        raise NotImplementedError

    def name(self, key: str) -> str:
        """The name of a model's endpoint."""
        return cut("endpoint", joined(self.settings.name_prefix, key))

    def names(self) -> Iterator[Name]:
        for key in self.asked():
            yield Name("endpoint", f"models.{key}.{self.module}", self.name(key))

    def log_groups(self) -> Iterator[LogGroup]:
        for key in self.asked():
            address = f"module.{self.module}[each.key].aws_cloudwatch_log_group.this"
            yield LogGroup(f"/aws/sagemaker/Endpoints/{self.name(key)}", address, model=key)

    def wired(self, env: "Environment") -> dict[str, Any]:
        """What this kind's module is given of the environment besides what each is."""
        return {"name_prefix": self.settings.name_prefix, "kms_key_arn": env[Storage].kms_key_arn}

    def said(self, env: "Environment", one: ModuleInputs) -> dict[str, Any]:  # noqa: ARG002
        """What is said of one endpoint."""
        return {name: value for name, value in given(one).items() if value is not None}

    def add(self, env: "Environment") -> None:
        if not self.asked():
            return
        entries = {key: {"name": self.name(key), **self.said(env, one)} for key, one in self.asked().items()}
        self.declared = env.local(f"{self.module}s", entries)
        fields = dict.fromkeys(field for entry in entries.values() for field in entry)
        packages = env.var.model_packages
        endpoint = each_of(
            map_of(
                self.declared,
                lambda _name, endpoint: endpoint,
                where=lambda name, _: contains(keys(packages), name),
            )
        )
        self.endpoints = env.call(
            env.modules[self.module],
            why="An endpoint needs a model: it comes with the first approved package.",
            for_each=endpoint,
            **self.wired(env),
            model_package_arn=packages[endpoint.key],
            **{field: _said(endpoint.value, field, entries.values()) for field in fields},
            log_retention_days=self.settings.log_retention_days,
            role_arn=env[Access].role_arns["inference"],
        )

    def outputs(self) -> "Outputs":
        from sustainable_mlops.authoring.resources import Output

        if not self.asked():
            return {}
        names = map_of(self.endpoints, lambda _name, endpoint: endpoint.endpoint_name)
        return {f"{self.module}s": Output(names, "Name of the endpoint to invoke, by model.")}


def _said(endpoint: Any, field: str, entries: Collection[Mapping[str, Any]]) -> Any:
    """What a model says of a field, null, the module's own default, where only others say something."""
    return getattr(endpoint, field) if all(field in entry for entry in entries) else get(endpoint, field, None)
