"""Fleets: choice of variant and instance for requests, and no failed request while instances change."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.endpoints.fleets import Fleets
from sagemaker_sandbox.endpoints.hosting.endpoint import ServingState
from sagemaker_sandbox.endpoints.hosting.instance import StartError
from sagemaker_sandbox.endpoints.hosting.invocation import Invocation, InvocationError
from sagemaker_sandbox.jobs.runtime.container_invocation import ModelError, ThrottledError
from tests.sandbox.endpoint_client import EndpointClient
from tests.sandbox.fleet_support import ModelStore, build_variant, invoke_model, run_region, start_fleet
from tests.sandbox.support import wait_until
from tests.sandbox.test_stopping import get_command_line, is_alive

pytestmark = pytest.mark.slow

SERVERLESS = {"MemorySizeInMB": 1024, "MaxConcurrency": 3}


@pytest.fixture
def models(s3: Any, bucket: str) -> ModelStore:
    return ModelStore(s3, bucket)


@pytest.fixture
def fleets(sandbox: Sandbox, tmp_path: Path) -> Iterator[Fleets]:
    """Yield the fleets of a Region; all their processes must have ended after the test."""

    def list_processes() -> set[psutil.Process]:
        """Return the child processes of this process, without those of the sandbox.

        Endpoints of other tests start and end in the sandbox.
        """
        return set(psutil.Process().children(recursive=True)).difference(
            psutil.Process(sandbox.pid).children(recursive=True)
        )

    before = list_processes()
    with run_region(sandbox, tmp_path) as parts:
        yield parts.get(Fleets)
    wait_until(lambda: list_processes() <= before)


def test_variants_are_chosen_by_weight_or_by_target_variant(fleets: Fleets, models: ModelStore) -> None:
    variants = (
        build_variant("main"),
        build_variant("other", InitialVariantWeight=3.0),
        build_variant("off", InitialVariantWeight=0.0),
    )
    fleet, traffic = start_fleet(fleets, "weights", models, *variants)
    answers = Counter(invoke_model(traffic)["model"] for _ in range(200))
    assert set(answers) == {"main", "other"}
    assert 15 <= answers["main"] <= 90  # 50 expected; a draw of one in 10^8 is outside
    assert invoke_model(traffic, target_variant="off") | {"pid": 0} == {"model": "off", "variant": "off", "pid": 0}
    with pytest.raises(InvocationError, match="Variant none was not found"):
        invoke_model(traffic, target_variant="none")

    fleet.set_weights({"main": 1.0, "other": 0.0})
    assert {invoke_model(traffic)["variant"] for _ in range(20)} == {"main"}
    fleet.scale("main", 0)
    with pytest.raises(InvocationError, match="no instance in service"):
        invoke_model(traffic)
    assert invoke_model(traffic, target_variant="other")["model"] == "other"


def test_fleets_share_traffic_and_a_closing_fleet_finishes_its_requests(
    fleets: Fleets, models: ModelStore, tmp_path: Path
) -> None:
    blue, traffic = start_fleet(fleets, "colours", models, build_variant("main"))
    green = fleets.create_fleet(
        "colours", {"ProductionVariants": [build_variant("main")]}, {"main": models("green")["green"]}
    )
    green.start()
    assert {invoke_model(traffic)["model"] for _ in range(20)} == {"main"}
    traffic.shift((blue, 0.8), (green, 0.2))
    answers = Counter(invoke_model(traffic)["model"] for _ in range(200))
    assert 15 <= answers["green"] <= 75
    traffic.shift((blue, 1.0))
    go, note = tmp_path / "go", tmp_path / "note"
    with ThreadPoolExecutor() as pool:
        pending = pool.submit(invoke_model, traffic, until=str(go), note=str(note))
        wait_until(lambda: any(member.active_requests for member in blue.variants["main"].pool.members))
        traffic.shift((green, 1.0))
        closing = pool.submit(blue.close)
        go.touch()
        closing.result()
        assert note.read_text() == "main\n", "closing waited for the response"
        assert pending.result()["model"] == "main"
    assert invoke_model(traffic)["model"] == "green"


def test_no_request_fails_while_instances_come_and_go(fleets: Fleets, models: ModelStore) -> None:
    fleet, traffic = start_fleet(fleets, "scaled", models, build_variant("main"), build_variant("spare"))
    is_over = threading.Event()
    answers: list[dict[str, Any]] = []

    def send_requests() -> None:
        while not is_over.is_set():
            answers.append(invoke_model(traffic, seconds=0.01))

    def has_more_answers(count: int) -> bool:
        return len(answers) > count

    with ThreadPoolExecutor(4) as clients:
        futures = [clients.submit(send_requests) for _ in range(4)]
        for count in (3, 0, 1):  # without an instance the other variant answers
            fleet.scale("main", count)
            wait_until(partial(has_more_answers, len(answers) + 80))
        is_over.set()
        for future in futures:
            future.result()
    assert fleet.instance_counts == {"main": 1, "spare": 1}
    assert len({answer["pid"] for answer in answers if answer["model"] == "main"}) >= 4


def test_removed_instances_and_endpoints_leave_no_files(fleets: Fleets, models: ModelStore, tmp_path: Path) -> None:
    fleet, _ = start_fleet(fleets, "tidy", models, build_variant("main", InitialInstanceCount=2))
    [folder] = tmp_path.glob("*/*/endpoints/*")
    assert len(list(folder.glob("variants/main/*"))) == 2
    fleet.scale("main", 1)
    assert len(list(folder.glob("variants/main/*"))) == 1
    fleets.release("tidy")
    wait_until(lambda: not list(tmp_path.glob("*/*/endpoints/*")))


def test_least_outstanding_requests_routing_chooses_the_least_busy_instance(
    fleets: Fleets, models: ModelStore, tmp_path: Path
) -> None:
    routing = {"RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"}, "InitialInstanceCount": 3}
    _, traffic = start_fleet(fleets, "routed", models, build_variant("main", **routing))
    for number in range(3):
        (meeting := tmp_path / f"meeting-{number}").mkdir()
        with ThreadPoolExecutor() as pool:
            futures = [pool.submit(invoke_model, traffic, meet=[str(meeting), 3]) for _ in range(3)]
            assert len({future.result()["pid"] for future in futures}) == 3


def test_requests_of_a_session_go_to_the_instance_that_opened_it(fleets: Fleets, models: ModelStore) -> None:
    script = """
