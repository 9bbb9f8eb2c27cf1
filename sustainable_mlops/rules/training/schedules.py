"""Triggers of pipelines: events or schedules."""

from collections.abc import Iterator

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.plan.schedules import EVENT_RULE, EVENT_TARGET, SCHEDULE, find_called_pipeline
from sustainable_mlops.rules.attributes import check_value
from sustainable_mlops.rules.jobs import PIPELINE, TRAINING_STEPS, find_pipeline
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result


def _list_triggered_pipelines(plan: Plan, trigger: Resource) -> Iterator[Resource | Unknown | None]:
    """Yield the pipelines that an event rule or a schedule starts; None stands for one outside this plan."""
    if trigger.type == SCHEDULE:
        block = "target.0.sagemaker_pipeline_parameters"
        pipeline_name = find_called_pipeline(trigger.get_values(before=False))
        if pipeline_name is not None:
            pipelines = (
                pipeline for pipeline in plan.list_by_type(PIPELINE) if pipeline.text("pipeline_name") == pipeline_name
            )
            yield UNKNOWN if pipeline_name is UNKNOWN else next(pipelines, None)
        elif _is_pipeline(plan, trigger, "target.0.arn", block):
            yield plan.joins.find_target(trigger, "target.0.arn", PIPELINE)
        return
    for target in plan.joins.find_sources(trigger, EVENT_TARGET, "rule").certain:
        if _is_pipeline(plan, target, "arn", "sagemaker_pipeline_target"):
            yield plan.joins.find_target(target, "arn", PIPELINE)


def _is_pipeline(plan: Plan, target: Resource, arn: str, block: str) -> bool:
    text = target.text(arn)
    if target.get(block) not in (None, [], UNKNOWN):
        return True
    if isinstance(text, str):
        return ":sagemaker:" in text and ":pipeline/" in text
    return isinstance(plan.joins.find_target(target, arn, PIPELINE), Resource)


def _is_clock(trigger: Resource) -> bool | Unknown | None:
    """Return whether the trigger runs repeatedly on a schedule, or None if it has no schedule.

    After an apply, the schedule of a rule without one is an empty text.
    """
    expression = trigger.text("schedule_expression")
    if expression is UNKNOWN:
        return UNKNOWN
    return None if not expression or expression.startswith("at(") else True


def _is_training(plan: Plan, pipeline: Resource) -> bool | Unknown:
    definition = find_pipeline(plan, pipeline)
    if definition is None or definition.steps is UNKNOWN:
        return UNKNOWN
    return bool(definition.list_steps(*TRAINING_STEPS))


@rule(
    id="SUS_RETRAINING_BY_CLOCK",
    severity=Severity.WARN,
    title="Retraining should start on evidence, not on a schedule",
    problem="Retraining starts on a schedule, not on evidence",
    practices=("75", "8"),
    fix="Start the pipeline by an event: an alarm on drift or on a business metric, or new data in the bucket.",
    types=(EVENT_RULE, SCHEDULE),
)
def retraining_by_schedule(plan: Plan, trigger: Resource) -> RuleResults:
    """Check triggers of pipelines with training steps. A pipeline outside this plan may train."""
    for pipeline in _list_triggered_pipelines(plan, trigger):
        clock = _is_clock(trigger)
        if not isinstance(pipeline, Resource):
            if clock is not None:
                yield unknown_result("this plan does not show whether the pipeline trains", "schedule_expression")
            elif trigger.type == EVENT_RULE:
                yield success()
            continue
        trains = _is_training(plan, pipeline)
        if trains is False:
            continue
        if clock is None:
            yield success()
        elif clock is UNKNOWN or trains is UNKNOWN:
            yield unknown_result(
                "it is not known until apply whether the pipeline trains on a schedule", "schedule_expression"
            )
        else:
            yield failure(
                f"{pipeline.address} trains on a schedule, even without new data or drift", "schedule_expression"
            )


@rule(
    id="SUS_PIPELINE_BY_CLOCK",
    severity=Severity.INFO,
    title="A pipeline should be started by an event",
    problem="A pipeline starts on a schedule, not on an event",
    practices=("8",),
    fix="Start it when data arrives: EventBridge events of the bucket and a rule with an event_pattern.",
    types=(EVENT_RULE, SCHEDULE),
)
def pipeline_by_schedule(plan: Plan, trigger: Resource) -> RuleResults:
    """Check triggers of pipelines without training steps, such as batch scoring. This is advice.

    SUS_RETRAINING_BY_CLOCK checks pipelines that train.
    """
    for pipeline in _list_triggered_pipelines(plan, trigger):
        if not isinstance(pipeline, Resource) or _is_training(plan, pipeline) is not False:
            continue
        clock = _is_clock(trigger)
        yield check_value(
            UNKNOWN if clock is UNKNOWN else clock is True,
            "schedule_expression",
            lambda by_clock: not by_clock,
            f"{pipeline.address} runs on a schedule, even without new data",
        )


@rule(
    id="SUS_SCHEDULE_FLEXIBLE",
    severity=Severity.WARN,
    title="A schedule should have a flexible time window",
    problem="A schedule has no flexible time window",
    practices=("8",),
    fix='Set flexible_time_window { mode = "FLEXIBLE", maximum_window_in_minutes = 60 }.',
    types=(SCHEDULE,),
)
def schedules_are_flexible(plan: Plan, schedule: Resource) -> RuleResults:
    """Check schedules that start a pipeline or call SageMaker. Jobs that all start on the hour cause peaks."""
    arn = schedule.text("target.0.arn")
    calls = isinstance(arn, str) and ":aws-sdk:sagemaker:" in arn
    if calls or list(_list_triggered_pipelines(plan, schedule)):
        path = "flexible_time_window.0.mode"
        yield check_value(
            schedule.text(path),
            path,
            lambda mode: mode == "FLEXIBLE",
            "the job starts at a fixed minute, when many other jobs start too",
        )
