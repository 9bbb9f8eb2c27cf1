"""Checks of the promoted packages (`models.auto.tfvars.json`)."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from envs.common import CommonSettings
from envs.component import Component
from envs.components.model_endpoints import ModelEndpoints
from modules.common import AccountId, NamePrefix
from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.authoring.expressions import difference, join, keys, length

if TYPE_CHECKING:
    from envs.root import Environment


class PromotionOptions(ModuleInputs):
    registries: dict[AccountId, NamePrefix] = Field(
        {},
        description="Other accounts whose model packages this environment accepts, each with the name prefix of its "
        "package groups. Packages of its own package groups are always accepted.",
    )
    max_training_kg_co2e: float | None = Field(
        None, ge=0, description="Maximum carbon of the training of a promoted model, in kg CO2e. Null: no limit."
    )


class PromotionSettings(CommonSettings):
    promotion: PromotionOptions = Field(
        PromotionOptions(), description="Model packages that `smlops promote` accepts for this environment."
    )


class Promotions(Component[PromotionSettings]):
    """Warnings for promoted packages without an endpoint. The modules refuse packages of another Region."""

    def add(self, env: "Environment") -> None:
        unknown: Collection[str] = keys(env.var.model_packages)
        for kind in env.find_components(ModelEndpoints):
            if kind.declared_endpoints():
                unknown = difference(unknown, keys(kind.model_local))
        env.check(
            "model_packages_are_of_known_models",
            length(unknown) == 0,
            f"model_packages contains {join(', ', unknown)}, but settings.yaml and the catalogue declare no endpoint "
            "for these models.",
        )
