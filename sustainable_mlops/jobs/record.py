"""The record of a run: what went in, what came out, what it took. Kept as JSON beside the run's artefacts."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, computed_field

from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs import footprint
from sustainable_mlops.jobs.figure import Figure
from sustainable_mlops.jobs.measurement import measured as counters
from sustainable_mlops.jobs.measurement.comparison import Comparison, compare
from sustainable_mlops.jobs.measurement.measured import Measured
from sustainable_mlops.jobs.spec import Serving
from sustainable_mlops.settings import Settings, parse_json

ENDED = ("Completed", "Failed", "Stopped")


class DataSet(Settings):
    """A channel's data when the run began."""

    address: str
    objects: int
    size_bytes: int
    digest: str


class ServingSpec(Serving):
    """How the model is served, with the image that does it."""

    image: str


class RunRecord(Settings):
    """A run."""

    model_config = ConfigDict(extra="ignore", ser_json_inf_nan="strings")

    version: Literal[1] = 1
    kind: str = "training"
    run_key: str
    workload: str
    environment: str
    region: str
    job_name: str
    job_arn: str | None = None
    status: str = Field(description="TrainingJobStatus.")
    secondary_status: str = ""
    failure_reason: str | None = None
    launched_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    resumed: bool = Field(False, description="Whether an earlier job of the run had left checkpoints to go on from.")
    spot: bool
    interruptions: int = Field(0, description="Times that the spot instances were taken back.")
    image: str
    instance_type: str
    instance_count: int
    source: str = Field(description="Address of the packed source.")
    source_digest: str
    data: dict[str, DataSet]
    hyperparameters: dict[str, str | bool | int | float]
    checkpoints: str | None
    model: str | None = Field(None, description="Address of model.tar.gz.")
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
        return compare(self.expected, self.measured, self.figures.get("training_seconds"), self.instance_count)

    @property
    def ended(self) -> bool:
        """Whether the job will not change any more."""
        return self.status in ENDED

    def to_json(self) -> str:
        """The record as it is stored."""
        return self.model_dump_json(indent=2) + "\n"

    def updated(self, description: Mapping[str, Any]) -> "RunRecord":
        """The record with what DescribeTrainingJob says now."""
        transitions = description.get("SecondaryStatusTransitions", [])
        own, values = counters.split({m["MetricName"]: m["Value"] for m in description.get("FinalMetricDataList", [])})
        measured = Measured.of_values(values, self.instance_count)
        return self.model_copy(
            update={
                "job_arn": description.get("TrainingJobArn"),
                "status": description["TrainingJobStatus"],
                "secondary_status": description.get("SecondaryStatus", ""),
                "failure_reason": description.get("FailureReason"),
                "started_at": description.get("TrainingStartTime"),
                "ended_at": description.get("TrainingEndTime"),
                "interruptions": sum(transition["Status"] == "Interrupted" for transition in transitions),
                "model": description.get("ModelArtifacts", {}).get("S3ModelArtifacts"),
                "metrics": own,
                "measured": measured,
                "figures": _figures(description, self, measured),
            }
        )


def _figures(description: Mapping[str, Any], record: RunRecord, measured: Measured | None) -> dict[str, Figure]:
    figures = {}
    training = description.get("TrainingTimeInSeconds")
    billable = description.get("BillableTimeInSeconds")
    volume_gb = description.get("ResourceConfig", {}).get("VolumeSizeInGB", 0)
    if training is not None:
        figures["training_seconds"] = _measured(training, "s", "DescribeTrainingJob: TrainingTimeInSeconds")
    if billable is not None:
        figures["billable_seconds"] = _measured(billable, "s", "DescribeTrainingJob: BillableTimeInSeconds")
        figures["instance_seconds"] = _measured(
            billable * record.instance_count, "instance s", "BillableTimeInSeconds x instance count"
        )
    if record.spot and training and billable is not None:
        # The formula of DescribeTrainingJob's API reference.
        figures["spot_saving_fraction"] = _measured(
            1 - billable / training, "of on-demand cost", "1 - BillableTimeInSeconds / TrainingTimeInSeconds"
        )
    if training is not None and billable is not None:
        figures |= footprint.figures(
            record.instance_type,
            record.instance_count,
            record.region,
            training,
            billable,
            spot=record.spot,
            volume_gb=volume_gb,
            measured=measured,
        )
    return figures


def _measured(value: float, unit: str, source: str) -> Figure:
    return Figure(value=float(value), unit=unit, basis="measured", source=source)


def read_record(text: str | bytes, source: str) -> RunRecord:
    """A stored record; `source` names it in messages. Raises UserError."""
    return parse_json(text, RunRecord, source)


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
    path = local_folder(out) / f"{record.job_name}.json"
    partial = path.with_suffix(".partial")
    partial.write_text(record.to_json(), encoding="utf-8")
    partial.replace(path)
    return path
