"""Training job definitions of a CreateHyperParameterTuningJob request: their ranges and their objective."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker_sandbox.jobs.tuning.ranges import Range, parse_ranges
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

#: Static hyperparameters from which Hyperband takes its maximum of epochs. Source: HyperbandStrategyConfig.
_EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")


@dataclass(frozen=True)
class Definition:
    """One training job definition. `structure` is from the request; `name` is None for a single definition."""

    structure: Mapping[str, Any]
    name: str | None
    metric: str
    maximize: bool
    ranges: Sequence[Range]

    @property
    def static(self) -> dict[str, str]:
        """Hyperparameters that all jobs share."""
        return dict(self.structure.get("StaticHyperParameters", {}))

    def build_request(
        self, job_name: str, tuned: Mapping[str, str], tags: Sequence[Mapping[str, str]]
    ) -> dict[str, Any]:
        """Return the CreateTrainingJob request of one training job."""
        request = {member: self.structure[member] for member in _SHARED if member in self.structure}
        request |= {
            "TrainingJobName": job_name,
            "HyperParameters": self.static | dict(tuned) | {"_tuning_objective_metric": self.metric},
            "Tags": list(tags),
        }
        if resources := self.structure.get("HyperParameterTuningResourceConfig"):
            request["ResourceConfig"] = _build_resource_config(resources)
        if checkpoints := self.structure.get("CheckpointConfig"):
            # Each job has its own folder: it must not resume from the checkpoints of another. Assumed.
            own = f"{checkpoints['S3Uri'].rstrip('/')}/{job_name}"
            request["CheckpointConfig"] = {**checkpoints, "S3Uri": own}
        return request


def parse_definitions(request: Mapping[str, Any]) -> list[Definition]:
    """Return the definitions of a request that passed `checks.check_request`."""
    config = request["HyperParameterTuningJobConfig"]
    if (structure := request.get("TrainingJobDefinition")) is not None:
        objective, ranges = config["HyperParameterTuningJobObjective"], config.get("ParameterRanges", {})
        return [_parse_definition(structure, structure.get("DefinitionName"), objective, ranges)]
    return [
        _parse_definition(item, item["DefinitionName"], item["TuningObjective"], item.get("HyperParameterRanges", {}))
        for item in request["TrainingJobDefinitions"]
    ]


def find_hyperband_resources(
    config: Mapping[str, Any], structures: Sequence[Mapping[str, Any]]
) -> tuple[int, int | None]:
    """Return the minimum and maximum epochs of a job; None for a maximum that the request does not define."""
    settings = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
    static = (structure.get("StaticHyperParameters", {}).get(key, "") for structure in structures for key in _EPOCHS)
    inferred = next((int(text) for text in static if text.isdecimal()), None)
    return settings.get("MinResource", 1), settings.get("MaxResource", inferred)


def get_max_training_jobs(strategy: str) -> int:
    """Return the maximum of training jobs in one tuning job, with the largest quota."""
    return get_limit("tuning_training_jobs_random" if strategy == "Random" else "tuning_training_jobs")


def create_job_name(tuning_job: str, number: int) -> str:
    """Return a name in AWS's form: the tuning job, a number from 1, eight hexadecimal digits."""
    return f"{tuning_job}-{number:03d}-{secrets.token_hex(4)}"


def _parse_definition(
    structure: Mapping[str, Any], name: str | None, objective: Mapping[str, str], ranges: Mapping[str, Any]
) -> Definition:
    return Definition(structure, name, objective["MetricName"], objective["Type"] == "Maximize", parse_ranges(ranges))


def _build_resource_config(resources: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ResourceConfig with the first instance configuration: all types are available in the sandbox."""
    first = resources.get("InstanceConfigs", [resources])[0]
    members = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")
    return {member: value for member in members if (value := first.get(member, resources.get(member))) is not None}
