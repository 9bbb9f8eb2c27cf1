"""What each kind of endpoint is watched for, and what the dashboard shows of it: data that main.tf goes through.

Sources: SageMaker developer guide, "Amazon SageMaker AI metrics in Amazon CloudWatch", and the lists of asynchronous
and of serverless endpoints, which are exhaustive. An endpoint that nobody asks publishes nothing, not zeros.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from sustainable_mlops.footprint.coefficients import assumptions

Kind = Literal["realtime", "async", "serverless"]
REALTIME, ASYNC, SERVERLESS = "realtime", "async", "serverless"
ON_INSTANCES = (REALTIME, ASYNC)
EVERY = (REALTIME, ASYNC, SERVERLESS)
REQUESTS, MACHINES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"


@dataclass(frozen=True)
class Alarm:
    """An alarm on a metric of those kinds that publish it."""

    says: str
    kinds: tuple[str, ...]
    metric: str
    #: None where a percentile is looked at.
    statistic: str | None
    threshold: float
    namespace: str = REQUESTS
    percentile: str | None = None
    #: It goes off below its threshold, not above.
    below: bool = False
    #: What of the endpoint has to be known; and what of it the threshold is of one of.
    needs: str = ""
    times: str = ""
    period: int = 300
    periods: int = 1
    #: Whether the metric is of the variant, or of the endpoint as a whole.
    of_variant: bool = True
    #: What no data means: breaching where nothing is told as nothing happens, and that is what is looked for.
    missing: str = "notBreaching"
    #: It tells of waste and not of harm, and looks at waste_hours hours, whatever `period` and `periods` are.
    waste: bool = False


ALARMS = {
    "errors": Alarm(
        "More than one request in twenty fails in the model.", EVERY, "Invocation5XXErrors", "Average", 0.05
    ),
    "client_errors": Alarm(
        "More than one request in five is refused.", EVERY, "Invocation4XXErrors", "Average", 0.2, periods=3
    ),
    "latency": Alarm(
        "One answer in ten comes later than latency_slo_ms.",
        (REALTIME, SERVERLESS),
        "ModelLatency",
        None,
        1000,
        percentile="p90",
        needs="latency_slo_ms",
        times="latency_slo_ms",
        periods=3,
    ),
    "failures": Alarm("A request that waited has failed.", (ASYNC,), "InvocationFailures", "Sum", 0),
    "expired": Alarm("A request was dropped, as it waited too long.", (ASYNC,), "ExpiredRequests", "Sum", 0),
    "backlog_age": Alarm(
        "A request waits longer than backlog_slo_seconds.",
        (ASYNC,),
        "ApproximateAgeOfOldestRequest",
        "Maximum",
        1,
        needs="backlog_slo_seconds",
        times="backlog_slo_seconds",
        of_variant=False,
    ),
    "cpu_high": Alarm(
        "The CPUs are busy to 85 %: requests wait, or soon will.",
        ON_INSTANCES,
        "CPUUtilization",
        "Average",
        85,
        MACHINES,
        needs="vcpus",
        times="vcpus",
        periods=3,
    ),
    "gpu_high": Alarm(
        "The GPUs are busy to 95 %: requests wait, or soon will.",
        ON_INSTANCES,
        "GPUUtilization",
        "Average",
        95,
        MACHINES,
        needs="gpus",
        times="gpus",
        periods=3,
    ),
    "memory_high": Alarm(
        "The memory is 90 % full: a container is ended when it is all.",
        EVERY,
        "MemoryUtilization",
        "Maximum",
        90,
        MACHINES,
        periods=3,
    ),
    "disk_high": Alarm("The disk is 90 % full.", ON_INSTANCES, "DiskUtilization", "Maximum", 90, MACHINES, periods=3),
    "concurrency_high": Alarm(
        "Nine of ten workers answer at once: SageMaker refuses what max_concurrency does not let through.",
        (SERVERLESS,),
        "ServerlessConcurrentExecutionsUtilization",
        "Maximum",
        0.9,
        periods=3,
    ),
    "idle": Alarm(
        "Nobody asks it, or has since it was made: delete it, or serve it serverless.",
        (REALTIME,),
        "Invocations",
        "Sum",
        1,
        below=True,
        missing="breaching",
        waste=True,
    ),
    "cpu_low": Alarm(
        "The CPUs are busy to less than 20 %: fewer or smaller instances do, or none.",
        ON_INSTANCES,
        "CPUUtilization",
        "Average",
        20,
        MACHINES,
        below=True,
        needs="busy_vcpus",
        times="busy_vcpus",
        waste=True,
    ),
    "gpu_low": Alarm(
        "The GPUs are busy to less than 20 %: fewer or smaller instances do, or none.",
        ON_INSTANCES,
        "GPUUtilization",
        "Average",
        20,
        MACHINES,
        below=True,
        needs="gpus",
        times="gpus",
        waste=True,
    ),
    "memory_low": Alarm(
        "Less than 40 % of the memory is ever used: memory_mb may be less.",
        (SERVERLESS,),
        "MemoryUtilization",
        "Maximum",
        40,
        MACHINES,
        below=True,
        waste=True,
    ),
    "provisioned_low": Alarm(
        "Less than half of the workers that are kept ready are ever asked: keep fewer, or none.",
        (SERVERLESS,),
        "ServerlessProvisionedConcurrencyUtilization",
        "Maximum",
        0.5,
        below=True,
        needs="provisioned_concurrency",
        waste=True,
    ),
}

_ASKED = ("Invocations", "Sum"), ("Invocation5XXErrors", "Sum"), ("Invocation4XXErrors", "Sum"), ("ModelLatency", "p90")
_USED = ("CPUUtilization", "Average"), ("GPUUtilization", "Average"), ("MemoryUtilization", "Maximum")
#: By kind, what is shown of requests, and beside it of machines: each a namespace, a metric and its statistic.
_SHOWN = {
    REALTIME: ((REQUESTS, _ASKED), (MACHINES, _USED)),
    ASYNC: (
        (
            REQUESTS,
            (
                *(("ApproximateBacklogSize", "Maximum"), ("ApproximateAgeOfOldestRequest", "Maximum")),
                *(("InvocationFailures", "Sum"), ("ModelLatency", "p90")),
            ),
        ),
        (MACHINES, _USED),
    ),
    SERVERLESS: (
        (REQUESTS, (*_ASKED, ("ModelSetupTime", "Maximum"))),
        (
            REQUESTS,
            (
                ("ServerlessConcurrentExecutionsUtilization", "Maximum"),
                ("ServerlessProvisionedConcurrencyUtilization", "Maximum"),
            ),
        ),
    ),
}


#: What an alarm is unless its row says otherwise.
USUAL = {
    one.name: one.default
    for one in fields(Alarm)
    if one.name not in ("says", "kinds", "metric", "statistic", "threshold")
}


def alarms() -> dict[str, dict[str, Any]]:
    """The catalogue as Terraform has it: of each alarm what is not as usual."""
    return {
        name: {field: list(value) if field == "kinds" else value for field, value in _row(alarm).items()}
        for name, alarm in ALARMS.items()
    }


def _row(alarm: Alarm) -> dict[str, Any]:
    return {name: value for name, value in asdict(alarm).items() if name not in USUAL or USUAL[name] != value}


def shown() -> dict[str, dict[str, list[list[str]]]]:
    """What the dashboard shows, by kind: of each metric its namespace, name, statistic and axis."""
    return {
        kind: {
            side: [[namespace, *one, "right" if one[0] in _ON_THE_RIGHT else "left"] for one in metrics]
            for side, (namespace, metrics) in zip(SIDES, both, strict=True)
        }
        for kind, both in _SHOWN.items()
    }


SIDES = ("health", "use")
#: Beside counts, what is in other units has an axis of its own.
_ON_THE_RIGHT = ("ModelLatency", "ModelSetupTime", "ApproximateAgeOfOldestRequest")


#: Each instance tells its use of CPU once a minute, so that these data are as many as the minutes that there were.
_TOLD = ["told", MACHINES, "CPUUtilization", "SampleCount"]
_ON = {"hours": "told_{key} / 60", "paid": "told_{key} / 60"}
_WORK = ["work", REQUESTS, "ModelLatency", "Sum"]
_WORKED, _FILLED = (f"{work} / 3600000000" for work in ("work_{key}", "FILL(work_{key}, 0)"))
_READY = "{number} * PERIOD(work_{key}) / 3600"
#: By what says how busy a machine is: the metrics of its use, each with its id, and in metric math the hours that there
#: was one, how busy it was, and the hours that are paid. {key} is the variant's, {number} its vCPUs, GPUs or workers.
MEASURED: dict[str, dict[str, Any]] = {
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
    "assumed": {"metrics": [_TOLD], **_ON, "load": "0 * told_{key} + " + f"{assumptions()['endpoint_duty'].central:g}"},
    "requests": {"metrics": [_WORK], "hours": _WORKED, "paid": _WORKED, "load": "0 * work_{key} + 1"},
    "ready": {
        "metrics": [_WORK],
        "hours": f"IF({_FILLED} > {_READY}, {_FILLED}, {_READY})",
        "paid": _WORKED,
        "load": f"{_FILLED} / hours_" + "{key}",
    },
}
