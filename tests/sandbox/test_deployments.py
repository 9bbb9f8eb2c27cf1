"""How endpoints come to serve other models, and go back to the old ones, while they are asked all the time."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.endpoint_client import EndpointClient
from tests.sandbox.support import hear, refusal, until
from tests.sandbox.test_deployments_plan import build_blue_green, build_rolling, build_size

pytestmark = pytest.mark.slow

HALF = build_size(50, "CAPACITY_PERCENT")
#: Each policy, and the shares of the new model while it bakes: for 60 s, and 120 s at the end of blue/green ones.
POLICIES: dict[str, tuple[dict[str, Any], list[float]]] = {
    "all at once": (build_blue_green("ALL_AT_ONCE"), [1.0]),
    "canary": (build_blue_green("CANARY", CanarySize=build_size(1)), [0.5, 1.0]),
    "linear": (build_blue_green("LINEAR", LinearStepSize=HALF), [0.5, 1.0]),
    "rolling": (build_rolling(HALF), [0.5, 1.0]),
}
STATES = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Endpoint State Change"]}
STAGES = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Endpoint Deployment State Change"]}


@pytest.fixture(scope="module")
def own() -> Iterator[EndpointClient]:
    with Sandbox.start() as sandbox:
        yield EndpointClient.prepare(sandbox)


@pytest.fixture(scope="module")
def old(own: EndpointClient) -> str:
    return own.create_model("old")


@pytest.fixture(scope="module")
def new(own: EndpointClient) -> str:
    return own.create_model("new")


def with_alarm(policy: dict[str, Any], alarm: str) -> dict[str, Any]:
    return policy | {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]}}


def receive_details(own: EndpointClient, queue: str, endpoint: str) -> list[dict[str, Any]]:
    """The details of the endpoint's events since the last time, in order, once it is in service."""
    sqs, found = own.sandbox.client("sqs"), []

    def told() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", ()):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            detail = json.loads(message["Body"])["detail"]
            if detail["EndpointName"] == endpoint:
                found.append(detail)
        return bool(found) and found[-1]["EndpointStatus"] in ("IN_SERVICE", "FAILED")

    until(told)
    return found


@pytest.mark.parametrize("kind", POLICIES)
def test_a_good_model_takes_over_as_its_policy_says(own: EndpointClient, old: str, new: str, kind: str) -> None:
    policy, shares = POLICIES[kind]
    endpoint, config = own.create_endpoint(own.create_config(old)), own.create_config(new)
    with own.generate_load(endpoint) as said:
        own.start_update(endpoint, config, DeploymentConfig=with_alarm(policy, own.create_alarm()))
        own.sandbox.advance(5)
        for share in shares:
            assert own.describe(endpoint)["EndpointStatus"] == "Updating"
            assert own.get_pending_variant(endpoint)["CurrentInstanceCount"] == share * 2
            assert own.measure_share(endpoint, "new") == pytest.approx(share, abs=0.25)
            own.sandbox.advance(60)
        own.sandbox.advance(60)
        after = own.describe(endpoint)
        assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", config)
        assert "PendingDeploymentSummary" not in after
        assert "FailureReason" not in after
        assert own.measure_share(endpoint, "new", 20) == 1.0
    assert said.keys() == {"old", "new"}


@pytest.mark.parametrize("kind", POLICIES)
def test_a_bad_model_is_rolled_back_by_its_alarm(own: EndpointClient, old: str, new: str, kind: str) -> None:
    policy, shares = POLICIES[kind]
    alarm, queue = own.create_alarm(), hear(own.sandbox, own.make_name("states"), STATES)
    config = own.create_config(old)
    endpoint = own.create_endpoint(config)
    receive_details(own, queue, endpoint)
    deployment = with_alarm(policy, alarm)
    with own.generate_load(endpoint) as said:
        own.start_update(endpoint, own.create_config(new), DeploymentConfig=deployment)
        own.sandbox.advance(5 + 60 * (len(shares) - 1))  # the last batch bakes: of a rolled fleet, one old is left
        assert own.measure_share(endpoint, "new", 20) == 1.0
        own.set_alarm_state(alarm)
        own.sandbox.advance(10)
        after = own.wait_until_settled(endpoint)
        assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", config)
        assert alarm in after["FailureReason"]
        assert after["LastDeploymentConfig"] == deployment
        assert "PendingDeploymentSummary" not in after
        (variant,) = after["ProductionVariants"]
        assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (2, 2)
        assert own.measure_share(endpoint, "old", 20) == 1.0
    assert said.keys() == {"old", "new"}
    states = [detail["EndpointStatus"] for detail in receive_details(own, queue, endpoint)]
    assert states == ["UPDATING", "ROLLING_BACK", "IN_SERVICE"]


