"""InvokeEndpoint and InvokeEndpointWithResponseStream, with SageMaker's errors."""

from collections.abc import Mapping
from typing import NoReturn

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.endpoints.endpoints import Endpoints
from sagemaker_sandbox.endpoints.fleets import Fleets
from sagemaker_sandbox.endpoints.hosting.capture import CaptureBuffer
from sagemaker_sandbox.endpoints.hosting.instance import StartError
from sagemaker_sandbox.endpoints.hosting.invocation import (
    Invocation,
    InvocationError,
    InvocationResponse,
    MissingTargetError,
)
from sagemaker_sandbox.jobs.runtime.container_invocation import ModelError, ThrottledError
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, ServicePart

#: Largest bodies. Sources: quotas of Serverless Inference in the developer guide; InvokeEndpoint in the service model.
MAX_SERVERLESS_BODY_BYTES, MAX_BODY_BYTES = 4 * 1024 * 1024, 6 * 1024 * 1024
#: Statuses of an endpoint that handles requests.
ACTIVE_STATUSES = ("InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed")
#: Longest message in the service model.
_MAX_MESSAGE = 2048


class EndpointInvocations(ServicePart):
    """Requests to one Region's endpoints."""

    service = "sagemaker-runtime"

    def __init__(self, region: AccountRegion, endpoints: Endpoints, fleets: Fleets, captures: CaptureBuffer) -> None:
        super().__init__(region)
        self._endpoints = endpoints
        self._fleets = fleets
        self._captures = captures
        endpoints.on_removed.append(self._flush_captures)
        fleets.on_shadow_response = self._capture

    def _flush_captures(self, _endpoint: str) -> None:
        """Write the captured data of a deleted endpoint to S3."""
        self.region.start_thread("data capture", self._captures.flush)

    def _capture(
        self, name: str, config: Fields, variant: str, invocation: Invocation, response: InvocationResponse
    ) -> InvocationResponse:
        """Capture the request and the response of a variant or a shadow variant.

        Returns the response, whose body is captured while the client reads it.
        """
        return self._captures.capture(name, variant, config.get("DataCaptureConfig"), invocation, response)

    @emulated_operation
    def invoke_endpoint(self, request: Fields) -> Fields:
        """Invoke the model of an endpoint. Without a warm worker, the request waits for one."""
        response = self._invoke(request, Invocation.from_request(request))
        return _build_members(response) | {
            "NewSessionId": response.new_session_id,
            "ClosedSessionId": response.closed_session_id,
        }

    @emulated_operation
    def invoke_endpoint_with_response_stream(self, request: Fields) -> Fields:
        """Invoke the model of an endpoint, and send the parts of the response as the script yields them."""
        return _build_members(self._invoke(request, Invocation.from_request(request, is_streaming=True)))

    def _invoke(self, request: Fields, invocation: Invocation) -> InvocationResponse:
        name = request["EndpointName"]
        config = self._get_config(name)
        _check(name, config, request)
        if "AsyncInferenceConfig" in config:
            raise InvocationError(
                f"Endpoint {name} of account {self.region.account_id} is configured for asynchronous inference: use "
                "InvokeEndpointAsync."
            )
        try:
            response = self._fleets.get_traffic(name).invoke(invocation)
        except (ThrottledError, ModelError, MissingTargetError, StartError) as error:
            self._raise_api_error(name, error)
        return self._capture(name, config, response.variant, invocation, response)

    def _get_config(self, name: str) -> Fields:
        """Return the configuration of an endpoint that handles requests. Raises InvocationError."""
        with self.region.lock:
            endpoint = self._endpoints.find(name)
            if endpoint is None or endpoint.fields["EndpointStatus"] not in ACTIVE_STATUSES:
                raise InvocationError(f"Endpoint {name} of account {self.region.account_id} not found.")
            config: Fields = endpoint.private["config"]
            return config

    def _raise_api_error(
        self, name: str, error: ThrottledError | ModelError | MissingTargetError | StartError
    ) -> NoReturn:
        if isinstance(error, ThrottledError):
            raise ApiError("Rate exceeded", code="ThrottlingException", status=429) from None
        if isinstance(error, MissingTargetError):
            raise error.to_invocation_error(name) from None
        if isinstance(error, StartError):
            raise ApiError(str(error), code="ServiceUnavailable", status=503) from None
        raise self.build_model_failure(name, error) from None

    def build_model_failure(self, name: str, error: ModelError) -> ApiError:
        """Return SageMaker's error for a failure of a container."""
        region, account, status = self.region.name, self.region.account_id, error.original_status
        group, side = f"/aws/sagemaker/Endpoints/{name}", "client" if 400 <= status < 500 else "server"
        message = error.message[: _MAX_MESSAGE // 2]
        return ApiError(
            f'Received {side} error ({status}) from {error.container} with message "{message}". See '
            f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group} in "
            f"account {account} for more information.",
            ErrorCode="CLIENT_ERROR_FROM_MODEL" if side == "client" else "INTERNAL_FAILURE_FROM_MODEL",
            OriginalStatusCode=status,
            OriginalMessage=message,
            LogStreamArn=f"arn:aws:logs:{region}:{account}:log-group:{group}",
            code="ModelError",
            status=424,
        )


def _check(name: str, config: Fields, request: Mapping[str, object]) -> None:
    """Raise InvocationError for a request that the endpoint does not accept."""
    serverless = any("ServerlessConfig" in variant for variant in config["ProductionVariants"])
    max_bytes, body = MAX_SERVERLESS_BODY_BYTES if serverless else MAX_BODY_BYTES, request.get("Body")
    if isinstance(body, bytes) and len(body) > max_bytes:
        raise InvocationError(
            "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less "
            f"than or equal to {max_bytes}"
        )
    if "EnableExplanations" in request:
        raise InvocationError(f"Endpoint {name} has no explainer, so the request cannot have EnableExplanations.")
    if "InferenceComponentName" in request:
        raise InvocationError(
            f"Endpoint {name} serves models: Inference Component Name header is for endpoints of inference components."
        )


def _build_members(response: InvocationResponse) -> Fields:
    return {
        "Body": response.body,
        "ContentType": response.content_type,
        "InvokedProductionVariant": response.variant,
        "CustomAttributes": response.custom_attributes,
    }
