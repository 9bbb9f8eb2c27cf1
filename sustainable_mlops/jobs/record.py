"""The record of a run: inputs, results, duration and footprint, stored as JSON beside the run's artifacts."""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, ConfigDict, Field, computed_field

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.aws.arn import Arn
from sustainable_mlops.aws.s3 import S3Uri, is_s3
from sustainable_mlops.aws.statuses import FINAL_JOB_STATUSES
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.files import read_text, write_file
from sustainable_mlops.base.settings import Settings, parse_json
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.measurement.comparison import EstimateComparison, compare_quantities
from sustainable_mlops.jobs.measurement.counters import CounterReadings
from sustainable_mlops.jobs.specs.common import Scalar
from sustainable_mlops.jobs.specs.training import AdditionalServingSpec, ServingSpec


class DataSet(Settings):
    """A channel's data at the start of the run."""

    address: str
    objects: int
    size_bytes: int
    digest: str
    #: Records of earlier versions have the key `dealt_out`.
    is_sharded: bool = Field(
        False,
        validation_alias=AliasChoices("is_sharded", "dealt_out"),
        description="True if each instance receives a shard of the objects.",
    )


class ResolvedAdditionalServing(AdditionalServingSpec):
    """Another way to serve the model, with the address of its image."""

    image: str


class ResolvedServing(ServingSpec):
    """Serving of the model, with the address of its image."""

    image: str
    additional: Mapping[str, ResolvedAdditionalServing] = {}


class TuningTrial(Settings):
    """A training job of a tuning job."""

    model_config = ConfigDict(extra="ignore", ser_json_inf_nan="strings")

    job_name: str
    status: str
    failure_reason: str | None = None
    hyperparameters: dict[str, str] = Field(description="Tuned hyperparameters.")
    objective: float | None = Field(None, description="Last value of the objective.")
    working_since: datetime | None = Field(
        None, description="Start time of the script; set only while the script runs."
    )
    training_seconds: int | None = None
    billable_seconds: int | None = None
    interruptions: int = 0

    @property
    def is_ended(self) -> bool:
        """True if the status of the job is final."""
        return self.status in FINAL_JOB_STATUSES


class RunRecord(Settings):
    """The record of a run."""

    model_config = ConfigDict(extra="ignore", ser_json_inf_nan="strings")

    version: Literal[1] = 1
    kind: str = Field("training", description="Kind of job, see KINDS.")
    run_key: str
    workload: str
    environment: str
    region: str
    job_name: str
    job_arn: str | None = None
    status: str = Field(description="Status in SageMaker: InProgress, Completed, Failed, Stopping, Stopped.")
    secondary_status: str = ""
    failure_reason: str | None = None
    launched_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    working_since: datetime | None = Field(
        None, description="Start time of the script; set only while the script runs."
    )
    resumed: bool = Field(False, description="True if the job continues from results of an earlier job of the run.")
    stopped: dict[str, str] = Field(
        {}, description="Reason for each job that the launcher stopped: this job or a child, by name."
    )
    spot: bool
    interruptions: int = Field(0, description="Number of spot interruptions.")
    image: str
    instance_type: str
    instance_count: int
    source: str | None = Field(None, description="Address of the packed source.")
    source_digest: str | None = None
    data: dict[str, DataSet]
    hyperparameters: dict[str, Scalar] = Field({}, description="Parameters of the script.")
    checkpoints: str | None = None
    model: str | None = Field(None, description="Address of model.tar.gz.")
    outputs: dict[str, str] = Field({}, description="Address of each named output.")
    sagemaker_model: str | None = Field(None, description="Batch transform: SageMaker model that predicts.")
    stops_after: int | None = Field(
        None, description="Seconds after which the launcher that follows the job stops it, if SageMaker has no limit."
    )
    children: list[str] = Field([], description="Names of the jobs that this one started.")
    max_jobs: int | None = Field(None, description="Tuning: maximum number of jobs.")
    trials: list[TuningTrial] = Field([], description="Tuning: its training jobs and their results.")
    best: str | None = Field(None, description="Tuning: the job that trained the model.")
    parents: list[str] = Field([], description="Earlier tuning jobs whose results the tuning job started with.")
    metrics: dict[str, float] = Field({}, description="Last value of each metric, as SageMaker read it from the log.")
    warnings: list[str] = Field([], description="Missing results of a completed job: a metric, a model, an output.")
    figures: dict[str, RunFigure] = Field({})
    expected: dict[str, RunFigure] = Field({}, description="Estimate before the launch; see comparisons.")
    calibration: float | None = Field(
        None, description="Factor of a calibration file that the carbon figures contain; null without a file."
    )
    measured: CounterReadings | None = Field(None, description="Values of counters in the container.")
    serving: ResolvedServing | None = None
    model_package_group: str | None = None
    tags: dict[str, str] = Field({})

    @property
    def account(self) -> str | None:
        """Account of the job; None before the job exists."""
        arn = Arn.parse_or_none(self.job_arn or "")
        return None if arn is None else arn.account

    @computed_field(description="Estimates and measurements of a completed run.")  # type: ignore[prop-decorator]
    @property
    def comparisons(self) -> list[EstimateComparison]:
        """Comparisons of estimates with measurements; empty unless the job has completed."""
        if self.status != "Completed":
            return []
        return compare_quantities(self.expected, self.measured, self.seconds, self.instance_count)

    @property
    def seconds(self) -> RunFigure | None:
        """Seconds that the instances ran (of a tuning job: all its training jobs); None while unknown."""
        return self.figures.get(f"{self.kind}_seconds", self.figures.get("training_seconds"))

    @property
    def is_ended(self) -> bool:
        """True if the status of the job is final."""
        return self.status in FINAL_JOB_STATUSES

    @property
    def results(self) -> list[str]:
        """Addresses, or address prefixes, of everything that the job wrote."""
        return [*self.outputs.values(), *([self.model] if self.model else [])]

    def to_json(self) -> str:
        """Return the record as stored."""
        return self.model_dump_json(indent=2) + "\n"


