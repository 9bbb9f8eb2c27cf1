"""Deliveries to targets, with retries and dead-letter queues.

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
from requests import RequestException

from sagemaker_sandbox.base.clock import TICK, Clock
from sagemaker_sandbox.base.context import SandboxContext
from sagemaker_sandbox.iam import permissions
from sagemaker_sandbox.iam.permissions import DeliveryNotPermittedError, ServiceCall
from sagemaker_sandbox.services.eventbridge import api_destinations, target_calls
from sagemaker_sandbox.services.eventbridge.api_destinations import HttpStatusError
from sustainable_mlops.aws.arn import Arn

#: Defaults of RetryPolicy: retries, and age in seconds.
_MAX_ATTEMPTS, _MAX_AGE = 185, 86_400
#: First and longest wait before a retry. AWS documents only exponential growth with jitter.
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=1), timedelta(hours=1)
#: Error codes that are retried.
_RETRYABLE = ("THROTTLING", "INTERNAL_ERROR", "TIMEOUT")


class DeliveryError(Exception):
    """Failure of a delivery. `code` is the error code of a dead letter."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Delivery:
    """The message of a rule or a schedule to a target, and the attempts so far."""

    sender: str  #: The ARN of the rule or the schedule.
    service: str  #: Principal: events.amazonaws.com, or the Scheduler's.
    target: Mapping[str, Any]
    text: str  #: Body of a dead letter.
    build_call: Callable[["Delivery"], ServiceCall]
    account: str
    region: str
    due: datetime
    first_due: datetime = field(init=False)
    attempts: int = 0
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        self.first_due = self.due

    @property
    def source(self) -> str:
        """ARN of the resource that the service acts for; for a schedule, the ARN of its group."""
        before, _, path = self.sender.partition(":schedule/")
        return f"{before}:schedule-group/{path.partition('/')[0]}" if path else self.sender

    @property
    def limits(self) -> tuple[int, timedelta]:
        """Maximum number of retries, and the time in which they are allowed."""
        policy = self.target.get("RetryPolicy") or {}
        age = policy.get("MaximumEventAgeInSeconds") or _MAX_AGE
        return int(policy.get("MaximumRetryAttempts", _MAX_ATTEMPTS)), timedelta(seconds=age)


