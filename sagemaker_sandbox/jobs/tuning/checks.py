"""Checks of CreateHyperParameterTuningJob beyond its service model.

The messages `A metric is required…` and `You don't have enough combinations…` are AWS's. The others state rules of the
developer guide and the API reference.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sagemaker_sandbox.base.errors import ResourceLimitExceededError, ValidationError
from sagemaker_sandbox.jobs.algorithms.images import list_metric_definitions
from sagemaker_sandbox.jobs.tuning.definitions import (
    Definition,
    find_hyperband_resources,
    get_max_training_jobs,
    parse_definitions,
)
from sagemaker_sandbox.jobs.tuning.ranges import CategoricalRange
from sagemaker_sandbox.jobs.tuning.tuner import ParentTuningJob
from sustainable_mlops.catalogue.limits import get_limit

Fields = Mapping[str, Any]


def check_request(request: Fields, parents: Sequence[ParentTuningJob] = ()) -> None:
    """Raise ValidationError or ResourceLimitExceededError for a request that AWS refuses."""
    config = request["HyperParameterTuningJobConfig"]
    _check_autotune(request)
    for structure in _check_definitions(request):
        _check_resources(structure)
    parsed_definitions = parse_definitions(request)
    for definition in parsed_definitions:
        _check_hyperparameters(definition)
    if len({definition.maximize for definition in parsed_definitions}) > 1:
        raise ValidationError("All training job definitions must have a tuning objective of the same Type.")
    _check_limits(config, parsed_definitions)
    {"Grid": _check_grid, "Hyperband": _check_hyperband}.get(config["Strategy"], _check_other)(
        config, parsed_definitions
    )
    _check_parents(config, parsed_definitions, parents)


def _check_autotune(request: Fields) -> None:
    config = request["HyperParameterTuningJobConfig"]
    ranges = [config.get("ParameterRanges", {})]
    ranges += [structure.get("HyperParameterRanges", {}) for structure in request.get("TrainingJobDefinitions", [])]
    if "Autotune" in request or any(structure.get("AutoParameters") for structure in ranges):
        raise ValidationError("Autotune is not emulated by the sandbox: give ParameterRanges and ResourceLimits.")


def _check_definitions(request: Fields) -> list[Fields]:
    config, structures = request["HyperParameterTuningJobConfig"], request.get("TrainingJobDefinitions")
    if ("TrainingJobDefinition" in request) == (structures is not None):
        raise ValidationError("Either TrainingJobDefinition or TrainingJobDefinitions must be specified, but not both.")
    if structures is None:
        structure = request["TrainingJobDefinition"]
        if "TuningObjective" in structure or "HyperParameterRanges" in structure:
            raise ValidationError(
                "TuningObjective and HyperParameterRanges are for TrainingJobDefinitions: with one "
                "TrainingJobDefinition they stand in the HyperParameterTuningJobConfig."
            )
        if "HyperParameterTuningJobObjective" not in config:
            raise ValidationError("HyperParameterTuningJobObjective must be specified with TrainingJobDefinition.")
        return [structure]
    if "HyperParameterTuningJobObjective" in config or "ParameterRanges" in config:
        raise ValidationError(
            "HyperParameterTuningJobObjective and ParameterRanges cannot be specified with TrainingJobDefinitions: "
            "each has a TuningObjective and HyperParameterRanges of its own."
        )
    if any("TuningObjective" not in structure or "DefinitionName" not in structure for structure in structures):
        raise ValidationError("Each of several TrainingJobDefinitions needs a DefinitionName and a TuningObjective.")
    if len({structure["DefinitionName"] for structure in structures}) < len(structures):
        raise ValidationError("The DefinitionName of each training job definition must be unique.")
    return list(structures)


def _check_resources(structure: Fields) -> None:
    resources = structure.get("HyperParameterTuningResourceConfig")
    if ("ResourceConfig" in structure) == (resources is not None):
        raise ValidationError(
            "Either ResourceConfig or HyperParameterTuningResourceConfig must be specified, but not both."
        )
    single_members = ("InstanceType", "InstanceCount", "VolumeSizeInGB")
    if resources is not None and ("InstanceConfigs" in resources) == any(
        member in resources for member in single_members
    ):
        raise ValidationError(
            "HyperParameterTuningResourceConfig takes either InstanceConfigs or InstanceType, InstanceCount and "
            "VolumeSizeInGB."
        )


def _check_hyperparameters(definition: Definition) -> None:
    metrics = list_metric_definitions(definition.structure["AlgorithmSpecification"])
    if definition.metric not in [metric["Name"] for metric in metrics]:
        raise ValidationError(
            "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric "
            "definitions."
        )
    if duplicates := sorted({item.name for item in definition.ranges} & set(definition.static)):
        raise ValidationError(f"Hyperparameters cannot be both static and tunable: {', '.join(duplicates)}.")
    maximum = get_limit("tuning_hyperparameters")
    if len(definition.ranges) > maximum:
        raise ResourceLimitExceededError(
            f"A tuning job can search at most {maximum} hyperparameters, not {len(definition.ranges)}."
        )


def _check_limits(config: Fields, job_definitions: Sequence[Definition]) -> None:
    limits, strategy = config["ResourceLimits"], config["Strategy"]
    for member, maximum in (
        ("MaxNumberOfTrainingJobs", get_max_training_jobs(strategy)),
        ("MaxParallelTrainingJobs", get_limit("tuning_parallel_training_jobs")),
    ):
        if limits.get(member, 0) > maximum:
            raise ResourceLimitExceededError(
                f"{member} can be at most {maximum} with {strategy}, not {limits[member]}."
            )
    if strategy == "Grid" or "MaxNumberOfTrainingJobs" not in limits:
        return
    combinations = sum(_count_combinations(definition) for definition in job_definitions)
    if combinations < limits["MaxNumberOfTrainingJobs"]:
        raise ValidationError(
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter "
            f"combinations for the provided ranges [{float(combinations)}] must be equal or greater than the value of "
            f"MaxNumberOfJobs, [{limits['MaxNumberOfTrainingJobs']}]. Provide additional ranges."
        )


def _count_combinations(definition: Definition) -> float:
    return math.prod(item.size for item in definition.ranges)


def _check_grid(config: Fields, job_definitions: Sequence[Definition]) -> None:
    _check_other(config, job_definitions)
    if any(not isinstance(item, CategoricalRange) for definition in job_definitions for item in definition.ranges):
        raise ValidationError("Only categorical parameters are supported when using the Grid search strategy.")
    combinations = int(sum(_count_combinations(definition) for definition in job_definitions))
    if config["ResourceLimits"].get("MaxNumberOfTrainingJobs", combinations) != combinations:
        raise ValidationError(
            "With the Grid search strategy, MaxNumberOfTrainingJobs should equal the total number of distinct "
            f"categorical combinations possible, {combinations}, or not be specified."
        )
    maximum = get_max_training_jobs("Grid")
    if combinations > maximum:
        raise ResourceLimitExceededError(f"A grid can have at most {maximum} combinations, not {combinations}.")


def _check_hyperband(config: Fields, job_definitions: Sequence[Definition]) -> None:
    if config.get("TrainingJobEarlyStoppingType", "Off") != "Off":
        raise ValidationError(
            "TrainingJobEarlyStoppingType must be Off to use the Hyperband strategy, which has its own advanced "
            "internal early stopping mechanism."
        )
    minimum, maximum = find_hyperband_resources(config, [definition.structure for definition in job_definitions])
    if maximum is None:
        raise ValidationError(
            "MaxResource of the HyperbandStrategyConfig must be specified: it cannot be inferred from the static "
            "hyperparameters epochs, numepochs, n-epochs, n_epochs or num_epochs."
        )
    if maximum > get_limit("tuning_hyperband_resource"):
        raise ValidationError(f"MaxResource can be at most {get_limit('tuning_hyperband_resource')}, not {maximum}.")
    if minimum > maximum:
        raise ValidationError(f"MinResource {minimum} must be less than or equal to MaxResource {maximum}.")


def _check_other(config: Fields, _job_definitions: Sequence[Definition]) -> None:
    if "HyperbandStrategyConfig" in config.get("StrategyConfig", {}):
        raise ValidationError("HyperbandStrategyConfig is only supported for the Hyperband strategy.")


def _check_parents(config: Fields, job_definitions: Sequence[Definition], parents: Sequence[ParentTuningJob]) -> None:
    """Compare a job with its parents. Source: Run a Warm Start Hyperparameter Tuning Job, in the developer guide."""
    own = sorted(map(_identify, job_definitions))
    for parent in parents:
        name = parent.request["HyperParameterTuningJobName"]
        theirs = sorted(map(_identify, parse_definitions(parent.request)))
        if [metric for metric, _ in theirs] != [metric for metric, _ in own]:
            raise ValidationError(f"The objective metric must be the same as that of the parent tuning job {name}.")
        if theirs != own:
            raise ValidationError(
                "The total number of static plus tunable hyperparameters must be the same as in the parent tuning job "
                f"{name}."
            )
        for definition, other in zip(job_definitions, parse_definitions(parent.request), strict=True):
            _check_kinds(definition, other, name)
    launched_count = sum(len(parent.summaries) for parent in parents)
    maximum = get_max_training_jobs(config["Strategy"])
    if launched_count + config["ResourceLimits"].get("MaxNumberOfTrainingJobs", 0) > maximum:
        raise ResourceLimitExceededError(
            f"Training jobs of parents count too: {launched_count} of them and MaxNumberOfTrainingJobs are over "
            f"{maximum}."
        )


def _check_kinds(own: Definition, theirs: Definition, parent: str) -> None:
    kinds = {item.name: item.kind for item in theirs.ranges}
    for item in own.ranges:
        if kinds.get(item.name, item.kind) != item.kind:
            raise ValidationError(
                f"The type of hyperparameter {item.name}, {item.kind}, must be the same as in the parent tuning job "
                f"{parent}, {kinds[item.name]}."
            )


def _identify(definition: Definition) -> tuple[tuple[str, bool], int]:
    return (definition.metric, definition.maximize), len(definition.ranges) + len(definition.static)
