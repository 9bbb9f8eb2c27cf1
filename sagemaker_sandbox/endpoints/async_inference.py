"""InvokeEndpointAsync: one queue for each endpoint, which outlives its instances and the sandbox."""

import uuid
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from typing import Any

from sagemaker_sandbox.endpoints.asynchronous import locations, metrics
from sagemaker_sandbox.endpoints.asynchronous.dispatcher import Dispatcher
from sagemaker_sandbox.endpoints.asynchronous.queue import Queue
from sagemaker_sandbox.endpoints.asynchronous.request import AsyncOutcome, AsyncRequest
from sagemaker_sandbox.endpoints.asynchronous.request_handler import AsyncRequestHandler, AsyncRequestSettings
from sagemaker_sandbox.endpoints.asynchronous.role import ModelRole
from sagemaker_sandbox.endpoints.endpoints import Endpoints
from sagemaker_sandbox.endpoints.fleets import Fleets
from sagemaker_sandbox.endpoints.hosting.containers import MAX_WAITING_REQUESTS
from sagemaker_sandbox.endpoints.hosting.invocation import InvocationError
from sagemaker_sandbox.endpoints.hosting.reservation import Reservation
from sagemaker_sandbox.endpoints.invocations import ACTIVE_STATUSES
from sagemaker_sandbox.jobs.runtime.container import count_cpus
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, SageMakerResource, ServicePart

#: Largest body, in bytes. Source: `Body` in the API reference of InvokeEndpointAsync.
MAX_BODY_BYTES = 128_000


