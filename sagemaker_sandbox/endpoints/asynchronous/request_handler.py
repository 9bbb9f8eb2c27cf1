"""Processing of one asynchronous request: input download, invocation, upload of the outcome, notification."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from sagemaker_sandbox.endpoints.asynchronous import metrics, notification
from sagemaker_sandbox.endpoints.asynchronous.data_log import DataLog
from sagemaker_sandbox.endpoints.asynchronous.request import AsyncOutcome, AsyncRequest
from sagemaker_sandbox.endpoints.asynchronous.role import ModelRole, RoleError
from sagemaker_sandbox.endpoints.hosting.invocation import Invocation
from sagemaker_sandbox.endpoints.hosting.reservation import Reservation
from sagemaker_sandbox.jobs.runtime.container_invocation import ModelError
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields


@dataclass(frozen=True)
class AsyncRequestSettings:
    """Settings of an endpoint for its requests.

    `config` is the AsyncInferenceConfig and `role` the role of the model of a variant.
    """

    config: Fields
    role: ModelRole


class AsyncRequestHandler:
    """Processor of the asynchronous requests of one Region.

    `get_settings` returns the settings by endpoint and variant, or None if the endpoint is deleted.
    """

    def __init__(self, region: AccountRegion, get_settings: Callable[[str, str], AsyncRequestSettings | None]) -> None:
        self._region = region
        self._get_settings = get_settings
        self.data_log = DataLog(region)

    def invoke_model(self, request: AsyncRequest, reservation: Reservation) -> AsyncOutcome:
        """Invoke the model and return the outcome. A failure is not retried, as on AWS."""
        variant = reservation.variant
        self._record_metrics(request, variant, TimeInBacklog=self._get_age(request))
        settings = self._get_settings(request.endpoint, variant)
        if settings is None:
            return AsyncOutcome(variant, failure="ClientError: The endpoint was deleted.")
        try:
            body, content_type = self._read_input(request, variant, settings.role)
        except RoleError as error:
            self._record_metrics(request, variant, RequestDownloadFailures=1)
            return AsyncOutcome(variant, failure=f"ClientError: {error}")
        try:
            invocation = Invocation.from_request(
                {"ContentType": content_type} | request.parameters | {"Body": body, "InferenceId": request.inference_id}
            )
            response = reservation.invoke(replace(invocation, timeout_seconds=request.timeout_seconds))
        except ModelError as error:
            return _build_failure(variant, error)
        assert isinstance(response.body, bytes)
        return AsyncOutcome(variant, response.body, response.content_type)

    def _read_input(self, request: AsyncRequest, variant: str, role: ModelRole) -> tuple[bytes, str]:
        """Return the input and its content type, which is empty if the object does not have one."""
        if body := request.parameters.get("Body"):
            return bytes(body), ""
        start = time.monotonic()
        content, content_type = role.read_object(request.parameters["InputLocation"])
        self._record_metrics(request, variant, RequestDownloadLatency=time.monotonic() - start)
        return content, content_type

    def deliver_outcome(self, request: AsyncRequest) -> None:
        """Write the outcome to S3 and publish it. Do nothing if the endpoint is deleted."""
        outcome = request.outcome
        assert outcome is not None
        settings = self._get_settings(request.endpoint, outcome.variant)
        if settings is None:
            return
        self._write(request, outcome, settings)
        self._publish(request, outcome, settings)
        if outcome.failure:
            self._record_metrics(request, outcome.variant, InvocationFailures=1)
            self.data_log.put(request, outcome.variant, self._region.clock.now(), outcome.detail or outcome.failure)
        self._record_metrics(
            request, outcome.variant, InvocationsProcessed=1, TotalProcessingTime=self._get_age(request)
        )

    def _write(self, request: AsyncRequest, outcome: AsyncOutcome, settings: AsyncRequestSettings) -> None:
        """Write the response. If this fails, write the failure to its own location."""
        key = settings.config["OutputConfig"].get("KmsKeyId")
        start = time.monotonic()
        try:
            if not outcome.failure and request.output:
                settings.role.write_object(request.output, outcome.body or b"", outcome.content_type, key)
                self._record_metrics(request, outcome.variant, ResponseUploadLatency=time.monotonic() - start)
        except RoleError as error:
            self._record_metrics(request, outcome.variant, ResponseUploadFailures=1)
            outcome.body, outcome.failure = None, f"ClientError: {error}"
        try:
            if outcome.failure and request.failure:
                body = outcome.failure.encode() if outcome.body is None else outcome.body
                settings.role.write_object(request.failure, body, "", key)
        except RoleError:
            self._record_metrics(request, outcome.variant, ResponseUploadFailures=1)

    def _publish(self, request: AsyncRequest, outcome: AsyncOutcome, settings: AsyncRequestSettings) -> None:
        config = settings.config["OutputConfig"].get("NotificationConfig", {})
        topic = config.get("ErrorTopic" if outcome.failure else "SuccessTopic")
        if topic is None:
            return
        notifications = config.get("IncludeInferenceResponseIn", ())
        with_response = ("ERROR" if outcome.failure else "SUCCESS") + "_NOTIFICATION_TOPIC" in notifications
        message = notification.build_message(
            request, self._region.name, self._region.clock.now(), with_response=with_response
        )
        try:
            settings.role.publish(topic, message)
        except RoleError:
            self._record_metrics(request, outcome.variant, NotificationFailures=1)

    def _get_age(self, request: AsyncRequest) -> float:
        return max((self._region.clock.now() - request.received).total_seconds(), 0.0)

    def _record_metrics(self, request: AsyncRequest, variant: str, **values: float) -> None:
        metrics.put_request_metrics(self._region, request.endpoint, variant, **values)


def _build_failure(variant: str, error: ModelError) -> AsyncOutcome:
    status, message = error.original_status, error.message
    if not status:
        return AsyncOutcome(variant, failure=f"ClientError: {message}")
    origin = f"Received {'client' if 400 <= status < 500 else 'server'} error ({status}) from"
    return AsyncOutcome(
        variant,
        message.encode(),
        failure=f"ClientError: {origin} model. See the SageMaker Endpoint logs in your account for more information.",
        detail=f'{origin} {error.container} with message "{message}"',
    )
