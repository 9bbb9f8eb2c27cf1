"""One asynchronous request, from when it is accepted until it is told how it ended."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sagemaker_sandbox.parts.resources import Fields


@dataclass
class AsyncOutcome:
    """How a request ended: what the model said, or why there is nothing of it. `failure` is empty for a success, and
    `detail` what the log says of a failure where it says more."""

    variant: str
    body: bytes | None = None
    content_type: str = ""
    failure: str = ""
    detail: str = ""


@dataclass(eq=False)
class AsyncRequest:
    """`asked` is what InvokeEndpointAsync was asked. Once there is an outcome, it stays: what has been decided is told
    again after a restart, never asked again."""

    #: The defaults of the API reference.
    TTL: ClassVar = 21_600
    TIMEOUT: ClassVar = 900

    endpoint: str
    inference_id: str
    parameters: Fields
    received: datetime
    output: str | None
    failure: str | None
    outcome: AsyncOutcome | None = None

    @property
    def expires(self) -> datetime:
        """When it has waited for too long."""
        return self.received + timedelta(seconds=self.parameters.get("RequestTTLSeconds", self.TTL))

    @property
    def timeout_seconds(self) -> float:
        """How long the model may take, in seconds."""
        return float(self.parameters.get("InvocationTimeoutSeconds", self.TIMEOUT))

    def to_data(self) -> Fields:
        """All of it as plain data."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Fields) -> "AsyncRequest":
        """What `data` was taken from."""
        outcome = data["outcome"]
        return cls(**data | {"outcome": None if outcome is None else AsyncOutcome(**outcome)})