class AsyncInference(ServicePart):
    """Queues of one Region's asynchronous endpoints."""

    service = "sagemaker-runtime"

    def __init__(self, region: AccountRegion, fleets: Fleets, endpoints: Endpoints) -> None:
        super().__init__(region)
        self._fleets = fleets
        self._endpoints = endpoints
        self._queues: dict[str, Queue] = {}
        self._dispatchers: dict[str, Dispatcher] = {}
        self._handler = AsyncRequestHandler(region, self._find_settings)
        fleets.on_capacity_freed.append(self._notify_dispatcher)
        endpoints.on_removed.append(self._remove_queue)

    @emulated_operation
    def invoke_endpoint_async(self, request: Fields) -> Fields:
        """Accept a request immediately, even without an instance or without its input.

        Missing input makes the request fail later.
        """
        name = request["EndpointName"]
        _check(request)
        inference_id = request.get("InferenceId") or str(uuid.uuid4())
        with self.region.lock:
            config = self._find_endpoint(name).fields["AsyncInferenceConfig"]
            output, failure = locations.resolve_output_locations(config["OutputConfig"], request, inference_id)
            if name not in self._queues:
                self._add_queue(name, Queue())
            queued = AsyncRequest(name, inference_id, request, self.region.clock.now(), output, failure)
            self._queues[name].waiting.append(queued)
        self._notify_dispatcher(name)
        self.region.clock.wake()
        response = {"InferenceId": inference_id, "OutputLocation": output, "FailureLocation": failure}
        return {member: value for member, value in response.items() if value is not None}

    def _find_endpoint(self, name: str) -> SageMakerResource:
        endpoint = self._endpoints.find(name)
        account = self.region.account_id
        if endpoint is None or endpoint.fields["EndpointStatus"] not in ACTIVE_STATUSES:
            raise InvocationError(f"Endpoint {name} of account {account} not found.")
        if not endpoint.fields.get("AsyncInferenceConfig"):
            raise InvocationError(
                f"Endpoint {name} of account {account} is not configured for asynchronous inference: use "
                "InvokeEndpoint."
            )
        return endpoint

    def _add_queue(self, name: str, queue: Queue) -> None:
        self._queues[name] = queue
        reserve = partial(self._reserve, name)
        self._dispatchers[name] = Dispatcher(self.region, name, queue, reserve, self._handler)

    def _notify_dispatcher(self, name: str) -> None:
        if (dispatcher := self._dispatchers.get(name)) is not None:
            dispatcher.notify()

    def _reserve(self, name: str) -> AbstractContextManager[Reservation | None]:
        """Reserve capacity for a request on one of the endpoint's instances."""
        with self.region.lock:
            endpoint = self._endpoints.find(name)
            config: Fields = (endpoint.fields.get("AsyncInferenceConfig") if endpoint is not None else None) or {}
        # AWS documents "an optimal value". Assumed: the number of requests that an instance handles at the same time.
        limit = config.get("ClientConfig", {}).get("MaxConcurrentInvocationsPerInstance", count_cpus())
        # Further requests wait in this queue as well as they would in the container's queue.
        return self._fleets.get_traffic(name).reserve(min(limit, MAX_WAITING_REQUESTS))

    def _find_settings(self, name: str, variant: str) -> AsyncRequestSettings | None:
        with self.region.lock:
            endpoint = self._endpoints.find(name)
            if endpoint is None:
                return None
            roles = endpoint.private["roles"]
            # An update may just have added or removed the variant. There is only one, so use the other's role.
            role = roles.get(variant) or next(iter(roles.values()), "")
            return AsyncRequestSettings(endpoint.fields["AsyncInferenceConfig"], ModelRole(self.region, role))

    def _remove_queue(self, name: str) -> None:
        """Remove the queue of a deleted endpoint."""
        if self._queues.pop(name, None) is not None:
            self._dispatchers.pop(name).close()
            self._handler.data_log.drop(name)

    @property
    def has_endpoints(self) -> bool:
        """True if the Region has an asynchronous endpoint."""
        with self.region.lock:
            return any(endpoint.fields.get("AsyncInferenceConfig") for endpoint in self._endpoints)

    @property
    def next_expiry(self) -> datetime | None:
        """Moment at which the first request expires."""
        with self.region.lock:
            expiries = [queue.next_expiry for queue in self._queues.values()]
        return min((expiry for expiry in expiries if expiry is not None), default=None)

    def publish_metrics(self, moment: datetime) -> None:
        """Publish the metrics of each queue to CloudWatch."""
        with self.region.lock:
            asynchronous = [endpoint for endpoint in self._endpoints if endpoint.fields.get("AsyncInferenceConfig")]
            queues = {
                endpoint.name: (self._queues.get(endpoint.name) or Queue(), _count_instances(endpoint))
                for endpoint in asynchronous
            }
            for name, (queue, instances) in queues.items():
                metrics.put_queue_metrics(self.region, name, queue, instances, moment)
            dispatchers = list(self._dispatchers.values())
        for dispatcher in dispatchers:
            dispatcher.start_minute()

    def expire_requests(self, moment: datetime) -> None:
        """Fail the requests that expire by then. Return immediately."""
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
        """Return the waiting and the active requests. Active requests start again after a restore."""
        return {name: queue.to_data() for name, queue in self._queues.items() if len(queue)}

    def restore(self, snapshot: Any) -> None:
        """Restore every request in its position. Requests with a known outcome are delivered again."""
        for name, data in snapshot.items():
            requests = [AsyncRequest.from_data(request) for request in data]
            self._add_queue(name, Queue([request for request in requests if request.outcome is None]))
            finished = [request for request in requests if request.outcome is not None]
            self._queues[name].active += finished
            for request in finished:
                self._dispatchers[name].deliver(request)
            self._dispatchers[name].notify()

    def close(self) -> None:
        """Dispatch no further request."""
        with self.region.lock:
            dispatchers = list(self._dispatchers.values())
        for dispatcher in dispatchers:
            dispatcher.close()


def _count_instances(endpoint: SageMakerResource) -> int:
    return sum(variant.get("CurrentInstanceCount", 0) for variant in endpoint.fields.get("ProductionVariants", ()))


def _check(request: Fields) -> None:
    body = request.get("Body") or b""
    if bool(body) == bool(request.get("InputLocation")):
        raise InvocationError("Exactly one of Body and InputLocation must be provided.")
    if len(body) > MAX_BODY_BYTES:
        raise InvocationError(
            "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less "
            f"than or equal to {MAX_BODY_BYTES}"
        )
