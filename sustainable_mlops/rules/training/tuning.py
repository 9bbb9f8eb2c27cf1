"""Hyperparameter tuning: search strategy and stopping."""

from sustainable_mlops.plan import UNKNOWN, Block
from sustainable_mlops.rules.attributes import CreateRequest
from sustainable_mlops.rules.jobs import TUNING_TYPES, check_tunings
from sustainable_mlops.rules.rule import RuleResults, Severity, rule

_STRATEGY = "strategy"
_EARLY = "training_job_early_stopping_type"
_LIMITS = "resource_limits"


@rule(
    id="SUS_TUNING_STRATEGY",
    severity=Severity.WARN,
    title="Tuning should learn from previous jobs",
    problem="Tuning does not learn from previous jobs",
    practices=("27",),
    fix="Use Bayesian, or Hyperband if the algorithm reports its metric after each epoch.",
    types=TUNING_TYPES,
)
@check_tunings
def tuning_strategy(tuning: CreateRequest) -> RuleResults:
    """Check the strategy. Bayesian needs about a tenth of the jobs of a random search (ML Lens)."""
    strategy = tuning.text(_STRATEGY)
    yield tuning.check_value(
        strategy,
        _STRATEGY,
        lambda name: name in ("Bayesian", "Hyperband"),
        f"{strategy} search does not learn from previous jobs",
    )


@rule(
    id="SUS_TUNING_EARLY_STOPPING",
    severity=Severity.WARN,
    title="Tuning should stop unpromising jobs early",
    problem="Tuning does not stop unpromising jobs early",
    practices=("28",),
    fix='Set training_job_early_stopping_type = "Auto".',
    types=TUNING_TYPES,
)
@check_tunings
def tuning_early_stopping(tuning: CreateRequest) -> RuleResults:
    """Check early stopping, which is off by default. Hyperband stops jobs itself."""
    strategy = tuning.text(_STRATEGY)
    if strategy == "Hyperband":
        return
    if strategy is UNKNOWN:
        yield tuning.unknown_result(_STRATEGY)
        return
    yield tuning.check_value(
        tuning.text(_EARLY), _EARLY, lambda kind: kind == "Auto", "unpromising jobs run to their end"
    )


@rule(
    id="SUS_HYPERBAND_EARLY_STOPPING",
    severity=Severity.FAIL,
    title="Hyperband must not use early stopping",
    problem="Hyperband uses early stopping",
    practices=("28",),
    fix='Set training_job_early_stopping_type = "Off". Hyperband stops jobs itself.',
    types=TUNING_TYPES,
)
@check_tunings
def hyperband_stops_itself(tuning: CreateRequest) -> RuleResults:
    """Check the combination: CreateHyperParameterTuningJob refuses Hyperband with Auto."""
    strategy, early = tuning.text(_STRATEGY), tuning.text(_EARLY)
    if early is None or (strategy is not UNKNOWN and strategy != "Hyperband"):
        return
    if strategy is UNKNOWN and early is not UNKNOWN and early != "Auto":
        return
    if strategy is UNKNOWN:
        yield tuning.unknown_result(_STRATEGY)
        return
    yield tuning.check_value(
        early, _EARLY, lambda kind: kind != "Auto", "SageMaker refuses Hyperband with early stopping"
    )


@rule(
    id="SUS_TUNING_COMPLETION",
    severity=Severity.INFO,
    title="Tuning should end when it no longer improves",
    problem="Tuning does not end when it no longer improves",
    practices=("29",),
    fix="Set tuning_job_completion_criteria, such as best_objective_not_improving or convergence_detected.",
    types=TUNING_TYPES,
)
@check_tunings
def tuning_completion(tuning: CreateRequest) -> RuleResults:
    """Check the completion criteria. This is advice: the limit on jobs also ends the search, only later."""
    criteria = tuning.block("tuning_job_completion_criteria")
    values = criteria.values if isinstance(criteria, Block) else criteria
    yield tuning.check_value(
        values,
        "tuning_job_completion_criteria",
        lambda criteria_values: (
            criteria_values is not None and any(value not in (None, []) for value in criteria_values.values())
        ),
        "the search ends only after the maximum number of jobs",
    )


@rule(
    id="SUS_TUNING_PARALLELISM",
    severity=Severity.INFO,
    title="Bayesian tuning should run few jobs in parallel",
    problem="Bayesian tuning runs many jobs in parallel",
    practices=("29",),
    fix="Set max_parallel_training_jobs to a tenth of max_number_of_training_jobs, at least 1.",
    types=TUNING_TYPES,
)
@check_tunings
def tuning_parallelism(tuning: CreateRequest) -> RuleResults:
    """Check the parallel jobs, which cannot learn from each other. A tenth is this project's choice."""
    if (strategy := tuning.text(_STRATEGY)) not in ("Bayesian", UNKNOWN):
        return
    path = f"{_LIMITS}.max_parallel_training_jobs"
    parallel, jobs = tuning.number(path), tuning.number(f"{_LIMITS}.max_number_of_training_jobs")
    if parallel is None or parallel == 1:
        return
    if UNKNOWN in (parallel, jobs, strategy) or parallel is UNKNOWN or jobs is UNKNOWN:
        yield tuning.unknown_result(path)
    elif jobs is not None:
        maximum = max(1, jobs / 10)
        yield tuning.check_value(
            parallel,
            path,
            lambda number: number <= maximum,
            f"{parallel:g} of {jobs:g} jobs run in parallel and cannot learn from each other",
        )
