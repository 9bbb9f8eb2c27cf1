"""WSGI application of the sandbox: it dispatches requests to SageMaker, `services/` or moto."""

import errno
import functools
import io
import traceback
import uuid
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug import Request, Response
from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import http_date

from sagemaker_sandbox import moto_patches
from sagemaker_sandbox.base import accounts, signature
from sagemaker_sandbox.base.context import DEFAULT_REGION, SandboxContext
from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.base.request_gate import RequestGate
from sagemaker_sandbox.base.retries import ResponseCache
from sagemaker_sandbox.connections import bodies, hosts, malformed_requests, moto_request, rpc_v2_cbor
from sagemaker_sandbox.connections.call_recorder import CallRecorder
from sagemaker_sandbox.control_plane import scaling_api
from sagemaker_sandbox.control_plane.api import TARGET, Api
from sagemaker_sandbox.control_plane.control_plane import ControlPlane
from sagemaker_sandbox.control_plane.scaling_api import ScalingApi
from sagemaker_sandbox.endpoints.async_inference import AsyncInference
from sagemaker_sandbox.endpoints.asynchronous.queue_schedule import QueueSchedule
from sagemaker_sandbox.endpoints.autoscaling.scaler import Scaler
from sagemaker_sandbox.endpoints.autoscaling.scaling import RegionScaling
from sagemaker_sandbox.endpoints.fleets import Fleets
from sagemaker_sandbox.endpoints.hosting.capture import CaptureBuffer, CaptureSchedule
from sagemaker_sandbox.endpoints.hosting.endpoint import HostedEndpoint
from sagemaker_sandbox.endpoints.hosting.metrics import EndpointMetrics
from sagemaker_sandbox.faults import request_faults as faults
from sagemaker_sandbox.feature_store.store import RecordStores
from sagemaker_sandbox.iam import roles
from sagemaker_sandbox.moto_patches import (
    cloudwatch_alarms,
    events_rules,
    sagemaker_cloudformation,
    sagemaker_tags,
    scheduler_schedules,
)
from sagemaker_sandbox.pipelines.pipeline_services import PipelineServices
from sagemaker_sandbox.server.control import ControlApi
from sagemaker_sandbox.services.athena_queries import AthenaQueryOperations
from sagemaker_sandbox.services.automation.executions import AutomationExecutions
from sagemaker_sandbox.services.automation.operations import AutomationOperations
from sagemaker_sandbox.services.budgets import BudgetOperations
from sagemaker_sandbox.services.carbon.ledger import CarbonLedger
from sagemaker_sandbox.services.carbon.operations import SustainabilityOperations
from sagemaker_sandbox.services.cloudwatch import metrics
from sagemaker_sandbox.services.cloudwatch.alarm_operations import AlarmOperations
from sagemaker_sandbox.services.cloudwatch.alarms import Alarms
from sagemaker_sandbox.services.cloudwatch.metric_operations import MetricOperations
from sagemaker_sandbox.services.cost_explorer import CostExplorerOperations, list_tag_keys
from sagemaker_sandbox.services.dataexports.delivery import ExportDeliveries
from sagemaker_sandbox.services.dataexports.operations import DataExportOperations
from sagemaker_sandbox.services.event_patterns import EventPatternOperations
from sagemaker_sandbox.services.eventbridge.deliveries import Deliveries
from sagemaker_sandbox.services.eventbridge.rules import FailedInvocations, Rules
from sagemaker_sandbox.services.eventbridge.schedules import Schedules
from sagemaker_sandbox.services.idle_endpoints import ComputeOptimizerOperations, CostOptimizationHubOperations
from sagemaker_sandbox.services.lambda_invocations import LambdaInvocations
from sagemaker_sandbox.services.log_group_keys import LogGroupKeyOperations
from sagemaker_sandbox.services.policy_simulation import PolicySimulationOperations
from sagemaker_sandbox.services.registry import OperationRegistry
from sagemaker_sandbox.services.service_quotas import QuotaOperations
from sagemaker_sandbox.services.stepfunctions import clients
from sagemaker_sandbox.services.table_optimizers import TableOptimizerOperations
from sagemaker_sandbox.services.wellarchitected.operations import LensReviewOperations

if TYPE_CHECKING:
    from sagemaker_sandbox.enforcement.enforcer import Enforcer

