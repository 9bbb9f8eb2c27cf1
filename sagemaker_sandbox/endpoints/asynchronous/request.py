"""An asynchronous request, from acceptance to delivery of its outcome."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sagemaker_sandbox.resources.resources import Fields


@dataclass
class AsyncOutcome:
    """Outcome of a request: the response of the model, or a failure.

    `failure` is empty for a success. `detail` is a longer failure text for the log, where there is one.
    """

    variant: str
    body: bytes | None = None
    content_type: str = ""
    failure: str = ""
    detail: str = ""


@dataclass(eq=False)
class AsyncRequest:
    """An asynchronous request. `parameters` are the parameters of InvokeEndpointAsync.

    Once there is an outcome, it is final: after a restart it is delivered again, and the model is not invoked again.
    """

    #: Defaults of the API reference, in seconds.
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
        """Time at which the request expires if it still waits."""
        return self.received + timedelta(seconds=self.parameters.get("RequestTTLSeconds", self.TTL))

    @property
    def timeout_seconds(self) -> float:
        """Longest time for the model to respond."""
        return float(self.parameters.get("InvocationTimeoutSeconds", self.TIMEOUT))

    def to_data(self) -> Fields:
        """Return the request as plain data."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Fields) -> "AsyncRequest":
        """Build a request from the result of `to_data`."""
        outcome = data["outcome"]
        return cls(**data | {"outcome": None if outcome is None else AsyncOutcome(**outcome)})
