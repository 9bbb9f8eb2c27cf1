"""Drives one job: its benchmarks one after the other, each on an endpoint that has the machine for itself."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta

from sagemaker_sandbox.errors import ApiError
from sagemaker_sandbox.hosting.instance import StartError
from sagemaker_sandbox.hosting.invocation import Invocation, NotThereError
from sagemaker_sandbox.hosting.traffic import Traffic
from sagemaker_sandbox.parts.region import Region
from sagemaker_sandbox.parts.resources import Fields, now
from sagemaker_sandbox.recommendations import figures, payloads
from sagemaker_sandbox.recommendations.benchmarks import Benchmark
from sagemaker_sandbox.recommendations.hosts import Hosts
from sagemaker_sandbox.recommendations.load import Load, Window
from sagemaker_sandbox.recommendations.pattern import Step, paced
from sagemaker_sandbox.recommendations.payloads import PayloadError
from sagemaker_sandbox.recommendations.scaling import Measured
from sagemaker_sandbox.recommendations.stopping import Conditions, UnfitError
from sagemaker_sandbox.runtime.asking import ModelError, Took
from sagemaker_sandbox.runtime.container import cpu_count

#: Told of a benchmark by its number: its status, and what else is known of it from now on.
Tell = Callable[[int, str, Fields], None]


@dataclass(frozen=True)
class Plan:
    """What a job is to do. `containers` are by the name of the inference specification, None for the model's own."""

    benchmarks: Sequence[Benchmark]
    containers: Mapping[str | None, list[Fields]]
    payload_url: str
    content_type: str
    pattern: list[Step]
    conditions: Conditions
    seconds: float | None


class Run:
    """`tell` and `over`, which is given why all of it has failed, are called from the job's own thread."""

    def __init__(
        self, region: Region, hosts: Hosts, plan: Plan, tell: Tell, over: Callable[[str | None], None]
    ) -> None:
        self._region = region
        self._hosts = hosts
        self._plan = plan
        self._tell = tell
        self._over = over
        self._stop = threading.Event()

    def start(self, name: str, after_seconds: float) -> None:
        """Begin after so many seconds; returns at once. It takes this machine's time, which the sandbox's waits for."""
        self._region.start(name, lambda: self._begin(after_seconds), awaited=True)

    def stop(self) -> None:
        """Go on with nothing; returns at once."""
        self._stop.set()

    def _begin(self, after_seconds: float) -> None:
        self._stop.wait(after_seconds)
        try:
            self._run([] if self._stop.is_set() else self._payloads())
        except PayloadError as error:
            self._over(f"PayloadError when calling InvokeEndpoint operation: {error}")
        except Exception:
            self._over("InternalServerError: the sandbox failed; its log says why")
            raise

    def _run(self, bodies: Sequence[bytes]) -> None:
        began = self._region.clock.now()
        for number, benchmark in enumerate(self._plan.benchmarks):
            late = self._plan.seconds is not None and self._region.clock.now() - began > timedelta(
                seconds=self._plan.seconds
            )
            if self._stop.is_set() or late:
                self._tell(number, "STOPPED", {})
            else:
                self._benchmark(number, benchmark, bodies)
        self._over(None)

    def _payloads(self) -> list[bytes]:
        return payloads.fetch(self._region.client("s3"), self._plan.payload_url)

    def _benchmark(self, number: int, benchmark: Benchmark, bodies: Sequence[bytes]) -> None:
        self._tell(number, "IN_PROGRESS", {"InvocationStartTime": now()})
        try:
            with self._served(benchmark) as (traffic, setup):
                seen = self._seen(traffic, bodies)
                found = {} if self._stop.is_set() else self._found(benchmark, traffic, seen, setup)
        except (StartError, ApiError, ModelError, NotThereError, UnfitError) as error:
            if not self._stop.is_set():
                reason = {"FailureReason": _reason(error), "InvocationEndTime": now()}
                self._tell(number, "FAILED", reason)
                return
            found = {}
        self._tell(number, "COMPLETED" if found else "STOPPED", found | {"InvocationEndTime": now()})

    @contextmanager
    def _served(self, benchmark: Benchmark) -> Iterator[tuple[Traffic, float]]:
        """The traffic of its endpoint, which is there meanwhile, and how long that took to start. Raises StartError."""
        began = time.monotonic()
        if benchmark.existing:
            yield self._hosts.traffic(benchmark.name), 0.0
            return
        served = benchmark.containers(self._plan.containers[benchmark.specification])
        fleet = self._hosts.make(benchmark.name, benchmark.config, {benchmark.variant: served})
        try:
            fleet.start()
            setup = time.monotonic() - began
            traffic = self._hosts.traffic(benchmark.name)
            traffic.shift((fleet, 1.0))
            yield traffic, setup
        finally:
            self._hosts.let_go(benchmark.name)

    def _seen(self, traffic: Traffic, bodies: Sequence[bytes]) -> list[Window]:
        def ask(body: bytes) -> Took:
            return traffic.invoke(Invocation(body, self._plan.content_type)).took

        seen: list[Window] = []
        load = Load(ask, bodies, traffic, self._stop)
        windows = load.windows(paced(self._plan.pattern, self._region.clock.scale))
        try:
            for window in windows:
                seen.append(window)
                if self._plan.conditions.over(seen):
                    break
        finally:
            windows.close()
        return seen

    def _found(self, benchmark: Benchmark, traffic: Traffic, seen: Sequence[Window], setup: float) -> Fields:
        """What a step tells of itself once it is completed, and `measured` for a scaling policy. Raises UnfitError."""
        conditions = self._plan.conditions
        window = conditions.best(seen)
        instances = traffic.count if benchmark.existing else 1
        measured = Measured(
            max(figures.invocations(window) // max(instances, 1), 1),
            figures.milliseconds(window.latency(conditions.percentile)),
            window.cpu / cpu_count(),
        )
        if benchmark.existing:
            return {"EndpointMetrics": figures.of_endpoint(window, conditions), "measured": asdict(measured)}
        if benchmark.serverless is not None:
            region = self._region.name
            return {"Metrics": figures.of_serverless(window, conditions, benchmark.serverless, region, setup)}
        assert benchmark.instance_type is not None
        return {
            "Metrics": figures.of_instances(window, conditions, benchmark.instance_type, self._region.name),
            "EndpointConfiguration": benchmark.endpoint(figures.count(window, conditions)),
            "measured": asdict(measured),
        }


def _reason(error: Exception) -> str:
    """With the operation that it came about in, as in AWS's list of common errors."""
    if isinstance(error, StartError):
        return f"CreateEndpoint operation failed: {error}"
    if isinstance(error, ModelError):
        status = error.original_status
        who = "client" if 400 <= status < 500 else "server"
        return (
            f"ModelError when calling InvokeEndpoint operation: Received {who} error ({status}) from "
            f'{error.container} with message "{error.message[:512]}"'
        )
    if isinstance(error, ApiError):
        return f"{error.code} when calling InvokeEndpoint operation: {error.message}"
    return f"Benchmark failed: {error}"