#: Services without a state of their own.
_STATELESS = {"moto_api", "instance_metadata", SustainabilityOperations.moto_service}
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
        clients.set_client_factory(context.customer_client)
        scheduler_schedules.apply(Schedules(self._deliveries, self.clock))
        self._ledger = CarbonLedger(
            lambda: [parts.region for parts in self.sagemaker.list_existing_parts()], self.clock.now
        )
        ExportDeliveries(context, self.gate, self._ledger.list_rows)
        self._operations = OperationRegistry(
            moto_patches.apply,
            AlarmOperations(self.alarms),
            AthenaQueryOperations(),
            BudgetOperations(),
            DataExportOperations(self.clock),
            MetricOperations(self.clock),
            AutomationOperations(AutomationExecutions(context, self.gate)),
            CostExplorerOperations(self.clock, self._list_tag_keys),
            ComputeOptimizerOperations(self.sagemaker.call, self.clock),
            CostOptimizationHubOperations(self.sagemaker.call, self.clock, self._list_regions),
            EventPatternOperations(),
            LogGroupKeyOperations(),
            PolicySimulationOperations(),
            QuotaOperations(),
            SustainabilityOperations(self._ledger),
            LensReviewOperations(self.clock),
            TableOptimizerOperations(),
        )
        #: Operations that last longer than a request, and send requests themselves.
        self._long_operations = OperationRegistry(
            moto_patches.apply,
            LambdaInvocations(self._find_functions),
        )
        self.clock.add_task(context.deployments)
        self.clock.add_task(CaptureSchedule(lambda: (parts.get(CaptureBuffer) for parts in self.sagemaker)))
        self._api = Api(self.sagemaker, self._call_moto)
        self._scaling_api = ScalingApi(self.sagemaker)
        self._moto = _Dispatcher(self._create_moto_service)
        self._responses = ResponseCache()
        self._enforcer = self._create_enforcer(context) if context.enforces_iam else None
        self.sagemaker.role_check = self._enforcer.check_role if self._enforcer is not None else None
        self._calls = CallRecorder()
        self._control = ControlApi(
            context, self.sagemaker, self.clock, self.list_moto_services, self._calls, self._ledger
        )

    def _start_scaling(self, alarms: Alarms) -> None:
        def get_scaling(account: str, region: str) -> RegionScaling:
            return self.sagemaker.get_parts(account, region).get(RegionScaling)

        Scaler(self.clock, alarms, lambda: [parts.get(RegionScaling) for parts in self.sagemaker], get_scaling)

    def _list_regions(self, account: str) -> list[str]:
        """Return the Regions in which an account has used SageMaker."""
        regions = [parts.region for parts in self.sagemaker.list_existing_parts()]
        return sorted(region.name for region in regions if region.account_id == account)

    def _list_tag_keys(self, account: str) -> set[str]:
        """Return the tag keys of an account's resources, in the Regions that it has used."""
        sagemaker_tags.register_account(account)
        return list_tag_keys(account, {DEFAULT_REGION, *self._list_regions(account)})

    def _create_enforcer(self, context: SandboxContext) -> "Enforcer":
        from sagemaker_sandbox.enforcement.enforcer import Enforcer

        moto_patches.apply("iam")
        return Enforcer(context.clock, self.sagemaker.describe_resource, roles.GRANTS)

    def _find_functions(self, account: str, region: str) -> PipelineServices:
        return PipelineServices(self.sagemaker.get_parts(account, region).region)

    def close(self) -> None:
        """End everything that runs. Requests are still answered."""
        self.sagemaker.close()
        self.clock.close()
        self.sagemaker.publisher.close()  # last: closing the others publishes events

    def list_moto_services(self) -> list[str]:
        """Return moto's names of the services that may hold state.

        These are the services that received a request or were restored.
        """
        services = set(self._moto.app_instances) | self._operations.used_services
        services |= self._long_operations.used_services
        services = services - _STATELESS | ({"cloudwatch"} if metrics.count_puts() else set())
        owners = {keeper for service, keeper in _STATE_OWNERS.items() if service in services}
        return sorted((services | owners | self.restored_services) - _STATE_OWNERS.keys())

    @property
    def change_counts(self) -> tuple[int, int, int]:
        """Counters that differ as soon as anything may have changed."""
        return self.gate.pass_count, self.sagemaker.change_count, metrics.count_puts()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            hosts.check_request(Request(environ))
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
        """Return the response to a request that is not in CBOR, and record the call.

        Raises only LostResponseError, which closes the connection.
        """
        try:
            response = self._responses.respond_once(request, lambda: self._route(request))
        except faults.LostResponseError:
            self._calls.add(request, 0)
            raise
        except Exception as error:  # any failure of moto or the sandbox
            traceback.print_exc()
            response = malformed_requests.build_error_response(
                request, malformed_requests.explain_error(request, error)
            )
        self._calls.add(request, response.status_code)
        if signature.parse_signature(request).service == "sts":  # clients read the time of AWS here
            response.headers["Date"] = http_date(self.clock.now())
        response.headers.setdefault("x-amzn-RequestId", str(uuid.uuid4()))
        return response

    def _route(self, request: Request) -> Response:
        if request.path.startswith("/_sandbox/"):
            return self._control.respond(request)
        if self._enforcer is not None and (refusal := self._enforcer.check_request(request)) is not None:
            return refusal
        signed = signature.parse_signature(request)
        service = signed.service
        if service == "sagemaker" or request.headers.get("X-Amz-Target", "").startswith(TARGET):
            region, account = signed.region or DEFAULT_REGION, accounts.find_account(request)
            return self._apply_faults(request, service, lambda: self._api.respond(request, account, region))
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
            self._ledger.set_factor(1.0, {})
            roles.GRANTS.clear()
        if request.method in ("GET", "DELETE") and service == "s3":
            # A bucket shows every record that was put or captured before.
            self._flush(hosts.find_bucket(request))
        return self._apply_faults(request, service, lambda: self._call_moto(request))

    def _apply_faults(self, request: Request, service: str, respond: Callable[[], Response]) -> Response:
        """Return the response, or the error that a fault injects instead."""
        return faults.respond_with_faults(self.sagemaker.faults, request, service, respond)

    def _call_moto(self, request: Request) -> Response:
        moto: Callable[[dict[str, Any], Any], Iterable[bytes]] = self._moto
        if (response := self._long_operations.respond(request)) is not None:
            return response
        with self.gate.enter_shared():
            response = moto_request.repeat_interrupted(
                lambda: (
                    self._operations.respond(request)
                    or Response.from_app(moto, moto_request.adapt_request(request), buffered=True)
                )
            )
        if any(isinstance(part, bodies.FileBody) for part in response.response):
            response.response = bodies.read_parts(response.iter_encoded())
        if request.mimetype.startswith("application/x-amz-json"):
            response.content_type = request.mimetype  # moto sets none if a service has several protocols
        if response.status_code >= 400 and _is_unformatted(request, response):
            return malformed_requests.build_error_response(
                request, malformed_requests.explain_error(request, LookupError("no such route"))
            )
        return response

    def _create_moto_service(self, name: Any) -> Any:
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


