"""Capacity that follows load, backlogs and the calendar, at the sandbox's own times."""

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
from tests.sandbox.support import IMAGE, let_be_called, make_role, next_minute, tar, until
from tests.sandbox.test_scaling import CONCURRENCY, ON_INSTANCES, SERVERLESS, STEP, build_target, make_endpoint

pytestmark = pytest.mark.slow

ROLE_OF = "sagemaker.amazonaws.com"
BUCKET = "scaled-by-load"
MINE = {"Namespace": "Mine", "MetricName": "Load", "Statistic": "Average"}


class ScaledEndpoint:
    """One endpoint of a sandbox whose time is the test's own, and what scales it."""

    def __init__(self, sandbox: Sandbox, name: str, target: dict[str, Any], least: int, most: int) -> None:
        self.sandbox, self.name, self.target = sandbox, name, target
        services = ("application-autoscaling", "sagemaker", "sagemaker-runtime", "cloudwatch")
        self.scaling, self.sagemaker, self.runtime, self.cloudwatch = map(sandbox.client, services)
        self.scaling.register_scalable_target(**target, MinCapacity=least, MaxCapacity=most)

    def put_tracking_policy(self, name: str, value: float, **more: Any) -> dict[str, Any]:
        configuration = {"TargetValue": value, **more}
        made: dict[str, Any] = self.scaling.put_scaling_policy(
            **self.target,
            PolicyName=name,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=configuration,
        )
        return made

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

    def list_activities(self, *, all_of_them: bool = False) -> list[dict[str, Any]]:
        """The oldest first."""
        pages = self.scaling.get_paginator("describe_scaling_activities").paginate(
            **self.target, IncludeNotScaledActivities=all_of_them
        )
        return [activity for page in pages for activity in page["ScalingActivities"]][::-1]

    def list_reasons(self) -> list[str]:
        """Why it was not scaled, the oldest first."""
        found = [one["NotScaledReasons"] for one in self.list_activities(all_of_them=True) if "NotScaledReasons" in one]
        return [str(reason["Code"]) for (reason,) in found]


