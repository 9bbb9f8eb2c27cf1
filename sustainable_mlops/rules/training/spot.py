"""Managed spot training and warm pools.

Spot uses spare capacity; a warm pool keeps reserved capacity idle.
"""

from collections.abc import Mapping

from sustainable_mlops.plan import UNKNOWN
from sustainable_mlops.rules.attributes import CreateRequest
from sustainable_mlops.rules.jobs import TRAINING_TYPES, check_trainings
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success
from sustainable_mlops.rules.training.training_jobs import list_instance_types

_SPOT = "enable_managed_spot_training"
_KEEP_ALIVE = "resource_config.keep_alive_period_in_seconds"
_PLAN = "resource_config.training_plan_arn"
_GROUPS = "resource_config.instance_groups"
_PREFERENCES = "resource_config.instance_preferences"
_RUNTIME = "stopping_condition.max_runtime_in_seconds"
_WAIT = "stopping_condition.max_wait_time_in_seconds"
#: SageMaker's limit for a built-in algorithm without checkpoints: an hour of work can be lost.
_MAX_UNSAVED_SECONDS = 3600


def _check_conflict(training: CreateRequest, values: Mapping[str, object], path: str, message: str) -> RuleResults:
    """Report settings that SageMaker refuses together. One unset setting is enough to accept the others."""
    if any(value is not UNKNOWN and not value for value in values.values()):
        return
    unknown_paths = [location for location, value in values.items() if value is UNKNOWN]
    yield (
        training.unknown_result(unknown_paths[0])
        if unknown_paths
        else training.failure(path, f"{message}: SageMaker refuses the job")
    )


@rule(
    id="SUS_TRAINING_SPOT",
    severity=Severity.INFO,
    title="A training job should use spot capacity",
    problem="A training job does not use spot capacity",
    practices=("33",),
    fix="Set enable_managed_spot_training with a checkpoint_config and max_wait_time_in_seconds.",
    types=TRAINING_TYPES,
)
@check_trainings
def training_spot(training: CreateRequest) -> RuleResults:
    """Check that the job uses spot. This is advice: a job with a deadline cannot wait.

    The rule does not apply to jobs on reserved capacity (a training plan) or with several instance types to choose
    from. It does not apply to jobs without instances of their own either.
    """
    if (
        any(training.get(path) not in (None, []) for path in (_PLAN, _PREFERENCES))
        or list_instance_types(training) == []
    ):
        return
    yield training.check_value(
        training.flag(_SPOT), _SPOT, lambda spot: spot is True, "the job uses on-demand capacity"
    )


@rule(
    id="SUS_SPOT_WAIT",
    severity=Severity.FAIL,
    title="The maximum wait of spot training must not be shorter than its maximum runtime",
    problem="The maximum wait of spot training is shorter than its maximum runtime",
    practices=("33",),
    fix="Set max_wait_time_in_seconds to max_runtime_in_seconds or more.",
    types=TRAINING_TYPES,
)
@check_trainings
def spot_wait(training: CreateRequest) -> RuleResults:
    """Check the maximum wait: CreateTrainingJob refuses spot without it, or with one shorter than the run."""
    spot = training.flag(_SPOT)
    if spot is None or spot is False:
        return
    runtime, wait = training.number(_RUNTIME), training.number(_WAIT)
    if spot is UNKNOWN:
        yield training.unknown_result(_SPOT)
    elif wait is UNKNOWN or runtime is UNKNOWN:
        yield training.unknown_result(_WAIT if wait is UNKNOWN else _RUNTIME)
    elif wait is None:
        yield training.failure(_WAIT, "spot training needs max_wait_time_in_seconds: SageMaker refuses the job")
    else:
        longest = 24 * 3600 if runtime is None else runtime
        yield training.check_value(
            wait,
            _WAIT,
            lambda seconds: seconds >= longest,
            f"the job may run for {longest:g} s but wait only {wait:g} s: SageMaker refuses it",
        )


