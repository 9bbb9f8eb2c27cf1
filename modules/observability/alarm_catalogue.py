"""Catalogue of alarms and dashboard lines by kind of endpoint, as data for the HCL.

Sources: SageMaker developer guide, "Amazon SageMaker AI metrics in Amazon CloudWatch", and the lists of asynchronous
and of serverless endpoints, which are exhaustive. An endpoint without requests publishes no data, instead of zeros.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from sustainable_mlops.footprint.coefficients import load_assumptions

EndpointKind = Literal["realtime", "async", "serverless"]
REALTIME, ASYNC, SERVERLESS = "realtime", "async", "serverless"
ON_INSTANCES = (REALTIME, ASYNC)
ALL_KINDS = (REALTIME, ASYNC, SERVERLESS)
REQUESTS, INSTANCES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"
HOUR, DAY = 3600, 86_400


@dataclass(frozen=True)
class CatalogueAlarm:
    """Alarm on a metric or on metric math, for the kinds of endpoints that publish it."""

    description: str
    kinds: tuple[str, ...]
    threshold: float
    #: Unit of the threshold.
    unit: str
    metric: str | None = None
    #: None if `percentile` is set.
    statistic: str | None = None
    namespace: str = REQUESTS
    percentile: str | None = None
    #: Metric math instead of a metric. Its metrics by ID have a namespace, a name and a statistic.
    math: str | None = None
    metrics: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    #: True if the alarm is in ALARM below its threshold.
    below: bool = False
    #: Endpoint attribute that scales the threshold. Without a value, there is no alarm.
    of: str | None = None
    #: True for a metric of the variant, False for a metric of the whole endpoint.
    of_variant: bool = True
    #: True if one bad period is enough. Other alarms need two bad periods of three.
    is_immediate: bool = False
    period: int = 300
    #: True for an alarm on waste, which covers waste_hours or one day. Other alarms are on faults.
    waste: bool = False


#: Each instance publishes its CPU utilization once a minute, so the number of values is the number of instance minutes.
_MINUTES = (INSTANCES, "CPUUtilization", "SampleCount")


def _build_idle_arguments(requests: str) -> dict[str, Any]:
    """Return the arguments of an alarm on hours with an instance and without requests."""
    return {
        "math": "IF(FILL(minutes, 0) > 50 AND FILL(requests, 0) < 1, 1, 0)",
        "metrics": {"minutes": _MINUTES, "requests": (REQUESTS, requests, "Sum")},
        "waste": True,
        "period": HOUR,
    }


def _build_oversize_alarm(
    description: str, kinds: tuple[str, ...], threshold: float, unit: str, metric: str, statistic: str, of: str
) -> CatalogueAlarm:
    """Return an alarm on an oversized instance."""
    return CatalogueAlarm(
        description, kinds, threshold, unit, metric, statistic, INSTANCES, below=True, of=of, waste=True, period=HOUR
    )


def _build_undersize_alarm(
    description: str, kinds: tuple[str, ...], threshold: float, unit: str, metric: str, statistic: str, **more: Any
) -> CatalogueAlarm:
    """Return an alarm on an undersized instance."""
    return CatalogueAlarm(description, kinds, threshold, unit, metric, statistic, INSTANCES, **more)


ALARMS = {
    "errors": CatalogueAlarm(
        "More than one request in twenty fails in the model.",
        ALL_KINDS,
        0.05,
        "share of the requests",
        "Invocation5XXErrors",
        "Average",
    ),
    "client_errors": CatalogueAlarm(
        "More than one request in five is refused or throttled.",
        ALL_KINDS,
        0.2,
        "share of the requests",
        "Invocation4XXErrors",
        "Average",
    ),
    "latency": CatalogueAlarm(
        "One response in ten is slower than latency_slo_ms.",
        (REALTIME, SERVERLESS),
        1000,
        "microseconds for each millisecond of `latency_slo_ms`",
        "ModelLatency",
        percentile="p90",
        of="latency_slo_ms",
    ),
    "failures": CatalogueAlarm("Queued requests failed.", (ASYNC,), 0, "requests", "InvocationFailures", "Sum"),
    "lost_responses": CatalogueAlarm(
        "A response could not be written to S3.",
        (ASYNC,),
        0,
        "responses",
        "ResponseUploadFailures",
        "Sum",
        is_immediate=True,
    ),
    "lost_notifications": CatalogueAlarm(
        "A caller could not be notified of a response.",
        (ASYNC,),
        0,
        "notifications",
        "NotificationFailures",
        "Sum",
        is_immediate=True,
    ),
    "expired": CatalogueAlarm(
        "A request expired in the queue.", (ASYNC,), 0, "requests", "ExpiredRequests", "Sum", is_immediate=True
    ),
    "backlog_age": CatalogueAlarm(
        "A request has waited longer than backlog_slo_seconds.",
        (ASYNC,),
        1,
        "seconds for each second of `backlog_slo_seconds`",
        "ApproximateAgeOfOldestRequest",
        "Maximum",
        of="backlog_slo_seconds",
        of_variant=False,
        is_immediate=True,
    ),
    "cpu_high": _build_undersize_alarm(
        "CPU utilization is above 85 %. Requests wait, or will wait soon.",
        ON_INSTANCES,
        85,
        "percent of each vCPU",
        "CPUUtilization",
        "Average",
        of="vcpus",
    ),
    "gpu_high": _build_undersize_alarm(
        "GPU utilization is above 95 %. Requests wait, or will wait soon.",
        ON_INSTANCES,
        95,
        "percent of each GPU",
        "GPUUtilization",
        "Average",
        of="gpus",
    ),
    "memory_high": _build_undersize_alarm(
        "Memory utilization is above 90 %. A container without free memory is killed.",
        ALL_KINDS,
        90,
        "percent of the memory",
        "MemoryUtilization",
        "Maximum",
    ),
    "disk_high": _build_undersize_alarm(
        "Disk utilization is above 90 %.", ON_INSTANCES, 90, "percent of the disk", "DiskUtilization", "Maximum"
    ),
    "idle": CatalogueAlarm(
        "The endpoint ran for the whole time without requests. Delete it, or use a serverless endpoint.",
        (REALTIME,),
        0,
        "1 for an idle hour, else 0",
        **_build_idle_arguments("Invocations"),
    ),
    "idle_instances": CatalogueAlarm(
        "An instance ran for the whole time without requests. Set min_instances to 0.",
        (ASYNC,),
        0,
        "1 for an idle hour, else 0",
        **_build_idle_arguments("InvocationsProcessed"),
    ),
    "efficiency": CatalogueAlarm(
        "A request used more instance time per day than it should. Use fewer or smaller instances, or serverless.",
        (REALTIME,),
        60,
        "seconds of instance time for each request",
        math="IF(FILL(minutes, 0) > 1380 AND FILL(requests, 0) > 0, 60 * minutes / requests, 0)",
        metrics={"minutes": _MINUTES, "requests": (REQUESTS, "Invocations", "Sum")},
        waste=True,
        period=DAY,
    ),
    "cpu_low": _build_oversize_alarm(
        "CPU utilization is below 20 %. Use fewer or smaller instances, or serverless.",
        ON_INSTANCES,
        20,
        "percent of each vCPU",
        "CPUUtilization",
        "Average",
        "busy_vcpus",
    ),
    "gpu_low": _build_oversize_alarm(
        "GPU utilization is below 20 %. Use fewer or smaller instances, or serverless.",
        ON_INSTANCES,
        20,
        "percent of each GPU",
        "GPUUtilization",
        "Average",
        "gpus",
    ),
    "memory_low": _build_oversize_alarm(
        "Memory utilization is always below 40 %. Reduce memory_mb.",
        (SERVERLESS,),
        40,
        "percent of the memory",
        "MemoryUtilization",
        "Maximum",
        "more_than_least_memory",
    ),
    "provisioned_low": CatalogueAlarm(
        "Provisioned workers are busy for less than 10 % of the time. Provision fewer, or none.",
        (SERVERLESS,),
        10,
        "percent of each provisioned worker",
        # Microseconds as a percentage of one hour.
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
    """Line in a graph of the dashboard."""

    metric: str
    statistic: str
    label: str
    namespace: str = REQUESTS
    #: True for the right axis, with another unit.
    right: bool = False
    #: Number of metric units in one unit of the graph, and the endpoint attribute that divides it.
    per: float = 1
    of: str | None = None


_REQUEST_LINES = (
    DashboardLine("Invocations", "Sum", "requests"),
    DashboardLine("Invocation5XXErrors", "Sum", "failed"),
    DashboardLine("Invocation4XXErrors", "Sum", "refused"),
    DashboardLine("ModelLatency", "p90", "model, p90", right=True, per=1000),
    DashboardLine("OverheadLatency", "p90", "overhead, p90", right=True, per=1000),
)
_UTILIZATION_LINES = (
    DashboardLine("CPUUtilization", "Average", "CPUs", INSTANCES, of="vcpus"),
    DashboardLine("GPUUtilization", "Average", "GPUs", INSTANCES, of="gpus"),
    DashboardLine("MemoryUtilization", "Maximum", "memory", INSTANCES),
    DashboardLine("DiskUtilization", "Maximum", "disk", INSTANCES),
)
_QUEUE_LINES = (
    DashboardLine("ApproximateBacklogSize", "Maximum", "waiting"),
    DashboardLine("InvocationsProcessed", "Sum", "answered"),
    DashboardLine("InvocationFailures", "Sum", "failed"),
    DashboardLine("ExpiredRequests", "Sum", "dropped"),
    DashboardLine("ApproximateAgeOfOldestRequest", "Maximum", "longest wait", right=True),
)
_WORKER_LINES = (
    DashboardLine("ServerlessConcurrentExecutionsUtilization", "Maximum", "concurrent workers", per=0.01),
    DashboardLine("ServerlessProvisionedConcurrencyUtilization", "Maximum", "provisioned workers", per=0.01),
    DashboardLine("MemoryUtilization", "Maximum", "memory", INSTANCES),
)
#: By kind: lines of requests, unit of times, attribute of the SLO, and lines of utilization.
_DASHBOARD_LINES = {
    REALTIME: (_REQUEST_LINES, "milliseconds", "latency_slo_ms", _UTILIZATION_LINES),
    ASYNC: (_QUEUE_LINES, "seconds", "backlog_slo_seconds", _UTILIZATION_LINES),
    SERVERLESS: (
        (*_REQUEST_LINES, DashboardLine("ModelSetupTime", "Maximum", "start, longest", right=True, per=1000)),
        "milliseconds",
        "latency_slo_ms",
        _WORKER_LINES,
    ),
}


#: Defaults of an alarm.
DEFAULTS: dict[str, Any] = {
    **{
        one.name: one.default
        for one in fields(CatalogueAlarm)
        if one.name not in ("description", "kinds", "threshold", "unit", "metrics")
    },
    "metrics": {},
}


def list_alarm_overrides() -> dict[str, dict[str, Any]]:
    """Return the catalogue for Terraform: the values of each alarm that differ from the defaults."""
    return {
        name: {
            one: _convert_tuples(value)
            for one, value in asdict(alarm).items()
            if one != "unit" and (one not in DEFAULTS or DEFAULTS[one] != value)
        }
        for name, alarm in ALARMS.items()
    }


def render_table() -> str:
    """Return the table of the alarms for the module's page."""
    rows = ["| alarm | in ALARM if | endpoints | threshold | unit |", "|---|---|---|---|---|"]
    for name, alarm in ALARMS.items():
        kinds, side = ", ".join(alarm.kinds), "below" if alarm.below else "above"
        rows.append(f"| `{name}` | {alarm.description} | {kinds} | {side} {alarm.threshold:g} | {alarm.unit} |")
    return "\n".join(rows) + "\n"


