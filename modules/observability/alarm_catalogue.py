"""What each kind of endpoint is watched for, and what the dashboard shows of it: data that main.tf goes through.

Sources: SageMaker developer guide, "Amazon SageMaker AI metrics in Amazon CloudWatch", and the lists of asynchronous
and of serverless endpoints, which are exhaustive. An endpoint that nobody asks publishes nothing, not zeros.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from sustainable_mlops.footprint.coefficients import load_assumptions

EndpointKind = Literal["realtime", "async", "serverless"]
REALTIME, ASYNC, SERVERLESS = "realtime", "async", "serverless"
ON_INSTANCES = (REALTIME, ASYNC)
ALL_KINDS = (REALTIME, ASYNC, SERVERLESS)
REQUESTS, MACHINES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"
HOUR, DAY = 3600, 86_400


@dataclass(frozen=True)
class CatalogueAlarm:
    """An alarm on a metric of those kinds that publish it, or on metric math over some."""

    says: str
    kinds: tuple[str, ...]
    threshold: float
    metric: str | None = None
    #: None where a percentile is looked at.
    statistic: str | None = None
    namespace: str = REQUESTS
    percentile: str | None = None
    #: In place of a metric: an expression over these, by id, each with its namespace, name and statistic.
    math: str | None = None
    metrics: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    #: It goes off below its threshold, not above.
    below: bool = False
    #: What of the endpoint the threshold is of one of; where there is none, there is no alarm.
    of: str | None = None
    #: Whether the metric is of the variant, or of the endpoint as a whole.
    of_variant: bool = True
    #: Once is enough, where others go off by two bad periods of three.
    at_once: bool = False
    period: int = 300
    #: It tells of waste and not of harm, and looks at waste_hours hours; or at one day.
    waste: bool = False


#: Each instance tells its use of CPU once a minute: as many values as there were minutes of instances.
_MINUTES = (MACHINES, "CPUUtilization", "SampleCount")


def _unasked(requests: str) -> dict[str, Any]:
    """Whether an hour was one in which there was an instance, and no request."""
    return {
        "math": "IF(FILL(minutes, 0) > 50 AND FILL(requests, 0) < 1, 1, 0)",
        "metrics": {"minutes": _MINUTES, "requests": (REQUESTS, requests, "Sum")},
        "waste": True,
        "period": HOUR,
    }


def _least(says: str, kinds: tuple[str, ...], threshold: float, metric: str, statistic: str, of: str) -> CatalogueAlarm:
    """Of a machine that is too large."""
    return CatalogueAlarm(
        says, kinds, threshold, metric, statistic, MACHINES, below=True, of=of, waste=True, period=HOUR
    )


def _most(
    says: str, kinds: tuple[str, ...], threshold: float, metric: str, statistic: str, **more: Any
) -> CatalogueAlarm:
    """Of a machine that is too small."""
    return CatalogueAlarm(says, kinds, threshold, metric, statistic, MACHINES, **more)


ALARMS = {
    "errors": CatalogueAlarm(
        "More than one request in twenty fails in the model.", ALL_KINDS, 0.05, "Invocation5XXErrors", "Average"
    ),
    "client_errors": CatalogueAlarm(
        "More than one request in five is refused, or comes when all workers are busy.",
        ALL_KINDS,
        0.2,
        "Invocation4XXErrors",
        "Average",
    ),
    "latency": CatalogueAlarm(
        "One answer in ten comes later than latency_slo_ms.",
        (REALTIME, SERVERLESS),
        1000,
        "ModelLatency",
        percentile="p90",
        of="latency_slo_ms",
    ),
    "failures": CatalogueAlarm("Requests that waited have failed.", (ASYNC,), 0, "InvocationFailures", "Sum"),
    "lost_answers": CatalogueAlarm(
        "An answer could not be written to S3, though the model gave it.",
        (ASYNC,),
        0,
        "ResponseUploadFailures",
        "Sum",
        at_once=True,
    ),
    "lost_notices": CatalogueAlarm(
        "A caller could not be told that the answer is there.", (ASYNC,), 0, "NotificationFailures", "Sum", at_once=True
    ),
    "expired": CatalogueAlarm(
        "A request was dropped, as it waited too long.", (ASYNC,), 0, "ExpiredRequests", "Sum", at_once=True
    ),
    "backlog_age": CatalogueAlarm(
        "A request waits longer than backlog_slo_seconds.",
        (ASYNC,),
        1,
        "ApproximateAgeOfOldestRequest",
        "Maximum",
        of="backlog_slo_seconds",
        of_variant=False,
        at_once=True,
    ),
    "cpu_high": _most(
        "The CPUs are busy to 85 %: requests wait, or soon will.",
        ON_INSTANCES,
        85,
        "CPUUtilization",
        "Average",
        of="vcpus",
    ),
    "gpu_high": _most(
        "The GPUs are busy to 95 %: requests wait, or soon will.",
        ON_INSTANCES,
        95,
        "GPUUtilization",
        "Average",
        of="gpus",
    ),
    "memory_high": _most(
        "The memory is 90 % full: a container is ended when it is all.", ALL_KINDS, 90, "MemoryUtilization", "Maximum"
    ),
    "disk_high": _most("The disk is 90 % full.", ON_INSTANCES, 90, "DiskUtilization", "Maximum"),
    "idle": CatalogueAlarm(
        "It has run for all that time, and nobody asked: delete it, or serve it serverless.",
        (REALTIME,),
        0,
        **_unasked("Invocations"),
    ),
    "awake": CatalogueAlarm(
        "An instance has run for all that time, and no request came: let min_instances be 0.",
        (ASYNC,),
        0,
        **_unasked("InvocationsProcessed"),
    ),
    "efficiency": CatalogueAlarm(
        "A request takes more of an instance, on a day, than it should: fewer or smaller ones do, or none.",
        (REALTIME,),
        60,
        math="IF(FILL(minutes, 0) > 1380 AND FILL(requests, 0) > 0, 60 * minutes / requests, 0)",
        metrics={"minutes": _MINUTES, "requests": (REQUESTS, "Invocations", "Sum")},
        waste=True,
        period=DAY,
    ),
    "cpu_low": _least(
        "The CPUs are busy to less than 20 %: fewer or smaller instances do, or none.",
        ON_INSTANCES,
        20,
        "CPUUtilization",
        "Average",
        "busy_vcpus",
    ),
    "gpu_low": _least(
        "The GPUs are busy to less than 20 %: fewer or smaller instances do, or none.",
        ON_INSTANCES,
        20,
        "GPUUtilization",
        "Average",
        "gpus",
    ),
    "memory_low": _least(
        "Less than 40 % of the memory is ever used: memory_mb may be less.",
        (SERVERLESS,),
        40,
        "MemoryUtilization",
        "Maximum",
        "more_than_least_memory",
    ),
    "provisioned_low": CatalogueAlarm(
        "The workers that are kept ready answer for less than a tenth of the time: keep fewer, or none.",
        (SERVERLESS,),
        10,
        # Percent of an hour, of microseconds.
        math="FILL(work, 0) / 36000000",
        metrics={"work": (REQUESTS, "ModelLatency", "Sum")},
        below=True,
        of="provisioned_concurrency",
        waste=True,
        period=HOUR,
    ),
}


@dataclass(frozen=True)
class DashboardLine:
    """A line of a graph of the dashboard."""

    metric: str
    statistic: str
    label: str
    namespace: str = REQUESTS
    #: In another unit than the others, by an axis of its own.
    right: bool = False
    #: How many of the metric's unit are one of the graph's; and what of the endpoint it is by one of.
    per: float = 1
    of: str | None = None


_ASKED = (
    DashboardLine("Invocations", "Sum", "requests"),
    DashboardLine("Invocation5XXErrors", "Sum", "failed"),
    DashboardLine("Invocation4XXErrors", "Sum", "refused"),
    DashboardLine("ModelLatency", "p90", "model, p90", right=True, per=1000),
    DashboardLine("OverheadLatency", "p90", "overhead, p90", right=True, per=1000),
)
_USED = (
    DashboardLine("CPUUtilization", "Average", "CPUs", MACHINES, of="vcpus"),
    DashboardLine("GPUUtilization", "Average", "GPUs", MACHINES, of="gpus"),
    DashboardLine("MemoryUtilization", "Maximum", "memory", MACHINES),
    DashboardLine("DiskUtilization", "Maximum", "disk", MACHINES),
)
_QUEUED = (
    DashboardLine("ApproximateBacklogSize", "Maximum", "waiting"),
    DashboardLine("InvocationsProcessed", "Sum", "answered"),
    DashboardLine("InvocationFailures", "Sum", "failed"),
    DashboardLine("ExpiredRequests", "Sum", "dropped"),
    DashboardLine("ApproximateAgeOfOldestRequest", "Maximum", "longest wait", right=True),
)
_WORKERS = (
    DashboardLine("ServerlessConcurrentExecutionsUtilization", "Maximum", "workers at once", per=0.01),
    DashboardLine("ServerlessProvisionedConcurrencyUtilization", "Maximum", "workers kept ready", per=0.01),
    DashboardLine("MemoryUtilization", "Maximum", "memory", MACHINES),
)
#: By kind: what is asked of it, in which unit times are and what they should be, and what its machines do.
_SHOWN = {
    REALTIME: (_ASKED, "milliseconds", "latency_slo_ms", _USED),
    ASYNC: (_QUEUED, "seconds", "backlog_slo_seconds", _USED),
    SERVERLESS: (
        (*_ASKED, DashboardLine("ModelSetupTime", "Maximum", "start, longest", right=True, per=1000)),
        "milliseconds",
        "latency_slo_ms",
        _WORKERS,
    ),
}


#: What an alarm is unless its row says otherwise.
DEFAULTS: dict[str, Any] = {
    **{
        one.name: one.default
        for one in fields(CatalogueAlarm)
        if one.name not in ("says", "kinds", "threshold", "metrics")
    },
    "metrics": {},
}


def list_alarm_overrides() -> dict[str, dict[str, Any]]:
    """The catalogue as Terraform has it: of each alarm what is not as usual."""
    return {
        name: {
            one: _plain(value) for one, value in asdict(alarm).items() if one not in DEFAULTS or DEFAULTS[one] != value
        }
        for name, alarm in ALARMS.items()
    }


def _plain(value: Any) -> Any:
    """Lists, where Python has tuples."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return list(value) if isinstance(value, tuple) else value


