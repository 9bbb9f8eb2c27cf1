"""Runs one SageMaker job as local processes, whatever its kind: prepare, run, watch limits, upload, report."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagemaker_sandbox.runtime import mounting
from sagemaker_sandbox.runtime.clock import JobClock
from sagemaker_sandbox.runtime.endings import Cause, Ending, EndRequests, Timing
from sagemaker_sandbox.runtime.job_definition import REASON_CHARACTERS, JobContext, JobDefinition, JobOutput, JobUnit
from sagemaker_sandbox.runtime.job_log import CloudWatchMetrics, JobLog, LogMetrics
from sagemaker_sandbox.runtime.reporting import JobUpdate, Reporter
from sagemaker_sandbox.runtime.s3 import S3
from sagemaker_sandbox.runtime.utilization import Utilization
from sustainable_mlops.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class CapacityError(Exception):
    """No instances are to be had: raised by a fault hook. The default words are SageMaker's."""

    def __init__(
        self,
        message: str = "Unable to provision requested ML compute capacity. Please retry using a different ML instance "
        "type or after some time.",
    ) -> None:
        super().__init__(message)


class InternalServerError(Exception):
    """SageMaker itself fails: raised by a fault hook. A RetryStrategy retries it, and nothing else."""

    def __init__(self, message: str = "We encountered an internal error. Please try again.") -> None:
        super().__init__(message)


_IN_TRAINING = "Training image download completed. Training in progress."


