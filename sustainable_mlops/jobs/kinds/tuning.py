"""Hyperparameter tuning jobs, which launch training jobs."""

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from sustainable_mlops import aws
from sustainable_mlops.aws import Client, Clients
from sustainable_mlops.aws.statuses import STATUSES
from sustainable_mlops.base.errors import UserError, did_you_mean
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.kinds import trials
from sustainable_mlops.jobs.kinds.kind import JobInstances, JobKind, JobReferences, make_measured_figure
from sustainable_mlops.jobs.kinds.training import TRAINING, TrainingKind, check_warm_pool
from sustainable_mlops.jobs.kinds.tuning_job_config import build_tuning_job_config
from sustainable_mlops.jobs.platform import Phase, Platform
from sustainable_mlops.jobs.record import RunRecord, TuningTrial, read_record_file
from sustainable_mlops.jobs.run import Run
from sustainable_mlops.jobs.spec_files import load_spec_file
from sustainable_mlops.jobs.specs.training import TrainingSpec
from sustainable_mlops.jobs.specs.tuning import TuningSpec

#: Fields that a training job definition has in common with a CreateTrainingJob request.
_TRAINING_JOB_FIELDS = (
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "EnableManagedSpotTraining",
    "EnableNetworkIsolation",
    "VpcConfig",
    "CheckpointConfig",
    "Environment",
)
_WARM_START = {"identical": "IdenticalDataAndAlgorithm", "transfer": "TransferLearning"}
#: Maximum number of parents of one tuning job. Source: HyperParameterTuningJobWarmStartConfig.
_MAX_PARENTS = 5


class TuningKind(JobKind[TuningSpec]):
    """Tuning jobs. `TRAINING` builds their training jobs; times and figures are sums over these jobs."""

    name: ClassVar[str] = "tuning"
    noun: ClassVar[str] = "HyperParameterTuningJob"
    time_prefix: ClassVar[str] = "HyperParameterTuning"
    completed_verb: ClassVar[str] = "tuned"
    phase: ClassVar[Phase] = "training"
    #: Maximum length of the name, which also starts the names of the training jobs.
    longest_name: ClassVar[int] = 32
    saves_model: ClassVar[bool] = True
    spec = TuningSpec

    def load(self, path: Path) -> TuningSpec:
        """Load the file with the job file that it names; replace parents that are record files by their job names."""
        return _replace_record_paths(_load_tuning(path), path)

    def find_probed_job(self, spec: TuningSpec) -> tuple[TrainingKind, TrainingSpec]:
        """Return one training: its duration gives the estimate of the tuning job."""
        return TRAINING, spec.typical_job

    def check(self, spec: TuningSpec) -> None:
        """Raise UserError for a training job that is invalid."""
        TRAINING.check(spec.job)

    def find_image(self, spec: TuningSpec, platform: Platform) -> str:
        """Return the training image."""
        return TRAINING.find_image(spec.job, platform)

    def list_data(self, spec: TuningSpec) -> Mapping[str, str]:
        """Return the channels of each training job."""
        return TRAINING.list_data(spec.job)

    def build_run(
        self, spec: TuningSpec, platform: Platform, image: str, source_digest: str | None, clients: Clients
    ) -> Run[TuningSpec]:
        """Return the run after a check of its parents and its warm pool. Raises UserError."""
        check_warm_pool(spec.job, platform)
        for parent in spec.warm_start.parents if spec.warm_start else ():
            _check_parent(parent, clients.sagemaker)
        return super().build_run(spec, platform, image, source_digest, clients)

    def list_sharded_channels(self, spec: TuningSpec) -> frozenset[str]:
        """Return the sharded channels of each training job."""
        return TRAINING.list_sharded_channels(spec.job)

    def build_request(self, spec: TuningSpec, references: JobReferences) -> dict[str, Any]:
        """Return a CreateHyperParameterTuningJob request."""
        training = TRAINING.build_request(spec.job, references)
        static = {name: value for name, value in training["HyperParameters"].items() if name not in spec.ranges}
        definition = {member: training[member] for member in _TRAINING_JOB_FIELDS if member in training}
        request = {
            "HyperParameterTuningJobConfig": build_tuning_job_config(spec),
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

    def resume_request(
        self,
        request: dict[str, Any],
        previous: RunRecord | None,
        *,
        checkpoints: bool,  # noqa: ARG002
    ) -> dict[str, Any] | None:
        """Return the request with the earlier results as a warm start and fewer jobs.

        A grid must be complete, and Hyperband's jobs do not have comparable ends: these start from the beginning.
        Checkpoints belong to single jobs, which are not launched again.
        """
        config = request["HyperParameterTuningJobConfig"]
        completed = [trial for trial in previous.trials if trial.objective is not None] if previous else []
        warm = request.get("WarmStartConfig", {"WarmStartType": _WARM_START["identical"]})
        if previous is None or not completed or config["Strategy"] not in ("Bayesian", "Random"):
            return None
        if warm["WarmStartType"] != _WARM_START["identical"]:
            return None
        limits = config["ResourceLimits"]
        # The previous tuning may itself have resumed another one with fewer jobs.
        remaining = max(1, (previous.max_jobs or limits["MaxNumberOfTrainingJobs"]) - len(completed))
        names = [*previous.parents, previous.job_name][-_MAX_PARENTS:]
        return {
            **request,
            "HyperParameterTuningJobConfig": {
                **config,
                "ResourceLimits": {**limits, "MaxNumberOfTrainingJobs": remaining},
            },
            "WarmStartConfig": {
                **warm,
                "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": name} for name in names],
            },
        }

    def list_metric_patterns(self, request: Mapping[str, Any]) -> dict[str, str]:
        """Return the metrics of each training job."""
        return TRAINING.list_metric_patterns(request["TrainingJobDefinition"])

    def read_instances(self, request: Mapping[str, Any]) -> JobInstances:
        """Return the instances of one training job, and the maximum number of jobs."""
        config = request["HyperParameterTuningJobConfig"]
        return replace(
            TRAINING.read_instances(request["TrainingJobDefinition"]),
            jobs=config["ResourceLimits"]["MaxNumberOfTrainingJobs"],
            may_end_before="TuningJobCompletionCriteria" in config,
            stops_jobs=config["TrainingJobEarlyStoppingType"] == "Auto" or config["Strategy"] == "Hyperband",
        )

    @property
    def worker(self) -> TrainingKind:
        """Kind of the training jobs, which do the work."""
        return TRAINING

    @property
    def seconds_figure_name(self) -> str:
        """Name of the figure of a training: the seconds of the training jobs count."""
        return TRAINING.seconds_figure_name

    def list_running_jobs(self, record: RunRecord) -> dict[str, datetime]:
        """Return the training jobs whose scripts run."""
        return {trial.job_name: trial.working_since for trial in record.trials if trial.working_since}

    def derive_fields(self, run: Run[TuningSpec]) -> dict[str, Any]:
        """Return the derived fields of the best model."""
        return TRAINING.derive_fields(Run(run.spec.job, run.platform, run.image, run.source_digest, run.channels))

    def describe(self, record: RunRecord, sagemaker: Client) -> Mapping[str, Any]:
        """Return the description of the tuning, with its training jobs as `Trials` and the best one as `Best`."""
        description: dict[str, Any] = dict(super().describe(record, sagemaker))
        description["Trials"] = trials.list_trials(record, sagemaker)
        description["Best"] = trials.find_best_job(description, sagemaker)
        return description

    def read_record_fields(self, description: Mapping[str, Any]) -> dict[str, Any]:
        """Return the training jobs, and the model, metrics and parents of the best one."""
        best = description["Best"]
        parents = description.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", [])
        names = [trial.job_name for trial in description["Trials"]]
        best_fields = TRAINING.read_record_fields(best) if best else {}
        return {
            "started_at": description.get("CreationTime"),
            "failure_reason": trials.explain_failure(description),
            "trials": description["Trials"],
            "children": names,
            "max_jobs": description["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"],
            "best": best["TrainingJobName"] if best else None,
            "parents": [parent["HyperParameterTuningJobName"] for parent in parents],
            "model": best_fields.get("model"),
            "metrics": best_fields.get("metrics", {}),
            "interruptions": sum(trial.interruptions for trial in description["Trials"]),
        }

    def read_seconds(self, description: Mapping[str, Any]) -> tuple[RunFigure | None, RunFigure | None]:
        """Return the seconds of all training jobs together."""
        jobs: list[TuningTrial] = description["Trials"]
        running, billable = (
            make_measured_figure(sum(values), "s", f"DescribeTrainingJob: {member}, {len(values)} jobs together")
            if (values := [value for job in jobs if (value := getattr(job, field)) is not None])
            else None
            for field, member in (
                ("training_seconds", "TrainingTimeInSeconds"),
                ("billable_seconds", "BillableTimeInSeconds"),
            )
        )
        return running, billable

    def compute_figures(self, description: Mapping[str, Any], record: RunRecord) -> dict[str, RunFigure]:
        """Return the figures, with the savings of early stopping."""
        return super().compute_figures(description, record) | dict(trials.estimate_savings(description["Trials"]))


