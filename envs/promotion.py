"""Models of an environment, with the settings that `smlops promote` reads."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from envs.components.async_endpoints import AsyncEndpoints
from envs.components.realtime_endpoints import RealtimeEndpoints
from envs.components.serverless_endpoints import ServerlessEndpoints
from envs.names import join_parts
from envs.promotion_target import DeclaredEndpoint, PromotionTarget
from envs.settings import load
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.catalogue.instances import Silicon
from sustainable_mlops.jobs.spec_files import load_spec_file
from sustainable_mlops.jobs.specs.pipeline import MetricGate, PipelineSpec


def read_targets(folder: Path) -> dict[str, PromotionTarget]:
    """Return the models of an environment by name. Raises UserError for invalid settings."""
    settings: Any = load(folder)
    return {model: _read_target(settings, folder, model) for model in settings.models}


def _read_target(settings: Any, folder: Path, model: str) -> PromotionTarget:
    prefixes = {**settings.promotion.registries, settings.account_id: settings.name_prefix}
    endpoints = tuple(_read_endpoints(settings.models[model]))
    return PromotionTarget(
        model=model,
        environment=settings.environment,
        folder=folder,
        account_id=settings.account_id,
        region=settings.region,
        partition=settings.partition,
        assume_role_arn=settings.assume_role_arn,
        groups={account: join_parts(prefix, model) for account, prefix in prefixes.items()},
        endpoints=endpoints,
        watched=tuple(f"{model}_{endpoint.kind.removesuffix('_endpoint')}" for endpoint in endpoints),
        max_training_kg_co2e=settings.promotion.max_training_kg_co2e,
        require_digests=settings.promotion.require_digests,
        gate=_find_gate(settings, model),
    )


def _read_endpoints(model: Any) -> Iterator[DeclaredEndpoint]:
    """Yield the endpoints of a model. A serverless endpoint has no silicon to choose, and runs on x86."""
    for kind in (ServerlessEndpoints, AsyncEndpoints, RealtimeEndpoints):
        options = getattr(model, kind.module, None)
        if options is not None:
            silicon: Silicon | None = options.silicon
            yield DeclaredEndpoint(kind.module, silicon or "x86", options.inference_specification_name)


def _find_gate(settings: Any, model: str) -> MetricGate | None:
    """Return the gate of the pipeline that registers the model; None without one."""
    for pipeline in settings.pipelines.values():
        file = (ROOT / pipeline.definition_file).with_suffix(".yaml")
        if pipeline.model == model and file.is_file():
            return load_spec_file(file, PipelineSpec).gate
    return None
