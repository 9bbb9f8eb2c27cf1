"""Multi-model endpoints: models are loaded when they are asked for, and leave when others need their memory."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.hosting.instance import HostingInstance, InstanceShape
from sagemaker_sandbox.hosting.invocation import Invocation, MissingTargetError, NotReadyError
from sagemaker_sandbox.runtime.container_invocation import ModelError
from tests.sandbox.fleet_support import run_region
from tests.sandbox.hosting_support import EndpointDeployer
from tests.sandbox.support import IMAGE, refusal, tar, until

pytestmark = pytest.mark.slow

#: Takes as much memory as its archive says, and says which one it is.
SIZED = """
import json, os, pathlib
def model_fn(model_dir):
    told = json.loads((pathlib.Path(model_dir) / "model.json").read_text())
    return told | {"block": bytearray(os.urandom(1) * (told["mb"] << 20))}
def transform_fn(model, *_): return json.dumps({"name": model["name"], "pid": os.getpid()}), "application/json"
"""


@pytest.fixture
def deploying(sandbox: Sandbox, bucket: str, fresh: Callable[[str], str]) -> EndpointDeployer:
    return EndpointDeployer(sandbox, bucket, fresh)


def put_model(deploying: EndpointDeployer, name: str, mb: int = 1) -> None:
    told = json.dumps({"name": name, "mb": mb})
    deploying.put_object(f"many/{name}.tar.gz", tar(code__inference_py=SIZED, **{"model.json": told}))


def build_container(deploying: EndpointDeployer, **members: Any) -> dict[str, Any]:
    return {"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": f"s3://{deploying.bucket}/many/", **members}


def test_models_are_found_by_name_when_they_are_asked_for(deploying: EndpointDeployer) -> None:
    put_model(deploying, "one")
    endpoint = deploying.deploy(build_container(deploying))
    put_model(deploying, "sub/two")  # which was not there when the endpoint was made

    def ask(target: str) -> Any:
        return json.loads(deploying.invoke(endpoint, TargetModel=target))

    with ThreadPoolExecutor() as clients:
        first = list(clients.map(ask, ["one.tar.gz"] * 3 + ["sub/two.tar.gz"] * 3))
    assert [one["name"] for one in first] == ["one"] * 3 + ["sub/two"] * 3
    assert len({one["pid"] for one in first}) == 2  # each was loaded once
    deploying.s3.delete_object(Bucket=deploying.bucket, Key="many/one.tar.gz")
    assert ask("one.tar.gz") == first[0]  # what is loaded serves on

    invoke, asked = deploying.runtime.invoke_endpoint, {"EndpointName": endpoint, "Body": b""}
    deploying.put_object("many/broken.tar.gz", "no archive")
    for target, why in (
        ({"TargetModel": "three.tar.gz"}, f"Failed to download model data(bucket: {deploying.bucket}, key: many/three"),
        (
            {"TargetModel": "broken.tar.gz"},
            f"Failed to extract model data archive(bucket: {deploying.bucket}, key: many",
        ),
        ({}, "is missing a target model header"),
    ):
        code, message = refusal(invoke, **asked, **target)
        assert (code, why in message) == ("ValidationError", True), message


def test_one_of_several_containers_may_serve_many_models(deploying: EndpointDeployer) -> None:
    put_model(deploying, "one")
    after = "def model_fn(folder): pass\ndef transform_fn(_, data, *__): return f'after {data}', 'text/plain'\n"
    endpoint = deploying.deploy(build_container(deploying), deploying.create_container(after))
    assert deploying.invoke(endpoint, TargetModel="one.tar.gz").startswith('after {"name": "one"')


@pytest.fixture
def instance(sandbox: Sandbox, deploying: EndpointDeployer, tmp_path: Path) -> Any:
    """Makes an instance of one multi-model container that is closed after the test."""
    with run_region(sandbox, tmp_path) as parts:
        made: list[HostingInstance] = []

        def make(shape: InstanceShape, **members: Any) -> HostingInstance:
            folder = tmp_path / str(len(made))
            made.append(HostingInstance(parts.region, "main-1", [build_container(deploying, **members)], folder, shape))
            made[-1].start()
            return made[-1]

        yield make
        for one in made:
            one.close()


def get_timings(instance: HostingInstance, target: str, seconds: float = 60) -> Any:
    return instance.invoke(Invocation(b"", target_model=f"{target}.tar.gz", timeout_seconds=seconds)).timings


def test_the_model_that_was_not_used_for_longest_makes_room(deploying: EndpointDeployer, instance: Any) -> None:
    for name in ("a", "b", "c"):
        put_model(deploying, name, mb=60)
    served = instance(InstanceShape(loaded_mb=200))  # of 60 MB and an interpreter each, two fit
    first = get_timings(served, "a")
    assert (first.cache_hit, first.model_unloading, served.loaded_models) == (False, None, 1)
    assert first.model_waiting >= first.model_loading > 0
    assert get_timings(served, "b").cache_hit is False
    again = get_timings(served, "a")
    assert (again.cache_hit, again.model_loading, served.loaded_models) == (True, None, 2)
    assert get_timings(served, "c").model_unloading > 0
    assert (served.loaded_models, len(served.pids)) == (2, 2)
    assert get_timings(served, "a").cache_hit is True
    assert get_timings(served, "b").cache_hit is False


def test_models_that_are_not_to_be_cached_leave_after_their_answer(deploying: EndpointDeployer, instance: Any) -> None:
    put_model(deploying, "a")
    served = instance(InstanceShape(), MultiModelConfig={"ModelCacheSetting": "Disabled"})
    assert [get_timings(served, "a").cache_hit for _ in range(2)] == [False, False]
    assert (served.loaded_models, served.pids) == (0, [])


def test_a_model_that_leaves_is_not_in_the_way_of_itself(deploying: EndpointDeployer, instance: Any) -> None:
    put_model(deploying, "busy")
    served = instance(InstanceShape(), MultiModelConfig={"ModelCacheSetting": "Disabled"})
    with ThreadPoolExecutor(4) as pool:
        assert {one.model > 0 for one in pool.map(lambda _: get_timings(served, "busy"), range(12))} == {True}


def test_a_model_that_is_being_loaded_goes_with_its_container(
    deploying: EndpointDeployer, instance: Any, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    noted = f"pathlib.Path({str(begun)!r}).write_text(str(os.getpid()))"
    endless = f"import os, pathlib, time\ndef model_fn(model_dir):\n    {noted}\n    time.sleep(600)\n"
    deploying.put_object("many/endless.tar.gz", tar(code__inference_py=endless))
    served = instance(InstanceShape())
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(get_timings, served, "endless")
        until(lambda: begun.exists() and begun.read_text())
        [model] = [one for one in psutil.Process().children(recursive=True) if begun.read_text() == str(one.pid)]
        served.close()
        with pytest.raises(ModelError):
            asked.result(60)
    assert not model.is_running()


def test_a_model_that_is_still_being_loaded_is_not_ready(
    deploying: EndpointDeployer, instance: Any, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    waiting = SIZED.replace(
        "    told =", f"    import time\n    while not os.path.exists({str(gate)!r}): time.sleep(0.02)\n    told ="
    )
    deploying.put_object(
        "many/slow.tar.gz", tar(code__inference_py=waiting, **{"model.json": '{"name": "slow", "mb": 1}'})
    )
    put_model(deploying, "quick")
    served = instance(InstanceShape())
    with pytest.raises(NotReadyError) as refused:
        get_timings(served, "slow", seconds=0.3)
    assert (refused.value.code, refused.value.status) == ("ModelNotReadyException", 429)
    assert get_timings(served, "quick").cache_hit is False  # others are loaded meanwhile
    gate.touch()
    until(lambda: served.loaded_models == 2)
    assert get_timings(served, "slow").cache_hit is True
    with pytest.raises(MissingTargetError):
        get_timings(served, "missing")
