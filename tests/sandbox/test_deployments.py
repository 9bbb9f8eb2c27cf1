"""How endpoints come to serve other models, and go back to the old ones, while they are asked all the time."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.deploying import Endpoints
from tests.sandbox.support import hear, refusal, until
from tests.sandbox.test_deployments_plan import blue_green, rolling, size

pytestmark = pytest.mark.slow

HALF = size(50, "CAPACITY_PERCENT")
#: Each policy, and the shares of the new model while it bakes: for 60 s, and 120 s at the end of blue/green ones.
POLICIES: dict[str, tuple[dict[str, Any], list[float]]] = {
    "all at once": (blue_green("ALL_AT_ONCE"), [1.0]),
    "canary": (blue_green("CANARY", CanarySize=size(1)), [0.5, 1.0]),
    "linear": (blue_green("LINEAR", LinearStepSize=HALF), [0.5, 1.0]),
    "rolling": (rolling(HALF), [0.5, 1.0]),
}
STATES = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Endpoint State Change"]}
STAGES = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Endpoint Deployment State Change"]}


@pytest.fixture(scope="module")
def own() -> Iterator[Endpoints]:
    with Sandbox.start() as sandbox:
        yield Endpoints.of(sandbox)


@pytest.fixture(scope="module")
def old(own: Endpoints) -> str:
    return own.model("old")


@pytest.fixture(scope="module")
def new(own: Endpoints) -> str:
    return own.model("new")


def watched(policy: dict[str, Any], alarm: str) -> dict[str, Any]:
    return policy | {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]}}


def heard(own: Endpoints, queue: str, endpoint: str) -> list[dict[str, Any]]:
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
def test_a_good_model_takes_over_as_its_policy_says(own: Endpoints, old: str, new: str, kind: str) -> None:
    policy, shares = POLICIES[kind]
    endpoint, config = own.create(own.config(old)), own.config(new)
    with own.load(endpoint) as said:
        own.update(endpoint, config, DeploymentConfig=watched(policy, own.alarm()))
        own.sandbox.advance(5)
        for share in shares:
            assert own.look(endpoint)["EndpointStatus"] == "Updating"
            assert own.pending(endpoint)["CurrentInstanceCount"] == share * 2
            assert own.share(endpoint, "new") == pytest.approx(share, abs=0.25)
            own.sandbox.advance(60)
        own.sandbox.advance(60)
        after = own.look(endpoint)
        assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", config)
        assert "PendingDeploymentSummary" not in after
        assert "FailureReason" not in after
        assert own.share(endpoint, "new", 20) == 1.0
    assert said.keys() == {"old", "new"}


@pytest.mark.parametrize("kind", POLICIES)
def test_a_bad_model_is_rolled_back_by_its_alarm(own: Endpoints, old: str, new: str, kind: str) -> None:
    policy, shares = POLICIES[kind]
    alarm, queue = own.alarm(), hear(own.sandbox, own.fresh("states"), STATES)
    config = own.config(old)
    endpoint = own.create(config)
    heard(own, queue, endpoint)
    deployment = watched(policy, alarm)
    with own.load(endpoint) as said:
        own.update(endpoint, own.config(new), DeploymentConfig=deployment)
        own.sandbox.advance(5 + 60 * (len(shares) - 1))  # the last batch bakes: of a rolled fleet, one old is left
        assert own.share(endpoint, "new", 20) == 1.0
        own.ring(alarm)
        own.sandbox.advance(10)
        after = own.rest(endpoint)
        assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", config)
        assert alarm in after["FailureReason"]
        assert after["LastDeploymentConfig"] == deployment
        assert "PendingDeploymentSummary" not in after
        (variant,) = after["ProductionVariants"]
        assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (2, 2)
        assert own.share(endpoint, "old", 20) == 1.0
    assert said.keys() == {"old", "new"}
    states = [detail["EndpointStatus"] for detail in heard(own, queue, endpoint)]
    assert states == ["UPDATING", "ROLLING_BACK", "IN_SERVICE"]


def test_a_model_that_fails_is_rolled_back_by_what_cloudwatch_is_told_of_it(own: Endpoints, old: str) -> None:
    config, alarm = own.config(old), own.fresh("alarm")
    endpoint = own.create(config)
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
    canary = blue_green("CANARY", 600, 600, CanarySize=size(1))
    own.update(endpoint, own.config(own.model("")), DeploymentConfig=watched(canary, alarm))
    own.sandbox.advance(120)
    assert own.look(endpoint)["EndpointStatus"] == "Updating"  # nobody has asked it
    with own.load(endpoint) as said:
        until(lambda: len(said) == 2)
    assert any("ModelError" in answer for answer in said)
    own.sandbox.advance(130)  # the minute is over, and has been told and evaluated
    after = own.rest(endpoint)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", config)
    assert alarm in after["FailureReason"]
    assert own.share(endpoint, "old", 20) == 1.0


def test_a_request_under_way_is_answered_by_the_old_model_and_holds_nothing_up(
    own: Endpoints, old: str, new: str, tmp_path: Path
) -> None:
    endpoint, file = own.create(own.config(old, 1)), tmp_path / "file"
    with ThreadPoolExecutor() as asking:
        answer = asking.submit(own.ask, endpoint, file)
        try:
            until(file.with_name("file.asked").exists)
            own.update(endpoint, own.config(new, 1))
            own.rest(endpoint)
            assert own.ask(endpoint) == "new"
            own.sandbox.advance(1)
            assert not answer.done()
        finally:
            file.touch()
        assert answer.result() == "old"


def test_an_update_tells_of_its_stages(own: Endpoints, old: str, new: str) -> None:
    own.sandbox.advance(3600)  # all is told by the sandbox's time
    endpoint, queue = own.create(own.config(old)), hear(own.sandbox, own.fresh("stages"), STAGES)
    config, made = own.config(new), own.look(endpoint)
    assert made["LastModifiedTime"] - made["CreationTime"] < timedelta(minutes=30)
    own.update(endpoint, config, DeploymentConfig=blue_green("CANARY", CanarySize=size(1)))
    own.sandbox.advance(300)
    own.rest(endpoint)
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


def test_a_rollback_may_be_seen_for_as_long_as_is_asked_for(own: Endpoints, old: str, new: str) -> None:
    alarm, endpoint = own.alarm(), own.create(own.config(old, 1))
    own.update(endpoint, own.config(new, 1), DeploymentConfig=watched(blue_green("ALL_AT_ONCE"), alarm))
    own.sandbox.advance(1)
    own.sandbox.fault("UpdateEndpoint", status_delay=600)
    own.ring(alarm)
    own.sandbox.advance(20)
    assert own.look(endpoint)["EndpointStatus"] == "RollingBack"
    assert own.ask(endpoint) == "old"
    assert "in-progress" in refusal(own.sagemaker.delete_endpoint, EndpointName=endpoint)[1]
    own.sandbox.advance(600)
    assert own.look(endpoint)["EndpointStatus"] == "InService"


def test_an_update_ends_where_its_alarm_rings_already(own: Endpoints, old: str, new: str) -> None:
    alarm, queue = own.alarm(), hear(own.sandbox, own.fresh("states"), STATES)
    endpoint = own.create(own.config(old, 1))
    heard(own, queue, endpoint)
    own.ring(alarm)
    own.update(endpoint, own.config(new, 1), DeploymentConfig=watched(blue_green("ALL_AT_ONCE"), alarm))
    assert alarm in own.rest(endpoint)["FailureReason"]
    assert own.ask(endpoint) == "old"
    states = [detail["EndpointStatus"] for detail in heard(own, queue, endpoint)]
    assert states == ["UPDATING", "IN_SERVICE"]  # no traffic had moved


def test_an_update_that_takes_too_long_is_given_up(own: Endpoints, old: str, new: str) -> None:
    endpoint = own.create(own.config(old, 1))
    own.sandbox.fault("UpdateEndpoint", status_delay=3600)
    policy = blue_green("ALL_AT_ONCE")
    policy["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 600
    own.update(endpoint, own.config(new, 1), DeploymentConfig=policy)
    own.sandbox.advance(500)
    assert own.look(endpoint)["EndpointStatus"] == "Updating"
    own.sandbox.advance(110)
    assert "600 seconds" in own.rest(endpoint)["FailureReason"]
    assert own.ask(endpoint) == "old"


def test_what_takes_this_machine_long_is_not_late_where_the_time_passes_faster() -> None:
    with Sandbox.start(time_scale=3600) as sandbox:  # a second here is an hour there
        own = Endpoints.of(sandbox)
        policy = blue_green("ALL_AT_ONCE")
        policy["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 600
        endpoint, config = own.create(own.config(own.model("old"), 1)), own.config(own.model("new"), 1)
        own.update(endpoint, config, DeploymentConfig=policy)
        after = own.rest(endpoint)
        assert (after["EndpointConfigName"], after.get("FailureReason")) == (config, None)


@pytest.mark.parametrize("count", [1, None], ids=["real-time", "serverless"])
def test_what_does_not_start_never_serves(own: Endpoints, old: str, count: int | None, tmp_path: Path) -> None:
    broken = own.model("broken", tmp_path)
    failed = own.create(own.config(broken, count))
    described = own.look(failed)
    assert described["EndpointStatus"] == "Failed"
    assert described["FailureReason"]
    assert "whose status is Failed" in refusal(own.update, endpoint=failed, config=own.config(old, count))[1]
    own.sagemaker.delete_endpoint(EndpointName=failed)

    config = own.config(old, count)
    endpoint = own.create(config)
    with own.load(endpoint, 1) as said:
        own.update(endpoint, own.config(broken, count))
        after = own.rest(endpoint)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", config)
    assert after["FailureReason"] == described["FailureReason"]
    assert said.keys() == {"old"}
    own.update(endpoint, own.config(old, count))
    assert "FailureReason" not in own.rest(endpoint)


def test_a_rolled_endpoint_that_cannot_go_back_serves_both(own: Endpoints, new: str, tmp_path: Path) -> None:
    alarm, flag = own.alarm(), tmp_path / "flag"
    config = own.config(own.model("old", flag))
    endpoint = own.create(config)
    deployment = watched(rolling(HALF), alarm)
    own.update(endpoint, own.config(new), DeploymentConfig=deployment)
    own.sandbox.advance(70)
    flag.touch()
    own.ring(alarm)
    own.sandbox.advance(10)
    after = own.rest(endpoint)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("UpdateRollbackFailed", config)
    assert own.ask(endpoint) == "new"
    desired = [{"VariantName": "main", "DesiredInstanceCount": 3}]
    scale = {"EndpointName": endpoint, "DesiredWeightsAndCapacities": desired}
    assert "UpdateRollbackFailed" in refusal(own.sagemaker.update_endpoint_weights_and_capacities, **scale)[1]
    assert "serves two" in refusal(own.update, endpoint=endpoint, config=config, DeploymentConfig=rolling(HALF))[1]
    good = own.config(new)
    own.update(endpoint, good)
    after = own.rest(endpoint)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", good)


def test_an_update_needs_another_configuration(own: Endpoints, old: str) -> None:
    config = own.config(old)
    endpoint = own.create(config)
    for members in ({}, {"DeploymentConfig": blue_green("ALL_AT_ONCE")}, {"RetainAllVariantProperties": True}):
        code, message = refusal(own.update, endpoint=endpoint, config=config, **members)
        assert code == "ValidationException"
        assert f"with its current endpoint configuration {config}" in message
    assert own.look(endpoint)["EndpointStatus"] == "InService"


def test_the_last_deployment_configuration_is_kept_and_used_again(own: Endpoints, old: str, new: str) -> None:
    deployment = watched(blue_green("CANARY", CanarySize=size(1)), own.alarm())
    endpoint = own.create(own.config(old), DeploymentConfig=deployment)
    assert own.look(endpoint)["LastDeploymentConfig"] == deployment
    own.update(endpoint, own.config(new), RetainDeploymentConfig=True)
    own.sandbox.advance(1)
    assert own.share(endpoint, "new") == pytest.approx(0.5, abs=0.25)
    own.sandbox.advance(300)
    assert own.rest(endpoint)["LastDeploymentConfig"] == deployment
    own.update(endpoint, own.config(old))
    assert "LastDeploymentConfig" not in own.rest(endpoint)


def test_capacities_change_in_time_and_may_outlast_an_update(own: Endpoints, old: str, new: str) -> None:
    endpoint = own.create(own.config(old, 1))
    capacities = [{"VariantName": "main", "DesiredInstanceCount": 2, "DesiredWeight": 0.5}]
    asked = {"EndpointName": endpoint, "DesiredWeightsAndCapacities": capacities}
    own.sandbox.fault("UpdateEndpointWeightsAndCapacities", status_delay=60)
    own.sagemaker.update_endpoint_weights_and_capacities(**asked)
    (variant,) = own.look(endpoint)["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 2)
    assert variant["VariantStatus"][0]["StatusMessage"] == "Scaling out desired instance count to 2."
    why = refusal(own.sagemaker.update_endpoint_weights_and_capacities, **asked)
    assert why == ("ValidationException", f'Cannot update in-progress endpoint "{own.look(endpoint)["EndpointArn"]}".')
    own.sandbox.advance(65)
    assert own.counts(endpoint) == (2, 0.5)

    own.update(endpoint, own.config(new, 1), RetainAllVariantProperties=True)
    assert own.counts(endpoint) == (2, 0.5)
    own.update(
        endpoint,
        own.config(new, 1),
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredInstanceCount"}],
    )
    assert own.counts(endpoint) == (1, 0.5)
    own.update(endpoint, own.config(new, 1))
    assert own.counts(endpoint) == (1, 1.0)
    capacities[0]["DesiredInstanceCount"] = 0
    assert "scale to zero" in refusal(own.sagemaker.update_endpoint_weights_and_capacities, **asked)[1]


def test_capacity_that_does_not_start_is_rolled_back(own: Endpoints, tmp_path: Path) -> None:
    flag, queue = tmp_path / "flag", hear(own.sandbox, own.fresh("states"), STATES)
    endpoint = own.create(own.config(own.model("old", flag), 1))
    heard(own, queue, endpoint)
    flag.touch()
    capacities = [{"VariantName": "main", "DesiredInstanceCount": 2}]
    own.sagemaker.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=capacities)
    assert own.rest(endpoint)["FailureReason"]
    assert own.counts(endpoint)[0] == 1
    assert own.ask(endpoint) == "old"
    states = [detail["EndpointStatus"] for detail in heard(own, queue, endpoint)]
    assert states == ["UPDATING", "ROLLING_BACK", "IN_SERVICE"]


def test_a_serverless_endpoint_changes_its_concurrency_and_becomes_real_time(
    own: Endpoints, old: str, new: str
) -> None:
    serverless = own.config(old, None)
    endpoint = own.create(serverless)
    update = {"VariantName": "main", "ServerlessUpdateConfig": {"MaxConcurrency": 3, "ProvisionedConcurrency": 1}}
    own.sagemaker.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=[update])
    (variant,) = own.rest(endpoint)["ProductionVariants"]
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
    own.update(endpoint, own.config(new, 1))
    assert "CurrentInstanceCount" in own.rest(endpoint)["ProductionVariants"][0]
    assert own.ask(endpoint) == "new"
    assert "cannot become serverless" in refusal(own.update, endpoint=endpoint, config=serverless)[1]


def test_guardrails_do_not_apply_to_inferentia_of_the_first_generation(own: Endpoints, old: str, new: str) -> None:
    inferentia = {"InstanceType": "ml.inf1.xlarge"}
    endpoint, config = own.create(own.config(old, 2, **inferentia)), own.config(new, 2, **inferentia)
    own.update(endpoint, config, DeploymentConfig=blue_green("CANARY", CanarySize=size(1)))
    assert own.rest(endpoint)["EndpointConfigName"] == config  # at once, and without baking
    assert own.share(endpoint, "new", 20) == 1.0


def test_what_no_update_may_ask_is_refused(own: Endpoints, old: str) -> None:
    endpoint, other = own.create(own.config(old, 1)), own.config(old, 2, VariantName="other")
    for config, deployment, why in (
        (other, watched(blue_green("ALL_AT_ONCE"), "no-such-alarm"), "Could not find CloudWatch alarms: no-such-alarm"),
        (other, blue_green("CANARY", CanarySize=size(2)), "less than or equal to 50%"),
        (other, blue_green("CANARY", CanarySize=size(1)), "same variant names"),
        (own.config(old, None), None, "cannot become serverless"),
    ):
        members = {} if deployment is None else {"DeploymentConfig": deployment}
        code, message = refusal(own.update, endpoint=endpoint, config=config, **members)
        assert (code, why in message) == ("ValidationException", True), message
    assert own.look(endpoint)["EndpointStatus"] == "InService"
    own.update(endpoint, other)
    assert own.rest(endpoint)["ProductionVariants"][0]["VariantName"] == "other"
    own.sagemaker.delete_endpoint_config(EndpointConfigName=other)  # which serves on, and is wanted all the same
    assert "Could not find endpoint configuration" in refusal(own.update, endpoint=endpoint, config=own.config(old))[1]


def test_shadows_are_deployed_with_their_variant_and_variants_by_their_weights(
    own: Endpoints, old: str, new: str
) -> None:
    def config(model: str) -> str:
        name, on = own.fresh("config"), {"InstanceType": "ml.c7g.large", "InitialInstanceCount": 1, "ModelName": model}
        variant = on | {"VariantName": "main"}
        own.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[variant],
            ShadowProductionVariants=[on | {"VariantName": "shadow", "InitialVariantWeight": 0.5}],
        )
        return name

    endpoint = own.create(config(old))
    (shadow,) = own.look(endpoint)["ShadowProductionVariants"]
    assert (shadow["VariantName"], shadow["CurrentInstanceCount"], shadow["CurrentWeight"]) == ("shadow", 1, 0.5)
    own.update(endpoint, config(new), DeploymentConfig=blue_green("ALL_AT_ONCE"))
    own.sandbox.advance(1)
    assert own.look(endpoint)["PendingDeploymentSummary"]["ShadowProductionVariants"]
    assert own.ask(endpoint) == "new"
    own.sandbox.advance(120)
    assert own.rest(endpoint)["ShadowProductionVariants"][0]["CurrentInstanceCount"] == 1

    weighed = own.fresh("config")
    own.sagemaker.create_endpoint_config(
        EndpointConfigName=weighed,
        ProductionVariants=[
            {"VariantName": model, "ModelName": model, "InstanceType": "ml.c7g.large", "InitialInstanceCount": 1}
            for model in (old, new)
        ],
    )
    own.update(endpoint, weighed)
    assert "ShadowProductionVariants" not in own.rest(endpoint)
    assert own.share(endpoint, "new") == pytest.approx(0.5, abs=0.25)
    weights = [{"VariantName": new, "DesiredWeight": 0}]
    own.sagemaker.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=weights)
    own.rest(endpoint)
    assert own.share(endpoint, "old", 20) == 1.0


def test_a_deployment_that_the_sandbox_did_not_survive_is_over(tmp_path: Path) -> None:
    with Sandbox.start(state=tmp_path) as sandbox:
        own = Endpoints.of(sandbox)
        config = own.config(own.model("old"))
        endpoint = own.create(config)
        own.update(endpoint, own.config(own.model("new")), DeploymentConfig=rolling(HALF))
        own.sandbox.advance(70)
        assert own.share(endpoint, "new", 20) == 1.0
    with Sandbox.start(state=tmp_path) as sandbox:
        own = Endpoints(sandbox)
        after = own.look(endpoint)
        assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", config)
        assert "sandbox ended during the deployment" in after["FailureReason"]
        assert "PendingDeploymentSummary" not in after
        assert own.share(endpoint, "old", 20) == 1.0
        assert own.counts(endpoint) == (2, 1.0)
