"""Checks of CreateInferenceRecommendationsJob.

The messages are those of "Troubleshoot Inference Recommender errors" in the developer guide where it has them, the
bounds those of "Run a custom load test". Other messages are assumed.
"""

from itertools import pairwise

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.resources.resources import Fields

#: Users at the beginning and by the minute, seconds of a phase or of stairs, and seconds of a job.
_USERS, _RATE, _SECONDS, _JOB_SECONDS = (1, 3), (0, 3), (120, 3600), 18_000
#: Largest difference between the users at the end of a phase and at the beginning of the next one.
_MAX_USER_GAP = 3


def check_request(request: Fields) -> None:
    """Raise ValidationError for a request that contradicts itself or the documentation."""
    config = request["InputConfig"]
    if ("ModelPackageVersionArn" in config) == ("ModelName" in config):
        raise ValidationError("Specify either ModelPackageVersionArn or ModelName in InputConfig.")
    if request["JobType"] == "Advanced":
        _check_advanced(request, config)
    if config.get("JobDurationInSeconds", 1) > _JOB_SECONDS:
        raise ValidationError(f"JobDurationInSeconds must not be more than {_JOB_SECONDS}.")
    for configuration in config.get("EndpointConfigurations", ()):
        _check_configuration(config, configuration)
    if "TrafficPattern" in config:
        _check_pattern(config["TrafficPattern"], config.get("JobDurationInSeconds"))
    for threshold in request.get("StoppingConditions", {}).get("ModelLatencyThresholds", ()):
        if threshold.get("Percentile", "P95") not in ("P95", "P99"):
            raise ValidationError("Percentile of ModelLatencyThresholds must be P95 or P99.")


def _check_advanced(request: Fields, config: Fields) -> None:
    if not config.get("EndpointConfigurations") and not config.get("Endpoints"):
        raise ValidationError("EndpointConfigurations is a mandatory parameter for the job of type Advanced.")
    for member, parent in (("TrafficPattern", config), ("StoppingConditions", request)):
        if member not in parent:
            raise ValidationError(f"{member} is a mandatory parameter for the job of type Advanced.")


def _check_configuration(config: Fields, configuration: Fields) -> None:
    if ("InstanceType" in configuration) == ("ServerlessConfig" in configuration):
        raise ValidationError("Specify either InstanceType or ServerlessConfig in EndpointConfigurations.")
    instance_type = configuration.get("InstanceType", "")
    if instance_type.startswith("ml.t2."):
        raise ValidationError(f"Burstable instance type {instance_type} is not allowed.")
    if "InferenceSpecificationName" in configuration and "ModelPackageVersionArn" not in config:
        raise ValidationError("InferenceSpecificationName can only be specified with ModelPackageVersionArn.")


def _check_pattern(pattern: Fields, job_seconds: int | None) -> None:
    types = [name for name, member in (("PHASES", "Phases"), ("STAIRS", "Stairs")) if pattern.get(member)]
    if types != [pattern.get("TrafficType")]:
        raise ValidationError("Specify Phases for TrafficType PHASES, or Stairs for TrafficType STAIRS.")
    if types == ["STAIRS"]:
        stairs = pattern["Stairs"]
        _check_range(stairs, "DurationInSeconds", *_SECONDS)
        _check_range(stairs, "NumberOfSteps", 1, stairs["DurationInSeconds"])
        _check_range(stairs, "UsersPerStep", *_USERS)
        total = stairs["DurationInSeconds"]
    else:
        _check_phases(pattern["Phases"])
        total = sum(phase["DurationInSeconds"] for phase in pattern["Phases"])
    if job_seconds is not None and total > job_seconds:
        raise ValidationError("Total Traffic duration (across) should not be more than Job duration.")


def _check_phases(phases: list[Fields]) -> None:
    for phase in phases:
        _check_range(phase, "InitialNumberOfUsers", *_USERS)
        _check_range(phase, "SpawnRate", *_RATE)
        _check_range(phase, "DurationInSeconds", *_SECONDS)
    for before, phase in pairwise(phases):
        users = before["InitialNumberOfUsers"] + before["SpawnRate"] * before["DurationInSeconds"] // 60
        first = phase["InitialNumberOfUsers"]
        if abs(first - users) > _MAX_USER_GAP:
            raise ValidationError(
                f"Users at the end of prev phase is {users} while initial users of current phase is {first}."
            )


def _check_range(structure: Fields, member: str, minimum: int, maximum: int) -> None:
    if not minimum <= structure.get(member, minimum - 1) <= maximum:
        raise ValidationError(f"{member} must be between {minimum} and {maximum}.")
