"""Deployments and rollbacks of endpoints under continuous load."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.endpoint_client import EndpointClient
from tests.sandbox.support import STILL_CLOCK, catch_error, subscribe_queue, wait_until
from tests.sandbox.test_deployments_stages import build_blue_green, build_rolling, build_size

pytestmark = pytest.mark.slow

HALF = build_size(50, "CAPACITY_PERCENT")
#: Each policy with the traffic shares of the new model. Each bakes for 60 s, the last one of blue/green for 120 s.
POLICIES: dict[str, tuple[dict[str, Any], list[float]]] = {
    "all at once": (build_blue_green("ALL_AT_ONCE"), [1.0]),
    "canary": (build_blue_green("CANARY", CanarySize=build_size(1)), [0.5, 1.0]),
    "linear": (build_blue_green("LINEAR", LinearStepSize=HALF), [0.5, 1.0]),
    "rolling": (build_rolling(HALF), [0.5, 1.0]),
}
STATES = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Endpoint State Change"]}
STAGES = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Endpoint Deployment State Change"]}


@pytest.fixture(scope="module")
def endpoints() -> Iterator[EndpointClient]:
    with Sandbox.start(time_scale=STILL_CLOCK) as sandbox:
        yield EndpointClient.prepare(sandbox)


@pytest.fixture(scope="module")
def old(endpoints: EndpointClient) -> str:
    return endpoints.create_model("old")


@pytest.fixture(scope="module")
def new(endpoints: EndpointClient) -> str:
    return endpoints.create_model("new")


def add_alarm(policy: dict[str, Any], alarm: str) -> dict[str, Any]:
    return policy | {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]}}


def receive_details(endpoints: EndpointClient, queue: str, endpoint: str) -> list[dict[str, Any]]:
    """Return the details of new events of the endpoint, in order, until its status is final."""
    sqs, details = endpoints.sandbox.client("sqs"), []

    def is_settled() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", ()):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            detail = json.loads(message["Body"])["detail"]
            if detail["EndpointName"] == endpoint:
                details.append(detail)
        return bool(details) and details[-1]["EndpointStatus"] in ("IN_SERVICE", "FAILED")

    wait_until(is_settled)
    return details


@pytest.mark.parametrize("kind", POLICIES)
def test_a_good_model_takes_over_in_the_stages_of_the_policy(
    endpoints: EndpointClient, old: str, new: str, kind: str
) -> None:
    policy, shares = POLICIES[kind]
    endpoint, config = endpoints.create_endpoint(endpoints.create_config(old)), endpoints.create_config(new)
    with endpoints.generate_load(endpoint) as answers:
        endpoints.start_update(endpoint, config, DeploymentConfig=add_alarm(policy, endpoints.create_alarm()))
        endpoints.sandbox.advance(5)
        for share in shares:
            assert endpoints.describe(endpoint)["EndpointStatus"] == "Updating"
            assert endpoints.get_pending_variant(endpoint)["CurrentInstanceCount"] == share * 2
            assert endpoints.measure_share(endpoint, "new") == pytest.approx(share, abs=0.25)
            endpoints.sandbox.advance(60)
        endpoints.sandbox.advance(60)
        after = endpoints.describe(endpoint)
        assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", config)
        assert "PendingDeploymentSummary" not in after
        assert "FailureReason" not in after
        assert endpoints.measure_share(endpoint, "new", 20) == 1.0
    assert answers.keys() == {"old", "new"}


@pytest.mark.parametrize("kind", POLICIES)
def test_an_alarm_rolls_back_a_bad_model(endpoints: EndpointClient, old: str, new: str, kind: str) -> None:
    policy, shares = POLICIES[kind]
    alarm, queue = endpoints.create_alarm(), subscribe_queue(endpoints.sandbox, endpoints.make_name("states"), STATES)
    config = endpoints.create_config(old)
    endpoint = endpoints.create_endpoint(config)
    receive_details(endpoints, queue, endpoint)
    deployment = add_alarm(policy, alarm)
    with endpoints.generate_load(endpoint) as answers:
        endpoints.start_update(endpoint, endpoints.create_config(new), DeploymentConfig=deployment)
        endpoints.sandbox.advance(
            5 + 60 * (len(shares) - 1)
        )  # the last batch bakes; a rolling deployment still has one old instance
        assert endpoints.measure_share(endpoint, "new", 20) == 1.0
        endpoints.set_alarm_state(alarm)
        endpoints.sandbox.advance(10)
        after = endpoints.wait_until_settled(endpoint)
        assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", config)
        assert alarm in after["FailureReason"]
        assert after["LastDeploymentConfig"] == deployment
        assert "PendingDeploymentSummary" not in after
        (variant,) = after["ProductionVariants"]
        assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (2, 2)
        assert endpoints.measure_share(endpoint, "old", 20) == 1.0
    assert answers.keys() == {"old", "new"}
    states = [detail["EndpointStatus"] for detail in receive_details(endpoints, queue, endpoint)]
    assert states == ["UPDATING", "ROLLING_BACK", "IN_SERVICE"]


def test_an_alarm_on_the_error_metric_rolls_back_a_failing_model(endpoints: EndpointClient, old: str) -> None:
    config, alarm = endpoints.create_config(old), endpoints.make_name("alarm")
    endpoint = endpoints.create_endpoint(config)
    dimensions = {"EndpointName": endpoint, "VariantName": "main"}
    endpoints.cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    canary = build_blue_green("CANARY", 600, 600, CanarySize=build_size(1))
    endpoints.start_update(
        endpoint, endpoints.create_config(endpoints.create_model("")), DeploymentConfig=add_alarm(canary, alarm)
    )
    endpoints.sandbox.advance(120)
    assert endpoints.describe(endpoint)["EndpointStatus"] == "Updating"  # it has had no request
    with endpoints.generate_load(endpoint) as answers:
        wait_until(lambda: len(answers) >= 2)
    assert any("ModelError" in answer for answer in answers)
    endpoints.sandbox.advance(130)  # the minute has ended, and its metrics were published and evaluated
    after = endpoints.wait_until_settled(endpoint)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", config)
    assert alarm in after["FailureReason"]
    assert endpoints.measure_share(endpoint, "old", 20) == 1.0


def test_the_old_model_answers_an_active_request_without_delaying_the_update(
    endpoints: EndpointClient, old: str, new: str, tmp_path: Path
) -> None:
    endpoint, file = endpoints.create_endpoint(endpoints.create_config(old, 1)), tmp_path / "file"
    with ThreadPoolExecutor() as executor:
        answer = executor.submit(endpoints.invoke, endpoint, file)
        try:
            wait_until(file.with_name("file.asked").exists)
            endpoints.start_update(endpoint, endpoints.create_config(new, 1))
            endpoints.wait_until_settled(endpoint)
            assert endpoints.invoke(endpoint) == "new"
            endpoints.sandbox.advance(1)
            assert not answer.done()
        finally:
            file.touch()
        assert answer.result() == "old"


def test_an_update_publishes_its_stages(endpoints: EndpointClient, old: str, new: str) -> None:
    endpoints.sandbox.advance(3600)  # all times are those of the sandbox
    endpoint, queue = (
        endpoints.create_endpoint(endpoints.create_config(old)),
        subscribe_queue(endpoints.sandbox, endpoints.make_name("stages"), STAGES),
    )
    config, created = endpoints.create_config(new), endpoints.describe(endpoint)
    assert created["LastModifiedTime"] - created["CreationTime"] < timedelta(minutes=30)
    endpoints.start_update(endpoint, config, DeploymentConfig=build_blue_green("CANARY", CanarySize=build_size(1)))
    endpoints.sandbox.advance(300)
    endpoints.wait_until_settled(endpoint)
    sqs, details, moments = endpoints.sandbox.client("sqs"), [], []

    def has_all_events() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", ()):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            event = json.loads(message["Body"])
            details.append(event["detail"])
            moments.append(datetime.fromisoformat(event["time"]))
        return len(details) >= 6

    wait_until(has_all_events)
    assert timedelta(seconds=180) <= moments[-1] - moments[0] < timedelta(minutes=30)
    assert {detail["EndpointStatus"] for detail in details} == {"UPDATING"}
    assert {detail["PendingDeploymentSummary"]["EndpointConfigName"] for detail in details} == {config}
    stages = [
        [
            status["StatusMessage"]
            for status in detail["PendingDeploymentSummary"]["ProductionVariants"][0]["VariantStatus"]
        ]
        for detail in details[:5]
    ]
    assert stages == [
        ["Launching 2 instance(s)."],
        ["Activating traffic on canary capacity of 1 instance(s)."],
        ["Baking for 60 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 1 instance(s)."],
        ["Activating traffic on full capacity of 2 instance(s)."],
        ["Baking for 120 seconds (TerminationWaitInSeconds) with traffic enabled on full capacity of 2 instance(s)."],
    ]
    assert details[5]["ProductionVariants"][0]["VariantStatus"][0]["StatusMessage"] == "Terminating 2 instance(s)."


def test_a_status_delay_extends_the_rollback(endpoints: EndpointClient, old: str, new: str) -> None:
    alarm, endpoint = endpoints.create_alarm(), endpoints.create_endpoint(endpoints.create_config(old, 1))
    endpoints.start_update(
        endpoint, endpoints.create_config(new, 1), DeploymentConfig=add_alarm(build_blue_green("ALL_AT_ONCE"), alarm)
    )
    endpoints.sandbox.advance(1)
    endpoints.sandbox.fault("UpdateEndpoint", status_delay=600)
    endpoints.set_alarm_state(alarm)
    endpoints.sandbox.advance(20)
    assert endpoints.describe(endpoint)["EndpointStatus"] == "RollingBack"
    assert endpoints.invoke(endpoint) == "old"
    assert "in-progress" in catch_error(endpoints.sagemaker.delete_endpoint, EndpointName=endpoint)[1]
    endpoints.sandbox.advance(600)
    assert endpoints.describe(endpoint)["EndpointStatus"] == "InService"


def test_an_update_fails_if_its_alarm_is_already_active(endpoints: EndpointClient, old: str, new: str) -> None:
    alarm, queue = endpoints.create_alarm(), subscribe_queue(endpoints.sandbox, endpoints.make_name("states"), STATES)
    endpoint = endpoints.create_endpoint(endpoints.create_config(old, 1))
    receive_details(endpoints, queue, endpoint)
    endpoints.set_alarm_state(alarm)
    endpoints.start_update(
        endpoint, endpoints.create_config(new, 1), DeploymentConfig=add_alarm(build_blue_green("ALL_AT_ONCE"), alarm)
    )
    assert alarm in endpoints.wait_until_settled(endpoint)["FailureReason"]
    assert endpoints.invoke(endpoint) == "old"
    states = [detail["EndpointStatus"] for detail in receive_details(endpoints, queue, endpoint)]
    assert states == ["UPDATING", "IN_SERVICE"]  # no traffic had moved


def test_an_update_that_takes_too_long_is_rolled_back(endpoints: EndpointClient, old: str, new: str) -> None:
    endpoint = endpoints.create_endpoint(endpoints.create_config(old, 1))
    endpoints.sandbox.fault("UpdateEndpoint", status_delay=3600)
    policy = build_blue_green("ALL_AT_ONCE")
    policy["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 600
    endpoints.start_update(endpoint, endpoints.create_config(new, 1), DeploymentConfig=policy)
    endpoints.sandbox.advance(500)
    assert endpoints.describe(endpoint)["EndpointStatus"] == "Updating"
    endpoints.sandbox.advance(110)
    assert "600 seconds" in endpoints.wait_until_settled(endpoint)["FailureReason"]
    assert endpoints.invoke(endpoint) == "old"


def test_slow_moves_do_not_time_out_on_a_fast_clock() -> None:
    with Sandbox.start(time_scale=3600) as sandbox:  # a real second is an hour of the sandbox
        endpoints = EndpointClient.prepare(sandbox)
        policy = build_blue_green("ALL_AT_ONCE")
        policy["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 600
        endpoint, config = (
            endpoints.create_endpoint(endpoints.create_config(endpoints.create_model("old"), 1)),
            endpoints.create_config(endpoints.create_model("new"), 1),
        )
        endpoints.start_update(endpoint, config, DeploymentConfig=policy)
        after = endpoints.wait_until_settled(endpoint)
        assert (after["EndpointConfigName"], after.get("FailureReason")) == (config, None)


@pytest.mark.parametrize("count", [1, None], ids=["real-time", "serverless"])
def test_a_model_that_does_not_start_never_serves(
    endpoints: EndpointClient, old: str, count: int | None, tmp_path: Path
) -> None:
    broken = endpoints.create_model("broken", tmp_path)
    failed = endpoints.create_endpoint(endpoints.create_config(broken, count))
    described = endpoints.describe(failed)
    assert described["EndpointStatus"] == "Failed"
    assert described["FailureReason"]
    assert (
        "whose status is Failed"
        in catch_error(endpoints.start_update, endpoint=failed, config=endpoints.create_config(old, count))[1]
    )
    endpoints.sagemaker.delete_endpoint(EndpointName=failed)

    config = endpoints.create_config(old, count)
    endpoint = endpoints.create_endpoint(config)
    with endpoints.generate_load(endpoint, 1) as answers:
        endpoints.start_update(endpoint, endpoints.create_config(broken, count))
        after = endpoints.wait_until_settled(endpoint)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", config)
    assert after["FailureReason"] == described["FailureReason"]
    assert answers.keys() == {"old"}
    endpoints.start_update(endpoint, endpoints.create_config(old, count))
    assert "FailureReason" not in endpoints.wait_until_settled(endpoint)


def test_after_a_failed_rollback_an_endpoint_serves_both_models(
    endpoints: EndpointClient, new: str, tmp_path: Path
) -> None:
    alarm, flag = endpoints.create_alarm(), tmp_path / "flag"
    config = endpoints.create_config(endpoints.create_model("old", flag))
    endpoint = endpoints.create_endpoint(config)
    deployment = add_alarm(build_rolling(HALF), alarm)
    endpoints.start_update(endpoint, endpoints.create_config(new), DeploymentConfig=deployment)
    endpoints.sandbox.advance(70)
    flag.touch()
    endpoints.set_alarm_state(alarm)
    endpoints.sandbox.advance(10)
    after = endpoints.wait_until_settled(endpoint)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("UpdateRollbackFailed", config)
    assert endpoints.invoke(endpoint) == "new"
    desired = [{"VariantName": "main", "DesiredInstanceCount": 3}]
    scale = {"EndpointName": endpoint, "DesiredWeightsAndCapacities": desired}
    assert "UpdateRollbackFailed" in catch_error(endpoints.sagemaker.update_endpoint_weights_and_capacities, **scale)[1]
    assert (
        "serves two"
        in catch_error(endpoints.start_update, endpoint=endpoint, config=config, DeploymentConfig=build_rolling(HALF))[
            1
        ]
    )
    good = endpoints.create_config(new)
    endpoints.start_update(endpoint, good)
    after = endpoints.wait_until_settled(endpoint)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", good)


def test_an_update_needs_another_configuration(endpoints: EndpointClient, old: str) -> None:
    config = endpoints.create_config(old)
    endpoint = endpoints.create_endpoint(config)
    for members in ({}, {"DeploymentConfig": build_blue_green("ALL_AT_ONCE")}, {"RetainAllVariantProperties": True}):
        code, message = catch_error(endpoints.start_update, endpoint=endpoint, config=config, **members)
        assert code == "ValidationException"
        assert f"with its current endpoint configuration {config}" in message
    assert endpoints.describe(endpoint)["EndpointStatus"] == "InService"


def test_the_last_deployment_configuration_is_retained_on_request(
    endpoints: EndpointClient, old: str, new: str
) -> None:
    deployment = add_alarm(build_blue_green("CANARY", CanarySize=build_size(1)), endpoints.create_alarm())
    endpoint = endpoints.create_endpoint(endpoints.create_config(old), DeploymentConfig=deployment)
    assert endpoints.describe(endpoint)["LastDeploymentConfig"] == deployment
    endpoints.start_update(endpoint, endpoints.create_config(new), RetainDeploymentConfig=True)
    endpoints.sandbox.advance(1)
    assert endpoints.measure_share(endpoint, "new") == pytest.approx(0.5, abs=0.25)
    endpoints.sandbox.advance(300)
    assert endpoints.wait_until_settled(endpoint)["LastDeploymentConfig"] == deployment
    endpoints.start_update(endpoint, endpoints.create_config(old))
    assert "LastDeploymentConfig" not in endpoints.wait_until_settled(endpoint)


def test_capacities_change_over_time_and_can_outlast_an_update(endpoints: EndpointClient, old: str, new: str) -> None:
    endpoint = endpoints.create_endpoint(endpoints.create_config(old, 1))
    capacities = [{"VariantName": "main", "DesiredInstanceCount": 2, "DesiredWeight": 0.5}]
    request = {"EndpointName": endpoint, "DesiredWeightsAndCapacities": capacities}
    endpoints.sandbox.fault("UpdateEndpointWeightsAndCapacities", status_delay=60)
    endpoints.sagemaker.update_endpoint_weights_and_capacities(**request)
    (variant,) = endpoints.describe(endpoint)["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 2)
    assert variant["VariantStatus"][0]["StatusMessage"] == "Scaling out desired instance count to 2."
    error = catch_error(endpoints.sagemaker.update_endpoint_weights_and_capacities, **request)
    assert error == (
        "ValidationException",
        f'Cannot update in-progress endpoint "{endpoints.describe(endpoint)["EndpointArn"]}".',
    )
    endpoints.sandbox.advance(65)
    assert endpoints.get_counts(endpoint) == (2, 0.5)

    endpoints.start_update(endpoint, endpoints.create_config(new, 1), RetainAllVariantProperties=True)
    assert endpoints.get_counts(endpoint) == (2, 0.5)
    endpoints.start_update(
        endpoint,
        endpoints.create_config(new, 1),
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredInstanceCount"}],
    )
    assert endpoints.get_counts(endpoint) == (1, 0.5)
    endpoints.start_update(endpoint, endpoints.create_config(new, 1))
    assert endpoints.get_counts(endpoint) == (1, 1.0)
    capacities[0]["DesiredInstanceCount"] = 0
    assert "scale to zero" in catch_error(endpoints.sagemaker.update_endpoint_weights_and_capacities, **request)[1]


def test_a_scale_out_that_does_not_start_is_rolled_back(endpoints: EndpointClient, tmp_path: Path) -> None:
    flag, queue = tmp_path / "flag", subscribe_queue(endpoints.sandbox, endpoints.make_name("states"), STATES)
    endpoint = endpoints.create_endpoint(endpoints.create_config(endpoints.create_model("old", flag), 1))
    receive_details(endpoints, queue, endpoint)
    flag.touch()
    capacities = [{"VariantName": "main", "DesiredInstanceCount": 2}]
    endpoints.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint, DesiredWeightsAndCapacities=capacities
    )
    assert endpoints.wait_until_settled(endpoint)["FailureReason"]
    assert endpoints.get_counts(endpoint)[0] == 1
    assert endpoints.invoke(endpoint) == "old"
    states = [detail["EndpointStatus"] for detail in receive_details(endpoints, queue, endpoint)]
    assert states == ["UPDATING", "ROLLING_BACK", "IN_SERVICE"]


def test_a_serverless_endpoint_can_change_its_concurrency_and_become_real_time(
    endpoints: EndpointClient, old: str, new: str
) -> None:
    serverless = endpoints.create_config(old, None)
    endpoint = endpoints.create_endpoint(serverless)
    update = {"VariantName": "main", "ServerlessUpdateConfig": {"MaxConcurrency": 3, "ProvisionedConcurrency": 1}}
    endpoints.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint, DesiredWeightsAndCapacities=[update]
    )
    (variant,) = endpoints.wait_until_settled(endpoint)["ProductionVariants"]
    expected = {"MemorySizeInMB": 1024, "MaxConcurrency": 3, "ProvisionedConcurrency": 1}
    assert (variant["CurrentServerlessConfig"], variant["DesiredServerlessConfig"]) == (expected, expected)
    for capacities, expected_message in (
        ([{"VariantName": "other"}], f'"other" is/are not present within endpoint configuration "{serverless}"'),
        ([{"VariantName": "main"}] * 2, 'The variant name "main" was non-unique within the request.'),
        ([{"VariantName": "main", "DesiredInstanceCount": 2}], "for serverless variant main"),
        ([{"VariantName": "main", "ServerlessUpdateConfig": {"ProvisionedConcurrency": 4}}], "less than or equal to"),
    ):
        request = {"EndpointName": endpoint, "DesiredWeightsAndCapacities": capacities}
        code, message = catch_error(endpoints.sagemaker.update_endpoint_weights_and_capacities, **request)
        assert (code, expected_message in message) == ("ValidationException", True), message
    endpoints.start_update(endpoint, endpoints.create_config(new, 1))
    assert "CurrentInstanceCount" in endpoints.wait_until_settled(endpoint)["ProductionVariants"][0]
    assert endpoints.invoke(endpoint) == "new"
    assert "cannot become serverless" in catch_error(endpoints.start_update, endpoint=endpoint, config=serverless)[1]


def test_guardrails_do_not_apply_to_inferentia_of_the_first_generation(
    endpoints: EndpointClient, old: str, new: str
) -> None:
    inferentia = {"InstanceType": "ml.inf1.xlarge"}
    endpoint, config = (
        endpoints.create_endpoint(endpoints.create_config(old, 2, **inferentia)),
        endpoints.create_config(new, 2, **inferentia),
    )
    endpoints.start_update(endpoint, config, DeploymentConfig=build_blue_green("CANARY", CanarySize=build_size(1)))
    assert endpoints.wait_until_settled(endpoint)["EndpointConfigName"] == config  # immediately, without baking
    assert endpoints.measure_share(endpoint, "new", 20) == 1.0


def test_an_invalid_update_is_refused(endpoints: EndpointClient, old: str) -> None:
    endpoint, other = (
        endpoints.create_endpoint(endpoints.create_config(old, 1)),
        endpoints.create_config(old, 2, VariantName="other"),
    )
    for config, deployment, expected_message in (
        (
            other,
            add_alarm(build_blue_green("ALL_AT_ONCE"), "no-such-alarm"),
            "Could not find CloudWatch alarms: no-such-alarm",
        ),
        (other, build_blue_green("CANARY", CanarySize=build_size(2)), "less than or equal to 50%"),
        (other, build_blue_green("CANARY", CanarySize=build_size(1)), "same variant names"),
        (endpoints.create_config(old, None), None, "cannot become serverless"),
    ):
        members = {} if deployment is None else {"DeploymentConfig": deployment}
        code, message = catch_error(endpoints.start_update, endpoint=endpoint, config=config, **members)
        assert (code, expected_message in message) == ("ValidationException", True), message
    assert endpoints.describe(endpoint)["EndpointStatus"] == "InService"
    endpoints.start_update(endpoint, other)
    assert endpoints.wait_until_settled(endpoint)["ProductionVariants"][0]["VariantName"] == "other"
    endpoints.sagemaker.delete_endpoint_config(
        EndpointConfigName=other
    )  # the endpoint still serves it, but an update needs it
    assert (
        "Could not find endpoint configuration"
        in catch_error(endpoints.start_update, endpoint=endpoint, config=endpoints.create_config(old))[1]
    )


def test_shadow_variants_and_weights_are_deployed(endpoints: EndpointClient, old: str, new: str) -> None:
    def create_config(model: str) -> str:
        name, instances = (
            endpoints.make_name("config"),
            {"InstanceType": "ml.c7g.large", "InitialInstanceCount": 1, "ModelName": model},
        )
        variant = instances | {"VariantName": "main"}
        endpoints.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[variant],
            ShadowProductionVariants=[instances | {"VariantName": "shadow", "InitialVariantWeight": 0.5}],
        )
        return name

    endpoint = endpoints.create_endpoint(create_config(old))
    (shadow,) = endpoints.describe(endpoint)["ShadowProductionVariants"]
    assert (shadow["VariantName"], shadow["CurrentInstanceCount"], shadow["CurrentWeight"]) == ("shadow", 1, 0.5)
    endpoints.start_update(endpoint, create_config(new), DeploymentConfig=build_blue_green("ALL_AT_ONCE"))
    endpoints.sandbox.advance(1)
    assert endpoints.describe(endpoint)["PendingDeploymentSummary"]["ShadowProductionVariants"]
    assert endpoints.invoke(endpoint) == "new"
    endpoints.sandbox.advance(120)
    assert endpoints.wait_until_settled(endpoint)["ShadowProductionVariants"][0]["CurrentInstanceCount"] == 1

    config_name = endpoints.make_name("config")
    endpoints.sagemaker.create_endpoint_config(
        EndpointConfigName=config_name,
        ProductionVariants=[
            {"VariantName": model, "ModelName": model, "InstanceType": "ml.c7g.large", "InitialInstanceCount": 1}
            for model in (old, new)
        ],
    )
    endpoints.start_update(endpoint, config_name)
    assert "ShadowProductionVariants" not in endpoints.wait_until_settled(endpoint)
    assert endpoints.measure_share(endpoint, "new") == pytest.approx(0.5, abs=0.25)
    weights = [{"VariantName": new, "DesiredWeight": 0}]
    endpoints.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint, DesiredWeightsAndCapacities=weights
    )
    endpoints.wait_until_settled(endpoint)
    assert endpoints.measure_share(endpoint, "old", 20) == 1.0


def test_a_restart_of_the_sandbox_ends_a_deployment(tmp_path: Path) -> None:
    with Sandbox.start(state=tmp_path) as sandbox:
        endpoints = EndpointClient.prepare(sandbox)
        config = endpoints.create_config(endpoints.create_model("old"))
        endpoint = endpoints.create_endpoint(config)
        endpoints.start_update(
            endpoint, endpoints.create_config(endpoints.create_model("new")), DeploymentConfig=build_rolling(HALF)
        )
        endpoints.sandbox.advance(70)
        assert endpoints.measure_share(endpoint, "new", 20) == 1.0
    with Sandbox.start(state=tmp_path) as sandbox:
        endpoints = EndpointClient(sandbox)
        after = endpoints.describe(endpoint)
        assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", config)
        assert "sandbox ended during the deployment" in after["FailureReason"]
        assert "PendingDeploymentSummary" not in after
        assert endpoints.measure_share(endpoint, "old", 20) == 1.0
        assert endpoints.get_counts(endpoint) == (2, 1.0)
