"""Inference recommendation jobs put real endpoints of this machine under load, and say what they saw of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.catalogue import prices
from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.recommendations.load import Window
from sagemaker_sandbox.recommendations.pattern import Step, paced, steps
from sagemaker_sandbox.recommendations.scaling import Measured, recommend
from sagemaker_sandbox.recommendations.stopping import Conditions, UnfitError
from sagemaker_sandbox.sagemaker.recommendations import InferenceRecommendationsJobs
from tests.sandbox.fleet_support import standing
from tests.sandbox.hosting_support import SERVERLESS, Deploying
from tests.sandbox.sdk import led_here as led_here
from tests.sandbox.support import ROLE, refusal, tar, until

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]
#: Takes a while for each request, and notes it where it is told to.
SLEEP = 0.02
MODEL = f"""
import os, time
def model_fn(model_dir): return None
def transform_fn(model, data, content_type, accept):
    time.sleep({SLEEP})
    if os.environ.get("FAILS") == "yes": raise ValueError("as asked")
    if "NOTE" in os.environ:
        with open(os.environ["NOTE"], "a") as note: note.write(f"{{data.strip()}} {{content_type}}\\n")
    return "1", "text/csv"
"""
#: Each of its steps takes half a second here.
STAIRS = {"TrafficType": "STAIRS", "Stairs": {"DurationInSeconds": 600, "NumberOfSteps": 20, "UsersPerStep": 1}}
#: The first step is enough.
AT_ONCE = {"MaxInvocations": 1}
OVER = ("COMPLETED", "FAILED", "STOPPED")


class Recommending:
    """Jobs about models of one bucket."""

    def __init__(self, deploying: Deploying) -> None:
        self.sagemaker = deploying.sagemaker
        self.deploying = deploying
        self.payload = deploying.put(f"{deploying.fresh('payload')}.tar.gz", tar(one="1,2", two="3,4"))

    @property
    def container_config(self) -> dict[str, Any]:
        """What a package would say."""
        payload = {"SamplePayloadUrl": self.payload, "SupportedContentTypes": ["text/csv"]}
        return {"Domain": "MACHINE_LEARNING", "Task": "OTHER", "Framework": "XGBOOST", "PayloadConfig": payload}

    def model(self, script: str = MODEL) -> str:
        """A model of this script."""
        name = self.deploying.fresh("model")
        self.sagemaker.create_model(
            ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=self.deploying.container(script)
        )
        return name

    def advanced(self, *configurations: dict[str, Any], conditions: Any = AT_ONCE, **config: Any) -> dict[str, Any]:
        """A request for a load test of a model."""
        named = {"ModelName": self.model()} if config.keys().isdisjoint({"ModelName", "ModelPackageVersionArn"}) else {}
        known: dict[str, Any] = {"ContainerConfig": self.container_config, "TrafficPattern": STAIRS, **named}
        if configurations:
            known["EndpointConfigurations"] = list(configurations)
        return {
            "JobName": self.deploying.fresh("recommend"),
            "JobType": "Advanced",
            "RoleArn": ROLE,
            "InputConfig": known | config,
            "StoppingConditions": conditions,
        }

    def begin(self, request: dict[str, Any]) -> str:
        """The name of the job, which runs."""
        arn = self.sagemaker.create_inference_recommendations_job(**request)["JobArn"]
        assert arn.endswith(f":inference-recommendations-job/{request['JobName']}")
        return str(request["JobName"])

    def done(self, request: dict[str, Any]) -> dict[str, Any]:
        """The job once it is over."""
        return self.over(self.begin(request))

    def over(self, name: str) -> dict[str, Any]:
        """A job once it is over."""

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self.sagemaker.describe_inference_recommendations_job(JobName=name)
            return found if found["Status"] in OVER else None

        described: dict[str, Any] = until(look, seconds=400)
        return described

    def steps(self, name: str, **only: Any) -> list[dict[str, Any]]:
        """The benchmarks of a job."""
        pages = self.sagemaker.get_paginator("list_inference_recommendations_job_steps").paginate(
            JobName=name, PaginationConfig={"PageSize": 1}, **only
        )
        return [step for page in pages for step in page["Steps"]]


@pytest.fixture
def recommending(sandbox: Sandbox, bucket: str, fresh: Fresh) -> Recommending:
    return Recommending(Deploying(sandbox, bucket, fresh))


def on(kind: str, **variables: list[str]) -> dict[str, Any]:
    """An endpoint configuration, with environment variables to try."""
    ranges = [{"Name": name, "Value": values} for name, values in variables.items()]
    return {
        "InstanceType": kind,
        **({"EnvironmentParameterRanges": {"CategoricalParameterRanges": ranges}} if ranges else {}),
    }


def test_each_configuration_is_asked_the_sample_payloads_and_measured(
    recommending: Recommending, tmp_path: Path
) -> None:
    """What the model notes is what the payload holds: the requests are real, and so is the environment."""
    notes = [tmp_path / name for name in ("a", "b")]
    request = recommending.advanced(on("ml.m5.large", NOTE=[str(note) for note in notes]), on("ml.c5.xlarge"))
    job = recommending.done(request)
    assert job["Status"] == "COMPLETED", job
    assert job["InputConfig"] == request["InputConfig"]
    for note in notes:
        noted = set(note.read_text().splitlines())
        assert noted
        assert noted <= {"1,2 text/csv", "3,4 text/csv"}
    found = job["InferenceRecommendations"]
    assert len(found) == 3
    for one in found:
        metrics, configuration = one["Metrics"], one["EndpointConfiguration"]
        assert metrics["ModelLatency"] >= 1000 * SLEEP
        assert 1 <= metrics["MaxInvocations"] <= 60 / SLEEP  # one user, who waits for each answer
        assert 0 < metrics["MemoryUtilization"] < 100
        assert metrics["CpuUtilization"] >= 0
        assert configuration["InitialInstanceCount"] == 1
        kind = configuration["InstanceType"]
        price = prices.find(kind)
        assert price is not None
        elsewhere = prices.elsewhere("eu-north-1", kind.split(".")[1]).factor[1]
        assert metrics["CostPerHour"] == pytest.approx(price.usd_per_hour[1] * elsewhere)
        assert metrics["CostPerInference"] == pytest.approx(metrics["CostPerHour"] / 60 / metrics["MaxInvocations"])
        assert one["InvocationStartTime"] < one["InvocationEndTime"]
    costs = [one["Metrics"]["CostPerInference"] for one in found]
    assert costs == sorted(costs)
    environments = [one["ModelConfiguration"].get("EnvironmentParameters") for one in found]
    assert [{"Key": "NOTE", "ValueType": "String", "Value": str(notes[0])}] in environments
    steps = recommending.steps(job["JobName"])
    assert [step["Status"] for step in steps] == ["COMPLETED"] * 3
    assert [step["InferenceBenchmark"]["EndpointConfiguration"]["InstanceType"] for step in steps] == [
        "ml.m5.large",
        "ml.m5.large",
        "ml.c5.xlarge",
    ]


def test_a_configuration_that_fails_says_why_and_the_others_are_recommended(recommending: Recommending) -> None:
    job = recommending.done(recommending.advanced(on("ml.m5.large", FAILS=["yes", "no"])))
    assert job["Status"] == "COMPLETED"
    assert [
        one["ModelConfiguration"]["EnvironmentParameters"][0]["Value"] for one in job["InferenceRecommendations"]
    ] == ["no"]
    (failed,) = recommending.steps(job["JobName"], Status="FAILED")
    reason = failed["InferenceBenchmark"]["FailureReason"]
    assert reason.startswith("ModelError when calling InvokeEndpoint operation: Received server error (500)"), reason
    assert "Metrics" not in failed["InferenceBenchmark"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"script": "def model_fn(model_dir): raise ValueError('no model')"}, "CreateEndpoint operation failed"),
        ({"payload": tar()}, "PayloadError when calling InvokeEndpoint operation"),
        ({"payload": b"no archive"}, "PayloadError when calling InvokeEndpoint operation"),
        ({"conditions": {"ModelLatencyThresholds": [{"Percentile": "P95", "ValueInMilliseconds": 1}]}}, "P95"),
    ],
)
def test_a_job_of_which_nothing_succeeds_has_failed(
    recommending: Recommending, change: dict[str, Any], reason: str
) -> None:
    if "payload" in change:
        recommending.payload = recommending.deploying.put("bad.tar.gz", change["payload"])
    model = recommending.model(change.get("script", MODEL))
    conditions = change.get("conditions", AT_ONCE)
    job = recommending.done(recommending.advanced(on("ml.m5.large"), conditions=conditions, ModelName=model))
    assert job["Status"] == "FAILED"
    assert reason in job["FailureReason"]
    assert "InferenceRecommendations" not in job


def test_more_requests_than_one_instance_answers_are_for_several(recommending: Recommending) -> None:
    """As in AWS's example, the figures are then those of all of them together."""
    wanted = 1_000_000
    job = recommending.done(recommending.advanced(on("ml.m5.large"), conditions={"MaxInvocations": wanted}))
    (one,) = job["InferenceRecommendations"]
    count, metrics = one["EndpointConfiguration"]["InitialInstanceCount"], one["Metrics"]
    assert metrics["MaxInvocations"] >= wanted > metrics["MaxInvocations"] * (count - 1) / count
    price = prices.find("ml.m5.large")
    assert price is not None
    assert metrics["CostPerHour"] > price.usd_per_hour[1] * (count - 1)


