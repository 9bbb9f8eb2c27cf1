"""Instances: containers in series or invoked directly, the forms of model data in S3, and error messages."""

import io
import json
import os
import tarfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.jobs.runtime.model_data import DownloadTimeoutError, ModelDataCache, ModelDataSource
from tests.sandbox.hosting_support import REAL_TIME, SERVERLESS, EndpointDeployer
from tests.sandbox.support import IMAGE, ROLE, catch_error

pytestmark = pytest.mark.slow

#: Model script: returns its name with the content type and the body of the request.
NAMED = """
import os
def model_fn(model_dir): return os.environ["NAME"]
def transform_fn(name, data, content_type, accept):
    data = data if isinstance(data, str) else data.decode()
    return f"{name}({content_type}: {data})", {"text/plain": accept}.get(accept, f"text/{name}")
"""
#: Model script: returns all text files of the model and of additional sources.
LISTING = """
import json, pathlib
def model_fn(model_dir):
    return {str(path.relative_to(root)): path.read_text()
            for root in (pathlib.Path(model_dir), pathlib.Path(model_dir).parent / "additional-model-data-sources")
            for path in sorted(root.rglob("*")) if path.is_file() and path.suffix == ".txt"}
def transform_fn(model, *_): return json.dumps(model), "application/json"
"""


@pytest.fixture
def deployer(sandbox: Sandbox, bucket: str, fresh: Callable[[str], str]) -> EndpointDeployer:
    return EndpointDeployer(sandbox, bucket, fresh)


def create_named_container(deployer: EndpointDeployer, name: str, **members: Any) -> dict[str, Any]:
    return deployer.create_container(NAMED, Environment={"NAME": name}, **members)


def test_containers_in_series_pass_on_bodies_and_content_types(deployer: EndpointDeployer) -> None:
    endpoint = deployer.deploy(*(create_named_container(deployer, name) for name in ("first", "second", "third")))
    response = deployer.runtime.invoke_endpoint(
        EndpointName=endpoint, Body=b"1", ContentType="text/csv", Accept="text/plain"
    )
    assert response["Body"].read() == b"third(text/second: second(text/first: first(text/csv: 1)))"
    assert response["ContentType"] == "text/plain"
    with pytest.raises(ClientError) as error:
        deployer.runtime.invoke_endpoint(EndpointName=endpoint, Body=b"\xff", ContentType="image/png")
    assert "from container-1 with message" in error.value.response["Error"]["Message"]


def test_direct_invocation_selects_a_container_by_hostname(deployer: EndpointDeployer) -> None:
    containers = [create_named_container(deployer, name, ContainerHostname=name) for name in ("left", "right")]
    endpoint = deployer.deploy(*containers, InferenceExecutionConfig={"Mode": "Direct"})
    request = {"EndpointName": endpoint, "Body": b"1", "ContentType": "text/csv"}
    for name in ("left", "right"):
        response = deployer.runtime.invoke_endpoint(TargetContainerHostname=name, **request)
        assert response["Body"].read().decode() == f"{name}(text/csv: 1)"
    assert catch_error(deployer.runtime.invoke_endpoint, **request)[0] == "ValidationError"
    code, message = catch_error(deployer.runtime.invoke_endpoint, TargetContainerHostname="middle", **request)
    assert (code, "middle" in message) == ("ValidationError", True)


def test_model_data_can_be_uncompressed_with_additional_sources(deployer: EndpointDeployer) -> None:
    deployer.put_object("prefix/code/inference.py", LISTING)
    deployer.put_object("prefix/deep/er/weights.txt", "7")
    deployer.put_object("prefixed.txt", "of another model")
    source = {"S3DataType": "S3Prefix", "CompressionType": "None", "S3Uri": f"s3://{deployer.bucket}/prefix/"}
    deployer.put_object("adapters/one.txt", "1")
    additional = {"S3DataType": "S3Prefix", "CompressionType": "None", "S3Uri": f"s3://{deployer.bucket}/adapters/"}
    endpoint = deployer.deploy(
        {
            "Image": IMAGE,
            "ModelDataSource": {"S3DataSource": source},
            "AdditionalModelDataSources": [{"ChannelName": "adapters", "S3DataSource": additional}],
        }
    )
    assert json.loads(deployer.invoke(endpoint)) == {"deep/er/weights.txt": "7", "adapters/one.txt": "1"}


@pytest.mark.parametrize("shape", ["https://{}.s3.eu-north-1.amazonaws.com/", "https://s3.amazonaws.com/{}/"])
def test_model_data_can_have_an_https_url(deployer: EndpointDeployer, shape: str) -> None:
    container = create_named_container(deployer, "https")
    key = container["ModelDataUrl"].rpartition("/")[2]
    endpoint = deployer.deploy(container | {"ModelDataUrl": shape.format(deployer.bucket) + key})
    assert deployer.invoke(endpoint, "1", ContentType="text/csv") == "https(text/csv: 1)"