def list_dashboard_lines() -> dict[str, dict[str, Any]]:
    """What the dashboard shows, by kind."""
    return {
        kind: {
            "health": [asdict(line) for line in asked],
            "unit": unit,
            "slo": slo,
            "use": [asdict(line) for line in used],
        }
        for kind, (asked, unit, slo, used) in _SHOWN.items()
    }


_TOLD = ["told", *_MINUTES]
_ON = {"hours": "told_{key} / 60", "paid": "told_{key} / 60"}
_WORK = ["work", REQUESTS, "ModelLatency", "Sum"]
_WORKED, _FILLED = (f"{work} / 3600000000" for work in ("work_{key}", "FILL(work_{key}, 0)"))
_READY = "{number} * PERIOD(work_{key}) / 3600"
#: By what says how busy a machine is: the metrics of its use, each with its id, and in metric math the hours that there
#: was one, how busy it was, and the hours that are paid. {key} is the variant's, {number} its vCPUs, GPUs or workers.
LOAD_METRICS: dict[str, dict[str, Any]] = {
    "cpu": {
        "metrics": [_TOLD, ["busy", MACHINES, "CPUUtilization", "Average"]],
        **_ON,
        "load": "busy_{key} / (100 * {number})",
    },
    "gpu": {
        "metrics": [_TOLD, ["busy", MACHINES, "GPUUtilization", "Average"]],
        **_ON,
        "load": "busy_{key} / (100 * {number})",
    },
    "assumed": {
        "metrics": [_TOLD],
        **_ON,
        "load": "0 * told_{key} + " + f"{load_assumptions()['endpoint_duty'].central:g}",
    },
    "requests": {"metrics": [_WORK], "hours": _WORKED, "paid": _WORKED, "load": "0 * work_{key} + 1"},
    "ready": {
        "metrics": [_WORK],
        # From the first request on: what nobody has asked yet may not be there.
        "hours": f"IF(FILL(work_{{key}}, REPEAT) >= 0, IF({_FILLED} > {_READY}, {_FILLED}, {_READY}))",
        "paid": _WORKED,
        "load": f"{_FILLED} / hours_" + "{key}",
    },
}
