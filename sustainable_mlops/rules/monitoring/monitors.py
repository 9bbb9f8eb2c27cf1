"""Monitors of models in production: captured traffic, schedules and drift alarms.

discontinued_services.py reports that Model Monitor is closed to new customers.
"""

import json
import re
from functools import lru_cache

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.plan.joins import ALARM
from sustainable_mlops.plan.schedules import EVENT_RULE, count_runs_per_month
from sustainable_mlops.plan.values import combine_any
from sustainable_mlops.rules import alarms
from sustainable_mlops.rules.attributes import NOT_KNOWN, check_value
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result
from sustainable_mlops.rules.serving.variants import ENDPOINT

SCHEDULE = "aws_sagemaker_monitoring_schedule"

#: Number of runs a month of an hourly schedule.
HOURLY_RUNS = 24 * 28
_DRIFT = LazyPattern("drift|evidently|sagemaker/Endpoints/(data|model)-metrics", re.IGNORECASE)


@rule(
    id="SUS_MONITORING_HOURLY",
    severity=Severity.WARN,
    title="A monitoring schedule should not run every hour",
    problem="A monitoring schedule runs every hour",
    practices=("73",),
    fix="Run it daily, cron(0 0 ? * * *), or as often as somebody acts on the result.",
    types=(SCHEDULE,),
)
def not_every_hour(_: Plan, schedule: Resource) -> RuleResults:
    """Check the schedule: each run starts an instance."""
    path = "monitoring_schedule_config.0.schedule_config.0.schedule_expression"
    expression = schedule.text(path)
    if expression is None:
        return
    runs = count_runs_per_month(expression)
    if runs is UNKNOWN:
        yield unknown_result(f"{path} is {NOT_KNOWN if expression is UNKNOWN else 'not a schedule'}", path)
    else:
        yield check_value(runs, path, lambda rate: rate < HOURLY_RUNS, "the schedule starts an instance every hour")


@rule(
    id="SUS_CAPTURE_SAMPLING",
    severity=Severity.INFO,
    title="Data capture should sample the traffic",
    problem="Data capture stores all or most of the traffic",
    practices=("73",),
    fix=(
        "Set initial_sampling_percentage to the share that the statistics need. Capture all "
        "requests only if there are few."
    ),
    types=("aws_sagemaker_endpoint_configuration",),
)
def captures_a_sample(_: Plan, configuration: Resource) -> RuleResults:
    """Check for sampling below 100 %. This is advice."""
    switch, path = (f"data_capture_config.0.{name}" for name in ("enable_capture", "initial_sampling_percentage"))
    captures, percent = configuration.flag(switch), configuration.number(path)
    if captures in (None, False):
        return
    sampled = percent if percent is UNKNOWN else percent is not None and percent < 100
    if captures is UNKNOWN and sampled is False:
        sampled, path = UNKNOWN, switch
    yield check_value(sampled, path, lambda is_true: is_true, "every request and response is stored")


@rule(
    id="SUS_DRIFT_ALARM",
    severity=Severity.INFO,
    title="Drift of a model's inputs and outputs should raise an alarm",
    problem="Drift of a model's inputs and outputs raises no alarm",
    practices=("74", "75"),
    fix=(
        "Compute drift in a processing step, publish it as a metric, and alarm on that metric, or on Model "
        "Monitor's aws/sagemaker/Endpoints/data-metrics. Let the alarm notify or start the retraining, such as with "
        "the input drift of the module pipeline."
    ),
    types=(SCHEDULE, ENDPOINT),
)
def drift_raises_an_alarm(plan: Plan, _: Resource) -> RuleResults:
    """Check for an alarm with an action on a drift metric in this plan. This is advice: the alarm may be elsewhere."""
    has_alarm = _has_drift_alarm(plan)
    if has_alarm is UNKNOWN:
        yield unknown_result("the metrics of the alarms in this plan are not known until apply")
    else:
        yield success() if has_alarm else failure("no alarm in this plan uses a drift metric")


@lru_cache(maxsize=2)
def _has_drift_alarm(plan: Plan) -> bool | Unknown:
    """Return whether any alarm of the plan acts on drift."""
    matches = [_is_drift_alarm(plan, alarm) for alarm in plan.joins.list_existing(ALARM)]
    return True if True in matches else UNKNOWN if UNKNOWN in matches else False


def _is_drift_alarm(plan: Plan, alarm: Resource) -> bool | Unknown:
    """Return whether an alarm is on drift, by the words in the names and namespaces of its metrics."""
    queries = alarm.blocks("metric_query")
    acts = combine_any([alarms.has_action(plan, alarm), _causes_event(plan, alarm)])
    texts = [alarm.text("namespace"), alarm.text("metric_name")]
    for query in [] if queries is UNKNOWN else queries:
        texts += [query.text("metric.0.namespace"), query.text("metric.0.metric_name"), query.text("expression")]
    if any(isinstance(text, str) and _DRIFT.search(text) for text in texts):
        return acts
    return False if acts is False or (queries is not UNKNOWN and UNKNOWN not in texts) else UNKNOWN


def _causes_event(plan: Plan, alarm: Resource) -> bool | Unknown:
    """Return whether an EventBridge rule matches the state changes of the alarm, by its name or ARN."""
    name = alarm.text("alarm_name")
    patterns = [rule.text("event_pattern") for rule in plan.joins.list_existing(EVENT_RULE)]
    return combine_any(UNKNOWN if UNKNOWN in (pattern, name) else _matches_alarm(pattern, name) for pattern in patterns)


def _matches_alarm(pattern: str | Unknown | None, name: str | Unknown | None) -> bool:
    try:
        fields = json.loads(str(pattern))
        names = [*fields.get("resources", []), *fields.get("detail", {}).get("alarmName", [])]
        return "CloudWatch Alarm State Change" in fields.get("detail-type", []) and any(
            one == name or one.endswith(f":alarm:{name}") for one in names
        )
    except (ValueError, AttributeError, TypeError):
        return False
