"""Schedules: the expressions of EventBridge, EventBridge Scheduler and SageMaker, and what they start."""

import json
from collections.abc import Iterator
from functools import lru_cache

from sustainable_mlops.aws import cron
from sustainable_mlops.catalogue.month import HOURS_PER_MONTH
from sustainable_mlops.plan.joins import Joins
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.values import UNKNOWN, Block, Unknown, combine_any

EVENT_RULE = "aws_cloudwatch_event_rule"
EVENT_TARGET = "aws_cloudwatch_event_target"
PIPELINE = "aws_sagemaker_pipeline"
SCHEDULE = "aws_scheduler_schedule"

#: The target of a schedule that starts a pipeline by an API call, which can use version aliases.
_CALL = ":aws-sdk:sagemaker:startPipelineExecution"
_UNIT_HOURS = {"minute": 1 / 60, "hour": 1.0, "day": 24.0}
#: Days of each month of a year of 365 days (8,760 h).
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def count_runs_per_month(expression: str | Unknown | None) -> float | Unknown:
    """Return the mean number of runs in a month of 730 h, or UNKNOWN for an invalid expression.

    The expression is `rate(value unit)` or `cron(…)` (see `aws.cron`), whose year counts as the current one. A
    schedule that runs once (`at(…)`, `NOW`) counts as one run.
    """
    if not isinstance(expression, str):
        return UNKNOWN
    kind, _, rest = expression.strip().partition("(")
    fields = rest.removesuffix(")")
    try:
        if kind == "rate":
            value, unit = fields.split()
            return HOURS_PER_MONTH / (cron.parse_positive(value) * _UNIT_HOURS[unit.removesuffix("s")])
        if kind == "cron":
            return _count_cron_runs(cron.parse_cron(fields))
    except (ValueError, KeyError, ArithmeticError):
        return UNKNOWN
    return 1.0 if kind in ("at", "NOW") else UNKNOWN


def _count_cron_runs(expression: cron.CronExpression) -> float:
    dates = sum(
        _count_weekdays(expression.weekdays, _DAYS[month - 1])
        if expression.days in cron.ANY_VALUE
        else _count_dates(expression.days, _DAYS[month - 1])
        for month in cron.list_values(expression.months, 1, 12, cron.MONTHS)
    )
    return len(expression.list_minutes()) * dates / 12


def _count_dates(field: str, last: int) -> int:
    """Return the number of selected days of a month of `last` days; `L`, `L-3`, `LW` and `15W` are one each."""
    items = field.split(",")
    single = [item for item in items if "L" in item or "W" in item]
    days = {day for item in items if item not in single for day in cron.list_values(item, 1, 31) if day <= last}
    return len(single) + len(days)


def _count_weekdays(field: str, last: int) -> float:
    """Return the mean number of selected days of a month of `last` days; `6L` is one, and so is `6#3`."""
    items = field.split(",")
    one_of_month = [item for item in items if cron.is_day_of_month(item)]
    fifth = sum(item.endswith("#5") for item in one_of_month)  # a month of 30 days has a fifth of two weekdays
    weekdays = {
        day
        for item in items
        if item not in one_of_month
        for day in cron.list_values("7" if item == "L" else item, 1, 7, cron.WEEKDAYS)
    }
    return len(one_of_month) - fifth + fifth * (last - 28) / 7 + len(weekdays) * last / 7


def list_start_rates(pipeline: Resource, joins: Joins) -> list[float | Unknown]:
    """Return how many times a month each schedule and rule of the plan starts `pipeline`.

    The value is UNKNOWN for events and for values known after apply. A disabled schedule does not count.
    """
    values = pipeline.get_values(before=joins.before)
    by_target = _group_triggers(joins)
    triggers = [*by_target.get(id(pipeline), ()), *by_target.get(values.text("pipeline_name"), ())]
    return [rate for trigger in triggers if (rate := _count_runs(trigger, joins)) is not None]


