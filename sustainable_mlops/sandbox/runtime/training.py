"""Runs one SageMaker training job as a local process, from CreateTrainingJob request to model.tar.gz in S3."""

from __future__ import annotations

import math
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.errors import UserError
from sustainable_mlops.sandbox.runtime import archives, channels
from sustainable_mlops.sandbox.runtime.instance import Cause, Ending, Instance, Requests, Timing
from sustainable_mlops.sandbox.runtime.job_log import LOG_GROUP, CloudWatchStream, JobLog, Metrics
from sustainable_mlops.sandbox.runtime.s3 import S3, failure
from sustainable_mlops.sandbox.runtime.script_mode import HOST, REASON_CHARACTERS, JobFolder

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["Timing", "TrainingRun", "TrainingUpdate"]

_IN_TRAINING = "Training image download completed. Training in progress."
_STOPPED = {
    Cause.STOP: ("Stopped", "Training job stopped"),
    Cause.MAX_RUNTIME: ("MaxRuntimeExceeded", "Training job runtime exceeded MaxRuntimeInSeconds provided"),
    Cause.MAX_WAIT: ("MaxWaitTimeExceeded", "Training job wait time exceeded MaxWaitTimeInSeconds provided"),
}


@dataclass(frozen=True)
class TrainingUpdate:
    """News of a job: a transition of its (secondary) status, or new metrics under the same one.

    `metrics` holds each metric's last value. Seconds are whole, rounded up, and given once the job has ended:
    `training_seconds` from the first instance's start to the end, `billable_seconds` without the waiting in between.
    """

    time: datetime
    status: str
    secondary_status: str
    message: str
    failure_reason: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    model_artifacts: str | None = None
    training_seconds: int | None = None
    billable_seconds: int | None = None


