"""Multi-model endpoints: models load on request, and are unloaded when others need their memory."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.endpoints.hosting.instance import HostingInstance, InstanceShape
from sagemaker_sandbox.endpoints.hosting.invocation import Invocation, MissingTargetError, NotReadyError
from sagemaker_sandbox.jobs.runtime.container_invocation import ModelError
from tests.sandbox.fleet_support import run_region
from tests.sandbox.hosting_support import EndpointDeployer
from tests.sandbox.support import IMAGE, catch_error, create_tar, wait_until

pytestmark = pytest.mark.slow

#: Model script: uses as much memory as its archive states, and returns its name.
SIZED = """
import json, os, pathlib
def model_fn(model_dir):
    told = json.loads((pathlib.Path(model_dir) / "model.json").read_text())
    return told | {"block": bytearray(os.urandom(1) * (told["mb"] << 20))}
def transform_fn(model, *_): return json.dumps({"name": model["name"], "pid": os.getpid()}), "application/json"
"""


@pytest.fixture
def deployer(sandbox: Sandbox, bucket: str, fresh: Callable[[str], str]) -> EndpointDeployer:
    return EndpointDeployer(sandbox, bucket, fresh)


def put_model(deployer: EndpointDeployer, name: str, mb: int = 1) -> None:
    settings = json.dumps({"name": name, "mb": mb})
    deployer.put_object(f"many/{name}.tar.gz", create_tar(code__inference_py=SIZED, **{"model.json": settings}))


def build_container(deployer: EndpointDeployer, **members: Any) -> dict[str, Any]:
    return {"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": f"s3://{deployer.bucket}/many/", **members}


def test_models_are_loaded_by_name_on_request(deployer: EndpointDeployer) -> None:
    put_model(deployer, "one")
    endpoint = deployer.deploy(build_container(deployer))
    put_model(deployer, "sub/two")  # added after the creation of the endpoint

    def invoke_target(target: str) -> Any:
        return json.loads(deployer.invoke(endpoint, TargetModel=target))

    with ThreadPoolExecutor() as clients:
        answers = list(clients.map(invoke_target, ["one.tar.gz"] * 3 + ["sub/two.tar.gz"] * 3))
    assert [answer["name"] for answer in answers] == ["one"] * 3 + ["sub/two"] * 3
    assert len({answer["pid"] for answer in answers}) == 2  # each model was loaded once
    deployer.s3.delete_object(Bucket=deployer.bucket, Key="many/one.tar.gz")
    assert invoke_target("one.tar.gz") == answers[0]  # a loaded model continues to serve

    invoke, request = deployer.runtime.invoke_endpoint, {"EndpointName": endpoint, "Body": b""}
    deployer.put_object("many/broken.tar.gz", "no archive")
    for target, expected_message in (
        ({"TargetModel": "three.tar.gz"}, f"Failed to download model data(bucket: {deployer.bucket}, key: many/three"),
        (
            {"TargetModel": "broken.tar.gz"},
            f"Failed to extract model data archive(bucket: {deployer.bucket}, key: many",
        ),
        ({}, "is missing a target model header"),
    ):
        code, message = catch_error(invoke, **request, **target)
        assert (code, expected_message in message) == ("ValidationError", True), message


def test_a_container_of_a_pipeline_can_serve_many_models(deployer: EndpointDeployer) -> None:
    put_model(deployer, "one")
    after = "def model_fn(folder): pass\ndef transform_fn(_, data, *__): return f'after {data}', 'text/plain'\n"
    endpoint = deployer.deploy(build_container(deployer), deployer.create_container(after))
    assert deployer.invoke(endpoint, TargetModel="one.tar.gz").startswith('after {"name": "one"')


@pytest.fixture
def instance(sandbox: Sandbox, deployer: EndpointDeployer, tmp_path: Path) -> Any:
    """Yield a function that creates an instance of one multi-model container.

    All instances are closed afterward.
    """
    with run_region(sandbox, tmp_path) as parts:
        instances: list[HostingInstance] = []

        def create(shape: InstanceShape, **members: Any) -> HostingInstance:
            folder = tmp_path / str(len(instances))
            instances.append(
                HostingInstance(parts.region, "main-1", [build_container(deployer, **members)], folder, shape)
            )
            instances[-1].start()
            return instances[-1]

        yield create
        for created in instances:
            created.close()


def get_timings(instance: HostingInstance, target: str, seconds: float = 60) -> Any:
    return instance.invoke(Invocation(b"", target_model=f"{target}.tar.gz", timeout_seconds=seconds)).timings


def test_the_least_recently_used_model_is_unloaded(deployer: EndpointDeployer, instance: Any) -> None:
    for name in ("a", "b", "c"):
        put_model(deployer, name, mb=60)
    served = instance(InstanceShape(max_loaded_mb=200))  # two models of 60 MB with their interpreters fit
    first = get_timings(served, "a")
    assert (first.is_cache_hit, first.model_unloading, served.loaded_models) == (False, None, 1)
    assert first.model_waiting >= first.model_loading > 0
    assert get_timings(served, "b").is_cache_hit is False
    second = get_timings(served, "a")
    assert (second.is_cache_hit, second.model_loading, served.loaded_models) == (True, None, 2)
    assert get_timings(served, "c").model_unloading > 0
    assert (served.loaded_models, len(served.pids)) == (2, 2)
    assert get_timings(served, "a").is_cache_hit is True
    assert get_timings(served, "b").is_cache_hit is False


def test_models_without_caching_are_unloaded_after_their_response(deployer: EndpointDeployer, instance: Any) -> None:
    put_model(deployer, "a")
    served = instance(InstanceShape(), MultiModelConfig={"ModelCacheSetting": "Disabled"})
    assert [get_timings(served, "a").is_cache_hit for _ in range(2)] == [False, False]
    assert (served.loaded_models, served.pids) == (0, [])


def test_a_model_can_be_loaded_while_it_is_being_unloaded(deployer: EndpointDeployer, instance: Any) -> None:
    put_model(deployer, "busy")
    served = instance(InstanceShape(), MultiModelConfig={"ModelCacheSetting": "Disabled"})
    with ThreadPoolExecutor(4) as pool:
        assert {timings.model > 0 for timings in pool.map(lambda _: get_timings(served, "busy"), range(12))} == {True}


def test_a_loading_model_ends_with_its_container(deployer: EndpointDeployer, instance: Any, tmp_path: Path) -> None:
    pid_file = tmp_path / "begun"
    write_pid = f"pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()))"
    endless = f"import os, pathlib, time\ndef model_fn(model_dir):\n    {write_pid}\n    time.sleep(600)\n"
    deployer.put_object("many/endless.tar.gz", create_tar(code__inference_py=endless))
    served = instance(InstanceShape())
    with ThreadPoolExecutor() as pool:
        pending = pool.submit(get_timings, served, "endless")
        wait_until(lambda: pid_file.exists() and pid_file.read_text())
        [model] = [
            process for process in psutil.Process().children(recursive=True) if pid_file.read_text() == str(process.pid)
        ]
        served.close()
        with pytest.raises(ModelError):
            pending.result(60)
    assert not model.is_running()


def test_a_request_that_times_out_during_the_load_gets_not_ready(
    deployer: EndpointDeployer, instance: Any, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    script = SIZED.replace(
        "    told =", f"    import time\n    while not os.path.exists({str(gate)!r}): time.sleep(0.02)\n    told ="
    )
    deployer.put_object(
        "many/slow.tar.gz", create_tar(code__inference_py=script, **{"model.json": '{"name": "slow", "mb": 1}'})
    )
    put_model(deployer, "quick")
    served = instance(InstanceShape())
    with pytest.raises(NotReadyError) as error:
        get_timings(served, "slow", seconds=0.3)
    assert (error.value.code, error.value.status) == ("ModelNotReadyException", 429)
    assert get_timings(served, "quick").is_cache_hit is False  # other models load meanwhile
    gate.touch()
    wait_until(lambda: served.loaded_models == 2)
    assert get_timings(served, "slow").is_cache_hit is True
    with pytest.raises(MissingTargetError):
        get_timings(served, "missing")
