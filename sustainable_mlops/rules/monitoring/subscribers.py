"""Subscribers of the topics that receive alarms."""

from sustainable_mlops.plan import Plan, Resource
from sustainable_mlops.rules.ml_evidence import SAGEMAKER
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result

_ALARMS = ("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")


@rule(
    id="SUS_ALARM_SUBSCRIBERS",
    severity=Severity.INFO,
    title="A topic of alarms should have a subscriber",
    problem="Alarms notify a topic without a subscriber",
    practices=("70",),
    fix="Add an aws_sns_topic_subscription, or waive this rule if the subscribers are managed elsewhere.",
    types=("aws_sns_topic",),
)
def alarm_subscribers(plan: Plan, topic: Resource) -> RuleResults:
    """Check topics that alarms of this plan notify. The severity is INFO, because another plan may subscribe."""
    if not any(resource.type.startswith(SAGEMAKER) for resource in plan.resources):
        return
    alarms = [plan.joins.find_list_sources(topic, kind, "alarm_actions") for kind in _ALARMS]
    is_certain = any(matches.certain for matches in alarms)
    if not is_certain and not any(_may_notify(plan, alarm) for matches in alarms for alarm in matches.possible):
        return
    subscriptions = plan.joins.find_sources(topic, "aws_sns_topic_subscription", "topic_arn")
    if subscriptions.certain:
        yield success()
    elif subscriptions.possible:
        yield unknown_result("the topics of the subscriptions are not known until apply", "arn")
    elif not is_certain:
        yield unknown_result("the topics of the alarms are not known until apply", "arn")
    else:
        yield failure("alarms notify this topic, and this plan subscribes nobody to it", "arn")


def _may_notify(plan: Plan, alarm: Resource) -> bool:
    """Return whether unknown actions of an alarm may include a topic. They cannot if all are other resources."""
    references = plan.find_references(alarm, "alarm_actions")
    return bool(references.unresolved) or not references.resources
