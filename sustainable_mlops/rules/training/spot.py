"""Managed spot training and warm pools: spare capacity on one side, reserved and idle capacity on the other."""

from collections.abc import Mapping

from sustainable_mlops.plan import UNKNOWN
from sustainable_mlops.rules.jobs import TRAINS, on_trainings
from sustainable_mlops.rules.reading import Request
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule
from sustainable_mlops.rules.training.training_jobs import instance_types

_SPOT = "enable_managed_spot_training"
_KEEP_ALIVE = "resource_config.keep_alive_period_in_seconds"
_PLAN = "resource_config.training_plan_arn"
_GROUPS = "resource_config.instance_groups"
_PREFERENCES = "resource_config.instance_preferences"
_RUNTIME = "stopping_condition.max_runtime_in_seconds"
_WAIT = "stopping_condition.max_wait_time_in_seconds"
#: SageMaker's limit where a built-in algorithm does not checkpoint: little can be lost in an hour.
_LITTLE = 3600


def _refused(training: Request, values: Mapping[str, object], path: str, message: str) -> Verdicts:
    """SageMaker refuses settings that are all set; one that is unset or off settles it, whatever the others are."""
    if any(value is not UNKNOWN and not value for value in values.values()):
        return
    open_ones = [place for place, value in values.items() if value is UNKNOWN]
    yield training.unknown(open_ones[0]) if open_ones else training.failed(path, f"{message}: the job is refused")


@rule(
    id="SUS_TRAINING_SPOT",
    severity=Severity.INFO,
    title="A training job takes spare capacity",
    practices=("33",),
    fix="Set enable_managed_spot_training with a checkpoint_config and max_wait_time_in_seconds.",
    types=TRAINS,
)
@on_trainings
def takes_spare_capacity(training: Request) -> Verdicts:
    """Advice only: a job that must end by a certain time cannot wait. Not asked of jobs on reserved capacity (a
    training plan), on the first of several types that is free, or without instances of their own."""
    if any(training.get(path) not in (None, []) for path in (_PLAN, _PREFERENCES)) or instance_types(training) == []:
        return
    yield training.judge(training.flag(_SPOT), _SPOT, lambda spot: spot is True, "the job takes on-demand capacity")


@rule(
    id="SUS_SPOT_WAIT",
    severity=Severity.FAIL,
    title="Spot training may wait at least as long as it may run",
    practices=("33",),
    fix="Set max_wait_time_in_seconds to max_runtime_in_seconds or more.",
    types=TRAINS,
)
@on_trainings
def waits_long_enough(training: Request) -> Verdicts:
    """CreateTrainingJob refuses spot without a wait, or with one shorter than the run."""
    spot = training.flag(_SPOT)
    if spot is None or spot is False:
        return
    runtime, wait = training.number(_RUNTIME), training.number(_WAIT)
    if spot is UNKNOWN:
        yield training.unknown(_SPOT)
    elif wait is UNKNOWN or runtime is UNKNOWN:
        yield training.unknown(_WAIT if wait is UNKNOWN else _RUNTIME)
    elif wait is None:
        yield training.failed(_WAIT, "spot training needs max_wait_time_in_seconds: the job is refused")
    else:
        longest = 24 * 3600 if runtime is None else runtime
        yield training.judge(
            wait,
            _WAIT,
            lambda seconds: seconds >= longest,
            f"the job may run for {longest:g} s but wait only {wait:g} s: it is refused",
        )


@rule(
    id="SUS_SPOT_CHECKPOINT",
    severity=Severity.WARN,
    title="Spot training keeps checkpoints",
    practices=("33",),
    fix="Give checkpoint_config an s3_uri that does not hold the job's name, and resume from it in the training code.",
    types=TRAINS,
)
@on_trainings
def keeps_checkpoints(training: Request) -> Verdicts:
    """Without them an interruption repeats all the work done. Up to an hour of waiting is let pass, as SageMaker does
    for algorithms that cannot checkpoint."""
    spot = training.flag(_SPOT)
    if spot is None or spot is False:
        return
    path = "checkpoint_config.s3_uri"
    address, wait = training.get(path), training.number(_WAIT)
    if spot is UNKNOWN:
        yield training.unknown(_SPOT)
    elif address is not None:  # an address known only after apply is one
        yield passed()
    elif wait is UNKNOWN:
        yield training.unknown(_WAIT)
    elif wait is not None and wait <= _LITTLE:
        yield passed()
    else:
        yield failed("an interruption of the spot instance repeats all the work done", training.where(path))


@rule(
    id="SUS_SPOT_WARM_POOL",
    severity=Severity.FAIL,
    title="Spot training keeps no warm pool",
    practices=("33", "34"),
    fix="Remove keep_alive_period_in_seconds, or turn managed spot off.",
    types=TRAINS,
)
@on_trainings
def spot_and_warm_pool(training: Request) -> Verdicts:
    """SageMaker refuses the two together ("SageMaker Managed Warm Pools", considerations)."""
    values = {_SPOT: training.flag(_SPOT), _KEEP_ALIVE: training.number(_KEEP_ALIVE)}
    yield from _refused(training, values, _KEEP_ALIVE, "a warm pool cannot be of spot instances")


@rule(
    id="SUS_SPOT_PREFERENCES",
    severity=Severity.FAIL,
    title="Spot training is on one instance type",
    practices=("33",),
    fix="Name one instance_type, or turn managed spot off.",
    types=TRAINS,
)
@on_trainings
def spot_and_preferences(training: Request) -> Verdicts:
    """The API reference of ResourceConfig: InstancePreferences is mutually exclusive with managed spot."""
    values = {_SPOT: training.flag(_SPOT), _PREFERENCES: training.listed(_PREFERENCES)}
    yield from _refused(training, values, _PREFERENCES, "spot takes no list of instance types")


@rule(
    id="SUS_WARM_POOL_GROUPS",
    severity=Severity.FAIL,
    title="A training on groups of instances keeps no warm pool",
    practices=("34",),
    fix="Remove keep_alive_period_in_seconds, or train on instances of one kind.",
    types=TRAINS,
)
@on_trainings
def warm_pool_of_groups(training: Request) -> Verdicts:
    """No warm pool with heterogeneous clusters ("SageMaker Managed Warm Pools", considerations)."""
    values = {_GROUPS: training.listed(_GROUPS), _KEEP_ALIVE: training.number(_KEEP_ALIVE)}
    yield from _refused(training, values, _KEEP_ALIVE, "a warm pool cannot be of a heterogeneous cluster")


@rule(
    id="SUS_WARM_POOL",
    severity=Severity.WARN,
    title="No instances are kept idle after a training job",
    practices=("34",),
    fix="Leave keep_alive_period_in_seconds at 0 but while experimenting.",
    types=TRAINS,
)
@on_trainings
def warm_pool(training: Request) -> Verdicts:
    """A warm pool is billed and uses energy as if it trained. Said only where one is asked for."""
    keep = training.number(_KEEP_ALIVE)
    if keep is None:
        return
    yield training.judge(
        keep,
        _KEEP_ALIVE,
        lambda seconds: seconds == 0,
        "instances stand idle after the job" if keep is UNKNOWN else f"instances stand idle for {keep:g} s after a job",
    )
