"""How often a clock starts something: the expressions of EventBridge, its Scheduler and SageMaker's schedules."""

from functools import lru_cache

from sustainable_mlops.plan.joins import Joins
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.values import UNKNOWN, Unknown

EVENT_RULE = "aws_cloudwatch_event_rule"
EVENT_TARGET = "aws_cloudwatch_event_target"
PIPELINE = "aws_sagemaker_pipeline"
SCHEDULE = "aws_scheduler_schedule"

_HOURS_PER_MONTH = 730.0
_UNIT_HOURS = {"minute": 1 / 60, "hour": 1.0, "day": 24.0}
#: Of the 365 days that a twelfth of 8,760 h rests on.
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_ANY = ("*", "?")


def runs_per_month(expression: str | Unknown | None) -> float | Unknown:
    """Mean runs in a month of 730 h; UNKNOWN for what is no schedule. What runs once (`at(…)`, `NOW`) runs once.

    `rate(value unit)`, and `cron(minutes hours day-of-month month day-of-week year)` as the EventBridge user guide
    has them ("Cron expressions reference"), of which the year is taken as this one.
    """
    if not isinstance(expression, str):
        return UNKNOWN
    kind, _, rest = expression.strip().partition("(")
    fields = rest.removesuffix(")").split()
    try:
        if kind == "rate":
            value, unit = fields
            return _HOURS_PER_MONTH / (_positive(value) * _UNIT_HOURS[unit.removesuffix("s")])
        if kind == "cron":
            return _cron(*fields)
    except (ValueError, KeyError, TypeError, ArithmeticError):
        return UNKNOWN
    return 1.0 if kind in ("at", "NOW") else UNKNOWN


def _cron(minutes: str, hours: str, days: str, months: str, weekdays: str, _year: str) -> float:
    if days not in _ANY and weekdays not in _ANY:
        raise ValueError(f"{days} and {weekdays}: AWS takes one of them only")
    times = len(_listed(minutes, 0, 59)) * len(_listed(hours, 0, 23))
    dates = sum(
        _weekdays(weekdays, _DAYS[month - 1]) if days in _ANY else _dates(days, _DAYS[month - 1])
        for month in _listed(months, 1, 12, _MONTHS)
    )
    return times * dates / 12


def _dates(field: str, last: int) -> int:
    """How many days of a month of `last` days; `L`, `L-3`, `LW` and `15W` are one each."""
    items = field.split(",")
    single = [item for item in items if "L" in item or "W" in item]
    listed = {day for item in items if item not in single for day in _listed(item, 1, 31) if day <= last}
    return len(single) + len(listed)


def _weekdays(field: str, last: int) -> float:
    """How many days of a month of `last` days, on average; `6L` is one, and so is `6#3`."""
    items = field.split(",")
    one_of_month = [item for item in items if "#" in item or (item != "L" and item.endswith("L"))]
    fifth = sum(item.endswith("#5") for item in one_of_month)  # which a month has for as many days as it has over 28
    listed = {
        day
        for item in items
        if item not in one_of_month
        for day in _listed("7" if item == "L" else item, 1, 7, _WEEKDAYS)
    }
    return len(one_of_month) - fifth + fifth * (last - 28) / 7 + len(listed) * last / 7


def _listed(field: str, least: int, most: int, names: tuple[str, ...] = ()) -> set[int]:
    """The values of a field: `*`, `5`, `1-5`, `FRI-MON`, `0/15`, `8-18/2`, and lists of them. Raises ValueError."""
    found: set[int] = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        start, _, end = span.partition("-")
        first = least if start in _ANY else _number(start, least, most, names)
        last = _number(end, least, most, names) if end else most if step or start in _ANY else first
        values = range(first, last + 1) if first <= last else [*range(first, most + 1), *range(least, last + 1)]
        found.update(values[:: _positive(step or "1")])
    return found


def _positive(text: str) -> int:
    if int(text) < 1:
        raise ValueError(f"{text} is not above 0")
    return int(text)


def _number(text: str, least: int, most: int, names: tuple[str, ...]) -> int:
    value = least + names.index(text.upper()) if text.upper() in names else int(text)
    if not least <= value <= most:
        raise ValueError(f"{text} is not between {least} and {most}")
    return value


def starts(pipeline: Resource, joins: Joins) -> list[float | Unknown]:
    """How often a month each schedule and rule of the plan starts `pipeline`; UNKNOWN for events and what apply tells.

    One that is disabled starts nothing.
    """
    values = pipeline.values(before=joins.before)
    by_target = _by_target(joins)
    starters = [*by_target.get(id(pipeline), ()), *by_target.get(values.text("pipeline_name"), ())]
    return [often for starter in starters if (often := _often(starter, joins)) is not None]


@lru_cache(maxsize=4)
def _by_target(joins: Joins) -> dict[object, list[Resource]]:
    """What starts pipelines, by the pipeline's `id()`, or by its name where an ARN alone tells it."""
    found: dict[object, list[Resource]] = {}
    for schedule in joins.all(SCHEDULE):
        found.setdefault(_target(schedule, "target.0.arn", joins), []).append(schedule)
    for target in joins.all(EVENT_TARGET):
        rule = joins.target(target, "rule", EVENT_RULE)
        if isinstance(rule, Resource):
            found.setdefault(_target(target, "arn", joins), []).append(rule)
    return found


def _target(starter: Resource, path: str, joins: Joins) -> object:
    pipeline = joins.target(starter, path, PIPELINE)
    if isinstance(pipeline, Resource):
        return id(pipeline)
    arn = starter.values(before=joins.before).text(path)
    return arn.rpartition(":pipeline/")[2] if isinstance(arn, str) and ":sagemaker:" in arn else ""


def _often(starter: Resource, joins: Joins) -> float | Unknown | None:
    values = starter.values(before=joins.before)
    if values.get("state") == "DISABLED" or values.get("is_enabled") is False:
        return None
    return runs_per_month(values.text("schedule_expression"))
