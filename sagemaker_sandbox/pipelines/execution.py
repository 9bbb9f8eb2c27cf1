"""State of an execution: plain data, which can be saved and restored."""

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from sagemaker_sandbox.pipelines.services import Fields

#: Trigger of a dependent step by the final status of a step.
TRIGGERS = {"Succeeded": "Completed", "Failed": "Failed", "Stopped": "Stopped"}
FINAL = ("Succeeded", "Failed", "Stopped", "CompletedWithFailures")


def now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class StepRecord:
    """A step that has started. A change creates a new record, so that readers always see a consistent one."""

    name: str
    type: str
    status: str = "Starting"
    start_time: datetime = field(default_factory=now)
    end_time: datetime | None = None
    attempts: int = 1
    reason: str | None = None
    #: Metadata of ListPipelineExecutionSteps.
    metadata: Fields = field(default_factory=dict)
    #: Value of `Get` at `Steps.<name>`.
    properties: Fields = field(default_factory=dict)
    #: Name of the step's job, or token of its callback.
    job: str | None = None
    cache_key: str | None = None
    #: Sandbox's time of the end. The cached result expires some time after it.
    cached_at: datetime | None = None
    #: ARN of the execution whose result was reused: from the cache, or by a selective execution.
    cache_source: str | None = None
    reused_from: str | None = None
    #: Time of the next attempt.
    retry_at: datetime | None = None
    #: Items of a ForEach step. A step in its body has the name of the ForEach step, the item and its index.
    items: tuple[Any, ...] | None = None
    parent: str | None = None
    index: int | None = None
    item: Any = None

    @property
    def is_over(self) -> bool:
        """True after the end."""
        return self.status in TRIGGERS

    @property
    def definition_name(self) -> str:
        """Name of the step in the definition."""
        return self.name if self.index is None else self.name.removesuffix(f"-{self.index}")


@dataclass
class PipelineExecution:
    """One execution of a pipeline. Only its runner changes it; `status` changes last."""

    id: str
    arn: str
    pipeline_name: str
    pipeline_arn: str
    definition: str
    #: Values of all parameters in their types, and the texts of the start request.
    parameters: dict[str, Any] = field(default_factory=dict)
    parameter_texts: dict[str, str] = field(default_factory=dict)
    version: int = 1
    #: SelectiveExecutionConfig of the request.
    selective: Fields | None = None
    #: ClientRequestTokens of the start and of the retries.
    tokens: list[str] = field(default_factory=list)
    max_parallel: int | None = None
    created: datetime = field(default_factory=now)
    modified: datetime = field(default_factory=now)
    display_name: str | None = None
    description: str | None = None
    #: Records by step name, in the order of their start.
    records: dict[str, StepRecord] = field(default_factory=dict)
    #: Steps that will not start.
    skipped: set[str] = field(default_factory=set)
    experiment: Fields | None = None
    mlflow: Fields = field(default_factory=dict)
    is_stopping: bool = False
    #: Message of the Fail step that ended the execution.
    fail_message: str | None = None
    reason: str | None = None
    status: str = "Executing"

    @property
    def is_over(self) -> bool:
        """True after the end."""
        return self.status in FINAL

    @property
    def is_ending(self) -> bool:
        """True if no more steps start."""
        return self.is_stopping or self.fail_message is not None

    def list_running(self) -> list[StepRecord]:
        """Return the steps that have started and not ended."""
        return [record for record in list(self.records.values()) if not record.is_over]

    def prepare_retry(self) -> None:
        """Discard all records but the records of successful steps."""
        self.records = {name: record for name, record in self.records.items() if record.status == "Succeeded"}
        self.skipped, self.is_stopping, self.fail_message, self.reason = set(), False, None, None
        self.status = "Executing"

    def to_data(self) -> Fields:
        """Return the execution as plain data, while its runner may change it."""
        members = {item.name: getattr(self, item.name) for item in fields(self)}
        records = [dict(vars(record)) for record in list(self.records.values())]
        return members | {"records": records, "skipped": list(self.skipped), "tokens": list(self.tokens)}

    @classmethod
    def from_data(cls, data: Fields) -> "PipelineExecution":
        """Return the execution of `to_data`."""
        records = {record["name"]: StepRecord(**record) for record in data["records"]}
        return cls(**data | {"records": records, "skipped": set(data["skipped"])})