class _Dispatcher(DomainDispatcherApplication):  # type: ignore[misc]
    """Dispatcher of moto that finds the service of each host only once. moto's own lists a folder for each request."""

    def __init__(self, create_app: Callable[[Any], Any]) -> None:
        super().__init__(create_app)
        self._find_service = functools.lru_cache(maxsize=1024)(super().get_backend_for_host)

    def get_backend_for_host(self, host: str | None) -> Any:
        """Return moto's name of the service at a host."""
        return self._find_service(host)


def _is_unformatted(request: Request, response: Response) -> bool:
    """Return whether an error response is Flask's HTML page, or empty.

    moto sends an empty response for a request that it does not understand.
    """
    is_empty = response.status_code == 404 and request.method != "HEAD" and not response.data
    return is_empty or response.data.startswith(b"<!doctype html")


def _read_request(environ: dict[str, Any]) -> Request:
    """Return the request with its complete body, which is in a file if it is a large object of S3.

    Raise ApiError if the body is shorter than announced, or too large.
    """
    request = Request(environ)
    try:
        if bodies.is_large_upload(request):
            return Request(bodies.receive_object(request))
        body = bodies.receive_body(request)
    except (ClientDisconnected, OSError, EOFError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise bodies.DiskFullError(f"sandbox: the disk cannot hold the object: {error.strerror}") from None
        is_timeout = isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
        raise malformed_requests.RequestTimeoutError if is_timeout else malformed_requests.IncompleteBodyError from None
    environ["wsgi.input"] = bodies.BodyStream(body)
    return Request(environ)
