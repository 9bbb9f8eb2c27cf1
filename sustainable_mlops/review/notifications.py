"""Event rules, subscriptions and documents that notify the people who monitor an account."""

from typing import Any

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import Block
from sustainable_mlops.review.comparison import Comparison

#: Event sources that people must be notified about.
_SOURCES = LazyPattern(
    r'"(?:aws\.(?:access-analyzer|backup|budgets|ce|cloudtrail|cloudwatch|config|detective|devops-guru|guardduty|'
    r'health|iam|inspector2?|kms|macie2?|securityhub|signin|sts|trustedadvisor)|[^"]* via CloudTrail)"'
)
#: SNS protocols that reach a person, or a service outside the account.
_DIRECT_PROTOCOLS = ("email", "email-json", "sms", "http", "https")
_RULE = "aws_cloudwatch_event_rule"
#: Types that send notifications to a topic, with the attributes that name it.
_SENDERS = {
    "aws_cloudwatch_metric_alarm": ("alarm_actions",),
    "aws_cloudwatch_composite_alarm": ("alarm_actions",),
    "aws_db_event_subscription": ("sns_topic",),
    "aws_backup_vault_notifications": ("sns_topic_arn",),
}


def is_security_rule(values: Block, _: Comparison) -> bool:
    """Return whether an event rule matches events of a service that monitors the account."""
    return has_security_source(values.text("event_pattern"))


def has_security_source(pattern: object) -> bool:
    """Return whether an event pattern names a service that monitors the account."""
    return isinstance(pattern, str) and _SOURCES.search(pattern) is not None


def turns_off_security_rule(old: Any, new: Any) -> bool:
    """Return whether a security rule is turned off."""
    return has_security_source(old.get("event_pattern")) and _is_on(old) and not _is_on(new)


def _is_on(rule: Any) -> bool:
    return rule.get("is_enabled") is not False and rule.get("state") != "DISABLED"


def is_security_target(values: Block, comparison: Comparison) -> bool:
    """Return whether a target receives the events of a security rule."""
    name = values.text("rule")
    rules = (pair.before for pair in comparison.by_type.get(_RULE, ()))
    return any(rule is not None and rule.text("name") == name and is_security_rule(rule, comparison) for rule in rules)


def reaches_people(values: Block, comparison: Comparison) -> bool:
    """Return whether a subscription reaches a person, or forwards the notifications of an alarm."""
    topic = values.text("topic_arn")
    return values.text("protocol") in _DIRECT_PROTOCOLS or any(
        topic in (texts if isinstance(texts := pair.before.get(path), list) else [texts])
        for type_, paths in _SENDERS.items()
        for pair in comparison.by_type.get(type_, ())
        if pair.before is not None
        for path in paths
    )


def sets_session_logs(values: Block, _: Comparison) -> bool:
    """Return whether a document of Systems Manager sets the preferences of all sessions.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-preferences-cli.html
    """
    return values.text("document_type") == "Session"
