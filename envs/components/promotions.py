"""Checks of the promoted packages (`models.auto.tfvars.json`)."""

from collections.abc import Collection, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from envs.common import CommonSettings
from envs.component import Component
from envs.components.model_endpoints import ModelEndpoints
from modules.common import AccountId, NamePrefix
from modules.iam_statements import StatementsByPhase, build_prefix_condition, build_statement
from modules.storage.inputs import build_bucket_arn
from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.authoring.expressions import difference, join, keys, length

if TYPE_CHECKING:
    from envs.root import EnvironmentRoot


class PromotionOptions(ModuleInputs):
    registries: dict[AccountId, NamePrefix] = Field(
        {},
        description="Other accounts whose model packages this environment accepts, each with the name prefix of its "
        "package groups. Its endpoints may read models/ in their artifacts buckets. Packages of its own package groups "
        "are always accepted.",
    )
    max_training_kg_co2e: float | None = Field(
        None, ge=0, description="Maximum carbon of the training of a promoted model, in kgCO2e. Null: no limit."
    )
    require_digests: bool = Field(
        False, description="Refuse packages that do not record the digests of their source and their data."
    )


class PromotionSettings(CommonSettings):
    promotion: PromotionOptions = Field(
        PromotionOptions(), description="Model packages that `smlops promote` accepts for this environment."
    )


class Promotions(Component[PromotionSettings]):
    """Warnings for promoted packages without an endpoint. The modules refuse packages of another Region."""

    def list_readable_bucket_arns(self) -> Iterator[str]:
        """Yield the artifacts buckets of the other registries."""
        for account, prefix in self.settings.promotion.registries.items():
            yield self._format_bucket_arn(account, prefix)

    def list_iam_statements(self, env: "EnvironmentRoot") -> Iterator[StatementsByPhase]:  # noqa: ARG002
        """Yield the permissions to read and list the models of the other registries, for the endpoints."""
        buckets = list(self.list_readable_bucket_arns())
        if not buckets:
            return
        models = [f"{bucket}/models/*" for bucket in buckets]
        yield {
            "inference": [
                build_statement("ReadModelsOfRegistries", ["s3:GetObject"], models),
                build_statement(
                    "ListModelsOfRegistries", ["s3:ListBucket"], buckets, build_prefix_condition("models/")
                ),
            ]
        }

    def _format_bucket_arn(self, account: str, prefix: str) -> str:
        """Return the ARN of the artifacts bucket of a registry's environment."""
        settings = self.settings
        owner: Any = SimpleNamespace(
            name_prefix=prefix, account_id=account, region=settings.region, partition=settings.partition
        )
        return build_bucket_arn(owner, "artifacts")

    def add(self, env: "EnvironmentRoot") -> None:
        unknown: Collection[str] = keys(env.var.model_packages)
        for kind in env.find_components(ModelEndpoints):
            if kind.list_declared_endpoints():
                unknown = difference(unknown, keys(kind.model_local))
        env.check(
            "model_packages_are_of_known_models",
            length(unknown) == 0,
            f"model_packages contains {join(', ', unknown)}, but settings.yaml and the catalogue declare no endpoint "
            "for these models.",
        )
