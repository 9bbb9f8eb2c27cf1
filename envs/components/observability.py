"""Alarms, events and a dashboard of the endpoints."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from envs.component import Component
from envs.components.access import Access
from envs.components.async_endpoints import AsyncEndpoints
from envs.components.model_endpoints import ModelEndpoints
from envs.components.model_registry import ModelRegistry
from envs.components.pipelines import Pipelines
from envs.components.realtime_endpoints import RealtimeEndpoints, RealtimeSettings
from envs.components.serverless_endpoints import ServerlessEndpoints
from envs.components.storage import Storage
from envs.log_groups import ManagedLogGroup
from envs.names import EnvironmentName
from envs.settings_models import add_module_options, get_explicit_settings
from modules.common import LocatedInputs, RoleInputs
from modules.endpoints.inputs import VARIANT
from modules.model_registry.inputs import GroupKey
from modules.observability.inputs import ALARMS, EVENTS, Inputs, MonitoredEndpoint
from modules.observability.notifications import NAME_PREFIX, NAMES
from modules.realtime_endpoint.inputs import SHADOW
from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.authoring.expressions import concat, contains, keys, map_of
from sustainable_mlops.base.log_groups import JOB_LOGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envs.root import EnvironmentRoot
    from sustainable_mlops.authoring.resources import Outputs

#: Events with separate topics: each pipeline has one for failed executions.
SEPARATE_TOPICS = ("pipelines",)


#: Settings of the monitoring of a model's endpoint, and the model's field that declares that endpoint.
_WATCH_FIELDS = {
    "backlog_slo_seconds": "async_endpoint",
    "idle_stop": "realtime_endpoint",
    "latency_slo_ms": "serverless_endpoint",
}
#: Minutes that a deployment step takes in addition to its wait, because instances start.
_START_MINUTES = 10


@add_module_options(
    MonitoredEndpoint, excluded=(name for name in MonitoredEndpoint.model_fields if name not in _WATCH_FIELDS)
)
class ModelWatchOptions(ModuleInputs):
    """Settings of the monitoring of a model's endpoint."""


@add_module_options(
    Inputs,
    excluded=(
        *LocatedInputs.model_fields,
        *RoleInputs.model_fields,
        "endpoints",
        "event_scope",
        "kms_key_arn",
        "log_retention_days",
        "subscribers",
    ),
)
class ObservabilityOptions(ModuleInputs):
    """Settings of the module `observability`."""

    by_model: dict[GroupKey, ModelWatchOptions] = Field(
        {},
        description="Settings by model: latency_slo_ms of its serverless endpoint, backlog_slo_seconds of its "
        "asynchronous endpoint, idle_stop of its real-time endpoint.",
    )


class ObservabilitySettings(RealtimeSettings):
    observability: ObservabilityOptions = Field(
        ObservabilityOptions(), description="Alarms and events, with their thresholds."
    )


