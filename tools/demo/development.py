"""First chapter: dev prepares, trains, evaluates and registers a model, and a person approves it."""

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.steps import Step
from sustainable_mlops.base.terraform import ROOT, Progress, Terraform
from sustainable_mlops.jobs import register
from sustainable_mlops.jobs.pipelines import execution, launch
from sustainable_mlops.jobs.pipelines.parameters import INPUT_KEY
from sustainable_mlops.jobs.pipelines.record import PipelineRecord, PipelineStepRecord, write_record
from tools.demo.demo_run import (
    OUT,
    PIPELINE,
    POLL_INTERVAL,
    RAW,
    WORKLOAD,
    DemoRun,
    find_job,
    find_step,
    format_usage,
)
from tools.demo.environments import build_settings, find_folder, write_environments

if TYPE_CHECKING:
    from pandas import DataFrame

GROUP = "flights"
PLATFORM = "/sustainable-mlops/dev/platform"
FEATURE_GROUP = f"/sustainable-mlops/dev/feature_groups/{GROUP}"
#: Records for the feature group. All 336,776 would take minutes, one PutRecord each.
RECORDS = 2_000
#: Steps of the pipeline that run a job, in order.
JOBS = ("Prepare", "Train", "Evaluate")
INTERRUPT_AFTER_CHECKPOINTS = 4
#: Start of the address of the alias, which follows the key of the environment.
KEY_ALIAS = "module.storage.aws_kms_alias.this"
#: Seconds within which an event must start the pipeline; it usually takes one.
EVENT_TIMEOUT = 900


