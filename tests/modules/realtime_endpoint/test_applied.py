"""A real-time endpoint as it is applied: taken back by its alarms in each way of deploying, and as large as its load."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from sustainable_mlops.sandbox import Sandbox
from tests.modules.serving import GONE_BACK, Serving
from tests.provider import serving as provider_serving

pytestmark = pytest.mark.apply

GIVEN = {
    "account_id": "123456789012",
    "region": "eu-north-1",
    "silicon": "x86",
    "instance_type": "ml.m5.large",
    "latency_slo_ms": 5000,
}
#: Seconds that each step is watched, short so that little time has to pass.
WATCH = {"wait_seconds": 240, "bake_seconds": 60}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One that serves the model `first`."""
    folder = tmp_path_factory.mktemp("root")
    with (
        Sandbox.start(log=tmp_path_factory.mktemp("sandbox") / "log") as sandbox,
        provider_serving(sandbox.process_environment()) as provider,
    ):
        made = Serving(sandbox, folder, "realtime_endpoint", **GIVEN)
        made.given["model_data_url"] = made.model("first")
        made.begin(sandbox.environment | {"TF_REATTACH_PROVIDERS": provider})
        made.apply()
        yield made
        made.terraform.run("destroy", "-auto-approve")


def test_it_is_taken_back_by_its_alarms_in_each_way_of_deploying_and_the_next_good_model_is_served(
    endpoint: Serving,
) -> None:
    own, told, bad = endpoint.own, [], endpoint.model("")
    serves = endpoint.following()
    assert endpoint.plan() == {}
    for strategy in ("rolling", "canary", "linear"):
        with endpoint.applying(model_data_url=bad, deployment={"strategy": strategy, **WATCH}) as failed:
            assert endpoint.begun()
            with own.load(endpoint.name, 2) as said:
                while endpoint.status() == "Updating":
                    endpoint.sandbox.advance(20)
                    time.sleep(0.2)
            endpoint.pass_(until_rest=True, seconds=1)
        # Half of the requests, at most, were asked of the bad model; nothing else went wrong.
        assert {answer.partition(":")[0] for answer in said} == {"first", "ModelError"}, strategy
        assert said["first"] > said.total() * 0.4, strategy
        told += failed
        assert endpoint.following() == serves, f"{strategy}: what serves is still there"
        if GONE_BACK in failed[0]:
            assert endpoint.in_state() == serves, strategy
        assert {endpoint.ask() for _ in range(10)} == {"first"}, f"{strategy}: the old model answers every request"
        assert endpoint.plan()["aws_sagemaker_endpoint.this"] == ["update"], strategy
        endpoint.sandbox.advance(300)  # an alarm that is still on would take the next one back at once
    assert len(told) == 3
    # The provider may have looked while it was going back, which is an error to it, and of which the next plan's refresh
    # finds what serves; else the module says it, and the state has it.
    assert all(GONE_BACK in one or "unexpected state 'RollingBack'" in one for one in told), told
    assert any(GONE_BACK in one for one in told), told

    endpoint.apply(model_data_url=endpoint.model("second"), deployment={"strategy": "canary", **WATCH})
    assert endpoint.ask() == "second"
    assert endpoint.following() == endpoint.in_state() != serves
    assert len(own.sagemaker.list_endpoint_configs()["EndpointConfigs"]) == 1
    assert endpoint.plan() == {}
