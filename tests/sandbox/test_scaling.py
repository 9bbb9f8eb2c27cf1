"""Application Auto Scaling's operations: what AWS refuses, what it tells, and what goes with what."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.client import make_client
from tests.sandbox.support import IMAGE, ROLE, refusal, until

Fresh = Callable[[str], str]

INSTANCES = "sagemaker:variant:DesiredInstanceCount"
CONCURRENCY = "sagemaker:variant:DesiredProvisionedConcurrency"
INVOCATIONS = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
MODEL = {"ModelName": "scaled", "VariantName": "main"}
ON_INSTANCES = MODEL | {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
SERVERLESS = MODEL | {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 5, "ProvisionedConcurrency": 1}}


def make_endpoint(
    sandbox: Sandbox, name: str, variant: dict[str, Any], region: str = "eu-north-1", **config: Any
) -> str:
    """An endpoint in service with a configuration of the same name, of a model that answers nothing."""
    sagemaker = sandbox.client("sagemaker", region)
    if "scaled" not in [one["ModelName"] for one in sagemaker.list_models(NameContains="scaled")["Models"]]:
        sagemaker.create_model(ModelName="scaled", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], **config)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
    return name


def build_target(endpoint: str, dimension: str = INSTANCES) -> dict[str, Any]:
    """The members that name a target."""
    variant = f"endpoint/{endpoint}/variant/main"
    return {"ServiceNamespace": "sagemaker", "ResourceId": variant, "ScalableDimension": dimension}


@pytest.fixture(scope="session")
def scaling(sandbox: Sandbox) -> Any:
    """Requests go out unchecked, so that the sandbox is what refuses them."""
    return make_client("application-autoscaling", "eu-north-1", sandbox.endpoint, parameter_validation=False)


@pytest.fixture(scope="session")
def on_instances(sandbox: Sandbox) -> str:
    return make_endpoint(sandbox, "scaled-on-instances", ON_INSTANCES)


@pytest.fixture
def target(scaling: Any, on_instances: str) -> Iterator[dict[str, Any]]:
    """A target with one to one instances, so that nothing moves."""
    scaling.register_scalable_target(**build_target(on_instances), MinCapacity=1, MaxCapacity=1)
    yield build_target(on_instances)
    scaling.deregister_scalable_target(**build_target(on_instances))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            build_target("no-such-endpoint"),
            "SageMaker endpoint variant doesn't exist: endpoint/no-such-endpoint/variant/main",
        ),
        ({"ResourceId": "endpoint/scaled-on-instances/variant/other"}, "variant doesn't exist"),
        ({"ResourceId": "variant/main"}, "Unsupported service namespace, resource type or scalable dimension"),
        ({"ScalableDimension": CONCURRENCY}, f"Scalable dimension {CONCURRENCY} is not supported"),
        ({"ScalableDimension": "sagemaker:inference-component:DesiredCopyCount"}, "Unsupported service namespace"),
        ({"ScalableDimension": "sagemaker:variant"}, "failed to satisfy constraint: Member must satisfy enum value"),
        ({"MinCapacity": 3}, "Maximum capacity cannot be less than minimum capacity"),
        ({"MinCapacity": -1}, "Minimum capacity cannot be less than 0"),
        ({"MinCapacity": None}, "Minimum capacity must be specified"),
        ({"MaxCapacity": None}, "Maximum capacity must be specified"),
    ],
)
def test_a_target_that_cannot_be_scaled_is_refused(
    scaling: Any, on_instances: str, members: dict[str, Any], message: str
) -> None:
    request = {**build_target(on_instances), "MinCapacity": 1, "MaxCapacity": 2, **members}
    given = {member: value for member, value in request.items() if value is not None}
    code, words = refusal(scaling.register_scalable_target, **given)
    assert code == "ValidationException"
    assert message in words


@pytest.mark.slow
def test_instances_whose_speed_comes_and_goes_are_not_scaled(sandbox: Sandbox, fresh: Fresh) -> None:
    burstable = ON_INSTANCES | {"InstanceType": "ml.t2.medium"}
    endpoint = make_endpoint(sandbox, fresh("burstable"), burstable, "us-east-1")
    scaling = sandbox.client("application-autoscaling", "us-east-1")
    message = refusal(scaling.register_scalable_target, **build_target(endpoint), MinCapacity=1, MaxCapacity=2)[1]
    assert "You cannot register a variant with ml.t2.medium instance type as a scalable target." in message


def test_a_target_is_told_as_it_was_registered_and_updated(scaling: Any, on_instances: str) -> None:
    request = build_target(on_instances) | {"MinCapacity": 1, "MaxCapacity": 3}
    arn = scaling.register_scalable_target(**request, Tags={"owner": "ana"})["ScalableTargetARN"]
    suspended = {"ScheduledScalingSuspended": True}
    assert scaling.register_scalable_target(**build_target(on_instances), MaxCapacity=2, SuspendedState=suspended)
    (told,) = scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[request["ResourceId"]], ScalableDimension=INSTANCES
    )["ScalableTargets"]
    assert told.items() >= (request | {"MaxCapacity": 2, "ScalableTargetARN": arn}).items()
    assert told["SuspendedState"] == {
        "DynamicScalingInSuspended": False,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": True,
    }
    assert told["RoleARN"].endswith("/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint")
    scaling.tag_resource(ResourceARN=arn, Tags={"team": "data"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["owner"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"team": "data"}
    scaling.deregister_scalable_target(**build_target(on_instances))
    assert refusal(scaling.list_tags_for_resource, ResourceARN=arn)[0] == "ResourceNotFoundException"
    code, message = refusal(scaling.deregister_scalable_target, **build_target(on_instances))
    assert (code, message[:27]) == ("ObjectNotFoundException", "No scalable target found fo")


@pytest.mark.slow
def test_the_capacity_is_moved_into_the_bounds_at_once_and_the_activity_says_why(
    scaling: Any, sandbox: Sandbox, fresh: Fresh
) -> None:
    endpoint, sagemaker = make_endpoint(sandbox, fresh("moved"), ON_INSTANCES), sandbox.client("sagemaker")

    def counts() -> tuple[int, int]:
        (variant,) = sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
        return variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]

    def newest() -> dict[str, Any]:
        found = scaling.describe_scaling_activities(**build_target(endpoint))["ScalingActivities"]
        return dict(found[0])

    scaling.register_scalable_target(**build_target(endpoint), MinCapacity=2, MaxCapacity=3)
    until(lambda: counts() == (2, 2))
    told = until(lambda: newest()["StatusCode"] == "Successful" and newest())
    assert told["Description"] == "Setting desired instance count to 2."
    assert told["Cause"] == "minimum capacity was set to 2"
    assert told["StatusMessage"] == (
        "Successfully set desired instance count to 2. Change successfully fulfilled by sagemaker."
    )
    assert told["StartTime"] <= told["EndTime"]
    scaling.register_scalable_target(**build_target(endpoint), MinCapacity=1, MaxCapacity=1)
    until(lambda: counts() == (1, 1))
    assert newest()["Cause"] == "maximum capacity was set to 1"
    first = scaling.describe_scaling_activities(**build_target(endpoint), MaxResults=1)
    second = scaling.describe_scaling_activities(**build_target(endpoint), MaxResults=1, NextToken=first["NextToken"])
    assert [one["ScalingActivities"][0]["Cause"] for one in (first, second)] == [
        "maximum capacity was set to 1",
        "minimum capacity was set to 2",
    ]
    assert "NextToken" not in second
    code, _ = refusal(scaling.describe_scaling_activities, ServiceNamespace="sagemaker", NextToken="none")
    assert code == "InvalidNextTokenException"


def put_tracking_policy(
    scaling: Any, target: dict[str, Any], name: str, value: float = 100.0, **more: Any
) -> dict[str, Any]:
    configuration = {"TargetValue": value, "PredefinedMetricSpecification": INVOCATIONS, **more}
    made: dict[str, Any] = scaling.put_scaling_policy(
        **target,
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=configuration,
    )
    return made


def find_alarms(sandbox: Sandbox, of_: dict[str, Any]) -> list[dict[str, Any]]:
    names = [alarm["AlarmName"] for alarm in of_["Alarms"]]
    found = sandbox.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"] if names else []
    assert {alarm["AlarmArn"] for alarm in found} <= {alarm["AlarmARN"] for alarm in of_["Alarms"]}
    return sorted(found, key=lambda alarm: str(alarm["AlarmName"]))


def test_target_tracking_makes_the_alarms_that_aws_makes(
    scaling: Any, sandbox: Sandbox, target: dict[str, Any]
) -> None:
    made = put_tracking_policy(scaling, target, "invocations")
    high, low = find_alarms(sandbox, made)
    where = "TargetTracking-endpoint/scaled-on-instances/variant/main"
    for alarm, kind, comparison, threshold, minutes in (
        (high, "High", "GreaterThanThreshold", 100.0, 3),
        (low, "Low", "LessThanThreshold", 90.0, 15),
    ):
        assert alarm["AlarmName"].startswith(f"{where}-Alarm{kind}-")
        assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SageMaker", "InvocationsPerInstance")
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == (comparison, threshold)
        assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Statistic"]) == (60, minutes, "Sum")
        assert {one["Name"]: one["Value"] for one in alarm["Dimensions"]} == {
            "EndpointName": "scaled-on-instances",
            "VariantName": "main",
        }
        assert alarm["AlarmActions"][0].startswith(f"{made['PolicyARN']}:createdBy/")
    (told,) = scaling.describe_scaling_policies(**target)["ScalingPolicies"]
    assert (told["PolicyARN"], told["Alarms"]) == (made["PolicyARN"], made["Alarms"])

    again = put_tracking_policy(scaling, target, "invocations", 50.0, DisableScaleIn=True)
    assert again["PolicyARN"] == made["PolicyARN"]
    assert [alarm["Threshold"] for alarm in find_alarms(sandbox, again)] == [50.0]
    assert find_alarms(sandbox, made) == []
    scaling.delete_scaling_policy(**target, PolicyName="invocations")
    assert find_alarms(sandbox, again) == []
    code, _ = refusal(scaling.delete_scaling_policy, **target, PolicyName="invocations")
    assert code == "ObjectNotFoundException"


def test_a_policy_goes_although_somebody_has_deleted_or_needs_its_alarms(
    scaling: Any, sandbox: Sandbox, target: dict[str, Any], fresh: Fresh
) -> None:
    cloudwatch, name = sandbox.client("cloudwatch"), fresh("needs")
    high, low = find_alarms(sandbox, put_tracking_policy(scaling, target, "invocations"))
    cloudwatch.delete_alarms(AlarmNames=[high["AlarmName"]])
    high, needed = find_alarms(sandbox, again := put_tracking_policy(scaling, target, "invocations"))
    assert needed != low
    cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=f'ALARM("{needed["AlarmName"]}")')
    scaling.delete_scaling_policy(**target, PolicyName="invocations")
    assert find_alarms(sandbox, again) == [needed]
    for alarm in (name, needed["AlarmName"]):
        cloudwatch.delete_alarms(AlarmNames=[alarm])


def test_metric_math_and_often_published_metrics_are_tracked_too(
    scaling: Any, sandbox: Sandbox, target: dict[str, Any]
) -> None:
    stat = {"Metric": {"Namespace": "Mine", "MetricName": "Queue", "Dimensions": []}, "Stat": "Sum"}
    queries = [
        {"Id": "queue", "MetricStat": stat, "ReturnData": False},
        {"Id": "each", "Expression": "queue / 2", "ReturnData": True},
    ]
    configuration = {"TargetValue": 4.0, "CustomizedMetricSpecification": {"Metrics": queries}}
    made = scaling.put_scaling_policy(
        **target,
        PolicyName="math",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=configuration,
    )
    (first, second) = find_alarms(sandbox, made)[0]["Metrics"]
    assert (first["MetricStat"]["Period"], second["Expression"]) == (60, "queue / 2")
    concurrent = {"PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"}
    often = put_tracking_policy(scaling, target, "often", PredefinedMetricSpecification=concurrent)
    assert {(alarm["MetricName"], alarm["Period"]) for alarm in find_alarms(sandbox, often)} == {
        ("ConcurrentRequestsPerModel", 10)
    }
    for name in ("math", "often"):
        scaling.delete_scaling_policy(**target, PolicyName=name)


STEP = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": [{"MetricIntervalLowerBound": 0.0}]}
STEP["StepAdjustments"][0]["ScalingAdjustment"] = 1  # type: ignore[index]


def test_a_policy_of_steps_tells_of_the_alarms_that_trigger_it(
    scaling: Any, sandbox: Sandbox, target: dict[str, Any]
) -> None:
    made = scaling.put_scaling_policy(
        **target, PolicyName="steps", PolicyType="StepScaling", StepScalingPolicyConfiguration=STEP
    )
    assert made["Alarms"] == []
    sandbox.client("cloudwatch").put_metric_alarm(
        AlarmName="of-steps",
        AlarmActions=[made["PolicyARN"]],
        Namespace="Mine",
        MetricName="Queue",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    (told,) = scaling.describe_scaling_policies(**target, PolicyNames=["steps"])["ScalingPolicies"]
    assert [alarm["AlarmName"] for alarm in told["Alarms"]] == ["of-steps"]
    assert told["StepScalingPolicyConfiguration"] == STEP
    sandbox.client("cloudwatch").delete_alarms(AlarmNames=["of-steps"])


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        ({"ResourceId": "endpoint/none/variant/main"}, "ObjectNotFoundException", "No scalable target registered for"),
        ({"PolicyType": "PredictiveScaling"}, "ValidationException", "Predictive scaling is not supported"),
        ({"PolicyType": "StepScaling"}, "ValidationException", "StepScaling policy configuration must be specified"),
        ({"StepScalingPolicyConfiguration": STEP}, "ValidationException", "must only provide a single scaling policy"),
        ({"TargetValue": 0.0}, "ValidationException", "Target value must be greater than 0"),
        ({"PredefinedMetricSpecification": None}, "ValidationException", "must be set for target tracking scaling."),
        ({"CustomizedMetricSpecification": {}}, "ValidationException", "Only one of PredefinedMetricSpecification or"),
        (
            {"PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}},
            "ValidationException",
            f"Scalable dimension {INSTANCES} only supports the following predefined metric types: SageMakerVariant",
        ),
    ],
)
def test_a_policy_that_could_not_act_is_refused(
    scaling: Any, target: dict[str, Any], members: dict[str, Any], code: str, message: str
) -> None:
    inside = {"TargetValue", "PredefinedMetricSpecification", "CustomizedMetricSpecification"}
    configuration = {"TargetValue": 1.0, "PredefinedMetricSpecification": INVOCATIONS}
    configuration |= {member: value for member, value in members.items() if member in inside}
    request = {
        **target,
        "PolicyName": "refused",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            member: value for member, value in configuration.items() if value is not None
        },
        **{member: value for member, value in members.items() if member not in inside},
    }
    if members.get("PolicyType") == "StepScaling":
        del request["TargetTrackingScalingPolicyConfiguration"]
    found = refusal(scaling.put_scaling_policy, **request)
    assert found[0] == code
    assert message in found[1]


def test_one_metric_is_tracked_once(scaling: Any, target: dict[str, Any]) -> None:
    put_tracking_policy(scaling, target, "first")
    configuration = {"TargetValue": 7.0, "PredefinedMetricSpecification": INVOCATIONS}
    request = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": configuration}
    assert refusal(scaling.put_scaling_policy, **target, PolicyName="second", **request)[1] == (
        "Only one TargetTrackingScaling policy for a given metric specification is allowed."
    )


def test_a_scheduled_action_is_told_changed_and_deleted(scaling: Any, target: dict[str, Any]) -> None:
    starts, ends = datetime(2035, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
    request = target | {"ScheduledActionName": "mornings"}
    scaling.put_scheduled_action(
        **request,
        Schedule="cron(0 8 ? * MON-FRI *)",
        Timezone="Europe/Stockholm",
        StartTime=starts,
        EndTime=ends,
        ScalableTargetAction={"MinCapacity": 1},
    )
    (told,) = scaling.describe_scheduled_actions(**target)["ScheduledActions"]
    assert (told["Schedule"], told["Timezone"]) == ("cron(0 8 ? * MON-FRI *)", "Europe/Stockholm")
    assert (told["StartTime"], told["EndTime"]) == (starts, ends)
    assert ":scheduledAction:" in told["ScheduledActionARN"]
    scaling.put_scheduled_action(**request, ScalableTargetAction={"MinCapacity": 1, "MaxCapacity": 1})
    (changed,) = scaling.describe_scheduled_actions(**target, ScheduledActionNames=["mornings"])["ScheduledActions"]
    assert changed["Schedule"] == told["Schedule"]
    assert changed["ScalableTargetAction"] == {"MinCapacity": 1, "MaxCapacity": 1}
    assert "StartTime" not in changed, "dates that a request does not repeat are deleted"
    scaling.delete_scheduled_action(**request)
    assert scaling.describe_scheduled_actions(**target)["ScheduledActions"] == []
    assert refusal(scaling.delete_scheduled_action, **request)[0] == "ObjectNotFoundException"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"Schedule": "8 o'clock"}, "Invalid schedule expression"),
        ({"Schedule": "rate(5 seconds)"}, "Invalid schedule expression"),
        ({"Schedule": "cron(0 8 * * * *)"}, "Invalid CRON expression"),
        ({"Schedule": "cron(0 8 ? * ? *)"}, "Invalid CRON expression"),
        ({"Schedule": "at(2035-01-01T00:00:00Z)"}, "Invalid schedule at DateTime expression"),
        ({"Timezone": "Europe/Nowhere"}, "the time zone Europe/Nowhere is not known"),
        ({"ScalableTargetAction": {}}, "At least one of minimum capacity and maximum capacity should be provided"),
        ({"ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 1}}, "Maximum capacity cannot be less than min"),
        ({"ScalableTargetAction": None}, "ScalableTargetAction must be set"),
        ({"Schedule": None}, "Schedule must be set"),
        ({"StartTime": datetime(2036, 1, 1), "EndTime": datetime(2035, 1, 1)}, "StartTime must be before EndTime"),
    ],
)
def test_an_action_that_could_never_be_due_is_refused(
    scaling: Any, target: dict[str, Any], members: dict[str, Any], message: str
) -> None:
    request = {"Schedule": "rate(1 day)", "ScalableTargetAction": {"MinCapacity": 1}, **members}
    given = {member: value for member, value in request.items() if value is not None}
    code, words = refusal(scaling.put_scheduled_action, **target, ScheduledActionName="never", **given)
    assert code == "ValidationException"
    assert message in words


@pytest.mark.slow
def test_a_target_goes_with_its_endpoint_and_a_new_one_of_that_name_has_none(
    scaling: Any, sandbox: Sandbox, fresh: Fresh
) -> None:
    endpoint, sagemaker = make_endpoint(sandbox, fresh("gone"), ON_INSTANCES), sandbox.client("sagemaker")
    scaling.register_scalable_target(**build_target(endpoint), MinCapacity=1, MaxCapacity=1)
    made = put_tracking_policy(scaling, build_target(endpoint), "goes")
    scaling.put_scheduled_action(
        **build_target(endpoint),
        ScheduledActionName="goes",
        Schedule="rate(1 day)",
        ScalableTargetAction={"MinCapacity": 1},
    )
    sagemaker.delete_endpoint(EndpointName=endpoint)
    for describe in ("scaling_policies", "scheduled_actions"):
        found = getattr(scaling, f"describe_{describe}")(**build_target(endpoint))
        assert next(value for value in found.values() if isinstance(value, list)) == []
    found = scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[build_target(endpoint)["ResourceId"]]
    )
    assert found["ScalableTargets"] == []
    until(lambda: find_alarms(sandbox, made) == [])
    until(lambda: not sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"])
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=endpoint)
    until(lambda: sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService")
    assert (
        refusal(scaling.put_scaling_policy, **build_target(endpoint), PolicyName="goes")[0] == "ObjectNotFoundException"
    )


@pytest.mark.slow
def test_more_targets_than_a_page_holds_are_told_page_by_page(scaling: Any, sandbox: Sandbox, fresh: Fresh) -> None:
    endpoint = fresh("paged")
    variants = [ON_INSTANCES | {"VariantName": f"v{number}"} for number in range(3)]
    sagemaker = sandbox.client("sagemaker")
    make_endpoint(sandbox, f"{endpoint}-first", ON_INSTANCES)
    sagemaker.create_endpoint_config(EndpointConfigName=endpoint, ProductionVariants=variants)
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=endpoint)
    ids = [f"endpoint/{endpoint}/variant/v{number}" for number in range(3)]
    for resource in ids:
        scaling.register_scalable_target(
            **build_target(endpoint) | {"ResourceId": resource}, MinCapacity=1, MaxCapacity=1
        )
    pages = scaling.get_paginator("describe_scalable_targets").paginate(
        ServiceNamespace="sagemaker", ResourceIds=ids, PaginationConfig={"PageSize": 2}
    )
    found = [[one["ResourceId"] for one in page["ScalableTargets"]] for page in pages]
    assert found == [ids[:2], ids[2:]]
    dimension = {"ServiceNamespace": "sagemaker", "ScalableDimension": INSTANCES}
    assert refusal(scaling.describe_scalable_targets, **dimension)[0] == "ValidationException"


@pytest.mark.slow
def test_provisioned_concurrency_is_moved_into_its_bounds(scaling: Any, sandbox: Sandbox, fresh: Fresh) -> None:
    endpoint, sagemaker = make_endpoint(sandbox, fresh("serverless"), SERVERLESS), sandbox.client("sagemaker")
    target = build_target(endpoint, CONCURRENCY)
    scaling.register_scalable_target(**target, MinCapacity=2, MaxCapacity=4)

    def provisioned() -> int:
        (variant,) = sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
        return int(variant["CurrentServerlessConfig"]["ProvisionedConcurrency"])

    until(lambda: provisioned() == 2)
    metric = {"PredefinedMetricType": "SageMakerVariantProvisionedConcurrencyUtilization"}
    made = put_tracking_policy(scaling, target, "utilisation", 0.7, PredefinedMetricSpecification=metric)
    assert [alarm["MetricName"] for alarm in find_alarms(sandbox, made)] == 2 * [
        "ServerlessProvisionedConcurrencyUtilization"
    ]
    assert (
        "not supported"
        in refusal(scaling.register_scalable_target, **build_target(endpoint), MinCapacity=1, MaxCapacity=2)[1]
    )


def test_what_is_not_sagemakers_is_motos(scaling: Any, fresh: Fresh) -> None:
    table = {"ServiceNamespace": "dynamodb", "ResourceId": f"table/{fresh('table')}"}
    scaling.register_scalable_target(
        **table, ScalableDimension="dynamodb:table:ReadCapacityUnits", MinCapacity=1, MaxCapacity=2
    )
    (told,) = scaling.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"]
    assert told.items() >= table.items()
    assert refusal(scaling.register_scalable_target, ServiceNamespace="sagemaker")[0] == "ValidationException"
