"""Execution of one tuning job against the control plane, in its own thread."""

import contextlib
import queue
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sagemaker_sandbox.jobs.tuning.trials import Trial
from sagemaker_sandbox.jobs.tuning.tuner import Tuner

#: Function `call(operation, request)` that returns the control plane's response in the tuning job's account and Region.
CallOperation = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


class _JobUpdate(NamedTuple):
    """The description of a training job and all values of its metrics. Without a name, it only wakes the thread."""

    training_job: str = ""
    job: Mapping[str, Any] = {}
    values: Mapping[str, Sequence[float]] = {}


class TuningRun:
    """One tuning job. The thread calls `report` after each change; the last call has a tuner that is over."""

    def __init__(self, tuner: Tuner, call: CallOperation, report: Callable[[Tuner], None]) -> None:
        self._tuner, self._call, self._report = tuner, call, report
        self._updates: queue.SimpleQueue[_JobUpdate] = queue.SimpleQueue()
        self._names: set[str] = set()
        self._must_stop = self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"tuning-job {tuner.name}", daemon=True)

    def start(self) -> None:
        """Start the tuning job and return immediately."""
        self._thread.start()

    def notify(self, training_job: str, job: Mapping[str, Any], values: Mapping[str, Sequence[float]]) -> None:
        """Record a new status of a training job, or new values of a metric. Returns immediately.

        `job` is the response of DescribeTrainingJob, `values` has all values of each metric. The runner of
        training jobs calls this method. Jobs of other tuning jobs are ignored.
        """
        if training_job in self._names:
            self._updates.put(_JobUpdate(training_job, job, values))

    def stop(self) -> None:
        """Stop the training jobs, then the tuning job. Returns immediately."""
        self._must_stop = True
        self._updates.put(_JobUpdate())

    def close(self) -> None:
        """End the thread. Running training jobs are left to their runner."""
        self._closing = True
        self._updates.put(_JobUpdate())
        if self._thread.ident is not None:
            self._thread.join()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end, at most `timeout` seconds; True if it has ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # The methods below run in the thread.

    def _run(self) -> None:
        tuner = self._tuner
        try:
            while not (tuner.is_over or self._closing):
                if self._must_stop:
                    tuner.end("Stopped")
                self._control_jobs()
                self._report(tuner)
                if not tuner.is_over:
                    self._wait()
        except Exception as error:  # the job must end in a status, whatever fails
            traceback.print_exc()
            self._stop(trial for trial in tuner.trials if not trial.is_over)
            tuner.abandon(f"InternalServerError: {type(error).__name__}: {error}")
        if not tuner.is_over:
            tuner.abandon("InternalServerError: the sandbox was closed while the tuning job ran; start the job again")
        self._report(tuner)

    def _stop(self, trials: Iterable[Trial]) -> None:
        for trial in trials:
            # A job that has just ended cannot be stopped; its update will follow.
            with contextlib.suppress(Exception):
                self._call("StopTrainingJob", {"TrainingJobName": trial.name})

    def _control_jobs(self) -> None:
        self._stop(self._tuner.select_jobs_to_stop())
        while (launch := self._tuner.launch()) is not None:
            trial, request = launch
            self._names.add(trial.name)
            try:
                trial.arn = self._call("CreateTrainingJob", request)["TrainingJobArn"]
            except Exception as error:  # the tuning job reports any refusal
                self._tuner.record_refusal(trial, str(error))
                self._updates.put(_JobUpdate())

    def _wait(self) -> None:
        try:
            updates = [self._updates.get(timeout=max(0, min(self._tuner.seconds_left, threading.TIMEOUT_MAX)))]
        except queue.Empty:
            self._tuner.end("Completed")
            return
        with contextlib.suppress(queue.Empty):
            while True:
                updates.append(self._updates.get_nowait())
        for name, last in {update.training_job: update for update in updates}.items():  # the last one of each job
            if name:
                self._tuner.observe(name, last.job, last.values.get(self._tuner.find_metric(name), ()))
