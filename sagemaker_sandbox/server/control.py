"""The sandbox's own HTTP routes: health, inventory, time, calls, unused grants, emissions and faults.

Everything else goes through the AWS APIs.
"""

import json
import os
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug import Request, Response

from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.base.context import SandboxContext
from sagemaker_sandbox.connections.call_recorder import CallRecorder
from sagemaker_sandbox.control_plane.control_plane import ControlPlane
from sagemaker_sandbox.faults.fault import Fault
from sagemaker_sandbox.iam import roles
from sagemaker_sandbox.jobs.runtime import mounting
from sagemaker_sandbox.server import inventory
from sagemaker_sandbox.services.carbon.control import CarbonFactors, PastInstancePeriod
from sagemaker_sandbox.services.carbon.ledger import CarbonLedger
from sustainable_mlops.base.errors import UserError


class ControlApi:
    """Handler of every route under `/_sandbox/`."""

    def __init__(
        self,
        context: SandboxContext,
        sagemaker: ControlPlane,
        clock: Clock,
        services: Callable[[], list[str]],
        calls: CallRecorder,
        ledger: CarbonLedger,
    ) -> None:
        self._context = context
        self._sagemaker = sagemaker
        self._clock = clock
        self._services = services
        self._calls = calls
        self._ledger = ledger

    def respond(self, request: Request) -> Response:
        """Return the response to one request."""
        route = (request.method, request.path)
        if route == ("GET", "/_sandbox/health"):
            facts = {
                "pid": os.getpid(),
                "account_id": self._context.account_id,
                "opt_ml": mounting.get_opt_ml_mode(),
                "opt_ml_cause": mounting.explain_opt_ml_mode(),
            }
            return _create_json_response({"status": "ok"} | facts)
        if route == ("GET", "/_sandbox/inventory"):
            return _create_json_response(self._get_inventory())
        if route == ("POST", "/_sandbox/time"):
            return self._advance(request)
        if route == ("POST", "/_sandbox/calls"):
            self._calls.start()
            return _create_json_response({})
        if route == ("DELETE", "/_sandbox/calls"):
            return _create_json_response(self._calls.stop())
        if route == ("GET", "/_sandbox/unused"):
            return self._report_unused_grants(request)
        if route == ("POST", "/_sandbox/carbon"):
            return self._set_factors(request)
        if request.path == "/_sandbox/usage" and request.method in ("GET", "POST"):
            return self._add_instance_period(request) if request.method == "POST" else self._list_instance_periods()
        if request.path == "/_sandbox/faults" and request.method in ("GET", "POST", "DELETE"):
            return self._edit_faults(request)
        return _create_json_response({"error": f"the sandbox has no route {' '.join(route)}"}, status=404)

    def _get_inventory(self) -> inventory.Inventory:
        inventory_by_service = inventory.list_inventory(self._context, self._services())
        sagemaker: dict[str, list[str]] = {}
        for parts in self._sagemaker:
            for kind, names in parts.list_remaining().items():
                sagemaker.setdefault(kind, []).extend(sorted(names))
        return inventory_by_service | (
            {"sagemaker": inventory_by_service.get("sagemaker", {}) | sagemaker} if sagemaker else {}
        )

    def _report_unused_grants(self, request: Request) -> Response:
        """Return the grants of roles and users that no request used."""
        if not self._context.enforces_iam:
            message = "IAM is not enforced, so the use of grants is unknown; start the sandbox with --enforce-iam"
            return _create_json_response({"error": message}, status=409)
        from sagemaker_sandbox.enforcement import unused_grants

        return _create_json_response(unused_grants.report_unused_grants(roles.GRANTS, request.args.get("role", "")))

    def _advance(self, request: Request) -> Response:
        """Advance the clock, and return the new time."""
        try:
            body = AdvanceRequest.model_validate_json(request.get_data() or b"{}")
        except ValidationError as error:
            return _create_validation_error_response(error)
        return _create_json_response({"now": self._clock.advance(body.advance).isoformat()})

    def _set_factors(self, request: Request) -> Response:
        """Set the factors of the reported emissions."""
        try:
            body = CarbonFactors.model_validate_json(request.get_data() or b"{}")
        except ValidationError as error:
            return _create_validation_error_response(error)
        self._ledger.set_factor(body.factor, body.months)
        return _create_json_response(body.model_dump())

    def _list_instance_periods(self) -> Response:
        """Return the periods in which instances ran, in all accounts and Regions."""
        periods = [
            {
                "account": parts.region.account_id,
                "region": parts.region.name,
                **period._asdict(),
                "start": period.start.isoformat(),
                "end": period.end.isoformat(),
            }
            for parts in self._sagemaker
            for period in parts.region.usage.list_periods()
        ]
        return _create_json_response(periods)

    def _add_instance_period(self, request: Request) -> Response:
        """Add a period in which instances ran."""
        try:
            body = PastInstancePeriod.model_validate_json(request.get_data() or b"{}")
        except ValidationError as error:
            return _create_validation_error_response(error)
        region = self._sagemaker.get_parts(body.account or self._context.account_id, body.region).region
        region.usage.add(body.to_period())
        region.mark_changed()
        return _create_json_response(body.model_dump(mode="json"))

    def _edit_faults(self, request: Request) -> Response:
        """Add a fault (POST) or clear all (DELETE). Return the pending faults."""
        faults = self._sagemaker.faults
        if request.method == "DELETE":
            faults.clear()
        elif request.method == "POST":
            try:
                return _create_json_response(
                    faults.add(Fault.model_validate_json(request.get_data() or b"{}")).model_dump()
                )
            except ValidationError as error:
                return _create_validation_error_response(error)
            except UserError as error:
                return _create_json_response({"error": str(error)}, status=400)
        return _create_json_response([fault.model_dump() for fault in faults.list_pending()])


class AdvanceRequest(BaseModel):
    """Body of a request that advances the clock, in seconds."""

    model_config = ConfigDict(extra="forbid")
    advance: float = Field(ge=0, le=10 * 365 * 86_400)


def _create_validation_error_response(error: ValidationError) -> Response:
    first = error.errors()[0]
    location = ".".join(str(part) for part in first["loc"]) or "body"
    return _create_json_response({"error": f"{location}: {first['msg']}"}, status=400)


def _create_json_response(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status=status, content_type="application/json")