def test_a_package_says_what_a_default_job_needs(recommending: Recommending) -> None:
    sagemaker, group = recommending.sagemaker, recommending.deploying.fresh("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    package = {
        "ModelPackageGroupName": group,
        "Domain": "MACHINE_LEARNING",
        "Task": "OTHER",
        "SamplePayloadUrl": recommending.payload,
        "InferenceSpecification": {
            "Containers": [recommending.deploying.container(MODEL) | {"Framework": "XGBOOST"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": [],
            "SupportedRealtimeInferenceInstanceTypes": ["ml.c7g.large"],
        },
    }
    arn = sagemaker.create_model_package(**package)["ModelPackageArn"]
    request: dict[str, Any] = {"JobType": "Default", "RoleArn": ROLE, "StoppingConditions": AT_ONCE}
    request["InputConfig"] = {"ModelPackageVersionArn": arn}
    job = recommending.done({"JobName": recommending.deploying.fresh("recommend"), **request})
    assert job["Status"] == "COMPLETED", job
    by_kind = {
        one["EndpointConfiguration"].get("InstanceType", "serverless"): one for one in job["InferenceRecommendations"]
    }
    assert by_kind.keys() == {"ml.c7g.large", "serverless"}
    serverless = by_kind["serverless"]["Metrics"]
    assert serverless.keys() == {
        "MaxInvocations",
        "ModelLatency",
        "ModelSetupTime",
        "MemoryUtilization",
        "CostPerInference",
    }
    assert serverless["CostPerInference"] >= 2 * SLEEP * 0.00002  # its 2 GB for as long as it sleeps
    listed = sagemaker.list_inference_recommendations_jobs(ModelPackageVersionArnEquals=arn)
    assert [one["JobName"] for one in listed["InferenceRecommendationsJobs"]] == [job["JobName"]]
    assert listed["InferenceRecommendationsJobs"][0]["SamplePayloadUrl"] == recommending.payload
    assert sagemaker.list_inference_recommendations_jobs(ModelNameEquals=group)["InferenceRecommendationsJobs"] == []
    unsaid = sagemaker.create_model_package(**{name: package[name] for name in package if name != "Domain"})
    request["InputConfig"] = {"ModelPackageVersionArn": unsaid["ModelPackageArn"]}
    said = refusal(sagemaker.create_inference_recommendations_job, JobName=group, **request)
    assert said == (
        "ValidationException",
        "Specify Domain in the Model Package version 2. Domain is a mandatory parameter for the job.",
    )


def test_a_job_that_is_stopped_ends_with_what_it_has(recommending: Recommending) -> None:
    conditions = {"FlatInvocations": "Continue"}
    request = recommending.advanced(on("ml.m5.large"), on("ml.c5.xlarge"), conditions=conditions)
    name = recommending.begin(request)
    sagemaker = recommending.sagemaker
    until(lambda: recommending.steps(name, Status="IN_PROGRESS"))
    assert (
        refusal(
            sagemaker.get_scaling_configuration_recommendation,
            InferenceRecommendationsJobName=name,
            RecommendationId="x",
        )[0]
        == "ValidationException"
    )
    sagemaker.stop_inference_recommendations_job(JobName=name)
    assert recommending.over(name)["Status"] == "STOPPED"
    assert [step["Status"] for step in recommending.steps(name)] == ["STOPPED", "STOPPED"]
    said = refusal(sagemaker.stop_inference_recommendations_job, JobName=name)
    assert said[1] == "The request was rejected because the inference recommendations job is in status STOPPED."
    assert refusal(sagemaker.create_inference_recommendations_job, **request)[0] == "ResourceInUse"


def test_a_scaling_policy_follows_and_is_taken(recommending: Recommending, sandbox: Sandbox) -> None:
    endpoint = recommending.deploying.serve(recommending.deploying.container(MODEL))
    request = recommending.advanced(on("ml.m5.large"), {**SERVERLESS}, Endpoints=[{"EndpointName": endpoint}])
    job = recommending.done(request)
    assert job["Status"] == "COMPLETED", job
    (performance,) = job["EndpointPerformances"]
    assert performance["EndpointInfo"] == {"EndpointName": endpoint}
    assert performance["Metrics"]["ModelLatency"] >= 1000 * SLEEP
    by_kind = {"InstanceType" in one["EndpointConfiguration"]: one for one in job["InferenceRecommendations"]}
    recommended, serverless = by_kind[True], by_kind[False]
    ask = recommending.sagemaker.get_scaling_configuration_recommendation
    named = {"InferenceRecommendationsJobName": job["JobName"], "RecommendationId": recommended["RecommendationId"]}
    most = recommended["Metrics"]["MaxInvocations"]
    objective = {"MinInvocationsPerMinute": 3 * most, "MaxInvocationsPerMinute": 10 * most}
    found = ask(**named, ScalingPolicyObjective=objective, TargetCpuUtilizationPerCore=100)
    assert found["Metric"] == {"InvocationsPerInstance": most, "ModelLatency": recommended["Metrics"]["ModelLatency"]}
    scaling = found["DynamicScalingConfiguration"]
    assert (scaling["MinCapacity"], scaling["MaxCapacity"]) == (3, 10)
    less = ask(**named)
    assert less["TargetCpuUtilizationPerCore"] == 50
    assert less["Metric"]["InvocationsPerInstance"] <= most
    by_name = {"InferenceRecommendationsJobName": job["JobName"], "EndpointName": endpoint}
    assert ask(**by_name)["EndpointName"] == endpoint
    named["RecommendationId"] = serverless["RecommendationId"]
    assert refusal(ask, **named)[0] == "ValidationException"
    named["RecommendationId"] = "none"
    assert refusal(ask, **named)[0] == "ResourceNotFound"

    (policy,) = scaling["ScalingPolicies"]
    tracking = policy["TargetTracking"]
    assert tracking["TargetValue"] == most
    autoscaling = sandbox.client("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/main",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    autoscaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=scaling["MaxCapacity"])
    autoscaling.put_scaling_policy(
        **target,
        PolicyName="recommended",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": tracking["TargetValue"],
            "PredefinedMetricSpecification": tracking["MetricSpecification"]["Predefined"],
            "ScaleInCooldown": scaling["ScaleInCooldown"],
            "ScaleOutCooldown": scaling["ScaleOutCooldown"],
        },
    )
    autoscaling.deregister_scalable_target(**target)
    recommending.sagemaker.delete_endpoint(EndpointName=endpoint)


def window(users: int, per_minute: int, seconds: float = SLEEP, **more: Any) -> Window:
    """What is seen in a minute."""
    return Window(users, 60.0, [seconds] * per_minute, **more)


@pytest.mark.parametrize(
    ("conditions", "seen", "over"),
    [
        ({}, [(1, 100), (2, 200), (3, 300)], False),
        ({}, [(1, 100), (2, 200), (3, 205), (4, 201)], True),
        ({}, [(1, 100), (2, 200), (3, 205), (3, 201)], False),  # flat, as there were no more users
        ({"FlatInvocations": "Continue"}, [(1, 100), (2, 200), (3, 205), (4, 201)], False),
        ({"MaxInvocations": 201}, [(1, 100), (2, 200)], False),
        ({"MaxInvocations": 200}, [(1, 100), (2, 200)], True),
    ],
)
def test_a_load_ends_once_it_has_told_what_it_can(
    conditions: dict[str, Any], seen: list[tuple[int, int]], over: bool
) -> None:
    assert Conditions.of(conditions).over([window(*one) for one in seen]) is over


def test_what_is_too_slow_ends_a_load_and_does_not_count() -> None:
    asked = Conditions.of({"ModelLatencyThresholds": [{"Percentile": "P99", "ValueInMilliseconds": 50}]})
    fit, late = window(1, 100, 0.05), Window(2, 60.0, [0.01] * 197 + [0.06] * 3)
    assert not asked.over([fit])
    assert asked.over([fit, late])
    assert asked.best([fit, late]) is fit
    assert Conditions.of({}).best([fit, late]) is late
    with pytest.raises(UnfitError):
        asked.best([late])
    assert Conditions.of({}).over([window(1, 0, throttled=1)])


def test_users_come_as_the_pattern_says_and_the_time_is_kept_short() -> None:
    asked = phases((1, 2), (3, 0))
    asked["Phases"][0]["DurationInSeconds"] = 150
    assert steps(asked) == [Step(1, 60), Step(3, 60), Step(5, 30), Step(3, 60), Step(3, 60)]
    stairs = steps(STAIRS)
    assert stairs == [Step(users, 30) for users in range(1, 21)]
    assert paced(stairs, 60) == [Step(users, 0.5) for users in range(1, 21)]
    assert paced(stairs, 1) == paced(stairs, 60), "ten minutes in ten seconds"
    faster = paced(stairs, 120)
    assert [step.users for step in faster] == list(range(2, 21, 2)), "steps that are too short are taken together"
    assert sum(step.seconds for step in faster) == pytest.approx(5)
    assert paced(stairs, 10_000) == [Step(20, 0.5)]


def test_an_instance_is_wanted_for_each_share_of_the_cpu_that_is_to_stay_free() -> None:
    busy, idle = Measured(600, 5, 80.0), Measured(600, 5, 10.0)
    assert busy.at(40) == 300
    assert idle.at(40) == 600, "no more than was seen"
    found = recommend(busy, 40, {"MinInvocationsPerMinute": 301, "MaxInvocationsPerMinute": 900}, 600)
    scaling = found["DynamicScalingConfiguration"]
    assert (scaling["MinCapacity"], scaling["MaxCapacity"]) == (2, 3)
    unsaid = recommend(busy, 40, {}, 600)["DynamicScalingConfiguration"]
    assert (unsaid["MinCapacity"], unsaid["MaxCapacity"]) == (1, 2)
    with pytest.raises(ValidationError):
        recommend(busy, 40, {"MinInvocationsPerMinute": 2, "MaxInvocationsPerMinute": 1}, 600)


def test_a_job_that_ran_when_the_sandbox_ended_has_failed(sandbox: Sandbox, tmp_path: Path) -> None:
    with standing(sandbox, tmp_path) as parts:
        jobs = parts.of(InferenceRecommendationsJobs)
        for name, status in (("over", "COMPLETED"), ("under-way", "IN_PROGRESS")):
            job = jobs.add(name, {"JobName": name, "Status": status})
            job.private = {"steps": [{"Status": status, "InferenceBenchmark": {}}], "stopping": False}
        assert jobs.left() == {"inference-recommendations-job": ["under-way"]}
        jobs.restore(jobs.snapshot())
        assert jobs.get("over").fields["Status"] == "COMPLETED"
        failed = jobs.get("under-way")
        assert failed.fields["Status"] == failed.private["steps"][0]["Status"] == "FAILED"
        assert "the sandbox ended" in failed.fields["FailureReason"]
        assert jobs.left() == {}


def phases(*users_and_rates: tuple[int, int]) -> dict[str, Any]:
    """Phases of two minutes."""
    return {
        "TrafficType": "PHASES",
        "Phases": [
            {"InitialNumberOfUsers": users, "SpawnRate": rate, "DurationInSeconds": 120}
            for users, rate in users_and_rates
        ],
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"EndpointConfigurations": [on("ml.t2.medium")]}, "Burstable instance type ml.t2.medium is not allowed."),
        (
            {"TrafficPattern": phases((1, 3), (3, 0), (3, 0), (1, 0))},
            "Users at the end of prev phase is 7 while initial",
        ),
        ({"TrafficPattern": phases((4, 0))}, "InitialNumberOfUsers must be between 1 and 3."),
        ({"TrafficPattern": {**STAIRS, "TrafficType": "PHASES"}}, "Specify Phases for TrafficType PHASES"),
        ({"JobDurationInSeconds": 599}, "Total Traffic duration (across) should not be more than Job duration."),
        ({"JobDurationInSeconds": 18_001}, "JobDurationInSeconds must not be more than 18000."),
        ({"ModelPackageVersionArn": "arn:aws:sagemaker:eu-north-1:123456789012:model-package/x/1"}, "Specify either"),
        (
            {"EndpointConfigurations": [on("ml.m5.large") | SERVERLESS]},
            "Specify either InstanceType or ServerlessConfig",
        ),
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
def test_what_contradicts_itself_is_refused(sagemaker: Any, recommending: Recommending, change: Any, said: str) -> None:
    request = recommending.advanced(on("ml.m5.large"), ModelName=change.get("ModelName") or recommending.model())
    request["InputConfig"] = {
        member: value for member, value in (request["InputConfig"] | change).items() if value is not None
    }
    code, message = refusal(sagemaker.create_inference_recommendations_job, **request)
    assert code == "ValidationException"
    assert said in message
    assert (
        refusal(sagemaker.describe_inference_recommendations_job, JobName=request["JobName"])[0] == "ResourceNotFound"
    )


