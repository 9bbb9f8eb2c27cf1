"""What is done for one asynchronous request: its input is read, the model asked, and the outcome written and told."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from sagemaker_sandbox.asynchronous import metrics, notification
from sagemaker_sandbox.asynchronous.data_log import DataLog
from sagemaker_sandbox.asynchronous.request import AsyncOutcome, AsyncRequest
from sagemaker_sandbox.asynchronous.role import ModelRole, RoleError
from sagemaker_sandbox.hosting.invocation import Invocation
from sagemaker_sandbox.hosting.reservation import Reservation
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.runtime.container_invocation import ModelError


@dataclass(frozen=True)
class AsyncSettings:
    """What an endpoint says of its requests: its AsyncInferenceConfig, and the role of a variant's model."""

    config: Fields
    role: ModelRole


class AsyncRequestHandler:
    """For one Region's endpoints. `terms` of an endpoint and a variant are None once the endpoint is gone."""

    def __init__(self, region: AccountRegion, terms: Callable[[str, str], AsyncSettings | None]) -> None:
        self._region = region
        self._terms = terms
        self.log = DataLog(region)

    def invoke_model(self, request: AsyncRequest, place: Reservation) -> AsyncOutcome:
        """Have the model answer. Its failure is an outcome: AWS does not ask again."""
        variant = place.variant
        self._count(request, variant, TimeInBacklog=self._age(request))
        terms = self._terms(request.endpoint, variant)
        if terms is None:
            return AsyncOutcome(variant, failure="ClientError: The endpoint was deleted.")
        try:
            body = self._input(request, variant, terms.role)
        except RoleError as error:
            self._count(request, variant, RequestDownloadFailures=1)
            return AsyncOutcome(variant, failure=f"ClientError: {error}")
        try:
            asked = Invocation.from_request(request.parameters | {"Body": body, "InferenceId": request.inference_id})
            answer = place.invoke(replace(asked, timeout_seconds=request.timeout_seconds))
        except ModelError as error:
            return _failed(variant, error)
        assert isinstance(answer.body, bytes)
        return AsyncOutcome(variant, answer.body, answer.content_type)

    def _input(self, request: AsyncRequest, variant: str, role: ModelRole) -> bytes:
        if body := request.parameters.get("Body"):
            return bytes(body)
        began = time.monotonic()
        content = role.read_object(request.parameters["InputLocation"])
        self._count(request, variant, RequestDownloadLatency=time.monotonic() - began)
        return content

    def deliver_outcome(self, request: AsyncRequest) -> None:
        """Write the outcome to S3, then publish it: to nobody, once the endpoint is gone."""
        outcome = request.outcome
        assert outcome is not None
        terms = self._terms(request.endpoint, outcome.variant)
        if terms is None:
            return
        self._write(request, outcome, terms)
        self._publish(request, outcome, terms)
        if outcome.failure:
            self._count(request, outcome.variant, InvocationFailures=1)
            self.log.put(request, outcome.variant, self._region.clock.now(), outcome.detail or outcome.failure)
        self._count(request, outcome.variant, InvocationsProcessed=1, TotalProcessingTime=self._age(request))

    def _write(self, request: AsyncRequest, outcome: AsyncOutcome, terms: AsyncSettings) -> None:
        """An answer that cannot be written is a failure, which may have another place."""
        key = terms.config["OutputConfig"].get("KmsKeyId")
        began = time.monotonic()
        try:
            if not outcome.failure and request.output:
                terms.role.write_object(request.output, outcome.body or b"", outcome.content_type, key)
                self._count(request, outcome.variant, ResponseUploadLatency=time.monotonic() - began)
        except RoleError as error:
            self._count(request, outcome.variant, ResponseUploadFailures=1)
            outcome.body, outcome.failure = None, f"ClientError: {error}"
        try:
            if outcome.failure and request.failure:
                body = outcome.failure.encode() if outcome.body is None else outcome.body
                terms.role.write_object(request.failure, body, "", key)
        except RoleError:
            self._count(request, outcome.variant, ResponseUploadFailures=1)

    def _publish(self, request: AsyncRequest, outcome: AsyncOutcome, terms: AsyncSettings) -> None:
        config = terms.config["OutputConfig"].get("NotificationConfig", {})
        topic = config.get("ErrorTopic" if outcome.failure else "SuccessTopic")
        if topic is None:
            return
        included = config.get("IncludeInferenceResponseIn", ())
        with_answer = ("ERROR" if outcome.failure else "SUCCESS") + "_NOTIFICATION_TOPIC" in included
        message = notification.build_message(
            request, self._region.name, self._region.clock.now(), with_answer=with_answer
        )
        try:
            terms.role.publish(topic, message)
        except RoleError:
            self._count(request, outcome.variant, NotificationFailures=1)

    def _age(self, request: AsyncRequest) -> float:
        return max((self._region.clock.now() - request.received).total_seconds(), 0.0)

    def _count(self, request: AsyncRequest, variant: str, **values: float) -> None:
        metrics.put_request_metrics(self._region, request.endpoint, variant, **values)


def _failed(variant: str, error: ModelError) -> AsyncOutcome:
    status, message = error.original_status, error.message
    if not status:
        return AsyncOutcome(variant, failure=f"ClientError: {message}")
    received = f"Received {'client' if 400 <= status < 500 else 'server'} error ({status}) from"
    return AsyncOutcome(
        variant,
        message.encode(),
        failure=f"ClientError: {received} model. See the SageMaker Endpoint logs in your account for more information.",
        detail=f'{received} {error.container} with message "{message}"',
    )
