"""What starts a pipeline: data or evidence, rather than the clock."""

from collections.abc import Iterator

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.plan.schedules import EVENT_RULE, EVENT_TARGET, SCHEDULE, pipeline_called
from sustainable_mlops.rules.jobs import PIPELINE, TRAINING_STEPS, pipeline_of
from sustainable_mlops.rules.reading import judge
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown


def _started(plan: Plan, starter: Resource) -> Iterator[Resource | Unknown | None]:
    """The pipelines that a rule or a schedule starts; None for one that is not in this plan."""
    if starter.type == SCHEDULE:
        block = "target.0.sagemaker_pipeline_parameters"
        called = pipeline_called(starter.values(before=False))
        if called is not None:
            named = (one for one in plan.by_type(PIPELINE) if one.text("pipeline_name") == called)
            yield UNKNOWN if called is UNKNOWN else next(named, None)
        elif _is_pipeline(plan, starter, "target.0.arn", block):
            yield plan.joins.target(starter, "target.0.arn", PIPELINE)
        return
    for target in plan.joins.sources(starter, EVENT_TARGET, "rule").sure:
        if _is_pipeline(plan, target, "arn", "sagemaker_pipeline_target"):
            yield plan.joins.target(target, "arn", PIPELINE)


def _is_pipeline(plan: Plan, target: Resource, arn: str, block: str) -> bool:
    text = target.text(arn)
    if target.get(block) not in (None, [], UNKNOWN):
        return True
    if isinstance(text, str):
        return ":sagemaker:" in text and ":pipeline/" in text
    return isinstance(plan.joins.target(target, arn, PIPELINE), Resource)


def _clock(starter: Resource) -> bool | Unknown | None:
    """Whether it starts again and again by the clock; None where it does not start anything by the clock."""
    expression = starter.text("schedule_expression")
    if expression is UNKNOWN:
        return UNKNOWN
    return None if expression is None or expression.startswith("at(") else True


def _trains(plan: Plan, pipeline: Resource) -> bool | Unknown:
    found = pipeline_of(plan, pipeline)
    if found is None or found.steps is UNKNOWN:
        return UNKNOWN
    return bool(found.of_type(*TRAINING_STEPS))


@rule(
    id="SUS_RETRAINING_BY_CLOCK",
    severity=Severity.WARN,
    title="A model is trained again on evidence, not by the clock",
    practices=("75", "8"),
    fix="Start the pipeline by an event: an alarm on drift or on a business metric, or new data in the bucket.",
    types=(EVENT_RULE, SCHEDULE),
)
def retrains_on_evidence(plan: Plan, starter: Resource) -> Verdicts:
    """Of what starts a pipeline with training steps. Where the pipeline is not in this plan, it may train."""
    for pipeline in _started(plan, starter):
        clock = _clock(starter)
        if not isinstance(pipeline, Resource):
            if clock is not None:
                yield unknown("whether the pipeline trains cannot be told from this plan", "schedule_expression")
            elif starter.type == EVENT_RULE:
                yield passed()
            continue
        trains = _trains(plan, pipeline)
        if trains is False:
            continue
        if clock is None:
            yield passed()
        elif clock is UNKNOWN or trains is UNKNOWN:
            yield unknown("whether the pipeline trains by the clock is not known until apply", "schedule_expression")
        else:
            yield failed(f"{pipeline.address} trains by the clock, needed or not", "schedule_expression")


@rule(
    id="SUS_PIPELINE_BY_CLOCK",
    severity=Severity.INFO,
    title="A pipeline is started by an event",
    practices=("8",),
    fix="Start it by the arrival of data: EventBridge events of the bucket and a rule with an event_pattern.",
    types=(EVENT_RULE, SCHEDULE),
)
def started_by_an_event(plan: Plan, starter: Resource) -> Verdicts:
    """Advice for pipelines that do not train, such as those that score a day's data: those that train are
    SUS_RETRAINING_BY_CLOCK's."""
    for pipeline in _started(plan, starter):
        if not isinstance(pipeline, Resource) or _trains(plan, pipeline) is not False:
            continue
        clock = _clock(starter)
        yield judge(
            UNKNOWN if clock is UNKNOWN else clock is True,
            "schedule_expression",
            lambda by_clock: not by_clock,
            f"{pipeline.address} runs by the clock, whether there is new data or not",
        )


@rule(
    id="SUS_SCHEDULE_FLEXIBLE",
    severity=Severity.WARN,
    title="A schedule leaves room for when there is capacity",
    practices=("8",),
    fix='Set flexible_time_window { mode = "FLEXIBLE", maximum_window_in_minutes = 60 }.',
    types=(SCHEDULE,),
)
def schedules_are_flexible(plan: Plan, schedule: Resource) -> Verdicts:
    """Of schedules that start a SageMaker pipeline or call SageMaker; jobs that all start on the hour make peaks."""
    arn = schedule.text("target.0.arn")
    calls = isinstance(arn, str) and ":aws-sdk:sagemaker:" in arn
    if calls or list(_started(plan, schedule)):
        path = "flexible_time_window.0.mode"
        yield judge(
            schedule.text(path), path, lambda mode: mode == "FLEXIBLE", "the work starts on the minute, like all others"
        )
