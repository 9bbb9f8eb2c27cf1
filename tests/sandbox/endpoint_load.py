"""Endpoints under load. `python -m tests.sandbox.endpoint_load` prints latencies, and the cost of idle endpoints.

It also sends requests from 200 parallel callers for 30 seconds, and prints the share of errors and the latencies.

All measurements are in one run: times depend on the computer, their ratios much less.
"""

import asyncio
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles
from threading import Barrier
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psutil
from botocore.exceptions import ClientError

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from tests.sandbox.support import IMAGE, ROLE, WAIT_SECONDS, create_tar, make_role, wait_until

#: Model script: returns the request after SECONDS, and not while the file HOLD_FILE exists.
ECHO = """
import os, time
def model_fn(folder):
    return None
def transform_fn(model, data, content_type, accept):
    time.sleep(SECONDS)
    while os.path.exists(os.environ.get("HOLD_FILE", "")):
        time.sleep(0.05)
    return data, accept
"""
SERVERLESS: dict[str, Any] = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 10}}
REAL_TIME: dict[str, Any] = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
MIB = 2**20


def deploy(
    sandbox: Sandbox,
    name: str,
    model_seconds: float = 0.01,
    environment: Mapping[str, str] = MappingProxyType({}),
    **variant: Any,
) -> str:
    """Create an endpoint of one variant with these settings and wait until it is in service.

    Its model needs `model_seconds` seconds for each request, and has these environment variables.
    """
    sagemaker, s3 = sandbox.client("sagemaker"), sandbox.client("s3")
    make_role(sandbox)
    bucket = f"models-of-{name}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": sandbox.region})
    script = ECHO.replace("SECONDS", str(model_seconds))
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=create_tar(code__inference_py=script))
    container = {
        "Image": IMAGE,
        "ModelDataUrl": f"s3://{bucket}/model.tar.gz",
        "Environment": dict(environment),
    }
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variants = [{"VariantName": "main", "ModelName": name, **variant}]
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
    return name


def make_runtime_client(sandbox: Sandbox, concurrency: int) -> Any:
    """Return a client for `concurrency` concurrent requests, without retries."""
    return make_client(
        "sagemaker-runtime",
        sandbox.region,
        sandbox.endpoint,
        max_pool_connections=concurrency,
        retries={"total_max_attempts": 1},
        connect_timeout=WAIT_SECONDS,
        read_timeout=WAIT_SECONDS,
    )


def send_request(client: Any, endpoint: str, body: str) -> str:
    """Return "answered", or the error code and the status of the model server."""
    try:
        response = client.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=body)
    except ClientError as error:
        return f"{error.response['Error']['Code']} {error.response.get('OriginalStatusCode', '')}".strip()
    assert response["Body"].read() == body.encode()
    return "answered"


def send_burst(
    sandbox: Sandbox, endpoint: str, concurrency: int, on_refusal: Callable[[], object] = lambda: None
) -> Counter[str]:
    """Send `concurrency` requests at one moment and count their results. Each refusal calls `on_refusal`."""
    client, barrier = make_runtime_client(sandbox, concurrency), Barrier(concurrency)

    def send(number: int) -> str:
        barrier.wait()
        result = send_request(client, endpoint, str(number))
        if result != "answered":
            on_refusal()
        return result

    with ThreadPoolExecutor(concurrency) as threads:
        return Counter(threads.map(send, range(concurrency)))


def measure_latencies(call: Callable[[], object], workers: int, each: int = 40) -> tuple[float, float]:
    """Return median and 95th percentile of the duration of a call, with concurrent workers."""

    def run_worker(_: int) -> list[float]:
        durations = []
        for _ in range(each):
            start = time.perf_counter()
            call()
            durations.append(time.perf_counter() - start)
        return durations

    with ThreadPoolExecutor(workers) as threads:
        percentiles = quantiles(
            (
                run_worker
                for worker_durations in threads.map(run_worker, range(workers))
                for run_worker in worker_durations
            ),
            n=20,
        )
    return percentiles[9], percentiles[18]


class Load(NamedTuple):
    """Results of parallel callers: the number of responses by HTTP status, and their latencies in seconds."""

    statuses: Counter[str]
    latencies: list[float]


