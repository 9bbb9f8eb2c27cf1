"""Hyperparameter tuning: a search that needs few jobs and knows when to stop."""

from sustainable_mlops.plan import UNKNOWN, Block
from sustainable_mlops.rules.jobs import TUNES, on_tunings
from sustainable_mlops.rules.reading import Request
from sustainable_mlops.rules.rule import Severity, Verdicts, rule

_STRATEGY = "strategy"
_EARLY = "training_job_early_stopping_type"
_LIMITS = "resource_limits"


@rule(
    id="SUS_TUNING_STRATEGY",
    severity=Severity.WARN,
    title="Tuning learns from the jobs before",
    practices=("27",),
    fix="Use Bayesian, or Hyperband where the algorithm reports its metric epoch by epoch.",
    types=TUNES,
)
@on_tunings
def learns(tuning: Request) -> Verdicts:
    """The ML Lens: Bayesian needs about a tenth of the jobs of a random search."""
    strategy = tuning.text(_STRATEGY)
    yield tuning.judge(
        strategy,
        _STRATEGY,
        lambda name: name in ("Bayesian", "Hyperband"),
        f"{strategy} search tries points without learning from those before",
    )


@rule(
    id="SUS_TUNING_EARLY_STOPPING",
    severity=Severity.WARN,
    title="Tuning stops jobs that will not win",
    practices=("28",),
    fix='Set training_job_early_stopping_type = "Auto".',
    types=TUNES,
)
@on_tunings
def stops_early(tuning: Request) -> Verdicts:
    """Off by default. Hyperband stops jobs itself, so it is not asked."""
    strategy = tuning.text(_STRATEGY)
    if strategy == "Hyperband":
        return
    if strategy is UNKNOWN:
        yield tuning.unknown(_STRATEGY)
        return
    yield tuning.judge(
        tuning.text(_EARLY), _EARLY, lambda kind: kind == "Auto", "jobs that will not win run to their end"
    )


@rule(
    id="SUS_HYPERBAND_EARLY_STOPPING",
    severity=Severity.FAIL,
    title="Hyperband tunes without early stopping",
    practices=("28",),
    fix='Set training_job_early_stopping_type = "Off": Hyperband stops jobs itself.',
    types=TUNES,
)
@on_tunings
def hyperband_stops_itself(tuning: Request) -> Verdicts:
    """CreateHyperParameterTuningJob refuses Hyperband with Auto."""
    strategy, early = tuning.text(_STRATEGY), tuning.text(_EARLY)
    if early is None or (strategy is not UNKNOWN and strategy != "Hyperband"):
        return
    if strategy is UNKNOWN and early is not UNKNOWN and early != "Auto":
        return
    if strategy is UNKNOWN:
        yield tuning.unknown(_STRATEGY)
        return
    yield tuning.judge(early, _EARLY, lambda kind: kind != "Auto", "Hyperband with early stopping is refused")


@rule(
    id="SUS_TUNING_COMPLETION",
    severity=Severity.INFO,
    title="Tuning ends when it no longer improves",
    practices=("29",),
    fix="Set tuning_job_completion_criteria, such as best_objective_not_improving or convergence_detected.",
    types=TUNES,
)
@on_tunings
def ends_when_done(tuning: Request) -> Verdicts:
    """Advice: the limit on jobs ends the search too, only later."""
    criteria = tuning.block("tuning_job_completion_criteria")
    values = criteria.values if isinstance(criteria, Block) else criteria
    yield tuning.judge(
        values,
        "tuning_job_completion_criteria",
        lambda told: told is not None and any(value not in (None, []) for value in told.values()),
        "the search ends only when it has run every job",
    )


@rule(
    id="SUS_TUNING_PARALLELISM",
    severity=Severity.INFO,
    title="Bayesian tuning runs few jobs at once",
    practices=("29",),
    fix="Set max_parallel_training_jobs to a tenth of max_number_of_training_jobs, at least 1.",
    types=TUNES,
)
@on_tunings
def few_at_once(tuning: Request) -> Verdicts:
    """Jobs that start together cannot learn from each other. A tenth is this project's choice."""
    if (strategy := tuning.text(_STRATEGY)) not in ("Bayesian", UNKNOWN):
        return
    path = f"{_LIMITS}.max_parallel_training_jobs"
    parallel, jobs = tuning.number(path), tuning.number(f"{_LIMITS}.max_number_of_training_jobs")
    if parallel is None or parallel == 1:
        return
    if UNKNOWN in (parallel, jobs, strategy) or parallel is UNKNOWN or jobs is UNKNOWN:
        yield tuning.unknown(path)
    elif jobs is not None:
        most = max(1, jobs / 10)
        yield tuning.judge(
            parallel,
            path,
            lambda number: number <= most,
            f"{parallel:g} of {jobs:g} jobs start at once, without learning from each other",
        )
