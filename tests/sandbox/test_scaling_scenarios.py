"""Scaling with load, backlogs and schedules, on the clock of the sandbox."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import (
    IMAGE,
    STILL_CLOCK,
    advance_to_next_minute,
    create_tar,
    make_role,
    make_service_role,
    wait_until,
)
from tests.sandbox.test_scaling import CONCURRENCY, ON_INSTANCES, SERVERLESS, STEP, build_target, make_endpoint

pytestmark = pytest.mark.slow

SERVICE = "sagemaker.amazonaws.com"
LOAD_METRIC = {"Namespace": "Mine", "MetricName": "Load", "Statistic": "Average"}


class ScaledEndpoint:
    """An endpoint with a scalable target, in a sandbox whose clock belongs to the test."""

    def __init__(
        self, sandbox: Sandbox, name: str, target: dict[str, Any], min_capacity: int, max_capacity: int
    ) -> None:
        self.sandbox, self.name, self.target = sandbox, name, target
        services = ("application-autoscaling", "sagemaker", "sagemaker-runtime", "cloudwatch")
        self.scaling, self.sagemaker, self.runtime, self.cloudwatch = map(sandbox.client, services)
        self.scaling.register_scalable_target(**target, MinCapacity=min_capacity, MaxCapacity=max_capacity)

    def put_tracking_policy(self, name: str, value: float, **more: Any) -> dict[str, Any]:
        configuration = {"TargetValue": value, **more}
        policy: dict[str, Any] = self.scaling.put_scaling_policy(
            **self.target,
            PolicyName=name,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=configuration,
        )
        return policy

    def describe_variant(self) -> dict[str, Any]:
        (variant,) = self.sagemaker.describe_endpoint(EndpointName=self.name)["ProductionVariants"]
        return dict(variant)

    @property
    def instance_count(self) -> int:
        return int(self.describe_variant()["CurrentInstanceCount"])

    def advance_minutes(self, number: int = 1) -> datetime:
        return self.sandbox.advance(60 * number)

    def put_metric(self, value: float, metric: str = "Load") -> None:
        data = {"MetricName": metric, "Value": value, "Timestamp": self.sandbox.advance(0)}
        self.cloudwatch.put_metric_data(Namespace="Mine", MetricData=[data])

    def list_activities(self, *, with_not_scaled: bool = False) -> list[dict[str, Any]]:
        """Return the scaling activities, the oldest first."""
        pages = self.scaling.get_paginator("describe_scaling_activities").paginate(
            **self.target, IncludeNotScaledActivities=with_not_scaled
        )
        return [activity for page in pages for activity in page["ScalingActivities"]][::-1]

    def list_reasons(self) -> list[str]:
        """Return the reasons of alarms without scaling, the oldest first."""
        reasons = [
            activity["NotScaledReasons"]
            for activity in self.list_activities(with_not_scaled=True)
            if "NotScaledReasons" in activity
        ]
        return [str(reason["Code"]) for (reason,) in reasons]


@contextmanager
def start_sandbox(**options: Any) -> Iterator[Sandbox]:
    with Sandbox.start(**options) as running:
        make_role(running)
        yield running


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Yield a sandbox of this module, because the tests advance the clock."""
    with start_sandbox(log=tmp_path_factory.mktemp("sandbox") / "log", time_scale=STILL_CLOCK) as running:
        yield running


def create_scaled_endpoint(sandbox: Sandbox, name: str, min_capacity: int = 1, max_capacity: int = 6) -> ScaledEndpoint:
    return ScaledEndpoint(
        sandbox, make_endpoint(sandbox, name, ON_INSTANCES), build_target(name), min_capacity, max_capacity
    )


MODEL = """
import json
def model_fn(model_dir): return None
def input_fn(body, content_type): return json.loads(body)
def predict_fn(values, model): return [value * 3 for value in values]
"""


def make_model(sandbox: Sandbox, name: str) -> None:
    """Create a model that triples."""
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    s3.put_object(Bucket=name, Key="model.tar.gz", Body=create_tar(code__inference_py=MODEL))
    sandbox.client("sagemaker").create_model(
        ModelName=name,
        ExecutionRoleArn=make_service_role(sandbox, SERVICE, "s3:*", "sns:Publish"),
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": f"s3://{name}/model.tar.gz"},
    )


