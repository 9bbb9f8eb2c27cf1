"""Model package groups, one for each model."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from envs.common import CommonSettings
from envs.component import Component
from envs.components.access import Access
from envs.components.storage import Storage
from envs.names import EnvironmentName, join_parts
from envs.settings_models import add_module_options, get_explicit_settings
from envs.subscribers import APPROVALS
from modules.common import LocatedInputs, ProtectedInputs, RoleInputs
from modules.model_registry.inputs import GroupKey, Inputs, ModelPackageGroup
from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.authoring.expressions import map_of

if TYPE_CHECKING:
    from envs.root import EnvironmentRoot


class PackageGroupExpression(Protocol):
    """Attributes of a model package group, as expressions."""

    name: str
    arn: str


@add_module_options(
    Inputs,
    excluded=(
        *LocatedInputs.model_fields,
        *RoleInputs.model_fields,
        *ProtectedInputs.model_fields,
        "model_package_groups",
    ),
)
class RegistryOptions(ModuleInputs):
    """Settings of the module `model_registry`."""


class RegistrySettings(CommonSettings):
    model_registry: RegistryOptions = Field(RegistryOptions(), description="Notifications and deliveries of approvals.")
    models: dict[GroupKey, ModelPackageGroup] = Field(
        {}, description="Overrides of envs/catalogue/models, by key. Null removes a model."
    )


class ModelRegistry(Component[RegistrySettings]):
    """Model package groups of the environment."""

    model_package_groups: Mapping[str, PackageGroupExpression]
    dead_letter_queue_names: list[str]

    def list_names(self) -> Iterator[EnvironmentName]:
        for key in self.settings.models:
            yield EnvironmentName("model_package_group", f"models.{key}", join_parts(self.settings.name_prefix, key))

    def add(self, env: "EnvironmentRoot") -> None:
        settings = self.settings
        module = env.call(
            env.modules["model_registry"],
            **settings.located,
            **settings.protected,
            **get_explicit_settings(env[Access].settings.access, RoleInputs),
            model_package_groups={
                key: get_explicit_settings(model, ModelPackageGroup) for key, model in settings.models.items()
            },
            **{**get_explicit_settings(settings.model_registry), **self._build_approval_topic(env)},
        )
        self.model_package_groups = module.model_package_groups
        self.dead_letter_queue_names = module.dead_letter_queue_names

    def _build_approval_topic(self, env: "EnvironmentRoot") -> dict[str, Any]:
        """Return the input approval_topic if it has subscribers. The environment's key is its default key."""
        subscribers = self.settings.notifications.select(APPROVALS)
        if not subscribers:
            return {}
        declared = get_explicit_settings(self.settings.model_registry).get("approval_topic") or {}
        return {
            "approval_topic": {
                "kms_key_arn": env[Storage].kms_key_arn,
                **declared,
                "subscribers": {**declared.get("subscribers", {}), **subscribers},
            }
        }

    def list_platform_fields(self) -> Mapping[str, Any]:
        return {"model_package_groups": map_of(self.model_package_groups, lambda group: group.name)}
