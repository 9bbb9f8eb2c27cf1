"""Schedule expressions and time zones of EventBridge Scheduler and Application Auto Scaling."""

from typing import Annotated, Any

from sustainable_mlops.authoring import Field, must
from sustainable_mlops.authoring.expressions import can, contains, every, join, list_of, local_table, match
from sustainable_mlops.aws.cron import MONTHS, WEEKDAYS
from sustainable_mlops.catalogue import time_zones

_DAY, _WEEKDAY = "(0?[1-9]|[12][0-9]|3[01])", f"([1-7]|{'|'.join(WEEKDAYS)})"
#: Fields of a cron expression in order: the pattern of a value, and other patterns besides values, ranges and steps.
_FIELDS = {
    "minutes": ("[0-5]?[0-9]", ""),
    "hours": ("([01]?[0-9]|2[0-3])", ""),
    "days of the month": (_DAY, rf"\?|LW|L(-{_DAY})?|{_DAY}W"),
    "months": (f"(0?[1-9]|1[0-2]|{'|'.join(MONTHS)})", ""),
    "days of the week": (_WEEKDAY, rf"\?|L|{_WEEKDAY}L|{_WEEKDAY}#[1-5]"),
    "years": ("(19[7-9][0-9]|2[01][0-9]{2})", ""),
}


#: Pattern of a cron expression with six fields. ? replaces the day of the month or of the week.
CRON_FORM = r"^cron\(\S+ \S+ (\? \S+ [^\s?]\S*|[^\s?]\S* \S+ \?) [^\s)]+\)$"
Cron = Annotated[
    str,
    Field(
        pattern=CRON_FORM,
        json_schema_extra=must(
            "be a cron expression of six fields, ? for the day of the month or of the week: cron(0 20 ? * MON-FRI *)"
        ),
    ),
]
#: Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
_RATE = r"^rate\([1-9][0-9]* (minute|hour|day)s?\)$"
_AT = r"^at\([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\)$"


def _build_cron_patterns() -> dict[str, str]:
    """Return a pattern for each field: it matches an expression in which this field is valid."""
    patterns = {}
    for index, (name, (value, special)) in enumerate(_FIELDS.items()):
        item = rf"(\*|{value}(-{value})?)(/[1-9][0-9]*)?{special and '|' + special}"
        items = rf"(({item})[, ])+(\S+ ){{{4 - index}}}\S+\)" if index < 5 else rf"(({item})[,)])+"
        patterns[name] = rf"(?i)^cron\((\S+ ){{{index}}}{items}$"
    return patterns


CRON, ZONES, CANONICAL_ZONES = _build_cron_patterns(), list(time_zones.load_all()), list(time_zones.load_canonical())
_CRON_TABLE = {"cron": (CRON, "Patterns of expressions with a valid field, from the EventBridge user guide.")}
#: Value and comment of each table that the rules for EventBridge Scheduler read, by name.
SCHEDULER_TABLES: dict[str, tuple[Any, str]] = {**_CRON_TABLE, "time_zones": (ZONES, "Names of the tz database.")}
#: Value and comment of each table that the rules for Application Auto Scaling read, by name.
AUTO_SCALING_TABLES: dict[str, tuple[Any, str]] = {
    **_CRON_TABLE,
    "canonical_time_zones": (
        CANONICAL_ZONES,
        "Canonical names of the tz database, which Application Auto Scaling requires.",
    ),
}
_fields, _zones = local_table("cron", CRON), local_table("time_zones", ZONES)
_canonical_zones = local_table("canonical_time_zones", CANONICAL_ZONES)


def join_invalid_fields(expression: str) -> str:
    """Return the names of the invalid fields of an expression, as one text."""
    field_names = list_of(
        _fields, lambda field, _pattern: field, where=lambda _field, pattern: ~can(match(pattern, expression))
    )
    return join(", ", field_names)


def has_valid_fields(expression: str) -> bool:
    """Return the condition that each field of a cron expression is valid. `CRON_FORM` is another condition."""
    return every(_fields, lambda _field, pattern: can(match(pattern, expression)))


def is_cron(expression: str) -> bool:
    """Return the condition that a text is a valid cron expression."""
    return can(match(CRON_FORM, expression)) & has_valid_fields(expression)


def is_schedule(expression: str) -> bool:
    """Return the condition that EventBridge Scheduler accepts an expression."""
    return can(match(_RATE, expression)) | can(match(_AT, expression)) | is_cron(expression)


def is_time_zone(name: str) -> bool:
    """Return the condition that a text is the name of a time zone, as EventBridge Scheduler requires."""
    return contains(_zones, name)


def is_canonical_time_zone(name: str) -> bool:
    """Return the condition that a text is the canonical name of a time zone, as Application Auto Scaling requires."""
    return contains(_canonical_zones, name)