def test_instances_follow_the_invocations_of_a_load_curve(sandbox: Sandbox) -> None:
    name = "invoked"
    make_model(sandbox, name)
    make_endpoint(sandbox, name, ON_INSTANCES | {"ModelName": name})
    endpoint = ScaledEndpoint(sandbox, name, build_target(name), 1, 4)
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    endpoint.put_tracking_policy(
        "invocations", 10.0, PredefinedMetricSpecification=metric, ScaleInCooldown=120, ScaleOutCooldown=60
    )

    def generate_load(minutes: int, invocations: int) -> list[int]:
        counts = []
        for _ in range(minutes):
            for _ in range(invocations):
                endpoint.runtime.invoke_endpoint(EndpointName=name, Body=b"[1]", ContentType="application/json")
            advance_to_next_minute(sandbox)  # each minute has exactly its own requests
            counts.append(endpoint.instance_count)
        return counts

    advance_to_next_minute(sandbox)
    assert generate_load(3, 8) == [1, 1, 1]
    rising = generate_load(5, 28)
    assert (rising[0], rising[-1]) == (1, 3), "28 a minute are 10 or fewer for each of three"
    assert generate_load(18, 0)[-1] == 1, "without traffic, SageMaker scales in to the minimum"
    (scale_out, *scale_ins) = endpoint.list_activities()
    assert scale_out["Description"] == "Setting desired instance count to 3."
    assert "-AlarmHigh-" in scale_out["Cause"]
    assert scale_out["Cause"].endswith(" in state ALARM triggered policy invocations")
    assert [activity["StatusCode"] for activity in scale_ins] == ["Successful", "Successful"]
    assert all("-AlarmLow-" in activity["Cause"] for activity in scale_ins)
    (first, second) = (activity["StartTime"] for activity in scale_ins)
    assert second - first >= timedelta(seconds=120), "the cooldown of scaling in"


def test_an_asynchronous_endpoint_scales_to_zero_and_wakes_for_a_backlog(sandbox: Sandbox) -> None:
    name, s3 = "asynchronous", sandbox.client("s3")
    make_model(sandbox, name)
    make_endpoint(
        sandbox,
        name,
        ON_INSTANCES | {"ModelName": name},
        AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": f"s3://{name}/out"}},
    )
    endpoint = ScaledEndpoint(sandbox, name, build_target(name), 0, 2)
    dimensions = [{"Name": "EndpointName", "Value": name}]
    backlog = {"Namespace": "AWS/SageMaker", "Statistic": "Average", "Dimensions": dimensions}
    backlog["MetricName"] = "ApproximateBacklogSizePerInstance"
    endpoint.put_tracking_policy(
        "backlog", 5.0, CustomizedMetricSpecification=backlog, ScaleInCooldown=300, ScaleOutCooldown=60
    )
    wake_policy = endpoint.scaling.put_scaling_policy(
        **endpoint.target, PolicyName="wake", PolicyType="StepScaling", StepScalingPolicyConfiguration=STEP
    )
    endpoint.cloudwatch.put_metric_alarm(
        AlarmName="has-backlog-without-capacity",
        Namespace="AWS/SageMaker",
        MetricName="HasBacklogWithoutCapacity",
        Dimensions=dimensions,
        Statistic="Average",
        Period=60,
        EvaluationPeriods=2,
        DatapointsToAlarm=2,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        Threshold=1,
        TreatMissingData="missing",
        AlarmActions=[wake_policy["PolicyARN"]],
    )
    assert endpoint.instance_count == 1
    endpoint.advance_minutes(20)
    assert endpoint.instance_count == 0
    s3.put_object(Bucket=name, Key="asked.json", Body=json.dumps([1, 2]))
    advance_to_next_minute(sandbox)
    response = endpoint.runtime.invoke_endpoint_async(
        EndpointName=name, InputLocation=f"s3://{name}/asked.json", ContentType="application/json"
    )
    key = response["OutputLocation"].removeprefix(f"s3://{name}/")
    endpoint.advance_minutes(1)
    assert endpoint.instance_count == 0, (
        "one request does not trigger target tracking, and the alarm waits for two minutes"
    )
    endpoint.advance_minutes(3)
    assert endpoint.instance_count == 1
    endpoint.advance_minutes(2)
    assert endpoint.instance_count == 1, "the instance has time to respond, although the backlog is low for long"
    wait_until(lambda: s3.list_objects_v2(Bucket=name, Prefix=key).get("Contents"))
    assert json.loads(s3.get_object(Bucket=name, Key=key)["Body"].read()) == [3, 6]
    endpoint.advance_minutes(25)
    assert endpoint.instance_count == 0
    causes = [activity["Cause"].rpartition(" ")[2] for activity in endpoint.list_activities()]
    assert causes == ["backlog", "wake", "backlog"]


