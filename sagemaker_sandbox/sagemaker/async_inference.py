"""InvokeEndpointAsync: one queue for each endpoint, which outlives its instances and the sandbox."""

import uuid
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from typing import Any

from sagemaker_sandbox.asynchronous import locations, metrics
from sagemaker_sandbox.asynchronous.dispatcher import Dispatcher
from sagemaker_sandbox.asynchronous.queue import Queue
from sagemaker_sandbox.asynchronous.request import AsyncOutcome, AsyncRequest
from sagemaker_sandbox.asynchronous.request_handler import AsyncRequestHandler, AsyncSettings
from sagemaker_sandbox.asynchronous.role import ModelRole
from sagemaker_sandbox.hosting.containers import MAX_WAITING_REQUESTS
from sagemaker_sandbox.hosting.invocation import InvocationError
from sagemaker_sandbox.hosting.reservation import Reservation
from sagemaker_sandbox.parts.handlers import emulated_operation
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields, ServicePart, SageMakerResource
from sagemaker_sandbox.runtime.container import count_cpus
from sagemaker_sandbox.sagemaker.endpoints import Endpoints
from sagemaker_sandbox.sagemaker.fleets import Fleets
from sagemaker_sandbox.sagemaker.hosting import ANSWERING

#: Source: `Body` in the API reference of InvokeEndpointAsync.
LARGEST_BODY = 128_000


