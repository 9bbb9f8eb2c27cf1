"""Fleets without an endpoint: their models are in the S3 of the sandbox, and their clock is local."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.base.context import SandboxContext
from sagemaker_sandbox.base.events import EventPublisher
from sagemaker_sandbox.control_plane.registry import RegionParts
from sagemaker_sandbox.endpoints.fleets import Fleets
from sagemaker_sandbox.endpoints.hosting.fleet import EndpointFleet
from sagemaker_sandbox.endpoints.hosting.invocation import Invocation
from sagemaker_sandbox.endpoints.hosting.traffic import Traffic
from sagemaker_sandbox.faults.fault_queue import FaultQueue
from sagemaker_sandbox.resources.lock import Lock
from sagemaker_sandbox.resources.region import AccountRegion
from tests.sandbox.support import IMAGE, create_tar

ACCOUNT, REGION = "123456789012", "eu-north-1"
#: Model script: returns its process id. `until` waits for a file, and `meet` for a number of requests in a folder.
MODEL = """
import json, os, time
def model_fn(model_dir): return "%s"
def meet(folder, number):
    open(os.path.join(folder, os.urandom(8).hex()), "w").close()
    while len(os.listdir(folder)) < number: time.sleep(0.02)
def transform_fn(model, data, content_type, accept):
    request = json.loads(data)
    time.sleep(request.get("seconds", 0))
    while not os.path.exists(request.get("until", "/")): time.sleep(0.02)
    if "meet" in request: meet(*request["meet"])
    if request.get("fail"): raise ValueError("as requested")
    if request.get("note"): open(request["note"], "a").write(model + "\\n")
    return json.dumps({"model": model, "pid": os.getpid()}), accept
"""


@contextmanager
def run_region(sandbox: Sandbox, folder: Path, clock: Clock | None = None) -> Iterator[RegionParts]:
    """Yield the parts of one Region in this process, and close them afterward."""
    context = SandboxContext(
        lambda service, _region, _account: sandbox.client(service),
        lambda service, _region, _account: sandbox.client(service),
        folder,
        ACCOUNT,
        clock or Clock(),
        idle_seconds=300,
    )

    def call(operation: str, request: Any) -> dict[str, Any]:
        raise NotImplementedError(operation, request)

    parts = RegionParts(
        AccountRegion(ACCOUNT, REGION, context, EventPublisher(context.client), call, FaultQueue(), Lock())
    )
    try:
        yield parts
    finally:
        parts.close()


def build_variant(name: str = "main", **members: Any) -> dict[str, Any]:
    """Return a variant with these `members`. It has an instance unless they include ServerlessConfig."""
    kind = {} if "ServerlessConfig" in members else {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    return {"VariantName": name, "ModelName": name, "InitialVariantWeight": 1.0, **kind, **members}


class ModelStore:
    """Store that uploads models to S3 and returns their containers."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def __call__(self, *names: str, script: str | None = None) -> dict[str, list[dict[str, Any]]]:
        for name in names:
            data = create_tar(code__inference_py=script or MODEL % name)
            self._s3.put_object(Bucket=self._bucket, Key=f"{name}.tar.gz", Body=data)
        uri = f"s3://{self._bucket}"
        return {name: [{"Image": IMAGE, "ModelDataUrl": f"{uri}/{name}.tar.gz"}] for name in names}


def start_fleet(
    fleets: Fleets, endpoint: str, models: ModelStore, *variants: Any, **config: Any
) -> tuple[EndpointFleet, Traffic]:
    """Start a fleet of these variants; return it and the traffic, all of which goes to it."""
    endpoint_config = {"EndpointConfigName": endpoint, "ProductionVariants": list(variants)} | config
    names = [variant["VariantName"] for variant in (*variants, *config.get("ShadowProductionVariants", ()))]
    fleet = fleets.create_fleet(endpoint, endpoint_config, models(*names))
    fleet.start()
    traffic = fleets.get_traffic(endpoint)
    traffic.shift((fleet, 1.0))
    return fleet, traffic


def invoke_model(traffic: Traffic, target_variant: str = "", **request: Any) -> dict[str, Any]:
    """Return the answer of the model, with the variant that answered."""
    response = traffic.invoke(Invocation(json.dumps(request).encode(), target_variant=target_variant))
    assert isinstance(response.body, bytes)
    answer: dict[str, Any] = json.loads(response.body)
    return answer | {"variant": response.variant}
