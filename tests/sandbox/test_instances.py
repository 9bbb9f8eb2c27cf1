"""What one instance serves: containers in series or asked directly, their data however S3 holds them, and how what goes
wrong is told."""

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
from sagemaker_sandbox.runtime.model_data import DownloadTimeoutError, ModelDataCache, ModelDataSource
from tests.sandbox.hosting_support import REAL_TIME, SERVERLESS, EndpointDeployer
from tests.sandbox.support import IMAGE, ROLE, refusal

pytestmark = pytest.mark.slow

#: Says what it was asked and how, before what the last one said.
NAMED = """
import os
def model_fn(model_dir): return os.environ["NAME"]
def transform_fn(name, data, content_type, accept):
    data = data if isinstance(data, str) else data.decode()
    return f"{name}({content_type}: {data})", {"text/plain": accept}.get(accept, f"text/{name}")
"""
#: Every file that the container has of its model and beside it.
LISTING = """
import json, pathlib
def model_fn(model_dir):
    return {str(path.relative_to(root)): path.read_text()
            for root in (pathlib.Path(model_dir), pathlib.Path(model_dir).parent / "additional-model-data-sources")
            for path in sorted(root.rglob("*")) if path.is_file() and path.suffix == ".txt"}
def transform_fn(model, *_): return json.dumps(model), "application/json"
"""


@pytest.fixture
def deploying(sandbox: Sandbox, bucket: str, fresh: Callable[[str], str]) -> EndpointDeployer:
    return EndpointDeployer(sandbox, bucket, fresh)


def create_named_container(deploying: EndpointDeployer, name: str, **members: Any) -> dict[str, Any]:
    return deploying.create_container(NAMED, Environment={"NAME": name}, **members)


def test_containers_in_series_ask_each_other_with_the_types_of_their_answers(deploying: EndpointDeployer) -> None:
    endpoint = deploying.deploy(*(create_named_container(deploying, name) for name in ("first", "second", "third")))
    answer = deploying.runtime.invoke_endpoint(
        EndpointName=endpoint, Body=b"1", ContentType="text/csv", Accept="text/plain"
    )
    assert answer["Body"].read() == b"third(text/second: second(text/first: first(text/csv: 1)))"
    assert answer["ContentType"] == "text/plain"
    with pytest.raises(ClientError) as broken:
        deploying.runtime.invoke_endpoint(EndpointName=endpoint, Body=b"\xff", ContentType="image/png")
    assert "from container-1 with message" in broken.value.response["Error"]["Message"]


def test_containers_that_are_asked_directly_are_asked_by_their_hostname(deploying: EndpointDeployer) -> None:
    containers = [create_named_container(deploying, name, ContainerHostname=name) for name in ("left", "right")]
    endpoint = deploying.deploy(*containers, InferenceExecutionConfig={"Mode": "Direct"})
    asked = {"EndpointName": endpoint, "Body": b"1", "ContentType": "text/csv"}
    for name in ("left", "right"):
        answer = deploying.runtime.invoke_endpoint(TargetContainerHostname=name, **asked)
        assert answer["Body"].read().decode() == f"{name}(text/csv: 1)"
    assert refusal(deploying.runtime.invoke_endpoint, **asked)[0] == "ValidationError"
    code, message = refusal(deploying.runtime.invoke_endpoint, TargetContainerHostname="middle", **asked)
    assert (code, "middle" in message) == ("ValidationError", True)


def test_a_models_data_may_be_uncompressed_and_have_others_beside_them(deploying: EndpointDeployer) -> None:
    deploying.put_object("prefix/code/inference.py", LISTING)
    deploying.put_object("prefix/deep/er/weights.txt", "7")
    deploying.put_object("prefixed.txt", "of another model")
    source = {"S3DataType": "S3Prefix", "CompressionType": "None", "S3Uri": f"s3://{deploying.bucket}/prefix/"}
    deploying.put_object("adapters/one.txt", "1")
    beside = {"S3DataType": "S3Prefix", "CompressionType": "None", "S3Uri": f"s3://{deploying.bucket}/adapters/"}
    endpoint = deploying.deploy(
        {
            "Image": IMAGE,
            "ModelDataSource": {"S3DataSource": source},
            "AdditionalModelDataSources": [{"ChannelName": "adapters", "S3DataSource": beside}],
        }
    )
    assert json.loads(deploying.invoke(endpoint)) == {"deep/er/weights.txt": "7", "adapters/one.txt": "1"}