class Deliveries:
    """The pending deliveries, as one task of the clock."""

    def __init__(self, context: SandboxContext, clock: Clock, record_failure: Callable[[Delivery], None]) -> None:
        self._context = context
        self._clock = clock
        self._record_failure = record_failure
        self._pending: list[Delivery] = []
        #: Earliest moments of the next requests, by ARN of the API destination.
        self._next_requests: dict[str, datetime] = {}
        clock.add_task(self)

    def add(self, delivery: Delivery) -> None:
        """Add a delivery, which is attempted once it is due. Returns immediately."""
        self._pending.append(delivery)
        self._clock.wake()

    def clear(self) -> None:
        """Discard all pending deliveries."""
        self._pending.clear()

    def next(self, after: datetime) -> datetime | None:
        """Return the moment at which the first delivery is due."""
        return min((max(delivery.due, after + TICK) for delivery in list(self._pending)), default=None)

    def run_due(self, moment: datetime) -> None:
        """Attempt the deliveries that are due."""
        for delivery in [item for item in list(self._pending) if item.due <= moment]:
            self._pending.remove(delivery)
            try:
                self._deliver(delivery)
            except DeliveryError as error:
                self._fail(delivery, error)

    def _deliver(self, delivery: Delivery) -> None:
        try:
            call = delivery.build_call(delivery)
            self._check_permissions(delivery, call)
            if call.operation == api_destinations.OPERATION:
                self._send_request(delivery, call)
            else:
                self._send(delivery, call)
        except DeliveryNotPermittedError as error:
            raise DeliveryError("NO_PERMISSIONS", str(error)) from None
        except (HTTPClientError, RequestException) as error:
            raise DeliveryError("TIMEOUT", str(error)) from None
        except HttpStatusError as error:
            raise DeliveryError("INTERNAL_ERROR" if error.is_retried else "SDK_CLIENT_ERROR", str(error)) from None
        except (LookupError, ValueError, BotoCoreError) as error:
            raise DeliveryError("INVALID_PARAMETER", str(error)) from None
        except ClientError as error:
            raise DeliveryError(_classify_error(error), str(error)) from None

    def _check_permissions(self, delivery: Delivery, call: ServiceCall) -> None:
        role = delivery.target.get("RoleArn")
        if role:
            for required_call in (call, *target_calls.list_additional_calls(call, delivery.account, delivery.region)):
                permissions.check_role(delivery.account, role, delivery.service, required_call, delivery.source)
            permissions.check_role_key(self._context, delivery.account, role, call)
            permissions.check_endpoint_deletion(self._context, delivery.account, delivery.region, role, call)
        elif call.service in ("sqs", "sns"):
            permissions.check_service(self._context, delivery.service, call, delivery.source)

    def _send(self, delivery: Delivery, call: ServiceCall) -> None:
        parameters, account, region, name = call.parameters, delivery.account, delivery.region, ""
        if call.resource is not None and call.resource == delivery.target["Arn"]:  # it may belong to another account
            _, _, region, account, name = Arn.parse(call.resource)
        client = self._context.customer_client(call.service, region, account)
        if call.service == "sqs" and name:
            parameters = parameters | {"QueueUrl": client.get_queue_url(QueueName=name)["QueueUrl"]}
        getattr(client, xform_name(call.operation))(**parameters)

    def _send_request(self, delivery: Delivery, call: ServiceCall) -> None:
        """Send the request to an API destination, later if its rate limit requires it."""
        arn, now = str(call.resource), self._clock.now()
        due = max(now, self._next_requests.get(arn, now))
        if due > now:
            delivery.due = due
            self._pending.append(delivery)
            return
        self._next_requests[arn] = now + timedelta(seconds=1 / api_destinations.find_rate_limit(arn))
        api_destinations.send(call)

    def _fail(self, delivery: Delivery, error: DeliveryError) -> None:
        max_retries, age = delivery.limits
        wait = min(_FIRST_WAIT * 2 ** min(delivery.attempts, 20), _LONGEST_WAIT)
        exhausted = None
        if error.code in _RETRYABLE:
            if delivery.attempts >= max_retries:
                exhausted = "MaximumRetryAttempts"
            elif self._clock.now() + wait > delivery.first_due + age:
                exhausted = "MaximumEventAgeInSeconds"
            else:
                delivery.attempts += 1
                delivery.due = self._clock.now() + wait
                self._pending.append(delivery)
                return
        self._record_failure(delivery)
        print(f"sandbox: {delivery.sender} did not reach {delivery.target['Arn']}: {error}", file=sys.stderr)
        self._send_dead_letter(delivery, error, exhausted)

    def _send_dead_letter(self, delivery: Delivery, error: DeliveryError, exhausted: str | None) -> None:
        """Send a failed delivery to the dead-letter queue of its target, if there is one."""
        arn = (delivery.target.get("DeadLetterConfig") or {}).get("Arn")
        if not arn:
            return
        is_rule = delivery.service.startswith("events.")
        attributes = {
            "RULE_ARN" if is_rule else "SCHEDULE_ARN": delivery.sender,
            "TARGET_ARN": delivery.target["Arn"],
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": str(error),
            "RETRY_ATTEMPTS": str(delivery.attempts),
        } | ({"EXHAUSTED_RETRY_CONDITION": exhausted} if exhausted else {})
        message_attributes = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        letter = {"QueueUrl": arn, "MessageBody": delivery.text, "MessageAttributes": message_attributes}
        role = {} if is_rule else {"RoleArn": delivery.target.get("RoleArn")}
        dead_letter = Delivery(
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
            self._deliver(dead_letter)
        except DeliveryError as letter_error:
            print(f"sandbox: {delivery.sender}: the dead letter is lost: {letter_error}", file=sys.stderr)


def _classify_error(error: ClientError) -> str:
    """Return the error code of a dead letter."""
    code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    if "Throttl" in code or code in ("TooManyRequestsException", "RequestLimitExceeded", "SlowDown"):
        return "THROTTLING"
    if status >= 500:
        return "INTERNAL_ERROR"
    if "NotFound" in code or "NonExistent" in code or "DoesNotExist" in code:
        return "NO_RESOURCE"
    return "NO_PERMISSIONS" if "AccessDenied" in code else "SDK_CLIENT_ERROR"
