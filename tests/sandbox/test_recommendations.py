"""Inference recommendation jobs: requests are checked, and the answers are recorded load tests."""

from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.recommendations.recorded import LoadTest, find_load_test
from sagemaker_sandbox.recommendations.scaling import recommend_scaling
from sustainable_mlops.catalogue import prices
from tests.sandbox.hosting_support import SERVERLESS, EndpointDeployer
from tests.sandbox.support import IMAGE, ROLE, catch_error, wait_until

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]
STAIRS = {"TrafficType": "STAIRS", "Stairs": {"DurationInSeconds": 600, "NumberOfSteps": 20, "UsersPerStep": 1}}
CONTAINER = {
    "Domain": "MACHINE_LEARNING",
    "Task": "OTHER",
    "Framework": "XGBOOST",
    "PayloadConfig": {"SamplePayloadUrl": "s3://bucket/sample.tar.gz", "SupportedContentTypes": ["text/csv"]},
}


class RecommendationClient:
    """A client that creates inference recommendation jobs."""

    def __init__(self, sagemaker: Any, fresh: Fresh) -> None:
        self.sagemaker = sagemaker
        self.fresh = fresh

    def create_model(self) -> str:
        name = self.fresh("model")
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE})
        return name

    def advanced_request(
        self, *configurations: dict[str, Any], conditions: Any = None, **config: Any
    ) -> dict[str, Any]:
        """Return a request for a load test of a model."""
        if not {"ModelName", "ModelPackageVersionArn"} & config.keys():
            config["ModelName"] = self.create_model()
        defaults: dict[str, Any] = {"ContainerConfig": CONTAINER, "TrafficPattern": STAIRS}
        if configurations:
            defaults["EndpointConfigurations"] = list(configurations)
        return {
            "JobName": self.fresh("recommend"),
            "JobType": "Advanced",
            "RoleArn": ROLE,
            "InputConfig": {name: value for name, value in (defaults | config).items() if value is not None},
            "StoppingConditions": conditions or {"MaxInvocations": 1},
        }

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Create a job and return it once it is over."""
        self.sagemaker.create_inference_recommendations_job(**request)
        return self.wait(request["JobName"])

    def wait(self, name: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            job: dict[str, Any] = self.sagemaker.describe_inference_recommendations_job(JobName=name)
            return job if job["Status"] in ("COMPLETED", "FAILED", "STOPPED") else None

        job: dict[str, Any] = wait_until(look)
        return job

    def list_steps(self, name: str, **filters: Any) -> list[dict[str, Any]]:
        pages = self.sagemaker.get_paginator("list_inference_recommendations_job_steps").paginate(
            JobName=name, PaginationConfig={"PageSize": 1}, **filters
        )
        return [step for page in pages for step in page["Steps"]]


@pytest.fixture
def client(sandbox: Sandbox, fresh: Fresh) -> RecommendationClient:
    return RecommendationClient(sandbox.client("sagemaker"), fresh)


def on(instance_type: str, **variables: list[str]) -> dict[str, Any]:
    """Return an endpoint configuration with environment variables to try."""
    ranges = [{"Name": name, "Value": values} for name, values in variables.items()]
    return {
        "InstanceType": instance_type,
        **({"EnvironmentParameterRanges": {"CategoricalParameterRanges": ranges}} if ranges else {}),
    }


def test_each_configuration_is_answered_with_its_recorded_load_test(client: RecommendationClient) -> None:
    request = client.advanced_request(on("ml.m5.large", WORKERS=["1", "2"]), on("ml.c5.xlarge"))
    job = client.run(request)
    assert job["Status"] == "COMPLETED", job
    assert job["InputConfig"] == request["InputConfig"]
    recommendations = job["InferenceRecommendations"]
    assert len(recommendations) == 3
    for recommendation in recommendations:
        metrics, configuration = recommendation["Metrics"], recommendation["EndpointConfiguration"]
        instance_type = configuration["InstanceType"]
        test = find_load_test(instance_type)
        assert (metrics["MaxInvocations"], metrics["ModelLatency"]) == (test.max_invocations, test.model_latency_ms)
        assert configuration["InitialInstanceCount"] == 1
        price = prices.find(instance_type)
        assert price is not None
        factor = prices.find_regional_price("eu-north-1", instance_type.split(".")[1]).factor[1]
        assert metrics["CostPerHour"] == pytest.approx(price.usd_per_hour[1] * factor)
        assert metrics["CostPerInference"] == pytest.approx(metrics["CostPerHour"] / 60 / metrics["MaxInvocations"])
    costs = [recommendation["Metrics"]["CostPerInference"] for recommendation in recommendations]
    assert costs == sorted(costs)
    environments = [item["ModelConfiguration"].get("EnvironmentParameters") for item in recommendations]
    assert [{"Key": "WORKERS", "ValueType": "String", "Value": "2"}] in environments
    steps = client.list_steps(job["JobName"])
    assert [step["Status"] for step in steps] == ["COMPLETED"] * 3
    types = [step["InferenceBenchmark"]["EndpointConfiguration"]["InstanceType"] for step in steps]
    assert types == ["ml.m5.large", "ml.m5.large", "ml.c5.xlarge"]


def test_a_recorded_latency_above_the_threshold_fails_the_benchmark(client: RecommendationClient) -> None:
    def run(milliseconds: int) -> dict[str, Any]:
        thresholds = [{"Percentile": "P95", "ValueInMilliseconds": milliseconds}]
        conditions = {"ModelLatencyThresholds": thresholds}
        return client.run(client.advanced_request(on("ml.m5.large"), on("ml.c5.xlarge"), conditions=conditions))

    job = run(300)
    (recommendation,) = job["InferenceRecommendations"]
    assert recommendation["EndpointConfiguration"]["InstanceType"] == "ml.c5.xlarge"
    (failed,) = client.list_steps(job["JobName"], Status="FAILED")
    assert "Metrics" not in failed["InferenceBenchmark"]
    job = run(1)
    assert job["Status"] == "FAILED"
    assert "P95 model latency of 1085 ms exceeded" in job["FailureReason"]
    assert "InferenceRecommendations" not in job


def test_more_requests_than_one_instance_answers_need_several_instances(client: RecommendationClient) -> None:
    (one,) = client.run(client.advanced_request(on("ml.m5.large"), conditions={"MaxInvocations": 10_000}))[
        "InferenceRecommendations"
    ]
    count, metrics = one["EndpointConfiguration"]["InitialInstanceCount"], one["Metrics"]
    assert metrics["MaxInvocations"] >= 10_000 > metrics["MaxInvocations"] * (count - 1) / count


def test_a_default_job_takes_its_configurations_from_the_package(client: RecommendationClient) -> None:
    sagemaker, group = client.sagemaker, client.fresh("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    package = {
        "ModelPackageGroupName": group,
        "Domain": "MACHINE_LEARNING",
        "Task": "OTHER",
        "SamplePayloadUrl": "s3://bucket/sample.tar.gz",
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE, "Framework": "XGBOOST"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": [],
            "SupportedRealtimeInferenceInstanceTypes": ["ml.c7g.large"],
        },
    }
    arn = sagemaker.create_model_package(**package)["ModelPackageArn"]
    request: dict[str, Any] = {"JobType": "Default", "RoleArn": ROLE}
    job = client.run({"JobName": client.fresh("recommend"), "InputConfig": {"ModelPackageVersionArn": arn}, **request})
    assert job["Status"] == "COMPLETED", job
    by_type = {
        item["EndpointConfiguration"].get("InstanceType", "serverless"): item["Metrics"]
        for item in job["InferenceRecommendations"]
    }
    assert by_type.keys() == {"ml.c7g.large", "serverless"}
    assert by_type["serverless"]["CostPerInference"] > 0
    summaries = sagemaker.list_inference_recommendations_jobs(ModelPackageVersionArnEquals=arn)
    assert [item["JobName"] for item in summaries["InferenceRecommendationsJobs"]] == [job["JobName"]]
    assert sagemaker.list_inference_recommendations_jobs(ModelNameEquals=group)["InferenceRecommendationsJobs"] == []
    del package["Domain"]
    request["InputConfig"] = {"ModelPackageVersionArn": sagemaker.create_model_package(**package)["ModelPackageArn"]}
    assert catch_error(sagemaker.create_inference_recommendations_job, JobName=group, **request) == (
        "ValidationException",
        "Specify Domain in the Model Package version 2. Domain is a mandatory parameter for the job.",
    )


def test_a_stopped_job_recommends_nothing(client: RecommendationClient, sandbox: Sandbox) -> None:
    request, sagemaker = client.advanced_request(on("ml.m5.large"), on("ml.c5.xlarge")), client.sagemaker
    name = request["JobName"]
    sandbox.fault("CreateInferenceRecommendationsJob", status_delay=60, resource=name)
    sagemaker.create_inference_recommendations_job(**request)
    assert [step["Status"] for step in client.list_steps(name)] == ["IN_PROGRESS", "IN_PROGRESS"]
    names = {"InferenceRecommendationsJobName": name, "RecommendationId": "x"}
    assert catch_error(sagemaker.get_scaling_configuration_recommendation, **names)[0] == "ValidationException"
    sagemaker.stop_inference_recommendations_job(JobName=name)
    job = client.wait(name)
    assert (job["Status"], "InferenceRecommendations" in job) == ("STOPPED", False)
    assert [step["Status"] for step in client.list_steps(name)] == ["STOPPED", "STOPPED"]
    error = catch_error(sagemaker.stop_inference_recommendations_job, JobName=name)
    assert error[1] == "The request was rejected because the inference recommendations job is in status STOPPED."
    assert catch_error(sagemaker.create_inference_recommendations_job, **request)[0] == "ResourceInUse"


def test_a_scaling_policy_follows_from_a_recommendation(
    client: RecommendationClient, sandbox: Sandbox, bucket: str, fresh: Fresh
) -> None:
    deploying = EndpointDeployer(sandbox, bucket, fresh)
    endpoint = deploying.deploy(deploying.create_container("def model_fn(folder): return None"))
    request = client.advanced_request(on("ml.c7g.large"), {**SERVERLESS}, Endpoints=[{"EndpointName": endpoint}])
    job = client.run(request)
    (performance,) = job["EndpointPerformances"]
    assert performance["EndpointInfo"] == {"EndpointName": endpoint}
    by_kind = {"InstanceType" in item["EndpointConfiguration"]: item for item in job["InferenceRecommendations"]}
    names = {
        "InferenceRecommendationsJobName": job["JobName"],
        "RecommendationId": by_kind[True]["RecommendationId"],
    }
    most = by_kind[True]["Metrics"]["MaxInvocations"]
    objective = {"MinInvocationsPerMinute": 3 * most, "MaxInvocationsPerMinute": 10 * most}
    recommend = client.sagemaker.get_scaling_configuration_recommendation
    policy = recommend(**names, ScalingPolicyObjective=objective)
    assert policy["Metric"]["InvocationsPerInstance"] == most
    assert policy["TargetCpuUtilizationPerCore"] == 50
    scaling = policy["DynamicScalingConfiguration"]
    assert (scaling["MinCapacity"], scaling["MaxCapacity"]) == (3, 10)
    by_endpoint = {"InferenceRecommendationsJobName": job["JobName"], "EndpointName": endpoint}
    assert recommend(**by_endpoint)["EndpointName"] == endpoint
    assert (
        catch_error(recommend, **names | {"RecommendationId": by_kind[False]["RecommendationId"]})[0]
        == "ValidationException"
    )
    assert catch_error(recommend, **names | {"RecommendationId": "none"})[0] == "ResourceNotFound"
    client.sagemaker.delete_endpoint(EndpointName=endpoint)


def test_instances_keep_the_share_of_cpu_that_is_to_stay_free() -> None:
    busy, idle = LoadTest(600, 5, 80.0, None, None), LoadTest(600, 5, 10.0, None, None)
    scaling = recommend_scaling(busy, 40, {"MinInvocationsPerMinute": 301, "MaxInvocationsPerMinute": 900}, 600)
    assert scaling["Metric"]["InvocationsPerInstance"] == 300
    capacities = scaling["DynamicScalingConfiguration"]
    assert (capacities["MinCapacity"], capacities["MaxCapacity"]) == (2, 3)
    assert recommend_scaling(idle, 40, {}, 600)["Metric"]["InvocationsPerInstance"] == 600
    with pytest.raises(ValidationError):
        recommend_scaling(busy, 40, {"MinInvocationsPerMinute": 2, "MaxInvocationsPerMinute": 1}, 600)


def phases(*users_and_rates: tuple[int, int]) -> dict[str, Any]:
    """Return a pattern of phases of two minutes."""
    return {
        "TrafficType": "PHASES",
        "Phases": [
            {"InitialNumberOfUsers": users, "SpawnRate": rate, "DurationInSeconds": 120}
            for users, rate in users_and_rates
        ],
    }


PACKAGE = "arn:aws:sagemaker:eu-north-1:123456789012:model-package/x/1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"EndpointConfigurations": [on("ml.t2.medium")]}, "Burstable instance type ml.t2.medium is not allowed."),
        ({"TrafficPattern": phases((1, 3), (3, 0), (3, 0), (1, 0))}, "Users at the end of prev phase is 7 while"),
        ({"TrafficPattern": phases((4, 0))}, "InitialNumberOfUsers must be between 1 and 3."),
        ({"TrafficPattern": {**STAIRS, "TrafficType": "PHASES"}}, "Specify Phases for TrafficType PHASES"),
        ({"JobDurationInSeconds": 599}, "Total Traffic duration (across) should not be more than Job duration."),
        ({"JobDurationInSeconds": 18_001}, "JobDurationInSeconds must not be more than 18000."),
        ({"ModelPackageVersionArn": PACKAGE, "ModelName": "m"}, "Specify either ModelPackageVersionArn or ModelName"),
        ({"EndpointConfigurations": [on("ml.m5.large") | SERVERLESS]}, "Specify either InstanceType or Serverless"),
        (
            {"EndpointConfigurations": [on("ml.m5.large") | {"InferenceSpecificationName": "x"}]},
            "can only be specified",
        ),
        ({"TrafficPattern": None}, "TrafficPattern is a mandatory parameter for the job of type Advanced."),
        ({"ContainerConfig": None}, "Specify Domain in ContainerConfig."),
        ({"ModelName": "no-such-model"}, "Could not find model"),
        ({"Endpoints": [{"EndpointName": "no-such-endpoint"}]}, "Could not find endpoint"),
    ],
)
def test_an_invalid_request_is_refused(
    sagemaker: Any, client: RecommendationClient, change: dict[str, Any], message: str
) -> None:
    request = client.advanced_request(on("ml.m5.large"), **change)
    code, text = catch_error(sagemaker.create_inference_recommendations_job, **request)
    assert (code, message in text) == ("ValidationException", True), text
    describe = sagemaker.describe_inference_recommendations_job
    assert catch_error(describe, JobName=request["JobName"])[0] == "ResourceNotFound"


def test_a_model_has_a_recommendation_if_its_image_names_a_framework(
    sagemaker: Any, client: RecommendationClient, fresh: Fresh
) -> None:
    known = client.create_model()
    recommendation = sagemaker.describe_model(ModelName=known)["DeploymentRecommendation"]
    assert recommendation["RecommendationStatus"] == "COMPLETED"
    first, *others = recommendation["RealTimeInferenceRecommendations"]
    assert first["RecommendationId"].startswith(f"{known}/")
    assert first["InstanceType"].startswith("ml.")
    assert first["RecommendationId"] not in [other["RecommendationId"] for other in others]
    pipeline = fresh("pipeline")
    sagemaker.create_model(ModelName=pipeline, ExecutionRoleArn=ROLE, Containers=[{"Image": IMAGE}, {"Image": IMAGE}])
    recommendation = sagemaker.describe_model(ModelName=pipeline)["DeploymentRecommendation"]
    assert recommendation == {"RecommendationStatus": "NOT_APPLICABLE", "RealTimeInferenceRecommendations": []}


def test_compilation_is_recorded_and_cannot_be_stopped(sagemaker: Any, fresh: Fresh, bucket: str) -> None:
    name = {"CompilationJobName": fresh("compile")}
    assert catch_error(sagemaker.stop_compilation_job, **name)[0] == "ResourceNotFound"
    sagemaker.create_compilation_job(
        **name,
        RoleArn=ROLE,
        InputConfig={"S3Uri": f"s3://{bucket}/model.tar.gz", "Framework": "XGBOOST"},
        OutputConfig={"S3OutputLocation": f"s3://{bucket}/compiled", "TargetDevice": "ml_c5"},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    assert sagemaker.describe_compilation_job(**name)["CompilationJobStatus"] == "COMPLETED"
    assert catch_error(sagemaker.stop_compilation_job, **name)[1].endswith("is in status COMPLETED.")
    sagemaker.delete_compilation_job(**name)
