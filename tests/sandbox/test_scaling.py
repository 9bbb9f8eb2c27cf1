"""Operations of Application Auto Scaling: refusals, descriptions and dependent resources."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from tests.sandbox.support import IMAGE, ROLE, catch_error, wait_until

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
    """Create an endpoint and a configuration of the same name; return once it is in service.

    Its model answers nothing.
    """
    sagemaker = sandbox.client("sagemaker", region)
    if "scaled" not in [model["ModelName"] for model in sagemaker.list_models(NameContains="scaled")["Models"]]:
        sagemaker.create_model(ModelName="scaled", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], **config)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
    return name


def build_target(endpoint: str, dimension: str = INSTANCES) -> dict[str, Any]:
    """Return the members that identify a target."""
    variant = f"endpoint/{endpoint}/variant/main"
    return {"ServiceNamespace": "sagemaker", "ResourceId": variant, "ScalableDimension": dimension}


@pytest.fixture(scope="session")
def scaling(sandbox: Sandbox) -> Any:
    """Return a client without parameter validation, so that the sandbox refuses invalid requests."""
    return make_client("application-autoscaling", "eu-north-1", sandbox.endpoint, parameter_validation=False)


@pytest.fixture(scope="session")
def on_instances(sandbox: Sandbox) -> str:
    return make_endpoint(sandbox, "scaled-on-instances", ON_INSTANCES)


@pytest.fixture
def target(scaling: Any, on_instances: str) -> Iterator[dict[str, Any]]:
    """Register a target with one to one instances, so that nothing scales."""
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
    members_with_values = {member: value for member, value in request.items() if value is not None}
    code, error = catch_error(scaling.register_scalable_target, **members_with_values)
    assert code == "ValidationException"
    assert message in error


@pytest.mark.slow
def test_burstable_instances_cannot_be_scaled(sandbox: Sandbox, fresh: Fresh) -> None:
    burstable = ON_INSTANCES | {"InstanceType": "ml.t2.medium"}
    endpoint = make_endpoint(sandbox, fresh("burstable"), burstable, "us-east-1")
    scaling = sandbox.client("application-autoscaling", "us-east-1")
    message = catch_error(scaling.register_scalable_target, **build_target(endpoint), MinCapacity=1, MaxCapacity=2)[1]
    assert "You cannot register a variant with ml.t2.medium instance type as a scalable target." in message


def test_a_target_is_described_as_registered_and_updated(scaling: Any, on_instances: str) -> None:
    request = build_target(on_instances) | {"MinCapacity": 1, "MaxCapacity": 3}
    arn = scaling.register_scalable_target(**request, Tags={"owner": "ana"})["ScalableTargetARN"]
    suspended = {"ScheduledScalingSuspended": True}
    assert scaling.register_scalable_target(**build_target(on_instances), MaxCapacity=2, SuspendedState=suspended)
    (description,) = scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[request["ResourceId"]], ScalableDimension=INSTANCES
    )["ScalableTargets"]
    assert description.items() >= (request | {"MaxCapacity": 2, "ScalableTargetARN": arn}).items()
    assert description["SuspendedState"] == {
        "DynamicScalingInSuspended": False,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": True,
    }
    assert description["RoleARN"].endswith("/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint")
    scaling.tag_resource(ResourceARN=arn, Tags={"team": "data"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["owner"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"team": "data"}
    scaling.deregister_scalable_target(**build_target(on_instances))
    assert catch_error(scaling.list_tags_for_resource, ResourceARN=arn)[0] == "ResourceNotFoundException"
    code, message = catch_error(scaling.deregister_scalable_target, **build_target(on_instances))
    assert (code, message[:27]) == ("ObjectNotFoundException", "No scalable target found fo")


@pytest.mark.slow
def test_the_capacity_moves_into_the_bounds_at_once_with_an_activity(
    scaling: Any, sandbox: Sandbox, fresh: Fresh
) -> None:
    endpoint, sagemaker = make_endpoint(sandbox, fresh("moved"), ON_INSTANCES), sandbox.client("sagemaker")

    def get_counts() -> tuple[int, int]:
        (variant,) = sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
        return variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]

    def get_newest() -> dict[str, Any]:
        activities = scaling.describe_scaling_activities(**build_target(endpoint))["ScalingActivities"]
        return dict(activities[0])

    scaling.register_scalable_target(**build_target(endpoint), MinCapacity=2, MaxCapacity=3)
    wait_until(lambda: get_counts() == (2, 2))
    activity = wait_until(lambda: get_newest()["StatusCode"] == "Successful" and get_newest())
    assert activity["Description"] == "Setting desired instance count to 2."
    assert activity["Cause"] == "minimum capacity was set to 2"
    assert activity["StatusMessage"] == (
        "Successfully set desired instance count to 2. Change successfully fulfilled by sagemaker."
    )
    assert activity["StartTime"] <= activity["EndTime"]
    scaling.register_scalable_target(**build_target(endpoint), MinCapacity=1, MaxCapacity=1)
    wait_until(lambda: get_counts() == (1, 1))
    assert get_newest()["Cause"] == "maximum capacity was set to 1"
    first = scaling.describe_scaling_activities(**build_target(endpoint), MaxResults=1)
    second = scaling.describe_scaling_activities(**build_target(endpoint), MaxResults=1, NextToken=first["NextToken"])
    assert [page["ScalingActivities"][0]["Cause"] for page in (first, second)] == [
        "maximum capacity was set to 1",
        "minimum capacity was set to 2",
    ]
    assert "NextToken" not in second
    code, _ = catch_error(scaling.describe_scaling_activities, ServiceNamespace="sagemaker", NextToken="none")
    assert code == "InvalidNextTokenException"


def put_tracking_policy(
    scaling: Any, target: dict[str, Any], name: str, value: float = 100.0, **more: Any
) -> dict[str, Any]:
    configuration = {"TargetValue": value, "PredefinedMetricSpecification": INVOCATIONS, **more}
    policy: dict[str, Any] = scaling.put_scaling_policy(
        **target,
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=configuration,
    )
    return policy


def find_alarms(sandbox: Sandbox, policy: dict[str, Any]) -> list[dict[str, Any]]:
    names = [alarm["AlarmName"] for alarm in policy["Alarms"]]
    alarms = sandbox.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"] if names else []
    assert {alarm["AlarmArn"] for alarm in alarms} <= {alarm["AlarmARN"] for alarm in policy["Alarms"]}
    return sorted(alarms, key=lambda alarm: str(alarm["AlarmName"]))


def test_target_tracking_creates_the_same_alarms_as_aws(scaling: Any, sandbox: Sandbox, target: dict[str, Any]) -> None:
    policy = put_tracking_policy(scaling, target, "invocations")
    high, low = find_alarms(sandbox, policy)
    prefix = "TargetTracking-endpoint/scaled-on-instances/variant/main"
    for alarm, kind, comparison, threshold, minutes in (
        (high, "High", "GreaterThanThreshold", 100.0, 3),
        (low, "Low", "LessThanThreshold", 90.0, 15),
    ):
        assert alarm["AlarmName"].startswith(f"{prefix}-Alarm{kind}-")
        assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SageMaker", "InvocationsPerInstance")
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == (comparison, threshold)
        assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Statistic"]) == (60, minutes, "Sum")
        assert {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]} == {
            "EndpointName": "scaled-on-instances",
            "VariantName": "main",
        }
        assert alarm["AlarmActions"][0].startswith(f"{policy['PolicyARN']}:createdBy/")
    (description,) = scaling.describe_scaling_policies(**target)["ScalingPolicies"]
    assert (description["PolicyARN"], description["Alarms"]) == (policy["PolicyARN"], policy["Alarms"])

    updated = put_tracking_policy(scaling, target, "invocations", 50.0, DisableScaleIn=True)
    assert updated["PolicyARN"] == policy["PolicyARN"]
    assert [alarm["Threshold"] for alarm in find_alarms(sandbox, updated)] == [50.0]
    assert find_alarms(sandbox, policy) == []
    scaling.delete_scaling_policy(**target, PolicyName="invocations")
    assert find_alarms(sandbox, updated) == []
    code, _ = catch_error(scaling.delete_scaling_policy, **target, PolicyName="invocations")
    assert code == "ObjectNotFoundException"


def test_a_policy_can_be_deleted_if_its_alarms_are_deleted_or_in_use(
    scaling: Any, sandbox: Sandbox, target: dict[str, Any], fresh: Fresh
) -> None:
    cloudwatch, name = sandbox.client("cloudwatch"), fresh("needs")
    high, low = find_alarms(sandbox, put_tracking_policy(scaling, target, "invocations"))
    cloudwatch.delete_alarms(AlarmNames=[high["AlarmName"]])
    high, used = find_alarms(sandbox, updated := put_tracking_policy(scaling, target, "invocations"))
    assert used != low
    cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=f'ALARM("{used["AlarmName"]}")')
    scaling.delete_scaling_policy(**target, PolicyName="invocations")
    assert find_alarms(sandbox, updated) == [used]
    for alarm in (name, used["AlarmName"]):
        cloudwatch.delete_alarms(AlarmNames=[alarm])


def test_metric_math_and_high_resolution_metrics_can_be_tracked(
    scaling: Any, sandbox: Sandbox, target: dict[str, Any]
) -> None:
    stat = {"Metric": {"Namespace": "Mine", "MetricName": "Queue", "Dimensions": []}, "Stat": "Sum"}
    queries = [
        {"Id": "queue", "MetricStat": stat, "ReturnData": False},
        {"Id": "each", "Expression": "queue / 2", "ReturnData": True},
    ]
    configuration = {"TargetValue": 4.0, "CustomizedMetricSpecification": {"Metrics": queries}}
    policy = scaling.put_scaling_policy(
        **target,
        PolicyName="math",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=configuration,
    )
    (first, second) = find_alarms(sandbox, policy)[0]["Metrics"]
    assert (first["MetricStat"]["Period"], second["Expression"]) == (60, "queue / 2")
    concurrent = {"PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"}
    frequent = put_tracking_policy(scaling, target, "often", PredefinedMetricSpecification=concurrent)
    assert {(alarm["MetricName"], alarm["Period"]) for alarm in find_alarms(sandbox, frequent)} == {
        ("ConcurrentRequestsPerModel", 10)
    }
    for name in ("math", "often"):
        scaling.delete_scaling_policy(**target, PolicyName=name)


STEP = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": [{"MetricIntervalLowerBound": 0.0}]}
STEP["StepAdjustments"][0]["ScalingAdjustment"] = 1  # type: ignore[index]


def test_a_step_policy_lists_the_alarms_that_trigger_it(scaling: Any, sandbox: Sandbox, target: dict[str, Any]) -> None:
    policy = scaling.put_scaling_policy(
        **target, PolicyName="steps", PolicyType="StepScaling", StepScalingPolicyConfiguration=STEP
    )
    assert policy["Alarms"] == []
    sandbox.client("cloudwatch").put_metric_alarm(
        AlarmName="of-steps",
        AlarmActions=[policy["PolicyARN"]],
        Namespace="Mine",
        MetricName="Queue",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    (description,) = scaling.describe_scaling_policies(**target, PolicyNames=["steps"])["ScalingPolicies"]
    assert [alarm["AlarmName"] for alarm in description["Alarms"]] == ["of-steps"]
    assert description["StepScalingPolicyConfiguration"] == STEP
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
def test_an_invalid_policy_is_refused(
    scaling: Any, target: dict[str, Any], members: dict[str, Any], code: str, message: str
) -> None:
    configuration_members = {"TargetValue", "PredefinedMetricSpecification", "CustomizedMetricSpecification"}
    configuration = {"TargetValue": 1.0, "PredefinedMetricSpecification": INVOCATIONS}
    configuration |= {member: value for member, value in members.items() if member in configuration_members}
    request = {
        **target,
        "PolicyName": "refused",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            member: value for member, value in configuration.items() if value is not None
        },
        **{member: value for member, value in members.items() if member not in configuration_members},
    }
    if members.get("PolicyType") == "StepScaling":
        del request["TargetTrackingScalingPolicyConfiguration"]
    error = catch_error(scaling.put_scaling_policy, **request)
    assert error[0] == code
    assert message in error[1]


def test_a_metric_can_have_only_one_tracking_policy(scaling: Any, target: dict[str, Any]) -> None:
    put_tracking_policy(scaling, target, "first")
    configuration = {"TargetValue": 7.0, "PredefinedMetricSpecification": INVOCATIONS}
    request = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": configuration}
    assert catch_error(scaling.put_scaling_policy, **target, PolicyName="second", **request)[1] == (
        "Only one TargetTrackingScaling policy for a given metric specification is allowed."
    )


def test_a_scheduled_action_can_be_described_changed_and_deleted(scaling: Any, target: dict[str, Any]) -> None:
    start, end = datetime(2035, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
    request = target | {"ScheduledActionName": "mornings"}
    scaling.put_scheduled_action(
        **request,
        Schedule="cron(0 8 ? * MON-FRI *)",
        Timezone="Europe/Stockholm",
        StartTime=start,
        EndTime=end,
        ScalableTargetAction={"MinCapacity": 1},
    )
    (description,) = scaling.describe_scheduled_actions(**target)["ScheduledActions"]
    assert (description["Schedule"], description["Timezone"]) == ("cron(0 8 ? * MON-FRI *)", "Europe/Stockholm")
    assert (description["StartTime"], description["EndTime"]) == (start, end)
    assert ":scheduledAction:" in description["ScheduledActionARN"]
    scaling.put_scheduled_action(**request, ScalableTargetAction={"MinCapacity": 1, "MaxCapacity": 1})
    (changed,) = scaling.describe_scheduled_actions(**target, ScheduledActionNames=["mornings"])["ScheduledActions"]
    assert changed["Schedule"] == description["Schedule"]
    assert changed["ScalableTargetAction"] == {"MinCapacity": 1, "MaxCapacity": 1}
    assert "StartTime" not in changed, "times that a request omits are deleted"
    scaling.delete_scheduled_action(**request)
    assert scaling.describe_scheduled_actions(**target)["ScheduledActions"] == []
    assert catch_error(scaling.delete_scheduled_action, **request)[0] == "ObjectNotFoundException"


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
def test_an_invalid_scheduled_action_is_refused(
    scaling: Any, target: dict[str, Any], members: dict[str, Any], message: str
) -> None:
    request = {"Schedule": "rate(1 day)", "ScalableTargetAction": {"MinCapacity": 1}, **members}
    members_with_values = {member: value for member, value in request.items() if value is not None}
    code, error = catch_error(
        scaling.put_scheduled_action, **target, ScheduledActionName="never", **members_with_values
    )
    assert code == "ValidationException"
    assert message in error


@pytest.mark.slow
def test_a_target_is_deleted_with_its_endpoint(scaling: Any, sandbox: Sandbox, fresh: Fresh) -> None:
    endpoint, sagemaker = make_endpoint(sandbox, fresh("gone"), ON_INSTANCES), sandbox.client("sagemaker")
    scaling.register_scalable_target(**build_target(endpoint), MinCapacity=1, MaxCapacity=1)
    policy = put_tracking_policy(scaling, build_target(endpoint), "goes")
    scaling.put_scheduled_action(
        **build_target(endpoint),
        ScheduledActionName="goes",
        Schedule="rate(1 day)",
        ScalableTargetAction={"MinCapacity": 1},
    )
    sagemaker.delete_endpoint(EndpointName=endpoint)
    for describe in ("scaling_policies", "scheduled_actions"):
        response = getattr(scaling, f"describe_{describe}")(**build_target(endpoint))
        assert next(value for value in response.values() if isinstance(value, list)) == []
    response = scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[build_target(endpoint)["ResourceId"]]
    )
    assert response["ScalableTargets"] == []
    wait_until(lambda: find_alarms(sandbox, policy) == [])
    wait_until(lambda: not sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"])
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=endpoint)
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService")
    assert (
        catch_error(scaling.put_scaling_policy, **build_target(endpoint), PolicyName="goes")[0]
        == "ObjectNotFoundException"
    )


@pytest.mark.slow
def test_targets_are_listed_in_pages(scaling: Any, sandbox: Sandbox, fresh: Fresh) -> None:
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
    ids_by_page = [[description["ResourceId"] for description in page["ScalableTargets"]] for page in pages]
    assert ids_by_page == [ids[:2], ids[2:]]
    dimension = {"ServiceNamespace": "sagemaker", "ScalableDimension": INSTANCES}
    assert catch_error(scaling.describe_scalable_targets, **dimension)[0] == "ValidationException"


@pytest.mark.slow
def test_provisioned_concurrency_moves_into_its_bounds(scaling: Any, sandbox: Sandbox, fresh: Fresh) -> None:
    endpoint, sagemaker = make_endpoint(sandbox, fresh("serverless"), SERVERLESS), sandbox.client("sagemaker")
    target = build_target(endpoint, CONCURRENCY)
    scaling.register_scalable_target(**target, MinCapacity=2, MaxCapacity=4)

    def get_concurrency() -> int:
        (variant,) = sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
        return int(variant["CurrentServerlessConfig"]["ProvisionedConcurrency"])

    wait_until(lambda: get_concurrency() == 2)
    metric = {"PredefinedMetricType": "SageMakerVariantProvisionedConcurrencyUtilization"}
    policy = put_tracking_policy(scaling, target, "utilization", 0.7, PredefinedMetricSpecification=metric)
    assert [alarm["MetricName"] for alarm in find_alarms(sandbox, policy)] == 2 * [
        "ServerlessProvisionedConcurrencyUtilization"
    ]
    assert (
        "not supported"
        in catch_error(scaling.register_scalable_target, **build_target(endpoint), MinCapacity=1, MaxCapacity=2)[1]
    )


def test_moto_handles_targets_of_other_services(scaling: Any, fresh: Fresh) -> None:
    table = {"ServiceNamespace": "dynamodb", "ResourceId": f"table/{fresh('table')}"}
    scaling.register_scalable_target(
        **table, ScalableDimension="dynamodb:table:ReadCapacityUnits", MinCapacity=1, MaxCapacity=2
    )
    (description,) = scaling.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"]
    assert description.items() >= table.items()
    assert catch_error(scaling.register_scalable_target, ServiceNamespace="sagemaker")[0] == "ValidationException"
