"""The definition of a fault."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

SAGEMAKER = "sagemaker"
#: Longest delay, in seconds.
_MAX_SECONDS = 3600.0


class Fault(BaseModel):
    """One injected fault: a request that fails or is delayed, or a resource that fails or takes longer."""

    model_config = ConfigDict(extra="forbid")
    operation: str = Field(
        min_length=1,
        description="Operation of SageMaker, such as CreateTrainingJob, or of another service, such as s3:PutObject.",
    )
    error: str | None = Field(
        None, description="Error code of the response, or failure of the created resource: CapacityError, Failed."
    )
    message: str | None = Field(None, description="Message of the error, or FailureReason. AWS's message by default.")
    times: int = Field(1, ge=1, description="Number of requests. A client's retry counts as a request.")
    resource: str = Field("", description="Part of a name or path in the request. Empty matches all requests.")
    skip: int = Field(0, ge=0, description="Number of matching requests that succeed before the fault.")
    after_effect: bool = Field(
        False, description="Carry out the request first. Then return the error; without an error, close the connection."
    )
    delay: float = Field(0, ge=0, le=_MAX_SECONDS, description="Delay of the response, in seconds.")
    status_delay: float = Field(
        0, ge=0, le=_MAX_SECONDS, description="Additional time in Creating, Updating or Starting, in seconds."
    )
    after_checkpoints: int | None = Field(
        None,
        ge=0,
        description="For SpotInterruption: number of checkpoint files in S3 before it, 1 by default. 0 is immediately.",
    )

    @property
    def service(self) -> str:
        """botocore's name of the service."""
        return self.operation.partition(":")[0] if ":" in self.operation else SAGEMAKER

    @property
    def operation_name(self) -> str:
        """Name of the operation without the service."""
        return self.operation.rpartition(":")[2]

    def skip_once(self) -> Self:
        """Return the fault with one request fewer to skip."""
        return self.model_copy(update={"skip": self.skip - 1})

    def use_once(self) -> Self:
        """Return the fault with one use fewer."""
        return self.model_copy(update={"times": self.times - 1})

    def __str__(self) -> str:
        words = [f"{self.operation}, {self.times} {'time' if self.times == 1 else 'times'}"]
        if self.resource:
            words.append(f"if a name contains '{self.resource}'")
        if self.skip:
            words.append(f"after {self.skip} {'request' if self.skip == 1 else 'requests'}")
        if self.after_effect:
            words.append("after its effect" if self.error else "response lost after its effect")
        if self.delay:
            words.append(f"response delayed by {self.delay:g} s")
        if self.status_delay:
            words.append(f"status delayed by {self.status_delay:g} s")
        if self.error:
            words.append(
                self.error + (f" after {self.after_checkpoints} checkpoints" if self.after_checkpoints else "")
            )
        return ", ".join(words)
