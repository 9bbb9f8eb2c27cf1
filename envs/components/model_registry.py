"""A package group for each model."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from envs.common import Common
from envs.component import Component, given, options
from envs.components.access import Access
from envs.names import Name, joined
from modules.common import Located, MakesRoles, Protected
from modules.model_registry.inputs import GroupKey, Inputs, ModelPackageGroup
from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.authoring.expressions import map_of

if TYPE_CHECKING:
    from envs.root import Environment


class Group(Protocol):
    """A model package group, as expressions."""

    name: str
    arn: str


@options(Inputs, but=(*Located.model_fields, *MakesRoles.model_fields, *Protected.model_fields, "model_package_groups"))
class RegistryOptions(ModuleInputs):
    """What may be said of the module `model_registry`."""


class RegistrySettings(Common):
    model_registry: RegistryOptions = Field(RegistryOptions(), description="Who is told of approvals.")
    models: dict[GroupKey, ModelPackageGroup] = Field(
        {}, description="What is otherwise than in envs/catalogue/models, by key; null leaves a model out."
    )


class ModelRegistry(Component[RegistrySettings]):
    """Where a model waits for a person's approval."""

    model_package_groups: Mapping[str, Group]

    def names(self) -> Iterator[Name]:
        for key in self.settings.models:
            yield Name("model_package_group", f"models.{key}", joined(self.settings.name_prefix, key))

    def add(self, env: "Environment") -> None:
        settings = self.settings
        module = env.call(
            env.modules["model_registry"],
            **settings.located,
            **settings.protected,
            **given(env[Access].settings.access, MakesRoles),
            model_package_groups={key: given(model, ModelPackageGroup) for key, model in settings.models.items()},
            **given(settings.model_registry),
        )
        self.model_package_groups = module.model_package_groups

    def publishes(self) -> Mapping[str, Any]:
        return {"model_package_groups": map_of(self.model_package_groups, lambda group: group.name)}
