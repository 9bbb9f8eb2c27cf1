"""Deliveries to targets: tried, tried again as long as the target's retry policy has it, else put where failures go.

Source: EventBridge user guide, "How EventBridge retries delivering events" and "Using dead-letter queues".
"""

import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from sagemaker_sandbox import permissions
from sagemaker_sandbox.clock import TICK, Clock
from sagemaker_sandbox.context import SandboxContext
from sagemaker_sandbox.eventbridge import calls
from sagemaker_sandbox.permissions import DeliveryNotPermittedError, ServiceCall

_MOST_ATTEMPTS, _MOST_AGE = 185, 86_400
#: The first and the longest wait before another attempt; AWS says but that it grows exponentially, with jitter.
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=1), timedelta(hours=1)
_RETRIED = ("THROTTLING", "INTERNAL_ERROR", "TIMEOUT")


class DeliveryError(Exception):
    """A delivery that failed: `code` as a dead letter names it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Delivery:
    """What a rule or a schedule of an account and Region sends to a target, and how far that has come."""

    sender: str  #: The ARN of the rule or the schedule.
    service: str  #: On whose behalf: events.amazonaws.com, or the Scheduler's.
    target: Mapping[str, Any]
    text: str  #: What a dead letter holds.
    make: Callable[["Delivery"], ServiceCall]
    account: str
    region: str
    due: datetime
    begun: datetime = field(init=False)
    attempts: int = 0
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        self.begun = self.due

    @property
    def source(self) -> str:
        """ARN of the resource that the service acts for; for a schedule, the ARN of its group."""
        before, _, path = self.sender.partition(":schedule/")
        return f"{before}:schedule-group/{path.partition('/')[0]}" if path else self.sender

    @property
    def limits(self) -> tuple[int, timedelta]:
        """Attempts after the first, and the time in which they may be made."""
        policy = self.target.get("RetryPolicy") or {}
        age = policy.get("MaximumEventAgeInSeconds") or _MOST_AGE
        return int(policy.get("MaximumRetryAttempts", _MOST_ATTEMPTS)), timedelta(seconds=age)


class Deliveries:
    """Those under way, on the agenda of the clock."""

    def __init__(self, context: SandboxContext, clock: Clock, note_failure: Callable[[Delivery], None]) -> None:
        self._context = context
        self._clock = clock
        self._note_failure = note_failure
        self._waiting: list[Delivery] = []
        clock.add_task(self)

    def add(self, delivery: Delivery) -> None:
        """Deliver it once it is due; returns at once."""
        self._waiting.append(delivery)
        self._clock.wake()

    def clear(self) -> None:
        """Nothing is delivered any more."""
        self._waiting.clear()

    def next(self, after: datetime) -> datetime | None:
        """When the first is due."""
        return min((max(one.due, after + TICK) for one in list(self._waiting)), default=None)

    def run_due(self, moment: datetime) -> None:
        """Attempt those that are due."""
        for delivery in [one for one in list(self._waiting) if one.due <= moment]:
            self._waiting.remove(delivery)
            try:
                self._deliver(delivery)
            except DeliveryError as error:
                self._fail(delivery, error)

    def _deliver(self, delivery: Delivery) -> None:
        try:
            call = delivery.make(delivery)
            self._must_be_permitted(delivery, call)
            self._ask(delivery, call)
        except DeliveryNotPermittedError as error:
            raise DeliveryError("NO_PERMISSIONS", str(error)) from None
        except HTTPClientError as error:
            raise DeliveryError("TIMEOUT", str(error)) from None
        except (LookupError, ValueError, BotoCoreError) as error:
            raise DeliveryError("INVALID_PARAMETER", str(error)) from None
        except ClientError as error:
            raise DeliveryError(_code(error), str(error)) from None

    def _must_be_permitted(self, delivery: Delivery, call: ServiceCall) -> None:
        role = delivery.target.get("RoleArn")
        if role:
            for needed in (call, *calls.besides(call, delivery.account, delivery.region)):
                permissions.check_role(delivery.account, role, delivery.service, needed, delivery.source)
            permissions.check_role_key(self._context, delivery.account, role, call)
            permissions.check_endpoint_deletion(self._context, delivery.account, delivery.region, role, call)
        elif call.service in ("sqs", "sns"):
            permissions.check_service(self._context, delivery.service, call, delivery.source)

    def _ask(self, delivery: Delivery, call: ServiceCall) -> None:
        parameters, account, region, name = call.parameters, delivery.account, delivery.region, ""
        if call.resource is not None and call.resource == delivery.target["Arn"]:  # it may be another account's
            _, _, _, region, account, name = call.resource.split(":", 5)
        client = self._context.customer_client(call.service, region, account)
        if call.service == "sqs" and name:
            parameters = parameters | {"QueueUrl": client.get_queue_url(QueueName=name)["QueueUrl"]}
        getattr(client, xform_name(call.operation))(**parameters)

    def _fail(self, delivery: Delivery, error: DeliveryError) -> None:
        most, age = delivery.limits
        wait = min(_FIRST_WAIT * 2 ** min(delivery.attempts, 20), _LONGEST_WAIT)
        exhausted = None
        if error.code in _RETRIED:
            if delivery.attempts >= most:
                exhausted = "MaximumRetryAttempts"
            elif self._clock.now() + wait > delivery.begun + age:
                exhausted = "MaximumEventAgeInSeconds"
            else:
                delivery.attempts += 1
                delivery.due = self._clock.now() + wait
                self._waiting.append(delivery)
                return
        self._note_failure(delivery)
        print(f"sandbox: {delivery.sender} did not reach {delivery.target['Arn']}: {error}", file=sys.stderr)
        self._bury(delivery, error, exhausted)

    def _bury(self, delivery: Delivery, error: DeliveryError, exhausted: str | None) -> None:
        """To the dead-letter queue, if the target has one that takes it."""
        arn = (delivery.target.get("DeadLetterConfig") or {}).get("Arn")
        if not arn:
            return
        rule = delivery.service.startswith("events.")
        attributes = {
            "RULE_ARN" if rule else "SCHEDULE_ARN": delivery.sender,
            "TARGET_ARN": delivery.target["Arn"],
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": str(error),
            "RETRY_ATTEMPTS": str(delivery.attempts),
        } | ({"EXHAUSTED_RETRY_CONDITION": exhausted} if exhausted else {})
        told = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        letter = {"QueueUrl": arn, "MessageBody": delivery.text, "MessageAttributes": told}
        role = {} if rule else {"RoleArn": delivery.target.get("RoleArn")}
        dead = Delivery(
            delivery.sender,
            delivery.service,
            {"Arn": arn} | role,
            delivery.text,
            lambda _delivery: ServiceCall("sqs", "SendMessage", letter, arn),
            delivery.account,
            delivery.region,
            self._clock.now(),
        )
        try:
            self._deliver(dead)
        except DeliveryError as lost:
            print(f"sandbox: {delivery.sender}: the dead letter is lost: {lost}", file=sys.stderr)


def _code(error: ClientError) -> str:
    """In the words of dead letters."""
    code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    if "Throttl" in code or code in ("TooManyRequestsException", "RequestLimitExceeded", "SlowDown"):
        return "THROTTLING"
    if status >= 500:
        return "INTERNAL_ERROR"
    if "NotFound" in code or "NonExistent" in code or "DoesNotExist" in code:
        return "NO_RESOURCE"
    return "NO_PERMISSIONS" if "AccessDenied" in code else "SDK_CLIENT_ERROR"
