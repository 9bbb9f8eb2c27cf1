"""Stages of the modules for endpoints, and of the one that watches them."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError

from clone.prove import cleanup, costs, models
from clone.prove.context import ProofError
from clone.prove.costs import CostItem
from clone.prove.stage import STATEMENTS, Stage
from sustainable_mlops import aws
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.steps import Step

#: Error of SageMaker while an instance starts or stops. An apply after that succeeds.
_IN_PROGRESS = "in-progress endpoint"
_ATTEMPTS = 4
#: Statuses without a transition.
_FINAL_STATUSES = ("InService", "Failed", "UpdateRollbackFailed")
#: Seconds between two requests of a load.
_BETWEEN = 0.25
#: Seconds for which the alarms watch a new model. They evaluate two minutes of three, or of five.
_WATCH_SECONDS = 300


class EndpointStage(Stage):
    """A stage with an endpoint that responds with its model's name."""

    outputs = ("endpoint_name", STATEMENTS)
    #: Bad model that the deployment rolls back.
    bad_model: ClassVar[str] = models.FAILS
    #: Minimum set of responses during the deployment.
    required_responses: ClassVar[frozenset[str]] = frozenset()

    @property
    def name(self) -> str:
        """Name of the endpoint."""
        return self.run.get_endpoint_name(self.suffix)

    def request_response(self) -> str:
        """Return the response of the endpoint to one request, or the code of its error."""
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """Return the response of DescribeEndpoint."""
        described: dict[str, Any] = self.run.get_client("sagemaker").describe_endpoint(EndpointName=self.name)
        return described

    def wait_for_final_status(self) -> dict[str, Any]:
        """Wait until the endpoint has a final status, and return its description."""

        def poll() -> dict[str, Any] | None:
            described = self.describe()
            return described if described["EndpointStatus"] in _FINAL_STATUSES else None

        described: dict[str, Any] = self.run.wait(f"the final status of {self.name}", poll, 60)
        return described

    def apply(self, step: Step) -> None:
        """Apply, and apply again if the endpoint scaled meanwhile."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                super().apply(step)
                return
            except UserError as error:
                if _IN_PROGRESS not in str(error) or attempt == _ATTEMPTS:
                    raise
                self.wait_for_final_status()

    def use_resources(self) -> str:
        """Send requests to the endpoint."""
        self.expect("first")
        return "it responds with its model's name"

    def change(self) -> str:
        """Serve another model."""
        self.changes["model_data_url"] = models.format_address(self.run, "second")
        return "another model"

    def check_change(self) -> None:
        """Send requests that the new model must respond to."""
        self.expect("second")

    def expect(self, model: str, times: int = 3) -> None:
        """Raise ProofError unless that model responds to each of some requests."""
        responses = Counter(self.request_response() for _ in range(times))
        if set(responses) != {model}:
            raise ProofError(f"{self.name} responded {dict(responses)} instead of {model}")

    def roll_back(self) -> str | None:
        """Deploy a bad model under load: the apply fails, and the old model continues to respond."""
        before = self.wait_for_final_status()["EndpointConfigName"]
        good = self.changes["model_data_url"]
        self.changes["model_data_url"] = models.format_address(self.run, self.bad_model)
        self.write()
        with self.load() as responses:
            error = self._apply_bad()
        self.changes["model_data_url"] = good
        described = self.wait_for_final_status()
        if described["EndpointStatus"] != "InService" or described["EndpointConfigName"] != before:
            raise ProofError(
                f"{self.name} is {described['EndpointStatus']} with {described['EndpointConfigName']}, not {before}"
            )
        if missing := self.required_responses - set(responses):
            raise ProofError(
                f"{self.name}: no request got {', '.join(missing)} during the deployment; responses: {dict(responses)}"
            )
        self.expect("second", 5)
        return f"the apply failed ({error[:160]}); meanwhile {dict(responses)}; the old model responds"

    def _apply_bad(self) -> str:
        """Apply the bad model and return the error. Raises ProofError if the apply succeeds."""
        try:
            self.terraform.apply()
        except UserError as error:
            return " ".join(str(error).replace("│", " ").split())
        raise ProofError("the apply of a bad model succeeded")

    @contextmanager
    def load(self, threads: int = 2) -> Iterator[Counter[str]]:
        """Send requests continuously, and count the responses."""
        responses: Counter[str] = Counter()
        is_over = threading.Event()

        def send_requests() -> None:
            while not is_over.wait(_BETWEEN):
                try:
                    responses[self.request_response()] += 1
                except (ClientError, BotoCoreError, ProofError) as error:
                    responses[aws.read_error_code(error) or type(error).__name__] += 1

        workers = [threading.Thread(target=send_requests, daemon=True) for _ in range(threads)]
        for worker in workers:
            worker.start()
        try:
            yield responses
        finally:
            is_over.set()
            for worker in workers:
                worker.join(timeout=60)


class ServerlessEndpoint(EndpointStage):
    """The stage of `serverless_endpoint`. No alarm watches it: its bad model is one that does not start."""

    module = "serverless_endpoint"
    suffix = "serverless"
    bad_model = models.DOES_NOT_LOAD
    required_responses = frozenset({"second"})

    def build_inputs(self) -> Mapping[str, Any]:
        """Return the inputs, with the least memory that the image runs in."""
        return {
            "name_prefix": self.name,
            "kms_key_arn": self.run.key,
            "role_arn": self.run.get_role_arn("inference"),
            "memory_mb": 2048,
            "max_concurrency": 2,
            **models.build_container(self.run, "first"),
        }

    def request_response(self) -> str:
        """Return the response to one request."""
        return invoke(self)


class RealtimeEndpoint(EndpointStage):
    """The stage of `realtime_endpoint`: two small instances, and a rolling deployment."""

    module = "realtime_endpoint"
    suffix = "realtime"
    required_responses = frozenset({"second", "ModelError"})

    def build_inputs(self) -> Mapping[str, Any]:
        """Return the inputs."""
        instance_type = costs.choose_serving_type(self.run.settings.region)
        return {
            **self.run.get_common_inputs(self.name),
            "instance_type": instance_type,
            "kms_key_arn": self.run.key,
            "role_arn": self.run.get_role_arn("inference"),
            "latency_slo_ms": 5000,
            "max_instances": 3,
            "deployment": {"strategy": "rolling", "wait_seconds": _WATCH_SECONDS},
            **models.build_container(self.run, "first", graviton_type=instance_type),
        }

    def request_response(self) -> str:
        """Return the response to one request."""
        return invoke(self)

    def count_instances(self) -> int:
        """Return the number of instances in service."""
        return int(self.describe()["ProductionVariants"][0]["CurrentInstanceCount"])

    def get_fleet(self) -> tuple[str, int] | None:
        """Return its instances, one more during a deployment."""
        return costs.choose_serving_type(self.run.settings.region), 3

    @classmethod
    def list_cost_items(cls, region: str) -> Iterator[CostItem]:
        """Return the lines of the estimate."""
        yield CostItem("realtime_endpoint", costs.choose_serving_type(region), 3, 2.5)


class AsyncEndpoint(EndpointStage):
    """The stage of `async_endpoint`: one small instance, and another beside it during a deployment."""

    module = "async_endpoint"
    suffix = "async"
    required_responses = frozenset({"failed"})

    def build_inputs(self) -> Mapping[str, Any]:
        """Return the inputs."""
        instance_type = costs.choose_serving_type(self.run.settings.region)
        return {
            **self.run.get_common_inputs(self.name),
            "bake_seconds": _WATCH_SECONDS,
            "instance_type": instance_type,
            "kms_key_arn": self.run.key,
            "role_arn": self.run.get_role_arn("inference"),
            "s3_uri": self.run.base["s3_uris"]["async_inference"],
            **models.build_container(self.run, "first", graviton_type=instance_type),
        }

    def send(self, request: Mapping[str, Any]) -> Callable[[], str]:
        """Send a request; return a function that returns the response, or an empty string before it exists."""
        s3, bucket = self.run.get_client("s3"), self.run.get_bucket_name("artifacts")
        key = f"async-inference/{self.name}/requests/{time.monotonic_ns()}-{threading.get_ident()}"
        location = self.run.put("artifacts", key, json.dumps(request).encode())
        response = self.run.get_client("sagemaker-runtime").invoke_endpoint_async(
            EndpointName=self.name,
            InputLocation=location,
            ContentType="application/json",
            InvocationTimeoutSeconds=3600,
        )
        start = f"s3://{bucket}/"

        def read(address: str) -> str:
            try:
                body: bytes = s3.get_object(Bucket=bucket, Key=address.removeprefix(start))["Body"].read()
            except ClientError as error:
                if aws.is_absent_object_error(error):
                    return ""
                raise
            return body.decode()

        def poll() -> str:
            if body := read(response["OutputLocation"]):
                return body.strip('"\n')
            return "failed" if read(response["FailureLocation"]) else ""

        return poll

    def request_response(self) -> str:
        """Return the response to one request, once it is in S3."""
        return str(self.run.wait("the response of an asynchronous request", self.send({}), 40))

    def expect(self, model: str, times: int = 1) -> None:
        """Send only one request, because each response may take minutes."""
        super().expect(model, min(times, 2))

    def count_instances(self) -> int:
        """Return the number of instances in service."""
        return int(self.describe()["ProductionVariants"][0]["CurrentInstanceCount"])

    def get_fleet(self) -> tuple[str, int] | None:
        """Return its instances."""
        return costs.choose_serving_type(self.run.settings.region), 2

    @classmethod
    def list_cost_items(cls, region: str) -> Iterator[CostItem]:
        """Return the lines of the estimate."""
        yield CostItem("async_endpoint", costs.choose_serving_type(region), 2, 1.5)


class ObservabilityStage(Stage):
    """The stage of `observability`, which watches the run's real-time endpoint and may delete it when idle."""

    module = "observability"
    suffix = "alarms"
    after = ("realtime_endpoint",)
    outputs = ("alarm_names", "alarm_topic_arn", "dashboard_name")

    waste_hours = 24

    def build_inputs(self) -> Mapping[str, Any]:
        """Return the inputs, without log groups that exist and so have another owner."""
        existing = cleanup.list_job_log_groups(self.run.recorder) - self._own
        groups = sorted({f"/aws/sagemaker/{jobs}" for jobs in ("TrainingJobs", "TransformJobs")} - existing)
        self._own |= set(groups)
        watched = {
            "name": self.run.get_endpoint_name("realtime"),
            "kind": "realtime",
            "instance_type": costs.choose_serving_type(self.run.settings.region),
            "latency_slo_ms": 5000,
        }
        return {
            **self.get_common_inputs(),
            "kms_key_arn": self.run.key,
            "idle_stop": "delete",
            "log_groups": groups,
            "waste_hours": self.waste_hours,
            "endpoints": {"realtime": watched},
        }

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        #: Log groups of jobs that this stage creates.
        self._own: set[str] = set()

    def use_resources(self) -> str:
        """Read the alarms and the dashboard."""
        cloudwatch = self.run.get_client("cloudwatch")
        health = sorted(self.published["alarm_names"].values())
        response = cloudwatch.describe_alarms(AlarmNames=health, AlarmTypes=["CompositeAlarm"])
        states = {one["AlarmName"]: one["StateValue"] for one in response["CompositeAlarms"]}
        if sorted(states) != health:
            raise ProofError(f"alarms {health}: found {states}")
        cloudwatch.get_dashboard(DashboardName=self.published["dashboard_name"])
        return f"alarms and dashboard were read: {states}"

    def change(self) -> str:
        """Give endpoints more time to be idle."""
        self.waste_hours = 48
        return "waste_hours = 48"


def invoke(stage: EndpointStage) -> str:
    """Return the response of a stage's endpoint to one request, or the code of the error."""
    try:
        response = stage.run.get_client("sagemaker-runtime").invoke_endpoint(
            EndpointName=stage.name, ContentType="application/json", Accept="application/json", Body=b"{}"
        )
    except ClientError as error:
        return aws.read_error_code(error)
    body: bytes = response["Body"].read()
    return body.decode().strip('"\n')
