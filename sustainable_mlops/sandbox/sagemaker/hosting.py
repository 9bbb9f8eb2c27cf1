"""InvokeEndpoint: one model server for each serverless endpoint in use, started by its first request."""

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.sandbox.errors import ApiError
from sustainable_mlops.sandbox.sagemaker.endpoints import Endpoints, model_data_uri
from sustainable_mlops.sandbox.sagemaker.region import Region
from sustainable_mlops.sandbox.sagemaker.resources import Fields

if TYPE_CHECKING:
    from sustainable_mlops.sandbox.runtime.hosting import ModelServer

#: Source: quotas of Serverless Inference in the SageMaker developer guide.
LARGEST_BODY = 4 * 1024 * 1024


class InvocationError(ApiError):
    """SageMaker Runtime's own name for a bad request."""

    code = "ValidationError"


class ThrottlingError(ApiError):
    """More requests at once than the endpoint's MaxConcurrency."""

    code = "ThrottlingException"
    status = 429


class ModelFailureError(ApiError):
    """The container answered with an error, or not at all."""

    code = "ModelError"
    status = 424

    def __init__(self, message: str, details: Fields) -> None:
        super().__init__(message)
        self.details = details


@dataclass(frozen=True)
class Answer:
    """What the model said."""

    body: bytes
    content_type: str
    variant: str


class Hosting:
    """The model servers of one region's endpoints."""

    def __init__(self, region: Region, endpoints: Endpoints) -> None:
        self.region = region
        self._endpoints = endpoints
        endpoints.when_gone.append(self.close)
        self._servers: dict[str, tuple[Fields, ModelServer]] = {}

    def invoke(self, endpoint_name: str, body: bytes, headers: Any) -> Answer:
        """Ask the model behind an endpoint; the first request after idleness waits for a cold start."""
        from sustainable_mlops.sandbox.runtime.hosting import ModelError, ThrottledError

        variant, server = self._server(endpoint_name)
        if len(body) > LARGEST_BODY:
            raise InvocationError(f"Request body of {len(body)} bytes is larger than {LARGEST_BODY} bytes.")
        accept = headers.get("Accept") or "*/*"
        try:
            answer, content_type = server.invoke(body, headers.get("Content-Type") or "application/json", accept)
        except ThrottledError:
            raise ThrottlingError("Rate exceeded") from None
        except ModelError as error:
            raise self._failure(endpoint_name, error.original_status, error.message) from None
        return Answer(answer, content_type, variant)

    def _failure(self, endpoint_name: str, status: int, message: str) -> ModelFailureError:
        region, account = self.region.name, self.region.context.account_id
        text = (
            f"Received {'client' if 400 <= status < 500 else 'server'} error ({status}) from primary with message "
            f'"{message}". See the log of endpoint {endpoint_name} in account {account} for more information.'
        )
        arn = f"arn:aws:logs:{region}:{account}:log-group:/aws/sagemaker/Endpoints/{endpoint_name}"
        return ModelFailureError(text, {"OriginalStatusCode": status, "OriginalMessage": message, "LogStreamArn": arn})

    def _server(self, endpoint_name: str) -> tuple[str, "ModelServer"]:
        with self.region.lock:
            endpoint = self._endpoints.find(endpoint_name)
            account = self.region.context.account_id
            if endpoint is None or endpoint.fields["EndpointStatus"] not in ("InService", "Updating"):
                raise InvocationError(f"Endpoint {endpoint_name} of account {account} not found.")
            variant: Fields = endpoint.fields["ProductionVariants"][0]
            if "CurrentServerlessConfig" not in variant:
                raise InvocationError("The sandbox serves serverless endpoints only; this one is instance-based.")
            container: Fields = endpoint.fields["_models"][variant["VariantName"]]
            served = {"container": container, "serverless": variant["CurrentServerlessConfig"]}
            known = self._servers.get(endpoint_name)
            if known is None or known[0] != served:
                self.close(endpoint_name)
                known = self._servers[endpoint_name] = (served, self._start(endpoint_name, served))
            return variant["VariantName"], known[1]

    def _start(self, endpoint_name: str, served: Fields) -> "ModelServer":
        from sustainable_mlops.sandbox.runtime.hosting import ModelServer

        context, container, serverless = self.region.context, served["container"], served["serverless"]
        uri = model_data_uri(container)
        data = None
        if uri is not None:
            address = S3Uri.parse(uri, "ModelDataUrl")
            s3 = context.client("s3", self.region.name)
            try:
                data = s3.get_object(Bucket=address.bucket, Key=address.key)["Body"].read()
            except ClientError as error:
                raise InvocationError(f"Failed to download model data from {uri}: {error}") from None
        folder = context.folder / "endpoints" / self.region.name / endpoint_name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return ModelServer(
            data,
            container.get("Environment", {}),
            folder,
            memory_mb=serverless["MemorySizeInMB"],
            max_concurrency=serverless["MaxConcurrency"],
            idle_seconds=context.idle_seconds,
        )

    def close(self, endpoint_name: str) -> None:
        """Stop the workers of one endpoint."""
        known = self._servers.pop(endpoint_name, None)
        if known is not None:
            known[1].close()

    def close_all(self) -> None:
        """Stop all workers."""
        for endpoint_name in list(self._servers):
            self.close(endpoint_name)
