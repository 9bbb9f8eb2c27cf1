"""The instances that serve one endpoint configuration of one endpoint."""

import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from sagemaker_sandbox.hosting.shadow import Shadows
from sagemaker_sandbox.hosting.variant import HostedVariant, VariantOwner
from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.runtime.model_data import ModelDataCache


class EndpointFleet:
    """`models`: variant, shadow ones too, to its containers as they run. It takes requests once it is in `Traffic`."""

    def __init__(
        self,
        home: VariantOwner,
        config: Fields,
        models: Mapping[str, list[Fields]],
        folder: Path,
    ) -> None:
        self.config = config
        self.models = dict(models)
        #: Whether it has ended.
        self.closed = False
        self._home = home
        self._folder = folder
        self._data = ModelDataCache(home.region.client("s3"), folder / "data")
        self.variants = dict(self._made(config["ProductionVariants"]))
        self.shadow_variants = dict(self._made(config.get("ShadowProductionVariants") or []))
        heard = partial(home.record_shadow_response, config)
        self.shadows = Shadows(self.shadow_variants, self.variants, home.region.clock, heard)

    def _made(self, variants: list[Fields]) -> Iterator[tuple[str, HostedVariant]]:
        for fields in variants:
            name = fields["VariantName"]
            if name in self.models:
                folder = self._folder / "variants" / name
                yield name, HostedVariant(self._home, self.config, fields, self.models[name], folder, self._data)

    @property
    def all_variants(self) -> dict[str, HostedVariant]:
        """Its variants, shadow ones too."""
        return self.variants | self.shadow_variants

    def start(self, counts: Mapping[str, int] | None = None) -> None:
        """Have every variant's instances, by default as many as the configuration says. Raises StartError."""
        for name, variant in self.all_variants.items():
            variant.pool.scale(
                variant.initial_count if variant.serverless else (counts or {}).get(name, variant.initial_count)
            )

    def scale(self, variant: str, count: int) -> None:
        """Have so many instances of a variant; those that go finish what they have under way. Raises StartError."""
        self.all_variants[variant].pool.scale(count)

    def set_serverless(self, variant: str, settings: Fields) -> None:
        """Change MaxConcurrency and ProvisionedConcurrency; back once so many workers are warm."""
        self.all_variants[variant].set_serverless(settings)

    def set_weights(self, weights: Mapping[str, float]) -> None:
        """Change these variants' weights."""
        for name, variant in self.all_variants.items():
            variant.weight = weights.get(name, variant.weight)

    @property
    def instance_counts(self) -> dict[str, int]:
        """How many instances of each variant are in service; 1 for a serverless one."""
        return {name: variant.pool.count for name, variant in self.all_variants.items()}

    def close(self, *, at_once: bool = False) -> None:
        """End every instance once its requests under way are answered, or `at_once`."""
        self.shadows.close()
        for variant in self.all_variants.values():
            if not at_once:
                variant.pool.scale(0)
            variant.pool.close()
        self._data.close()
        self.closed = True
        shutil.rmtree(self._folder, ignore_errors=True)