@contextmanager
def start_sandbox(**how: Any) -> Iterator[Sandbox]:
    with Sandbox.start(**how) as running:
        make_role(running)
        yield running


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One of their own, as they move the time."""
    with start_sandbox(log=tmp_path_factory.mktemp("sandbox") / "log") as running:
        yield running


def create_scaled_endpoint(sandbox: Sandbox, name: str, least: int = 1, most: int = 6) -> ScaledEndpoint:
    return ScaledEndpoint(sandbox, make_endpoint(sandbox, name, ON_INSTANCES), build_target(name), least, most)


MODEL = """
import json
def model_fn(model_dir): return None
def predict_fn(asked, model): return [value * 3 for value in asked]
"""


def make_model(sandbox: Sandbox, name: str) -> None:
    """One that triples."""
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    s3.put_object(Bucket=name, Key="model.tar.gz", Body=tar(code__inference_py=MODEL))
    sandbox.client("sagemaker").create_model(
        ModelName=name,
        ExecutionRoleArn=let_be_called(sandbox, ROLE_OF, "s3:*", "sns:Publish"),
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": f"s3://{name}/model.tar.gz"},
    )


def test_instances_follow_the_invocations_of_a_load_curve(sandbox: Sandbox) -> None:
    name = "invoked"
    make_model(sandbox, name)
    make_endpoint(sandbox, name, ON_INSTANCES | {"ModelName": name})
    scaled = ScaledEndpoint(sandbox, name, build_target(name), 1, 4)
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    scaled.put_tracking_policy(
        "invocations", 10.0, PredefinedMetricSpecification=metric, ScaleInCooldown=120, ScaleOutCooldown=60
    )

    def load(minutes: int, invocations: int) -> list[int]:
        counts = []
        for _ in range(minutes):
            for _ in range(invocations):
                scaled.runtime.invoke_endpoint(EndpointName=name, Body=b"[1]", ContentType="application/json")
            next_minute(sandbox)  # each minute has its requests, and no other's
            counts.append(scaled.instance_count)
        return counts

    next_minute(sandbox)
    assert load(3, 8) == [1, 1, 1]
    rising = load(5, 28)
    assert (rising[0], rising[-1]) == (1, 3), "28 a minute are 10 or fewer for each of three"
    assert load(18, 9)[-1] == 1
    (out, *ins) = scaled.list_activities()
    assert out["Description"] == "Setting desired instance count to 3."
    assert "-AlarmHigh-" in out["Cause"]
    assert out["Cause"].endswith(" in state ALARM triggered policy invocations")
    assert [one["StatusCode"] for one in ins] == ["Successful", "Successful"]
    assert all("-AlarmLow-" in one["Cause"] for one in ins)
    (first, second) = (one["StartTime"] for one in ins)
    assert second - first >= timedelta(seconds=120), "the cooldown of scaling in"


def test_an_asynchronous_endpoint_goes_to_zero_and_wakes_for_a_backlog(sandbox: Sandbox) -> None:
    name, s3 = "asynchronous", sandbox.client("s3")
    make_model(sandbox, name)
    make_endpoint(
        sandbox,
        name,
        ON_INSTANCES | {"ModelName": name},
        AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": f"s3://{name}/out"}},
    )
    scaled = ScaledEndpoint(sandbox, name, build_target(name), 0, 2)
    dimensions = [{"Name": "EndpointName", "Value": name}]
    backlog = {"Namespace": "AWS/SageMaker", "Statistic": "Average", "Dimensions": dimensions}
    backlog["MetricName"] = "ApproximateBacklogSizePerInstance"
    scaled.put_tracking_policy(
        "backlog", 5.0, CustomizedMetricSpecification=backlog, ScaleInCooldown=300, ScaleOutCooldown=60
    )
    wake = scaled.scaling.put_scaling_policy(
        **scaled.target, PolicyName="wake", PolicyType="StepScaling", StepScalingPolicyConfiguration=STEP
    )
    scaled.cloudwatch.put_metric_alarm(
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
        AlarmActions=[wake["PolicyARN"]],
    )
    assert scaled.instance_count == 1
    scaled.advance_minutes(20)
    assert scaled.instance_count == 0
    s3.put_object(Bucket=name, Key="asked.json", Body=json.dumps([1, 2]))
    next_minute(sandbox)
    answer = scaled.runtime.invoke_endpoint_async(
        EndpointName=name, InputLocation=f"s3://{name}/asked.json", ContentType="application/json"
    )
    key = answer["OutputLocation"].removeprefix(f"s3://{name}/")
    scaled.advance_minutes(1)
    assert scaled.instance_count == 0, (
        "one request is no reason for target tracking, and the alarm waits for two minutes"
    )
    scaled.advance_minutes(3)
    assert scaled.instance_count == 1
    scaled.advance_minutes(2)
    assert scaled.instance_count == 1, "it has time to answer, although the backlog has been low for long"
    until(lambda: s3.list_objects_v2(Bucket=name, Prefix=key).get("Contents"))
    assert json.loads(s3.get_object(Bucket=name, Key=key)["Body"].read()) == [3, 6]
    scaled.advance_minutes(25)
    assert scaled.instance_count == 0
    causes = [one["Cause"].rpartition(" ")[2] for one in scaled.list_activities()]
    assert causes == ["backlog", "wake", "backlog"]


def last_sunday_of_march(after: datetime) -> datetime:
    """When summer time begins in Europe for the next time: at 01:00 UTC."""
    year = after.year if after.month < 3 else after.year + 1
    day = datetime(year, 3, 31, 1, tzinfo=UTC)
    return day - timedelta(days=(day.weekday() + 1) % 7)


def test_a_week_of_scheduled_actions_goes_by_the_clocks_of_their_zone(tmp_path: Path) -> None:
    zone = ZoneInfo("Europe/Stockholm")
    with start_sandbox(log=tmp_path / "log") as sandbox:
        now = sandbox.advance(0)
        monday = last_sunday_of_march(now) - timedelta(days=6, hours=2)  # so that the change is in the week
        sandbox.advance((monday - now).total_seconds())
        scaled = create_scaled_endpoint(sandbox, "by-the-week", 1, 1)
        for name, fields, least, most in (
            ("mornings", "0 8 ? * MON-FRI *", 2, 3),
            ("evenings", "0 18 ? * MON-FRI *", 1, 1),
            ("sunday", "30 6 ? * SUN *", 3, 3),
        ):
            scaled.scaling.put_scheduled_action(
                **scaled.target,
                ScheduledActionName=name,
                Schedule=f"cron({fields})",
                Timezone="Europe/Stockholm",
                ScalableTargetAction={"MinCapacity": least, "MaxCapacity": most},
            )
        sandbox.advance(timedelta(days=6, hours=12).total_seconds())
        moved = [one for one in scaled.list_activities() if one["Cause"].endswith("was triggered")]
        local = [one["StartTime"].astimezone(zone) for one in moved]
        assert [(one.strftime("%a"), one.hour, one.minute) for one in local] == [
            *((day, hour, 0) for day in ("Mon", "Tue", "Wed", "Thu", "Fri") for hour in (8, 18)),
            ("Sun", 6, 30),
        ]
        offsets = [one.utcoffset() for one in local]
        assert (offsets[0], offsets[-1]) == (timedelta(hours=1), timedelta(hours=2))
        assert moved[0]["Description"] == "Setting min capacity to 2 and max capacity to 3"
        counted = [one for one in scaled.list_activities() if one["Description"].startswith("Setting desired")]
        assert [int(one["Description"].rstrip(".").rpartition(" ")[2]) for one in counted] == 5 * [2, 1] + [3]
        assert {one["StatusCode"] for one in counted} == {"Successful"}
        assert all(one["StartTime"] < two["StartTime"] for one, two in pairwise(counted))
        assert scaled.instance_count == 3
        (told,) = scaled.scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        assert (told["MinCapacity"], told["MaxCapacity"]) == (3, 3)


def test_provisioned_concurrency_is_scheduled_at_once_at_a_rate_and_until_an_end(sandbox: Sandbox) -> None:
    name = make_endpoint(sandbox, "provisioned", SERVERLESS)
    scaled = ScaledEndpoint(sandbox, name, build_target(name, CONCURRENCY), 1, 2)
    now = sandbox.advance(0).replace(microsecond=0)

    def schedule(action: str, schedule: str, least: int, most: int, **more: Any) -> None:
        bounds = {"MinCapacity": least, "MaxCapacity": most}
        scaled.scaling.put_scheduled_action(
            **scaled.target, ScheduledActionName=action, Schedule=schedule, ScalableTargetAction=bounds, **more
        )

    def provisioned() -> int:
        return int(scaled.describe_variant()["CurrentServerlessConfig"]["ProvisionedConcurrency"])

    once = now + timedelta(minutes=10)
    schedule("once", f"at({once:%Y-%m-%dT%H:%M:%S})", 3, 4)
    start, end = now + timedelta(minutes=20), now + timedelta(minutes=55)
    schedule("often", "rate(15 minutes)", 1, 1, StartTime=start, EndTime=end)
    sandbox.advance(9 * 60)
    assert provisioned() == 1
    sandbox.advance(2 * 60)
    assert provisioned() == 3
    sandbox.advance(3600)
    assert provisioned() == 1
    moments = [one["StartTime"] for one in scaled.list_activities() if "often" in one["Cause"]]
    assert moments == [start, start + timedelta(minutes=15), start + timedelta(minutes=30)]
    scaled.scaling.register_scalable_target(**scaled.target, SuspendedState={"ScheduledScalingSuspended": True})
    schedule("once", f"at({sandbox.advance(0) + timedelta(minutes=2):%Y-%m-%dT%H:%M:%S})", 4, 4)
    sandbox.advance(300)
    assert provisioned() == 1


def build_metric_math(metric: str) -> list[dict[str, Any]]:
    """Return the queries of metric math that counts a gap of a metric as zero."""
    stat = {"Metric": {"Namespace": "Mine", "MetricName": metric}, "Stat": "Sum"}
    return [
        {"Id": "requests", "MetricStat": stat, "ReturnData": False},
        {"Id": "requests_or_none", "Expression": "FILL(requests, 0)", "ReturnData": True},
    ]


def test_a_metric_that_comes_late_neither_holds_a_scale_out_nor_takes_instances_away(sandbox: Sandbox) -> None:
    """Compare the metric itself with metric math that fills its gaps, of which the latest minutes are always some."""
    plain, filled = (
        create_scaled_endpoint(sandbox, "late-plain", 1, 4),
        create_scaled_endpoint(sandbox, "late-filled", 1, 4),
    )
    one = {"Namespace": "Mine", "MetricName": "Late", "Statistic": "Sum"}
    cooldowns = {"ScaleInCooldown": 60, "ScaleOutCooldown": 60}
    plain.put_tracking_policy("requests", 10.0, CustomizedMetricSpecification=one, **cooldowns)
    filled.put_tracking_policy(
        "requests", 10.0, CustomizedMetricSpecification={"Metrics": build_metric_math("Late")}, **cooldowns
    )
    steps = {"MetricIntervalUpperBound": 0.0, "ScalingAdjustment": -1}
    idle = plain.scaling.put_scaling_policy(
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
        AlarmActions=[idle["PolicyARN"]],
    )

    def late(minutes: int, value: float) -> None:
        """Publish each minute three minutes late."""
        for _ in range(minutes):
            data = {"MetricName": "Late", "Value": value, "Timestamp": sandbox.advance(60) - timedelta(minutes=3)}
            plain.cloudwatch.put_metric_data(Namespace="Mine", MetricData=[data])

    late(12, 18)
    until(
        lambda: plain.instance_count == 4
    )  # above the target on any number of instances, as the metric is not their own
    assert filled.instance_count == 1, "its last minutes are zeros, so three in a row are never above the target"

    late(25, 9.5)  # too little to add any, enough to keep all
    assert plain.instance_count == 4
    plain.advance_minutes(10)
    assert plain.instance_count == 4, "silence of less than a quarter of an hour may be a late metric"
    until(lambda: plain.advance_minutes() and plain.instance_count == 1)
    plain.cloudwatch.delete_alarms(AlarmNames=["late-idle"])


def test_what_an_update_holds_up_is_scaled_once_it_is_over(sandbox: Sandbox) -> None:
    scaled = create_scaled_endpoint(sandbox, "updated")
    made = scaled.scaling.put_scaling_policy(
        **scaled.target, PolicyName="steps", PolicyType="StepScaling", StepScalingPolicyConfiguration=STEP
    )
    scaled.cloudwatch.put_metric_alarm(
        **MINE,
        AlarmName="loaded",
        AlarmActions=[made["PolicyARN"]],
        Period=60,
        EvaluationPeriods=1,
        Threshold=10.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    sandbox.fault("UpdateEndpoint", status_delay=600)
    scaled.sagemaker.create_endpoint_config(EndpointConfigName="updated-2", ProductionVariants=[ON_INSTANCES])
    scaled.sagemaker.update_endpoint(EndpointName=scaled.name, EndpointConfigName="updated-2")
    scaled.put_metric(20)
    scaled.scaling.put_scheduled_action(
        **scaled.target,
        ScheduledActionName="more",
        Schedule="rate(4 minutes)",
        ScalableTargetAction={"MinCapacity": 3},
        EndTime=sandbox.advance(0) + timedelta(minutes=5),
    )
    scaled.advance_minutes(8)
    assert scaled.instance_count == 1
    assert scaled.list_reasons() == ["TargetServicePutResourceAsUnscalable"]
    scaled.advance_minutes(4)
    assert scaled.instance_count >= 3
    done = [one["Cause"] for one in scaled.list_activities() if one["StatusCode"] == "Successful"]
    assert "minimum capacity was set to 3" in done
    scaled.cloudwatch.delete_alarms(AlarmNames=["loaded"])


def test_an_alarms_action_is_followed_at_once_and_repeated_while_it_lasts(sandbox: Sandbox) -> None:
    scaled = create_scaled_endpoint(sandbox, "repeated", 1, 3)
    step = STEP | {"Cooldown": 60}
    made = scaled.scaling.put_scaling_policy(
        **scaled.target, PolicyName="steps", PolicyType="StepScaling", StepScalingPolicyConfiguration=step
    )
    scaled.cloudwatch.put_metric_alarm(
        **MINE | {"MetricName": "Repeated"},
        AlarmName="repeats",
        AlarmActions=[made["PolicyARN"]],
        Period=60,
        EvaluationPeriods=1,
        Threshold=10.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="breaching",
    )
    for _ in range(6):
        scaled.put_metric(20, "Repeated")
        scaled.advance_minutes()
    scaled.put_metric(20, "Repeated")
    assert scaled.instance_count == 3
    assert [one["Description"] for one in scaled.list_activities()] == [
        "Setting desired instance count to 2.",
        "Setting desired instance count to 3.",
    ]
    (not_done,) = [one for one in scaled.list_activities(all_of_them=True) if "NotScaledReasons" in one]
    assert not_done["NotScaledReasons"] == [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 3}]
    assert not_done["Description"] == "Attempting to scale due to alarm triggered"
    scaled.cloudwatch.delete_alarms(AlarmNames=["repeats"])


def test_of_two_alarms_of_one_policy_the_one_that_asks_for_more_decides(sandbox: Sandbox) -> None:
    scaled = create_scaled_endpoint(sandbox, "twice-watched", 1, 4)
    some = {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 1}
    steps = [some, {"MetricIntervalLowerBound": 10.0, "ScalingAdjustment": 3}]
    made = scaled.scaling.put_scaling_policy(
        **scaled.target,
        PolicyName="steps",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={"AdjustmentType": "ChangeInCapacity", "StepAdjustments": steps},
    )
    alarms = {"watches-much": 5.0, "watches-little": 15.0}
    for name, threshold in alarms.items():
        scaled.cloudwatch.put_metric_alarm(
            **MINE | {"MetricName": "Watched"},
            AlarmName=name,
            AlarmActions=[made["PolicyARN"]],
            Period=60,
            EvaluationPeriods=1,
            Threshold=threshold,
            ComparisonOperator="GreaterThanThreshold",
        )
    scaled.put_metric(20, "Watched")
    scaled.advance_minutes(2)
    assert [one["Description"] for one in scaled.list_activities()] == ["Setting desired instance count to 4."]
    scaled.cloudwatch.delete_alarms(AlarmNames=list(alarms))


def test_a_refusal_of_sagemaker_is_told(sandbox: Sandbox) -> None:
    scaled = create_scaled_endpoint(sandbox, "refused")
    sandbox.fault("UpdateEndpointWeightsAndCapacities", error="ResourceLimitExceeded", message="No more of these.")
    scaled.scaling.register_scalable_target(**scaled.target, MinCapacity=2)
    (told,) = scaled.list_activities()
    assert told["StatusCode"] == "Failed"
    assert told["StatusMessage"].startswith(
        "Failed to set desired instance count to 2. Reason: No more of these. (Service: AmazonSageMaker; Status Code: "
    )
    assert "Error Code: ResourceLimitExceeded" in told["StatusMessage"]


def test_a_variant_that_is_scaled_keeps_its_type(sandbox: Sandbox) -> None:
    scaled = create_scaled_endpoint(sandbox, "typed", 1, 1)
    other = ON_INSTANCES | {"InstanceType": "ml.m5.xlarge"}
    scaled.sagemaker.create_endpoint_config(EndpointConfigName="other-type", ProductionVariants=[other])
    with pytest.raises(scaled.sagemaker.exceptions.ClientError, match="its instance type would change"):
        scaled.sagemaker.update_endpoint(EndpointName=scaled.name, EndpointConfigName="other-type")
    scaled.scaling.deregister_scalable_target(**scaled.target)
    scaled.sagemaker.update_endpoint(EndpointName=scaled.name, EndpointConfigName="other-type")


def test_a_restart_keeps_what_scales(tmp_path: Path) -> None:
    with start_sandbox(state=tmp_path / "state", log=tmp_path / "log") as sandbox:
        before = create_scaled_endpoint(sandbox, "kept", 2, 3)
        until(lambda: before.instance_count == 2)
        metric = {"Namespace": "Mine", "MetricName": "Load", "Dimensions": []}
        queries = [
            {"Id": "load", "MetricStat": {"Metric": metric, "Stat": "Average"}, "ReturnData": False},
            {"Id": "twice", "Expression": "load * 2"},
        ]
        before.put_tracking_policy("load", 20.0, CustomizedMetricSpecification={"Metrics": queries}, ScaleOutCooldown=0)
        bounds = {"ScheduledActionName": "daily", "Schedule": "rate(1 day)"}
        before.scaling.put_scheduled_action(**build_target("kept"), **bounds, ScalableTargetAction={"MinCapacity": 1})
        policies = before.scaling.describe_scaling_policies(**build_target("kept"))["ScalingPolicies"]
        told = [one["ActivityId"] for one in before.list_activities()]
    with start_sandbox(state=tmp_path / "state", log=tmp_path / "log") as sandbox:
        after = ScaledEndpoint(sandbox, "kept", build_target("kept"), 2, 3)
        assert after.scaling.describe_scaling_policies(**build_target("kept"))["ScalingPolicies"] == policies
        assert [one["ActivityId"] for one in after.list_activities()] == told
        assert after.scaling.describe_scheduled_actions(**build_target("kept"))["ScheduledActions"]
        for _ in range(5):
            after.put_metric(15)
            after.advance_minutes()
        assert after.instance_count == 3


def test_minutes_that_are_seconds_scale_out_while_one_waits(tmp_path: Path) -> None:
    with start_sandbox(time_scale=60, log=tmp_path / "log") as sandbox:
        scaled = create_scaled_endpoint(sandbox, "fast")
        scaled.put_tracking_policy("load", 10.0, CustomizedMetricSpecification=MINE)

        def scaled_out() -> bool:
            scaled.put_metric(25)
            return scaled.instance_count == 3

        until(scaled_out, seconds=120)  # three minutes are three seconds
