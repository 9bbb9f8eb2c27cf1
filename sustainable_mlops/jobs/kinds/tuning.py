"""Hyperparameter tuning jobs: a search that launches training jobs."""

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from sustainable_mlops import aws
from sustainable_mlops.aws import Client, Clients
from sustainable_mlops.errors import UserError, did_you_mean
from sustainable_mlops.jobs.figure import Figure
from sustainable_mlops.jobs.kinds import trials
from sustainable_mlops.jobs.kinds.kind import Kind, Machines, Places, measured
from sustainable_mlops.jobs.kinds.search import search
from sustainable_mlops.jobs.kinds.training import TRAINING, TrainingKind, check_warm_pool
from sustainable_mlops.jobs.platform import Phase, Platform
from sustainable_mlops.jobs.record import ENDED, RunRecord, Trial, read_file
from sustainable_mlops.jobs.run import Run
from sustainable_mlops.jobs.spec_files import load_spec
from sustainable_mlops.jobs.specs.training import Training
from sustainable_mlops.jobs.specs.tuning import Tuning

#: What a training job definition takes of a CreateTrainingJob request, under the same names.
_DEFINITION = (
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "EnableManagedSpotTraining",
    "EnableNetworkIsolation",
    "CheckpointConfig",
    "Environment",
)
_WARM_START = {"identical": "IdenticalDataAndAlgorithm", "transfer": "TransferLearning"}
#: Of one tuning job. Source: HyperParameterTuningJobWarmStartConfig.
_MOST_PARENTS = 5


class TuningKind(Kind[Tuning]):
    """Its training jobs are what `TRAINING` makes them; its times and figures are theirs together."""

    name: ClassVar[str] = "tuning"
    noun: ClassVar[str] = "HyperParameterTuningJob"
    time: ClassVar[str] = "HyperParameterTuning"
    done: ClassVar[str] = "tuned"
    phase: ClassVar[Phase] = "training"
    #: The names of its training jobs begin with it.
    longest_name: ClassVar[int] = 32
    spec = Tuning

    def load(self, path: Path) -> Tuning:
        """With the job file that it names, and with parents by their names where it names their records."""
        return _by_name(_load(path), path)

    def check(self, spec: Tuning) -> None:
        """What is refused of a training job is refused here."""
        TRAINING.check(spec.job)

    def image(self, spec: Tuning, platform: Platform) -> str:
        """The image that trains."""
        return TRAINING.image(spec.job, platform)

    def data(self, spec: Tuning) -> Mapping[str, str]:
        """The channels of each training job."""
        return TRAINING.data(spec.job)

    def gather(
        self, spec: Tuning, platform: Platform, image: str, source_digest: str | None, clients: Clients
    ) -> Run[Tuning]:
        """With a look at the parents too."""
        check_warm_pool(spec.job, platform)
        for parent in spec.warm_start.parents if spec.warm_start else ():
            _check_parent(parent, clients.sagemaker)
        return super().gather(spec, platform, image, source_digest, clients)

    def dealt_out(self, spec: Tuning) -> frozenset[str]:
        """Those of each of its training jobs."""
        return TRAINING.dealt_out(spec.job)

    def request(self, spec: Tuning, places: Places) -> dict[str, Any]:
        """A CreateHyperParameterTuningJob request."""
        training = TRAINING.request(spec.job, places)
        static = {name: value for name, value in training["HyperParameters"].items() if name not in spec.ranges}
        definition = {member: training[member] for member in _DEFINITION if member in training}
        request = {
            "HyperParameterTuningJobConfig": search(spec),
            "TrainingJobDefinition": {"StaticHyperParameters": static, **definition},
        }
        if spec.warm_start is not None:
            request["WarmStartConfig"] = {
                "ParentHyperParameterTuningJobs": [
                    {"HyperParameterTuningJobName": name} for name in spec.warm_start.parents
                ],
                "WarmStartType": _WARM_START[spec.warm_start.type],
            }
        return request

    def resumed(
        self,
        request: dict[str, Any],
        previous: RunRecord | None,
        *,
        checkpoints: bool,  # noqa: ARG002
    ) -> dict[str, Any] | None:
        """Begins with what was observed before, and launches as many jobs less.

        A grid has to be whole, and Hyperband's jobs have no comparable ends: these start anew. Checkpoints are of
        single jobs, which nobody launches again.
        """
        config = request["HyperParameterTuningJobConfig"]
        done = [trial for trial in previous.trials if trial.objective is not None] if previous else []
        warm = request.get("WarmStartConfig", {"WarmStartType": _WARM_START["identical"]})
        if previous is None or not done or config["Strategy"] not in ("Bayesian", "Random"):
            return None
        if warm["WarmStartType"] != _WARM_START["identical"]:
            return None
        limits = config["ResourceLimits"]
        # The previous one may itself have had only what was left by one before it.
        left = max(1, (previous.max_jobs or limits["MaxNumberOfTrainingJobs"]) - len(done))
        names = [*previous.parents, previous.job_name][-_MOST_PARENTS:]
        return {
            **request,
            "HyperParameterTuningJobConfig": {
                **config,
                "ResourceLimits": {**limits, "MaxNumberOfTrainingJobs": left},
            },
            "WarmStartConfig": {
                **warm,
                "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": name} for name in names],
            },
        }

    def machines(self, request: Mapping[str, Any]) -> Machines:
        """Those of one of its training jobs, and how many of these there may be."""
        config = request["HyperParameterTuningJobConfig"]
        return replace(
            TRAINING.machines(request["TrainingJobDefinition"]),
            jobs=config["ResourceLimits"]["MaxNumberOfTrainingJobs"],
            may_end_before="TuningJobCompletionCriteria" in config,
            stops_jobs=config["TrainingJobEarlyStoppingType"] == "Auto" or config["Strategy"] == "Hyperband",
        )

    @property
    def worker(self) -> TrainingKind:
        """Training jobs do the work."""
        return TRAINING

    @property
    def seconds_figure(self) -> str:
        """Its training jobs' seconds are counted as any training's."""
        return TRAINING.seconds_figure

    def at_work(self, record: RunRecord) -> dict[str, datetime]:
        """Its training jobs whose scripts run."""
        return {trial.job_name: trial.working_since for trial in record.trials if trial.working_since}

    def promised(self, run: Run[Tuning]) -> dict[str, Any]:
        """What is promised of the best model."""
        return TRAINING.promised(Run(run.spec.job, run.platform, run.image, run.source_digest, run.channels))

    def describe(self, record: RunRecord, sagemaker: Client) -> Mapping[str, Any]:
        """What SageMaker says of the search, with its training jobs under `Trials`, the best one under `Best`."""
        description: dict[str, Any] = dict(super().describe(record, sagemaker))
        description["Trials"] = trials.of(record, sagemaker)
        description["Best"] = trials.best(description, sagemaker)
        return description

    def found(self, description: Mapping[str, Any]) -> dict[str, Any]:
        """The training jobs, and of the best one its model, its metrics and what it was trained with."""
        best = description["Best"]
        parents = description.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", [])
        names = [trial.job_name for trial in description["Trials"]]
        of_best = TRAINING.found(best) if best else {}
        return {
            "started_at": description.get("CreationTime"),
            "failure_reason": trials.reason(description),
            "trials": description["Trials"],
            "children": names,
            "max_jobs": description["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"],
            "best": best["TrainingJobName"] if best else None,
            "parents": [one["HyperParameterTuningJobName"] for one in parents],
            "model": of_best.get("model"),
            "metrics": of_best.get("metrics", {}),
            "interruptions": sum(trial.interruptions for trial in description["Trials"]),
        }

    def seconds(self, description: Mapping[str, Any]) -> tuple[Figure | None, Figure | None]:
        """Of all its training jobs together."""
        jobs: list[Trial] = description["Trials"]
        running, billable = (
            measured(sum(values), "s", f"DescribeTrainingJob: {member}, {len(values)} jobs together")
            if (values := [value for job in jobs if (value := getattr(job, field)) is not None])
            else None
            for field, member in (
                ("training_seconds", "TrainingTimeInSeconds"),
                ("billable_seconds", "BillableTimeInSeconds"),
            )
        )
        return running, billable

    def figures(self, description: Mapping[str, Any], record: RunRecord) -> dict[str, Figure]:
        """Also what early stopping has saved."""
        return super().figures(description, record) | dict(trials.saved(description["Trials"]))


