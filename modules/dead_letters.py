"""Dead-letter queues of EventBridge: they keep the events that a target did not get, which would be lost otherwise.

EventBridge sends with its own service principal, and not with the role of the target. SQS encrypts the queues with its
own keys, so that EventBridge needs no KMS key. Source: EventBridge user guide, "Using dead-letter queues to process
undelivered events".
"""

from collections.abc import Sequence
from typing import Any

from cdktn_provider_aws.sqs_queue import SqsQueue
from cdktn_provider_aws.sqs_queue_policy import SqsQueuePolicy

from modules.policies import encode_policy
from sustainable_mlops.authoring.expressions import Each, each_of
from sustainable_mlops.authoring.resources import Module

#: Maximum retention of SQS.
RETENTION_SECONDS = 14 * 86_400


def add_queues(
    module: Module[Any], label: str, *, name: str, sid: str, sources: Sequence[Any], for_each: Each[Any, Any], why: str
) -> Any:
    """Add the queue `name` for each item, with its policy, and return the map of its instances.

    `sources` are the conditions on the rules that send to it.
    """
    var = module.var
    queues = module.add(
        SqsQueue,
        label,
        why=why,
        for_each=for_each,
        name=name,
        message_retention_seconds=RETENTION_SECONDS,
        sqs_managed_sse_enabled=True,
        tags=var.tags,
    )
    queue = each_of(queues)
    module.add(
        SqsQueuePolicy,
        label,
        for_each=queue,
        queue_url=queue.value.url,
        policy=encode_policy(
            {
                "sid": sid,
                "actions": ["sqs:SendMessage"],
                "resources": [f"arn:{var.partition}:sqs:{var.region}:{var.account_id}:{name}"],
                "principals": [{"type": "Service", "identifiers": ["events.amazonaws.com"]}],
                "condition": list(sources),
            }
        ),
    )
    return queues
