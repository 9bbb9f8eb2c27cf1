"""Endpoints for tests: scripts become models in S3, and models become endpoints."""

from collections.abc import Callable, Sequence
from typing import Any

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import IMAGE, ROLE, create_tar, wait_until

REAL_TIME = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
SERVERLESS = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 2}}


class EndpointDeployer:
    """Deployer of endpoints whose models are in one bucket."""

    def __init__(self, sandbox: Sandbox, bucket: str, fresh: Callable[[str], str]) -> None:
        self.sagemaker = sandbox.client("sagemaker")
        self.runtime = sandbox.client("sagemaker-runtime")
        self.s3 = sandbox.client("s3")
        self.bucket = bucket
        self.fresh = fresh

    def put_object(self, key: str, body: str | bytes) -> str:
        """Store an object and return its address."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def create_container(self, script: str, **members: Any) -> dict[str, Any]:
        """Store a model.tar.gz with only this script, and return its container."""
        address = self.put_object(f"{self.fresh('model')}.tar.gz", create_tar(code__inference_py=script))
        return {"Image": IMAGE, "ModelDataUrl": address, **members}

    def start_deployment(
        self,
        *containers: dict[str, Any],
        variant: dict[str, Any] = REAL_TIME,
        config: dict[str, Any] | None = None,
        **model: Any,
    ) -> str:
        """Start the creation of an endpoint and return its name."""
        names = {kind: self.fresh(kind) for kind in ("model", "config", "endpoint")}
        self.sagemaker.create_model(
            ModelName=names["model"], ExecutionRoleArn=ROLE, **_build_model_members(containers), **model
        )
        variants = [{"VariantName": "main", "ModelName": names["model"], **variant}]
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=names["config"], ProductionVariants=variants, **config or {}
        )
        self.sagemaker.create_endpoint(EndpointName=names["endpoint"], EndpointConfigName=names["config"])
        return names["endpoint"]

    def deploy(self, *containers: dict[str, Any], **options: Any) -> str:
        """Create an endpoint and wait until it is in service."""
        endpoint = self.start_deployment(*containers, **options)
        settled = self.wait_until_settled(endpoint)
        assert settled["EndpointStatus"] == "InService", settled.get("FailureReason")
        return endpoint

    def wait_until_settled(self, endpoint: str) -> dict[str, Any]:
        """Wait until an endpoint is neither being created nor changed; return its description."""

        def find_settled() -> dict[str, Any] | None:
            endpoint_description: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=endpoint)
            return endpoint_description if not endpoint_description["EndpointStatus"].endswith("ing") else None

        described: dict[str, Any] = wait_until(find_settled)
        return described

    def invoke(self, endpoint: str, body: str | bytes = "", **members: Any) -> str:
        """Return the answer of an endpoint as text."""
        return str(self.runtime.invoke_endpoint(EndpointName=endpoint, Body=body, **members)["Body"].read().decode())


def _build_model_members(containers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"PrimaryContainer": containers[0]} if len(containers) == 1 else {"Containers": list(containers)}