def _compute_deployment_minutes(*seconds: int) -> dict[str, int]:
    """Return the maximum time between two events of a deployment, from the waits of its steps."""
    return {"deployment_minutes": max(seconds) // 60 + _START_MINUTES}


#: Functions that return the inputs of the module for an endpoint, by component.
_WATCH_INPUTS: dict[type[ModelEndpoints[Any]], Callable[[Any], dict[str, Any]]] = {
    ServerlessEndpoints: lambda options: {
        "kind": "serverless",
        "memory_mb": options.memory_mb,
        "provisioned_concurrency": options.provisioned_concurrency.min if options.provisioned_concurrency else 0,
    },
    AsyncEndpoints: lambda options: {
        "kind": "async",
        "instance_type": options.instance_type,
        **_compute_deployment_minutes(options.bake_seconds),
    },
    RealtimeEndpoints: lambda options: {
        "kind": "realtime",
        "instance_type": options.instance_type,
        "latency_slo_ms": options.latency_slo_ms,
        "variants": [VARIANT, *options.challengers, *([SHADOW] if options.shadow else [])],
        **_compute_deployment_minutes(options.deployment.wait_seconds, options.deployment.bake_seconds),
    },
}


class Observability(Component[ObservabilitySettings]):
    """Alarms, events and a dashboard of the environment."""

    topics: Mapping[str, str]

    def find_problems(self) -> "Iterator[str]":
        for key, options in self.settings.observability.by_model.items():
            for name in get_explicit_settings(options):
                if getattr(self.settings.models.get(key), _WATCH_FIELDS[name], None) is None:
                    endpoint = _WATCH_FIELDS[name]
                    yield f"observability.by_model.{key}.{name}: the model does not exist or has no {endpoint}"

    def list_names(self) -> "Iterator[EnvironmentName]":
        for group in self.list_log_groups():
            yield EnvironmentName("log_group", "environment", group.name)

    def list_log_groups(self) -> "Iterator[ManagedLogGroup]":
        for name in self._list_log_group_names():
            yield ManagedLogGroup(name, f'module.observability.aws_cloudwatch_log_group.this["{name}"]')

    def _list_log_group_names(self) -> list[str]:
        """Return the names of the log groups that the environment creates, without shared ones."""
        names = set(get_explicit_settings(self.settings.observability).get("log_groups", JOB_LOGS))
        return sorted(names - JOB_LOGS if self.settings.account_log_groups == "shared" else names)

    def add(self, env: "EnvironmentRoot") -> None:
        settings, options = self.settings, get_explicit_settings(self.settings.observability)
        by_model = options.pop("by_model", {})
        endpoints = {
            f"{key}_{kind.module.removesuffix('_endpoint')}": {
                "model": key,
                "name": kind.build_endpoint_name(key),
                **watch_inputs(declared),
                **{name: value for name, value in by_model.get(key, {}).items() if _WATCH_FIELDS[name] == kind.module},
            }
            for component, watch_inputs in _WATCH_INPUTS.items()
            for kind in env.find_components(component)
            for key, declared in kind.list_declared_endpoints().items()
        }
        optional_inputs: dict[str, Any] = {}
        events = [name for name in NAMES if name not in SEPARATE_TOPICS]
        if endpoints:
            packages = env.var.model_packages
            all_endpoints = env.local(
                "monitored_endpoints", endpoints, why="All declared endpoints, also without a package."
            )
            optional_inputs["endpoints"] = map_of(
                all_endpoints,
                lambda _, endpoint: endpoint,
                where=lambda _, endpoint: contains(keys(packages), endpoint.model),
            )
        if settings.account_log_groups == "shared":
            options["log_groups"] = self._list_log_group_names()
        queues = [env[ModelRegistry].dead_letter_queue_names, *env[Pipelines].list_dead_letter_queue_names()]
        others = [options["dead_letter_queues"]] if "dead_letter_queues" in options else []
        options["dead_letter_queues"] = concat(*queues, *others)
        if subscribers := self._list_subscribers():
            optional_inputs["subscribers"] = subscribers
        module = env.call(
            env.modules["observability"],
            **settings.located,
            **optional_inputs,
            kms_key_arn=env[Storage].kms_key_arn,
            log_retention_days=settings.log_retention_days,
            **get_explicit_settings(env[Access].settings.access, RoleInputs),
            **{"events": events, "event_scope": NAME_PREFIX, **options},
        )
        self.topics = {"alarms": module.alarm_topic_arn, "events": module.event_topic_arn}

    def _list_subscribers(self) -> dict[str, dict[str, Any]]:
        """Return the subscribers of the module's topics by key."""
        subscribers: dict[str, dict[str, Any]] = {}
        for topic in (ALARMS, EVENTS):
            for key, subscriber in self.settings.notifications.select(topic).items():
                subscribers.setdefault(key, {**subscriber, "topics": []})["topics"].append(topic)
        return subscribers

    def list_outputs(self) -> "Outputs":
        from sustainable_mlops.authoring.resources import Output

        return {"topics": Output(self.topics, "Topics to subscribe to: alarms, which require action, and events.")}