@pytest.mark.parametrize("variant", [None, SERVERLESS], ids=["real-time", "serverless"])
def test_an_endpoint_that_cannot_start_fails(deployer: EndpointDeployer, variant: Any) -> None:
    options = {} if variant is None else {"variant": variant}
    missing, broken = create_named_container(deployer, "gone"), create_named_container(deployer, "broken")
    key = broken["ModelDataUrl"].rpartition("/")[2]
    deployer.put_object(key, "no archive")
    failing = deployer.create_container("def model_fn(folder): raise ValueError('no weights')")
    expected_reasons = {
        broken["ModelDataUrl"]: 'Failed to extract model data archive for container "container_1" from URL: "{}".',
        failing[
            "ModelDataUrl"
        ]: "The primary container for production variant main did not pass the ping health check.",
    }
    for container in (broken, failing):
        description = deployer.wait_until_settled(deployer.start_deployment(container, **options))
        assert description["EndpointStatus"] == "Failed"
        address = container["ModelDataUrl"]
        assert description["FailureReason"].startswith(expected_reasons[address].format(address))

    names = [deployer.fresh(kind) for kind in ("model", "config", "endpoint")]
    model, config, endpoint = names
    deployer.sagemaker.create_model(ModelName=model, PrimaryContainer=missing, ExecutionRoleArn=ROLE)
    capacity = variant or REAL_TIME
    variants = [{"VariantName": "main", "ModelName": model, **capacity}]
    deployer.sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=variants)
    deployer.s3.delete_object(Bucket=deployer.bucket, Key=missing["ModelDataUrl"].rpartition("/")[2])
    deployer.sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    description = deployer.wait_until_settled(endpoint)
    assert description["EndpointStatus"] == "Failed"
    assert description["FailureReason"].startswith(
        f'Failed to download model data for container "container_1" from URL: "{missing["ModelDataUrl"]}". Please '
    )
    request = {"EndpointName": endpoint, "Body": b""}
    code, message = catch_error(deployer.runtime.invoke_endpoint, **request)
    assert (code, message) == ("ValidationError", f"Endpoint {endpoint} of account 123456789012 not found.")


def test_other_endpoints_respond_while_a_large_model_loads(deployer: EndpointDeployer, tmp_path: Path) -> None:
    quick = deployer.deploy(create_named_container(deployer, "quick"))
    content, gate = io.BytesIO(), tmp_path / "open"
    loading = f"""
import pathlib, time
def model_fn(model_dir):
    while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.05)
    return (pathlib.Path(model_dir) / "weights").stat().st_size
def transform_fn(model, *_): return str(model), "text/plain"
"""
    weights = 100 * 2**20
    with tarfile.open(fileobj=content, mode="w:gz", compresslevel=1) as archive:
        for name, body in (("code/inference.py", loading.encode()), ("weights", bytes(weights))):
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    large = deployer.start_deployment(
        {"Image": IMAGE, "ModelDataUrl": deployer.put_object("large.tar.gz", content.getvalue())}
    )
    for _ in range(50):
        assert deployer.invoke(quick, "1", ContentType="text/csv") == "quick(text/csv: 1)"
    another = deployer.deploy(
        create_named_container(deployer, "another")
    )  # an endpoint that is created meanwhile does not wait either
    assert deployer.invoke(another, "1", ContentType="text/csv") == "another(text/csv: 1)"
    assert deployer.sagemaker.describe_endpoint(EndpointName=large)["EndpointStatus"] == "Creating"
    gate.touch()
    assert deployer.wait_until_settled(large)["EndpointStatus"] == "InService"
    assert deployer.invoke(large) == str(weights)


def test_headers_of_requests_and_responses_are_passed_on(deployer: EndpointDeployer) -> None:
    script = """
import json
OWN = "X-Amzn-SageMaker-"
def model_fn(model_dir, context): return context.system_properties["model_dir"]
def transform_fn(model, data, content_type, accept, context):
    asked = context.get_all_request_header(0)
    custom = OWN + "Custom-Attributes"
    context.set_response_header(0, custom, context.get_request_header(0, custom)[::-1])
    if asked.get("x-amzn-sagemaker-session-id") == "NEW_SESSION":
        context.set_response_header(0, OWN + "New-Session-Id", "s1; Expires=2030-01-01T00:00:00Z")
    else:
        context.set_response_header(0, OWN + "Closed-Session-Id", asked["x-amzn-sagemaker-session-id"])
    return json.dumps(asked), "application/json"
"""
    endpoint = deployer.deploy(deployer.create_container(script))
    request = {"EndpointName": endpoint, "Body": b"1", "CustomAttributes": "abc", "InferenceId": "i-7", "Accept": "a/b"}
    response = deployer.runtime.invoke_endpoint(SessionId="NEW_SESSION", **request)
    assert (response["CustomAttributes"], response["NewSessionId"]) == ("cba", "s1; Expires=2030-01-01T00:00:00Z")
    assert response["InvokedProductionVariant"] == "main"
    headers = json.loads(response["Body"].read())
    assert (headers["accept"], headers["x-amzn-sagemaker-inference-id"]) == ("a/b", "i-7")
    assert deployer.runtime.invoke_endpoint(SessionId="s1", **request)["ClosedSessionId"] == "s1"