@lru_cache(maxsize=4)
def _group_triggers(joins: Joins) -> dict[object, list[Resource]]:
    """Return the triggers of pipelines, by the `id()` of the pipeline, or by its name if only an ARN tells it."""
    triggers: dict[object, list[Resource]] = {}
    for schedule in joins.list_existing(SCHEDULE):
        triggers.setdefault(_find_target_key(schedule, "target.0.arn", joins), []).append(schedule)
    for target in joins.list_existing(EVENT_TARGET):
        rule = joins.find_target(target, "rule", EVENT_RULE)
        if isinstance(rule, Resource):
            triggers.setdefault(_find_target_key(target, "arn", joins), []).append(rule)
    return triggers


def find_called_pipeline(schedule: Block) -> str | Unknown | None:
    """Return the name of the pipeline that a schedule starts by an API call, or None if it does not start one."""
    arn, body = schedule.text("target.0.arn"), schedule.text("target.0.input")
    if not isinstance(arn, str) or not arn.endswith(_CALL):
        return None
    try:
        name = json.loads(body)["PipelineName"] if isinstance(body, str) else None
    except (ValueError, TypeError, KeyError):
        name = None
    return name.rpartition(":pipeline/")[2] if isinstance(name, str) else UNKNOWN


def _find_target_key(trigger: Resource, path: str, joins: Joins) -> object:
    pipeline = joins.find_target(trigger, path, PIPELINE)
    if isinstance(pipeline, Resource):
        return id(pipeline)
    values = trigger.get_values(before=joins.before)
    pipeline_name, arn = find_called_pipeline(values), values.text(path)
    if pipeline_name is not None:
        return pipeline_name
    return arn.rpartition(":pipeline/")[2] if isinstance(arn, str) and ":sagemaker:" in arn else ""


def has_deletion_schedule(endpoint: Resource, joins: Joins) -> bool | Unknown:
    """Return whether a schedule of the plan calls DeleteEndpoint with the name of `endpoint`."""
    return combine_any(
        calls_endpoint
        for _, calls_endpoint in find_calling_schedules("sagemaker:deleteEndpoint", endpoint, "name", joins)
    )


def find_calling_schedules(
    call: str, resource: Resource, name_path: str, joins: Joins
) -> Iterator[tuple[Resource, bool | Unknown]]:
    """Yield each schedule that calls an API operation such as `sagemaker:deleteEndpoint`, or may do so.

    The second value is true if the call names `resource`. The name of the resource is at `name_path`.
    """
    for schedule in _list_calling_schedules(call, joins):
        yield schedule, _names_resource(schedule, resource, name_path, joins)


@lru_cache(maxsize=16)
def _list_calling_schedules(call: str, joins: Joins) -> list[Resource]:
    """Return the schedules that call an API operation, or may do so.

    A schedule whose target is another resource of the plan does not call it.
    """
    schedules = []
    for schedule in joins.list_existing(SCHEDULE):
        values = schedule.get_values(before=joins.before)
        arn = values.text("target.0.arn")
        targets_another = arn is UNKNOWN and joins.find_references(schedule, "target.0.arn").resources
        calls = arn is UNKNOWN or call in (arn or "")
        if calls and not targets_another and values.get("state") != "DISABLED":
            schedules.append(schedule)
    return schedules


def _names_resource(schedule: Resource, resource: Resource, name_path: str, joins: Joins) -> bool | Unknown:
    values = schedule.get_values(before=joins.before)
    if UNKNOWN in (values.text("target.0.arn"), values.text("state")):
        return UNKNOWN
    body, name = values.text("target.0.input"), resource.get_values(before=joins.before).text(name_path)
    if isinstance(body, str) and isinstance(name, str):
        return name in body
    resources = joins.list_referenced(schedule, "target", resource.type)
    return resource in resources if resources else UNKNOWN


def _count_runs(trigger: Resource, joins: Joins) -> float | Unknown | None:
    values = trigger.get_values(before=joins.before)
    if values.get("state") == "DISABLED" or values.get("is_enabled") is False:
        return None
    return count_runs_per_month(values.text("schedule_expression"))