def _convert_tuples(value: Any) -> Any:
    """Convert tuples to lists."""
    if isinstance(value, dict):
        return {name: _convert_tuples(one) for name, one in value.items()}
    return list(value) if isinstance(value, tuple) else value


def list_dashboard_lines() -> dict[str, dict[str, Any]]:
    """Return the lines of the dashboard by kind of endpoint."""
    return {
        kind: {
            "health": [asdict(line) for line in health_lines],
            "unit": unit,
            "slo": slo,
            "use": [asdict(line) for line in use_lines],
        }
        for kind, (health_lines, unit, slo, use_lines) in _DASHBOARD_LINES.items()
    }


_SAMPLES = ["samples", *_MINUTES]
_ON = {"hours": "samples_{key} / 60", "paid": "samples_{key} / 60"}
_WORK = ["work", REQUESTS, "ModelLatency", "Sum"]
_WORKED, _FILLED = (f"{work} / 3600000000" for work in ("work_{key}", "FILL(work_{key}, 0)"))
_READY = "{number} * PERIOD(work_{key}) / 3600"
#: By metric of the load: the metrics with their IDs, and the metric math of instance hours, load and paid hours. {key}
#: is the key of the variant, {number} the number of its vCPUs, GPUs or workers.
LOAD_METRICS: dict[str, dict[str, Any]] = {
    "cpu": {
        "metrics": [_SAMPLES, ["busy", INSTANCES, "CPUUtilization", "Average"]],
        **_ON,
        "load": "busy_{key} / (100 * {number})",
    },
    "gpu": {
        "metrics": [_SAMPLES, ["busy", INSTANCES, "GPUUtilization", "Average"]],
        **_ON,
        "load": "busy_{key} / (100 * {number})",
    },
    "assumed": {
        "metrics": [_SAMPLES],
        **_ON,
        "load": "0 * samples_{key} + " + f"{load_assumptions()['endpoint_duty'].central:g}",
    },
    "requests": {"metrics": [_WORK], "hours": _WORKED, "paid": _WORKED, "load": "0 * work_{key} + 1"},
    "ready": {
        "metrics": [_WORK],
        # Counts from the first request on, because an endpoint without any request may not exist yet.
        "hours": f"IF(FILL(work_{{key}}, REPEAT) >= 0, IF({_FILLED} > {_READY}, {_FILLED}, {_READY}))",
        "paid": _WORKED,
        "load": f"{_FILLED} / hours_" + "{key}",
    },
}
