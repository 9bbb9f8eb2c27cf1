"""Fleets: the instances that serve one endpoint configuration of one endpoint."""

import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from sagemaker_sandbox.endpoints.hosting.shadow import ShadowVariants
from sagemaker_sandbox.endpoints.hosting.variant import HostedVariant, VariantOwner
from sagemaker_sandbox.jobs.runtime.model_data import ModelDataCache
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.resources.role_environment import create_role_client


class EndpointFleet:
    """Instances of one endpoint configuration.

    `models` maps each variant, including shadow variants, to its containers. The fleet receives requests once it is
    part of `Traffic`.
    """

    def __init__(self, owner: VariantOwner, config: Fields, models: Mapping[str, list[Fields]], folder: Path) -> None:
        self.config = config
        self.models = dict(models)
        #: True once all instances have ended.
        self.is_closed = False
        self._owner = owner
        self._folder = folder
        #: Model data by the role that reads it and the subnets that it is read from.
        self._data: dict[tuple[str | None, tuple[str, ...]], ModelDataCache] = {}
        self.variants = dict(self._create_variants(config["ProductionVariants"]))
        self.shadow_variants = dict(self._create_variants(config.get("ShadowProductionVariants") or []))
        on_response = partial(owner.record_shadow_response, config)
        self.shadows = ShadowVariants(self.shadow_variants, self.variants, owner.region.clock, on_response)

    def _create_variants(self, variants: list[Fields]) -> Iterator[tuple[str, HostedVariant]]:
        for fields in variants:
            name = fields["VariantName"]
            if name in self.models:
                folder = self._folder / "variants" / name
                yield (
                    name,
                    HostedVariant(self._owner, self.config, fields, self.models[name], folder, self._get_data(name)),
                )

    def _get_data(self, variant: str) -> ModelDataCache:
        """Return the model data of all variants with the role and the network of this one."""
        container = self.models[variant][0]
        role, network = container.get("ExecutionRoleArn"), container.get("VpcConfig")
        key = role, tuple(network["Subnets"]) if network is not None else ()
        if key not in self._data:
            folder = self._folder / ("data" if not self._data else f"data-{len(self._data)}")
            self._data[key] = ModelDataCache(create_role_client(self._owner.region, "s3", role, network), folder)
        return self._data[key]

    @property
    def all_variants(self) -> dict[str, HostedVariant]:
        """Production and shadow variants by name."""
        return self.variants | self.shadow_variants

    def start(self, counts: Mapping[str, int] | None = None) -> None:
        """Start the instances of every variant; by default as many as configured. Raises StartError."""
        for name, variant in self.all_variants.items():
            variant.pool.scale(
                variant.initial_count if variant.serverless else (counts or {}).get(name, variant.initial_count)
            )

    def scale(self, variant: str, count: int) -> None:
        """Scale a variant to `count` instances. Raises StartError.

        Instances that are removed finish their active requests first.
        """
        self.all_variants[variant].pool.scale(count)

    def set_serverless(self, variant: str, settings: Fields) -> None:
        """Change MaxConcurrency and ProvisionedConcurrency.

        The call returns when the provisioned workers are warm.
        """
        self.all_variants[variant].set_serverless(settings)

    def set_weights(self, weights: Mapping[str, float]) -> None:
        """Change the weights of the named variants."""
        for name, variant in self.all_variants.items():
            variant.weight = weights.get(name, variant.weight)

    @property
    def instance_counts(self) -> dict[str, int]:
        """Number of instances in service by variant; 1 for a serverless variant."""
        return {name: variant.pool.count for name, variant in self.all_variants.items()}

    def close(self, *, immediately: bool = False) -> None:
        """End every instance after its active requests, or `immediately`."""
        self.shadows.close()
        for variant in self.all_variants.values():
            if not immediately:
                variant.pool.scale(0)
            variant.pool.close()
        for data in self._data.values():
            data.close()
        self.is_closed = True
        shutil.rmtree(self._folder, ignore_errors=True)
