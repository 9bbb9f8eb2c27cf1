"""Requirements of an environment on its account, for `smlops preflight`."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from envs.components.async_endpoints import AsyncEndpoints
from envs.components.realtime_endpoints import RealtimeEndpoints
from envs.components.serverless_endpoints import ServerlessEndpoints
from envs.environment import COMPONENTS
from envs.settings import EnvironmentSettings, load
from modules.network.services import list_endpoint_services
from modules.observability.inputs import ALARMS
from sustainable_mlops.account.preflight import EndpointDemand, JobDemand, PreflightTarget
from sustainable_mlops.base.log_groups import JOB_LOGS
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.catalogue.quotas import QuotaUse


def read_target(folder: Path) -> PreflightTarget:
    """Return the requirements of the environment in `folder`. Raises UserError for invalid settings."""
    settings: Any = load(folder)
    names = [name for component in COMPONENTS for name in component(settings).list_names()]
    endpoints = tuple(_list_endpoint_demands(settings))
    existing_key = getattr(settings.storage, "existing_kms_key", None)
    return PreflightTarget(
        environment=settings.environment,
        folder=folder,
        account_id=settings.account_id,
        region=settings.region,
        name_prefix=settings.name_prefix,
        assume_role_arn=settings.assume_role_arn,
        state_bucket=settings.state.bucket,
        permissions_boundary_arn=settings.access.permissions_boundary_arn,
        buckets=tuple(name.text for name in names if name.kind == "bucket"),
        key_alias=None if existing_key else f"alias/{settings.name_prefix}",
        log_groups=(
            *(name.text for name in names if name.kind == "log_group"),
            *(f"/aws/sagemaker/Endpoints/{one.name}" for one in endpoints),
        ),
        adopted_log_groups=tuple(getattr(settings, "existing_log_groups", ())),
        shared_log_groups=tuple(sorted(JOB_LOGS)) if settings.account_log_groups == "shared" else (),
        endpoints=endpoints,
        jobs=tuple(_list_job_demands(settings)),
        alarm_topic=(
            f"arn:{settings.partition}:sns:{settings.region}:{settings.account_id}:{settings.name_prefix}-{ALARMS}"
        ),
        alarm_subscribers=tuple(one["endpoint"] for one in settings.notifications.select(ALARMS).values()),
        feature_groups=tuple(name.text for name in names if name.kind == "feature_group"),
        endpoint_services=tuple(_list_endpoint_services(settings)),
    )


def _list_endpoint_services(settings: Any) -> list[str]:
    """Return the full names of the services with an interface endpoint that the environment creates."""
    options = settings.network and settings.network.vpc_endpoints
    if options is None:
        return []
    return list_endpoint_services(options.purposes, options.services, settings.region)


def _list_endpoint_demands(settings: EnvironmentSettings) -> Iterator[EndpointDemand]:
    serverless = ServerlessEndpoints(settings)  # type: ignore[arg-type]
    for key, settings_of_endpoint in serverless.list_declared_endpoints().items():
        one: Any = settings_of_endpoint
        provisioned = one.provisioned_concurrency
        yield EndpointDemand(
            serverless.build_endpoint_name(key),
            "serverless",
            max_concurrency=one.max_concurrency,
            memory_mb=one.memory_mb,
            provisioned_concurrency=provisioned.min if provisioned else 0,
        )
    queued = AsyncEndpoints(settings)  # type: ignore[arg-type]
    for key, settings_of_endpoint in queued.list_declared_endpoints().items():
        one = settings_of_endpoint
        yield EndpointDemand(
            queued.build_endpoint_name(key),
            "async",
            instance_type=one.instance_type,
            min_instances=one.min_instances,
            max_instances=one.max_instances,
            deployment_instances=one.max_instances,
        )
    answered = RealtimeEndpoints(settings)  # type: ignore[arg-type]
    for key, settings_of_endpoint in answered.list_declared_endpoints().items():
        yield _build_realtime_demand(answered.build_endpoint_name(key), settings_of_endpoint)


def _build_realtime_demand(name: str, endpoint: Any) -> EndpointDemand:
    variants = 1 + len(endpoint.challengers)
    shadow = endpoint.shadow.instances if endpoint.shadow else 0
    deployment, maximum = endpoint.deployment, variants * endpoint.max_instances + shadow
    is_rolling = deployment.strategy == "rolling"
    return EndpointDemand(
        name,
        "realtime",
        instance_type=endpoint.instance_type,
        min_instances=variants * endpoint.min_instances + shadow,
        max_instances=maximum,
        # A rolling deployment replaces a share at a time; blue/green starts a second fleet.
        deployment_instances=-(-maximum * deployment.step_percent // 100) if is_rolling else maximum,
    )


def _list_job_demands(settings: Any) -> Iterator[JobDemand]:
    for key, pipeline in settings.pipelines.items():
        definition = json.loads((ROOT / pipeline.definition_file).read_text(encoding="utf-8"))
        values = {one["Name"]: one.get("DefaultValue") for one in definition["Parameters"]} | pipeline.parameters
        for step in _list_steps(definition["Steps"]):
            if demand := _read_job_demand(step, values, f"pipeline {key}, step {step['Name']}"):
                yield demand


def _list_steps(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the steps of a definition, including the steps of its conditions."""
    for step in steps:
        yield step
        arguments = step.get("Arguments", {})
        if step["Type"] == "Condition":
            yield from _list_steps(arguments.get("IfSteps", []) + arguments.get("ElseSteps", []))


def _read_job_demand(step: Mapping[str, Any], values: Mapping[str, Any], source: str) -> JobDemand | None:
    """Return the instances of a step, or None if it has none or their type is unknown before it starts."""
    arguments, use = step.get("Arguments", {}), None
    resources: Mapping[str, Any] = {}
    if step["Type"] == "Training":
        use = "spot_training" if arguments.get("EnableManagedSpotTraining") else "training"
        resources = arguments["ResourceConfig"]
    elif step["Type"] == "Processing":
        use, resources = "processing", arguments["ProcessingResources"]["ClusterConfig"]
    elif step["Type"] == "Transform":
        use, resources = "transform", arguments["TransformResources"]
    kind, count = (_resolve_value(resources.get(name), values) for name in ("InstanceType", "InstanceCount"))
    if use is None or not isinstance(kind, str):
        return None
    chosen: QuotaUse = use  # type: ignore[assignment]
    return JobDemand(chosen, kind, int(count or 1), source)


def _resolve_value(value: Any, values: Mapping[str, Any]) -> Any:
    """Return a value of a definition; resolve a reference to a parameter."""
    if isinstance(value, dict) and str(value.get("Get", "")).startswith("Parameters."):
        return values.get(value["Get"].removeprefix("Parameters."))
    return value
