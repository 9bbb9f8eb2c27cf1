"""Execution of one SageMaker job of any kind as local processes: prepare, run, check limits, upload, report."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagemaker_sandbox.jobs.runtime import mounting
from sagemaker_sandbox.jobs.runtime.clock import JobClock
from sagemaker_sandbox.jobs.runtime.job_definition import (
    REASON_CHARACTERS,
    JobContext,
    JobDefinition,
    JobOutput,
    JobUnit,
)
from sagemaker_sandbox.jobs.runtime.job_endings import Cause, Ending, EndRequests, Timing
from sagemaker_sandbox.jobs.runtime.job_log import CloudWatchMetrics, JobLog, LogMetrics
from sagemaker_sandbox.jobs.runtime.reporting import JobUpdate, Reporter
from sagemaker_sandbox.jobs.runtime.s3 import S3
from sagemaker_sandbox.jobs.runtime.utilization import Utilization
from sustainable_mlops.base.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class CapacityError(Exception):
    """No instances are available. A fault hook raises it. The default message is SageMaker's."""

    def __init__(
        self,
        message: str = "Unable to provision requested ML compute capacity. Please retry using a different ML instance "
        "type or after some time.",
    ) -> None:
        super().__init__(message)


class InternalServerError(Exception):
    """SageMaker itself fails. A fault hook raises it. A RetryStrategy retries only this error."""

    def __init__(self, message: str = "We encountered an internal error. Please try again.") -> None:
        super().__init__(message)


_TRAINING_MESSAGE = "Training image download completed. Training in progress."


