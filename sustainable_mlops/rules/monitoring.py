"""Watching models in production: captured traffic, and what monitors cost and find.

That Model Monitor is closed to new customers is in dead_services.py.
"""

import re

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules.reading import judge
from sustainable_mlops.rules.rule import Severity, Verdicts, rule

SCHEDULE = "aws_sagemaker_monitoring_schedule"
ALARM = "aws_cloudwatch_metric_alarm"

#: `cron(0 * ? * * *)` and its kin: a minute of every hour.
_HOURLY = re.compile(r"cron\(\s*\S+\s+(\*|0/1|\*/1)\s")


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
    if expression is not None:
        yield judge(
            expression, path, lambda cron: not _HOURLY.match(cron), "an instance is started every hour of the day"
        )


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
    if configuration.get("data_capture_config.0.enable_capture") in (None, False):
        return
    path = "data_capture_config.0.initial_sampling_percentage"
    yield judge(
        configuration.number(path),
        path,
        lambda percent: percent is not None and percent < 100,
        "every request and answer is stored",
    )


@rule(
    id="SUS_DRIFT_ALARM",
    severity=Severity.INFO,
    title="Somebody hears of the drift that a monitor finds",
    practices=("74", "75"),
    fix="Add an alarm on aws/sagemaker/Endpoints/data-metrics that notifies, or starts the retraining.",
    types=(SCHEDULE,),
)
def drift_raises_an_alarm(plan: Plan, _: Resource) -> Verdicts:
    """Advice: the alarm may be elsewhere. Any alarm of this plan in the monitor's namespaces counts."""
    namespaces = [alarm.text("namespace") for alarm in plan.by_type(ALARM) if alarm.exists()]
    known = [name for name in namespaces if isinstance(name, str)]
    there = any(re.search("sagemaker/Endpoints/(data|model)-metrics", name, re.IGNORECASE) for name in known)
    yield judge(
        UNKNOWN if not there and UNKNOWN in namespaces else there,
        "monitoring_schedule_config",
        lambda kept: kept,
        "the monitor runs and no alarm of this plan reads what it finds",
    )
