"""The instances that serve one endpoint configuration of one endpoint."""

from collections.abc import Mapping
from pathlib import Path

from sustainable_mlops.sandbox.hosting.pool import Pool
from sustainable_mlops.sandbox.hosting.instance import Instance, Shape
from sustainable_mlops.sandbox.parts.region import Region
from sustainable_mlops.sandbox.parts.resources import Fields


class Fleet:
    """`models`: variant, shadow ones too, to its containers as they run. It takes requests once it is in `Traffic`."""

    def __init__(self, region: Region, config: Fields, models: Mapping[str, list[Fields]], folder: Path) -> None:
        self.config = config
        self.models = dict(models)
        self._region = region
        self._folder = folder
        self.variants = {one["VariantName"]: one for one in config["ProductionVariants"]}
        self.shadows = {one["VariantName"]: one for one in config.get("ShadowProductionVariants", ())}
        #: Of the production variants.
        self.weights = {name: float(one.get("InitialVariantWeight", 1.0)) for name, one in self.variants.items()}
        every = self.variants | self.shadows
        self._serverless = {name: one["ServerlessConfig"] for name, one in every.items() if "ServerlessConfig" in one}
        self.pools = {name: self._pool(variant) for name, variant in every.items() if name in self.models}

    def _pool(self, variant: Fields) -> Pool:
        name = variant["VariantName"]
        strategy = variant.get("RoutingConfig", {}).get("RoutingStrategy", "RANDOM")

        def make(number: int) -> Instance:
            folder = self._folder / name / str(number)
            return Instance(self._region, f"{name}-{number}", self.models[name], folder, self._shape(name))

        return Pool(make, at_random=strategy == "RANDOM")

    def _shape(self, name: str) -> Shape:
        serverless = self._serverless.get(name)
        if serverless is None:
            return Shape(warm=1)
        return Shape(
            memory_mb=serverless["MemorySizeInMB"],
            max_concurrency=serverless["MaxConcurrency"],
            idle_seconds=self._region.context.idle_seconds,
            warm=serverless.get("ProvisionedConcurrency", 0),
        )

    def start(self, counts: Mapping[str, int] | None = None) -> None:
        """Have every variant's instances, by default as many as the configuration says. Raises StartError."""
        for name, pool in self.pools.items():
            variant = self.variants.get(name) or self.shadows[name]
            initial = 1 if name in self._serverless else int(variant.get("InitialInstanceCount", 1))
            pool.scale(initial if counts is None or name in self._serverless else counts.get(name, initial))

    def scale(self, variant: str, count: int) -> None:
        """Have so many instances of a variant; those that go finish what they have under way. Raises StartError."""
        self.pools[variant].scale(count)

    def set_serverless(self, variant: str, settings: Fields) -> None:
        """Change MaxConcurrency and ProvisionedConcurrency; back once so many workers are warm."""
        self._serverless[variant] = self._serverless[variant] | settings

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Change these variants' weights."""
        self.weights |= weights

    @property
    def counts(self) -> dict[str, int]:
        """How many instances of each variant are in service; 1 for a serverless one."""
        return {name: pool.count for name, pool in self.pools.items()}

    def close(self) -> None:
        """End every instance once its requests under way are answered."""
        for pool in self.pools.values():
            pool.close()
