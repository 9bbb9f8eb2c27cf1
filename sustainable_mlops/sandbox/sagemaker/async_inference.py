"""InvokeEndpointAsync: one queue for each endpoint, which outlives its instances and the sandbox."""

import uuid
from typing import Any

from sustainable_mlops.sandbox.asynchronous import locations
from sustainable_mlops.sandbox.asynchronous.queue import Queue
from sustainable_mlops.sandbox.asynchronous.request import Request
from sustainable_mlops.sandbox.hosting.invocation import InvocationError
from sustainable_mlops.sandbox.parts.operations import behaves
from sustainable_mlops.sandbox.parts.region import Region
from sustainable_mlops.sandbox.parts.resources import Fields, Part, Resource
from sustainable_mlops.sandbox.sagemaker.endpoints import Endpoints
from sustainable_mlops.sandbox.sagemaker.fleets import Fleets


class AsyncInference(Part):
    """The queues of one Region's asynchronous endpoints."""

    service = "sagemaker-runtime"
    #: Source: `Body` in the API reference of InvokeEndpointAsync.
    LARGEST_BODY = 128_000

    def __init__(self, region: Region, fleets: Fleets, endpoints: Endpoints) -> None:
        super().__init__(region)
        self._fleets = fleets
        self._endpoints = endpoints
        self._queues: dict[str, Queue] = {}
        endpoints.when_gone.append(self._drop)

    @behaves
    def invoke_endpoint_async(self, request: Fields) -> Fields:
        """Accepted at once, also with no instance or without its input: what is missing fails it later."""
        name = request["EndpointName"]
        self._check(request)
        inference_id = request.get("InferenceId") or str(uuid.uuid4())
        with self.region.lock:
            config = self._endpoint(name).fields["AsyncInferenceConfig"]
            output, failure = locations.of_answer(config["OutputConfig"], request, inference_id)
            queued = Request(name, inference_id, request, self.region.clock.now(), output, failure)
            self._queues.setdefault(name, Queue()).waiting.append(queued)
        self.region.clock.wake()
        answer = {"InferenceId": inference_id, "OutputLocation": output, "FailureLocation": failure}
        return {member: value for member, value in answer.items() if value is not None}

    def _check(self, request: Fields) -> None:
        body = request.get("Body") or b""
        if bool(body) == bool(request.get("InputLocation")):
            raise InvocationError("Exactly one of Body and InputLocation must be provided.")
        if len(body) > self.LARGEST_BODY:
            raise InvocationError(
                "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length "
                f"less than or equal to {self.LARGEST_BODY}"
            )

    def _endpoint(self, name: str) -> Resource:
        endpoint = self._endpoints.find(name)
        account = self.region.account_id
        if endpoint is None or endpoint.fields["EndpointStatus"] in ("Creating", "Failed", "Deleting", "OutOfService"):
            raise InvocationError(f"Endpoint {name} of account {account} not found.")
        if not endpoint.fields.get("AsyncInferenceConfig"):
            raise InvocationError(
                f"Endpoint {name} of account {account} is not configured for asynchronous inference: use "
                "InvokeEndpoint."
            )
        return endpoint

    def _drop(self, name: str) -> None:
        self._queues.pop(name, None)

    def snapshot(self) -> Any:
        """What waits and what is under way, which starts anew."""
        return {name: queue.data() for name, queue in self._queues.items() if len(queue)}

    def restore(self, kept: Any) -> None:
        """Every request, in its place."""
        self._queues = {name: Queue([Request.of(data) for data in requests]) for name, requests in kept.items()}
