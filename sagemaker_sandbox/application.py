"""The WSGI application of the sandbox: it handles SageMaker's requests, and moto all others."""

import functools
import io
import traceback
import uuid
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug import Request, Response
from werkzeug.exceptions import ClientDisconnected

from sagemaker_sandbox import accounts, malformed_requests, moto_patches, moto_request, rpc_v2_cbor, signature
from sagemaker_sandbox.asynchronous.queue_schedule import QueueSchedule
from sagemaker_sandbox.automation.executions import AutomationExecutions
from sagemaker_sandbox.automation.operations import AutomationOperations
from sagemaker_sandbox.autoscaling.scaler import Scaler
from sagemaker_sandbox.autoscaling.scaling import RegionScaling
from sagemaker_sandbox.call_recorder import CallRecorder
from sagemaker_sandbox.cloudwatch import metrics
from sagemaker_sandbox.cloudwatch.alarm_operations import AlarmOperations
from sagemaker_sandbox.cloudwatch.alarms import Alarms
from sagemaker_sandbox.cloudwatch.metric_operations import MetricOperations
from sagemaker_sandbox.context import DEFAULT_REGION, SandboxContext
from sagemaker_sandbox.control import ControlApi
from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.eventbridge.deliveries import Deliveries
from sagemaker_sandbox.eventbridge.rules import FailedInvocations, Rules
from sagemaker_sandbox.eventbridge.schedules import Schedules
from sagemaker_sandbox.faults import request_faults as faults
from sagemaker_sandbox.featurestore.store import RecordStores
from sagemaker_sandbox.hosting.capture import CaptureBuffer, CaptureSchedule
from sagemaker_sandbox.hosting.endpoint import HostedEndpoint
from sagemaker_sandbox.hosting.metrics import EndpointMetrics
from sagemaker_sandbox.moto_patches import (
    cloudwatch_alarms,
    events_rules,
    sagemaker_cloudformation,
    sagemaker_tags,
    scheduler_schedules,
)
from sagemaker_sandbox.plane import scaling_api
from sagemaker_sandbox.plane.api import TARGET, Api
from sagemaker_sandbox.plane.control_plane import ControlPlane
from sagemaker_sandbox.plane.scaling_api import ScalingApi
from sagemaker_sandbox.request_gate import RequestGate
from sagemaker_sandbox.retries import ResponseCache
from sagemaker_sandbox.sagemaker.async_inference import AsyncInference
from sagemaker_sandbox.sagemaker.fleets import Fleets
from sagemaker_sandbox.service_operations.event_patterns import EventPatternOperations
from sagemaker_sandbox.service_operations.log_group_keys import LogGroupKeyOperations
from sagemaker_sandbox.service_operations.policy_simulation import PolicySimulationOperations
from sagemaker_sandbox.service_operations.registry import OperationRegistry
from sagemaker_sandbox.service_operations.service_quotas import QuotaOperations

#: moto services without a state of their own.
_STATELESS = {"moto_api", "instance_metadata"}
#: Services whose state is part of another service's state. IAM holds the keys of assumed roles, and SageMaker's trial
#: components hold metrics.
_STATE_OWNERS = {"sts": "iam", "sagemakermetrics": "sagemaker"}
_RESET = ("POST", "/moto-api/reset")


