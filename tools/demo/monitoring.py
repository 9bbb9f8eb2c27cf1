"""Third chapter: a batch that drifts from the training data starts the pipeline, which trains another model."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.pipelines import launch
from tools.demo.demo_run import OUT, WORKLOAD, DemoRun, find_step, format_usage
from tools.demo.development import JOBS, DevEnvironment
from tools.demo.environments import CURRENT

if TYPE_CHECKING:
    from pandas import DataFrame

BATCH = OUT / "batch"
#: Flights of a batch: those of the last days of the year.
FLIGHTS = 2_000
#: Sandbox seconds until the alarm has looked at the metric.
EVALUATION_SECONDS = 600


class Monitoring:
    """The drift check of dev, and the training that it starts."""

    def __init__(self, demo_run: DemoRun, development: DevEnvironment) -> None:
        self._demo_run = demo_run
        self._development = development

    def check_batch(self, held_out: "DataFrame") -> None:
        """Compare a batch of flights with the profile of the model."""
        with self._demo_run.step("Check a batch of December for drift") as this:
            self._copy_current_data()
            BATCH.mkdir(parents=True, exist_ok=True)
            held_out.tail(FLIGHTS).to_parquet(BATCH / "batch.parquet")
            profile = self._development.record.execution
            bucket = self._development.platform["buckets"]["artifacts"]
            overrides = {"Profile": f"s3://{bucket}/runs/flight-delay/{profile}/evaluation"}
            prepared = launch.prepare(WORKLOAD / "drift_pipeline.yaml", data=BATCH, overrides=overrides)
            record = self._demo_run.follow(launch.start_execution(prepared), this)
            columns = self._count_drifting_columns()
            if not columns:
                raise UserError("the batch does not drift: see drift.json of the execution")
            this.result = f"{columns} columns drift; {format_usage(find_step(record, 'Drift'))}"

    def train_again(self) -> None:
        """Wait until the alarm on drift starts the pipeline, and follow it."""
        with self._demo_run.step("The alarm starts the pipeline: train again") as this:
            self._demo_run.sandbox.advance(EVALUATION_SECONDS)
            record = self._demo_run.follow(self._development.wait_for_start(), this)
            names = [one.name for one in record.steps if one.ran_job]
            if names != list(JOBS) or record.model_package is None:
                raise UserError(f"execution {record.execution} of {record.pipeline} ran {', '.join(names) or 'no job'}")
            reason = str(record.parameters["StartReason"]).partition(":")[0]
            self._demo_run.figures["Reason of the second training"] = reason
            this.result = f"{record.model_package.rpartition(':')[2]}, pending; started because of: {reason}"

    def _copy_current_data(self) -> None:
        """Copy the delivered data to the key of the newest data set, which the alarm's executions read."""
        s3, bucket = self._demo_run.client("s3"), self._development.platform["buckets"]["data"]
        prefix = self._development.raw
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for item in (one for page in pages for one in page.get("Contents", []) if one["Key"] != prefix):
            target = CURRENT + item["Key"].removeprefix(prefix)
            s3.copy_object(Bucket=bucket, Key=target, CopySource={"Bucket": bucket, "Key": item["Key"]})

    def _count_drifting_columns(self) -> int:
        from workloads.flight_delay import drift

        now = datetime.now(UTC)
        points = self._demo_run.client("cloudwatch").get_metric_statistics(
            Namespace="smlops-dev/drift",
            MetricName=drift.DRIFTING_COLUMNS,
            Dimensions=[{"Name": "Workload", "Value": "flight-delay"}],
            StartTime=now - timedelta(hours=2),
            EndTime=now + timedelta(hours=2),
            Period=14_400,
            Statistics=["Maximum"],
        )["Datapoints"]
        return int(max((point["Maximum"] for point in points), default=0))