class DevEnvironment:
    """The environment dev, its pipeline and its registry."""

    applied: "Future[Progress]"
    platform: dict[str, Any]
    held_out: "DataFrame"
    record: PipelineRecord
    #: ARN of the last execution of the pipeline. An event may start the next one before the demo waits for it.
    _last_execution: str

    def __init__(self, demo_run: DemoRun) -> None:
        self._demo_run = demo_run
        self.terraform = Terraform(find_folder("dev"), demo_run.sandbox.environment)
        self.bucket = build_settings("dev")["state"]["bucket"]

    def write(self) -> None:
        """Write the raw files, and the HCL of both environments."""
        with self._demo_run.step("Write 336,776 flights; synthesize HCL") as this:
            raw_files = self._demo_run.pool.submit(write_raw_files)
            write_environments("dev", "staging")
            this.result = raw_files.result()

    def apply(self, on_key: Callable[[str], None]) -> None:
        """Apply until the environment has published the platform parameter.

        Calls `on_key` with the ARN of the environment's key as soon as the key exists.
        """
        with self._demo_run.step("Apply dev") as this:
            self._demo_run.create_state_bucket("dev", self.bucket)
            self.terraform.init("-reconfigure")
            self.applied = self._apply_until_published(this, on_key)

    def run_pipeline(self) -> None:
        """Run the pipeline on the raw files, with one interruption of the training."""
        import pandas as pd

        with self._demo_run.step("Start the pipeline") as this:
            self._demo_run.sandbox.fault(
                "CreateTrainingJob",
                error="SpotInterruption",
                after_checkpoints=INTERRUPT_AFTER_CHECKPOINTS,
                resource="pipelines-",
            )
            prepared = launch.prepare(PIPELINE, data=RAW)
            record = launch.start_execution(prepared)
            self.raw = prepared.parameters[INPUT_KEY]
            this.result = f"{record.pipeline}, data in {self.raw}, named by its digest"
        steps: dict[str, Callable[[PipelineStepRecord], str]] = {
            "Prepare the flights": self._report_preparation,
            "Train on spot, with one interruption": self._report_training,
            "Evaluate on held-out flights": format_usage,
        }
        for name, (title, report) in zip(JOBS, steps.items(), strict=True):
            with self._demo_run.step(title) as this:
                record = self._demo_run.follow(record, this, until=name)
                this.result = report(find_step(record, name))
        with self._demo_run.step("Pass the gate and register") as this:
            record = self._demo_run.follow(record, this)
            if record.model_package is None:
                raise UserError(f"execution {record.execution} of {record.pipeline} registered no model")
            this.result = f"{record.model_package.rpartition(':')[2]}, pending"
        self.record, self._last_execution = record, record.execution_arn
        self.held_out = pd.concat(self._demo_run.read_parquet(self._test), ignore_index=True)
        self._demo_run.figures["Record of the execution"] = str(write_record(record, OUT).relative_to(ROOT))

    def put_records(self) -> str:
        """Put flights into the feature group, and return their number. Raises UserError if some are not stored."""
        from workloads.flight_delay import prepare

        group = self._demo_run.read_parameter(FEATURE_GROUP)
        store = self._demo_run.client("sagemaker-featurestore-runtime")
        records = list(prepare.make_feature_records(self.held_out.tail(RECORDS)))
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(lambda record: store.put_record(FeatureGroupName=group["name"], Record=record), records))
        stored = sum(len(frame) for frame in self._demo_run.read_parquet(group["offline_s3_uri"]))
        if stored != len(records):
            raise UserError(f"feature group {group['name']}: {len(records)} records put, {stored} are stored")
        return f"{len(records):,} records, all in the offline store"

    def approve(self) -> str:
        """Approve the model, and return the ARN of its package."""
        with self._demo_run.step("Approve the model") as this:
            pending = register.ModelPackage(str(self.record.model_package), register.PENDING, is_new=True)
            reason = "AUC on held-out flights, see its evaluation"
            package = register.approve(pending, reason, self._demo_run.client("sagemaker"))
            this.result = package.arn.rpartition(":")[2]
        return package.arn

    def deliver_again(self) -> None:
        """Deliver the same data again. Its event starts the pipeline, every step hits the cache, and no job runs."""
        with self._demo_run.step("The same data arrives again") as this:
            self._demo_run.client("s3").put_object(Bucket=self.platform["buckets"]["data"], Key=self.raw)
            record = self._demo_run.follow(self.wait_for_start(), this)
            names = [one.name for one in record.steps if one.ran_job]
            if names:
                raise UserError(f"execution {record.execution} of {record.pipeline} ran again: {', '.join(names)}")
            saved = record.saved["co2e_operational"]
            self._demo_run.figures["Jobs that ran when the same data arrived again"] = str(len(names))
            this.result = (
                f"the event starts the pipeline; 0 of {len(JOBS)} jobs run, {saved.value:.2g} {saved.unit} saved"
            )

    def wait_for_start(self) -> PipelineRecord:
        """Return the record of the execution after the last one, which an event starts. Raises UserError."""
        deadline = time.monotonic() + EVENT_TIMEOUT
        while True:
            record, _ = execution.load_execution(PIPELINE, None)
            if record.execution_arn != self._last_execution:
                self._last_execution = record.execution_arn
                return record
            if time.monotonic() > deadline:
                raise UserError(f"{record.pipeline}: no event started it within {EVENT_TIMEOUT} s")
            time.sleep(POLL_INTERVAL)

    def _apply_until_published(self, step: Step, on_key: Callable[[str], None]) -> "Future[Progress]":
        """Start to apply, and return as soon as the environment has published the platform parameter."""
        published, missing = Event(), {"aws_ssm_parameter.platform", f'aws_ssm_parameter.feature_groups["{GROUP}"]'}

        def progress(at: Progress) -> None:
            step.show(str(at))
            step.result = f"{at}, the platform parameter is published"
            if at.address.startswith(KEY_ALIAS):
                key = self._demo_run.client("kms").describe_key(KeyId="alias/smlops-dev")
                on_key(key["KeyMetadata"]["Arn"])
            missing.discard(at.address)
            if not missing:
                published.set()

        applied = self._demo_run.pool.submit(self.terraform.apply, progress=progress)
        applied.add_done_callback(lambda _: published.set())
        published.wait()
        if applied.done():
            applied.result()
        self.platform = self._demo_run.read_parameter(PLATFORM)
        return applied

    def _report_preparation(self, step: PipelineStepRecord) -> str:
        name = find_job(step).job_name
        description = self._demo_run.client("sagemaker").describe_processing_job(ProcessingJobName=name)
        outputs = description["ProcessingOutputConfig"]["Outputs"]
        (self._test,) = (one["S3Output"]["S3Uri"] for one in outputs if one["OutputName"] == "test")
        return format_usage(step)

    def _report_training(self, step: PipelineStepRecord) -> str:
        job = find_job(step)
        if job.interruptions != 1:
            raise UserError(f"training job {job.job_name} was interrupted {job.interruptions} times, not once")
        redone = int(job.metrics["rounds_redone"])
        self._demo_run.figures["Rounds redone after the interruption"] = str(redone)
        return f"interrupted once, {redone} rounds redone, test:auc {job.metrics['test:auc']:.3f}"


def write_raw_files() -> str:
    """Write the raw files as a data provider would, and return their number and size."""
    command = [sys.executable, str(WORKLOAD / "raw.py"), "--out", str(RAW)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        raise UserError(process.stderr.strip())
    files = [path for path in RAW.rglob("*") if path.is_file()]
    return f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB"
