"""State of one demo run: the sandbox, the steps on the console, and the results that later chapters use."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING, Any

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.steps import Step, Steps
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.jobs.pipelines import execution
from sustainable_mlops.jobs.pipelines.record import SUCCEEDED, PipelineRecord, PipelineStepRecord, write_record
from sustainable_mlops.jobs.record import RunRecord
from tools.demo.environments import ACCOUNTS, REGION

if TYPE_CHECKING:
    from pandas import DataFrame

WORKLOAD = ROOT / "workloads" / "flight_delay"
PIPELINE = WORKLOAD / "pipeline.yaml"
OUT = ROOT / "out"
RAW = OUT / "raw"
#: Seconds between two requests for a status.
POLL_INTERVAL = 0.5


class DemoRun:
    """State of one demo run: the sandbox, the steps and the results so far."""

    def __init__(self, sandbox: Sandbox, steps: Steps, pool: ThreadPoolExecutor) -> None:
        self.sandbox = sandbox
        self.steps = steps
        self.step = steps.step
        self.pool = pool
        self.figures: dict[str, str] = {}
        #: Finished executions of pipelines.
        self.records: list[PipelineRecord] = []

    def client(self, service: str, environment: str = "dev") -> Any:
        """Return a client in the account of an environment."""
        return make_client(service, REGION, self.sandbox.endpoint, ACCOUNTS[environment])

    def read_parameter(self, name: str) -> dict[str, Any]:
        """Return the JSON object in an SSM parameter of dev."""
        value: dict[str, Any] = json.loads(self.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
        return value

    def read_parquet(self, address: str) -> "Iterator[DataFrame]":
        """Yield the Parquet files below an address of dev."""
        import pandas as pd

        s3, (bucket, prefix) = self.client("s3"), S3Uri.parse(address)
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for key in (item["Key"] for page in pages for item in page.get("Contents", [])):
            if key.endswith(".parquet"):
                yield pd.read_parquet(BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))

    def create_state_bucket(self, environment: str, bucket: str) -> None:
        """Create the bucket of an environment's state; the module bootstrap creates it on AWS."""
        self.client("s3", environment).create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
        )

    def delete_state_bucket(self, environment: str, bucket: str) -> None:
        """Delete the bucket of an environment's state, which Terraform does not manage."""
        s3 = self.client("s3", environment)
        for item in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=item["Key"])
        s3.delete_bucket(Bucket=bucket)

    def follow(self, record: PipelineRecord, step: Step, until: str | None = None) -> PipelineRecord:
        """Return the record once the step `until`, or the execution, has ended. Raises UserError if it failed."""
        sagemaker = self.client("sagemaker")
        while True:
            record = execution.refresh_execution(record, sagemaker)
            if record.is_ended or any(one.name == until and one.ended_at for one in record.steps):
                break
            running = [one for one in record.steps if not one.ended_at]
            step.show(", ".join(f"{one.name}: {format_status(one)}" for one in running))
            time.sleep(POLL_INTERVAL)
        if record.is_ended:
            path = write_record(record, OUT).relative_to(ROOT)
            if record.status != SUCCEEDED:
                why = f"{record.status}: {record.failure_reason}; see {path}"
                raise UserError(f"execution {record.execution} of {record.pipeline}: {why}")
            self.records.append(record)
        return record


def find_step(record: PipelineRecord, name: str) -> PipelineStepRecord:
    """Return a step of an execution by its name."""
    (step,) = (one for one in record.steps if one.name == name)
    return step


def find_job(step: PipelineStepRecord) -> RunRecord:
    """Return the job of a step. Raises UserError if it ran none."""
    if step.job is None:
        raise UserError(f"step {step.name} ran no job: {step.status} {step.reason or ''}")
    return step.job


def format_usage(step: PipelineStepRecord) -> str:
    """Return the estimated carbon and cost of a step's job on SageMaker."""
    figures = find_job(step).figures
    return ", ".join(f"{figures[name].value:.2g} {figures[name].unit}" for name in ("co2e_operational", "cost"))


def format_status(step: PipelineStepRecord) -> str:
    """Return the status of a step, or the status of its job."""
    return step.status if step.job is None else step.job.secondary_status or step.job.status
