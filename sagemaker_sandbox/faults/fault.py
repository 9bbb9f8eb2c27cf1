"""A fault as it is asked for."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

SAGEMAKER = "sagemaker"
#: The longest delay, in seconds: nobody waits longer on purpose.
_LONGEST = 3600.0


class Fault(BaseModel):
    """One thing that is to go wrong: a request refused or slow to be answered, or what it makes slow or failed."""

    model_config = ConfigDict(extra="forbid")
    operation: str = Field(
        min_length=1,
        description="Operation of SageMaker, such as CreateTrainingJob, or of another service: s3:PutObject.",
    )
    error: str | None = Field(
        None, description="Code that the request is refused with, or how what it makes fails: CapacityError, Failed."
    )
    message: str | None = Field(None, description="In the words of the error, or FailureReason; AWS's by default.")
    times: int = Field(1, ge=1, description="How often; a client's retry counts as another request.")
    resource: str = Field("", description="Part of a name or path in the request; empty matches all.")
    delay: float = Field(0, ge=0, le=_LONGEST, description="Seconds before the request is answered.")
    status_delay: float = Field(
        0, ge=0, le=_LONGEST, description="Seconds for which what is made stays Creating, Updating or Starting longer."
    )
    after_checkpoints: int | None = Field(
        None, ge=0, description="For SpotInterruption: checkpoint files in S3 by then, 1 by default; 0 is at once."
    )

    @property
    def service(self) -> str:
        """botocore's name of the service."""
        return self.operation.partition(":")[0] if ":" in self.operation else SAGEMAKER

    @property
    def name(self) -> str:
        """The operation's own name."""
        return self.operation.rpartition(":")[2]

    def left(self) -> Self:
        """The same, once less."""
        return self.model_copy(update={"times": self.times - 1})

    def __str__(self) -> str:
        words = [f"{self.operation}, {self.times} {'time' if self.times == 1 else 'times'}"]
        if self.resource:
            words.append(f"where a name holds '{self.resource}'")
        if self.delay:
            words.append(f"answered after {self.delay:g} s")
        if self.status_delay:
            words.append(f"{self.status_delay:g} s longer under way")
        if self.error:
            words.append(
                self.error + (f" after {self.after_checkpoints} checkpoints" if self.after_checkpoints else "")
            )
        return ", ".join(words)