def test_a_model_that_fails_is_rolled_back_by_what_cloudwatch_is_told_of_it(own: EndpointClient, old: str) -> None:
    config, alarm = own.create_config(old), own.make_name("alarm")
    endpoint = own.create_endpoint(config)
    of_variant = {"EndpointName": endpoint, "VariantName": "main"}
    own.cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": name, "Value": value} for name, value in of_variant.items()],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    canary = build_blue_green("CANARY", 600, 600, CanarySize=build_size(1))
    own.start_update(endpoint, own.create_config(own.create_model("")), DeploymentConfig=with_alarm(canary, alarm))
    own.sandbox.advance(120)
    assert own.describe(endpoint)["EndpointStatus"] == "Updating"  # nobody has asked it
    with own.generate_load(endpoint) as said:
        until(lambda: len(said) == 2)
    assert any("ModelError" in answer for answer in said)
    own.sandbox.advance(130)  # the minute is over, and has been told and evaluated
    after = own.wait_until_settled(endpoint)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", config)
    assert alarm in after["FailureReason"]
    assert own.measure_share(endpoint, "old", 20) == 1.0


def test_a_request_under_way_is_answered_by_the_old_model_and_holds_nothing_up(
    own: EndpointClient, old: str, new: str, tmp_path: Path
) -> None:
    endpoint, file = own.create_endpoint(own.create_config(old, 1)), tmp_path / "file"
    with ThreadPoolExecutor() as asking:
        answer = asking.submit(own.invoke, endpoint, file)
        try:
            until(file.with_name("file.asked").exists)
            own.start_update(endpoint, own.create_config(new, 1))
            own.wait_until_settled(endpoint)
            assert own.invoke(endpoint) == "new"
            own.sandbox.advance(1)
            assert not answer.done()
        finally:
            file.touch()
        assert answer.result() == "old"


def test_an_update_tells_of_its_stages(own: EndpointClient, old: str, new: str) -> None:
    own.sandbox.advance(3600)  # all is told by the sandbox's time
    endpoint, queue = own.create_endpoint(own.create_config(old)), hear(own.sandbox, own.make_name("stages"), STAGES)
    config, made = own.create_config(new), own.describe(endpoint)
    assert made["LastModifiedTime"] - made["CreationTime"] < timedelta(minutes=30)
    own.start_update(endpoint, config, DeploymentConfig=build_blue_green("CANARY", CanarySize=build_size(1)))
    own.sandbox.advance(300)
    own.wait_until_settled(endpoint)
    sqs, told, moments = own.sandbox.client("sqs"), [], []

    def all_told() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", ()):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            event = json.loads(message["Body"])
            told.append(event["detail"])
            moments.append(datetime.fromisoformat(event["time"]))
        return len(told) >= 6

    until(all_told)
    assert timedelta(seconds=180) <= moments[-1] - moments[0] < timedelta(minutes=30)
    assert {detail["EndpointStatus"] for detail in told} == {"UPDATING"}
    assert {detail["PendingDeploymentSummary"]["EndpointConfigName"] for detail in told} == {config}
    stages = [
        [
            status["StatusMessage"]
            for status in detail["PendingDeploymentSummary"]["ProductionVariants"][0]["VariantStatus"]
        ]
        for detail in told[:5]
    ]
    assert stages == [
        ["Launching 2 instance(s)."],
        ["Activating traffic on canary capacity of 1 instance(s)."],
        ["Baking for 60 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 1 instance(s)."],
        ["Activating traffic on full capacity of 2 instance(s)."],
        ["Baking for 120 seconds (TerminationWaitInSeconds) with traffic enabled on full capacity of 2 instance(s)."],
    ]
    assert told[5]["ProductionVariants"][0]["VariantStatus"][0]["StatusMessage"] == "Terminating 2 instance(s)."


