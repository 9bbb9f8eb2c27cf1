"""Client for endpoints whose models answer with their own names, and a load generator."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import IMAGE, ROLE, create_tar, make_role, wait_until

BUCKET = "models-to-deploy"
#: Model script: returns its name, or fails without one. If a request names a file, it creates `<file>.asked` and waits
#: for the file. Once the file `broken` exists, the model does not load.
_MODEL = """
import json, os, time
def model_fn(folder):
    if os.path.exists({broken!r}):
        raise RuntimeError("does not load")
    return {name!r}
def input_fn(body, content_type):
    return json.loads(body)
def predict_fn(values, model):
    if len(values):
        open(f"{{values[0]}}.asked", "w").close()
    while len(values) and not os.path.exists(values[0]):
        time.sleep(0.05)
    return model or 1 / 0
"""
SETTLED_STATUSES = ("InService", "Failed", "UpdateRollbackFailed")


class EndpointClient:
    """Client for the endpoints of one sandbox whose clock belongs to the test."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.sagemaker, self.s3 = sandbox.client("sagemaker"), sandbox.client("s3")
        self.runtime, self.cloudwatch = sandbox.client("sagemaker-runtime"), sandbox.client("cloudwatch")
        self._name_count = 0

    @classmethod
    def prepare(cls, sandbox: Sandbox) -> "EndpointClient":
        """Create the role and the bucket in an empty sandbox, and return a client."""
        client = cls(sandbox)
        make_role(sandbox)
        client.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        return client

    def make_name(self, start: str) -> str:
        """Return a unique name."""
        self._name_count += 1
        return f"{start}-{self._name_count}"

    def create_model(self, answer: str, broken: Path | str = "/does/not/exist") -> str:
        """Create a model that answers with `says`, or fails if that is empty.

        The model does not load once the file `broken` exists.
        """
        name = self.make_name("model")
        code = _MODEL.format(name=answer, broken=str(broken))
        self.s3.put_object(Bucket=BUCKET, Key=name, Body=create_tar(code__inference_py=code))
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{name}"}
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
        return name

    def create_config(self, model: str, count: int | None = 2, **members: Any) -> str:
        """Create a configuration with one variant. `count` None means serverless."""
        name = self.make_name("config")
        capacity: dict[str, Any] = {"InstanceType": "ml.c7g.large", "InitialInstanceCount": count}
        if count is None:
            capacity = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 4}}
        variant = {"VariantName": "main", "ModelName": model, **capacity, **members}
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        return name

    def create_alarm(self) -> str:
        """Create an alarm in state OK."""
        name = self.make_name("alarm")
        self.cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="own",
            MetricName=name,
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="ignore",
        )
        self.set_alarm_state(name, "OK")
        return name

    def set_alarm_state(self, alarm: str, state: str = "ALARM") -> None:
        """Set the state of an alarm."""
        self.cloudwatch.set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="a test")

    def create_endpoint(self, config: str, **members: Any) -> str:
        """Create an endpoint and wait until its status is final."""
        name = self.make_name("endpoint")
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, **members)
        self.wait_until_settled(name)
        return name

    def start_update(self, endpoint: str, config: str, **members: Any) -> None:
        """Start an update."""
        self.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config, **members)

    def describe(self, endpoint: str) -> dict[str, Any]:
        """Return the response of DescribeEndpoint."""
        described: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=endpoint)
        return described

    def wait_until_settled(self, endpoint: str) -> dict[str, Any]:
        """Wait for a final status and return the description."""

        def find_settled() -> dict[str, Any] | None:
            described = self.describe(endpoint)
            return described if described["EndpointStatus"] in SETTLED_STATUSES else None

        described: dict[str, Any] = wait_until(find_settled)
        return described

    def invoke(self, endpoint: str, *files: Path) -> str:
        """Return the name of the model that answers, once the files exist."""
        request = {"EndpointName": endpoint, "ContentType": "application/json", "Body": json.dumps([*map(str, files)])}
        body: bytes = self.runtime.invoke_endpoint(**request)["Body"].read()
        return body.decode().strip('"')

    def measure_share(self, endpoint: str, model: str, requests: int = 80) -> float:
        """Return the share of requests that the model `of` answers."""
        return Counter(self.invoke(endpoint) for _ in range(requests))[model] / requests

    @contextmanager
    def generate_load(self, endpoint: str, threads: int = 3) -> Iterator[Counter[str]]:
        """Send requests continuously and yield counts of their answers; errors by class."""
        answers: Counter[str] = Counter()
        is_over = threading.Event()

        def send_requests() -> None:
            while not is_over.is_set():
                try:
                    answer = self.invoke(endpoint)
                except Exception as error:
                    answer = f"{type(error).__name__}: {error}"
                answers[answer] += 1
                is_over.wait(0.05)

        clients = [threading.Thread(target=send_requests, daemon=True) for _ in range(threads)]
        for thread in clients:
            thread.start()
        try:
            yield answers
        finally:
            is_over.set()
            for thread in clients:
                thread.join()

    def get_pending_variant(self, endpoint: str) -> dict[str, Any]:
        """Return the only variant of the active deployment."""
        (variant,) = self.describe(endpoint)["PendingDeploymentSummary"]["ProductionVariants"]
        pending: dict[str, Any] = variant
        return pending

    def get_counts(self, endpoint: str) -> tuple[int, float]:
        """Wait for a final status; return the instance count and the weight of the variant."""
        (variant,) = self.wait_until_settled(endpoint)["ProductionVariants"]
        assert variant["DesiredInstanceCount"] == variant["CurrentInstanceCount"]
        return variant["CurrentInstanceCount"], variant["CurrentWeight"]