def test_an_invalid_request_is_refused(deployer: EndpointDeployer) -> None:
    endpoint = deployer.deploy(create_named_container(deployer, "real"))
    request = {"EndpointName": endpoint, "Body": b"", "ContentType": "text/csv"}
    for member in ("CustomAttributes", "InferenceId"):
        assert "regular expression" in catch_error(deployer.runtime.invoke_endpoint, **request, **{member: "\xe9"})[1]
    invoke = deployer.runtime.invoke_endpoint
    for members, expected_message in (
        ({"EndpointName": "none"}, "Endpoint none of account 123456789012 not found."),
        ({"TargetModel": "a.tar.gz"}, f"Endpoint {endpoint} is not a multi-model endpoint and does not support target"),
        ({"TargetContainerHostname": "one"}, "container hostname"),
        ({"TargetVariant": "other"}, "other"),
        ({"EnableExplanations": "`true`"}, "EnableExplanations"),
        ({"InferenceComponentName": "one"}, "Inference Component Name"),
        ({"SessionId": "-"}, "Value '-' at 'sessionId' failed to satisfy constraint"),
        ({"Body": bytes(6 * 2**20 + 1)}, "Member must have length less than or equal to 6291456"),
    ):
        code, message = catch_error(invoke, **request | members)
        assert (code, expected_message in message) == ("ValidationError", True), message
    assert len(deployer.invoke(endpoint, bytes(6 * 2**20), ContentType="text/csv")) > 6 * 2**20


def test_an_asynchronous_endpoint_refuses_synchronous_requests(deployer: EndpointDeployer) -> None:
    config = {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": f"s3://{deployer.bucket}/answers"}}}
    request = {"EndpointName": deployer.deploy(create_named_container(deployer, "later"), config=config), "Body": b""}
    for invoke in (deployer.runtime.invoke_endpoint, deployer.runtime.invoke_endpoint_with_response_stream):
        code, message = catch_error(invoke, **request)
        assert (code, message.endswith("use InvokeEndpointAsync.")) == ("ValidationError", True)


def test_a_container_failure_is_reported_with_its_status_and_log(deployer: EndpointDeployer) -> None:
    script = """
class Teapot(Exception): status_code = 418
def model_fn(model_dir): return None
def transform_fn(model, data, content_type, accept):
    if data == "teapot": raise Teapot("short and stout")
    raise KeyError("x")
"""
    endpoint = deployer.deploy(deployer.create_container(script))
    for body, status, origin, expected in (("teapot", 418, "client", "short and stout"), ("", 500, "server", "'x'")):
        with pytest.raises(ClientError) as error:
            deployer.invoke(endpoint, body, ContentType="text/csv")
        response: Any = error.value.response
        assert response["Error"]["Code"] == "ModelError"
        assert response["Error"]["Message"].startswith(
            f'Received {origin} error ({status}) from primary with message "{expected}". See https://eu-north-1.console.aws.'
        )
        assert (response["OriginalStatusCode"], response["OriginalMessage"]) == (status, expected)
        assert response["LogStreamArn"].endswith(f":log-group:/aws/sagemaker/Endpoints/{endpoint}")


def test_an_instance_accepts_more_concurrent_requests_than_workers(deployer: EndpointDeployer) -> None:
    slow = """
import os, time
def model_fn(model_dir): return None
def transform_fn(*_):
    time.sleep(0.1)
    return str(os.getpid()), "text/plain"
"""
    endpoint = deployer.deploy(deployer.create_container(slow))
    with ThreadPoolExecutor(12) as clients:
        workers = set(clients.map(lambda _: deployer.invoke(endpoint), range(12)))
    assert 1 <= len(workers) <= len(os.sched_getaffinity(0))


def test_containers_have_the_role_of_their_model_unless_they_are_isolated(deployer: EndpointDeployer) -> None:
    script = """
import os
def model_fn(model_dir): return os.environ.get("AWS_ACCESS_KEY_ID", "none")
def transform_fn(model, *_): return model, "text/plain"
"""
    assert deployer.invoke(deployer.deploy(deployer.create_container(script))).startswith("ASIA")
    assert deployer.invoke(deployer.deploy(deployer.create_container(script), EnableNetworkIsolation=True)) == "none"


def test_a_slow_download_times_out(tmp_path: Path) -> None:
    class SlowS3:
        """S3 client that sends one byte at a time."""

        def head_object(self, **_: str) -> dict[str, str]:
            return {"ETag": "1"}

        def get_object(self, **_: str) -> dict[str, Any]:
            return {"Body": self}

        def iter_chunks(self, _size: int) -> Any:
            while True:
                threading.Event().wait(0.01)
                yield b"1"

    data = ModelDataCache(SlowS3(), tmp_path / "data")  # type: ignore[arg-type]
    with pytest.raises(DownloadTimeoutError):
        data.copy_to(ModelDataSource("s3://bucket/model.tar.gz"), tmp_path / "model", 0.2)
