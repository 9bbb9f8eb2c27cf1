"""Check of the subscribers of alarms."""

from collections.abc import Iterator

from sustainable_mlops.account.preflight.account import Account
from sustainable_mlops.account.preflight.finding import PreflightFinding
from sustainable_mlops.account.preflight.target import PreflightTarget

_CHECK = "notifications"
#: Text that SNS lists in place of the ARN of a pending subscription.
_PENDING = "PendingConfirmation"


def check_notifications(target: PreflightTarget, account: Account) -> Iterator[PreflightFinding]:
    """Check that alarms notify somebody, from the subscribers in the settings and the subscriptions of the topic."""
    client = account.client("sns")
    response = account.read(
        "sns:ListSubscriptionsByTopic",
        lambda: (
            client.get_paginator("list_subscriptions_by_topic")
            .paginate(TopicArn=target.alarm_topic)
            .build_full_result()
        ),
        absent=("NotFound", "NotFoundException"),
    )
    subscriptions = response["Subscriptions"] if response else []
    pending = [one["Endpoint"] for one in subscriptions if one["SubscriptionArn"] == _PENDING]
    confirmed = [one["Endpoint"] for one in subscriptions if one["SubscriptionArn"] != _PENDING]
    if pending:
        yield PreflightFinding(
            "look",
            _CHECK,
            f"{', '.join(pending)} must confirm the subscription to {target.alarm_topic}, and receives no alarms until "
            "then; the message from AWS has the link, which is valid for two days",
        )
    elif confirmed:
        yield PreflightFinding("ok", _CHECK, f"alarms notify {', '.join(confirmed)}")
    elif target.alarm_subscribers:
        names = ", ".join(target.alarm_subscribers)
        yield PreflightFinding("ok", _CHECK, f"the next apply subscribes {names} to alarms")
    else:
        yield PreflightFinding(
            "look",
            _CHECK,
            "no subscriber receives the alarms; add notifications.subscribers to "
            f"{target.folder}/settings.yaml, such as "
            "ml_team: {protocol: email, endpoint: ml-team@example.com}",
        )
