"""Configuration of a tuning job: its HyperParameterTuningJobConfig."""

from collections.abc import Mapping
from typing import Any

from sustainable_mlops.jobs.kinds.members import drop_missing
from sustainable_mlops.jobs.kinds.training import encode_hyperparameter
from sustainable_mlops.jobs.specs.tuning import CategoricalRangeSpec, IntegerRangeSpec, Range, TuningSpec


def build_tuning_job_config(spec: TuningSpec) -> dict[str, Any]:
    """Return a HyperParameterTuningJobConfig."""
    limits, hyperband, completion = spec.limits, spec.hyperband, spec.limits.completion
    criteria = {
        **drop_missing(TargetObjectiveMetricValue=completion.target),
        **({"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}} if completion.convergence else {}),
    }
    if completion.jobs_without_improvement is not None:
        limit = {"MaxNumberOfTrainingJobsNotImproving": completion.jobs_without_improvement}
        criteria["BestObjectiveNotImproving"] = limit
    resources = hyperband and {"MinResource": hyperband.min_epochs, "MaxResource": hyperband.max_epochs}
    return {
        "Strategy": spec.strategy.capitalize(),
        "HyperParameterTuningJobObjective": {
            "Type": spec.objective.goal.capitalize(),
            "MetricName": spec.objective.metric,
        },
        "ResourceLimits": {
            "MaxNumberOfTrainingJobs": spec.jobs,
            "MaxParallelTrainingJobs": limits.max_parallel,
            "MaxRuntimeInSeconds": limits.max_runtime_minutes * 60,
        },
        "ParameterRanges": _build_ranges(spec.ranges),
        "TrainingJobEarlyStoppingType": "Auto" if spec.is_early_stopping else "Off",
        "RandomSeed": spec.seed,
        **drop_missing(
            StrategyConfig={"HyperbandStrategyConfig": resources} if resources else None,
            TuningJobCompletionCriteria=criteria or None,
        ),
    }


def _build_ranges(ranges: Mapping[str, Range]) -> dict[str, Any]:
    ranges_by_type: dict[str, list[dict[str, Any]]] = {}
    for name, parameter_range in sorted(ranges.items()):
        if isinstance(parameter_range, CategoricalRangeSpec):
            parameter: dict[str, Any] = {
                "Name": name,
                "Values": [encode_hyperparameter(value) for value in parameter_range.values],
            }
        else:
            scaling = "".join(word.capitalize() for word in parameter_range.scaling.split("_"))
            parameter = {
                "Name": name,
                "MinValue": str(parameter_range.min),
                "MaxValue": str(parameter_range.max),
                "ScalingType": scaling,
            }
        ranges_by_type.setdefault(_name_range_field(parameter_range), []).append(parameter)
    return ranges_by_type


def _name_range_field(parameter_range: Range) -> str:
    if isinstance(parameter_range, CategoricalRangeSpec):
        return "CategoricalParameterRanges"
    return "IntegerParameterRanges" if isinstance(parameter_range, IntegerRangeSpec) else "ContinuousParameterRanges"
