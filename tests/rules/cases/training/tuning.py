"""Cases of rules/training/tuning.py."""

from typing import Any

from tests.rules.jobs import HIDDEN, IDLE, UNKNOWN, Resources, pipeline, step, tuning


def _step(**config: Any) -> Resources:
    return pipeline(step("Tuning", {"HyperParameterTuningJobConfig": config}))


CASES = {
    "SUS_TUNING_STRATEGY": {
        "pass": {"Bayesian": tuning(strategy="Bayesian"), "Hyperband in a step": _step(Strategy="Hyperband")},
        "fail": {"Grid": tuning(strategy="Grid"), "Random in a step": _step(Strategy="Random")},
        "unknown": {"not known": tuning(strategy=UNKNOWN), **HIDDEN},
        "not_applicable": IDLE,
    },
    "SUS_TUNING_EARLY_STOPPING": {
        "pass": {
            "Auto": tuning(strategy="Bayesian", training_job_early_stopping_type="Auto"),
            "Auto in a step": _step(Strategy="Bayesian", TrainingJobEarlyStoppingType="Auto"),
        },
        "fail": {
            "Off": tuning(strategy="Bayesian", training_job_early_stopping_type="Off"),
            "not set": tuning(strategy="Random"),
        },
        "unknown": {
            "not known": tuning(strategy="Bayesian", training_job_early_stopping_type=UNKNOWN),
            "strategy not known": tuning(strategy=UNKNOWN),
            **HIDDEN,
        },
        "not_applicable": {"Hyperband": tuning(strategy="Hyperband"), **IDLE},
    },
    "SUS_HYPERBAND_EARLY_STOPPING": {
        "pass": {"Off": tuning(strategy="Hyperband", training_job_early_stopping_type="Off")},
        "fail": {
            "Auto": tuning(strategy="Hyperband", training_job_early_stopping_type="Auto"),
            "Auto in a step": _step(Strategy="Hyperband", TrainingJobEarlyStoppingType="Auto"),
        },
        "unknown": {
            "strategy not known": tuning(strategy=UNKNOWN, training_job_early_stopping_type="Auto"),
            "type not known": tuning(strategy="Hyperband", training_job_early_stopping_type=UNKNOWN),
            **HIDDEN,
        },
        "not_applicable": {
            "Bayesian": tuning(strategy="Bayesian", training_job_early_stopping_type="Auto"),
            "not set": tuning(strategy="Hyperband"),
            "off whatever the strategy": tuning(strategy=UNKNOWN, training_job_early_stopping_type="Off"),
            **IDLE,
        },
    },
    "SUS_TUNING_COMPLETION": {
        "pass": {
            "target": tuning(tuning_job_completion_criteria={"target_objective_metric_value": 0.9}),
            "convergence in a step": _step(
                TuningJobCompletionCriteria={"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}
            ),
        },
        "fail": {"none": tuning(strategy="Bayesian"), "empty": _step(TuningJobCompletionCriteria={})},
        "unknown": {
            "not known": tuning(tuning_job_completion_criteria=UNKNOWN),
            "what is in it not known": tuning(tuning_job_completion_criteria=[UNKNOWN]),
            **HIDDEN,
        },
        "not_applicable": IDLE,
    },
    "SUS_TUNING_PARALLELISM": {
        "pass": {
            "a tenth": tuning(
                strategy="Bayesian",
                resource_limits={"max_number_of_training_jobs": 50, "max_parallel_training_jobs": 5},
            )
        },
        "fail": {
            "half": tuning(
                strategy="Bayesian",
                resource_limits={"max_number_of_training_jobs": 20, "max_parallel_training_jobs": 10},
            ),
            "half in a step": _step(
                Strategy="Bayesian", ResourceLimits={"MaxNumberOfTrainingJobs": 8, "MaxParallelTrainingJobs": 4}
            ),
        },
        "unknown": {
            "number not known": tuning(
                strategy="Bayesian",
                resource_limits={"max_number_of_training_jobs": UNKNOWN, "max_parallel_training_jobs": 10},
            ),
            **HIDDEN,
        },
        "not_applicable": {
            "one at a time": tuning(strategy="Bayesian", resource_limits={"max_parallel_training_jobs": 1}),
            "Hyperband": tuning(strategy="Hyperband", resource_limits={"max_parallel_training_jobs": 10}),
            **IDLE,
        },
    },
}