import os
def model_fn(model_dir, context): return model_dir
def transform_fn(model, data, content_type, accept, context):
    own, name = os.path.dirname(os.path.realpath(model)), context.get_request_header(0, "x-amzn-sagemaker-session-id")
    path = os.path.join(own, "session")
    if name == "NEW_SESSION":
        name = "s-%d" % os.getpid()
        open(path, "w").write(name)
        context.set_response_header(0, "x-amzn-sagemaker-new-session-id", name + "; Expires=2999-01-01T00:00:00Z")
    elif data == "close":
        context.set_response_header(0, "x-amzn-sagemaker-closed-session-id", name)
    return str(os.path.exists(path) and open(path).read() == name), accept
"""
    config = {"ProductionVariants": [build_variant("main", InitialInstanceCount=3)]}
    fleet = fleets.create_fleet("stateful", config, {"main": models("stateful", script=script)["stateful"]})
    fleet.start()
    traffic = fleets.get_traffic("stateful")
    traffic.shift((fleet, 1.0))
    new_session = traffic.invoke(Invocation(b"", "text/csv", session_id="NEW_SESSION")).new_session_id
    session = new_session.partition(";")[0]
    for _ in range(8):
        assert traffic.invoke(Invocation(b"", "text/csv", session_id=session)).body == b"True"
    assert traffic.invoke(Invocation(b"close", "text/csv", session_id=session)).closed_session_id == session
    with pytest.raises(InvocationError, match=f"Session {session} was not found"):
        traffic.invoke(Invocation(b"", "text/csv", session_id=session))


def test_a_shadow_variant_receives_copies_and_its_responses_are_dropped(
    fleets: Fleets, models: ModelStore, tmp_path: Path
) -> None:
    shadow = build_variant("shadow", InitialVariantWeight=0.5)
    fleet, traffic = start_fleet(fleets, "shadowed", models, build_variant("main"), ShadowProductionVariants=[shadow])
    note = tmp_path / "asked"
    for _ in range(60):
        assert invoke_model(traffic, note=str(note))["model"] == "main"
    wait_until(lambda: note.read_text().split().count("main") == 60)
    wait_until(lambda: note.read_text().split().count("shadow") >= 12)
    assert note.read_text().split().count("shadow") <= 48
    with pytest.raises(InvocationError, match="Variant shadow was not found"):
        invoke_model(traffic, target_variant="shadow")
    fleet.set_weights({"shadow": 1.0})
    second_note = tmp_path / "more"
    for _ in range(20):
        invoke_model(traffic, note=str(second_note))
    wait_until(lambda: second_note.read_text().split().count("shadow") == 20)


def test_a_reservation_respects_the_concurrency_limit(fleets: Fleets, models: ModelStore) -> None:
    notified: list[str] = []
    fleets.on_capacity_freed.append(notified.append)
    fleet, traffic = start_fleet(fleets, "queued", models, build_variant("main"))
    assert traffic.instance_count == 1
    with traffic.reserve(limit=1) as first, traffic.reserve(limit=1) as second:
        assert first is not None
        assert first.variant == "main"
        assert second is None
        notified.clear()
        assert first.invoke(Invocation(b"{}")).variant == "main"
    assert notified == ["queued"]
    fleet.scale("main", 0)
    with traffic.reserve(limit=1) as none:
        assert none is None
    notified.clear()
    fleet.scale("main", 1)
    assert notified == ["queued"]


def test_only_provisioned_workers_are_kept_warm(fleets: Fleets, models: ModelStore, tmp_path: Path) -> None:
    fleet, traffic = start_fleet(
        fleets, "warm", models, build_variant("main", ServerlessConfig=SERVERLESS | {"ProvisionedConcurrency": 1})
    )
    [member] = fleet.variants["main"].pool.members
    [warm] = member.instance.pids
    assert invoke_model(traffic)["pid"] == warm
    fleet.set_serverless("main", {"ProvisionedConcurrency": 2})
    provisioned = set(member.instance.pids)
    (meeting := tmp_path / "meeting").mkdir()
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(invoke_model, traffic, meet=[str(meeting), 2]) for _ in range(2)]
        assert {future.result()["pid"] for future in futures} == provisioned
        pending = [pool.submit(invoke_model, traffic, until=str(tmp_path / "three")) for _ in range(3)]
        wait_until(lambda: member.active_requests == 3)
        with pytest.raises(ThrottledError):
            invoke_model(traffic)
        (tmp_path / "three").touch()
        assert provisioned < {future.result()["pid"] for future in pending}
    fleet.set_serverless("main", {"MaxConcurrency": 1, "ProvisionedConcurrency": 1})
    with ThreadPoolExecutor() as pool:
        last_pending = pool.submit(invoke_model, traffic, until=str(tmp_path / "one"))
        wait_until(lambda: member.active_requests == 1)
        with pytest.raises(ThrottledError):
            invoke_model(traffic)
        (tmp_path / "one").touch()
        last_pending.result()


def test_a_model_that_does_not_load_leaves_the_instance_count_unchanged(fleets: Fleets, models: ModelStore) -> None:
    missing = {"main": [models("main")["main"][0] | {"ModelDataUrl": "s3://no-such-bucket/model.tar.gz"}]}
    fleet = fleets.create_fleet("broken", {"ProductionVariants": [build_variant("main")]}, missing)
    with pytest.raises(StartError, match=r"s3://no-such-bucket/model\.tar\.gz"):
        fleet.start()
    assert fleet.instance_counts == {"main": 0}


def test_the_first_request_after_a_restart_resumes_the_previous_fleet(
    sandbox: Sandbox, tmp_path: Path, models: ModelStore
) -> None:
    variants = [build_variant("main", InitialInstanceCount=2), build_variant("other", InitialVariantWeight=0.0)]
    config = {"EndpointConfigName": "kept", "ProductionVariants": variants}
    state = ServingState(config, models("main", "other"))
    with run_region(sandbox, tmp_path) as parts:
        fleets = parts.get(Fleets)
        fleets.find_serving = {"kept": state}.get
        with ThreadPoolExecutor() as pool:  # all requests wait for the same instances
            futures = [pool.submit(lambda: invoke_model(fleets.get_traffic("kept"))) for _ in range(4)]
            assert {future.result()["model"] for future in futures} == {"main"}
        [(fleet, share)] = fleets.get_traffic("kept").shares
        assert (fleet.instance_counts, share) == ({"main": 2, "other": 1}, 1.0)
        assert fleets.get_traffic("unknown").shares == ()


def test_a_deleted_endpoint_finishes_its_requests_but_closing_does_not_wait(
    fleets: Fleets, models: ModelStore, tmp_path: Path
) -> None:
    _, traffic = start_fleet(fleets, "going", models, build_variant("main"))
    with ThreadPoolExecutor() as pool:
        pending = pool.submit(invoke_model, traffic, until=str(tmp_path / "go"))
        wait_until(lambda: traffic.fleets[0].variants["main"].pool.members[0].active_requests)
        fleets.release("going")
        (tmp_path / "go").touch()
        assert pending.result()["model"] == "main"
    with pytest.raises(InvocationError):
        invoke_model(traffic)

    _, traffic = start_fleet(fleets, "going", models, build_variant("main"))
    with ThreadPoolExecutor() as pool:
        stuck = pool.submit(invoke_model, traffic, seconds=55)  # it would succeed
        wait_until(lambda: traffic.fleets[0].variants["main"].pool.members[0].active_requests)
        fleets.close()
        with pytest.raises(ModelError):
            stuck.result()


def test_instances_resume_after_a_restart_and_end_with_the_sandbox(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox.start(state=tmp_path) as sandbox:
        endpoints = EndpointClient.prepare(sandbox)
        endpoint = endpoints.create_endpoint(endpoints.create_config(endpoints.create_model("live"), count=1))
        capacities = [{"VariantName": "main", "DesiredInstanceCount": 3}]
        endpoints.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=endpoint, DesiredWeightsAndCapacities=capacities
        )
        endpoints.wait_until_settled(endpoint)
        endpoints.invoke(endpoint)
        processes = list_workers(sandbox)
        assert len(processes) == 3
        private = [worker.memory_full_info().uss / 2**20 for worker in processes]
        with capsys.disabled():
            print(f"\nAn idle instance uses {max(private):.1f} MB of memory of its own, without its model.")
        assert max(private) < 50
    wait_until(lambda: not any(map(is_alive, processes)))

    with Sandbox.start(state=tmp_path) as sandbox:
        assert list_workers(sandbox) == []
        assert EndpointClient(sandbox).invoke(endpoint) == "live"
        processes = list_workers(sandbox)
        assert len(processes) == 3
    wait_until(lambda: not any(map(is_alive, processes)))


def list_workers(sandbox: Sandbox) -> list[psutil.Process]:
    """Return the processes that hold models."""
    children = psutil.Process(sandbox.pid).children(recursive=True)
    return [process for process in children if any(part.endswith("worker.py") for part in get_command_line(process))]
