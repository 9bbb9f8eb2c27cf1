"""Model server: workers start on demand, follow the contract of the inference toolkit, and end when idle."""

import ast
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from sagemaker_sandbox.jobs.runtime import archives
from sagemaker_sandbox.jobs.runtime.container import Container
from sagemaker_sandbox.jobs.runtime.container_invocation import ContainerRequest, ModelError, ThrottledError
from sagemaker_sandbox.jobs.runtime.model_server import Capacity, ModelServer
from tests.sandbox.job_runs import OPT_ML_MODES
from tests.sandbox.support import is_alive, wait_until

pytestmark = pytest.mark.slow

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"

#: Model script: multiplies the weight of the model file by `x`. `until` waits for a file.
INFERENCE = """
import json, os, pathlib, subprocess, time
def model_fn(model_dir):
    return json.loads((pathlib.Path(model_dir) / "model.json").read_text())["weight"]
def input_fn(data, content_type):
    return json.loads(data)
def predict_fn(data, model):
    while not os.path.exists(data.get("until", "/")): time.sleep(0.02)
    time.sleep(data.get("seconds", 0))
    return {"value": data["x"] * model, "pid": os.getpid()}
def output_fn(prediction, accept):
    return json.dumps(prediction), accept
"""


def pack_model(inference: str = INFERENCE, **others: str) -> bytes:
    files = {"model.json": json.dumps({"weight": 2}), "code/inference.py": inference, **others}
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()


Serve = Callable[..., ModelServer]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Yield a function that creates a server, and close all servers afterward."""
    servers: list[ModelServer] = []

    def create(
        model_data: bytes | None = None,
        environment: dict[str, str] | None = None,
        *,
        mounted: bool = False,
        now: Callable[[], float] = time.monotonic,
        **options: Any,
    ) -> ModelServer:
        container = Container(tmp_path / f"server-{len(servers)}", mounted=mounted)
        container.reset()
        archives.unpack(io.BytesIO(model_data or pack_model()), container.model, "model.tar.gz")
        capacity = Capacity(**{"memory_mb": 1024, "workers": 2} | options)
        servers.append(ModelServer(container, environment or {}, capacity, now=now))
        return servers[-1]

    yield create
    for server in servers:
        server.close()


def invoke(server: ModelServer, *, within: float = 60, **request: object) -> dict[str, Any]:
    body, content_type = invoke_raw(server, json.dumps(request).encode(), within=within)
    assert content_type == JSON
    answer: dict[str, Any] = json.loads(body)
    return answer


def invoke_raw(
    server: ModelServer, body: bytes, content_type: str = JSON, accept: str = JSON, *, within: float = 60
) -> tuple[bytes, str]:
    answer = server.invoke(ContainerRequest.build(body, content_type, accept, within))
    return answer.full_body, answer.content_type


def test_a_worker_starts_on_the_first_request_and_ends_when_idle(serve: Serve) -> None:
    moment = [0.0]
    server = serve(now=lambda: moment[0], idle_seconds=300)
    assert server.worker_count == 0
    first, second = invoke(server, x=3), invoke(server, x=4)
    assert (first["value"], second["value"]) == (6, 8)
    assert first["pid"] == second["pid"]
    assert server.worker_count == 1
    moment[0] += 301
    wait_until(lambda: server.worker_count == 0 and not psutil.pid_exists(first["pid"]))
    assert invoke(server, x=5)["pid"] != first["pid"]


def test_the_idle_timeout_uses_the_given_clock(serve: Serve) -> None:
    moment = [0.0]
    server = serve(now=lambda: moment[0], idle_seconds=300)
    first = invoke(server, x=1)["pid"]
    moment[0] += 299
    assert invoke(server, x=1)["pid"] == first
    moment[0] += 301
    assert invoke(server, x=1)["pid"] != first


def test_warm_workers_start_before_any_request_and_are_replaced(serve: Serve) -> None:
    server = serve(idle_seconds=0, warm_workers=1)
    server.start()
    [pid] = server.pids
    response = server.invoke(ContainerRequest.build(b'{"x": 1}', JSON, JSON))
    assert (response.timings.cold_start, response.timings.is_provisioned) == (None, True)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: server.pids not in ([], [pid]))
    server.reshape(Capacity(3, warm_workers=2, idle_seconds=0))
    assert len(server.pids) == 2
    server.reshape(Capacity(3, warm_workers=0, idle_seconds=0))
    wait_until(lambda: server.pids == [])


def test_requests_wait_up_to_the_limit_and_others_are_throttled(serve: Serve, tmp_path: Path) -> None:
    server = serve(workers=1, max_waiting=2)
    server.start()
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(invoke, server, x=1, until=str(tmp_path / "go")) for _ in range(4)]
        wait_until(lambda: any(future.done() for future in futures))
        (tmp_path / "go").touch()
        errors = [future.exception() for future in futures]
    assert sorted(type(error).__name__ for error in errors) == ["NoneType"] * 3 + ["ThrottledError"]
    assert server.worker_count == 1


def test_a_larger_capacity_answers_a_waiting_request(serve: Serve, tmp_path: Path) -> None:
    server, go = serve(workers=1, max_waiting=1), tmp_path / "go"
    server.start()
    with ThreadPoolExecutor() as pool:
        busy = pool.submit(invoke, server, x=1, until=str(go))
        wait_until(lambda: server.request_count == 1)
        waiting = pool.submit(invoke, server, x=2)
        wait_until(lambda: server.request_count == 2)
        server.reshape(Capacity(2, max_waiting=1))
        try:
            assert waiting.result()["value"] == 4
            assert not busy.done()
        finally:
            go.touch()


#: Model script: waits for the file that the first request names, and returns the number of earlier requests.
COUNTING = """
import itertools, os, time
def model_fn(model_dir): return itertools.count()
def transform_fn(counter, data, content_type, accept):
    while not os.path.exists(data): time.sleep(0.02)
    return str(next(counter)), accept
