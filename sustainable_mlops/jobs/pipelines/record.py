"""The record of an execution: parameters, steps with their figures, and the savings of cached results."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field

from sustainable_mlops.aws.statuses import STATUSES
from sustainable_mlops.base.settings import Settings, parse_json
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.pipelines.parameters import START_REASON
from sustainable_mlops.jobs.record import RunRecord, write_atomically

SUCCEEDED = "Succeeded"


class PipelineStepRecord(Settings):
    """A step that has started, or whose result was cached."""

    model_config = ConfigDict(extra="ignore")

    name: str
    type: str
    status: str = Field(description="StepStatus.")
    cached_from: str | None = Field(None, description="ARN of the execution whose result was reused.")
    reason: str | None = Field(None, description="Reason of a failure, or outcome of a condition.")
    attempts: int = 1
    started_at: datetime | None = None
    ended_at: datetime | None = None
    job: RunRecord | None = Field(None, description="Job of the step; for a cached result, the job that produced it.")

    @property
    def ran_job(self) -> bool:
        """True if the step ran a job."""
        return self.job is not None and self.cached_from is None


class PipelineRecord(Settings):
    """The record of an execution."""

    model_config = ConfigDict(extra="ignore", ser_json_inf_nan="strings")

    version: Literal[1] = 1
    kind: Literal["pipeline"] = "pipeline"
    workload: str
    environment: str
    region: str
    pipeline: str
    pipeline_version: int | None = None
    execution_arn: str
    status: str = Field(description="PipelineExecutionStatus.")
    failure_reason: str | None = None
    launched_at: datetime
    ended_at: datetime | None = None
    parameters: dict[str, str] = Field({}, description="Parameters that replace the version's defaults.")
    steps: list[PipelineStepRecord] = Field([], description="Steps in the order of their start.")
    model_package: str | None = Field(None, description="ARN of the registered model package.")
    expected: dict[str, RunFigure] = Field({}, description="Estimate before the start, without cached results.")
    figures: dict[str, RunFigure] = Field({}, description="Figures of the steps that ran.")
    saved: dict[str, RunFigure] = Field({}, description="Figures of the earlier runs of cached steps.")

    @property
    def is_ended(self) -> bool:
        """True if the status is final."""
        return self.status in STATUSES["PipelineExecutionStatus"].final

    @property
    def reason(self) -> str:
        """Reason of the failure: the reasons of failed steps, or else SageMaker's reason."""
        failed = [f"{step.name}: {step.reason}" for step in self.steps if step.status == "Failed" and step.reason]
        return " ".join(("; ".join(failed) or self.failure_reason or "").split())

    @property
    def start_reason(self) -> str | None:
        """Reason that the alarm on drift gives for the start; None for other starts."""
        return self.parameters.get(START_REASON)

    @property
    def execution(self) -> str:
        """Last part of the execution's ARN."""
        return self.execution_arn.rpartition("/")[2]

    @property
    def name(self) -> str:
        """Name of the record's file."""
        return f"{self.pipeline}-{self.execution}"

    def to_json(self) -> str:
        """Return the record as stored."""
        return self.model_dump_json(indent=2) + "\n"


def parse_record(text: str | bytes, source: str) -> PipelineRecord:
    """Parse a stored record; `source` names it in messages. Raises UserError."""
    return parse_json(text, PipelineRecord, source)


def write_record(record: PipelineRecord, out: Path) -> Path:
    """Write `<out>/runs/<pipeline>-<execution>.json` atomically and return its path. Raises UserError."""
    return write_atomically(record.name, record.to_json(), out)
