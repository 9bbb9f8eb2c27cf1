"""What SageMaker takes, and what it does not: why a kind of inference cannot serve a need.

Sources: SageMaker developer guide ("Serverless Inference", "Asynchronous inference", "Inference options") and the
service model of its API.
"""

from collections.abc import Iterator

from sustainable_mlops.advice.need import Need
from sustainable_mlops.catalogue import regions

MB = 1024  # KB
SERVERLESS_MEMORY_MB = (1024, 2048, 3072, 4096, 5120, 6144)
SERVERLESS_CONCURRENCY = 200
SERVERLESS_DISK_MB = 5 * 1024
SERVERLESS_IMAGE_GB = 10
SERVERLESS_PAYLOAD_KB = 4 * MB
REALTIME_PAYLOAD_KB = 6 * MB
ASYNC_PAYLOAD_KB = 1024 * MB
BATCH_PAYLOAD_KB = 100 * MB
#: Seconds within which a container must answer.
ANSWER_S, ASYNC_ANSWER_S = 60, 3600
BATCH_INSTANCES = 100


def against(kind: str, need: Need) -> tuple[str, ...]:
    """Why `kind` cannot serve `need`; empty where nothing speaks against it."""
    return (*_too_slow(need), *_AGAINST[kind](need))


def _too_slow(need: Need) -> Iterator[str]:
    if not isinstance(need.latency, str) and need.duration_s * 1000 > need.latency:
        yield f"a request takes {need.duration_s * 1000:g} ms, more than the {need.latency:g} ms wanted"


def _size(need: Need, most_kb: int, text: str) -> Iterator[str]:
    if need.payload_kb > most_kb:
        yield f"the payload of {need.payload_kb / MB:,.3g} MB is above {text}"


def _time(need: Need, most_s: int) -> Iterator[str]:
    if need.duration_s > most_s:
        yield f"a request takes {need.duration_s:g} s, and has to be answered within {most_s} s"


def _serverless(need: Need) -> Iterator[str]:
    region = regions.find(need.region)
    if region is not None and not region.serverless:
        yield f"AWS does not list serverless inference in {need.region}"
    if need.accelerator != "none":
        yield "it has no accelerators"
    if not isinstance(need.latency, str):
        yield "a start after a pause takes seconds, up to 4 minutes: no p99 holds"
    if need.vpc:
        yield "it takes no VPC"
    if need.memory_mb > SERVERLESS_MEMORY_MB[-1]:
        yield f"the model takes about {need.memory_mb:,.0f} MB of memory, above 6,144 MB"
    if need.model_mb > SERVERLESS_DISK_MB:
        yield f"the model of {need.model_mb:,.0f} MB is above the 5 GB of disk"
    if need.image_gb > SERVERLESS_IMAGE_GB:
        yield f"the image of {need.image_gb:g} GB is above 10 GB"
    if need.peak_at_once > SERVERLESS_CONCURRENCY:
        yield f"{need.peak_at_once:,.0f} requests at once at the peak are above {SERVERLESS_CONCURRENCY}"
    yield from _size(need, SERVERLESS_PAYLOAD_KB, "4 MB")
    yield from _time(need, ANSWER_S)


def _real_time(need: Need) -> Iterator[str]:
    yield from _size(need, REALTIME_PAYLOAD_KB, "6 MB")
    yield from _time(need, ANSWER_S)


def _asynchronous(need: Need) -> Iterator[str]:
    if need.latency != "minutes":
        yield "answers come through S3, after minutes where it has to wake"
    yield from _size(need, ASYNC_PAYLOAD_KB, "1 GB")
    yield from _time(need, ASYNC_ANSWER_S)


def _batch(need: Need) -> Iterator[str]:
    if need.latency != "minutes":
        yield "answers come when a job has ended"
    yield from _size(need, BATCH_PAYLOAD_KB, "100 MB")
    yield from _time(need, ASYNC_ANSWER_S)


_AGAINST = {
    "serverless": _serverless,
    "real-time": _real_time,
    "asynchronous": _asynchronous,
    "batch transform": _batch,
}
KINDS = tuple(_AGAINST)
