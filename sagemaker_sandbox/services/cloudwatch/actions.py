"""Actions of alarms: messages to topics, and the actions that other parts of the sandbox register."""

import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_sandbox.base.context import SandboxContext
from sagemaker_sandbox.iam import permissions
from sagemaker_sandbox.iam.permissions import DeliveryNotPermittedError, ServiceCall
from sustainable_mlops.aws.arn import Arn

SERVICE = "cloudwatch.amazonaws.com"


@dataclass(frozen=True)
class AlarmChange:
    """The change of an alarm that an action receives. `is_repeated`: the alarm is still in the state."""

    account: str
    region: str
    name: str
    old: str
    new: str
    moment: datetime
    reason: str
    is_repeated: bool = False
    values: tuple[float, ...] = ()  #: Values of the evaluated datapoints, in order of time.
    threshold: float | None = None  #: None for a composite alarm.


#: Function that carries out an action: the ARN of the action, and the change of the alarm.
ActionHandler = Callable[[str, AlarmChange], None]


@dataclass(frozen=True)
class AlarmMessage:
    """A message to a topic."""

    subject: str
    text: str


class AlarmActions:
    """The handlers of actions, by the prefix of their ARN."""

    def __init__(self, context: SandboxContext) -> None:
        self._context = context
        self._handlers: dict[str, ActionHandler] = {}

    def register(self, prefix: str, handler: ActionHandler) -> None:
        """Register the handler of actions with this prefix."""
        self._handlers[prefix] = handler

    def run(self, arn: str, change: AlarmChange, message: AlarmMessage | None) -> str | None:
        """Carry out an action. Return the reason of a failure, or None. Never raises."""
        try:
            if arn.split(":")[2:3] == ["sns"]:
                self._publish(arn, change, message)
                return None
            for prefix, handle in self._handlers.items():
                if arn.startswith(prefix):
                    handle(arn, change)
                    return None
        except (DeliveryNotPermittedError, ClientError, BotoCoreError) as error:
            return str(error)
        except Exception as error:  # the alarm's other actions must still run
            traceback.print_exc()
            return str(error)
        print(f"sandbox: {change.name}: the sandbox has no action for {arn}", file=sys.stderr)
        return "the sandbox does not carry out such actions"

    def _publish(self, arn: str, change: AlarmChange, message: AlarmMessage | None) -> None:
        assert message is not None
        _, _, region, account, _ = Arn.parse(arn)
        call = ServiceCall("sns", "Publish", {}, arn)
        # Alarms act for their account, unlike EventBridge: the default policy of a topic allows them.
        alarm = f"arn:aws:cloudwatch:{change.region}:{change.account}:alarm:{change.name}"
        permissions.check_service(self._context, SERVICE, call, alarm, owner=change.account)
        topic = self._context.customer_client("sns", region, account)
        topic.publish(TopicArn=arn, Subject=message.subject, Message=message.text)
