"""The record of a run: what went in, what came out, what it took. Kept as JSON beside the run's artefacts."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, computed_field

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.aws.s3 import S3Uri, is_s3
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.figure import Figure
from sustainable_mlops.jobs.measurement.comparison import Comparison, compare
from sustainable_mlops.jobs.measurement.counters import Measured
from sustainable_mlops.jobs.specs.common import Scalar
from sustainable_mlops.jobs.specs.training import AdditionalServing, Serving
from sustainable_mlops.settings import Settings, parse_json

ENDED = ("Completed", "Failed", "Stopped")


class DataSet(Settings):
    """A channel's data when the run began."""

    address: str
    objects: int
    size_bytes: int
    digest: str
    dealt_out: bool = Field(False, description="Whether each of several instances gets a share of the objects.")


class AdditionalServingSpec(AdditionalServing):
    """The same on other machines, with the address of the image for these."""

    image: str


class ServingSpec(Serving):
    """How the model is served, with the address of the image that does it."""

    image: str
    additional: Mapping[str, AdditionalServingSpec] = {}


class Trial(Settings):
    """A training job of a tuning."""

    model_config = ConfigDict(extra="ignore", ser_json_inf_nan="strings")

    job_name: str
    status: str
    failure_reason: str | None = None
    hyperparameters: dict[str, str] = Field(description="Those that were tuned.")
    objective: float | None = Field(None, description="The objective's last value.")
    working_since: datetime | None = Field(None, description="While its script runs: when that began.")
    training_seconds: int | None = None
    billable_seconds: int | None = None
    interruptions: int = 0

    @property
    def ended(self) -> bool:
        """Whether the job will not change any more."""
        return self.status in ENDED


class RunRecord(Settings):
    """A run."""

    model_config = ConfigDict(extra="ignore", ser_json_inf_nan="strings")

    version: Literal[1] = 1
    kind: str = Field("training", description="Kind of job, see KINDS.")
    run_key: str
    workload: str
    environment: str
    region: str
    job_name: str
    job_arn: str | None = None
    status: str = Field(description="As SageMaker tells it: InProgress, Completed, Failed, Stopping, Stopped.")
    secondary_status: str = ""
    failure_reason: str | None = None
    launched_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    working_since: datetime | None = Field(None, description="While its script runs: when that began.")
    resumed: bool = Field(False, description="Whether it goes on from what an earlier job of the run had left.")
    stopped: dict[str, str] = Field({}, description="Job that the launcher has stopped, itself or a child, to why.")
    spot: bool
    interruptions: int = Field(0, description="Times that the spot instances were taken back.")
    image: str
    instance_type: str
    instance_count: int
    source: str | None = Field(None, description="Address of the packed source.")
    source_digest: str | None = None
    data: dict[str, DataSet]
    hyperparameters: dict[str, Scalar] = Field({}, description="What the script was given, by name.")
    checkpoints: str | None = None
    model: str | None = Field(None, description="Address of model.tar.gz.")
    outputs: dict[str, str] = Field({}, description="Address of each named output.")
    asks: str | None = Field(None, description="Of a batch transform: the model of SageMaker that predicts.")
    stops_after: int | None = Field(
        None, description="Seconds after which whoever follows the job stops it, where SageMaker knows no cap."
    )
    children: list[str] = Field([], description="Names of the jobs that this one started.")
    max_jobs: int | None = Field(None, description="Of a tuning: how many jobs it may start.")
    trials: list[Trial] = Field([], description="Of a tuning: what its children tried, and what came of it.")
    best: str | None = Field(None, description="Of a tuning: the job whose model and metrics these are.")
    parents: list[str] = Field([], description="Of a tuning: the tunings whose results it began with.")
    metrics: dict[str, float] = Field({}, description="Last value of each metric, as SageMaker read it from the log.")
    figures: dict[str, Figure] = Field({})
    expected: dict[str, Figure] = Field({}, description="What was estimated before the launch; see comparisons.")
    measured: Measured | None = Field(None, description="What was read from counters in the container.")
    serving: ServingSpec | None = None
    model_package_group: str | None = None
    tags: dict[str, str] = Field({})

    @computed_field(description="What was expected beside its counter, of a run that is complete.")  # type: ignore[prop-decorator]
    @property
    def comparisons(self) -> list[Comparison]:
        """What was expected beside its counter; none unless the job has completed."""
        if self.status != "Completed":
            return []
        return compare(self.expected, self.measured, self.seconds, self.instance_count)

    @property
    def seconds(self) -> Figure | None:
        """How long its machines ran, of a tuning its training jobs' together; None until that is known."""
        return self.figures.get(f"{self.kind}_seconds", self.figures.get("training_seconds"))

    @property
    def ended(self) -> bool:
        """Whether the job will not change any more."""
        return self.status in ENDED

    @property
    def results(self) -> list[str]:
        """Addresses, or what they start with, of all that the job left."""
        return [*self.outputs.values(), *([self.model] if self.model else [])]

    def to_json(self) -> str:
        """The record as it is stored."""
        return self.model_dump_json(indent=2) + "\n"


def read_record(text: str | bytes, source: str) -> RunRecord:
    """A stored record; `source` names it in messages. Raises UserError."""
    execution = execution_in(text)
    if execution is not None:
        raise UserError(f"{source}: is the record of a pipeline's execution, not of a job; {_registered(execution)}")
    return parse_json(text, RunRecord, source)


def execution_in(text: str | bytes) -> dict[str, Any] | None:
    """The record of an execution of a pipeline, unchecked; None for what is none."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) and document.get("kind") == "pipeline" else None


def _registered(execution: Mapping[str, Any]) -> str:
    """What became of its model, and how that is approved."""
    package = execution.get("model_package")
    if package is None:
        return "it has registered no model"
    return (
        f"its model is registered already, and this approves it: aws sagemaker update-model-package "
        f"--model-package-arn {package} --model-approval-status Approved --approval-description REASON"
    )


def read_file(path: Path) -> RunRecord:
    """The record in a file. Raises UserError."""
    try:
        return read_record(path.read_bytes(), str(path))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


def load_record(address: str, s3: Client) -> RunRecord:
    """The record at an s3:// address, or in a file. Raises UserError."""
    if is_s3(address):
        bucket, key = S3Uri.parse(address)
        with aws.translate_aws_errors(f"reading {address}"):
            return read_record(s3.get_object(Bucket=bucket, Key=key)["Body"].read(), address)
    return read_file(Path(address))


def local_folder(out: Path) -> Path:
    """`<out>/runs`, where local records are, made if need be. Raises UserError where it cannot be written to."""
    folder = out / "runs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--out: {folder} cannot be made: {error.strerror}; name another folder") from None
    if not os.access(folder, os.W_OK):
        raise UserError(f"--out: {folder} cannot be written to; name another folder")
    return folder


def write_local(record: RunRecord, out: Path) -> Path:
    """Write `<out>/runs/<job>.json`, whole or not at all, and return its path. Raises UserError."""
    return write_whole(record.job_name, record.to_json(), out)


def write_whole(name: str, text: str, out: Path) -> Path:
    """Write `<out>/runs/<name>.json`, whole or not at all, and return its path. Raises UserError."""
    path = local_folder(out) / f"{name}.json"
    partial = path.with_suffix(".partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise UserError(f"{path} cannot be written: {error.strerror}; make room, or name another --out") from None
    return path
