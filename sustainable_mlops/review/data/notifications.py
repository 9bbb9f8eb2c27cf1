"""Event rules and subscriptions that tell people about threats, faults and costs."""

import re

from sustainable_mlops.plan import Block
from sustainable_mlops.review.comparison import Comparison

#: Sources of events that somebody should hear of.
_SOURCES = re.compile(
    r'"(?:aws\.(?:access-analyzer|backup|budgets|ce|cloudtrail|cloudwatch|config|detective|devops-guru|guardduty|'
    r'health|iam|inspector2?|kms|macie2?|securityhub|signin|sts|trustedadvisor)|[^"]* via CloudTrail)"'
)
#: Protocols of SNS that reach a person, or a service outside the account.
_PERSONAL = ("email", "email-json", "sms", "http", "https")
_RULE = "aws_cloudwatch_event_rule"
#: Types that send notifications to a topic, with the attributes that name it.
_SENDERS = {
    "aws_cloudwatch_metric_alarm": ("alarm_actions",),
    "aws_cloudwatch_composite_alarm": ("alarm_actions",),
    "aws_db_event_subscription": ("sns_topic",),
    "aws_backup_vault_notifications": ("sns_topic_arn",),
}


def is_security_rule(values: Block, _: Comparison) -> bool:
    """Return whether an event rule matches events of a service that watches the account."""
    pattern = values.text("event_pattern")
    return isinstance(pattern, str) and _SOURCES.search(pattern) is not None


def is_security_target(values: Block, comparison: Comparison) -> bool:
    """Return whether a target receives the events of such a rule."""
    name = values.text("rule")
    rules = (pair.before for pair in comparison.by_type.get(_RULE, ()))
    return any(rule is not None and rule.text("name") == name and is_security_rule(rule, comparison) for rule in rules)


def reaches_people(values: Block, comparison: Comparison) -> bool:
    """Return whether a subscription reaches a person, or forwards the notifications of an alarm."""
    topic = values.text("topic_arn")
    return values.text("protocol") in _PERSONAL or any(
        topic in (texts if isinstance(texts := pair.before.get(path), list) else [texts])
        for type_, paths in _SENDERS.items()
        for pair in comparison.by_type.get(type_, ())
        if pair.before is not None
        for path in paths
    )