def test_compilation_is_recorded_and_there_is_nothing_to_stop(sagemaker: Any, fresh: Fresh, bucket: str) -> None:
    named = {"CompilationJobName": fresh("compile")}
    assert refusal(sagemaker.stop_compilation_job, **named)[0] == "ResourceNotFound"
    sagemaker.create_compilation_job(
        **named,
        RoleArn=ROLE,
        InputConfig={"S3Uri": f"s3://{bucket}/model.tar.gz", "Framework": "XGBOOST"},
        OutputConfig={"S3OutputLocation": f"s3://{bucket}/compiled", "TargetDevice": "ml_c5"},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    assert sagemaker.describe_compilation_job(**named)["CompilationJobStatus"] == "COMPLETED"
    assert refusal(sagemaker.stop_compilation_job, **named)[1].endswith("is in status COMPLETED.")
    sagemaker.delete_compilation_job(**named)


@pytest.fixture
def session(led_here: None, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The SDK's, which looks once a minute, and here ten times a second."""
    del led_here
    # Here, not above: several seconds, and it configures logging.
    import boto3
    from sagemaker.core.helper import session_helper

    class Time:
        """As `time`, and sooner."""

        time = staticmethod(session_helper.time.time)
        _sleep = staticmethod(session_helper.time.sleep)

        @classmethod
        def sleep(cls, _seconds: float) -> None:
            """For a moment."""
            cls._sleep(0.1)

    monkeypatch.setattr(session_helper, "time", Time)
    return session_helper.Session(boto3.Session(region_name="eu-north-1"), default_bucket=bucket)


def test_the_sdk_finds_the_right_size(session: Any, recommending: Recommending, capsys: Any) -> None:
    """What ModelBuilder has it from, which itself would build an image's worth of model."""
    from sagemaker.core.parameter import CategoricalParameter
    from sagemaker.serve.inference_recommendation_mixin import (
        ModelLatencyThreshold,
        Phase,
        _InferenceRecommenderMixin,
    )

    class Model(_InferenceRecommenderMixin):  # type: ignore[misc]
        """A model that is there."""

        sagemaker_session, role_arn, model_name = session, ROLE, recommending.model()

    model = Model()
    model.right_size(
        sample_payload_url=recommending.payload,
        supported_content_types=["text/csv"],
        framework="XGBOOST",
        job_duration_in_seconds=7200,
        hyperparameter_ranges=[
            {"instance_types": CategoricalParameter(["ml.m5.large"]), "OMP_NUM_THREADS": CategoricalParameter(["1"])}
        ],
        phases=[Phase(120, 1, 1)],
        max_invocations=1,
        model_latency_thresholds=[ModelLatencyThreshold("P95", 10_000)],
        max_tests=1,
    )
    assert model._update_params(inference_recommender_job_results=True) == ("ml.m5.large", 1)
    assert "COMPLETED" in capsys.readouterr().out, "it prints the log of the job"