class ContainerJob:
    """One job. The thread of the job calls `report` with each `JobUpdate`; the last one is final.

    `folder` belongs to the job. It holds the log, `log.txt`, and a folder for each container: `algo-1` and so on.

    With `logs` (a CloudWatch Logs client) each instance also has a log stream. With `cloudwatch`, metrics and
    utilization are published under the name of the log group.

    `interrupted` is called while a managed spot job trains, with the number of files that its instances have uploaded.
    True removes these instances, and the job continues on others.

    `faults`, if given, is called at the start of the phases Starting, Downloading and Training. It may raise
    CapacityError (Starting) or InternalServerError.

    Instances start after `start_delay` seconds at the earliest. `mounted` states if /opt/ml is mounted; by default
    `mounting` finds out. `access` returns variables with the credentials of the role; it is called in the thread of the
    job.
    """

    def __init__(
        self,
        definition: JobDefinition[Any],
        folder: Path,
        s3: S3Client,
        report: Callable[[JobUpdate], None],
        *,
        logs: Any = None,
        cloudwatch: Any = None,
        interrupted: Callable[[int], bool] | None = None,
        faults: Callable[[str], None] | None = None,
        start_delay: float = 0.0,
        timing: Timing | None = None,
        mounted: bool | None = None,
        access: Callable[[], Mapping[str, str]] | None = None,
    ) -> None:
        self._definition = definition
        self._folder = folder.resolve()
        self._s3 = S3(s3)
        self._logs = logs
        self._cloudwatch = cloudwatch
        self._interrupted = interrupted if definition.is_spot else None
        self._faults = faults or (lambda _phase: None)
        self._start_delay = start_delay
        self._timing = timing or Timing()
        self._mounted = mounted
        self._access = access or dict[str, str]
        self._end_requests = EndRequests()
        self._utilization = Utilization(cloudwatch, definition.log_group, definition.name)
        self._clock = JobClock(spot=definition.is_spot)
        self._units: Sequence[JobUnit] = ()
        self._reporter = Reporter(report, LogMetrics([]), self._clock)
        self._thread = threading.Thread(target=self._run, name=f"{definition.noun} {definition.name}", daemon=True)

    @property
    def pids(self) -> list[int]:
        """Process IDs of the programs, by instance."""
        return [pid for unit in self._units for pid in unit.pids]

    @property
    def history(self) -> dict[str, list[float]]:
        """All values of each metric so far, in order."""
        return {name: list(values) for name, values in list(self._reporter.metrics.history.items())}

    def start(self) -> None:
        """Start the job and return immediately."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the job as StopTrainingJob does, and return immediately.

        The containers receive SIGTERM, and SIGKILL after the grace period. Results are uploaded; the status is Stopped.
        """
        self._end_requests.request_end(Cause.STOP)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end of the job, at most `timeout` seconds. Return whether it has ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def close(self) -> None:
        """Kill the processes now and wait until they have ended. The job is reported as Failed."""
        self._end_requests.request_end(Cause.CLOSE)
        if self._thread.ident is not None:
            self._thread.join()

    # The methods below run in the thread of the job.

    def _run(self) -> None:
        self._report("InProgress", "Starting", f"Starting the {self._definition.noun}")
        try:
            self._reporter.metrics = LogMetrics(self._definition.metrics)
            self._definition.check()
            log = JobLog(self._folder / "log.txt", self._reporter.metrics, self._build_metrics())
            mounted = mounting.is_opt_ml_mounted() if self._mounted is None else self._mounted
            try:
                context = JobContext(self._folder, self._s3, log, mounted, self._access())
                self._finish(self._run_attempts(context), context)
            finally:
                log.close()
        except UserError as error:
            self._fail(f"ClientError: {error}")
        except CapacityError as error:
            self._fail(f"CapacityError: {error}")
        except InternalServerError as error:
            self._fail(f"InternalServerError: {error}")
        except Exception as error:  # otherwise nothing would report the end of the job
            traceback.print_exc()
            self._fail(f"InternalServerError: {type(error).__name__}: {error}")

    def _build_metrics(self) -> CloudWatchMetrics | None:
        """Return the CloudWatch metrics, named as TrainingJobAnalytics of the SageMaker SDK expects.

        Only training jobs define metrics.
        """
        if self._cloudwatch is None:
            return None
        return CloudWatchMetrics(
            self._cloudwatch, self._definition.log_group, {"TrainingJobName": self._definition.name}
        )

    def _run_attempts(self, context: JobContext) -> Ending:
        """Run attempts until one is neither interrupted nor retried."""
        cause, remaining_retries = self._wait(self._start_delay), self._definition.limits.retries
        if cause is not Cause.EXIT:
            return Ending(cause)
        while True:
            self._report("InProgress", "Starting", "Preparing the instances for training")
            cause = self._wait_for_instances()
            if cause is not Cause.EXIT:
                return Ending(cause)
            try:
                ending = self._run_attempt(context)
            except InternalServerError:
                if remaining_retries == 0:
                    raise
                remaining_retries -= 1
            else:
                if ending.cause is not Cause.INTERRUPTION:
                    return ending
                self._report("InProgress", "Interrupted", "The managed spot training instances were interrupted")
            self._clock.stop()
            self._units = ()
            cause = self._wait(self._timing.capacity_wait)
            if cause is not Cause.EXIT:
                return Ending(cause)

    def _wait_for_instances(self) -> Cause:
        since = time.monotonic()
        while True:
            try:
                self._faults("Starting")
            except CapacityError:
                if time.monotonic() - since >= self._definition.limits.pending:
                    raise
                self._report("InProgress", "Pending", "Waiting for compute capacity")
                cause = self._wait(self._timing.capacity_wait)
                if cause is not Cause.EXIT:
                    return cause
            else:
                return Cause.EXIT

    def _wait(self, seconds: float) -> Cause:
        """Wait for instances. Return a cause to end the job, or EXIT."""
        deadline = time.monotonic() + seconds
        while (remaining := deadline - time.monotonic()) > 0:
            self._end_requests.wait(min(remaining, self._timing.poll))
            cause = max(self._end_requests.strongest_cause, self._check_limits())
            if cause > Cause.INTERRUPTION:
                return cause
        return Cause.EXIT

    def _run_attempt(self, context: JobContext) -> Ending:
        self._clock.start()
        self._report("InProgress", "Downloading", "Downloading the training image and input data")
        self._faults("Downloading")
        self._open_streams(context.log)
        units = self._definition.create_units(context)
        for number, unit in enumerate(units, 1):
            unit.prepare()
            self._units = units[:number]  # a unit without a disk has nothing to upload
            if self._end_requests.strongest_cause > Cause.INTERRUPTION:
                return Ending(self._end_requests.strongest_cause)
        self._report("InProgress", "Training", _TRAINING_MESSAGE)
        self._faults("Training")
        return self._run_units(context.log)

    def _open_streams(self, log: JobLog) -> None:
        if self._logs is not None:
            now = time.time_ns() // 1_000_000
            names = [f"algo-{number}" for number in range(1, self._definition.host_count + 1)]
            log.open_streams(
                self._logs,
                self._definition.log_group,
                {name: f"{self._definition.name}/{name}-{now}" for name in names},
            )

    def _run_units(self, log: JobLog) -> Ending:
        """Run the units until all have ended, one has failed, or an end is requested."""
        cause, failing = Cause.EXIT, None
        try:
            for unit in self._units:
                unit.start(self._end_requests.wake)
            while cause is Cause.EXIT and self._is_running():
                self._end_requests.wait(self._timing.poll)
                self._sync_units(log, cause)
                if self._is_running():
                    cause = max(self._end_requests.strongest_cause, self._check_limits())
            failing = next((unit for unit in self._units if unit.poll()), None)
            if cause is not Cause.EXIT:
                self._terminate(log, cause)
        finally:
            codes = {unit: unit.close() for unit in self._units}
        log.flush()
        if cause is not Cause.EXIT:
            return Ending(max(cause, self._end_requests.strongest_cause))
        return Ending(cause, failing.describe_failure(codes[failing], log) if failing is not None else None)

    def _is_running(self) -> bool:
        """Return True while a unit runs and none has failed. A failed unit ends the others."""
        codes = [unit.poll() for unit in self._units]
        return None in codes and not any(codes)

    def _terminate(self, log: JobLog, cause: Cause) -> None:
        """Send SIGTERM and wait for the grace period. `close` kills the remaining processes."""
        self._report_progress(cause)
        grace = self._timing.interruption_grace if cause is Cause.INTERRUPTION else self._timing.stop_grace
        deadline = time.monotonic() + grace
        for unit in self._units:
            unit.terminate()
        while (
            any(unit.poll() is None for unit in self._units) and self._end_requests.strongest_cause is not Cause.CLOSE
        ):
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                break
            self._end_requests.wait(min(remaining, self._timing.poll))
            self._sync_units(log, cause)

    def _sync_units(self, log: JobLog, cause: Cause) -> None:
        for unit in self._units:
            unit.sync()
        log.flush()
        self._utilization.publish({f"algo-{number}": unit.pids for number, unit in enumerate(self._units, 1)})
        self._report_progress(cause)

    def _check_limits(self) -> Cause:
        limits = self._definition.limits
        if self._clock.elapsed_seconds > limits.wait:
            return Cause.MAX_WAIT
        if self._clock.held_seconds > limits.runtime:
            return Cause.MAX_RUNTIME
        interrupted = self._interrupted if self._units else None
        if interrupted is not None and interrupted(sum(unit.uploads for unit in self._units)):
            return Cause.INTERRUPTION
        return Cause.EXIT

    def _report_progress(self, cause: Cause) -> None:
        """Report new metrics, or that the containers are stopping."""
        is_stopping = cause > Cause.INTERRUPTION and cause is not Cause.CLOSE
        if not self._reporter.has_changed("Stopping" if is_stopping else "Training"):
            return
        if is_stopping:
            self._report("Stopping", "Stopping", f"Stopping the {self._definition.noun}")
        else:
            self._report("InProgress", "Training", _TRAINING_MESSAGE)

    def _finish(self, ending: Ending, context: JobContext) -> None:
        definition, noun = self._definition, self._definition.noun.capitalize()
        if ending.cause is Cause.CLOSE:
            self._fail("InternalServerError: the sandbox was closed while the job ran; start the job again")
            return
        if ending.failure_reason is not None:
            self._fail(ending.failure_reason, definition.upload(context, self._units, ending))
            return
        self._report(
            "InProgress" if ending.is_completed else "Stopping", "Uploading", "Uploading generated training model"
        )
        outcome = definition.upload(context, self._units, ending)
        self._clock.stop()
        status, secondary, message = {
            Cause.EXIT: ("Completed", "Completed", f"{noun} completed"),
            Cause.STOP: ("Stopped", "Stopped", f"{noun} stopped"),
            Cause.MAX_RUNTIME: (
                "Stopped",
                "MaxRuntimeExceeded",
                f"{noun} runtime exceeded MaxRuntimeInSeconds provided",
            ),
            Cause.MAX_WAIT: (
                "Stopped",
                "MaxWaitTimeExceeded",
                f"{noun} wait time exceeded MaxWaitTimeInSeconds provided",
            ),
        }[ending.cause]
        self._reporter.report(status, secondary, message, outcome=outcome)

    def _fail(self, reason: str, outcome: JobOutput | None = None) -> None:
        self._clock.stop()
        message = f"{self._definition.noun.capitalize()} failed"
        self._reporter.report("Failed", "Failed", message, reason[:REASON_CHARACTERS], outcome=outcome)

    def _report(self, status: str, secondary_status: str, message: str) -> None:
        """Report an active job. Its status is Stopping once a stop is requested."""
        is_stop_requested = self._end_requests.strongest_cause is Cause.STOP
        self._reporter.report("Stopping" if is_stop_requested else status, secondary_status, message)
