"""Recommendation jobs: one for instances, then one for serverless memory.

The name of a job follows from its content, so the same command attaches to a running job or reads its results.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.advice.recommendation.candidates import Candidate
from sustainable_mlops.advice.recommendation.model_under_test import ModelUnderTest
from sustainable_mlops.aws import Client, constraints
from sustainable_mlops.aws.statuses import STATUSES
from sustainable_mlops.base.errors import UserError

_CREATE = "CreateInferenceRecommendationsJob"
#: Number of users at the end of a test; each step adds one.
_STEPS = 10
#: Seconds between two status requests: the first pause, the longest one, and the growth factor.
_FIRST, _LONGEST, _GROWTH = 0.5, 15.0, 1.3
_OPTIONS = {"Framework": "--framework", "SamplePayloadUrl": "--payload", "SupportedContentTypes": "--content-type"}


@dataclass(frozen=True, slots=True)
class LoadTestSettings:
    """Settings of the load test."""

    role: str
    #: Maximum latency of 95 % of the responses.
    p95_ms: int
    #: Duration of the test of each endpoint in minutes.
    minutes: int = 10
    #: Expected maximum requests a minute; None to find the maximum of one instance.
    max_requests_per_minute: int | None = None
    payload: str | None = None
    content_type: str | None = None
    framework: str | None = None


@dataclass(frozen=True, slots=True)
class RecommendationJob:
    """A job and its candidates."""

    request: dict[str, Any]
    candidates: tuple[Candidate, ...]

    @property
    def name(self) -> str:
        """The name of the job."""
        return str(self.request["JobName"])


def plan_jobs(
    subject: ModelUnderTest, candidates: Sequence[Candidate], load: LoadTestSettings
) -> list[RecommendationJob]:
    """Return the jobs for the candidates.

    Raises UserError if a value is missing or SageMaker would refuse a request.
    """
    parts = ([one for one in candidates if one.instance_type], [one for one in candidates if not one.instance_type])
    jobs = [_make_job(subject, tuple(part), load) for part in parts if part]
    for job in jobs:
        constraints.check(_CREATE, job.request)
    return jobs


def _make_job(subject: ModelUnderTest, candidates: tuple[Candidate, ...], load: LoadTestSettings) -> RecommendationJob:
    container = _make_container_config(subject, load)
    model = {"ModelPackageVersionArn" if subject.is_package else "ModelName": subject.name}
    stairs = {"DurationInSeconds": load.minutes * 60, "NumberOfSteps": _STEPS, "UsersPerStep": 1}
    threshold = {"Percentile": "P95", "ValueInMilliseconds": load.p95_ms}
    request = {
        "JobType": "Advanced",
        "RoleArn": load.role,
        "InputConfig": model
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


def _make_container_config(subject: ModelUnderTest, load: LoadTestSettings) -> dict[str, Any]:
    """Return the container settings that the package lacks or the user overrides.

    Raises UserError for a missing setting.
    """
    framework = load.framework or (None if subject.load_test_inputs.get("Framework") else subject.framework)
    values = {
        "Framework": framework,
        "SamplePayloadUrl": load.payload,
        "SupportedContentTypes": [load.content_type] if load.content_type else None,
    }
    for member, option in _OPTIONS.items():
        if not values[member] and not subject.load_test_inputs.get(member):
            raise UserError(f"{option}: {subject.name} does not contain {member}, which a load test needs; pass it")
    if load.payload and not load.payload.endswith(".tar.gz"):
        raise UserError(f"--payload: {load.payload} must be a .tar.gz of sample requests in S3")
    payload = {name: values[name] for name in ("SamplePayloadUrl", "SupportedContentTypes") if values[name]}
    return {
        **({"Domain": "MACHINE_LEARNING", "Task": "OTHER"} if "Domain" not in subject.load_test_inputs else {}),
        **({"Framework": framework.upper()} if framework else {}),
        **({"PayloadConfig": payload} if payload else {}),
    }


def find_job(job: RecommendationJob, sagemaker: Client) -> dict[str, Any] | None:
    """Return the description of the job in SageMaker, or None if it does not exist."""
    from botocore.exceptions import ClientError

    with aws.translate_aws_errors(f"recommendation job {job.name}"):
        try:
            description: dict[str, Any] = sagemaker.describe_inference_recommendations_job(JobName=job.name)
        except ClientError as error:
            if aws.read_error_code(error) in ("ResourceNotFound", "ResourceNotFoundException"):
                return None
            raise
    return description


def run_job(
    job: RecommendationJob, sagemaker: Client, show: Callable[[str], None], sleep: Callable[[float], None] = time.sleep
) -> dict[str, Any]:
    """Start the job unless it exists, and follow it to its end; `show` receives its progress. Raises UserError."""
    description = find_job(job, sagemaker)
    with aws.translate_aws_errors(f"recommendation job {job.name}"):
        if description is None:
            sagemaker.create_inference_recommendations_job(**job.request)
        for pause in _generate_pauses():
            description = sagemaker.describe_inference_recommendations_job(JobName=job.name)
            show(_format_progress(job, description, sagemaker))
            if description["Status"] in STATUSES["RecommendationJobStatus"].final:
                break
            sleep(pause)
    described: dict[str, Any] = description or {}
    return described


def list_failures(job: RecommendationJob, sagemaker: Client) -> dict[str, str]:
    """Return the failure reason of each endpoint without a recommendation, by its title."""
    return {
        _format_title(step): step["InferenceBenchmark"].get("FailureReason", step["Status"])
        for step in _list_steps(job, sagemaker)
        if step["Status"] in ("FAILED", "STOPPED")
    }


def format_stop_command(job: RecommendationJob, region: str) -> str:
    """Return the command that stops the job."""
    return f"aws sagemaker stop-inference-recommendations-job --job-name {job.name} --region {region}"


def _format_progress(job: RecommendationJob, description: dict[str, Any], sagemaker: Client) -> str:
    steps = _list_steps(job, sagemaker)
    final_count = sum(step["Status"] in STATUSES["RecommendationJobStatus"].final for step in steps)
    running = ", ".join(_format_title(step) for step in steps if step["Status"] == "IN_PROGRESS")
    return f"{final_count} of {len(steps)} tested, {running or description['Status'].lower()}"


def _list_steps(job: RecommendationJob, sagemaker: Client) -> list[dict[str, Any]]:
    pages = sagemaker.get_paginator("list_inference_recommendations_job_steps").paginate(JobName=job.name)
    return [step for page in pages for step in page["Steps"]]


def _format_title(step: dict[str, Any]) -> str:
    configuration = step["InferenceBenchmark"].get("EndpointConfiguration", {})
    if "ServerlessConfig" in configuration:
        return f"serverless {configuration['ServerlessConfig']['MemorySizeInMB']} MB"
    return str(configuration.get("InstanceType", "an endpoint"))


def _generate_pauses() -> Iterator[float]:
    pause = _FIRST
    while True:
        yield pause
        pause = min(_LONGEST, pause * _GROWTH)