def find_summer_time_start(after: datetime) -> datetime:
    """Return the next start of summer time in Europe, at 01:00 UTC."""
    year = after.year if after.month < 3 else after.year + 1
    day = datetime(year, 3, 31, 1, tzinfo=UTC)
    return day - timedelta(days=(day.weekday() + 1) % 7)


def test_scheduled_actions_follow_the_local_time_of_their_zone(tmp_path: Path) -> None:
    zone = ZoneInfo("Europe/Stockholm")
    with start_sandbox(log=tmp_path / "log") as sandbox:
        now = sandbox.advance(0)
        monday = find_summer_time_start(now) - timedelta(days=6, hours=2)  # so that the week contains the change
        sandbox.advance((monday - now).total_seconds())
        endpoint = create_scaled_endpoint(sandbox, "by-the-week", 1, 1)
        for name, fields, min_capacity, max_capacity in (
            ("mornings", "0 8 ? * MON-FRI *", 2, 3),
            ("evenings", "0 18 ? * MON-FRI *", 1, 1),
            ("sunday", "30 6 ? * SUN *", 3, 3),
        ):
            endpoint.scaling.put_scheduled_action(
                **endpoint.target,
                ScheduledActionName=name,
                Schedule=f"cron({fields})",
                Timezone="Europe/Stockholm",
                ScalableTargetAction={"MinCapacity": min_capacity, "MaxCapacity": max_capacity},
            )
        sandbox.advance(timedelta(days=6, hours=12).total_seconds())
        bound_changes = [one for one in endpoint.list_activities() if one["Cause"].endswith("was triggered")]
        local_times = [one["StartTime"].astimezone(zone) for one in bound_changes]
        assert [(one.strftime("%a"), one.hour, one.minute) for one in local_times] == [
            *((day, hour, 0) for day in ("Mon", "Tue", "Wed", "Thu", "Fri") for hour in (8, 18)),
            ("Sun", 6, 30),
        ]
        offsets = [one.utcoffset() for one in local_times]
        assert (offsets[0], offsets[-1]) == (timedelta(hours=1), timedelta(hours=2))
        assert bound_changes[0]["Description"] == "Setting min capacity to 2 and max capacity to 3"
        count_changes = [one for one in endpoint.list_activities() if one["Description"].startswith("Setting desired")]
        assert [int(one["Description"].rstrip(".").rpartition(" ")[2]) for one in count_changes] == 5 * [2, 1] + [3]
        assert {one["StatusCode"] for one in count_changes} == {"Successful"}
        assert all(one["StartTime"] < two["StartTime"] for one, two in pairwise(count_changes))
        assert endpoint.instance_count == 3
        (target,) = endpoint.scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        assert (target["MinCapacity"], target["MaxCapacity"]) == (3, 3)