class ContainerJob:
    """One job. `report` is called from the job's thread with each `Update`, the last one final.

    `folder` belongs to the job: in it are the log, `log.txt`, and the folder of each instance's container, `algo-1` and
    so on; with `logs` (a CloudWatch Logs client) each instance has a log stream too, and with `cloudwatch` metrics, and
    how busy the instances are, are published under the group's name. `interrupted` is asked while a managed spot job
    trains, with the number of files that its present instances have uploaded: true takes these instances away, and the
    job goes on with others. `faults`, if given, is called at the start of the phases Starting, Downloading and
    Training, and may raise CapacityError (Starting) or InternalServerError. Instances come after `starts_after` seconds
    at the earliest.
    `mounted` says whether /opt/ml is real, as `mounting` finds it otherwise. `access`, asked in the job's thread, gives
    variables that lead the container's AWS clients to its role's credentials.
    """

    def __init__(
        self,
        work: JobDefinition[Any],
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
        self._work = work
        self._folder = folder.resolve()
        self._s3 = S3(s3)
        self._logs = logs
        self._cloudwatch = cloudwatch
        self._interrupted = interrupted if work.spot else None
        self._faults = faults or (lambda _phase: None)
        self._starts_after = start_delay
        self._timing = timing or Timing()
        self._mounted = mounted
        self._access = access or dict[str, str]
        self._requests = EndRequests()
        self._utilization = Utilization(cloudwatch, work.log_group, work.name)
        self._clock = JobClock(spot=work.spot)
        self._units: Sequence[JobUnit] = ()
        self._reporter = Reporter(report, LogMetrics([]), self._clock)
        self._thread = threading.Thread(target=self._run, name=f"{work.noun} {work.name}", daemon=True)

    @property
    def pids(self) -> list[int]:
        """Process ids of what runs, by instance."""
        return [pid for unit in self._units for pid in unit.pids]

    @property
    def history(self) -> dict[str, list[float]]:
        """Every value of each metric so far, in order; also once the job has ended."""
        return {name: list(values) for name, values in list(self._reporter.metrics.history.items())}

    def start(self) -> None:
        """Start the job and return at once."""
        self._thread.start()

    def stop(self) -> None:
        """SIGTERM, SIGKILL after the grace, what is due uploaded, Stopped. Returns at once."""
        self._requests.request_end(Cause.STOP)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end of the job, at most `timeout` seconds; True if it has ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def close(self) -> None:
        """Kill its processes now; the job is reported as Failed. Returns when processes and thread are gone."""
        self._requests.request_end(Cause.CLOSE)
        if self._thread.ident is not None:
            self._thread.join()

    # What follows runs in the job's thread.

    def _run(self) -> None:
        self._tell("InProgress", "Starting", f"Starting the {self._work.noun}")
        try:
            self._reporter.metrics = LogMetrics(self._work.metrics)
            self._work.check()
            log = JobLog(self._folder / "log.txt", self._reporter.metrics, self._published())
            mounted = mounting.is_opt_ml_mounted() if self._mounted is None else self._mounted
            try:
                setting = JobContext(self._folder, self._s3, log, mounted, self._access())
                self._finish(self._attempts(setting), setting)
            finally:
                log.close()
        except UserError as error:
            self._fail(f"ClientError: {error}")
        except CapacityError as error:
            self._fail(f"CapacityError: {error}")
        except InternalServerError as error:
            self._fail(f"InternalServerError: {error}")
        except Exception as error:  # the thread's last line: nobody else would say that the job is over
            traceback.print_exc()
            self._fail(f"InternalServerError: {type(error).__name__}: {error}")

    def _published(self) -> CloudWatchMetrics | None:
        """Named as the SageMaker SDK's TrainingJobAnalytics looks for them; only training jobs define any."""
        if self._cloudwatch is None:
            return None
        return CloudWatchMetrics(self._cloudwatch, self._work.log_group, {"TrainingJobName": self._work.name})

    def _attempts(self, setting: JobContext) -> Ending:
        """Instances after instances until none is interrupted, or fails for a reason that is retried."""
        cause, retries = self._rest(self._starts_after), self._work.limits.retries
        if cause is not Cause.EXIT:
            return Ending(cause)
        while True:
            self._tell("InProgress", "Starting", "Preparing the instances for training")
            cause = self._wait_for_instances()
            if cause is not Cause.EXIT:
                return Ending(cause)
            try:
                ending = self._attempt(setting)
            except InternalServerError:
                if retries == 0:
                    raise
                retries -= 1
            else:
                if ending.cause is not Cause.INTERRUPTION:
                    return ending
                self._tell("InProgress", "Interrupted", "The managed spot training instances were interrupted")
            self._clock.stop()
            self._units = ()
            cause = self._rest(self._timing.capacity_wait)
            if cause is not Cause.EXIT:
                return Ending(cause)

    def _wait_for_instances(self) -> Cause:
        since = time.monotonic()
        while True:
            try:
                self._faults("Starting")
            except CapacityError:
                if time.monotonic() - since >= self._work.limits.pending:
                    raise
                self._tell("InProgress", "Pending", "Waiting for compute capacity")
                cause = self._rest(self._timing.capacity_wait)
                if cause is not Cause.EXIT:
                    return cause
            else:
                return Cause.EXIT

    def _rest(self, seconds: float) -> Cause:
        """Wait for instances; why the job is to end instead, if it is."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._requests.wait(min(left, self._timing.poll))
            cause = max(self._requests.strongest_cause, self._limit())
            if cause > Cause.INTERRUPTION:
                return cause
        return Cause.EXIT

    def _attempt(self, setting: JobContext) -> Ending:
        self._clock.start()
        self._tell("InProgress", "Downloading", "Downloading the training image and input data")
        self._faults("Downloading")
        self._open_streams(setting.log)
        units = self._work.create_units(setting)
        for number, unit in enumerate(units, 1):
            unit.prepare()
            self._units = units[:number]  # what has no disk yet has nothing to upload
            if self._requests.strongest_cause > Cause.INTERRUPTION:
                return Ending(self._requests.strongest_cause)
        self._tell("InProgress", "Training", _IN_TRAINING)
        self._faults("Training")
        return self._watch(setting.log)

    def _open_streams(self, log: JobLog) -> None:
        if self._logs is not None:
            now = time.time_ns() // 1_000_000
            names = [f"algo-{number}" for number in range(1, self._work.host_count + 1)]
            log.open_streams(
                self._logs, self._work.log_group, {name: f"{self._work.name}/{name}-{now}" for name in names}
            )

    def _watch(self, log: JobLog) -> Ending:
        """Run the units until all have ended or one has failed, or until their end is asked for."""
        cause, failing = Cause.EXIT, None
        try:
            for unit in self._units:
                unit.start(self._requests.wake)
            while cause is Cause.EXIT and self._running():
                self._requests.wait(self._timing.poll)
                self._look_around(log, cause)
                if self._running():
                    cause = max(self._requests.strongest_cause, self._limit())
            failing = next((unit for unit in self._units if unit.poll()), None)
            if cause is not Cause.EXIT:
                self._terminate(log, cause)
        finally:
            codes = {unit: unit.close() for unit in self._units}
        log.flush()
        if cause is not Cause.EXIT:
            return Ending(max(cause, self._requests.strongest_cause))
        return Ending(cause, failing.failure_reason(codes[failing], log) if failing is not None else None)

    def _running(self) -> bool:
        """Whether there is something to wait for: one that failed ends the others."""
        codes = [unit.poll() for unit in self._units]
        return None in codes and not any(codes)

    def _terminate(self, log: JobLog, cause: Cause) -> None:
        """SIGTERM, then the grace in which the containers may save their work; what remains is killed by `close`."""
        self._progress(cause)
        grace = self._timing.interruption_grace if cause is Cause.INTERRUPTION else self._timing.stop_grace
        deadline = time.monotonic() + grace
        for unit in self._units:
            unit.terminate()
        while any(unit.poll() is None for unit in self._units) and self._requests.strongest_cause is not Cause.CLOSE:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            self._requests.wait(min(left, self._timing.poll))
            self._look_around(log, cause)

    def _look_around(self, log: JobLog, cause: Cause) -> None:
        for unit in self._units:
            unit.sync()
        log.flush()
        self._utilization.publish({f"algo-{number}": unit.pids for number, unit in enumerate(self._units, 1)})
        self._progress(cause)

    def _limit(self) -> Cause:
        limits = self._work.limits
        if self._clock.elapsed_seconds > limits.wait:
            return Cause.MAX_WAIT
        if self._clock.held_seconds > limits.runtime:
            return Cause.MAX_RUNTIME
        interrupted = self._interrupted if self._units else None
        if interrupted is not None and interrupted(sum(unit.uploads for unit in self._units)):
            return Cause.INTERRUPTION
        return Cause.EXIT

    def _progress(self, cause: Cause) -> None:
        """Report what is new: metrics, or that the containers are being stopped."""
        stopping = cause > Cause.INTERRUPTION and cause is not Cause.CLOSE
        if not self._reporter.has_changed("Stopping" if stopping else "Training"):
            return
        if stopping:
            self._tell("Stopping", "Stopping", f"Stopping the {self._work.noun}")
        else:
            self._tell("InProgress", "Training", _IN_TRAINING)

    def _finish(self, ending: Ending, setting: JobContext) -> None:
        work, noun = self._work, self._work.noun.capitalize()
        if ending.cause is Cause.CLOSE:
            self._fail("InternalServerError: the sandbox was closed while the job ran; start the job again")
            return
        if ending.failure_reason is not None:
            self._fail(ending.failure_reason, work.upload(setting, self._units, ending))
            return
        self._tell("InProgress" if ending.completed else "Stopping", "Uploading", "Uploading generated training model")
        outcome = work.upload(setting, self._units, ending)
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
        message = f"{self._work.noun.capitalize()} failed"
        self._reporter.report("Failed", "Failed", message, reason[:REASON_CHARACTERS], outcome=outcome)

    def _tell(self, status: str, secondary_status: str, message: str) -> None:
        """Of a job under way, which is stopping from the moment that it is asked to."""
        asked = self._requests.strongest_cause is Cause.STOP
        self._reporter.report("Stopping" if asked else status, secondary_status, message)
