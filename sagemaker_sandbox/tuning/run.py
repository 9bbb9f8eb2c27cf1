"""Drives one tuning job against the control plane, from a thread of its own that sleeps until there is news."""

import contextlib
import queue
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sagemaker_sandbox.tuning.trials import Trial
from sagemaker_sandbox.tuning.tuner import Tuner

#: `call(operation, request)`: the control plane's answer, in the account and Region of the tuning job.
Call = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


class _News(NamedTuple):
    """Of a training job: what it is, and every value of each of its metrics so far; without a name it only wakes."""

    training_job: str = ""
    job: Mapping[str, Any] = {}
    values: Mapping[str, Sequence[float]] = {}


class TuningRun:
    """One tuning job. `report` is called from the thread after each change, at last with a tuner that is `over`."""

    def __init__(self, tuner: Tuner, call: Call, report: Callable[[Tuner], None]) -> None:
        self._tuner, self._call, self._report = tuner, call, report
        self._news: queue.SimpleQueue[_News] = queue.SimpleQueue()
        self._names: set[str] = set()
        self._asked_to_stop = self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"tuning-job {tuner.name}", daemon=True)

    def start(self) -> None:
        """Start the tuning job and return at once."""
        self._thread.start()

    def notify(self, training_job: str, job: Mapping[str, Any], values: Mapping[str, Sequence[float]]) -> None:
        """A training job has another status, or more values of a metric. Returns at once.

        `job` is what DescribeTrainingJob answers (it may be gone when it is asked), `values` are all of each metric.

        Whoever runs the training jobs has to call it; others than this tuning job's are passed over.
        """
        if training_job in self._names:
            self._news.put(_News(training_job, job, values))

    def stop(self) -> None:
        """StopHyperParameterTuningJob: its training jobs are stopped, then it is. Returns at once."""
        self._asked_to_stop = True
        self._news.put(_News())

    def close(self) -> None:
        """Launch nothing more and end the thread; what runs is left to whoever runs it."""
        self._closing = True
        self._news.put(_News())
        if self._thread.ident is not None:
            self._thread.join()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end, at most `timeout` seconds; True if it has ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # What follows runs in the thread.

    def _run(self) -> None:
        tuner = self._tuner
        try:
            while not (tuner.over or self._closing):
                if self._asked_to_stop:
                    tuner.end("Stopped")
                self._act()
                self._report(tuner)
                if not tuner.over:
                    self._wait()
        except Exception as error:  # the thread's last line: nobody else would say that the job is over
            traceback.print_exc()
            self._stop(trial for trial in tuner.trials if not trial.over)
            tuner.abandon(f"InternalServerError: {type(error).__name__}: {error}")
        if not tuner.over:
            tuner.abandon("InternalServerError: the sandbox was closed while the tuning job ran; start the job again")
        self._report(tuner)

    def _stop(self, trials: Iterable[Trial]) -> None:
        for trial in trials:
            # One that has just ended cannot be stopped; its news is on the way.
            with contextlib.suppress(Exception):
                self._call("StopTrainingJob", {"TrainingJobName": trial.name})

    def _act(self) -> None:
        self._stop(self._tuner.stops())
        while (launched := self._tuner.launch()) is not None:
            trial, request = launched
            self._names.add(trial.name)
            try:
                trial.arn = self._call("CreateTrainingJob", request)["TrainingJobArn"]
            except Exception as error:  # whatever refuses a training job, the tuning job tells why
                self._tuner.refused(trial, str(error))
                self._news.put(_News())

    def _wait(self) -> None:
        try:
            news = [self._news.get(timeout=max(0, min(self._tuner.seconds_left, threading.TIMEOUT_MAX)))]
        except queue.Empty:
            self._tuner.end("Completed")
            return
        with contextlib.suppress(queue.Empty):
            while True:
                news.append(self._news.get_nowait())
        for name, last in {one.training_job: one for one in news}.items():  # of several the last
            if name:
                self._tuner.observe(name, last.job, last.values.get(self._tuner.metric(name), ()))