@pytest.mark.parametrize("shape", ["https://{}.s3.eu-north-1.amazonaws.com/", "https://s3.amazonaws.com/{}/"])
def test_a_models_data_may_be_named_by_https(deploying: EndpointDeployer, shape: str) -> None:
    container = create_named_container(deploying, "https")
    key = container["ModelDataUrl"].rpartition("/")[2]
    endpoint = deploying.deploy(container | {"ModelDataUrl": shape.format(deploying.bucket) + key})
    assert deploying.invoke(endpoint, "1", ContentType="text/csv") == "https(text/csv: 1)"


@pytest.mark.parametrize("variant", [None, SERVERLESS], ids=["real-time", "serverless"])
def test_an_endpoint_that_cannot_serve_is_never_in_service(deploying: EndpointDeployer, variant: Any) -> None:
    options = {} if variant is None else {"variant": variant}
    gone, broken = create_named_container(deploying, "gone"), create_named_container(deploying, "broken")
    key = broken["ModelDataUrl"].rpartition("/")[2]
    deploying.put_object(key, "no archive")
    faulty = deploying.create_container("def model_fn(folder): raise ValueError('no weights')")
    wrong = {
        broken["ModelDataUrl"]: 'Failed to extract model data archive for container "container_1" from URL: "{}".',
        faulty["ModelDataUrl"]: "The primary container for production variant main did not pass the ping health check.",
    }
    for container in (broken, faulty):
        failed = deploying.wait_until_settled(deploying.start_deployment(container, **options))
        assert failed["EndpointStatus"] == "Failed"
        address = container["ModelDataUrl"]
        assert failed["FailureReason"].startswith(wrong[address].format(address))

    names = [deploying.fresh(kind) for kind in ("model", "config", "endpoint")]
    model, config, endpoint = names
    deploying.sagemaker.create_model(ModelName=model, PrimaryContainer=gone, ExecutionRoleArn=ROLE)
    chosen = variant or REAL_TIME
    variants = [{"VariantName": "main", "ModelName": model, **chosen}]
    deploying.sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=variants)
    deploying.s3.delete_object(Bucket=deploying.bucket, Key=gone["ModelDataUrl"].rpartition("/")[2])
    deploying.sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    failed = deploying.wait_until_settled(endpoint)
    assert failed["EndpointStatus"] == "Failed"
    assert failed["FailureReason"].startswith(
        f'Failed to download model data for container "container_1" from URL: "{gone["ModelDataUrl"]}". Please ensure'
    )
    asked = {"EndpointName": endpoint, "Body": b""}
    code, message = refusal(deploying.runtime.invoke_endpoint, **asked)
    assert (code, message) == ("ValidationError", f"Endpoint {endpoint} of account 123456789012 not found.")


def test_others_answer_while_a_large_model_is_unpacked_and_loaded(deploying: EndpointDeployer, tmp_path: Path) -> None:
    quick = deploying.deploy(create_named_container(deploying, "quick"))
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
    large = deploying.start_deployment(
        {"Image": IMAGE, "ModelDataUrl": deploying.put_object("large.tar.gz", content.getvalue())}
    )
    for _ in range(50):
        assert deploying.invoke(quick, "1", ContentType="text/csv") == "quick(text/csv: 1)"
    another = deploying.deploy(
        create_named_container(deploying, "another")
    )  # one that is made meanwhile waits for nothing either
    assert deploying.invoke(another, "1", ContentType="text/csv") == "another(text/csv: 1)"
    assert deploying.sagemaker.describe_endpoint(EndpointName=large)["EndpointStatus"] == "Creating"
    gate.touch()
    assert deploying.wait_until_settled(large)["EndpointStatus"] == "InService"
    assert deploying.invoke(large) == str(weights)


def test_what_a_request_and_its_answer_carry_beside_their_bodies_gets_through(deploying: EndpointDeployer) -> None:
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
    endpoint = deploying.deploy(deploying.create_container(script))
    asked = {"EndpointName": endpoint, "Body": b"1", "CustomAttributes": "abc", "InferenceId": "i-7", "Accept": "a/b"}
    first = deploying.runtime.invoke_endpoint(SessionId="NEW_SESSION", **asked)
    assert (first["CustomAttributes"], first["NewSessionId"]) == ("cba", "s1; Expires=2030-01-01T00:00:00Z")
    assert first["InvokedProductionVariant"] == "main"
    headers = json.loads(first["Body"].read())
    assert (headers["accept"], headers["x-amzn-sagemaker-inference-id"]) == ("a/b", "i-7")
    assert deploying.runtime.invoke_endpoint(SessionId="s1", **asked)["ClosedSessionId"] == "s1"


