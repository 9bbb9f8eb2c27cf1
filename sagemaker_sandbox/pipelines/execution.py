"""What is known of an execution: plain data, which can be kept and taken up again."""

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from sagemaker_sandbox.pipelines.outside import Fields

#: How a step has ended to what a dependent step says of it in its Trigger.
ENDS = {"Succeeded": "Completed", "Failed": "Failed", "Stopped": "Stopped"}
OVER = ("Succeeded", "Failed", "Stopped", "CompletedWithFailures")


def now() -> datetime:
    """The present moment, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class StepRecord:
    """A step that has been started. A change makes a new record, so that a reader sees all of it or nothing."""

    name: str
    type: str
    status: str = "Starting"
    started: datetime = field(default_factory=now)
    ended: datetime | None = None
    attempts: int = 1
    reason: str | None = None
    #: As ListPipelineExecutionSteps answers it.
    metadata: Fields = field(default_factory=dict)
    #: What `Get` reads at `Steps.<name>`.
    properties: Fields = field(default_factory=dict)
    #: The name of the job that runs for it, or the token of its callback.
    job: str | None = None
    cache_key: str | None = None
    #: The execution whose result was used: found in the cache, or named by a selective execution.
    cache_source: str | None = None
    reused_from: str | None = None
    #: When it is tried again.
    retry_at: datetime | None = None
    #: Of a ForEach step: its items. Of a step that runs for one: the ForEach step, the item and its index.
    items: tuple[Any, ...] | None = None
    parent: str | None = None
    index: int | None = None
    item: Any = None

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.status in ENDS

    @property
    def defined(self) -> str:
        """The name that the definition has for it."""
        return self.name if self.index is None else self.name.removesuffix(f"-{self.index}")


@dataclass
class Execution:
    """One run of a pipeline. Only its runner changes it; `status` is the last member to change."""

    id: str
    arn: str
    pipeline_name: str
    pipeline_arn: str
    definition: str
    #: The values of all parameters, each of its type, and those that were given, as they were.
    parameters: dict[str, Any] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    version: int = 1
    #: The selection, as it was asked for.
    selective: Fields | None = None
    #: ClientRequestTokens of the requests that started it and took it up again.
    tokens: list[str] = field(default_factory=list)
    max_parallel: int | None = None
    created: datetime = field(default_factory=now)
    modified: datetime = field(default_factory=now)
    display_name: str | None = None
    description: str | None = None
    #: In the order in which they were started.
    records: dict[str, StepRecord] = field(default_factory=dict)
    #: Steps that will not be started.
    skipped: set[str] = field(default_factory=set)
    experiment: Fields | None = None
    mlflow: Fields = field(default_factory=dict)
    stopping: bool = False
    #: The message of the Fail step that ends it.
    failing: str | None = None
    reason: str | None = None
    status: str = "Executing"

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.status in OVER

    @property
    def ending(self) -> bool:
        """Whether no step is started any more."""
        return self.stopping or self.failing is not None

    def running(self) -> list[StepRecord]:
        """The steps that have begun and not ended."""
        return [record for record in list(self.records.values()) if not record.over]

    def take_up_again(self) -> None:
        """Be as if only what has succeeded had been begun."""
        self.records = {name: record for name, record in self.records.items() if record.status == "Succeeded"}
        self.skipped, self.stopping, self.failing, self.reason = set(), False, None, None
        self.status = "Executing"

    def data(self) -> Fields:
        """All of it as plain data, whatever its runner does meanwhile."""
        members = {one.name: getattr(self, one.name) for one in fields(self)}
        records = [dict(vars(record)) for record in list(self.records.values())]
        return members | {"records": records, "skipped": list(self.skipped), "tokens": list(self.tokens)}

    @classmethod
    def of(cls, data: Fields) -> "Execution":
        """What `data` was taken from."""
        records = {record["name"]: StepRecord(**record) for record in data["records"]}
        return cls(**data | {"records": records, "skipped": set(data["skipped"])})