TUNING = TuningKind()


def _by_name(spec: Tuning, path: Path) -> Tuning:
    """Raises UserError for a record that cannot be read, or is not a tuning's."""
    if spec.warm_start is None:
        return spec
    names = []
    for parent in spec.warm_start.parents:
        if not parent.endswith(".json"):
            names.append(parent)
            continue
        file = path.parent / parent
        if not file.is_file():
            raise UserError(
                f"{path}: warm_start.parents: there is no record {file}; name the tuning job, or its record"
            )
        record = read_file(file)
        if record.kind != TuningKind.name:
            raise UserError(
                f"{path}: warm_start.parents: {file} is the record of a {record.kind}; only a tuning's will do"
            )
        names.append(record.job_name)
    return spec.model_copy(update={"warm_start": spec.warm_start.model_copy(update={"parents": names})})


def _check_parent(name: str, sagemaker: Client) -> None:
    from botocore.exceptions import ClientError

    try:
        status = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)[
            "HyperParameterTuningJobStatus"
        ]
    except ClientError as error:
        if aws.error_code(error) not in ("ResourceNotFound", "ValidationException"):
            raise
        raise UserError(f"warm_start.parents: there is no tuning job {name}; correct the name, or remove it") from None
    if status not in ENDED:
        raise UserError(f"warm_start.parents: {name} is {status}, and only one that has ended can be begun from; wait")


def _load(path: Path) -> Tuning:
    """The tuning that the file at `path` describes, its job file read. Raises UserError.

    Where that says something relative to itself, it is relative to `path` then.
    """
    tuning = load_spec(path, Tuning)
    training = tuning.training
    if isinstance(training, str):
        file = path.parent / training
        training = load_spec(file, Training)
        directory = os.path.relpath(file.parent / training.source.directory, path.parent)
        training = training.model_copy(update={"source": training.source.model_copy(update={"directory": directory})})
    if tuning.objective.metric not in training.metrics:
        near = did_you_mean(tuning.objective.metric, training.metrics)
        raise UserError(f"{path}: objective.metric: the training has no metric {tuning.objective.metric}{near}")
    return tuning.model_copy(update={"training": training})
