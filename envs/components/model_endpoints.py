"""What endpoints of every kind have in common: one for each model that asks for it, with its first approved package."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from envs.component import Component, S, given
from envs.components.access import Access
from envs.components.storage import Storage
from envs.names import Name, cut, joined
from sustainable_mlops.authoring import ModuleInputs
from sustainable_mlops.authoring.expressions import contains, each_of, keys, map_of

if TYPE_CHECKING:
    from envs.root import Environment
    from sustainable_mlops.authoring.resources import Outputs


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

    def add(self, env: "Environment") -> None:
        asked = {key: given(options) for key, options in self.asked().items()}
        fields = list(dict.fromkeys(field for options in asked.values() for field in options))
        entries = {
            # Each has the same fields; null leaves the default to the module.
            key: {"name": self.name(key), **{field: options.get(field) for field in fields}}
            for key, options in asked.items()
        }
        self.declared = env.local(f"{self.module}s", entries)
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
            name_prefix=self.settings.name_prefix,
            name=endpoint.value.name,
            model_package_arn=packages[endpoint.key],
            **{field: getattr(endpoint.value, field) for field in fields},
            log_retention_days=self.settings.log_retention_days,
            role_arn=env[Access].role_arns["inference"],
            kms_key_arn=env[Storage].kms_key_arn,
        )

    def outputs(self) -> "Outputs":
        from sustainable_mlops.authoring.resources import Output

        names = map_of(self.endpoints, lambda _name, endpoint: endpoint.endpoint_name)
        return {f"{self.module}s": Output(names, "Name of the endpoint to invoke, by model.")}
