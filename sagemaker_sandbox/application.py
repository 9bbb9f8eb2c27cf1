"""What answers on the sandbox's port: SageMaker's requests go to this package, all others to moto."""

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

from sagemaker_sandbox import accounts, malformed_requests, moto_gaps, moto_request, rpc_v2_cbor, signature
from sagemaker_sandbox.asynchronous.queue_schedule import QueueSchedule
from sagemaker_sandbox.automation.executions import Executions
from sagemaker_sandbox.autoscaling.scaler import Scaler
from sagemaker_sandbox.autoscaling.scaling import RegionScaling
from sagemaker_sandbox.call_recorder import CallRecorder
from sagemaker_sandbox.cloudwatch import metrics, moto_cloudwatch
from sagemaker_sandbox.cloudwatch.alarms import Alarms
from sagemaker_sandbox.context import DEFAULT_REGION, SandboxContext
from sagemaker_sandbox.control import ControlApi
from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.eventbridge.deliveries import Deliveries
from sagemaker_sandbox.eventbridge.rules import FailedInvocations, Rules
from sagemaker_sandbox.eventbridge.schedules import Schedules
from sagemaker_sandbox.faults import request_faults as faults
from sagemaker_sandbox.featurestore.store import FeatureStore
from sagemaker_sandbox.request_gate import RequestGate
from sagemaker_sandbox.hosting.capture import Captures, CaptureSchedule
from sagemaker_sandbox.hosting.endpoint import HostedEndpoint
from sagemaker_sandbox.hosting.metrics import EndpointMetrics
from sagemaker_sandbox.plane import moto_cloudformation, moto_tags, scaling_api
from sagemaker_sandbox.plane.api import TARGET, Api
from sagemaker_sandbox.plane.control_plane import ControlPlane
from sagemaker_sandbox.plane.scaling_api import ScalingApi
from sagemaker_sandbox.retries import ResponseCache
from sagemaker_sandbox.sagemaker.async_inference import AsyncInference
from sagemaker_sandbox.sagemaker.fleets import Fleets

#: moto's names of what has no state of its own, and of services whose state stands in another's: the keys of assumed
#: roles in IAM's, metrics on SageMaker's trial components.
_STATELESS = {"moto_api", "instance_metadata"}
_KEPT_BY = {"sts": "iam", "sagemakermetrics": "sagemaker"}
_RESET = ("POST", "/moto-api/reset")