def test_provisioned_concurrency_follows_at_and_rate_schedules(sandbox: Sandbox) -> None:
    name = make_endpoint(sandbox, "provisioned", SERVERLESS)
    endpoint = ScaledEndpoint(sandbox, name, build_target(name, CONCURRENCY), 1, 2)
    now = sandbox.advance(0).replace(microsecond=0)

    def put_schedule(action: str, expression: str, min_capacity: int, max_capacity: int, **more: Any) -> None:
        bounds = {"MinCapacity": min_capacity, "MaxCapacity": max_capacity}
        endpoint.scaling.put_scheduled_action(
            **endpoint.target, ScheduledActionName=action, Schedule=expression, ScalableTargetAction=bounds, **more
        )

    def get_concurrency() -> int:
        return int(endpoint.describe_variant()["CurrentServerlessConfig"]["ProvisionedConcurrency"])

    once = now + timedelta(minutes=10)
    put_schedule("once", f"at({once:%Y-%m-%dT%H:%M:%S})", 3, 4)
    start, end = now + timedelta(minutes=20), now + timedelta(minutes=55)
    put_schedule("often", "rate(15 minutes)", 1, 1, StartTime=start, EndTime=end)
    sandbox.advance(9 * 60)
    assert get_concurrency() == 1
    sandbox.advance(2 * 60)
    assert get_concurrency() == 3
    sandbox.advance(3600)
    assert get_concurrency() == 1
    moments = [activity["StartTime"] for activity in endpoint.list_activities() if "often" in activity["Cause"]]
    assert moments == [start, start + timedelta(minutes=15), start + timedelta(minutes=30)]
    endpoint.scaling.register_scalable_target(**endpoint.target, SuspendedState={"ScheduledScalingSuspended": True})
    put_schedule("once", f"at({sandbox.advance(0) + timedelta(minutes=2):%Y-%m-%dT%H:%M:%S})", 4, 4)
    sandbox.advance(300)
    assert get_concurrency() == 1


def build_metric_math(metric: str) -> list[dict[str, Any]]:
    """Return the queries of metric math that counts a gap of a metric as zero."""
    stat = {"Metric": {"Namespace": "Mine", "MetricName": metric}, "Stat": "Sum"}
    return [
        {"Id": "requests", "MetricStat": stat, "ReturnData": False},
        {"Id": "requests_or_none", "Expression": "FILL(requests, 0)", "ReturnData": True},
    ]


def test_a_late_metric_delays_no_scale_out_and_removes_no_instance(sandbox: Sandbox) -> None:
    """Compare a late metric with metric math that fills its gaps.

    The latest minutes of such a metric are always gaps.
    """
    plain, filled = (
        create_scaled_endpoint(sandbox, "late-plain", 1, 4),
        create_scaled_endpoint(sandbox, "late-filled", 1, 4),
    )
    metric = {"Namespace": "Mine", "MetricName": "Late", "Statistic": "Sum"}
    cooldowns = {"ScaleInCooldown": 60, "ScaleOutCooldown": 60}
    plain.put_tracking_policy("requests", 10.0, CustomizedMetricSpecification=metric, **cooldowns)
    filled.put_tracking_policy(
        "requests", 10.0, CustomizedMetricSpecification={"Metrics": build_metric_math("Late")}, **cooldowns
    )
    steps = {"MetricIntervalUpperBound": 0.0, "ScalingAdjustment": -1}
    idle_policy = plain.scaling.put_scaling_policy(
        **plain.target,
        PolicyName="idle",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "Cooldown": 60,
            "StepAdjustments": [steps],
        },
    )
    queries = build_metric_math("Late")
    queries[0]["MetricStat"] |= {"Period": 60}
    plain.cloudwatch.put_metric_alarm(
        AlarmName="late-idle",
        Metrics=queries,
        EvaluationPeriods=15,
        DatapointsToAlarm=15,
        Threshold=1.0,
        ComparisonOperator="LessThanThreshold",
        AlarmActions=[idle_policy["PolicyARN"]],
    )

    def publish_late(minutes: int, value: float) -> None:
        """Publish each minute three minutes late."""
        for _ in range(minutes):
            data = {"MetricName": "Late", "Value": value, "Timestamp": sandbox.advance(60) - timedelta(minutes=3)}
            plain.cloudwatch.put_metric_data(Namespace="Mine", MetricData=[data])

    publish_late(12, 18)
    wait_until(
        lambda: plain.instance_count == 4
    )  # above the target for any number of instances, because the metric does not depend on it
    assert filled.instance_count == 1, "its latest minutes are zeros, so three in a row are never above the target"

    publish_late(25, 9.5)  # below the target, but above the scale-in threshold
    assert plain.instance_count == 4
    plain.advance_minutes(10)
    assert plain.instance_count == 4, "a gap of less than 15 minutes may be a late metric"
    wait_until(lambda: plain.advance_minutes() and plain.instance_count == 1)
    plain.cloudwatch.delete_alarms(AlarmNames=["late-idle"])