def parse_record(text: str | bytes, source: str) -> RunRecord:
    """Parse a stored record; `source` names it in messages. Raises UserError."""
    execution = parse_execution_record(text)
    if execution is not None:
        raise UserError(
            f"{source}: is the record of a pipeline execution, not of a job; {_describe_registration(execution)}"
        )
    return parse_json(text, RunRecord, source)


def parse_execution_record(text: str | bytes) -> dict[str, Any] | None:
    """Return the record of a pipeline execution as a dictionary; None if the text is something else."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) and document.get("kind") == "pipeline" else None


def _describe_registration(execution: Mapping[str, Any]) -> str:
    """Describe the model package of an execution, and the command that approves it."""
    package = execution.get("model_package")
    if package is None:
        return "the execution registered no model"
    return (
        f"its model is already registered; approve it with: aws sagemaker update-model-package "
        f"--model-package-arn {package} --model-approval-status Approved --approval-description REASON "
        f"--region {package.split(':')[3]}"
    )


def read_record_file(path: Path) -> RunRecord:
    """Read the record in a file. Raises UserError."""
    return parse_record(read_text(path), str(path))


def load_record(address: str, s3: Client) -> RunRecord:
    """Load the record at an s3:// address or in a file. Raises UserError."""
    if is_s3(address):
        bucket, key = S3Uri.parse(address)
        with aws.translate_aws_errors(f"reading {address}"):
            return parse_record(s3.get_object(Bucket=bucket, Key=key)["Body"].read(), address)
    return read_record_file(Path(address))


def make_record_folder(out: Path) -> Path:
    """Create `<out>/runs`, the folder of local records, and return it. Raises UserError if it is not writable."""
    folder = out / "runs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--out: {folder} cannot be created: {error.strerror}; pass another folder") from None
    if not os.access(folder, os.W_OK):
        raise UserError(f"--out: {folder} is not writable; pass another folder")
    return folder


def write_record(record: RunRecord, out: Path) -> Path:
    """Write `<out>/runs/<job>.json` atomically and return its path. Raises UserError."""
    return write_atomically(record.job_name, record.to_json(), out)


def write_atomically(name: str, text: str, out: Path) -> Path:
    """Write `<out>/runs/<name>.json` atomically and return its path. Raises UserError."""
    path = make_record_folder(out) / f"{name}.json"
    write_file(path, text)
    return path
