"""What one request tells of itself, metric by metric."""

from collections.abc import Iterator
from dataclasses import dataclass

from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.runtime.container_invocation import InvocationTimings

_MICROSECONDS = 1e6


@dataclass(frozen=True)
class CompletedRequest:
    """One that is over. `status` is the container's, 0 where it did not answer; times are in seconds."""

    status: int
    seconds: float
    took: InvocationTimings
    #: Those under way at once at its instance when it came, itself included, and the instances that there were.
    at_once: int
    instances: int
    #: The container that it was sent to, where one was named.
    container: str = ""

    def metrics(self, serverless: Fields | None) -> Iterator[tuple[str, float]]:
        """The variant's; those that its kind does not have are among them."""
        yield from self._counts()
        yield "InvocationsPerInstance", 1 / max(self.instances, 1)
        yield "InvocationModelErrors", float(self.status != 200)
        yield "ModelLatency", _microseconds(self.took.model)
        yield "OverheadLatency", _microseconds(self.seconds - self.took.model)
        if serverless is not None:
            yield from self._serverless(serverless)
        yield from self._multi_model()

    def container_metrics(self) -> Iterator[tuple[str, str, float]]:
        """Of each container of several, its name first."""
        if len(self.took.containers) < 2 and not self.container:
            return
        for container, seconds in self.took.containers.items():
            yield container, "ContainerLatency", _microseconds(seconds)
            if self.container:
                yield container, "OverheadLatency", _microseconds(self.seconds - self.took.model)
                for name, value in self._counts():
                    yield container, name, value

    def _counts(self) -> Iterator[tuple[str, float]]:
        yield "Invocations", 1.0
        yield "Invocation4XXErrors", float(400 <= self.status < 500)
        # No answer is one that the runtime gives for the container, and that is a server's error.
        yield "Invocation5XXErrors", float(self.status >= 500 or self.status == 0)

    def _serverless(self, serverless: Fields) -> Iterator[tuple[str, float]]:
        yield "ServerlessConcurrentExecutionsUtilization", self.at_once / serverless["MaxConcurrency"]
        if self.took.setup is not None:
            yield "ModelSetupTime", _microseconds(self.took.setup)
        if provisioned := serverless.get("ProvisionedConcurrency", 0):
            handled = min(self.at_once, provisioned)
            by = "Invocations" if self.took.provisioned else "SpilloverInvocations"
            yield "ServerlessProvisionedConcurrencyExecutions", float(handled)
            yield "ServerlessProvisionedConcurrencyUtilization", handled / provisioned
            yield f"ServerlessProvisionedConcurrency{by}", 1.0

    def _multi_model(self) -> Iterator[tuple[str, float]]:
        if self.took.cache_hit is not None:
            yield "ModelCacheHit", float(self.took.cache_hit)
        for name, seconds in (
            ("ModelLoadingWaitTime", self.took.model_waiting),
            ("ModelDownloadingTime", self.took.model_downloading),
            ("ModelLoadingTime", self.took.model_loading),
            ("ModelUnloadingTime", self.took.model_unloading),
        ):
            if seconds is not None:
                yield name, _microseconds(seconds)


def _microseconds(seconds: float) -> float:
    return float(round(max(seconds, 0) * _MICROSECONDS))
