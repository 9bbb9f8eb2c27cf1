"""What CreateHyperParameterTuningJob refuses beyond its service model.

In AWS's words where they are known: `A metric is required…` and `You don't have enough combinations…` are; others say
what its developer guide and API reference rule out.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sagemaker_sandbox.errors import ResourceLimitExceededError, ValidationError
from sagemaker_sandbox.tuning.definitions import (
    Definition,
    definitions,
    hyperband_resources,
    most_training_jobs,
)
from sagemaker_sandbox.tuning.ranges import CategoricalRange
from sagemaker_sandbox.tuning.tuner import Parent
from sustainable_mlops.catalogue.limits import get_limit

Fields = Mapping[str, Any]


def check(request: Fields, parents: Sequence[Parent] = ()) -> None:
    """Raise ValidationError or ResourceLimitExceededError for a request that AWS refuses."""
    config = request["HyperParameterTuningJobConfig"]
    _check_autotune(request)
    given = _check_definitions(request)
    for one in given:
        _check_resources(one)
    found = definitions(request)
    for definition in found:
        _check_hyperparameters(definition)
    if len({definition.maximize for definition in found}) > 1:
        raise ValidationError("All training job definitions must have a tuning objective of the same Type.")
    _check_limits(config, found)
    {"Grid": _check_grid, "Hyperband": _check_hyperband}.get(config["Strategy"], _check_other)(config, found)
    _check_parents(config, found, parents)


def _check_autotune(request: Fields) -> None:
    config = request["HyperParameterTuningJobConfig"]
    ranges = [config.get("ParameterRanges", {})]
    ranges += [one.get("HyperParameterRanges", {}) for one in request.get("TrainingJobDefinitions", [])]
    if "Autotune" in request or any(one.get("AutoParameters") for one in ranges):
        raise ValidationError("Autotune is not emulated by the sandbox: give ParameterRanges and ResourceLimits.")


def _check_definitions(request: Fields) -> list[Fields]:
    config, several = request["HyperParameterTuningJobConfig"], request.get("TrainingJobDefinitions")
    if ("TrainingJobDefinition" in request) == (several is not None):
        raise ValidationError("Either TrainingJobDefinition or TrainingJobDefinitions must be specified, but not both.")
    if several is None:
        one = request["TrainingJobDefinition"]
        if "TuningObjective" in one or "HyperParameterRanges" in one:
            raise ValidationError(
                "TuningObjective and HyperParameterRanges are for TrainingJobDefinitions: with one "
                "TrainingJobDefinition they stand in the HyperParameterTuningJobConfig."
            )
        if "HyperParameterTuningJobObjective" not in config:
            raise ValidationError("HyperParameterTuningJobObjective must be specified with TrainingJobDefinition.")
        return [one]
    if "HyperParameterTuningJobObjective" in config or "ParameterRanges" in config:
        raise ValidationError(
            "HyperParameterTuningJobObjective and ParameterRanges cannot be specified with TrainingJobDefinitions: "
            "each has a TuningObjective and HyperParameterRanges of its own."
        )
    if any("TuningObjective" not in one or "DefinitionName" not in one for one in several):
        raise ValidationError("Each of several TrainingJobDefinitions needs a DefinitionName and a TuningObjective.")
    if len({one["DefinitionName"] for one in several}) < len(several):
        raise ValidationError("The DefinitionName of each training job definition must be unique.")
    return list(several)


def _check_resources(given: Fields) -> None:
    resources = given.get("HyperParameterTuningResourceConfig")
    if ("ResourceConfig" in given) == (resources is not None):
        raise ValidationError(
            "Either ResourceConfig or HyperParameterTuningResourceConfig must be specified, but not both."
        )
    alone = ("InstanceType", "InstanceCount", "VolumeSizeInGB")
    if resources is not None and ("InstanceConfigs" in resources) == any(member in resources for member in alone):
        raise ValidationError(
            "HyperParameterTuningResourceConfig takes either InstanceConfigs or InstanceType, InstanceCount and "
            "VolumeSizeInGB."
        )


def _check_hyperparameters(definition: Definition) -> None:
    metrics = definition.given["AlgorithmSpecification"].get("MetricDefinitions", [])
    if definition.metric not in [metric["Name"] for metric in metrics]:
        raise ValidationError(
            "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric "
            "definitions."
        )
    if both := sorted({one.name for one in definition.ranges} & set(definition.static)):
        raise ValidationError(f"Hyperparameters cannot be both static and tunable: {', '.join(both)}.")
    most = get_limit("tuning_hyperparameters")
    if len(definition.ranges) > most:
        raise ResourceLimitExceededError(
            f"A tuning job can search at most {most} hyperparameters, not {len(definition.ranges)}."
        )


def _check_limits(config: Fields, found: Sequence[Definition]) -> None:
    limits, strategy = config["ResourceLimits"], config["Strategy"]
    for member, most in (
        ("MaxNumberOfTrainingJobs", most_training_jobs(strategy)),
        ("MaxParallelTrainingJobs", get_limit("tuning_parallel_training_jobs")),
    ):
        if limits.get(member, 0) > most:
            raise ResourceLimitExceededError(f"{member} can be at most {most} with {strategy}, not {limits[member]}.")
    if strategy == "Grid" or "MaxNumberOfTrainingJobs" not in limits:
        return
    combinations = sum(_combinations(definition) for definition in found)
    if combinations < limits["MaxNumberOfTrainingJobs"]:
        raise ValidationError(
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter "
            f"combinations for the provided ranges [{float(combinations)}] must be equal or greater than the value of "
            f"MaxNumberOfJobs, [{limits['MaxNumberOfTrainingJobs']}]. Provide additional ranges."
        )


def _combinations(definition: Definition) -> float:
    return math.prod(one.size for one in definition.ranges)


def _check_grid(config: Fields, found: Sequence[Definition]) -> None:
    _check_other(config, found)
    if any(not isinstance(one, CategoricalRange) for definition in found for one in definition.ranges):
        raise ValidationError("Only categorical parameters are supported when using the Grid search strategy.")
    combinations = int(sum(_combinations(definition) for definition in found))
    if config["ResourceLimits"].get("MaxNumberOfTrainingJobs", combinations) != combinations:
        raise ValidationError(
            "With the Grid search strategy, MaxNumberOfTrainingJobs should equal the total number of distinct "
            f"categorical combinations possible, {combinations}, or not be specified."
        )
    most = most_training_jobs("Grid")
    if combinations > most:
        raise ResourceLimitExceededError(f"A grid can have at most {most} combinations, not {combinations}.")


def _check_hyperband(config: Fields, found: Sequence[Definition]) -> None:
    if config.get("TrainingJobEarlyStoppingType", "Off") != "Off":
        raise ValidationError(
            "TrainingJobEarlyStoppingType must be Off to use the Hyperband strategy, which has its own advanced "
            "internal early stopping mechanism."
        )
    least, most = hyperband_resources(config, [definition.given for definition in found])
    if most is None:
        raise ValidationError(
            "MaxResource of the HyperbandStrategyConfig must be specified: it cannot be inferred from the static "
            "hyperparameters epochs, numepochs, n-epochs, n_epochs or num_epochs."
        )
    if most > get_limit("tuning_hyperband_resource"):
        raise ValidationError(f"MaxResource can be at most {get_limit('tuning_hyperband_resource')}, not {most}.")
    if least > most:
        raise ValidationError(f"MinResource {least} must be less than or equal to MaxResource {most}.")


def _check_other(config: Fields, _found: Sequence[Definition]) -> None:
    if "HyperbandStrategyConfig" in config.get("StrategyConfig", {}):
        raise ValidationError("HyperbandStrategyConfig is only supported for the Hyperband strategy.")


def _check_parents(config: Fields, found: Sequence[Definition], parents: Sequence[Parent]) -> None:
    """Source: Run a Warm Start Hyperparameter Tuning Job, in the developer guide."""
    mine = sorted(map(_identity, found))
    for parent in parents:
        name = parent.request["HyperParameterTuningJobName"]
        theirs = sorted(map(_identity, definitions(parent.request)))
        if [metric for metric, _ in theirs] != [metric for metric, _ in mine]:
            raise ValidationError(f"The objective metric must be the same as that of the parent tuning job {name}.")
        if theirs != mine:
            raise ValidationError(
                "The total number of static plus tunable hyperparameters must be the same as in the parent tuning job "
                f"{name}."
            )
        for definition, other in zip(found, definitions(parent.request), strict=True):
            _check_kinds(definition, other, name)
    launched = sum(len(parent.summaries) for parent in parents)
    most = most_training_jobs(config["Strategy"])
    if launched + config["ResourceLimits"].get("MaxNumberOfTrainingJobs", 0) > most:
        raise ResourceLimitExceededError(
            f"Training jobs of parents count too: {launched} of them and MaxNumberOfTrainingJobs are over {most}."
        )


def _check_kinds(mine: Definition, theirs: Definition, parent: str) -> None:
    before = {one.name: one.kind for one in theirs.ranges}
    for one in mine.ranges:
        if before.get(one.name, one.kind) != one.kind:
            raise ValidationError(
                f"The type of hyperparameter {one.name}, {one.kind}, must be the same as in the parent tuning job "
                f"{parent}, {before[one.name]}."
            )


def _identity(definition: Definition) -> tuple[tuple[str, bool], int]:
    return (definition.metric, definition.maximize), len(definition.ranges) + len(definition.static)