def test_a_rollback_may_be_seen_for_as_long_as_is_asked_for(own: EndpointClient, old: str, new: str) -> None:
    alarm, endpoint = own.create_alarm(), own.create_endpoint(own.create_config(old, 1))
    own.start_update(
        endpoint, own.create_config(new, 1), DeploymentConfig=with_alarm(build_blue_green("ALL_AT_ONCE"), alarm)
    )
    own.sandbox.advance(1)
    own.sandbox.fault("UpdateEndpoint", status_delay=600)
    own.set_alarm_state(alarm)
    own.sandbox.advance(20)
    assert own.describe(endpoint)["EndpointStatus"] == "RollingBack"
    assert own.invoke(endpoint) == "old"
    assert "in-progress" in refusal(own.sagemaker.delete_endpoint, EndpointName=endpoint)[1]
    own.sandbox.advance(600)
    assert own.describe(endpoint)["EndpointStatus"] == "InService"


def test_an_update_ends_where_its_alarm_rings_already(own: EndpointClient, old: str, new: str) -> None:
    alarm, queue = own.create_alarm(), hear(own.sandbox, own.make_name("states"), STATES)
    endpoint = own.create_endpoint(own.create_config(old, 1))
    receive_details(own, queue, endpoint)
    own.set_alarm_state(alarm)
    own.start_update(
        endpoint, own.create_config(new, 1), DeploymentConfig=with_alarm(build_blue_green("ALL_AT_ONCE"), alarm)
    )
    assert alarm in own.wait_until_settled(endpoint)["FailureReason"]
    assert own.invoke(endpoint) == "old"
    states = [detail["EndpointStatus"] for detail in receive_details(own, queue, endpoint)]
    assert states == ["UPDATING", "IN_SERVICE"]  # no traffic had moved


