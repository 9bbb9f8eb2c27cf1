"""Alarms, events and a dashboard of the endpoints that there are."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from envs.component import Component, given, options
from envs.components.access import Access
from envs.components.async_endpoints import AsyncEndpoints
from envs.components.model_endpoints import ModelEndpoints
from envs.components.realtime_endpoints import RealtimeEndpoints, RealtimeSettings
from envs.components.serverless_endpoints import ServerlessEndpoints
from envs.components.storage import Storage
from envs.log_groups import LogGroup
from envs.names import Name
from modules.common import Located, MakesRoles
from modules.endpoints.inputs import VARIANT
from modules.model_registry.inputs import GroupKey
from modules.observability.inputs import JOB_LOGS, Endpoint, Inputs
from modules.observability.telling import NAMES
from modules.realtime_endpoint.inputs import SHADOW
from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.authoring.expressions import contains, keys, map_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envs.root import Environment
    from sustainable_mlops.authoring.resources import Outputs

#: Each pipeline has a topic of its own for runs that fail.
TOLD_ELSEWHERE = ("pipelines",)


#: What may be said of how a model's endpoint is watched, and the field of the model that asks for that endpoint.
_BY_MODEL = {
    "backlog_slo_seconds": "async_endpoint",
    "idle_stop": "realtime_endpoint",
    "latency_slo_ms": "serverless_endpoint",
}
#: What a step of a deployment takes beside what it waits: instances start.
_STARTS = 10


@options(Endpoint, but=(name for name in Endpoint.model_fields if name not in _BY_MODEL))
class WatchedModel(ModuleInputs):
    """How a model's endpoint is watched: what its module does not know."""


@options(
    Inputs, but=(*Located.model_fields, *MakesRoles.model_fields, "endpoints", "kms_key_arn", "log_retention_days")
)
class ObservabilityOptions(ModuleInputs):
    """What may be said of the module `observability`."""

    by_model: dict[GroupKey, WatchedModel] = Field(
        {},
        description="Of a model's endpoints: latency_slo_ms of its serverless one, backlog_slo_seconds of its "
        "asynchronous one, idle_stop of its real-time one.",
    )


class ObservabilitySettings(RealtimeSettings):
    observability: ObservabilityOptions = Field(
        ObservabilityOptions(), description="Alarms and events: which, and from when on."
    )


def _steps(*seconds: int) -> dict[str, int]:
    """How long a deployment may show no sign of itself, by what its steps wait."""
    return {"deployment_minutes": max(seconds) // 60 + _STARTS}


#: What the module needs to know of an endpoint, by its component, beside its name.
_KNOWN: dict[type[ModelEndpoints[Any]], Callable[[Any], dict[str, Any]]] = {
    ServerlessEndpoints: lambda said: {
        "kind": "serverless",
        "memory_mb": said.memory_mb,
        "provisioned_concurrency": said.provisioned_concurrency.min if said.provisioned_concurrency else 0,
    },
    AsyncEndpoints: lambda said: {
        "kind": "async",
        "instance_type": said.instance_type,
        **_steps(said.bake_seconds),
    },
    RealtimeEndpoints: lambda said: {
        "kind": "realtime",
        "instance_type": said.instance_type,
        "latency_slo_ms": said.latency_slo_ms,
        "variants": [VARIANT, *said.challengers, *([SHADOW] if said.shadow else [])],
        **_steps(said.deployment.wait_seconds, said.deployment.bake_seconds),
    },
}


class Observability(Component[ObservabilitySettings]):
    """What people hear and see of the environment."""

    topics: Mapping[str, str]

    def problems(self) -> "Iterator[str]":
        for key, said in self.settings.observability.by_model.items():
            for name in given(said):
                if getattr(self.settings.models.get(key), _BY_MODEL[name], None) is None:
                    yield f"observability.by_model.{key}.{name}: no model of this name has its {_BY_MODEL[name]}"

    def names(self) -> "Iterator[Name]":
        for group in self.log_groups():
            yield Name("log_group", "environment", group.name)

    def log_groups(self) -> "Iterator[LogGroup]":
        said = given(self.settings.observability)
        for name in sorted(said.get("log_groups", JOB_LOGS)):
            yield LogGroup(name, f'module.observability.aws_cloudwatch_log_group.this["{name}"]')

    def add(self, env: "Environment") -> None:
        settings, said = self.settings, given(self.settings.observability)
        by_model = said.pop("by_model", {})
        endpoints = {
            f"{key}_{kind.module.removesuffix('_endpoint')}": {
                "model": key,
                "name": kind.name(key),
                **known(asked),
                **{name: value for name, value in by_model.get(key, {}).items() if _BY_MODEL[name] == kind.module},
            }
            for component, known in _KNOWN.items()
            for kind in env.every(component)
            for key, asked in kind.asked().items()
        }
        besides: dict[str, Any] = {}
        events = [name for name in NAMES if name not in TOLD_ELSEWHERE]
        if endpoints:
            packages = env.var.model_packages
            watched = env.local("watched", endpoints, why="Endpoints, also those that are still to come.")
            besides["endpoints"] = map_of(
                watched,
                lambda _, endpoint: endpoint,
                where=lambda _, endpoint: contains(keys(packages), endpoint.model),
            )
        module = env.call(
            env.modules["observability"],
            **settings.located,
            **besides,
            kms_key_arn=env[Storage].kms_key_arn,
            log_retention_days=settings.log_retention_days,
            **given(env[Access].settings.access, MakesRoles),
            **{"events": events, **said},
        )
        self.topics = {"alarms": module.alarm_topic_arn, "events": module.event_topic_arn}

    def outputs(self) -> "Outputs":
        from sustainable_mlops.authoring.resources import Output

        return {"topics": Output(self.topics, "Topics to subscribe to: alarms, which call for somebody, and events.")}
