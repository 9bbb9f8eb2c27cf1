"""Endpoints whose models say who they are, and who asks them all the time."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import IMAGE, ROLE, make_role, tar, until

BUCKET = "models-to-deploy"
#: Answers with its own name, where there is one, once the file that it is asked about is there, beside which it notes
#: that it was; does not load once the `broken` one is.
_NAMED = """
import os, time
def model_fn(folder):
    if os.path.exists({broken!r}):
        raise RuntimeError("does not load")
    return {name!r}
def predict_fn(values, model):
    if len(values):
        open(f"{{values[0]}}.asked", "w").close()
    while len(values) and not os.path.exists(values[0]):
        time.sleep(0.05)
    return model or 1 / 0
"""
SETTLED_STATUSES = ("InService", "Failed", "UpdateRollbackFailed")


class EndpointClient:
    """Those of one sandbox, whose time is the test's own."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.sagemaker, self.s3 = sandbox.client("sagemaker"), sandbox.client("s3")
        self.runtime, self.cloudwatch = sandbox.client("sagemaker-runtime"), sandbox.client("cloudwatch")
        self._made = 0

    @classmethod
    def prepare(cls, sandbox: Sandbox) -> "EndpointClient":
        """In a sandbox that has nothing yet."""
        made = cls(sandbox)
        make_role(sandbox)
        made.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        return made

    def make_name(self, start: str) -> str:
        """A name that nothing else has."""
        self._made += 1
        return f"{start}-{self._made}"

    def create_model(self, says: str, broken: Path | str = "/does/not/exist") -> str:
        """A model that answers so, or fails where that is nothing; it does not load once the file `broken` is there."""
        name = self.make_name("model")
        code = _NAMED.format(name=says, broken=str(broken))
        self.s3.put_object(Bucket=BUCKET, Key=name, Body=tar(code__inference_py=code))
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{name}"}
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
        return name

    def create_config(self, model: str, count: int | None = 2, **members: Any) -> str:
        """A configuration with one variant; `count` None is serverless."""
        name = self.make_name("config")
        bought: dict[str, Any] = {"InstanceType": "ml.c7g.large", "InitialInstanceCount": count}
        if count is None:
            bought = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 4}}
        variant = {"VariantName": "main", "ModelName": model, **bought, **members}
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        return name

    def create_alarm(self) -> str:
        """An alarm that is well."""
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
        """Put an alarm in a state."""
        self.cloudwatch.set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="a test")

    def create_endpoint(self, config: str, **members: Any) -> str:
        """An endpoint, once nothing happens to it any more."""
        name = self.make_name("endpoint")
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, **members)
        self.wait_until_settled(name)
        return name

    def start_update(self, endpoint: str, config: str, **members: Any) -> None:
        """Begin an update."""
        self.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config, **members)

    def describe(self, endpoint: str) -> dict[str, Any]:
        """What DescribeEndpoint answers."""
        described: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=endpoint)
        return described

    def wait_until_settled(self, endpoint: str) -> dict[str, Any]:
        """As `look`, once nothing happens to it any more."""

        def found() -> dict[str, Any] | None:
            described = self.describe(endpoint)
            return described if described["EndpointStatus"] in SETTLED_STATUSES else None

        described: dict[str, Any] = until(found)
        return described

    def invoke(self, endpoint: str, *files: Path) -> str:
        """Who answers, once the file is there."""
        asked = {"EndpointName": endpoint, "ContentType": "application/json", "Body": json.dumps([*map(str, files)])}
        body: bytes = self.runtime.invoke_endpoint(**asked)["Body"].read()
        return body.decode().strip('"')

    def measure_share(self, endpoint: str, of: str, requests: int = 80) -> float:
        """Which share of the requests a model answers."""
        return Counter(self.invoke(endpoint) for _ in range(requests))[of] / requests

    @contextmanager
    def generate_load(self, endpoint: str, threads: int = 3) -> Iterator[Counter[str]]:
        """Requests all the time; what they were answered, errors by their class."""
        said: Counter[str] = Counter()
        done = threading.Event()

        def ask() -> None:
            while not done.is_set():
                try:
                    answer = self.invoke(endpoint)
                except Exception as error:
                    answer = f"{type(error).__name__}: {error}"
                said[answer] += 1
                done.wait(0.05)

        asking = [threading.Thread(target=ask, daemon=True) for _ in range(threads)]
        for thread in asking:
            thread.start()
        try:
            yield said
        finally:
            done.set()
            for thread in asking:
                thread.join()

    def get_pending_variant(self, endpoint: str) -> dict[str, Any]:
        """The one variant of the deployment under way."""
        (variant,) = self.describe(endpoint)["PendingDeploymentSummary"]["ProductionVariants"]
        found: dict[str, Any] = variant
        return found

    def get_counts(self, endpoint: str) -> tuple[int, float]:
        """Instances and weight of its variant, once nothing happens to it any more."""
        (variant,) = self.wait_until_settled(endpoint)["ProductionVariants"]
        assert variant["DesiredInstanceCount"] == variant["CurrentInstanceCount"]
        return variant["CurrentInstanceCount"], variant["CurrentWeight"]
