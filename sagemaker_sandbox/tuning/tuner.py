"""Decides for one tuning job: what to launch, what to stop, when it is over. Whoever drives it calls the services."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from sagemaker_sandbox.tuning.completion import Progress
from sagemaker_sandbox.tuning.definitions import (
    Definition,
    definitions,
    hyperband_resources,
    job_name,
    most_training_jobs,
)
from sagemaker_sandbox.tuning.early_stopping import falls_behind
from sagemaker_sandbox.tuning.search import Search, make_search
from sagemaker_sandbox.tuning.trials import Trial, best, counters, objective

#: Jobs after which a tuning job gives up where none of them succeeded, as AWS's FailureReason says.
_ATTEMPTS = 5

#: The most characters of a FailureReason.
_REASON = 1024


@dataclass(frozen=True)
class Parent:
    """A tuning job that another one starts from: its CreateHyperParameterTuningJob request and its jobs' summaries."""

    request: Mapping[str, Any]
    summaries: Sequence[Mapping[str, Any]]

    def results(self, definition: Definition) -> Iterator[tuple[dict[str, str], float]]:
        """All hyperparameters, static ones too, and the final objective of each job of the same definition."""
        mine = definitions(self.request)
        static = {one.name: one.static for one in mine if len(mine) == 1 or one.name == definition.name}
        for summary in self.summaries:
            name, value = summary.get("TrainingJobDefinitionName"), objective(summary)
            if name in static and value is not None:
                yield static[name] | summary["TunedHyperParameters"], value