def test_scaling_that_an_update_blocks_happens_after_the_update(sandbox: Sandbox) -> None:
    endpoint = create_scaled_endpoint(sandbox, "updated")
    policy = endpoint.scaling.put_scaling_policy(
        **endpoint.target, PolicyName="steps", PolicyType="StepScaling", StepScalingPolicyConfiguration=STEP
    )
    endpoint.cloudwatch.put_metric_alarm(
        **LOAD_METRIC,
        AlarmName="loaded",
        AlarmActions=[policy["PolicyARN"]],
        Period=60,
        EvaluationPeriods=1,
        Threshold=10.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    sandbox.fault("UpdateEndpoint", status_delay=600)
    endpoint.sagemaker.create_endpoint_config(EndpointConfigName="updated-2", ProductionVariants=[ON_INSTANCES])
    endpoint.sagemaker.update_endpoint(EndpointName=endpoint.name, EndpointConfigName="updated-2")
    endpoint.put_metric(20)
    endpoint.scaling.put_scheduled_action(
        **endpoint.target,
        ScheduledActionName="more",
        Schedule="rate(4 minutes)",
        ScalableTargetAction={"MinCapacity": 3},
        EndTime=sandbox.advance(0) + timedelta(minutes=5),
    )
    endpoint.advance_minutes(8)
    assert endpoint.instance_count == 1
    assert endpoint.list_reasons() == ["TargetServicePutResourceAsUnscalable"]
    endpoint.advance_minutes(4)
    assert endpoint.instance_count >= 3
    causes = [activity["Cause"] for activity in endpoint.list_activities() if activity["StatusCode"] == "Successful"]
    assert "minimum capacity was set to 3" in causes
    endpoint.cloudwatch.delete_alarms(AlarmNames=["loaded"])


def test_an_alarm_action_runs_at_once_and_repeats_while_the_alarm_is_active(sandbox: Sandbox) -> None:
    endpoint = create_scaled_endpoint(sandbox, "repeated", 1, 3)
    step = STEP | {"Cooldown": 60}
    policy = endpoint.scaling.put_scaling_policy(
        **endpoint.target, PolicyName="steps", PolicyType="StepScaling", StepScalingPolicyConfiguration=step
    )
    endpoint.cloudwatch.put_metric_alarm(
        **LOAD_METRIC | {"MetricName": "Repeated"},
        AlarmName="repeats",
        AlarmActions=[policy["PolicyARN"]],
        Period=60,
        EvaluationPeriods=1,
        Threshold=10.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="breaching",
    )
    for _ in range(6):
        endpoint.put_metric(20, "Repeated")
        endpoint.advance_minutes()
    endpoint.put_metric(20, "Repeated")
    assert endpoint.instance_count == 3
    assert [activity["Description"] for activity in endpoint.list_activities()] == [
        "Setting desired instance count to 2.",
        "Setting desired instance count to 3.",
    ]
    (not_scaled,) = [
        activity for activity in endpoint.list_activities(with_not_scaled=True) if "NotScaledReasons" in activity
    ]
    assert not_scaled["NotScaledReasons"] == [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 3}]
    assert not_scaled["Description"] == "Attempting to scale due to alarm triggered"
    endpoint.cloudwatch.delete_alarms(AlarmNames=["repeats"])


def test_the_alarm_that_requests_more_capacity_decides(sandbox: Sandbox) -> None:
    endpoint = create_scaled_endpoint(sandbox, "twice-watched", 1, 4)
    small_step = {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 1}
    steps = [small_step, {"MetricIntervalLowerBound": 10.0, "ScalingAdjustment": 3}]
    policy = endpoint.scaling.put_scaling_policy(
        **endpoint.target,
        PolicyName="steps",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={"AdjustmentType": "ChangeInCapacity", "StepAdjustments": steps},
    )
    alarms = {"watches-much": 5.0, "watches-little": 15.0}
    for name, threshold in alarms.items():
        endpoint.cloudwatch.put_metric_alarm(
            **LOAD_METRIC | {"MetricName": "Watched"},
            AlarmName=name,
            AlarmActions=[policy["PolicyARN"]],
            Period=60,
            EvaluationPeriods=1,
            Threshold=threshold,
            ComparisonOperator="GreaterThanThreshold",
        )
    endpoint.put_metric(20, "Watched")
    endpoint.advance_minutes(2)
    assert [activity["Description"] for activity in endpoint.list_activities()] == [
        "Setting desired instance count to 4."
    ]
    endpoint.cloudwatch.delete_alarms(AlarmNames=list(alarms))


