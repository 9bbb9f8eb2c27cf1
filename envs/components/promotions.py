"""Packages that were promoted (`models.auto.tfvars.json`), against the models that there are."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from envs.common import CommonSettings
from envs.component import Component
from envs.components.model_endpoints import ModelEndpoints
from sustainable_mlops.authoring.expressions import difference, join, keys, length, map_of, text_contains

if TYPE_CHECKING:
    from envs.root import Environment


class Promotions(Component[CommonSettings]):
    """A warning where a package was promoted that nothing serves, or that is of another Region."""

    def add(self, env: "Environment") -> None:
        packages, region = env.var.model_packages, self.settings.region
        unknown: Collection[str] = keys(packages)
        for kind in env.find_components(ModelEndpoints):
            if kind.declared_endpoints():
                unknown = difference(unknown, keys(kind.model_local))
        env.check(
            "model_packages_are_of_known_models",
            length(unknown) == 0,
            f"model_packages names {join(', ', unknown)}, of which settings.yaml and the catalogue give no model an "
            "endpoint.",
        )
        elsewhere = keys(
            map_of(packages, lambda _name, arn: arn, where=lambda _name, arn: ~text_contains(arn, f":{region}:"))
        )
        env.check(
            "model_packages_are_of_this_region",
            length(elsewhere) == 0,
            f"model_packages names of {join(', ', elsewhere)} a package outside {region}, which SageMaker cannot serve "
            "here: register the model in this environment.",
        )