class TrainingRun:
    """One training job. `report` is called from the job's thread with each `TrainingUpdate`, the last one final.

    `request` is a valid CreateTrainingJob request. `folder` belongs to the job: it is emptied at each start and stands
    for /opt/ml; the log is `folder/output/log.txt`, and with `logs` (a CloudWatch Logs client) also a log stream for
    each instance. With `interrupt_after_checkpoints`, a managed spot job is interrupted once, as soon as that many
    checkpoint files have been uploaded; other jobs never are.
    """

    def __init__(
        self,
        request: Mapping[str, Any],
        folder: Path,
        s3: S3Client,
        report: Callable[[TrainingUpdate], None],
        *,
        logs: Any = None,
        interrupt_after_checkpoints: int | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._request = request
        self._name: str = request["TrainingJobName"]
        self._folder = JobFolder(folder.resolve())
        self._s3 = S3(s3)
        self._report = report
        self._logs = logs
        self._spot = bool(request.get("EnableManagedSpotTraining"))
        self._interrupt_after = interrupt_after_checkpoints if self._spot else None
        self._timing = timing or Timing()
        self._requests = Requests()
        self._clock = _Clock()
        self._instance: Instance | None = None
        self._metrics = Metrics([])
        self._reported: tuple[str, dict[str, float]] = ("", {})
        self._thread = threading.Thread(target=self._run, name=f"training-job {self._name}", daemon=True)

    @property
    def pid(self) -> int | None:
        """Process id of the running script."""
        return self._instance.pid if self._instance else None

    def start(self) -> None:
        """Start the job and return at once."""
        self._thread.start()

    def stop(self) -> None:
        """StopTrainingJob: SIGTERM, SIGKILL after the grace, artefacts uploaded, Stopped. Returns at once."""
        self._requests.ask(Cause.STOP)

    def interrupt(self) -> None:
        """Take the spot instance away; the job goes on with another, from the checkpoints in S3. Returns at once.

        Raises UserError if the job does not use managed spot training.
        """
        if not self._spot:
            raise UserError(f"training job {self._name}: EnableManagedSpotTraining is off, only spot is interrupted")
        self._requests.ask(Cause.INTERRUPTION)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end of the job, at most `timeout` seconds; True if it has ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def close(self) -> None:
        """Kill the script now; the job is reported as Failed. Returns when its process and thread are gone."""
        self._requests.ask(Cause.CLOSE)
        if self._thread.ident is not None:
            self._thread.join()

    # What follows runs in the job's thread.

    def _run(self) -> None:
        self._tell("InProgress", "Starting", "Starting the training job")
        try:
            self._metrics = Metrics(self._request["AlgorithmSpecification"].get("MetricDefinitions", []))
            self._check()
            log = JobLog(self._folder.log, self._metrics)
            try:
                self._finish(self._train(log), log)
            finally:
                log.close()
        except UserError as error:
            self._fail(f"ClientError: {error}")
        except Exception as error:  # the thread's last line: nobody else would say that the job is over
            traceback.print_exc()
            self._fail(f"InternalServerError: {type(error).__name__}: {error}")

    def _check(self) -> None:
        """Raises UserError for what only real SageMaker can run."""
        count = self._request["ResourceConfig"].get("InstanceCount", 1)
        if count != 1:
            raise UserError(f"ResourceConfig.InstanceCount: the sandbox runs one instance, not {count}")
        if self._request["AlgorithmSpecification"]["TrainingInputMode"] == "Pipe":
            raise UserError("AlgorithmSpecification.TrainingInputMode: Pipe does not run in the sandbox; use File")
        output = self._request["OutputDataConfig"]
        if output.get("CompressionType", "GZIP") != "GZIP":
            raise UserError("OutputDataConfig.CompressionType: the sandbox writes GZIP only")
        S3Uri.parse(output["S3OutputPath"], "OutputDataConfig.S3OutputPath")
        for channel in self._request.get("InputDataConfig", []):
            channels.check(channel)

    def _train(self, log: JobLog) -> Ending:
        """Instance after instance until one is not interrupted."""
        while True:
            self._tell("InProgress", "Starting", "Preparing the instances for training")
            if self._logs is not None:
                log.stream = CloudWatchStream(
                    self._logs, LOG_GROUP, f"{self._name}/{HOST}-{time.time_ns() // 1_000_000}"
                )
            ending = self._use_instance(Instance(self._request, self._folder, self._s3, log, self._timing))
            if ending.cause is not Cause.INTERRUPTION:
                return ending
            self._clock.stop()
            self._requests.done(Cause.INTERRUPTION)
            self._tell("InProgress", "Interrupted", "The managed spot training instances were interrupted")
            cause = self._wait_for_capacity()
            if cause is not Cause.EXIT:
                return Ending(cause, 0, "")

    def _use_instance(self, instance: Instance) -> Ending:
        self._instance = instance
        self._clock.start()
        self._tell("InProgress", "Downloading", "Downloading the training image and input data")
        instance.prepare()
        if self._requests.asked > Cause.INTERRUPTION:
            return Ending(self._requests.asked, 0, "")
        self._tell("InProgress", "Training", _IN_TRAINING)
        return instance.run(self._requests, self._limit, self._progress)

    def _wait_for_capacity(self) -> Cause:
        until = time.monotonic() + self._timing.capacity_wait
        while (left := until - time.monotonic()) > 0:
            self._requests.wait(min(left, self._timing.poll))
            cause = max(self._requests.asked, self._limit())
            if cause > Cause.INTERRUPTION:
                return cause
        return Cause.EXIT

    def _limit(self) -> Cause:
        condition = self._request["StoppingCondition"]
        if self._spot and self._clock.waited > condition.get("MaxWaitTimeInSeconds", math.inf):
            return Cause.MAX_WAIT
        if self._clock.billable > condition.get("MaxRuntimeInSeconds", math.inf):
            return Cause.MAX_RUNTIME
        uploads = self._instance.checkpoint_uploads if self._instance else 0
        if self._interrupt_after is not None and uploads >= self._interrupt_after:
            self._interrupt_after = None
            return Cause.INTERRUPTION
        return Cause.EXIT

    def _progress(self, cause: Cause) -> None:
        """Report what is new: metrics, or that the script is being stopped."""
        stopping = cause in _STOPPED
        if (("Stopping" if stopping else "Training"), self._metrics.values) == self._reported:
            return
        if stopping:
            self._tell("Stopping", "Stopping", "Stopping the training job")
        else:
            self._tell("InProgress", "Training", _IN_TRAINING)

    def _finish(self, ending: Ending, log: JobLog) -> None:
        if ending.cause is Cause.CLOSE:
            self._fail("InternalServerError: the sandbox was closed while the job ran; start the job again")
            return
        if ending.cause is Cause.EXIT and ending.return_code:
            self._folder.failure.write_text(ending.failure_reason)
            self._upload("output.tar.gz", self._folder.output_data, log)
            self._fail(ending.failure_reason)
            return
        stopped = _STOPPED.get(ending.cause)
        self._tell("Stopping" if stopped else "InProgress", "Uploading", "Uploading generated training model")
        model = self._upload("model.tar.gz", self._folder.model, log)
        self._upload("output.tar.gz", self._folder.output_data, log)
        status, (secondary, message) = "Stopped", stopped or ("", "")
        if stopped is None:
            status, secondary, message = "Completed", "Completed", "Training job completed"
        self._clock.stop()
        self._tell(status, secondary, message, model_artifacts=model, final=True)

    def _upload(self, name: str, folder: Path, log: JobLog) -> str | None:
        """Upload a folder as an archive and return its address; nothing is uploaded of an empty folder."""
        if not any(folder.iterdir()):
            log.write(f"Nothing was saved under {folder.name}: no {name} is uploaded to S3.")
            return None
        config = self._request["OutputDataConfig"]
        path = S3Uri.parse(config["S3OutputPath"], "OutputDataConfig.S3OutputPath")
        target = path / self._name / "output" / name
        with tempfile.TemporaryFile() as archive:
            archives.pack(folder, archive)
            archive.seek(0)
            with failure("Artifact upload", target):
                self._s3.upload(archive, target, config.get("KmsKeyId"))
        return str(target)

    def _fail(self, reason: str) -> None:
        self._clock.stop()
        self._tell("Failed", "Failed", "Training job failed", failure_reason=reason[:REASON_CHARACTERS], final=True)

    def _tell(
        self,
        status: str,
        secondary_status: str,
        message: str,
        *,
        failure_reason: str | None = None,
        model_artifacts: str | None = None,
        final: bool = False,
    ) -> None:
        if status == "InProgress" and self._requests.asked is Cause.STOP:
            status = "Stopping"
        metrics = dict(self._metrics.values)
        self._reported = (secondary_status, metrics)
        self._report(
            TrainingUpdate(
                time=datetime.now(UTC),
                status=status,
                secondary_status=secondary_status,
                message=message,
                failure_reason=failure_reason,
                metrics=metrics,
                model_artifacts=model_artifacts,
                training_seconds=_whole(self._clock.training) if final else None,
                billable_seconds=_whole(self._clock.billable) if final else None,
            )
        )


def _whole(seconds: float) -> int | None:
    """Whole seconds, at least 1 as in the API; None for a job that never had an instance."""
    return math.ceil(seconds) or None


class _Clock:
    """Times of a job in seconds, from the moment it is made."""

    def __init__(self) -> None:
        self._created = time.monotonic()
        self._first: float | None = None
        self._last = 0.0
        self._running_since: float | None = None
        self._past = 0.0

    def start(self) -> None:
        """An instance is there."""
        self._running_since = time.monotonic()
        if self._first is None:
            self._first = self._running_since

    def stop(self) -> None:
        """The instance is gone; again is harmless."""
        if self._running_since is not None:
            self._last = time.monotonic()
            self._past += self._last - self._running_since
            self._running_since = None

    @property
    def waited(self) -> float:
        """Since the job was made."""
        return time.monotonic() - self._created

    @property
    def billable(self) -> float:
        """With an instance."""
        running = time.monotonic() - self._running_since if self._running_since is not None else 0.0
        return self._past + running

    @property
    def training(self) -> float:
        """From the first instance's start to the last one's end."""
        return self._last - self._first if self._first is not None else 0.0