"""


def test_waiting_requests_are_answered_in_the_order_of_their_arrival(serve: Serve, tmp_path: Path) -> None:
    server, go = serve(pack_model(COUNTING), workers=1, max_waiting=30), tmp_path / "go"
    server.start()
    with ThreadPoolExecutor(31) as pool:
        futures = []
        for _number in range(31):
            futures.append(pool.submit(invoke_raw, server, str(go).encode(), CSV))
            wait_until(lambda: server.request_count == len(futures))
        go.touch()
        assert [int(future.result()[0]) for future in futures] == list(range(31))


def test_concurrent_requests_have_their_own_workers_up_to_max_concurrency(serve: Serve, tmp_path: Path) -> None:
    server = serve(workers=2)
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(invoke, server, x=1, until=str(tmp_path / "go")) for _ in range(2)]
        wait_until(lambda: server.worker_count == 2)
        with pytest.raises(ThrottledError, match="MaxConcurrency"):
            invoke(server, x=1)
        (tmp_path / "go").touch()
        assert len({future.result()["pid"] for future in futures}) == 2


def test_user_prints_do_not_reach_the_response(serve: Serve, tmp_path: Path) -> None:
    noisy = INFERENCE.replace(
        "    time.sleep", '    print("from Python"); subprocess.run(["echo", "from a child"])\n    time.sleep'
    )
    assert invoke(serve(pack_model(noisy)), x=1)["value"] == 2
    log = (tmp_path / "server-0" / "logs" / "worker-1.log").read_text()
    assert "from Python" in log
    assert "from a child" in log


def test_missing_functions_have_the_defaults_of_the_toolkit(serve: Serve) -> None:
    import numpy as np

    server = serve(pack_model("def model_fn(model_dir):\n    return lambda rows: rows.sum(axis=1)\n"))
    assert invoke_raw(server, b"[[1, 2], [3, 4]]", JSON, "*/*") == (b"[3, 7]", JSON)
    assert invoke_raw(server, b"1,2\n3,4\n", CSV, CSV) == (b"3.0\n7.0\n", CSV)
    array = io.BytesIO()
    np.save(array, np.array([[1, 2], [3, 4]]))
    body, content_type = invoke_raw(server, array.getvalue(), NPY, NPY)
    assert (np.load(io.BytesIO(body)).tolist(), content_type) == ([3, 7], NPY)
    for content_type, accept in (("image/png", JSON), (JSON, "image/png")):
        with pytest.raises(ModelError, match="Content type image/png is not supported") as error:
            invoke_raw(server, b"[[1]]", content_type, accept)
        assert error.value.original_status == 415
    assert server.worker_count == 1


def test_a_response_of_the_web_server_has_its_own_status(serve: Serve) -> None:
    server = serve(
        pack_model(
            "from flask import Response\n"
            "def model_fn(model_dir): return {}\n"
            "def transform_fn(model, data, content_type, accept):\n"
            "    return Response(data.upper(), status=int(content_type[-3:]), mimetype='text/plain')\n"
        )
    )
    assert invoke_raw(server, b"a", "text/200") == (b"A", "text/plain; charset=utf-8")
    with pytest.raises(ModelError, match="A COLUMN IS MISSING") as error:
        invoke_raw(server, b"a column is missing", "text/400")
    assert (error.value.original_status, server.worker_count) == (400, 1)


def test_a_script_error_is_reported_and_the_worker_continues(serve: Serve) -> None:
    server = serve()
    pid = invoke(server, x=1)["pid"]
    with pytest.raises(ModelError, match="'x'") as error:
        invoke(server, y=1)
    assert error.value.original_status == 500
    assert "KeyError: 'x'" in error.value.log
    assert invoke(server, x=1)["pid"] == pid


def test_a_dead_worker_is_reported_with_its_log_and_replaced(serve: Serve) -> None:
    server = serve(
        pack_model(INFERENCE.replace("    time.sleep", '    data.get("die") and os.abort()\n    time.sleep'))
    )
    pid = invoke(server, x=1)["pid"]
    with pytest.raises(ModelError, match="exit code -6"):
        invoke(server, x=1, die=True)
    second = invoke(server, x=1)["pid"]
    os.kill(second, signal.SIGKILL)  # while it is idle, so that no request fails
    wait_until(lambda: server.worker_count == 0)
    assert invoke(server, x=1)["pid"] not in {pid, second}


@pytest.mark.parametrize(
    "statement",
    [
        "error = ValueError('ill'); error.status_code = 200; raise error",
        "error = ValueError('ill'); error.status_code = 'ill'; raise error",
        "return 'ill', 'text/plain\\nX-Other: 1'",
        "return 'ill', 'text/\N{SNOWMAN}'",
    ],
)
def test_an_invalid_response_is_a_container_failure_and_the_worker_continues(serve: Serve, statement: str) -> None:
    script = f"def model_fn(model_dir): pass\ndef transform_fn(model, data, content_type, accept):\n    {statement}\n"
    server = serve(pack_model(script), workers=1)
    for _ in range(2):
        with pytest.raises(ModelError) as error:
            invoke_raw(server, b"")
        assert error.value.original_status == 500
    assert server.worker_count == 1


def test_a_forked_daemon_delays_no_request_and_ends_with_the_server(serve: Serve, tmp_path: Path) -> None:
    forking = INFERENCE.replace(
        "    time.sleep",
        f"""    if not data["x"]:
        if not os.fork():
            os.setsid()
            pathlib.Path({str(tmp_path / "daemon")!r}).write_text(str(os.getpid()))
            time.sleep(600)
        while not pathlib.Path({str(tmp_path / "daemon")!r}).exists():
            pass
        os._exit(7)
    time.sleep""",
    )
    server = serve(pack_model(forking), workers=1)
    with pytest.raises(ModelError, match="exit code 7"):
        invoke(server, x=0)
    assert invoke(server, x=1)["value"] == 2
    daemon = psutil.Process(int((tmp_path / "daemon").read_text()))
    assert daemon.is_running()
    server.close()
    wait_until(lambda: not is_alive(daemon.pid))


def test_a_worker_above_its_memory_limit_is_killed(serve: Serve) -> None:
    greedy = INFERENCE.replace("    time.sleep", "    block = bytearray(data.get('bytes', 0))\n    time.sleep")
    server = serve(pack_model(greedy), memory_mb=100)
    assert invoke(server, x=1)["value"] == 2
    with pytest.raises(ModelError, match="MemorySizeInMB, 100 MB") as error:
        invoke(server, x=1, bytes=200 * 2**20, seconds=60)
    assert error.value.original_status == 0


def test_an_invocation_that_takes_too_long_is_ended(serve: Serve) -> None:
    server = serve()
    invoke(server, x=1)
    with pytest.raises(ModelError, match="Your invocation timed out"):
        invoke(server, x=1, seconds=30, within=1)
    assert server.worker_count == 0


@pytest.mark.parametrize(
    ("model_data", "message"),
    [
        (pack_model(**{"code/inference.py": "x = 1"}), r"inference.py has no model_fn"),
        (pack_model(**{"code/inference.py": "import no_such_package"}), "No module named 'no_such_package'"),
        (pack_model(**{"code/inference.py": "import cv2"}), "no cv2: run pip install opencv-python-headless in that"),
        (pack_model(**{"code/inference.py": INFERENCE + "transform_fn = predict_fn"}), "transform_fn cannot be used"),
    ],
    ids=["no model_fn", "import error", "missing package", "both contracts"],
)
def test_a_model_that_cannot_be_loaded_reports_the_reason(serve: Serve, model_data: bytes, message: str) -> None:
    server = serve(model_data)
    with pytest.raises(ModelError, match=message) as error:
        invoke(server, x=1)
    assert error.value.original_status == 500
    assert "\n" not in error.value.message
    assert server.worker_count == 0


@pytest.mark.parametrize("mounted", OPT_ML_MODES)
def test_the_entry_point_and_environment_are_those_of_the_model(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mounted: bool
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "1")
    script = "import os\nmodel_fn = lambda folder: folder\ntransform_fn = lambda *_: repr((_[0], dict(os.environ)))\n"
    environment = {"SAGEMAKER_PROGRAM": "other.py", "CACHE": "/opt/ml/model/cache"}
    server = serve(pack_model(**{"code/other.py": script}), environment, mounted=mounted)
    folder, worker_environment = ast.literal_eval(invoke_raw(server, b"{}")[0].decode())
    root = "/opt/ml" if mounted else f"{tmp_path}/server-0"
    assert (folder, worker_environment["SM_MODEL_DIR"], worker_environment["CACHE"]) == (
        f"{root}/model",
        f"{root}/model",
        f"{root}/model/cache",
    )
    assert "SECRET_OF_THE_HOST" not in worker_environment


def test_a_busy_worker_ends_with_its_server(tmp_path: Path) -> None:
    archives.unpack(io.BytesIO(pack_model()), tmp_path / "model", "model.tar.gz")
    server = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import pathlib, sys, threading, time\n"
            "from sagemaker_sandbox.jobs.runtime.container import Container\n"
            "from sagemaker_sandbox.jobs.runtime.container_invocation import ContainerRequest\n"
            "from sagemaker_sandbox.jobs.runtime.model_server import Capacity, ModelServer\n"
            "container = Container(pathlib.Path(sys.argv[1]), mounted=False)\n"
            "server = ModelServer(container, {}, Capacity(1))\n"
            "request = lambda body: ContainerRequest.build(body, 'application/json', '*/*')\n"
            "ask = lambda body: server.invoke(request(body)).full_body\n"
            "print(ask(b'{\"x\": 1}').decode(), flush=True)\n"
            'ask(b\'{"x": 1, "seconds": 60}\')\n',
            str(tmp_path),
        ],
        stdout=subprocess.PIPE,
    )
    with server:
        assert server.stdout is not None
        worker = json.loads(server.stdout.readline())["pid"]
        assert psutil.pid_exists(worker)
        server.kill()
    wait_until(lambda: not is_alive(worker))


def test_closing_leaves_no_worker(serve: Serve) -> None:
    server = serve()
    pid = invoke(server, x=1)["pid"]
    server.close()
    assert not psutil.pid_exists(pid)
    with pytest.raises(ModelError, match="deleted"):
        invoke(server, x=1)
