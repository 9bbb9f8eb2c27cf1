"""Decisions of one tuning job: the jobs to launch and to stop, and its end. `run.TuningRun` calls the services."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from sagemaker_sandbox.jobs.tuning.completion import TuningProgress
from sagemaker_sandbox.jobs.tuning.definitions import (
    Definition,
    create_job_name,
    find_hyperband_resources,
    get_max_training_jobs,
    parse_definitions,
)
from sagemaker_sandbox.jobs.tuning.early_stopping import is_behind
from sagemaker_sandbox.jobs.tuning.search import Search, create_search
from sagemaker_sandbox.jobs.tuning.trials import Trial, count_trials, find_best, find_objective

#: Number of jobs without success after which a tuning job fails, as in AWS's FailureReason.
_MAX_FAILED_JOBS = 5

#: Maximum length of a FailureReason.
_REASON_LENGTH = 1024


@dataclass(frozen=True)
class ParentTuningJob:
    """A tuning job that another one starts from: its request, and the summaries of its training jobs."""

    request: Mapping[str, Any]
    summaries: Sequence[Mapping[str, Any]]

    def list_results(self, definition: Definition) -> Iterator[tuple[dict[str, str], float]]:
        """Yield the hyperparameters, with the static ones, and the final objective of each job of a definition."""
        own_definitions = parse_definitions(self.request)
        static = {
            item.name: item.static
            for item in own_definitions
            if len(own_definitions) == 1 or item.name == definition.name
        }
        for summary in self.summaries:
            name, value = summary.get("TrainingJobDefinitionName"), find_objective(summary)
            if name in static and value is not None:
                yield static[name] | summary["TunedHyperParameters"], value


class Tuner:
    """One tuning job. `request` is a CreateHyperParameterTuningJob request that passed `checks.check_request`.

    The caller stops the jobs of `select_jobs_to_stop`, creates those of `launch`, and calls `observe` with each update
    of a job, until `is_over`. All times have a time zone.
    """

    def __init__(
        self,
        request: Mapping[str, Any],
        parents: Sequence[ParentTuningJob] = (),
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name: str = request["HyperParameterTuningJobName"]
        self.trials: list[Trial] = []
        self.status = "InProgress"
        self.failure_reason: str | None = None
        self._now, self._start_time = now, now()
        self._end_time: datetime | None = None
        config = request["HyperParameterTuningJobConfig"]
        self._config, self._tags = config, request.get("Tags", [])
        self._limits = config["ResourceLimits"]
        self._max_jobs = self._limits.get("MaxNumberOfTrainingJobs", get_max_training_jobs(config["Strategy"]))
        self._stops_early = config.get("TrainingJobEarlyStoppingType") == "Auto"
        self._warm_start: str = request.get("WarmStartConfig", {}).get("WarmStartType", "")
        self._parents = parents
        self._definitions = parse_definitions(request)
        self._maximize = self._definitions[0].maximize
        self._search_of: dict[str, Search] = {}
        self._progress = TuningProgress(
            config.get("TuningJobCompletionCriteria", {}),
            maximize=self._maximize,
            hyperparameters=max(len(definition.ranges) for definition in self._definitions),
        )
        self._is_exhausted = False
        #: Final status, as soon as it is known; jobs may still be stopping.
        self._final_status: str | None = None

    @property
    def is_over(self) -> bool:
        """True if the tuning job and all its training jobs have ended."""
        return self._end_time is not None

    @property
    def seconds_left(self) -> float:
        """Seconds until `MaxRuntimeInSeconds`; infinite without it, and while the job is ending."""
        if self._final_status is not None or "MaxRuntimeInSeconds" not in self._limits:
            return math.inf
        return float(self._limits["MaxRuntimeInSeconds"]) - self._runtime

    @property
    def _runtime(self) -> float:
        return ((self._end_time or self._now()) - self._start_time).total_seconds()

    @property
    def _running(self) -> list[Trial]:
        return [trial for trial in self.trials if not trial.is_over]

    def launch(self) -> tuple[Trial, dict[str, Any]] | None:
        """Return the next training job and its CreateTrainingJob request, or None if none can start now."""
        trial = None
        if self._final_status is None and len(self._running) < self._limits["MaxParallelTrainingJobs"]:
            trial = self._suggest_trial()
        if trial is None:
            self._settle()
            return None
        self.trials.append(trial)
        return trial, trial.definition.build_request(trial.name, trial.suggestion.hyperparameters, self._tags)

    @cached_property
    def _turns(self) -> Iterator[tuple[Definition, Search]]:
        """Definitions in turn. They are created with the first job, because the import of optuna takes time."""
        searches = _create_searches(self._config, self._definitions)
        for definition, search in zip(self._definitions, searches, strict=True):
            self._warm_start_search(search, definition)
        return itertools.cycle(zip(self._definitions, searches, strict=True))

    def _suggest_trial(self) -> Trial | None:
        """Return a trial of the next definition. Assumed: AWS does not document its choice among definitions."""
        if len(self.trials) >= self._max_jobs:
            return None
        for definition, search in itertools.islice(self._turns, len(self._definitions)):
            suggestion = search.suggest()
            if suggestion is not None:
                trial = Trial(create_job_name(self.name, len(self.trials) + 1), definition, suggestion, self._now())
                self._search_of[trial.name] = search
                return trial
        self._is_exhausted = True
        return None

    def select_jobs_to_stop(self) -> list[Trial]:
        """Return the jobs to stop now. Each job is returned once."""
        selected = [trial for trial in self._running if not trial.is_stopping and self._must_stop(trial)]
        for trial in selected:
            trial.is_stopping = True
        self._settle()
        return selected

    def _must_stop(self, trial: Trial) -> bool:
        if self._final_status is not None or self._search_of[trial.name].should_stop(trial.suggestion, trial.values):
            return True
        peers = (
            other.values
            for other in self.trials
            if other.status == "Completed" and other.definition is trial.definition and other.values
        )
        return self._stops_early and is_behind(trial.values, peers, maximize=self._maximize)

    def observe(self, name: str, job: Mapping[str, Any], values: Sequence[float]) -> None:
        """Record the DescribeTrainingJob response of a job, and its values of the objective, one for each epoch."""
        trial = self._find_trial(name)
        if trial.is_over:
            return
        trial.job, trial.values = dict(job), [value for value in values if math.isfinite(value)]
        if trial.is_over:
            self._search_of[name].record(trial.suggestion, trial.objective)
            if trial.objective is not None:
                self._progress.add(trial.objective, self._now())
            if self._progress.is_complete:
                self.end("Completed")
            self._check_failures()

    def _find_trial(self, name: str) -> Trial:
        return next(trial for trial in self.trials if trial.name == name)

    def find_metric(self, name: str) -> str:
        """Return the objective metric of a training job."""
        return self._find_trial(name).definition.metric

    def record_refusal(self, trial: Trial, reason: str) -> None:
        """Fail because a training job could not be created."""
        self.trials.remove(trial)
        self.end("Failed", reason)

    def abandon(self, failure_reason: str) -> None:
        """Fail the tuning job and its running training jobs, which get no more updates."""
        for trial in self._running:
            trial.job = {**trial.job, "TrainingJobStatus": "Failed", "FailureReason": failure_reason}
        self.status, self.failure_reason, self._end_time = "Failed", failure_reason[:_REASON_LENGTH], self._now()

    def end(self, status: str, failure_reason: str | None = None) -> None:
        """Stop the running jobs, then end in a status. Only the first call has an effect."""
        if self._final_status is None:
            self._final_status, self.failure_reason = (
                status,
                failure_reason[:_REASON_LENGTH] if failure_reason else None,
            )
            self.status = "Stopping" if status == "Stopped" else self.status
        self._settle()

    def _check_failures(self) -> None:
        completed = [trial for trial in self.trials if trial.is_over]
        if len(completed) >= _MAX_FAILED_JOBS and (reason := _explain_failure(completed)):
            self.end("Failed", reason)

    def _settle(self) -> None:
        if self._running or self.is_over:
            return
        if self._final_status is None and (self._is_exhausted or len(self.trials) >= self._max_jobs):
            self.failure_reason = _explain_failure(self.trials)
            self._final_status = "Failed" if self.failure_reason else "Completed"
        if self._final_status is not None:
            self.status, self._end_time = self._final_status, self._now()

    def _warm_start_search(self, search: Search, definition: Definition) -> None:
        """Use the results of parents: as observations for the same data, or as the first suggestion for other data."""
        for parent in self._parents:
            results = list(parent.list_results(definition))
            if self._warm_start == "IdenticalDataAndAlgorithm":
                for hyperparameters, value in results:
                    search.learn(hyperparameters, value)
            elif results:
                choose = max if self._maximize else min
                search.enqueue(choose(results, key=lambda result: result[1])[0])

    def build_fields(self) -> dict[str, Any]:
        """Return the members of DescribeHyperParameterTuningJob that change while the job runs."""
        summaries = self.build_summaries()
        members = {
            "HyperParameterTuningJobStatus": self.status,
            **count_trials(self.trials),
            "BestTrainingJob": find_best(summaries, maximize=self._maximize),
            "TuningJobCompletionDetails": self._progress.build_details(),
            "ConsumedResources": {"RuntimeInSeconds": math.ceil(self._runtime)},
            "HyperParameterTuningEndTime": self._end_time,
            "FailureReason": self.failure_reason,
        }
        if self._warm_start == "IdenticalDataAndAlgorithm":
            names = {parent.request["HyperParameterTuningJobName"]: parent.summaries for parent in self._parents}
            all_summaries = [
                {**summary, "TuningJobName": name}
                for name, parent_summaries in (*names.items(), (self.name, summaries))
                for summary in parent_summaries
            ]
            members["OverallBestTrainingJob"] = find_best(all_summaries, maximize=self._maximize)
        return {member: value for member, value in members.items() if value is not None}

    def build_summaries(self) -> list[dict[str, Any]]:
        """Return the summaries of ListTrainingJobsForHyperParameterTuningJob, in the order of launch."""
        return [trial.build_summary() for trial in self.trials]


def _create_searches(config: Mapping[str, Any], definitions: Sequence[Definition]) -> list[Search]:
    strategy, seed, resources = config["Strategy"], config.get("RandomSeed"), None
    if strategy == "Hyperband":
        minimum, maximum = find_hyperband_resources(config, [definition.structure for definition in definitions])
        assert maximum is not None  # `checks` refuses the request otherwise
        resources = (minimum, maximum)
    return [
        create_search(
            strategy,
            definition.ranges,
            maximize=definition.maximize,
            seed=None if seed is None else seed + index,
            resources=resources,
        )
        for index, definition in enumerate(definitions)
    ]


def _explain_failure(trials: Sequence[Trial]) -> str | None:
    """Return the FailureReason in AWS's words, or None if a job has an objective."""
    if any(trial.objective is not None for trial in trials):
        return None
    if all(trial.status == "Failed" for trial in trials):
        return (
            f"No training job succeeded after {len(trials)} attempts. Please take a look at the training job failures "
            "to get more details."
        )
    return (
        f"No objective metrics found after running {len(trials)} training jobs. Please ensure that the custom "
        "algorithm is emitting the objective metric as defined by the regular expression provided."
    )
