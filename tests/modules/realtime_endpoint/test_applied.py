"""A real-time endpoint as it is applied: taken back by its alarms in each way of deploying, as large as its load."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sustainable_mlops.errors import UserError
from tests.modules.serving import GONE_BACK, Serving
from tests.sandbox.support import wait_until

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

#: What an endpoint needs as long as it follows it.
KEEPS_SERVING = ("endpoint_configuration", "model")


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Serving]:
    with Serving.alone(tmp_path, "realtime_endpoint", **GIVEN) as made:
        yield made


def more_than(said: Counter[str], number: int) -> bool:
    """Whether so many were answered: minutes that pass sooner would say nothing of a model."""
    return said.total() > number


def it_is_taken_back_by_its_alarms_in_each_way_of_deploying_and_the_next_good_model_is_served(
    endpoint: Serving,
) -> None:
    own, bad = endpoint.own, endpoint.model("")
    serves = endpoint.following()
    assert endpoint.plan() == {}
    for strategy in ("rolling", "canary", "linear"):
        with endpoint.applying(model_data_url=bad, deployment={"strategy": strategy, **WATCH}) as failed:
            assert endpoint.begun()
            with endpoint.unseen(), own.generate_load(endpoint.name, 2) as said:
                while endpoint.status() in ("Updating", "RollingBack"):
                    asked = said.total() + 10
                    wait_until(partial(more_than, said, asked))
                    endpoint.sandbox.advance(20)
            endpoint.pass_()
        # Half of the requests, at most and but for chance, were asked of the bad model; nothing else went wrong.
        assert {answer.partition(":")[0] for answer in said} == {"first", "ModelError"}, strategy
        assert said["first"] > said.total() * 0.3, strategy
        assert GONE_BACK in failed[0], strategy
        assert endpoint.following() == serves, f"{strategy}: what serves is still there"
        assert endpoint.in_state() == serves, strategy
        assert {endpoint.ask() for _ in range(10)} == {"first"}, f"{strategy}: the old model answers every request"
        endpoint.sandbox.advance(300)  # an alarm that is still on would take the next one back at once
    assert endpoint.plan()["aws_sagemaker_endpoint.this"] == ["update"]

    # A provider that looks while the endpoint goes back ends with words of its own, and has the state say what was
    # wanted. What is there is read by the next plan, unless that is told not to: it would delete what serves.
    canary = {"strategy": "canary", **WATCH}
    with endpoint.applying(model_data_url=bad, deployment=canary) as failed:
        assert endpoint.begun()
        endpoint.sandbox.fault("UpdateEndpoint", status_delay=600)
        with own.generate_load(endpoint.name, 2):
            while not endpoint.applied(0.2):
                if endpoint.status() != "RollingBack":
                    endpoint.sandbox.advance(20)
    assert "unexpected state 'RollingBack'" in failed[0]
    endpoint.sandbox.advance(900)
    own.wait_until_settled(endpoint.name)
    assert endpoint.following() == serves != endpoint.in_state()
    assert {endpoint.ask() for _ in range(10)} == {"first"}
    assert endpoint.plan("-refresh=false") == {f"aws_sagemaker_{of}.this": ["delete"] for of in KEEPS_SERVING}
    assert endpoint.plan()["aws_sagemaker_endpoint.this"] == ["update"]

    endpoint.apply(model_data_url=endpoint.model("second"), deployment=canary)
    assert endpoint.ask() == "second"
    assert endpoint.following() == endpoint.in_state() != serves
    assert len(own.sagemaker.list_endpoint_configs()["EndpointConfigs"]) == 1
    assert endpoint.plan() == {}


def it_is_as_large_as_its_load_and_small_in_off_hours_and_no_plan_moves_it_back(endpoint: Serving) -> None:
    hours = {"begin": "cron(0 20 * * ? *)", "end": "cron(0 6 * * ? *)", "timezone": "Europe/Stockholm"}
    endpoint.given |= {"max_instances": 5, "requests_per_instance": 10, "scale_in_cooldown_seconds": 60}
    endpoint.apply(off_hours=hours)
    at_hour(endpoint, 9)
    assert endpoint.settled() == 2

    # More than each instance is to have, for some minutes, also where to ask takes long: more of them, and no more than
    # there may be.
    most = 2
    for _ in range(12):
        for _ in range(100):
            endpoint.ask()
        endpoint.sandbox.advance(60)
        most = max(most, endpoint.instances())
        if most == 5:
            break
    assert most == 5
    # Nobody asks, which SageMaker tells by no metric at all: as few as there may be.
    endpoint.sandbox.advance(3600)
    assert endpoint.settled() == 2

    at_hour(endpoint, 21)
    assert endpoint.settled() == 1
    assert endpoint.plan() == {}, "a plan at night wakes nothing"
    at_hour(endpoint, 7)
    assert endpoint.settled() == 2
    assert endpoint.plan() == {}

    # Without off hours it is as large as its load again, also where they end at night.
    at_hour(endpoint, 21)
    assert endpoint.bounds() == (1, 1)
    endpoint.apply()
    assert endpoint.bounds() == (2, 5)
    assert endpoint.plan() == {}

    # Other bounds reach what scales it.
    endpoint.given["min_instances"] = 3
    endpoint.apply(off_hours=hours)
    assert endpoint.settled() == 3


def another_type_reaches_it_as_what_scales_it_goes_before(endpoint: Serving) -> None:
    before = endpoint.own.describe(endpoint.name)["CreationTime"]
    endpoint.given |= {"instance_type": "ml.c5.large", "min_instances": 3, "max_instances": 5}
    endpoint.apply()
    described = endpoint.own.describe(endpoint.name)
    assert described["CreationTime"] == before, "in place"
    configured = endpoint.own.sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    assert configured["ProductionVariants"][0]["InstanceType"] == "ml.c5.large"
    assert endpoint.bounds() == (3, 5)
    assert endpoint.plan() == {}

    # And an endpoint that is made anew has its scaling again, which AWS took away with the old one.
    assert endpoint.plan("-replace=module.endpoint.aws_sagemaker_endpoint.this")[
        'aws_appautoscaling_target.instances["main"]'
    ] == ["delete", "create"]


def other_variants_are_refused_in_the_plan_as_sagemaker_would_in_the_apply(endpoint: Serving) -> None:
    challenger = {"image_uri": endpoint.given["image_uri"], "weight": 10}
    endpoint.write(challengers={"gentle": challenger}, deployment={"strategy": "linear"})
    with pytest.raises(UserError) as refused:
        endpoint.plan()
    told = " ".join(str(refused.value).replace("│", " ").split())
    assert "only with the same variants, which are main here, and not gentle, main." in told
    endpoint.write(shadow={"image_uri": endpoint.given["image_uri"]})
    assert endpoint.plan()["aws_sagemaker_endpoint.this"] == ["update"]
    endpoint.write(challengers={"gentle": challenger}, deployment={"strategy": "linear"}, name="shop-anew")
    assert endpoint.plan()["aws_sagemaker_endpoint.this"] == ["delete", "create"]


def test_a_real_time_endpoint_as_it_is_applied_again_and_again(endpoint: Serving) -> None:
    """One after the other: what was applied last is where the next begins."""
    for happens in (
        it_is_taken_back_by_its_alarms_in_each_way_of_deploying_and_the_next_good_model_is_served,
        it_is_as_large_as_its_load_and_small_in_off_hours_and_no_plan_moves_it_back,
        another_type_reaches_it_as_what_scales_it_goes_before,
        other_variants_are_refused_in_the_plan_as_sagemaker_would_in_the_apply,
    ):
        print(happens.__name__)
        happens(endpoint)


def at_hour(endpoint: Serving, hour: int) -> None:
    """Have the time be so late in Stockholm, a few minutes after the hour."""
    now = endpoint.sandbox.advance(0).astimezone(ZoneInfo("Europe/Stockholm"))
    then = now.replace(hour=hour, minute=5)
    endpoint.sandbox.advance(((then - now).total_seconds()) % (24 * 3600))
