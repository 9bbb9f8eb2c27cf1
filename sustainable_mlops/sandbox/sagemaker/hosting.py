"""InvokeEndpoint."""

from typing import ClassVar

from sustainable_mlops.sandbox.errors import ApiError
from sustainable_mlops.sandbox.hosting.instance import StartError
from sustainable_mlops.sandbox.hosting.invocation import Invocation, InvocationError
from sustainable_mlops.sandbox.parts.operations import behaves
from sustainable_mlops.sandbox.parts.region import Region
from sustainable_mlops.sandbox.parts.resources import Fields, Part
from sustainable_mlops.sandbox.sagemaker.endpoints import Endpoints
from sustainable_mlops.sandbox.sagemaker.fleets import Fleets

#: Source: quotas of Serverless Inference in the SageMaker developer guide.
LARGEST_BODY = 4 * 1024 * 1024


class ThrottlingError(ApiError):
    """More requests at once than the endpoint's MaxConcurrency."""

    code = "ThrottlingException"
    status = 429


class ModelFailureError(ApiError):
    """The container answered with an error, or not at all."""

    code = "ModelError"
    status = 424


#: The statuses in which an endpoint answers.
SERVING = ("InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed")


class Hosting(Part):
    """The model servers of one Region's endpoints."""

    service = "sagemaker-runtime"
    refuses: ClassVar = {
        "InvokeEndpointAsync": "Asynchronous endpoints are not built: use a serverless endpoint, or an account.",
        "InvokeEndpointWithResponseStream": "Streams are not built: invoke without, or use an account.",
    }

    def __init__(self, region: Region, endpoints: Endpoints, fleets: Fleets) -> None:
        super().__init__(region)
        self._endpoints = endpoints
        self._fleets = fleets

    @behaves
    def invoke_endpoint(self, request: Fields) -> Fields:
        """Ask the model behind an endpoint; the first request after idleness waits for a cold start."""
        from sustainable_mlops.sandbox.runtime.hosting import ModelError, ThrottledError

        endpoint_name, asked = request["EndpointName"], Invocation.of(request)
        self._must_serve(endpoint_name)
        if len(asked.body) > LARGEST_BODY:
            raise InvocationError(f"Request body of {len(asked.body)} bytes is larger than {LARGEST_BODY} bytes.")
        try:
            answer = self._fleets.traffic(endpoint_name).invoke(asked)
        except StartError as error:  # of what served before a restart
            raise InvocationError(str(error)) from None
        except ThrottledError:
            raise ThrottlingError("Rate exceeded") from None
        except ModelError as error:
            raise self._failure(endpoint_name, error.original_status, error.message) from None
        return {"Body": answer.body, "ContentType": answer.content_type, "InvokedProductionVariant": answer.variant}

    def _failure(self, endpoint_name: str, status: int, message: str) -> ModelFailureError:
        region, account = self.region.name, self.region.account_id
        text = (
            f"Received {'client' if 400 <= status < 500 else 'server'} error ({status}) from primary with message "
            f'"{message}". See the log of endpoint {endpoint_name} in account {account} for more information.'
        )
        arn = f"arn:aws:logs:{region}:{account}:log-group:/aws/sagemaker/Endpoints/{endpoint_name}"
        return ModelFailureError(text, OriginalStatusCode=status, OriginalMessage=message, LogStreamArn=arn)

    def _must_serve(self, endpoint_name: str) -> None:
        with self.region.lock:
            endpoint = self._endpoints.find(endpoint_name)
            if endpoint is None or endpoint.fields["EndpointStatus"] not in SERVING:
                raise InvocationError(f"Endpoint {endpoint_name} of account {self.region.account_id} not found.")
