"""Endpoints under load. `python -m tests.sandbox.endpoint_load` prints how long requests take and what idling costs.

All in one run: the times depend on the machine, their ratios much less so.
"""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles
from threading import Barrier
from typing import Any

import psutil
from botocore.exceptions import ClientError

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.client import make_client
from tests.sandbox.support import IMAGE, ROLE, make_role, tar, until

#: Gives back what it is asked, a little later.
ECHO = """
import time
def model_fn(folder):
    return None
def transform_fn(model, data, content_type, accept):
    time.sleep(SECONDS)
    return data, accept
"""
SERVERLESS: dict[str, Any] = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 10}}
REAL_TIME: dict[str, Any] = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
MIB = 2**20


def deploy(sandbox: Sandbox, name: str, model_takes: float = 0.01, **variant: Any) -> str:
    """An endpoint of one variant with these settings, in service. Its model takes so many seconds for each request."""
    sagemaker, s3 = sandbox.client("sagemaker"), sandbox.client("s3")
    make_role(sandbox)
    bucket = f"models-of-{name}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": sandbox.region})
    script = ECHO.replace("SECONDS", str(model_takes))
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=tar(code__inference_py=script))
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variants = [{"VariantName": "main", "ModelName": name, **variant}]
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
    return name


def make_runtime_client(sandbox: Sandbox, at_once: int) -> Any:
    """A client for so many requests at once, which sends each of them once."""
    retries = {"total_max_attempts": 1}
    return make_client(
        "sagemaker-runtime", sandbox.region, sandbox.endpoint, max_pool_connections=at_once, retries=retries
    )


def send_request(client: Any, endpoint: str, said: str) -> str:
    """How one request ends: "answered" with what was said, or the code of the error and the model server's status."""
    try:
        answer = client.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=said)
    except ClientError as error:
        return f"{error.response['Error']['Code']} {error.response.get('OriginalStatusCode', '')}".strip()
    assert answer["Body"].read() == said.encode()
    return "answered"


def send_burst(sandbox: Sandbox, endpoint: str, at_once: int) -> Counter[str]:
    """How many of so many requests, all sent at one moment, end in which way."""
    client, together = make_runtime_client(sandbox, at_once), Barrier(at_once)

    def one(number: int) -> str:
        together.wait()
        return send_request(client, endpoint, str(number))

    with ThreadPoolExecutor(at_once) as threads:
        return Counter(threads.map(one, range(at_once)))


def measure_latencies(call: Callable[[], object], workers: int, each: int = 40) -> tuple[float, float]:
    """Median and 95th percentile of what so many workers wait, who each call again and again."""

    def one(_: int) -> list[float]:
        waited = []
        for _ in range(each):
            began = time.perf_counter()
            call()
            waited.append(time.perf_counter() - began)
        return waited

    with ThreadPoolExecutor(workers) as threads:
        found = quantiles((one for many in threads.map(one, range(workers)) for one in many), n=20)
    return found[9], found[18]


def measure_memory(processes: list[psutil.Process]) -> float:
    """What these have for themselves, in MiB."""
    return sum(process.memory_full_info().uss for process in processes) / MIB


def main() -> None:
    with Sandbox.start() as sandbox:
        (server,) = (one for one in psutil.Process().children() if "sagemaker_sandbox.server" in one.cmdline())
        client, sagemaker = make_runtime_client(sandbox, 10), sandbox.client("sagemaker")
        before = measure_memory([server])
        for kind, settings in (("real-time", REAL_TIME), ("serverless", SERVERLESS)):
            others = set(server.children(recursive=True))
            endpoint = deploy(sandbox, kind, **settings)
            send_request(client, endpoint, "warm")
            measure_latencies(lambda: send_request(client, endpoint, "warm"), 10, 5)  # noqa: B023 called at once
            alone, _ = measure_latencies(lambda: send_request(client, endpoint, "x"), 1)  # noqa: B023
            half, most = measure_latencies(lambda: send_request(client, endpoint, "x"), 10)  # noqa: B023
            _, described = measure_latencies(lambda: sagemaker.describe_endpoint(EndpointName=endpoint), 10)  # noqa: B023
            workers = [one for one in server.children(recursive=True) if one not in others]
            print(
                f"{kind}: alone {alone * 1e3:.0f} ms; 10 workers: median {half * 1e3:.0f} ms, p95 {most * 1e3:.0f} ms"
            )
            print(f"  p95 to median {most / half:.1f}, to alone {most / alone:.1f}, to DescribeEndpoint's p95 ", end="")
            print(f"{most / described:.1f}")
            print(f"  idle: {len(workers)} workers, {measure_memory(workers) / len(workers):.0f} MiB each")
            print(f"  500 at once: {dict(sorted(send_burst(sandbox, endpoint, 500).items()))}")
        print(f"server: {measure_memory([server]) - before:.0f} MiB more than before; {before:.0f} MiB")


if __name__ == "__main__":
    main()