class Application:
    """The WSGI application. Every request to moto passes the `gate`."""

    def __init__(self, context: SandboxContext) -> None:
        self.gate = RequestGate()
        self.restored_services: set[str] = set()
        self.sagemaker = ControlPlane(context)
        sagemaker_tags.apply(self.sagemaker)
        sagemaker_cloudformation.apply(self.sagemaker)
        self.clock = context.clock
        self._deliveries = Deliveries(context, self.clock, FailedInvocations(metrics.put, self.clock))
        EndpointMetrics(self._list_measured_endpoints, self.clock)  # before everything that reads metrics
        QueueSchedule(self.clock, lambda: [parts.get(AsyncInference) for parts in self.sagemaker])
        self.alarms = Alarms(context, self.gate, self.sagemaker.publisher)
        cloudwatch_alarms.apply(self.alarms, self.clock)
        self._start_scaling(self.alarms)
        events_rules.apply(Rules(self._deliveries, self.clock, metrics.put))
        scheduler_schedules.apply(Schedules(self._deliveries, self.clock))
        self._operations = OperationRegistry(
            moto_patches.apply,
            AlarmOperations(self.alarms),
            MetricOperations(self.clock),
            AutomationOperations(AutomationExecutions(context, self.gate)),
            EventPatternOperations(),
            LogGroupKeyOperations(),
            PolicySimulationOperations(),
            QuotaOperations(),
        )
        self.clock.add_task(context.deployments)
        self.clock.add_task(CaptureSchedule(lambda: (parts.get(CaptureBuffer) for parts in self.sagemaker)))
        self._api = Api(self.sagemaker, self._call_moto)
        self._scaling_api = ScalingApi(self.sagemaker)
        self._moto = DomainDispatcherApplication(self._moto_service)
        self._responses = ResponseCache()
        self._calls = CallRecorder()
        self._control = ControlApi(context, self.sagemaker, self.clock, self.list_moto_services, self._calls)

    def _start_scaling(self, alarms: Alarms) -> None:
        def get_scaling(account: str, region: str) -> RegionScaling:
            return self.sagemaker.get_parts(account, region).get(RegionScaling)

        Scaler(self.clock, alarms, lambda: [parts.get(RegionScaling) for parts in self.sagemaker], get_scaling)

    def close(self) -> None:
        """End everything that runs. Requests are still answered."""
        self.sagemaker.close()
        self.clock.close()
        self.sagemaker.publisher.close()  # last: closing the others publishes events

    def list_moto_services(self) -> list[str]:
        """Return moto's names of the services that may hold state.

        These are the services that received a request or were restored.
        """
        used = set(self._moto.app_instances) | self._operations.used_services
        used = used - _STATELESS | ({"cloudwatch"} if metrics.count_puts() else set())
        owners = {keeper for service, keeper in _STATE_OWNERS.items() if service in used}
        return sorted((used | owners | self.restored_services) - _STATE_OWNERS.keys())

    @property
    def change_counts(self) -> tuple[int, int, int]:
        """Counters that differ as soon as anything may have changed."""
        return self.gate.pass_count, self.sagemaker.change_count, metrics.count_puts()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            request = _read_request(environ)
        except ApiError as error:
            empty = Request(environ | {"wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0"})
            response = rpc_v2_cbor.handle_request(
                empty, functools.partial(malformed_requests.build_error_response, error=error)
            )
            response.headers["Connection"] = "close"  # the rest of the connection is not a request
            return response(environ, start_response)
        return rpc_v2_cbor.handle_request(request, self._respond)(environ, start_response)

    def _respond(self, request: Request) -> Response:
        """Return the response to a request that is not in CBOR, and record the call. Never raises."""
        try:
            response = self._route(request)
        except Exception as error:  # any failure of moto or the sandbox
            traceback.print_exc()
            response = malformed_requests.build_error_response(
                request, malformed_requests.explain_error(request, error)
            )
        self._calls.add(request, response.status_code)
        response.headers.setdefault("x-amzn-RequestId", str(uuid.uuid4()))
        return response

    def _route(self, request: Request) -> Response:
        if request.path.startswith("/_sandbox/"):
            return self._control.respond(request)
        signed = signature.parse_signature(request)
        service = signed.service
        if service == "sagemaker" or request.headers.get("X-Amz-Target", "").startswith(TARGET):
            region, account = signed.region or DEFAULT_REGION, accounts.find_account(request)
            return self._responses.respond_once(
                request,
                lambda: self._apply_faults(request, service, lambda: self._api.respond(request, account, region)),
            )
        if service == scaling_api.SERVICE and self._scaling_api.is_about_sagemaker(request):
            region, account = signed.region or DEFAULT_REGION, accounts.find_account(request)
            return self._apply_faults(request, service, lambda: self._scaling_api.respond(request, account, region))
        if service == "tagging":
            sagemaker_tags.register_account(accounts.find_account(request))
        if (request.method, request.path) == _RESET:
            self.sagemaker.reset()
            self._deliveries.clear()
            self.alarms.clear()
            self.clock.set_offset(timedelta())
        if request.method in ("GET", "DELETE") and service == "s3":
            # A bucket shows every record that was put or captured before.
            self._flush(bucket=request.path.split("/")[1])
        if request.method == "POST" and request.mimetype == "application/x-www-form-urlencoded":
            return self._responses.respond_once(
                request, lambda: self._apply_faults(request, service, lambda: self._call_moto(request))
            )
        return self._apply_faults(request, service, lambda: self._call_moto(request))

    def _apply_faults(self, request: Request, service: str, respond: Callable[[], Response]) -> Response:
        """Return the response, or the error that a fault injects instead."""
        return faults.apply_fault(self.sagemaker.faults, request, service) or respond()

    def _call_moto(self, request: Request) -> Response:
        moto: Callable[[dict[str, Any], Any], Iterable[bytes]] = self._moto
        with self.gate.enter_shared():
            response = self._operations.respond(request) or Response.from_app(
                moto, moto_request.adapt_request(request), buffered=True
            )
        if request.mimetype.startswith("application/x-amz-json"):
            response.content_type = request.mimetype  # moto sets none if a service has several protocols
        if response.status_code >= 400 and _is_unformatted(request, response):
            return malformed_requests.build_error_response(
                request, malformed_requests.explain_error(request, LookupError("no such route"))
            )
        return response

    def _moto_service(self, name: Any) -> Any:
        """Return moto's WSGI application for a service. moto calls this with the first request to the service."""
        moto_patches.apply(name)
        return create_backend_app(name)

    def _list_measured_endpoints(self) -> list[HostedEndpoint]:
        return [
            endpoint
            for parts in self.sagemaker.list_existing_parts()
            for endpoint in parts.get(Fleets).list_measured_endpoints()
        ]

    def _flush(self, bucket: str) -> None:
        for parts in self.sagemaker:
            parts.get(RecordStores).flush(bucket)
            parts.get(CaptureBuffer).flush(bucket)


def _is_unformatted(request: Request, response: Response) -> bool:
    """Return whether an error response is Flask's HTML page, or empty.

    moto sends an empty response for a request that it does not understand.
    """
    is_empty = response.status_code == 404 and request.method != "HEAD" and not response.data
    return is_empty or response.data.startswith(b"<!doctype html")


def _read_request(environ: dict[str, Any]) -> Request:
    """Return the request with its complete body. Raise ApiError if the body is shorter than announced."""
    request = Request(environ)
    try:
        body = request.get_data()
    except (ClientDisconnected, OSError) as error:
        is_timeout = isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
        raise malformed_requests.RequestTimeoutError if is_timeout else malformed_requests.IncompleteBodyError from None
    environ["wsgi.input"] = io.BytesIO(body)
    return Request(environ)