TUNING = TuningKind()


def _replace_record_paths(spec: TuningSpec, path: Path) -> TuningSpec:
    """Replace parents that are record files by their job names. Raises UserError for an invalid record."""
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
                f"{path}: warm_start.parents: the record {file} does not exist; write the name of the "
                "tuning job, or the path of its record"
            )
        record = read_record_file(file)
        if record.kind != TuningKind.name:
            raise UserError(
                f"{path}: warm_start.parents: {file} is the record of a {record.kind} job; write the path of the "
                "record of a tuning job"
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
        if aws.read_error_code(error) not in ("ResourceNotFound", "ValidationException"):
            raise
        raise UserError(f"warm_start.parents: the tuning job {name} does not exist; correct or remove it") from None
    if status not in STATUSES["HyperParameterTuningJobStatus"].ended:
        raise UserError(f"warm_start.parents: {name} is {status}; wait until it has ended")


def _load_tuning(path: Path) -> TuningSpec:
    """Load the tuning at `path` with its job file. Raises UserError.

    Paths of the job file become relative to `path`.
    """
    tuning = load_spec_file(path, TuningSpec)
    training = tuning.training
    if isinstance(training, str):
        file = path.parent / training
        training = load_spec_file(file, TrainingSpec)
        directory = os.path.relpath(file.parent / training.source.directory, path.parent)
        training = training.model_copy(update={"source": training.source.model_copy(update={"directory": directory})})
    if tuning.objective.metric not in training.metrics:
        hint = did_you_mean(tuning.objective.metric, training.metrics)
        raise UserError(f"{path}: objective.metric: the training has no metric {tuning.objective.metric}{hint}")
    return tuning.model_copy(update={"training": training})