def send_load(
    sandbox: Sandbox, endpoint: str, callers: int, *, requests: int | None = None, seconds: float = math.inf
) -> Load:
    """Let parallel callers send one request after the other, until `requests` were sent or `seconds` have passed.

    The callers are coroutines, because botocore would need more time than the server.
    """
    return asyncio.run(_send_load(sandbox, endpoint, callers, requests or sys.maxsize, time.monotonic() + seconds))


async def _send_load(sandbox: Sandbox, endpoint: str, callers: int, requests: int, end: float) -> Load:
    url, load, numbers = urlsplit(sandbox.endpoint), Load(Counter(), []), iter(range(requests))
    head = (
        f"POST /endpoints/{endpoint}/invocations HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: text/csv\r\n"
        f"Authorization: AWS4-HMAC-SHA256 Credential=sandbox/20260101/{sandbox.region}/sagemaker/aws4_request, "
        "SignedHeaders=host, Signature=0\r\nConnection: close\r\n"
    )

    async def call() -> None:
        for number in numbers:
            if time.monotonic() > end:
                return
            start, body = time.monotonic(), str(number)
            reader, writer = await asyncio.open_connection(url.hostname, url.port)
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            response = (await reader.read()).decode()
            writer.close()
            load.latencies.append(time.monotonic() - start)
            is_echo = response.endswith(f"\r\n\r\n{body}")
            load.statuses[response.split()[1] if is_echo or " 200 " not in response[:20] else "other body"] += 1

    await asyncio.gather(*(call() for _ in range(callers)))
    return load


def print_load(sandbox: Sandbox, endpoint: str, callers: int = 200, seconds: float = 30) -> None:
    """Print the figures of parallel callers."""
    load = send_load(sandbox, endpoint, callers, seconds=seconds)
    percentiles = quantiles(load.latencies, n=100)
    errors = 1 - load.statuses["200"] / load.statuses.total()
    print(f"  {callers} callers for {seconds:.0f} s: {load.statuses.total()} requests, {errors:.2%} errors, ", end="")
    print(f"median {percentiles[49]:.2f} s, p99 {percentiles[98]:.2f} s, {dict(load.statuses)}")


def measure_memory(processes: list[psutil.Process]) -> float:
    """Return the private memory of the processes in MiB."""
    return sum(process.memory_full_info().uss for process in processes) / MIB


def main() -> None:
    with Sandbox.start() as sandbox:
        (server,) = (
            process for process in psutil.Process().children() if "sagemaker_sandbox.server.server" in process.cmdline()
        )
        client, sagemaker = make_runtime_client(sandbox, 10), sandbox.client("sagemaker")
        initial = measure_memory([server])
        for kind, settings in (("real-time", REAL_TIME), ("serverless", SERVERLESS)):
            earlier = set(server.children(recursive=True))
            endpoint = deploy(sandbox, kind, **settings)
            send_request(client, endpoint, "warm")
            measure_latencies(lambda: send_request(client, endpoint, "warm"), 10, 5)  # noqa: B023 called at once
            single_median, _ = measure_latencies(lambda: send_request(client, endpoint, "x"), 1)  # noqa: B023
            median, p95 = measure_latencies(lambda: send_request(client, endpoint, "x"), 10)  # noqa: B023
            _, describe_p95 = measure_latencies(lambda: sagemaker.describe_endpoint(EndpointName=endpoint), 10)  # noqa: B023
            workers = [process for process in server.children(recursive=True) if process not in earlier]
            print(
                f"{kind}: alone {single_median * 1e3:.0f} ms; 10 workers: median {median * 1e3:.0f} ms, "
                f"p95 {p95 * 1e3:.0f} ms"
            )
            print(
                f"  p95 to median {p95 / median:.1f}, to alone {p95 / single_median:.1f}, to DescribeEndpoint's p95 ",
                end="",
            )
            print(f"{p95 / describe_p95:.1f}")
            print(f"  idle: {len(workers)} workers, {measure_memory(workers) / len(workers):.0f} MiB each")
            print(f"  500 at once: {dict(sorted(send_burst(sandbox, endpoint, 500).items()))}")
            if kind == "real-time":
                print_load(sandbox, endpoint)
        print(f"server: {measure_memory([server]) - initial:.0f} MiB more than before; {initial:.0f} MiB")


if __name__ == "__main__":
    main()