class Tuner:
    """One tuning job. `request` is a CreateHyperParameterTuningJob request that `checks.check` has let through.

    Call `stops` and `launch` and do what they say, `observe` with each news of a job, until `over`. Times are aware.
    """

    def __init__(
        self,
        request: Mapping[str, Any],
        parents: Sequence[Parent] = (),
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name: str = request["HyperParameterTuningJobName"]
        self.trials: list[Trial] = []
        self.status = "InProgress"
        self.failure_reason: str | None = None
        self._now, self._began = now, now()
        self._ended: datetime | None = None
        config = request["HyperParameterTuningJobConfig"]
        self._config, self._tags = config, request.get("Tags", [])
        self._limits = config["ResourceLimits"]
        self._most = self._limits.get("MaxNumberOfTrainingJobs", most_training_jobs(config["Strategy"]))
        self._stops_early = config.get("TrainingJobEarlyStoppingType") == "Auto"
        self._warm_start: str = request.get("WarmStartConfig", {}).get("WarmStartType", "")
        self._parents = parents
        self._definitions = definitions(request)
        self._maximize = self._definitions[0].maximize
        self._search_of: dict[str, Search] = {}
        self._progress = Progress(
            config.get("TuningJobCompletionCriteria", {}),
            maximize=self._maximize,
            hyperparameters=max(len(definition.ranges) for definition in self._definitions),
        )
        self._exhausted = False
        #: The status that it ends in, once that is known and while jobs are still being stopped.
        self._ending: str | None = None

    @property
    def over(self) -> bool:
        """Whether it has ended; nothing of it runs any more."""
        return self._ended is not None

    @property
    def seconds_left(self) -> float:
        """Until `MaxRuntimeInSeconds`; infinite where there is none or the end has begun."""
        if self._ending is not None or "MaxRuntimeInSeconds" not in self._limits:
            return math.inf
        return float(self._limits["MaxRuntimeInSeconds"]) - self._runtime

    @property
    def _runtime(self) -> float:
        return ((self._ended or self._now()) - self._began).total_seconds()

    @property
    def _running(self) -> list[Trial]:
        return [trial for trial in self.trials if not trial.over]

    def launch(self) -> tuple[Trial, dict[str, Any]] | None:
        """One more training job with its CreateTrainingJob request; None where none is to be launched now."""
        trial = None
        if self._ending is None and len(self._running) < self._limits["MaxParallelTrainingJobs"]:
            trial = self._next()
        if trial is None:
            self._settle()
            return None
        self.trials.append(trial)
        return trial, trial.definition.request(trial.name, trial.suggestion.hyperparameters, self._tags)

    @cached_property
    def _turns(self) -> Iterator[tuple[Definition, Search]]:
        """Made when the first job is launched, and not where a request waits for its answer: it imports optuna."""
        searches = _searches(self._config, self._definitions)
        for definition, search in zip(self._definitions, searches, strict=True):
            self._teach(search, definition)
        return itertools.cycle(zip(self._definitions, searches, strict=True))

    def _next(self) -> Trial | None:
        """Several definitions take turns. AWS does not say how it chooses among them; assumed."""
        if len(self.trials) >= self._most:
            return None
        for definition, search in itertools.islice(self._turns, len(self._definitions)):
            suggestion = search.ask()
            if suggestion is not None:
                trial = Trial(job_name(self.name, len(self.trials) + 1), definition, suggestion, self._now())
                self._search_of[trial.name] = search
                return trial
        self._exhausted = True
        return None

    def stops(self) -> list[Trial]:
        """Jobs to stop now; each is named once."""
        found = [trial for trial in self._running if not trial.stopping and self._is_to_stop(trial)]
        for trial in found:
            trial.stopping = True
        self._settle()
        return found

    def _is_to_stop(self, trial: Trial) -> bool:
        if self._ending is not None or self._search_of[trial.name].stops(trial.suggestion, trial.values):
            return True
        peers = (
            other.values
            for other in self.trials
            if other.status == "Completed" and other.definition is trial.definition and other.values
        )
        return self._stops_early and falls_behind(trial.values, peers, maximize=self._maximize)

    def observe(self, name: str, job: Mapping[str, Any], values: Sequence[float]) -> None:
        """News of a training job: what DescribeTrainingJob answers, and its values of the objective, one an epoch."""
        trial = self._trial(name)
        if trial.over:
            return
        trial.job, trial.values = dict(job), [value for value in values if math.isfinite(value)]
        if trial.over:
            self._search_of[name].tell(trial.suggestion, trial.objective)
            if trial.objective is not None:
                self._progress.add(trial.objective, self._now())
            if self._progress.over:
                self.end("Completed")
            self._give_up()

    def _trial(self, name: str) -> Trial:
        return next(trial for trial in self.trials if trial.name == name)

    def metric(self, name: str) -> str:
        """The objective that a training job is judged by."""
        return self._trial(name).definition.metric

    def refused(self, trial: Trial, reason: str) -> None:
        """A training job could not be created, and no other one would be."""
        self.trials.remove(trial)
        self.end("Failed", reason)

    def abandon(self, failure_reason: str) -> None:
        """It has failed, and with it what still runs: nobody will hear of that."""
        for trial in self._running:
            trial.job = {**trial.job, "TrainingJobStatus": "Failed", "FailureReason": failure_reason}
        self.status, self.failure_reason, self._ended = "Failed", failure_reason[:_REASON], self._now()

    def end(self, status: str, failure_reason: str | None = None) -> None:
        """Launch nothing more, stop what runs, then end in this status. The first call decides."""
        if self._ending is None:
            self._ending, self.failure_reason = status, failure_reason[:_REASON] if failure_reason else None
            self.status = "Stopping" if status == "Stopped" else self.status
        self._settle()

    def _give_up(self) -> None:
        ended = [trial for trial in self.trials if trial.over]
        if len(ended) >= _ATTEMPTS and (reason := _hopeless(ended)):
            self.end("Failed", reason)

    def _settle(self) -> None:
        if self._running or self.over:
            return
        if self._ending is None and (self._exhausted or len(self.trials) >= self._most):
            self.failure_reason = _hopeless(self.trials)
            self._ending = "Failed" if self.failure_reason else "Completed"
        if self._ending is not None:
            self.status, self._ended = self._ending, self._now()

    def _teach(self, search: Search, definition: Definition) -> None:
        """The same data: what was observed holds. Other data: what was best is worth a try."""
        for parent in self._parents:
            results = list(parent.results(definition))
            if self._warm_start == "IdenticalDataAndAlgorithm":
                for hyperparameters, value in results:
                    search.learn(hyperparameters, value)
            elif results:
                choose = max if self._maximize else min
                search.begin_with(choose(results, key=lambda result: result[1])[0])

    def fields(self) -> dict[str, Any]:
        """The members of DescribeHyperParameterTuningJob that change while it runs."""
        summaries = self.summaries()
        found = {
            "HyperParameterTuningJobStatus": self.status,
            **counters(self.trials),
            "BestTrainingJob": best(summaries, maximize=self._maximize),
            "TuningJobCompletionDetails": self._progress.details(),
            "ConsumedResources": {"RuntimeInSeconds": math.ceil(self._runtime)},
            "HyperParameterTuningEndTime": self._ended,
            "FailureReason": self.failure_reason,
        }
        if self._warm_start == "IdenticalDataAndAlgorithm":
            names = {parent.request["HyperParameterTuningJobName"]: parent.summaries for parent in self._parents}
            everything = [
                {**summary, "TuningJobName": name}
                for name, theirs in (*names.items(), (self.name, summaries))
                for summary in theirs
            ]
            found["OverallBestTrainingJob"] = best(everything, maximize=self._maximize)
        return {member: value for member, value in found.items() if value is not None}

    def summaries(self) -> list[dict[str, Any]]:
        """What ListTrainingJobsForHyperParameterTuningJob lists, in the order of launch."""
        return [trial.summary() for trial in self.trials]


def _searches(config: Mapping[str, Any], found: Sequence[Definition]) -> list[Search]:
    strategy, seed, resources = config["Strategy"], config.get("RandomSeed"), None
    if strategy == "Hyperband":
        least, most = hyperband_resources(config, [definition.given for definition in found])
        assert most is not None  # checked
        resources = (least, most)
    return [
        make_search(
            strategy,
            definition.ranges,
            maximize=definition.maximize,
            seed=None if seed is None else seed + index,
            resources=resources,
        )
        for index, definition in enumerate(found)
    ]


def _hopeless(ended: Sequence[Trial]) -> str | None:
    """Why no more jobs are worth launching, in AWS's words; None where one had an objective."""
    if any(trial.objective is not None for trial in ended):
        return None
    if all(trial.status == "Failed" for trial in ended):
        return (
            f"No training job succeeded after {len(ended)} attempts. Please take a look at the training job failures "
            "to get more details."
        )
    return (
        f"No objective metrics found after running {len(ended)} training jobs. Please ensure that the custom algorithm "
        "is emitting the objective metric as defined by the regular expression provided."
    )
