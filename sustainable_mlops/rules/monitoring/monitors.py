"""Watching models in production: captured traffic, and what monitors cost and find.

That Model Monitor is closed to new customers is in dead_services.py.
"""

import re
from functools import lru_cache

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.plan.joins import ALARM
from sustainable_mlops.plan.schedules import runs_per_month
from sustainable_mlops.rules import alarms
from sustainable_mlops.rules.reading import NOT_KNOWN, judge
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown
from sustainable_mlops.rules.serving.variants import ENDPOINT

SCHEDULE = "aws_sagemaker_monitoring_schedule"

#: From this many runs a month on, it is every hour of every day.
HOURLY = 24 * 28
_DRIFT = re.compile("drift|evidently|sagemaker/Endpoints/(data|model)-metrics", re.IGNORECASE)


@rule(
    id="SUS_MONITORING_HOURLY",
    severity=Severity.WARN,
    title="A monitoring schedule does not run every hour",
    practices=("73",),
    fix="Run it daily, cron(0 0 ? * * *), or as often as somebody acts on it.",
    types=(SCHEDULE,),
)
def not_every_hour(_: Plan, schedule: Resource) -> Verdicts:
    """Each run starts an instance."""
    path = "monitoring_schedule_config.0.schedule_config.0.schedule_expression"
    expression = schedule.text(path)
    if expression is None:
        return
    runs = runs_per_month(expression)
    if runs is UNKNOWN:
        yield unknown(f"{path} is {NOT_KNOWN if expression is UNKNOWN else 'no schedule'}", path)
    else:
        yield judge(runs, path, lambda often: often < HOURLY, "an instance is started every hour of the day")


@rule(
    id="SUS_CAPTURE_SAMPLING",
    severity=Severity.INFO,
    title="A sample of the traffic is captured, not all of it",
    practices=("73",),
    fix="Set initial_sampling_percentage to what the statistics need; all of it only where traffic is thin.",
    types=("aws_sagemaker_endpoint_configuration",),
)
def captures_a_sample(_: Plan, configuration: Resource) -> Verdicts:
    """Advice: below 100 %."""
    switch, path = (f"data_capture_config.0.{name}" for name in ("enable_capture", "initial_sampling_percentage"))
    captures, percent = configuration.flag(switch), configuration.number(path)
    if captures in (None, False):
        return
    sampled = percent if percent is UNKNOWN else percent is not None and percent < 100
    if captures is UNKNOWN and sampled is False:
        sampled, path = UNKNOWN, switch
    yield judge(sampled, path, lambda kept: kept, "every request and answer is stored")


@rule(
    id="SUS_DRIFT_ALARM",
    severity=Severity.INFO,
    title="Somebody hears of the drift of what a model is asked and answers",
    practices=("74", "75"),
    fix=(
        "Compute drift in a processing step (Evidently), publish it as a metric, and alarm on that, or on Model "
        "Monitor's aws/sagemaker/Endpoints/data-metrics; let the alarm notify, or start the retraining."
    ),
    types=(SCHEDULE, ENDPOINT),
)
def drift_raises_an_alarm(plan: Plan, _: Resource) -> Verdicts:
    """Advice: the alarm may be elsewhere. Any alarm of this plan that acts on a metric of drift counts."""
    heard = _is_heard(plan)
    if heard is UNKNOWN:
        yield unknown("what the alarms of this plan watch is not known until apply")
    else:
        yield passed() if heard else failed("no alarm of this plan is on drift")


@lru_cache(maxsize=2)
def _is_heard(plan: Plan) -> bool | Unknown:
    """Whether any alarm of the plan acts on drift."""
    answers = [_hears_of_drift(plan, alarm) for alarm in plan.joins.all(ALARM)]
    return True if True in answers else UNKNOWN if UNKNOWN in answers else False


def _hears_of_drift(plan: Plan, alarm: Resource) -> bool | Unknown:
    """By the words in the names and namespaces of its metrics."""
    queries, acts = alarm.blocks("metric_query"), alarms.acts(plan, alarm)
    texts = [alarm.text("namespace"), alarm.text("metric_name")]
    for query in [] if queries is UNKNOWN else queries:
        texts += [query.text("metric.0.namespace"), query.text("metric.0.metric_name"), query.text("expression")]
    if any(isinstance(text, str) and _DRIFT.search(text) for text in texts):
        return acts
    return False if acts is False or (queries is not UNKNOWN and UNKNOWN not in texts) else UNKNOWN
