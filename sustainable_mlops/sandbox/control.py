"""The sandbox's own routes: health, inventory, and spot interruptions. There is no other way round the AWS APIs."""

import json
import os
import re
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug import Request, Response

from sustainable_mlops.sandbox import inventory
from sustainable_mlops.sandbox.context import Context
from sustainable_mlops.sandbox.errors import ApiError
from sustainable_mlops.sandbox.plane.control_plane import ControlPlane
from sustainable_mlops.sandbox.runtime import mounting
from sustainable_mlops.sandbox.sagemaker.training_jobs import TrainingJobs

_INTERRUPT = re.compile(r"/_sandbox/training-jobs/(?P<name>[^/]+)/interrupt")


class Interruption(BaseModel):
    """Take the instance of the next managed-spot job away whose name matches."""

    model_config = ConfigDict(extra="forbid")
    after_checkpoints: int = Field(default=1, ge=1, description="Checkpoint files that must be in S3 by then.")
    job_name_contains: str = Field(default="", description="Part of the job's name; empty matches every job.")


class Control:
    """Answers everything under /_sandbox/."""

    def __init__(self, context: Context, sagemaker: ControlPlane, services: Callable[[], list[str]]) -> None:
        self._context = context
        self._sagemaker = sagemaker
        self._services = services

    def respond(self, request: Request) -> Response:
        """The answer to one request."""
        route = (request.method, request.path)
        if route == ("GET", "/_sandbox/health"):
            facts = {"pid": os.getpid(), "account_id": self._context.account_id, "opt_ml": mounting.opt_ml()}
            return _json({"status": "ok"} | facts)
        if route == ("GET", "/_sandbox/inventory"):
            return _json(self._inventory())
        if route == ("POST", "/_sandbox/interruptions"):
            return self._arm(request)
        if request.method == "POST" and (interrupt := _INTERRUPT.fullmatch(request.path)):
            return self._interrupt(interrupt["name"])
        return _json({"error": f"the sandbox has no route {' '.join(route)}"}, status=404)

    def _inventory(self) -> inventory.Inventory:
        found = inventory.take(self._context, self._services())
        sagemaker: dict[str, list[str]] = {}
        for parts in self._sagemaker:
            for kind, names in parts.inventory().items():
                sagemaker.setdefault(kind, []).extend(sorted(names))
        return found | ({"sagemaker": found.get("sagemaker", {}) | sagemaker} if sagemaker else {})

    def _arm(self, request: Request) -> Response:
        try:
            wanted = Interruption.model_validate_json(request.get_data() or b"{}")
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "body"
            return _json({"error": f"{where}: {first['msg']}"}, status=400)
        self._sagemaker.arm_interruption(wanted.job_name_contains, wanted.after_checkpoints)
        return _json(wanted.model_dump())

    def _interrupt(self, name: str) -> Response:
        for parts in self._sagemaker:
            jobs = parts.of(TrainingJobs)
            with parts.region.lock:
                if jobs.find(name) is None:
                    continue
                try:
                    jobs.interrupt(name)
                except ApiError as error:
                    return _json({"error": error.message}, status=409)
            return _json({"interrupted": name})
        return _json({"error": f"no training job {name}"}, status=404)


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status=status, content_type="application/json")