class Application:
    """The WSGI application. Every request to moto passes the `gate`."""

    def __init__(self, context: SandboxContext) -> None:
        self.gate = RequestGate()
        self.restored_services: set[str] = set()
        self.sagemaker = ControlPlane(context)
        moto_tags.share(self.sagemaker)
        moto_cloudformation.share(self.sagemaker)
        self.clock = context.clock
        self._deliveries = Deliveries(context, self.clock, FailedInvocations(metrics.put, self.clock))
        EndpointMetrics(self._measured, self.clock)  # before who looks at metrics
        QueueSchedule(self.clock, lambda: [parts.of(AsyncInference) for parts in self.sagemaker])
        self.alarms = Alarms(context, self.gate, self.sagemaker.publisher)
        moto_cloudwatch.share(self.alarms, self.clock)
        self._scale(self.alarms)
        Rules(self._deliveries, self.clock, metrics.put)
        Schedules(self._deliveries, self.clock)
        self._automation = Executions(context, self.gate)
        self.clock.add_task(context.deployments)
        self.clock.add_task(CaptureSchedule(lambda: (parts.of(Captures) for parts in self.sagemaker)))
        self._api = Api(self.sagemaker, self._ask_moto)
        self._scaling_api = ScalingApi(self.sagemaker)
        self._moto = DomainDispatcherApplication(self._moto_service)
        self._answers = ResponseCache()
        self._calls = CallRecorder()
        self._control = ControlApi(context, self.sagemaker, self.clock, self.list_moto_services, self._calls)

    def _scale(self, alarms: Alarms) -> None:
        def at(account: str, region: str) -> RegionScaling:
            return self.sagemaker.parts(account, region).of(RegionScaling)

        Scaler(self.clock, alarms, lambda: [parts.of(RegionScaling) for parts in self.sagemaker], at)

    def close(self) -> None:
        """End what runs; requests are still answered."""
        self.sagemaker.close()
        self.clock.close()
        self.sagemaker.publisher.close()  # what fell due at last was told to it

    def list_moto_services(self) -> list[str]:
        """moto's names of the services that may hold something: those asked for anything, or brought back."""
        asked = set(self._moto.app_instances) - _STATELESS | ({"cloudwatch"} if metrics.puts() else set())
        with_their_keepers = {keeper for service, keeper in _KEPT_BY.items() if service in asked}
        return sorted((asked | with_their_keepers | self.restored_services) - _KEPT_BY.keys())

    @property
    def change_counts(self) -> tuple[int, int, int]:
        """Another value once anything may have changed."""
        return self.gate.pass_count, self.sagemaker.changes, metrics.puts()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            request = _whole(environ)
        except ApiError as refused:
            empty = Request(environ | {"wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0"})
            response = rpc_v2_cbor.handle_request(empty, functools.partial(malformed_requests.build_error_response, error=refused))
            response.headers["Connection"] = "close"  # what else comes on it is not a request
            return response(environ, start_response)
        return rpc_v2_cbor.handle_request(request, self._respond)(environ, start_response)

    def _respond(self, request: Request) -> Response:
        """Answer a request in any protocol but CBOR, and note it among the calls. Never raises."""
        try:
            response = self._answer(request)
        except Exception as error:  # whatever moto or the sandbox trips over
            traceback.print_exc()
            response = malformed_requests.build_error_response(request, malformed_requests.explain_error(request, error))
        self._calls.add(request, response.status_code)
        response.headers.setdefault("x-amzn-RequestId", str(uuid.uuid4()))
        return response

    def _answer(self, request: Request) -> Response:
        if request.path.startswith("/_sandbox/"):
            return self._control.respond(request)
        signed = signature.parse_signature(request)
        service = signed.service
        if service == "sagemaker" or request.headers.get("X-Amz-Target", "").startswith(TARGET):
            region, account = signed.region or DEFAULT_REGION, accounts.find_account(request)
            return self._answers.respond_once(
                request, lambda: self._met(request, service, lambda: self._api.respond(request, account, region))
            )
        if service == scaling_api.SERVICE and self._scaling_api.is_about_sagemaker(request):
            region, account = signed.region or DEFAULT_REGION, accounts.find_account(request)
            return self._met(request, service, lambda: self._scaling_api.respond(request, account, region))
        if service == "tagging":
            moto_tags.be_seen(accounts.find_account(request))
        if (request.method, request.path) == _RESET:
            self.sagemaker.reset()
            self._deliveries.clear()
            self.alarms.clear()
            self.clock.set_offset(timedelta())
        if request.method in ("GET", "DELETE") and service == "s3":
            # Whoever looks into a bucket sees every record that was put, or captured, before.
            self._flush(bucket=request.path.split("/")[1])
        if request.method == "POST" and request.mimetype == "application/x-www-form-urlencoded":
            return self._answers.respond_once(request, lambda: self._met(request, service, lambda: self._ask_moto(request)))
        return self._met(request, service, lambda: self._ask_moto(request))

    def _met(self, request: Request, service: str, answer: Callable[[], Response]) -> Response:
        """The answer, or the fault that was asked for in its place."""
        return faults.apply_fault(self.sagemaker.faults, request, service) or answer()

    def _ask_moto(self, request: Request) -> Response:
        ask: Callable[[dict[str, Any], Any], Iterable[bytes]] = self._moto
        with self.gate.enter_shared():
            response = Response.from_app(ask, moto_request.adapt_request(request), buffered=True)
        if request.mimetype.startswith("application/x-amz-json"):
            response.content_type = request.mimetype  # moto names none where a service has several protocols
        if response.status_code >= 400 and _in_no_protocol(request, response):
            return malformed_requests.build_error_response(request, malformed_requests.explain_error(request, LookupError("no such route")))
        return response

    def _moto_service(self, name: Any) -> Any:
        """What answers for a service of moto's, made when it is first asked."""
        moto_gaps.close(name)
        if name == "ssm":
            from sagemaker_sandbox.automation import moto_ssm

            moto_ssm.share(self._automation)
        return create_backend_app(name)

    def _measured(self) -> list[HostedEndpoint]:
        return [one for parts in self.sagemaker.standing() for one in parts.of(Fleets).measured()]

    def _flush(self, bucket: str) -> None:
        for parts in self.sagemaker:
            parts.of(FeatureStore).flush(bucket)
            parts.of(Captures).flush(bucket)


def _in_no_protocol(request: Request, refused: Response) -> bool:
    """Whether a refusal is Flask's page, or moto's silence on what it does not understand."""
    silent = refused.status_code == 404 and request.method != "HEAD" and not refused.data
    return silent or refused.data.startswith(b"<!doctype html")


def _whole(environ: dict[str, Any]) -> Request:
    """A request whose body has come. Raises ApiError where less comes than was announced."""
    request = Request(environ)
    try:
        body = request.get_data()
    except (ClientDisconnected, OSError) as error:
        silent = isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
        raise malformed_requests.RequestTimeoutError if silent else malformed_requests.IncompleteBodyError from None
    environ["wsgi.input"] = io.BytesIO(body)
    return Request(environ)
