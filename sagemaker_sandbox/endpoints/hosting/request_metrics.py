"""Metrics of one completed request."""

from collections.abc import Iterator
from dataclasses import dataclass

from sagemaker_sandbox.jobs.runtime.container_invocation import InvocationTimings
from sagemaker_sandbox.resources.resources import Fields

_MICROSECONDS = 1e6


@dataclass(frozen=True)
class CompletedRequest:
    """A completed request. Times are in seconds.

    `status` is the status of the container; 0 means that the container did not respond.
    """

    status: int
    seconds: float
    timings: InvocationTimings
    #: Active requests at the instance on arrival, including this one; and the number of instances at that time.
    concurrent_requests: int
    instances: int
    #: Target container, if the request named one.
    container: str = ""

    def list_variant_metrics(self, serverless: Fields | None) -> Iterator[tuple[str, float]]:
        """Yield the metrics of the variant. The caller drops those that its kind does not have."""
        yield from self._list_counts()
        yield "InvocationsPerInstance", 1 / max(self.instances, 1)
        yield "InvocationModelErrors", float(self.status != 200)
        yield "ModelLatency", _to_microseconds(self.timings.model)
        yield "OverheadLatency", _to_microseconds(self.seconds - self.timings.model)
        if serverless is not None:
            yield from self._list_serverless_metrics(serverless)
        yield from self._list_multi_model_metrics()

    def list_container_metrics(self) -> Iterator[tuple[str, str, float]]:
        """Yield container name, metric name and value for multi-container endpoints."""
        if len(self.timings.containers) < 2 and not self.container:
            return
        for container, seconds in self.timings.containers.items():
            yield container, "ContainerLatency", _to_microseconds(seconds)
            if self.container:
                yield container, "OverheadLatency", _to_microseconds(self.seconds - self.timings.model)
                for name, value in self._list_counts():
                    yield container, name, value

    def _list_counts(self) -> Iterator[tuple[str, float]]:
        yield "Invocations", 1.0
        yield "Invocation4XXErrors", float(400 <= self.status < 500)
        # Without a response of the container the runtime responds itself, with a server error.
        yield "Invocation5XXErrors", float(self.status >= 500 or self.status == 0)

    def _list_serverless_metrics(self, serverless: Fields) -> Iterator[tuple[str, float]]:
        yield "ServerlessConcurrentExecutionsUtilization", self.concurrent_requests / serverless["MaxConcurrency"]
        if self.timings.cold_start is not None:
            yield "ModelSetupTime", _to_microseconds(self.timings.cold_start)
        if provisioned := serverless.get("ProvisionedConcurrency", 0):
            handled = min(self.concurrent_requests, provisioned)
            kind = "Invocations" if self.timings.is_provisioned else "SpilloverInvocations"
            yield "ServerlessProvisionedConcurrencyExecutions", float(handled)
            yield "ServerlessProvisionedConcurrencyUtilization", handled / provisioned
            yield f"ServerlessProvisionedConcurrency{kind}", 1.0

    def _list_multi_model_metrics(self) -> Iterator[tuple[str, float]]:
        if self.timings.is_cache_hit is not None:
            yield "ModelCacheHit", float(self.timings.is_cache_hit)
        for name, seconds in (
            ("ModelLoadingWaitTime", self.timings.model_waiting),
            ("ModelDownloadingTime", self.timings.model_downloading),
            ("ModelLoadingTime", self.timings.model_loading),
            ("ModelUnloadingTime", self.timings.model_unloading),
        ):
            if seconds is not None:
                yield name, _to_microseconds(seconds)


def _to_microseconds(seconds: float) -> float:
    return float(round(max(seconds, 0) * _MICROSECONDS))