def test_an_update_that_takes_too_long_is_given_up(own: EndpointClient, old: str, new: str) -> None:
    endpoint = own.create_endpoint(own.create_config(old, 1))
    own.sandbox.fault("UpdateEndpoint", status_delay=3600)
    policy = build_blue_green("ALL_AT_ONCE")
    policy["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 600
    own.start_update(endpoint, own.create_config(new, 1), DeploymentConfig=policy)
    own.sandbox.advance(500)
    assert own.describe(endpoint)["EndpointStatus"] == "Updating"
    own.sandbox.advance(110)
    assert "600 seconds" in own.wait_until_settled(endpoint)["FailureReason"]
    assert own.invoke(endpoint) == "old"


def test_what_takes_this_machine_long_is_not_late_where_the_time_passes_faster() -> None:
    with Sandbox.start(time_scale=3600) as sandbox:  # a second here is an hour there
        own = EndpointClient.prepare(sandbox)
        policy = build_blue_green("ALL_AT_ONCE")
        policy["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 600
        endpoint, config = (
            own.create_endpoint(own.create_config(own.create_model("old"), 1)),
            own.create_config(own.create_model("new"), 1),
        )
        own.start_update(endpoint, config, DeploymentConfig=policy)
        after = own.wait_until_settled(endpoint)
        assert (after["EndpointConfigName"], after.get("FailureReason")) == (config, None)


@pytest.mark.parametrize("count", [1, None], ids=["real-time", "serverless"])
def test_what_does_not_start_never_serves(own: EndpointClient, old: str, count: int | None, tmp_path: Path) -> None:
    broken = own.create_model("broken", tmp_path)
    failed = own.create_endpoint(own.create_config(broken, count))
    described = own.describe(failed)
    assert described["EndpointStatus"] == "Failed"
    assert described["FailureReason"]
    assert (
        "whose status is Failed" in refusal(own.start_update, endpoint=failed, config=own.create_config(old, count))[1]
    )
    own.sagemaker.delete_endpoint(EndpointName=failed)

    config = own.create_config(old, count)
    endpoint = own.create_endpoint(config)
    with own.generate_load(endpoint, 1) as said:
        own.start_update(endpoint, own.create_config(broken, count))
        after = own.wait_until_settled(endpoint)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", config)
    assert after["FailureReason"] == described["FailureReason"]
    assert said.keys() == {"old"}
    own.start_update(endpoint, own.create_config(old, count))
    assert "FailureReason" not in own.wait_until_settled(endpoint)


def test_a_rolled_endpoint_that_cannot_go_back_serves_both(own: EndpointClient, new: str, tmp_path: Path) -> None:
    alarm, flag = own.create_alarm(), tmp_path / "flag"
    config = own.create_config(own.create_model("old", flag))
    endpoint = own.create_endpoint(config)
    deployment = with_alarm(build_rolling(HALF), alarm)
    own.start_update(endpoint, own.create_config(new), DeploymentConfig=deployment)
    own.sandbox.advance(70)
    flag.touch()
    own.set_alarm_state(alarm)
    own.sandbox.advance(10)
    after = own.wait_until_settled(endpoint)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("UpdateRollbackFailed", config)
    assert own.invoke(endpoint) == "new"
    desired = [{"VariantName": "main", "DesiredInstanceCount": 3}]
    scale = {"EndpointName": endpoint, "DesiredWeightsAndCapacities": desired}
    assert "UpdateRollbackFailed" in refusal(own.sagemaker.update_endpoint_weights_and_capacities, **scale)[1]
    assert (
        "serves two"
        in refusal(own.start_update, endpoint=endpoint, config=config, DeploymentConfig=build_rolling(HALF))[1]
    )
    good = own.create_config(new)
    own.start_update(endpoint, good)
    after = own.wait_until_settled(endpoint)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", good)


def test_an_update_needs_another_configuration(own: EndpointClient, old: str) -> None:
    config = own.create_config(old)
    endpoint = own.create_endpoint(config)
    for members in ({}, {"DeploymentConfig": build_blue_green("ALL_AT_ONCE")}, {"RetainAllVariantProperties": True}):
        code, message = refusal(own.start_update, endpoint=endpoint, config=config, **members)
        assert code == "ValidationException"
        assert f"with its current endpoint configuration {config}" in message
    assert own.describe(endpoint)["EndpointStatus"] == "InService"


def test_the_last_deployment_configuration_is_kept_and_used_again(own: EndpointClient, old: str, new: str) -> None:
    deployment = with_alarm(build_blue_green("CANARY", CanarySize=build_size(1)), own.create_alarm())
    endpoint = own.create_endpoint(own.create_config(old), DeploymentConfig=deployment)
    assert own.describe(endpoint)["LastDeploymentConfig"] == deployment
    own.start_update(endpoint, own.create_config(new), RetainDeploymentConfig=True)
    own.sandbox.advance(1)
    assert own.measure_share(endpoint, "new") == pytest.approx(0.5, abs=0.25)
    own.sandbox.advance(300)
    assert own.wait_until_settled(endpoint)["LastDeploymentConfig"] == deployment
    own.start_update(endpoint, own.create_config(old))
    assert "LastDeploymentConfig" not in own.wait_until_settled(endpoint)


def test_capacities_change_in_time_and_may_outlast_an_update(own: EndpointClient, old: str, new: str) -> None:
    endpoint = own.create_endpoint(own.create_config(old, 1))
    capacities = [{"VariantName": "main", "DesiredInstanceCount": 2, "DesiredWeight": 0.5}]
    asked = {"EndpointName": endpoint, "DesiredWeightsAndCapacities": capacities}
    own.sandbox.fault("UpdateEndpointWeightsAndCapacities", status_delay=60)
    own.sagemaker.update_endpoint_weights_and_capacities(**asked)
    (variant,) = own.describe(endpoint)["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 2)
    assert variant["VariantStatus"][0]["StatusMessage"] == "Scaling out desired instance count to 2."
    why = refusal(own.sagemaker.update_endpoint_weights_and_capacities, **asked)
    assert why == (
        "ValidationException",
        f'Cannot update in-progress endpoint "{own.describe(endpoint)["EndpointArn"]}".',
    )
    own.sandbox.advance(65)
    assert own.get_counts(endpoint) == (2, 0.5)

    own.start_update(endpoint, own.create_config(new, 1), RetainAllVariantProperties=True)
    assert own.get_counts(endpoint) == (2, 0.5)
    own.start_update(
        endpoint,
        own.create_config(new, 1),
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredInstanceCount"}],
    )
    assert own.get_counts(endpoint) == (1, 0.5)
    own.start_update(endpoint, own.create_config(new, 1))
    assert own.get_counts(endpoint) == (1, 1.0)
    capacities[0]["DesiredInstanceCount"] = 0
    assert "scale to zero" in refusal(own.sagemaker.update_endpoint_weights_and_capacities, **asked)[1]


def test_capacity_that_does_not_start_is_rolled_back(own: EndpointClient, tmp_path: Path) -> None:
    flag, queue = tmp_path / "flag", hear(own.sandbox, own.make_name("states"), STATES)
    endpoint = own.create_endpoint(own.create_config(own.create_model("old", flag), 1))
    receive_details(own, queue, endpoint)
    flag.touch()
    capacities = [{"VariantName": "main", "DesiredInstanceCount": 2}]
    own.sagemaker.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=capacities)
    assert own.wait_until_settled(endpoint)["FailureReason"]
    assert own.get_counts(endpoint)[0] == 1
    assert own.invoke(endpoint) == "old"
    states = [detail["EndpointStatus"] for detail in receive_details(own, queue, endpoint)]
    assert states == ["UPDATING", "ROLLING_BACK", "IN_SERVICE"]


def test_a_serverless_endpoint_changes_its_concurrency_and_becomes_real_time(
    own: EndpointClient, old: str, new: str
) -> None:
    serverless = own.create_config(old, None)
    endpoint = own.create_endpoint(serverless)
    update = {"VariantName": "main", "ServerlessUpdateConfig": {"MaxConcurrency": 3, "ProvisionedConcurrency": 1}}
    own.sagemaker.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=[update])
    (variant,) = own.wait_until_settled(endpoint)["ProductionVariants"]
    expected = {"MemorySizeInMB": 1024, "MaxConcurrency": 3, "ProvisionedConcurrency": 1}
    assert (variant["CurrentServerlessConfig"], variant["DesiredServerlessConfig"]) == (expected, expected)
    for wrong, why in (
        ([{"VariantName": "other"}], f'"other" is/are not present within endpoint configuration "{serverless}"'),
        ([{"VariantName": "main"}] * 2, 'The variant name "main" was non-unique within the request.'),
        ([{"VariantName": "main", "DesiredInstanceCount": 2}], "for serverless variant main"),
        ([{"VariantName": "main", "ServerlessUpdateConfig": {"ProvisionedConcurrency": 4}}], "less than or equal to"),
    ):
        refused = {"EndpointName": endpoint, "DesiredWeightsAndCapacities": wrong}
        code, message = refusal(own.sagemaker.update_endpoint_weights_and_capacities, **refused)
        assert (code, why in message) == ("ValidationException", True), message
    own.start_update(endpoint, own.create_config(new, 1))
    assert "CurrentInstanceCount" in own.wait_until_settled(endpoint)["ProductionVariants"][0]
    assert own.invoke(endpoint) == "new"
    assert "cannot become serverless" in refusal(own.start_update, endpoint=endpoint, config=serverless)[1]


def test_guardrails_do_not_apply_to_inferentia_of_the_first_generation(own: EndpointClient, old: str, new: str) -> None:
    inferentia = {"InstanceType": "ml.inf1.xlarge"}
    endpoint, config = (
        own.create_endpoint(own.create_config(old, 2, **inferentia)),
        own.create_config(new, 2, **inferentia),
    )
    own.start_update(endpoint, config, DeploymentConfig=build_blue_green("CANARY", CanarySize=build_size(1)))
    assert own.wait_until_settled(endpoint)["EndpointConfigName"] == config  # at once, and without baking
    assert own.measure_share(endpoint, "new", 20) == 1.0


def test_what_no_update_may_ask_is_refused(own: EndpointClient, old: str) -> None:
    endpoint, other = own.create_endpoint(own.create_config(old, 1)), own.create_config(old, 2, VariantName="other")
    for config, deployment, why in (
        (
            other,
            with_alarm(build_blue_green("ALL_AT_ONCE"), "no-such-alarm"),
            "Could not find CloudWatch alarms: no-such-alarm",
        ),
        (other, build_blue_green("CANARY", CanarySize=build_size(2)), "less than or equal to 50%"),
        (other, build_blue_green("CANARY", CanarySize=build_size(1)), "same variant names"),
        (own.create_config(old, None), None, "cannot become serverless"),
    ):
        members = {} if deployment is None else {"DeploymentConfig": deployment}
        code, message = refusal(own.start_update, endpoint=endpoint, config=config, **members)
        assert (code, why in message) == ("ValidationException", True), message
    assert own.describe(endpoint)["EndpointStatus"] == "InService"
    own.start_update(endpoint, other)
    assert own.wait_until_settled(endpoint)["ProductionVariants"][0]["VariantName"] == "other"
    own.sagemaker.delete_endpoint_config(EndpointConfigName=other)  # which serves on, and is wanted all the same
    assert (
        "Could not find endpoint configuration"
        in refusal(own.start_update, endpoint=endpoint, config=own.create_config(old))[1]
    )


def test_shadows_are_deployed_with_their_variant_and_variants_by_their_weights(
    own: EndpointClient, old: str, new: str
) -> None:
    def config(model: str) -> str:
        name, on = (
            own.make_name("config"),
            {"InstanceType": "ml.c7g.large", "InitialInstanceCount": 1, "ModelName": model},
        )
        variant = on | {"VariantName": "main"}
        own.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[variant],
            ShadowProductionVariants=[on | {"VariantName": "shadow", "InitialVariantWeight": 0.5}],
        )
        return name

    endpoint = own.create_endpoint(config(old))
    (shadow,) = own.describe(endpoint)["ShadowProductionVariants"]
    assert (shadow["VariantName"], shadow["CurrentInstanceCount"], shadow["CurrentWeight"]) == ("shadow", 1, 0.5)
    own.start_update(endpoint, config(new), DeploymentConfig=build_blue_green("ALL_AT_ONCE"))
    own.sandbox.advance(1)
    assert own.describe(endpoint)["PendingDeploymentSummary"]["ShadowProductionVariants"]
    assert own.invoke(endpoint) == "new"
    own.sandbox.advance(120)
    assert own.wait_until_settled(endpoint)["ShadowProductionVariants"][0]["CurrentInstanceCount"] == 1

    weighed = own.make_name("config")
    own.sagemaker.create_endpoint_config(
        EndpointConfigName=weighed,
        ProductionVariants=[
            {"VariantName": model, "ModelName": model, "InstanceType": "ml.c7g.large", "InitialInstanceCount": 1}
            for model in (old, new)
        ],
    )
    own.start_update(endpoint, weighed)
    assert "ShadowProductionVariants" not in own.wait_until_settled(endpoint)
    assert own.measure_share(endpoint, "new") == pytest.approx(0.5, abs=0.25)
    weights = [{"VariantName": new, "DesiredWeight": 0}]
    own.sagemaker.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=weights)
    own.wait_until_settled(endpoint)
    assert own.measure_share(endpoint, "old", 20) == 1.0


def test_a_deployment_that_the_sandbox_did_not_survive_is_over(tmp_path: Path) -> None:
    with Sandbox.start(state=tmp_path) as sandbox:
        own = EndpointClient.prepare(sandbox)
        config = own.create_config(own.create_model("old"))
        endpoint = own.create_endpoint(config)
        own.start_update(endpoint, own.create_config(own.create_model("new")), DeploymentConfig=build_rolling(HALF))
        own.sandbox.advance(70)
        assert own.measure_share(endpoint, "new", 20) == 1.0
    with Sandbox.start(state=tmp_path) as sandbox:
        own = EndpointClient(sandbox)
        after = own.describe(endpoint)
        assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", config)
        assert "sandbox ended during the deployment" in after["FailureReason"]
        assert "PendingDeploymentSummary" not in after
        assert own.measure_share(endpoint, "old", 20) == 1.0
        assert own.get_counts(endpoint) == (2, 1.0)
