"""Cases of rules/training/tuning.py."""

from typing import Any

from tests.rules.jobs import HIDDEN, IDLE, UNKNOWN, Resources, build_pipeline, build_step, build_tuning


def _step(**config: Any) -> Resources:
    return build_pipeline(build_step("Tuning", {"HyperParameterTuningJobConfig": config}))


CASES = {
    "SUS_TUNING_STRATEGY": {
        "pass": {"Bayesian": build_tuning(strategy="Bayesian"), "Hyperband in a step": _step(Strategy="Hyperband")},
        "fail": {"Grid": build_tuning(strategy="Grid"), "Random in a step": _step(Strategy="Random")},
        "unknown": {"unknown": build_tuning(strategy=UNKNOWN), **HIDDEN},
        "not_applicable": IDLE,
    },
    "SUS_TUNING_EARLY_STOPPING": {
        "pass": {
            "Auto": build_tuning(strategy="Bayesian", training_job_early_stopping_type="Auto"),
            "Auto in a step": _step(Strategy="Bayesian", TrainingJobEarlyStoppingType="Auto"),
        },
        "fail": {
            "Off": build_tuning(strategy="Bayesian", training_job_early_stopping_type="Off"),
            "not set": build_tuning(strategy="Random"),
        },
        "unknown": {
            "unknown": build_tuning(strategy="Bayesian", training_job_early_stopping_type=UNKNOWN),
            "unknown strategy": build_tuning(strategy=UNKNOWN),
            **HIDDEN,
        },
        "not_applicable": {"Hyperband": build_tuning(strategy="Hyperband"), **IDLE},
    },
    "SUS_HYPERBAND_EARLY_STOPPING": {
        "pass": {"Off": build_tuning(strategy="Hyperband", training_job_early_stopping_type="Off")},
        "fail": {
            "Auto": build_tuning(strategy="Hyperband", training_job_early_stopping_type="Auto"),
            "Auto in a step": _step(Strategy="Hyperband", TrainingJobEarlyStoppingType="Auto"),
        },
        "unknown": {
            "unknown strategy": build_tuning(strategy=UNKNOWN, training_job_early_stopping_type="Auto"),
            "unknown type": build_tuning(strategy="Hyperband", training_job_early_stopping_type=UNKNOWN),
            **HIDDEN,
        },
        "not_applicable": {
            "Bayesian": build_tuning(strategy="Bayesian", training_job_early_stopping_type="Auto"),
            "not set": build_tuning(strategy="Hyperband"),
            "off with an unknown strategy": build_tuning(strategy=UNKNOWN, training_job_early_stopping_type="Off"),
            **IDLE,
        },
    },
    "SUS_TUNING_COMPLETION": {
        "pass": {
            "target": build_tuning(tuning_job_completion_criteria={"target_objective_metric_value": 0.9}),
            "convergence in a step": _step(
                TuningJobCompletionCriteria={"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}
            ),
        },
        "fail": {"none": build_tuning(strategy="Bayesian"), "empty": _step(TuningJobCompletionCriteria={})},
        "unknown": {
            "unknown": build_tuning(tuning_job_completion_criteria=UNKNOWN),
            "unknown criteria": build_tuning(tuning_job_completion_criteria=[UNKNOWN]),
            **HIDDEN,
        },
        "not_applicable": IDLE,
    },
    "SUS_TUNING_PARALLELISM": {
        "pass": {
            "10 %": build_tuning(
                strategy="Bayesian",
                resource_limits={"max_number_of_training_jobs": 50, "max_parallel_training_jobs": 5},
            )
        },
        "fail": {
            "half": build_tuning(
                strategy="Bayesian",
                resource_limits={"max_number_of_training_jobs": 20, "max_parallel_training_jobs": 10},
            ),
            "half in a step": _step(
                Strategy="Bayesian", ResourceLimits={"MaxNumberOfTrainingJobs": 8, "MaxParallelTrainingJobs": 4}
            ),
        },
        "unknown": {
            "unknown number": build_tuning(
                strategy="Bayesian",
                resource_limits={"max_number_of_training_jobs": UNKNOWN, "max_parallel_training_jobs": 10},
            ),
            **HIDDEN,
        },
        "not_applicable": {
            "one at a time": build_tuning(strategy="Bayesian", resource_limits={"max_parallel_training_jobs": 1}),
            "Hyperband": build_tuning(strategy="Hyperband", resource_limits={"max_parallel_training_jobs": 10}),
            **IDLE,
        },
    },
}