def test_a_refusal_of_sagemaker_is_recorded(sandbox: Sandbox) -> None:
    endpoint = create_scaled_endpoint(sandbox, "refused")
    sandbox.fault("UpdateEndpointWeightsAndCapacities", error="ResourceLimitExceeded", message="No more of these.")
    endpoint.scaling.register_scalable_target(**endpoint.target, MinCapacity=2)
    (activity,) = endpoint.list_activities()
    assert activity["StatusCode"] == "Failed"
    assert activity["StatusMessage"].startswith(
        "Failed to set desired instance count to 2. Reason: No more of these. (Service: AmazonSageMaker; Status Code: "
    )
    assert "Error Code: ResourceLimitExceeded" in activity["StatusMessage"]


def test_the_instance_type_of_a_scaled_variant_cannot_change(sandbox: Sandbox) -> None:
    endpoint = create_scaled_endpoint(sandbox, "typed", 1, 1)
    other = ON_INSTANCES | {"InstanceType": "ml.m5.xlarge"}
    endpoint.sagemaker.create_endpoint_config(EndpointConfigName="other-type", ProductionVariants=[other])
    with pytest.raises(endpoint.sagemaker.exceptions.ClientError, match="its instance type would change"):
        endpoint.sagemaker.update_endpoint(EndpointName=endpoint.name, EndpointConfigName="other-type")
    endpoint.scaling.deregister_scalable_target(**endpoint.target)
    endpoint.sagemaker.update_endpoint(EndpointName=endpoint.name, EndpointConfigName="other-type")


def test_a_restart_keeps_targets_policies_and_activities(tmp_path: Path) -> None:
    with start_sandbox(state=tmp_path / "state", log=tmp_path / "log") as sandbox:
        endpoint = create_scaled_endpoint(sandbox, "kept", 2, 3)
        wait_until(lambda: endpoint.instance_count == 2)
        metric = {"Namespace": "Mine", "MetricName": "Load", "Dimensions": []}
        queries = [
            {"Id": "load", "MetricStat": {"Metric": metric, "Stat": "Average"}, "ReturnData": False},
            {"Id": "twice", "Expression": "load * 2"},
        ]
        endpoint.put_tracking_policy(
            "load", 20.0, CustomizedMetricSpecification={"Metrics": queries}, ScaleOutCooldown=0
        )
        bounds = {"ScheduledActionName": "daily", "Schedule": "rate(1 day)"}
        endpoint.scaling.put_scheduled_action(**build_target("kept"), **bounds, ScalableTargetAction={"MinCapacity": 1})
        policies = endpoint.scaling.describe_scaling_policies(**build_target("kept"))["ScalingPolicies"]
        activity_ids = [activity["ActivityId"] for activity in endpoint.list_activities()]
    with start_sandbox(state=tmp_path / "state", log=tmp_path / "log") as sandbox:
        restarted = ScaledEndpoint(sandbox, "kept", build_target("kept"), 2, 3)
        assert restarted.scaling.describe_scaling_policies(**build_target("kept"))["ScalingPolicies"] == policies
        assert [activity["ActivityId"] for activity in restarted.list_activities()] == activity_ids
        assert restarted.scaling.describe_scheduled_actions(**build_target("kept"))["ScheduledActions"]
        for _ in range(5):
            restarted.put_metric(15)
            restarted.advance_minutes()
        assert restarted.instance_count == 3


def test_a_fast_clock_scales_out_without_being_advanced(tmp_path: Path) -> None:
    with start_sandbox(time_scale=60, log=tmp_path / "log") as sandbox:
        endpoint = create_scaled_endpoint(sandbox, "fast")
        endpoint.put_tracking_policy("load", 10.0, CustomizedMetricSpecification=LOAD_METRIC)

        def is_scaled_out() -> bool:
            endpoint.put_metric(25)
            return endpoint.instance_count >= 3

        wait_until(is_scaled_out)  # three minutes take three seconds
