"""Second chapter: staging, in another account, serves the model by a serverless and an asynchronous endpoint."""

import json
import time
from concurrent.futures import Future
from threading import Event
from typing import TYPE_CHECKING, Any

from clone.promotion import run
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.steps import Step
from sustainable_mlops.base.terraform import Terraform
from tools.demo import endpoints
from tools.demo.demo_run import DemoRun
from tools.demo.endpoints import EndpointUsage
from tools.demo.environments import DEPLOYER, MODEL, build_settings, find_folder, write_environments

if TYPE_CHECKING:
    from pandas import DataFrame

FLIGHTS, BATCH = 4_000, 500
#: Sandbox seconds in a step of time, and the most steps until the asynchronous endpoint is idle, or has answered.
MINUTE, LONGEST_MINUTES = 60, 40
#: Seconds for an answer of an instance that runs.
ANSWER_SECONDS = 10


class StagingEnvironment:
    """The environment staging, which promotes and serves packages of dev."""

    _prepared: "Future[str]"
    _allowed: "Future[None]"

    def __init__(self, demo_run: DemoRun) -> None:
        self._demo_run = demo_run
        self.terraform = Terraform(find_folder("staging"), demo_run.sandbox.environment)
        self.bucket = build_settings("staging")["state"]["bucket"]
        self._planned = Event()

    def prepare(self) -> None:
        """Start to apply staging without a model, while dev applies and trains."""
        self._prepared = self._demo_run.pool.submit(self._prepare)
        self._prepared.add_done_callback(lambda _: self._planned.set())

    def allow_key(self, key_arn: str) -> None:
        """Add the key of dev, with which its models are encrypted, to the HCL of staging for the second apply."""
        self._allowed = self._demo_run.pool.submit(self._allow_key, key_arn)

    def promote(self, package: str) -> None:
        """Check the package with the gate of `smlops promote`, and pin it in staging."""
        with self._demo_run.step("Prepare staging in another account") as this:
            this.result = self._prepared.result()
            self._allowed.result()
        with self._demo_run.step("smlops promote --to staging") as this:
            target = run.read_targets(find_folder("staging"))[MODEL]
            promotion = run.prepare_promotion(target, None, package, ())
            promotion.write()
            this.result = f"pinned; {len(promotion.conditions)} conditions met: " + ", ".join(
                one.name for one in promotion.conditions
            )
        with self._demo_run.step("Apply staging: two endpoints") as this:
            # The last apply wrote the state a moment ago, so there is nothing to refresh.
            applied = self.terraform.apply("-refresh=false", progress=lambda at: this.show(str(at)))
            this.result = str(applied)

    def serve(self, held_out: "DataFrame") -> None:
        """Invoke both endpoints with flights of the last weeks, which the model has never seen."""
        from workloads.flight_delay import features

        flights = held_out.sample(FLIGHTS, random_state=0)
        rows = flights[features.list_names()]
        late = flights[features.LABEL].to_numpy()
        with self._demo_run.step("Invoke the serverless endpoint") as this:
            scores = self._invoke(rows, this)
            auc, majority = compute_auc(late, scores), max(late.mean(), 1 - late.mean())
            if auc <= 0.6:
                raise UserError(f"the endpoint's AUC is {auc:.3f}: hardly better than 0.5, that of the majority class")
            self._demo_run.figures[f"AUC of the endpoint on {FLIGHTS:,} held-out flights"] = f"{auc:.3f}"
            self._demo_run.figures["AUC of the majority class (baseline)"] = f"0.500 (accuracy {majority:.1%})"
            this.result = f"AUC {auc:.3f} against 0.5 of the majority class"
        with self._demo_run.step("Invoke the asynchronous endpoint") as this:
            responses, minutes = self._invoke_async(rows.head(BATCH), this)
            difference = max(abs(one - other) for one, other in zip(responses, scores[:BATCH], strict=True))
            if difference > 1e-4:
                raise UserError(f"the asynchronous endpoint differs from the serverless one by {difference:.2g}")
            self._demo_run.figures["Sandbox minutes until the asynchronous endpoint responded, from 0 instances"] = str(
                minutes
            )
            this.result = f"from 0 instances in {minutes} sandbox minutes; the same {BATCH} predictions"

    def read_endpoint_usage(self) -> EndpointUsage:
        """Return the usage of both endpoints until now."""
        outputs = self.terraform.read_outputs()
        names = (outputs[f"{kind}_endpoints"][MODEL] for kind in ("serverless", "async"))
        return endpoints.read_endpoint_usage(self._demo_run, *names)

    def _prepare(self) -> str:
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = DEPLOYER.rpartition("/")[2]
        self._demo_run.client("iam", "staging").create_role(RoleName=role, AssumeRolePolicyDocument=document)
        self._demo_run.create_state_bucket("staging", self.bucket)
        self.terraform.init("-reconfigure")
        applied = self.terraform.apply(progress=lambda _: self._planned.set())
        return f"{applied}, while dev applied and trained"

    def _allow_key(self, key_arn: str) -> None:
        self._planned.wait()  # before, Terraform reads the HCL
        write_environments("staging", key_arn=key_arn)

    def _invoke(self, rows: "DataFrame", step: Step) -> list[float]:
        runtime = self._demo_run.client("sagemaker-runtime", "staging")
        endpoint = self.terraform.read_outputs()["serverless_endpoints"][MODEL]
        scores: list[float] = []
        for first in range(0, len(rows), BATCH):
            response = runtime.invoke_endpoint(
                EndpointName=endpoint,
                ContentType="application/json",
                Accept="application/json",
                Body=rows.iloc[first : first + BATCH].to_json(orient="records"),
            )
            scores += json.loads(response["Body"].read())["predictions"]
            step.show(f"{len(scores):,} of {len(rows):,} flights")
        return scores

    def _invoke_async(self, rows: "DataFrame", step: Step) -> tuple[list[float], int]:
        """Return the predictions of the asynchronous endpoint, and the minutes until they came."""
        outputs = self.terraform.read_outputs()
        endpoint, bucket = outputs["async_endpoints"][MODEL], outputs["platform"]["buckets"]["artifacts"]
        s3 = self._demo_run.client("s3", "staging")
        key = f"async-inference/{endpoint}/requests/flights.json"
        s3.put_object(Bucket=bucket, Key=key, Body=rows.to_json(orient="records"))
        self._scale_to_zero(endpoint)
        response = self._demo_run.client("sagemaker-runtime", "staging").invoke_endpoint_async(
            EndpointName=endpoint,
            InputLocation=f"s3://{bucket}/{key}",
            ContentType="application/json",
            Accept="application/json",
        )
        for minute in range(1, LONGEST_MINUTES + 1):
            self._demo_run.sandbox.advance(MINUTE)
            count = self._count_instances(endpoint)
            step.show(f"minute {minute}: {count} instances")
            answer = wait_for_object(s3, response["OutputLocation"], ANSWER_SECONDS if count else 0)
            if answer is not None:
                return list(json.loads(answer)["predictions"]), minute
        raise UserError(f"{endpoint}: no response within {LONGEST_MINUTES} minutes of the sandbox's clock")

    def _scale_to_zero(self, endpoint: str) -> None:
        """Move the time ahead until the endpoint has no instance, because nobody invokes it. Raises UserError."""
        for _ in range(LONGEST_MINUTES):
            if not self._count_instances(endpoint):
                return
            self._demo_run.sandbox.advance(MINUTE)
        raise UserError(f"{endpoint}: still has instances after {LONGEST_MINUTES} idle minutes of the sandbox's clock")

    def _count_instances(self, endpoint: str) -> int:
        description = self._demo_run.client("sagemaker", "staging").describe_endpoint(EndpointName=endpoint)
        (variant,) = description["ProductionVariants"]
        return int(variant.get("CurrentInstanceCount", 0))


def wait_for_object(s3: Any, address: str, seconds: float) -> bytes | None:
    """Return the content of an object, or None if it does not exist within the time."""
    (bucket, key), deadline = S3Uri.parse(address), time.monotonic() + seconds
    while not s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"]:
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.2)
    content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


def compute_auc(late: Any, scores: list[float]) -> float:
    """Return the area under the ROC curve: the share of pairs whose late flight scores higher (ties count half)."""
    from pandas import Series

    ranks = Series(scores).rank().to_numpy()
    positive = late == 1
    n = positive.sum()
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(late) - n)))
