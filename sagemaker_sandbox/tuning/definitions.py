"""What a CreateHyperParameterTuningJob request defines: training jobs, what they search, what they are judged by."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker_sandbox.tuning.ranges import Range, read
from sustainable_mlops.catalogue.limits import get_limit

#: Members of a definition that CreateTrainingJob has under the same name.
_SHARED = (
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "RetryStrategy",
    "Environment",
)

#: Static hyperparameters from which Hyperband takes its most epochs. Source: HyperbandStrategyConfig.
_EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")


@dataclass(frozen=True)
class Definition:
    """One training job definition: `given` is the request's structure, `name` None where there is only one."""

    given: Mapping[str, Any]
    name: str | None
    metric: str
    maximize: bool
    ranges: Sequence[Range]

    @property
    def static(self) -> dict[str, str]:
        """Hyperparameters that every job has alike."""
        return dict(self.given.get("StaticHyperParameters", {}))

    def request(self, job_name: str, tuned: Mapping[str, str], tags: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        """The CreateTrainingJob request of one training job."""
        request = {member: self.given[member] for member in _SHARED if member in self.given}
        request |= {
            "TrainingJobName": job_name,
            "HyperParameters": self.static | dict(tuned) | {"_tuning_objective_metric": self.metric},
            "Tags": list(tags),
        }
        if resources := self.given.get("HyperParameterTuningResourceConfig"):
            request["ResourceConfig"] = _resource_config(resources)
        if checkpoints := self.given.get("CheckpointConfig"):
            # A folder of its own, or a job would resume from another one's checkpoints. AWS does not say; assumed.
            own = f"{checkpoints['S3Uri'].rstrip('/')}/{job_name}"
            request["CheckpointConfig"] = {**checkpoints, "S3Uri": own}
        return request


def definitions(request: Mapping[str, Any]) -> list[Definition]:
    """Those of a request that `checks.check` has let through."""
    config = request["HyperParameterTuningJobConfig"]
    if (one := request.get("TrainingJobDefinition")) is not None:
        objective, ranges = config["HyperParameterTuningJobObjective"], config.get("ParameterRanges", {})
        return [_definition(one, one.get("DefinitionName"), objective, ranges)]
    return [
        _definition(given, given["DefinitionName"], given["TuningObjective"], given.get("HyperParameterRanges", {}))
        for given in request["TrainingJobDefinitions"]
    ]


def hyperband_resources(config: Mapping[str, Any], given: Sequence[Mapping[str, Any]]) -> tuple[int, int | None]:
    """The least and most epochs of a job; the most is None where neither the strategy nor a definition says it."""
    chosen = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
    static = (one.get("StaticHyperParameters", {}).get(key, "") for one in given for key in _EPOCHS)
    inferred = next((int(text) for text in static if text.isdecimal()), None)
    return chosen.get("MinResource", 1), chosen.get("MaxResource", inferred)


def most_training_jobs(strategy: str) -> int:
    """The training jobs of one tuning job, as far as a quota can be raised."""
    return get_limit("tuning_training_jobs_random" if strategy == "Random" else "tuning_training_jobs")


def job_name(tuning_job: str, number: int) -> str:
    """As AWS names them: the tuning job, a running number from 1 on, eight hexadecimal digits."""
    return f"{tuning_job}-{number:03d}-{secrets.token_hex(4)}"


def _definition(
    given: Mapping[str, Any], name: str | None, objective: Mapping[str, str], ranges: Mapping[str, Any]
) -> Definition:
    return Definition(given, name, objective["MetricName"], objective["Type"] == "Maximize", read(ranges))


def _resource_config(given: Mapping[str, Any]) -> dict[str, Any]:
    """The first of several instances: here each of them can be had."""
    chosen = given.get("InstanceConfigs", [given])[0]
    members = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")
    return {member: value for member in members if (value := chosen.get(member, given.get(member))) is not None}
