"""InvokeEndpoint, at once or in parts: who may be asked what, and how SageMaker tells what went wrong."""

from collections.abc import Mapping
from typing import NoReturn

from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.hosting.capture import Captures
from sagemaker_sandbox.hosting.instance import StartError
from sagemaker_sandbox.hosting.invocation import Invocation, InvocationError, InvocationResponse, MissingTargetError
from sagemaker_sandbox.parts.handlers import emulated_operation
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields, ServicePart
from sagemaker_sandbox.runtime.container_invocation import ModelError, ThrottledError
from sagemaker_sandbox.sagemaker.endpoints import Endpoints
from sagemaker_sandbox.sagemaker.fleets import Fleets

#: Source: quotas of Serverless Inference in the SageMaker developer guide; InvokeEndpoint in the service model.
SERVERLESS_BODY, BODY = 4 * 1024 * 1024, 6 * 1024 * 1024
#: Statuses of an endpoint that answers.
ANSWERING = ("InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed")
#: The longest message in the service model.
_MESSAGE = 2048


class ThrottlingError(ApiError):
    """More requests at once than the endpoint's MaxConcurrency."""

    code = "ThrottlingException"
    status = 429


class ModelFailureError(ApiError):
    """The container answered with an error, or not at all."""

    code = "ModelError"
    status = 424


class UnavailableError(ApiError):
    """The endpoint cannot answer now."""

    code = "ServiceUnavailable"
    status = 503


class Hosting(ServicePart):
    """The requests to one Region's endpoints."""

    service = "sagemaker-runtime"

    def __init__(self, region: AccountRegion, endpoints: Endpoints, fleets: Fleets, captures: Captures) -> None:
        super().__init__(region)
        self._endpoints = endpoints
        self._fleets = fleets
        self._captures = captures
        endpoints.on_removed.append(self._let_go)
        fleets.heard = self._capture

    def _let_go(self, _endpoint: str) -> None:
        """What was captured of an endpoint that is gone is in S3."""
        self.region.start_thread("data capture", self._captures.flush)

    def _capture(
        self, name: str, config: Fields, variant: str, asked: Invocation, answer: InvocationResponse
    ) -> InvocationResponse:
        """Keep what a variant was asked and says, a shadow variant's too; the answer, heard as it is taken."""
        return self._captures.capture(name, variant, config.get("DataCaptureConfig"), asked, answer)

    @emulated_operation
    def invoke_endpoint(self, request: Fields) -> Fields:
        """Ask the model behind an endpoint; where no worker is warm, the request waits for one."""
        answer = self._ask(request, Invocation.from_request(request))
        return _headers(answer) | {"NewSessionId": answer.new_session_id, "ClosedSessionId": answer.closed_session_id}

    @emulated_operation
    def invoke_endpoint_with_response_stream(self, request: Fields) -> Fields:
        """As InvokeEndpoint; the parts of the answer are sent as the script yields them."""
        return _headers(self._ask(request, Invocation.from_request(request, streams=True)))

    def _ask(self, request: Fields, asked: Invocation) -> InvocationResponse:
        name = request["EndpointName"]
        config = self._config(name)
        _check(name, config, request)
        if "AsyncInferenceConfig" in config:
            raise InvocationError(
                f"Endpoint {name} of account {self.region.account_id} is configured for asynchronous inference: use "
                "InvokeEndpointAsync."
            )
        try:
            answer = self._fleets.get_traffic(name).invoke(asked)
        except (ThrottledError, ModelError, MissingTargetError, StartError) as error:
            self._refuse(name, error)
        return self._capture(name, config, answer.variant, asked, answer)

    def _config(self, name: str) -> Fields:
        """The configuration that an endpoint serves by. Raises InvocationError."""
        with self.region.lock:
            endpoint = self._endpoints.find(name)
            if endpoint is None or endpoint.fields["EndpointStatus"] not in ANSWERING:
                raise InvocationError(f"Endpoint {name} of account {self.region.account_id} not found.")
            config: Fields = endpoint.private["config"]
            return config

    def _refuse(self, name: str, error: ThrottledError | ModelError | MissingTargetError | StartError) -> NoReturn:
        if isinstance(error, ThrottledError):
            raise ThrottlingError("Rate exceeded") from None
        if isinstance(error, MissingTargetError):
            raise error.to_invocation_error(name) from None
        if isinstance(error, StartError):
            raise UnavailableError(str(error)) from None
        raise self.failure(name, error) from None

    def failure(self, name: str, error: ModelError) -> ModelFailureError:
        """How a container's failure is told."""
        region, account, status = self.region.name, self.region.account_id, error.original_status
        group, who = f"/aws/sagemaker/Endpoints/{name}", "client" if 400 <= status < 500 else "server"
        message = error.message[: _MESSAGE // 2]
        return ModelFailureError(
            f'Received {who} error ({status}) from {error.container} with message "{message}". See '
            f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group} in "
            f"account {account} for more information.",
            ErrorCode="CLIENT_ERROR_FROM_MODEL" if who == "client" else "INTERNAL_FAILURE_FROM_MODEL",
            OriginalStatusCode=status,
            OriginalMessage=message,
            LogStreamArn=f"arn:aws:logs:{region}:{account}:log-group:{group}",
        )


def _check(name: str, config: Fields, request: Mapping[str, object]) -> None:
    """Raise InvocationError for what the endpoint does not take."""
    serverless = any("ServerlessConfig" in variant for variant in config["ProductionVariants"])
    most, body = SERVERLESS_BODY if serverless else BODY, request.get("Body")
    if isinstance(body, bytes) and len(body) > most:
        raise InvocationError(
            "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less "
            f"than or equal to {most}"
        )
    if "EnableExplanations" in request:
        raise InvocationError(f"Endpoint {name} has no explainer, so that EnableExplanations cannot be asked for.")
    if "InferenceComponentName" in request:
        raise InvocationError(
            f"Endpoint {name} serves models: Inference Component Name header is for endpoints of inference components."
        )


def _headers(answer: InvocationResponse) -> Fields:
    return {
        "Body": answer.body,
        "ContentType": answer.content_type,
        "InvokedProductionVariant": answer.variant,
        "CustomAttributes": answer.custom_attributes,
    }
