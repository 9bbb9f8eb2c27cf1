"""What a tuning job is asked to search, and how far."""

from collections.abc import Mapping
from typing import Any

from sustainable_mlops.jobs.kinds.members import optional
from sustainable_mlops.jobs.kinds.training import encoded
from sustainable_mlops.jobs.specs.tuning import Categorical, Integer, Range, Tuning


def search(spec: Tuning) -> dict[str, Any]:
    """A HyperParameterTuningJobConfig."""
    limits, hyperband, done = spec.limits, spec.hyperband, spec.limits.completion
    criteria = {
        **optional(TargetObjectiveMetricValue=done.target),
        **({"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}} if done.convergence else {}),
    }
    if done.jobs_without_improvement is not None:
        most = {"MaxNumberOfTrainingJobsNotImproving": done.jobs_without_improvement}
        criteria["BestObjectiveNotImproving"] = most
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
        "ParameterRanges": _ranges(spec.ranges),
        "TrainingJobEarlyStoppingType": "Auto" if spec.stops_early else "Off",
        "RandomSeed": spec.seed,
        **optional(
            StrategyConfig={"HyperbandStrategyConfig": resources} if resources else None,
            TuningJobCompletionCriteria=criteria or None,
        ),
    }


def _ranges(ranges: Mapping[str, Range]) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {}
    for name, one in sorted(ranges.items()):
        if isinstance(one, Categorical):
            given: dict[str, Any] = {"Name": name, "Values": [encoded(value) for value in one.values]}
        else:
            scaling = "".join(word.capitalize() for word in one.scaling.split("_"))
            given = {"Name": name, "MinValue": str(one.min), "MaxValue": str(one.max), "ScalingType": scaling}
        found.setdefault(_member(one), []).append(given)
    return found


def _member(one: Range) -> str:
    if isinstance(one, Categorical):
        return "CategoricalParameterRanges"
    return "IntegerParameterRanges" if isinstance(one, Integer) else "ContinuousParameterRanges"
