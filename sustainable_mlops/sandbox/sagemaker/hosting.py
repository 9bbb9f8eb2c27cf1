"""InvokeEndpoint: one model server for each serverless endpoint in use, started by its first request."""

import shutil
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from botocore.exceptions import ClientError

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.sandbox.errors import ApiError
from sustainable_mlops.sandbox.hosting.invocation import Invocation, InvocationError
from sustainable_mlops.sandbox.parts.operations import behaves
from sustainable_mlops.sandbox.parts.region import Region
from sustainable_mlops.sandbox.parts.resources import Fields, Part
from sustainable_mlops.sandbox.sagemaker.endpoints import Endpoints, model_data_uri

if TYPE_CHECKING:
    from sustainable_mlops.sandbox.runtime.hosting import ModelServer

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


@dataclass(frozen=True)
class _Served:
    """What an endpoint serves, and its model server once its data are here; whoever asks meanwhile waits for it."""

    what: Fields
    server: "Future[ModelServer]"


class Hosting(Part):
    """The model servers of one Region's endpoints."""

    service = "sagemaker-runtime"
    refuses: ClassVar = {
        "InvokeEndpointAsync": "Asynchronous endpoints are not built: use a serverless endpoint, or an account.",
        "InvokeEndpointWithResponseStream": "Streams are not built: invoke without, or use an account.",
    }

    def __init__(self, region: Region, endpoints: Endpoints) -> None:
        super().__init__(region)
        self._endpoints = endpoints
        endpoints.when_gone.append(self._let_go)
        self._served: dict[str, _Served] = {}

    @behaves
    def invoke_endpoint(self, request: Fields) -> Fields:
        """Ask the model behind an endpoint; the first request after idleness waits for a cold start."""
        from sustainable_mlops.sandbox.runtime.hosting import ModelError, ThrottledError

        endpoint_name, asked = request["EndpointName"], Invocation.of(request)
        variant, server = self._server(endpoint_name)
        if len(asked.body) > LARGEST_BODY:
            raise InvocationError(f"Request body of {len(asked.body)} bytes is larger than {LARGEST_BODY} bytes.")
        try:
            answer, content_type = server.invoke(asked.body, asked.content_type, asked.accept)
        except ThrottledError:
            raise ThrottlingError("Rate exceeded") from None
        except ModelError as error:
            raise self._failure(endpoint_name, error.original_status, error.message) from None
        return {"Body": answer, "ContentType": content_type, "InvokedProductionVariant": variant}

    def _failure(self, endpoint_name: str, status: int, message: str) -> ModelFailureError:
        region, account = self.region.name, self.region.account_id
        text = (
            f"Received {'client' if 400 <= status < 500 else 'server'} error ({status}) from primary with message "
            f'"{message}". See the log of endpoint {endpoint_name} in account {account} for more information.'
        )
        arn = f"arn:aws:logs:{region}:{account}:log-group:/aws/sagemaker/Endpoints/{endpoint_name}"
        return ModelFailureError(text, OriginalStatusCode=status, OriginalMessage=message, LogStreamArn=arn)

    def _server(self, endpoint_name: str) -> tuple[str, "ModelServer"]:
        """The variant and its model server; its data are downloaded by the first who asks, without the lock."""
        with self.region.lock:
            variant, what = self._what(endpoint_name)
            served = self._served.get(endpoint_name)
            first = served is None or served.what != what
            if first:
                if served is not None:
                    self._let_go(endpoint_name)
                served = self._served[endpoint_name] = _Served(what, Future())
        assert served is not None
        if first:
            try:
                served.server.set_result(self._start(endpoint_name, what))
            except BaseException as error:
                with self.region.lock:
                    if self._served.get(endpoint_name) is served:  # the next request tries again
                        del self._served[endpoint_name]
                served.server.set_exception(error)
        return variant, served.server.result()

    def _what(self, endpoint_name: str) -> tuple[str, Fields]:
        endpoint = self._endpoints.find(endpoint_name)
        if endpoint is None or endpoint.fields["EndpointStatus"] not in ("InService", "Updating"):
            raise InvocationError(f"Endpoint {endpoint_name} of account {self.region.account_id} not found.")
        variant: Fields = endpoint.fields["ProductionVariants"][0]
        if "CurrentServerlessConfig" not in variant:
            raise InvocationError("The sandbox serves serverless endpoints only; this one is instance-based.")
        container: Fields = endpoint.private["models"][variant["VariantName"]]
        return variant["VariantName"], {"container": container, "serverless": variant["CurrentServerlessConfig"]}

    def _start(self, endpoint_name: str, what: Fields) -> "ModelServer":
        from sustainable_mlops.sandbox.runtime.hosting import ModelServer

        container, serverless = what["container"], what["serverless"]
        uri = model_data_uri(container)
        data = None
        if uri is not None:
            address = S3Uri.parse(uri, "ModelDataUrl")
            try:
                data = self.region.client("s3").get_object(Bucket=address.bucket, Key=address.key)["Body"].read()
            except ClientError as error:
                raise InvocationError(f"Failed to download model data from {uri}: {error}") from None
        folder = self.region.folder / "endpoints" / endpoint_name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return ModelServer(
            data,
            container.get("Environment", {}),
            folder,
            memory_mb=serverless["MemorySizeInMB"],
            max_concurrency=serverless["MaxConcurrency"],
            idle_seconds=self.region.context.idle_seconds,
        )

    def _let_go(self, endpoint_name: str) -> None:
        """Stop the workers of one endpoint; returns at once."""
        served = self._served.pop(endpoint_name, None)
        if served is not None:
            self.region.start(f"close {endpoint_name}", lambda: _close(served))

    def close(self) -> None:
        """Stop all workers."""
        with self.region.lock:
            served = list(self._served.values())
            self._served.clear()
        for one in served:
            _close(one)


def _close(served: _Served) -> None:
    if served.server.exception() is None:  # waits for a download that is under way
        served.server.result().close()
