"""The jobs that try the candidates: instances in one, serverless memory in another, one after the other.

A job is named by what it tries, so that the same command attaches to one that is there, or takes what it found.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.aws import Client, constraints
from sustainable_mlops.errors import UserError
from sustainable_mlops.recommendation.candidates import Candidate
from sustainable_mlops.recommendation.served_model import ServedModel

FINAL_STATUSES = ("COMPLETED", "FAILED", "STOPPED")
_CREATE = "CreateInferenceRecommendationsJob"
#: Users that a test ends with, one more in each step.
_STEPS = 10
#: Seconds between two looks: short at first, then seldom.
_FIRST, _LONGEST, _GROWTH = 0.5, 15.0, 1.3
_OPTIONS = {"Framework": "--framework", "SamplePayloadUrl": "--payload", "SupportedContentTypes": "--content-type"}


@dataclass(frozen=True, slots=True)
class LoadTestSettings:
    """What the endpoints are tried with."""

    role: str
    #: Latency that nine and a half of ten answers must keep.
    p95_ms: int
    #: Minutes of the test of each endpoint.
    minutes: int = 10
    #: Requests a minute that are expected at most; None to find the most that one instance answers.
    max_requests_per_minute: int | None = None
    payload: str | None = None
    content_type: str | None = None
    framework: str | None = None


@dataclass(frozen=True, slots=True)
class RecommendationJob:
    """A job, and what it tries."""

    request: dict[str, Any]
    candidates: tuple[Candidate, ...]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.request["JobName"])


def plan_jobs(subject: ServedModel, candidates: Sequence[Candidate], load: LoadTestSettings) -> list[RecommendationJob]:
    """The jobs that try the candidates. Raises UserError where something is missing, or SageMaker would refuse it."""
    parts = ([one for one in candidates if one.instance_type], [one for one in candidates if not one.instance_type])
    jobs = [_make_job(subject, tuple(part), load) for part in parts if part]
    for job in jobs:
        constraints.check(_CREATE, job.request)
    return jobs


def _make_job(subject: ServedModel, candidates: tuple[Candidate, ...], load: LoadTestSettings) -> RecommendationJob:
    container = _make_container_config(subject, load)
    named = {"ModelPackageVersionArn" if subject.is_package else "ModelName": subject.name}
    stairs = {"DurationInSeconds": load.minutes * 60, "NumberOfSteps": _STEPS, "UsersPerStep": 1}
    threshold = {"Percentile": "P95", "ValueInMilliseconds": load.p95_ms}
    request = {
        "JobType": "Advanced",
        "RoleArn": load.role,
        "InputConfig": named
        | {
            "TrafficPattern": {"TrafficType": "STAIRS", "Stairs": stairs},
            "EndpointConfigurations": [one.configuration for one in candidates],
        }
        | ({"ContainerConfig": container} if container else {}),
        "StoppingConditions": {"ModelLatencyThresholds": [threshold], "FlatInvocations": "Stop"}
        | ({"MaxInvocations": load.max_requests_per_minute} if load.max_requests_per_minute else {}),
    }
    digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:12]
    return RecommendationJob({"JobName": f"smlops-recommend-{digest}", **request}, candidates)


def _make_container_config(subject: ServedModel, load: LoadTestSettings) -> dict[str, Any]:
    """What the package does not say, or is to be otherwise. Raises UserError where nobody says it."""
    given = {
        "Framework": load.framework,
        "SamplePayloadUrl": load.payload,
        "SupportedContentTypes": [load.content_type] if load.content_type else None,
    }
    for member, option in _OPTIONS.items():
        if not given[member] and not subject.load_test_inputs.get(member):
            raise UserError(f"{option}: {subject.name} says no {member}, which a load test needs; give it")
    if load.payload and not load.payload.endswith(".tar.gz"):
        raise UserError(f"--payload: {load.payload} must be a .tar.gz of sample requests in S3")
    payload = {name: given[name] for name in ("SamplePayloadUrl", "SupportedContentTypes") if given[name]}
    return {
        **({"Domain": "MACHINE_LEARNING", "Task": "OTHER"} if "Domain" not in subject.load_test_inputs else {}),
        **({"Framework": load.framework.upper()} if load.framework else {}),
        **({"PayloadConfig": payload} if payload else {}),
    }


def find_job(job: RecommendationJob, sagemaker: Client) -> dict[str, Any] | None:
    """The job as SageMaker has it; None where it has none."""
    from botocore.exceptions import ClientError

    with aws.translate_aws_errors(f"recommendation job {job.name}"):
        try:
            found: dict[str, Any] = sagemaker.describe_inference_recommendations_job(JobName=job.name)
        except ClientError as error:
            if aws.read_error_code(error) in ("ResourceNotFound", "ResourceNotFoundException"):
                return None
            raise
    return found


def run_job(
    job: RecommendationJob, sagemaker: Client, show: Callable[[str], None], sleep: Callable[[float], None] = time.sleep
) -> dict[str, Any]:
    """Start the job, unless it is there, and follow it to its end; `show` hears how far it is. Raises UserError."""
    found = find_job(job, sagemaker)
    with aws.translate_aws_errors(f"recommendation job {job.name}"):
        if found is None:
            sagemaker.create_inference_recommendations_job(**job.request)
        for pause in _generate_pauses():
            found = sagemaker.describe_inference_recommendations_job(JobName=job.name)
            show(_format_progress(job, found, sagemaker))
            if found["Status"] in FINAL_STATUSES:
                break
            sleep(pause)
    described: dict[str, Any] = found or {}
    return described


def list_failures(job: RecommendationJob, sagemaker: Client) -> dict[str, str]:
    """Why endpoints of the job cannot be recommended, by what they are."""
    return {
        _format_title(step): step["InferenceBenchmark"].get("FailureReason", step["Status"])
        for step in _list_steps(job, sagemaker)
        if step["Status"] in ("FAILED", "STOPPED")
    }


def format_stop_command(job: RecommendationJob) -> str:
    """The command that ends it."""
    return f"aws sagemaker stop-inference-recommendations-job --job-name {job.name}"


def _format_progress(job: RecommendationJob, found: dict[str, Any], sagemaker: Client) -> str:
    steps = _list_steps(job, sagemaker)
    done = sum(step["Status"] in FINAL_STATUSES for step in steps)
    now = ", ".join(_format_title(step) for step in steps if step["Status"] == "IN_PROGRESS")
    return f"{done} of {len(steps)} tried, {now or found['Status'].lower()}"


def _list_steps(job: RecommendationJob, sagemaker: Client) -> list[dict[str, Any]]:
    pages = sagemaker.get_paginator("list_inference_recommendations_job_steps").paginate(JobName=job.name)
    return [step for page in pages for step in page["Steps"]]


def _format_title(step: dict[str, Any]) -> str:
    where = step["InferenceBenchmark"].get("EndpointConfiguration", {})
    if "ServerlessConfig" in where:
        return f"serverless {where['ServerlessConfig']['MemorySizeInMB']} MB"
    return str(where.get("InstanceType", "an endpoint"))


def _generate_pauses() -> Iterator[float]:
    pause = _FIRST
    while True:
        yield pause
        pause = min(_LONGEST, pause * _GROWTH)
