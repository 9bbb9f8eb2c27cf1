"""Limits of SageMaker: the reasons why a kind of endpoint cannot meet the requirements.

`catalogue/limits.csv` has the figures and their sources. The excluded features are those of SageMaker's developer guide
("Serverless Inference", "Asynchronous inference", "Scale an endpoint to zero instances").
"""

from collections.abc import Iterator
from math import ceil

from sustainable_mlops.advice.requirements import ServingRequirements
from sustainable_mlops.advice.wording import describe_cold_start
from sustainable_mlops.catalogue import regions
from sustainable_mlops.catalogue.limits import get_limit, list_serverless_memory_mb
from sustainable_mlops.footprint.coefficients import load_assumptions

#: Hours between transform jobs. A response within the hour includes the wait for a job and the job itself.
BATCH_INTERVAL_H = {"minutes": 0.5, "batch": 24.0}


def list_obstacles(kind: str, requirements: ServingRequirements) -> tuple[str, ...]:
    """Return the reasons why `kind` cannot meet the requirements; empty if it can."""
    return tuple(_OBSTACLE_CHECKS[kind](requirements))


def _check_payload(requirements: ServingRequirements, key: str) -> Iterator[str]:
    if requirements.payload_kb > (maximum := get_limit(key)):
        yield f"the payload of {_format_mb(requirements.payload_kb)} exceeds {_format_mb(maximum)}"


def _format_mb(kb: float) -> str:
    return f"{kb / 1024:,.6g} MB"


def _check_duration(requirements: ServingRequirements, key: str, exception: str = "") -> Iterator[str]:
    if requirements.duration_s > (maximum := get_limit(key)):
        yield f"a request takes {requirements.duration_s:g} s; the response must come within {maximum} s{exception}"


def _check_serverless(requirements: ServingRequirements) -> Iterator[str]:
    region = regions.find(requirements.region)
    if region is not None and not region.has_serverless:
        yield f"AWS does not list serverless inference in {requirements.region}"
    if requirements.accelerator != "none":
        yield "it has no accelerators"
    if not isinstance(requirements.latency, str):
        yield describe_cold_start()
    if requirements.vpc:
        yield "it supports no VPC"
    if requirements.memory_mb > (maximum := list_serverless_memory_mb()[-1]):
        yield f"the model needs about {requirements.memory_mb:,.0f} MB of memory, more than {maximum:,} MB"
    if requirements.model_mb > (disk := get_limit("serverless_disk_mb")):
        yield f"the model of {requirements.model_mb:,.0f} MB is larger than the disk of {disk // 1024} GB"
    if requirements.image_gb > (image := get_limit("serverless_image_gb")):
        yield f"the image of {requirements.image_gb:g} GB is larger than {image} GB"
    if requirements.peak_concurrency > (max_concurrency := get_limit("serverless_concurrency")):
        yield f"{requirements.peak_concurrency:,.0f} concurrent requests at the peak exceed {max_concurrency}"
    yield from _check_payload(requirements, "serverless_payload_kb")
    yield from _check_duration(requirements, "serverless_answer_s")


def _check_real_time(requirements: ServingRequirements) -> Iterator[str]:
    if not isinstance(requirements.latency, str) and requirements.duration_s * 1000 > requirements.latency:
        duration, latency = f"{requirements.duration_s * 1000:g} ms", f"{requirements.latency:g} ms"
        yield f"a request takes {duration}, more than the {latency} that are required: make the model faster"
    yield from _check_payload(requirements, "real_time_payload_kb")
    yield from _check_duration(
        requirements, "real_time_answer_s", f", or {get_limit('real_time_stream_s')} s if it is streamed"
    )


def _check_scheduled(requirements: ServingRequirements) -> Iterator[str]:
    if requirements.hours_per_day >= 24:
        yield "there is traffic at every hour of the day"
    yield from _check_real_time(requirements)


def _check_asynchronous(requirements: ServingRequirements) -> Iterator[str]:
    if requirements.latency not in ("minutes", "batch"):
        yield "responses come through S3, after some minutes if no instance is on"
    yield from _check_payload(requirements, "asynchronous_payload_kb")
    yield from _check_duration(requirements, "asynchronous_answer_s")


def _check_batch(requirements: ServingRequirements) -> Iterator[str]:
    if (interval_h := BATCH_INTERVAL_H.get(str(requirements.latency))) is None:
        yield "responses come only after the end of a job"
    else:
        if requirements.duration_s / 3600 + load_assumptions()["job_start_hours"].high > interval_h:
            yield f"a request of {requirements.duration_s:g} s does not fit into a job of half an hour, as required"
        if requirements.requests_per_day < 2 * count_jobs_per_day(requirements):
            yield "a job needs many requests, and each would have less than two"
    yield from _check_payload(requirements, "batch_payload_kb")
    yield from _check_duration(requirements, "batch_answer_s")


def count_jobs_per_day(requirements: ServingRequirements) -> int:
    """Return the number of transform jobs in the hours with traffic, for callers who wait minutes or a day."""
    return max(1, ceil(requirements.hours_per_day / BATCH_INTERVAL_H[str(requirements.latency)]))


_OBSTACLE_CHECKS = {
    "serverless": _check_serverless,
    "real-time": _check_real_time,
    "scheduled real-time": _check_scheduled,
    "asynchronous": _check_asynchronous,
    "batch transform": _check_batch,
}
ENDPOINT_KINDS = tuple(_OBSTACLE_CHECKS)
