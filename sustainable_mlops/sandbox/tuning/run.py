"""Drives one tuning job against the control plane, from a thread of its own that sleeps until there is news."""

import contextlib
import queue
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sustainable_mlops.sandbox.tuning.tuner import Tuner

#: `call(operation, request)`: the control plane's answer, in the account and Region of the tuning job.
Call = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]

#: `observe(training job, metric)`: every value of a metric that the job has emitted, in order.
Observe = Callable[[str, str], Sequence[float]]


class TuningRun:
    """One tuning job. `report` is called from its thread after each change, at last with a tuner that is `over`.

    Whoever runs the training jobs calls `notify` with the name of each one that has news: its status or a metric.
    """

    def __init__(self, tuner: Tuner, call: Call, observe: Observe, report: Callable[[Tuner], None]) -> None:
        self._tuner, self._call, self._observe, self._report = tuner, call, observe, report
        #: Names of jobs with news; an empty one only wakes.
        self._news: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._names: set[str] = set()
        self._asked_to_stop = self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"tuning-job {tuner.name}", daemon=True)

    def start(self) -> None:
        """Start the tuning job and return at once."""
        self._thread.start()

    def notify(self, training_job: str) -> None:
        """There is news of this training job; others than its own are passed over. Returns at once."""
        if training_job in self._names:
            self._news.put(training_job)

    def stop(self) -> None:
        """StopHyperParameterTuningJob: its training jobs are stopped, then it is. Returns at once."""
        self._asked_to_stop = True
        self._news.put("")

    def close(self) -> None:
        """Launch nothing more and end the thread; what runs is left to whoever runs it."""
        self._closing = True
        self._news.put("")
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end, at most `timeout` seconds; True if it has ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # What follows runs in the thread.

    def _run(self) -> None:
        try:
            while not self._closing:
                self._step()
                if self._tuner.over:
                    break
                self._wait()
        except Exception as error:  # the thread's last line: nobody else would say that the job is over
            traceback.print_exc()
            self._tuner.abandon(f"InternalServerError: {type(error).__name__}: {error}")
        if self._closing and not self._tuner.over:
            self._tuner.abandon("InternalServerError: the sandbox was closed while the tuning job ran; start it again")
        self._report(self._tuner)

    def _step(self) -> None:
        for trial in self._tuner.stops():
            # One that has just ended cannot be stopped; its news is on the way.
            with contextlib.suppress(Exception):
                self._call("StopTrainingJob", {"TrainingJobName": trial.name})
        while (launched := self._tuner.launch()) is not None:
            trial, request = launched
            self._names.add(trial.name)
            try:
                trial.arn = self._call("CreateTrainingJob", request)["TrainingJobArn"]
            except Exception as error:  # whatever refuses a training job, the tuning job tells why
                self._tuner.refused(trial, str(error))
                self._news.put("")
                break
        self._report(self._tuner)

    def _wait(self) -> None:
        left = self._tuner.seconds_left
        try:
            names = {self._news.get(timeout=max(0, min(left, threading.TIMEOUT_MAX)))}
        except queue.Empty:
            self._tuner.end("Completed")
            return
        with contextlib.suppress(queue.Empty):
            while True:
                names.add(self._news.get_nowait())
        for name in names - {""}:
            self._look_at(name)
        if self._asked_to_stop:
            self._tuner.end("Stopped")

    def _look_at(self, name: str) -> None:
        job = self._call("DescribeTrainingJob", {"TrainingJobName": name})
        self._tuner.observe(name, job, self._observe(name, self._tuner.metric(name)))
