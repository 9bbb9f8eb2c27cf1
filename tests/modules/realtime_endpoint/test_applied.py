"""Applies of a real-time endpoint: rollbacks by alarms in each deployment mode, scaling with the load."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from sustainable_mlops.base.errors import UserError
from tests.modules.applied_endpoint import ROLLED_BACK, AppliedEndpoint
from tests.sandbox.support import advance_to_hour, wait_until

pytestmark = pytest.mark.apply

GIVEN = {
    "account_id": "123456789012",
    "region": "eu-north-1",
    "silicon": "x86",
    "instance_type": "ml.m5.large",
    "latency_slo_ms": 5000,
}
#: Short waits of deployment steps, to save time.
WATCH = {"wait_seconds": 240, "bake_seconds": 60}

#: Types of resources that an endpoint needs while it serves.
KEEPS_SERVING = ("endpoint_configuration", "model")


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[AppliedEndpoint]:
    with AppliedEndpoint.in_own_sandbox(tmp_path, "realtime_endpoint", **GIVEN) as endpoint:
        yield endpoint


def more_than(answers: Counter[str], number: int) -> bool:
    """Return whether more than `number` requests were answered. Alarms need requests in each minute."""
    return answers.total() > number


def check_alarms_roll_back_bad_models_in_all_deployment_modes(endpoint: AppliedEndpoint) -> None:
    own, bad = endpoint.client, endpoint.upload_model("")
    serving = endpoint.serving_configuration()
    assert endpoint.plan_changes() == {}
    for strategy in ("rolling", "canary", "linear"):
        with endpoint.start_apply(model_data_url=bad, deployment={"strategy": strategy, **WATCH}) as failed:
            assert endpoint.wait_for_update()
            with endpoint.pause_provider(), own.generate_load(endpoint.name, 2) as answers:
                while endpoint.status() in ("Updating", "RollingBack"):
                    minimum = answers.total() + 10
                    wait_until(partial(more_than, answers, minimum))
                    endpoint.sandbox.advance(20)
            endpoint.pass_time()
        # About half of the requests at most went to the bad model; there were no other errors.
        assert {answer.partition(":")[0] for answer in answers} == {"first", "ModelError"}, strategy
        assert answers["first"] > answers.total() * 0.3, strategy
        assert ROLLED_BACK in failed[0], strategy
        assert endpoint.serving_configuration() == serving, f"{strategy}: the serving configuration exists"
        assert endpoint.configuration_in_state() == serving, strategy
        assert {endpoint.invoke() for _ in range(10)} == {"first"}, f"{strategy}: the old model answers all requests"
        endpoint.sandbox.advance(300)  # otherwise the alarm would roll back the next update at once
    assert endpoint.plan_changes()["aws_sagemaker_endpoint.this"] == ["update"]

    # A provider that sees the rollback fails with its own message, and the state has the new configuration. The next
    # plan reads the real one, except with -refresh=false: that would delete the serving configuration.
    canary = {"strategy": "canary", **WATCH}
    with endpoint.start_apply(model_data_url=bad, deployment=canary) as failed:
        assert endpoint.wait_for_update()
        endpoint.sandbox.advance(0)  # the launch would take the delay, which belongs to the rollback
        endpoint.sandbox.fault("UpdateEndpoint", status_delay=600)
        with own.generate_load(endpoint.name, 2):
            while not endpoint.wait_for_apply(0.2):
                if endpoint.status() != "RollingBack":
                    endpoint.sandbox.advance(20)
    assert "unexpected state 'RollingBack'" in failed[0]
    endpoint.sandbox.advance(900)
    own.wait_until_settled(endpoint.name)
    assert endpoint.serving_configuration() == serving != endpoint.configuration_in_state()
    assert {endpoint.invoke() for _ in range(10)} == {"first"}
    assert endpoint.plan_changes("-refresh=false") == {f"aws_sagemaker_{of}.this": ["delete"] for of in KEEPS_SERVING}
    assert endpoint.plan_changes()["aws_sagemaker_endpoint.this"] == ["update"]

    endpoint.apply(model_data_url=endpoint.upload_model("second"), deployment=canary)
    assert endpoint.invoke() == "second"
    assert endpoint.serving_configuration() == endpoint.configuration_in_state() != serving
    assert len(own.sagemaker.list_endpoint_configs()["EndpointConfigs"]) == 1
    assert endpoint.plan_changes() == {}


def check_instances_follow_load_and_off_hours_without_plan_changes(endpoint: AppliedEndpoint) -> None:
    hours = {"begin": "cron(0 20 * * ? *)", "end": "cron(0 6 * * ? *)", "timezone": "Europe/Stockholm"}
    endpoint.inputs |= {"max_instances": 5, "requests_per_instance": 10, "scale_in_cooldown_seconds": 60}
    endpoint.apply(off_hours=hours)
    advance_to_hour(endpoint.sandbox, 9)
    assert endpoint.settled_instances() == 2

    # More requests than the target for some minutes, even on a slow computer: the maximum of instances.
    peak = 2
    for _ in range(12):
        for _ in range(100):
            endpoint.invoke()
        endpoint.sandbox.advance(60)
        peak = max(peak, endpoint.instance_count())
        if peak == 5:
            break
    assert peak == 5
    # Without requests SageMaker publishes no metrics: the minimum of instances.
    endpoint.sandbox.advance(3600)
    assert endpoint.settled_instances() == 2

    advance_to_hour(endpoint.sandbox, 21)
    assert endpoint.settled_instances() == 1
    assert endpoint.plan_changes() == {}, "a plan in off hours starts no instances"
    advance_to_hour(endpoint.sandbox, 7)
    assert endpoint.settled_instances() == 2
    assert endpoint.plan_changes() == {}

    # Removing off hours restores the normal bounds, even within off hours.
    advance_to_hour(endpoint.sandbox, 21)
    assert endpoint.single_scaling_bounds() == (1, 1)
    endpoint.apply()
    assert endpoint.single_scaling_bounds() == (2, 5)
    assert endpoint.plan_changes() == {}

    # New bounds update the scaling.
    endpoint.inputs["min_instances"] = 3
    endpoint.apply(off_hours=hours)
    assert endpoint.settled_instances() == 3


def check_another_instance_type_replaces_the_scaling(endpoint: AppliedEndpoint) -> None:
    before = endpoint.client.describe(endpoint.name)["CreationTime"]
    endpoint.inputs |= {"instance_type": "ml.c5.large", "min_instances": 3, "max_instances": 5}
    endpoint.apply()
    described = endpoint.client.describe(endpoint.name)
    assert described["CreationTime"] == before, "in place"
    configured = endpoint.client.sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    assert configured["ProductionVariants"][0]["InstanceType"] == "ml.c5.large"
    assert endpoint.single_scaling_bounds() == (3, 5)
    assert endpoint.plan_changes() == {}

    # A replaced endpoint gets new scaling, because AWS deleted the old one with the endpoint.
    assert endpoint.plan_changes("-replace=module.endpoint.aws_sagemaker_endpoint.this")[
        'aws_appautoscaling_target.instances["main"]'
    ] == ["delete", "create"]


def check_rolling_deployments_with_other_variants_are_rejected_in_the_plan(endpoint: AppliedEndpoint) -> None:
    challenger = {"image_uri": endpoint.inputs["image_uri"], "weight": 10}
    endpoint.write_root_module(challengers={"gentle": challenger}, deployment={"strategy": "linear"})
    with pytest.raises(UserError) as error:
        endpoint.plan_changes()
    message = " ".join(str(error.value).replace("│", " ").split())
    assert "only with the same variants, which are main here, and not gentle, main." in message
    endpoint.write_root_module(shadow={"image_uri": endpoint.inputs["image_uri"]})
    assert endpoint.plan_changes()["aws_sagemaker_endpoint.this"] == ["update"]
    endpoint.write_root_module(challengers={"gentle": challenger}, deployment={"strategy": "linear"}, name="shop-anew")
    assert endpoint.plan_changes()["aws_sagemaker_endpoint.this"] == ["delete", "create"]


def test_a_real_time_endpoint_through_several_applies(endpoint: AppliedEndpoint) -> None:
    """Run the checks in this order; each starts from the last apply of the one before."""
    for check in (
        check_alarms_roll_back_bad_models_in_all_deployment_modes,
        check_instances_follow_load_and_off_hours_without_plan_changes,
        check_another_instance_type_replaces_the_scaling,
        check_rolling_deployments_with_other_variants_are_rejected_in_the_plan,
    ):
        print(check.__name__)
        check(endpoint)