class AsyncInference(ServicePart):
    """The queues of one Region's asynchronous endpoints."""

    service = "sagemaker-runtime"

    def __init__(self, region: AccountRegion, fleets: Fleets, endpoints: Endpoints) -> None:
        super().__init__(region)
        self._fleets = fleets
        self._endpoints = endpoints
        self._queues: dict[str, Queue] = {}
        self._dispatchers: dict[str, Dispatcher] = {}
        self._handling = AsyncRequestHandler(region, self._terms)
        fleets.freed.append(self._look)
        endpoints.on_removed.append(self._drop)

    @emulated_operation
    def invoke_endpoint_async(self, request: Fields) -> Fields:
        """Accepted at once, also with no instance or without its input: what is missing fails it later."""
        name = request["EndpointName"]
        _check(request)
        inference_id = request.get("InferenceId") or str(uuid.uuid4())
        with self.region.lock:
            config = self._endpoint(name).fields["AsyncInferenceConfig"]
            output, failure = locations.resolve_output_locations(config["OutputConfig"], request, inference_id)
            if name not in self._queues:
                self._add(name, Queue())
            queued = AsyncRequest(name, inference_id, request, self.region.clock.now(), output, failure)
            self._queues[name].waiting.append(queued)
        self._look(name)
        self.region.clock.wake()
        answer = {"InferenceId": inference_id, "OutputLocation": output, "FailureLocation": failure}
        return {member: value for member, value in answer.items() if value is not None}

    def _endpoint(self, name: str) -> SageMakerResource:
        endpoint = self._endpoints.find(name)
        account = self.region.account_id
        if endpoint is None or endpoint.fields["EndpointStatus"] not in ANSWERING:
            raise InvocationError(f"Endpoint {name} of account {account} not found.")
        if not endpoint.fields.get("AsyncInferenceConfig"):
            raise InvocationError(
                f"Endpoint {name} of account {account} is not configured for asynchronous inference: use "
                "InvokeEndpoint."
            )
        return endpoint

    def _add(self, name: str, queue: Queue) -> None:
        self._queues[name] = queue
        taken = partial(self._taken, name)
        self._dispatchers[name] = Dispatcher(self.region, name, queue, taken, self._handling)

    def _look(self, name: str) -> None:
        if (dispatcher := self._dispatchers.get(name)) is not None:
            dispatcher.notify()

    def _taken(self, name: str) -> AbstractContextManager[Reservation | None]:
        """Room for a request on one of the endpoint's instances."""
        with self.region.lock:
            endpoint = self._endpoints.find(name)
            config: Fields = (endpoint.fields.get("AsyncInferenceConfig") if endpoint is not None else None) or {}
        # SageMaker "chooses an optimal value": assumed to be what an instance answers at once.
        limit = config.get("ClientConfig", {}).get("MaxConcurrentInvocationsPerInstance", count_cpus())
        return self._fleets.get_traffic(name).reserve(
            min(limit, MAX_WAITING_REQUESTS)
        )  # more than it takes wait here as well as there

    def _terms(self, name: str, variant: str) -> AsyncSettings | None:
        with self.region.lock:
            endpoint = self._endpoints.find(name)
            if endpoint is None:
                return None
            roles = endpoint.private["roles"]
            # One that an update has just brought, or taken away, has the role of the other: there is one at a time.
            role = roles.get(variant) or next(iter(roles.values()), "")
            return AsyncSettings(endpoint.fields["AsyncInferenceConfig"], ModelRole(self.region, role))

    def _drop(self, name: str) -> None:
        """What waits for an endpoint goes with it."""
        if self._queues.pop(name, None) is not None:
            self._dispatchers.pop(name).close()
            self._handling.log.drop(name)

    @property
    def has_endpoints(self) -> bool:
        """Whether there is an asynchronous endpoint."""
        with self.region.lock:
            return any(endpoint.fields.get("AsyncInferenceConfig") for endpoint in self._endpoints)

    @property
    def next_expiry(self) -> datetime | None:
        """When the first request will have waited for too long."""
        with self.region.lock:
            expiries = [queue.next_expiry for queue in self._queues.values()]
        return min((expiry for expiry in expiries if expiry is not None), default=None)

    def publish_metrics(self, moment: datetime) -> None:
        """Tell CloudWatch what there is in each queue."""
        with self.region.lock:
            asynchronous = [one for one in self._endpoints if one.fields.get("AsyncInferenceConfig")]
            counted = {one.name: (self._queues.get(one.name) or Queue(), _instances(one)) for one in asynchronous}
            for name, (queue, instances) in counted.items():
                metrics.put_queue_metrics(self.region, name, queue, instances, moment)
            dispatchers = list(self._dispatchers.values())
        for dispatcher in dispatchers:
            dispatcher.start_minute()

    def expire_requests(self, moment: datetime) -> None:
        """End the requests that have waited for too long by then; returns at once."""
        with self.region.lock:
            for endpoint in self._endpoints:
                queue = self._queues.get(endpoint.name)
                for request in queue.take_expired(moment) if queue is not None else ():
                    self._expire(request, endpoint.fields["ProductionVariants"][0]["VariantName"])

    def _expire(self, request: AsyncRequest, variant: str) -> None:
        request.outcome = AsyncOutcome(variant, failure="ClientError: The request expired before it was processed.")
        metrics.put_request_metrics(self.region, request.endpoint, variant, ExpiredRequests=1)
        self._dispatchers[request.endpoint].deliver(request)

    def snapshot(self) -> Any:
        """What waits and what is under way, which starts anew."""
        return {name: queue.to_data() for name, queue in self._queues.items() if len(queue)}

    def restore(self, kept: Any) -> None:
        """Every request, in its place; whose outcome is known is told it."""
        for name, data in kept.items():
            requests = [AsyncRequest.from_data(one) for one in data]
            self._add(name, Queue([one for one in requests if one.outcome is None]))
            decided = [one for one in requests if one.outcome is not None]
            self._queues[name].active += decided
            for request in decided:
                self._dispatchers[name].deliver(request)
            self._dispatchers[name].notify()

    def close(self) -> None:
        """Hand out nothing any more."""
        with self.region.lock:
            dispatchers = list(self._dispatchers.values())
        for dispatcher in dispatchers:
            dispatcher.close()


def _instances(endpoint: SageMakerResource) -> int:
    return sum(variant.get("CurrentInstanceCount", 0) for variant in endpoint.fields.get("ProductionVariants", ()))


def _check(request: Fields) -> None:
    body = request.get("Body") or b""
    if bool(body) == bool(request.get("InputLocation")):
        raise InvocationError("Exactly one of Body and InputLocation must be provided.")
    if len(body) > LARGEST_BODY:
        raise InvocationError(
            "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less "
            f"than or equal to {LARGEST_BODY}"
        )