@rule(
    id="SUS_SPOT_CHECKPOINT",
    severity=Severity.WARN,
    title="Spot training should write checkpoints",
    problem="Spot training writes no checkpoints",
    practices=("33",),
    fix=("Set checkpoint_config.s3_uri to an address without the job's name, and resume from it in the training code."),
    types=TRAINING_TYPES,
)
@check_trainings
def spot_checkpoints(training: CreateRequest) -> RuleResults:
    """Check that spot training writes checkpoints. Without them an interruption loses all progress.

    A wait of up to an hour passes, as SageMaker accepts it for algorithms without checkpoints.
    """
    spot = training.flag(_SPOT)
    if spot is None or spot is False:
        return
    path = "checkpoint_config.s3_uri"
    address, wait = training.get(path), training.number(_WAIT)
    if spot is UNKNOWN:
        yield training.unknown_result(_SPOT)
    elif address is not None:  # an address that is known only after apply counts
        yield success()
    elif wait is UNKNOWN:
        yield training.unknown_result(_WAIT)
    elif wait is not None and wait <= _MAX_UNSAVED_SECONDS:
        yield success()
    else:
        yield failure("an interruption of the spot instance loses all progress", training.locate(path))


@rule(
    id="SUS_SPOT_WARM_POOL",
    severity=Severity.FAIL,
    title="Spot training must not use a warm pool",
    problem="Spot training uses a warm pool",
    practices=("33", "34"),
    fix="Remove keep_alive_period_in_seconds, or turn managed spot off.",
    types=TRAINING_TYPES,
)
@check_trainings
def spot_and_warm_pool(training: CreateRequest) -> RuleResults:
    """Check for both settings, which SageMaker refuses together ("SageMaker Managed Warm Pools", considerations)."""
    values = {_SPOT: training.flag(_SPOT), _KEEP_ALIVE: training.number(_KEEP_ALIVE)}
    yield from _check_conflict(training, values, _KEEP_ALIVE, "a warm pool cannot use spot instances")


@rule(
    id="SUS_SPOT_PREFERENCES",
    severity=Severity.FAIL,
    title="Spot training must use one instance type",
    problem="Spot training uses several instance types",
    practices=("33",),
    fix="Set one instance_type, or turn managed spot off.",
    types=TRAINING_TYPES,
)
@check_trainings
def spot_and_preferences(training: CreateRequest) -> RuleResults:
    """Check that the job does not use spot together with `instance_preferences`.

    InstancePreferences is mutually exclusive with managed spot (API reference, ResourceConfig).
    """
    values = {_SPOT: training.flag(_SPOT), _PREFERENCES: training.count_blocks(_PREFERENCES)}
    yield from _check_conflict(training, values, _PREFERENCES, "spot training does not accept a list of instance types")


@rule(
    id="SUS_WARM_POOL_GROUPS",
    severity=Severity.FAIL,
    title="A training job with instance groups must not use a warm pool",
    problem="A training job with instance groups uses a warm pool",
    practices=("34",),
    fix="Remove keep_alive_period_in_seconds, or train on instances of one type.",
    types=TRAINING_TYPES,
)
@check_trainings
def warm_pool_of_groups(training: CreateRequest) -> RuleResults:
    """Check for both: heterogeneous clusters have no warm pool ("SageMaker Managed Warm Pools", considerations)."""
    values = {_GROUPS: training.count_blocks(_GROUPS), _KEEP_ALIVE: training.number(_KEEP_ALIVE)}
    yield from _check_conflict(training, values, _KEEP_ALIVE, "a warm pool cannot use instance groups")


@rule(
    id="SUS_WARM_POOL",
    severity=Severity.WARN,
    title="A training job should not keep idle instances in a warm pool",
    problem="A training job keeps idle instances in a warm pool",
    practices=("34",),
    fix="Leave keep_alive_period_in_seconds at 0, except during experiments.",
    types=TRAINING_TYPES,
)
@check_trainings
def warm_pool(training: CreateRequest) -> RuleResults:
    """Check that the job has no warm pool, which is billed and uses energy like a training job."""
    keep = training.number(_KEEP_ALIVE)
    if keep is None:
        return
    yield training.check_value(
        keep,
        _KEEP_ALIVE,
        lambda seconds: seconds == 0,
        "instances stay idle after the job" if keep is UNKNOWN else f"instances stay idle for {keep:g} s after a job",
    )
