"""The record of an execution: what it was given, what each step did and took, and what earlier results saved."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field

from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.record import RunRecord, write_atomically
from sustainable_mlops.settings import Settings, parse_json

SUCCEEDED = "Succeeded"
#: PipelineExecutionStatus of what will not change any more.
ENDED = (SUCCEEDED, "Failed", "Stopped", "CompletedWithFailures")


class PipelineStepRecord(Settings):
    """A step that has begun, or whose result was there."""

    model_config = ConfigDict(extra="ignore")

    name: str
    type: str
    status: str = Field(description="StepStatus.")
    cached_from: str | None = Field(None, description="ARN of the execution whose result it is.")
    reason: str | None = Field(None, description="Why it failed, or which way a condition went.")
    attempts: int = 1
    started_at: datetime | None = None
    ended_at: datetime | None = None
    job: RunRecord | None = Field(None, description="What it ran; of a result that was there, what ran for it.")

    @property
    def ran_job(self) -> bool:
        """Whether it ran a job."""
        return self.job is not None and self.cached_from is None


class PipelineRecord(Settings):
    """An execution."""

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
    parameters: dict[str, str] = Field({}, description="What it was given, in place of the version's defaults.")
    steps: list[PipelineStepRecord] = Field([], description="In the order in which they began.")
    model_package: str | None = Field(None, description="ARN of what it registered.")
    expected: dict[str, RunFigure] = Field({}, description="What it was expected to take if nothing was there already.")
    figures: dict[str, RunFigure] = Field({}, description="What the steps took that ran.")
    saved: dict[str, RunFigure] = Field({}, description="What the steps took, when they ran, whose results were there.")

    @property
    def is_ended(self) -> bool:
        """Whether it will not change any more."""
        return self.status in ENDED

    @property
    def reason(self) -> str:
        """Why it did not succeed: of SageMaker's own reason, that one of its steps failed, the step's."""
        failed = [f"{step.name}: {step.reason}" for step in self.steps if step.status == "Failed" and step.reason]
        return " ".join(("; ".join(failed) or self.failure_reason or "").split())

    @property
    def execution(self) -> str:
        """The execution's own part of its ARN."""
        return self.execution_arn.rpartition("/")[2]

    @property
    def name(self) -> str:
        """What its file is called."""
        return f"{self.pipeline}-{self.execution}"

    def to_json(self) -> str:
        """The record as it is stored."""
        return self.model_dump_json(indent=2) + "\n"


def parse_record(text: str | bytes, source: str) -> PipelineRecord:
    """A stored record; `source` names it in messages. Raises UserError."""
    return parse_json(text, PipelineRecord, source)


def write_record(record: PipelineRecord, out: Path) -> Path:
    """Write `<out>/runs/<pipeline>-<execution>.json`, whole or not at all, and return its path. Raises UserError."""
    return write_atomically(record.name, record.to_json(), out)
