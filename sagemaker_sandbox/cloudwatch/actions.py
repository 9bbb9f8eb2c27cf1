"""What alarms do: messages to topics, and what others have undertaken to do."""

import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_sandbox import permissions
from sagemaker_sandbox.context import SandboxContext
from sagemaker_sandbox.permissions import DeliveryNotPermittedError, ServiceCall

SERVICE = "cloudwatch.amazonaws.com"


@dataclass(frozen=True)
class AlarmChange:
    """What an action hears of an alarm: its change from one state to another or, `repeated`, that it still stands."""

    account: str
    region: str
    name: str
    old: str
    new: str
    moment: datetime
    reason: str
    repeated: bool = False
    values: tuple[float, ...] = ()  #: Of the datapoints that were evaluated, the last one last.
    threshold: float | None = None  #: None of a composite alarm, which has none.


#: Carries out an action: its ARN, and why.
Act = Callable[[str, AlarmChange], None]


@dataclass(frozen=True)
class Message:
    """To a topic."""

    subject: str
    text: str


class Actions:
    """Who carries out which."""

    def __init__(self, context: SandboxContext) -> None:
        self._context = context
        self._acts: dict[str, Act] = {}

    def act(self, prefix: str, do: Act) -> None:
        """Carry out what begins so."""
        self._acts[prefix] = do

    def carry_out(self, arn: str, change: AlarmChange, message: Message | None) -> str | None:
        """Do it; why it was not done, if so. Never raises."""
        try:
            if arn.split(":")[2:3] == ["sns"]:
                self._publish(arn, change, message)
                return None
            for prefix, do in self._acts.items():
                if arn.startswith(prefix):
                    do(arn, change)
                    return None
        except (DeliveryNotPermittedError, ClientError, BotoCoreError) as error:
            return str(error)
        except Exception as error:  # what else the alarm does must still be done
            traceback.print_exc()
            return str(error)
        print(f"sandbox: {change.name}: alarms do not act on {arn} here", file=sys.stderr)
        return "such actions are not carried out here"

    def _publish(self, arn: str, change: AlarmChange, message: Message | None) -> None:
        assert message is not None
        _, _, _, region, account, _ = arn.split(":", 5)
        call = ServiceCall("sns", "Publish", {}, arn)
        # Unlike EventBridge, alarms come from their account: what a topic's first policy says lets them.
        alarm = f"arn:aws:cloudwatch:{change.region}:{change.account}:alarm:{change.name}"
        permissions.check_service(self._context, SERVICE, call, alarm, owner=change.account)
        topic = self._context.customer_client("sns", region, account)
        topic.publish(TopicArn=arn, Subject=message.subject, Message=message.text)