def test_what_an_endpoint_does_not_take_is_refused(deploying: EndpointDeployer) -> None:
    endpoint = deploying.deploy(create_named_container(deploying, "real"))
    asked = {"EndpointName": endpoint, "Body": b"", "ContentType": "text/csv"}
    for member in ("CustomAttributes", "InferenceId"):
        assert "regular expression" in refusal(deploying.runtime.invoke_endpoint, **asked, **{member: "\xe9"})[1]
    invoke = deploying.runtime.invoke_endpoint
    for members, why in (
        ({"EndpointName": "none"}, "Endpoint none of account 123456789012 not found."),
        ({"TargetModel": "a.tar.gz"}, f"Endpoint {endpoint} is not a multi-model endpoint and does not support target"),
        ({"TargetContainerHostname": "one"}, "container hostname"),
        ({"TargetVariant": "other"}, "other"),
        ({"EnableExplanations": "`true`"}, "EnableExplanations"),
        ({"InferenceComponentName": "one"}, "Inference Component Name"),
        ({"SessionId": "-"}, "Value '-' at 'sessionId' failed to satisfy constraint"),
        ({"Body": bytes(6 * 2**20 + 1)}, "Member must have length less than or equal to 6291456"),
    ):
        code, message = refusal(invoke, **asked | members)
        assert (code, why in message) == ("ValidationError", True), message
    assert len(deploying.invoke(endpoint, bytes(6 * 2**20), ContentType="text/csv")) > 6 * 2**20


def test_an_asynchronous_endpoint_is_not_asked_to_answer_at_once(deploying: EndpointDeployer) -> None:
    config = {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": f"s3://{deploying.bucket}/answers"}}}
    asked = {"EndpointName": deploying.deploy(create_named_container(deploying, "later"), config=config), "Body": b""}
    for invoke in (deploying.runtime.invoke_endpoint, deploying.runtime.invoke_endpoint_with_response_stream):
        code, message = refusal(invoke, **asked)
        assert (code, message.endswith("use InvokeEndpointAsync.")) == ("ValidationError", True)


def test_a_containers_failure_is_told_with_its_status_and_where_its_log_is(deploying: EndpointDeployer) -> None:
    script = """
class Teapot(Exception): status_code = 418
def model_fn(model_dir): return None
def transform_fn(model, data, content_type, accept):
    if data == "teapot": raise Teapot("short and stout")
    raise KeyError("x")
"""
    endpoint = deploying.deploy(deploying.create_container(script))
    for body, status, who, said in (("teapot", 418, "client", "short and stout"), ("", 500, "server", "'x'")):
        with pytest.raises(ClientError) as failed:
            deploying.invoke(endpoint, body, ContentType="text/csv")
        told: Any = failed.value.response
        assert told["Error"]["Code"] == "ModelError"
        assert told["Error"]["Message"].startswith(
            f'Received {who} error ({status}) from primary with message "{said}". See https://eu-north-1.console.aws.'
        )
        assert (told["OriginalStatusCode"], told["OriginalMessage"]) == (status, said)
        assert told["LogStreamArn"].endswith(f":log-group:/aws/sagemaker/Endpoints/{endpoint}")


def test_an_instance_takes_more_requests_at_once_than_it_has_workers(deploying: EndpointDeployer) -> None:
    slow = """
import os, time
def model_fn(model_dir): return None
def transform_fn(*_):
    time.sleep(0.1)
    return str(os.getpid()), "text/plain"
"""
    endpoint = deploying.deploy(deploying.create_container(slow))
    with ThreadPoolExecutor(12) as clients:
        workers = set(clients.map(lambda _: deploying.invoke(endpoint), range(12)))
    assert 1 <= len(workers) <= len(os.sched_getaffinity(0))


def test_containers_act_as_their_models_role_unless_they_are_isolated(deploying: EndpointDeployer) -> None:
    script = """
import os
def model_fn(model_dir): return os.environ.get("AWS_ACCESS_KEY_ID", "none")
def transform_fn(model, *_): return model, "text/plain"
"""
    assert deploying.invoke(deploying.deploy(deploying.create_container(script))).startswith("ASIA")
    assert deploying.invoke(deploying.deploy(deploying.create_container(script), EnableNetworkIsolation=True)) == "none"


def test_data_that_come_too_late_are_not_waited_for(tmp_path: Path) -> None:
    class Slow:
        """S3 that sends one byte a while."""

        def head_object(self, **_: str) -> dict[str, str]:
            return {"ETag": "1"}

        def get_object(self, **_: str) -> dict[str, Any]:
            return {"Body": self}

        def iter_chunks(self, _size: int) -> Any:
            while True:
                threading.Event().wait(0.01)
                yield b"1"

    data = ModelDataCache(Slow(), tmp_path / "data")  # type: ignore[arg-type]
    with pytest.raises(DownloadTimeoutError):
        data.copy_to(ModelDataSource("s3://bucket/model.tar.gz"), tmp_path / "model", 0.2)
