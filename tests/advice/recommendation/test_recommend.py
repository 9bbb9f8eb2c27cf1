"""`smlops recommend`: candidates, load tests, and the resulting inputs."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import pytest
import yaml
from botocore import UNSIGNED
from botocore.config import Config
from botocore.stub import Stubber

from envs.settings import EnvironmentSettings
from sagemaker_sandbox import Sandbox
from sustainable_mlops.advice.recommendation import candidates, inputs, job, ranking, role
from sustainable_mlops.advice.recommendation.model_under_test import ModelUnderTest, ServingSpecification
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT
from tests.cases import check_cases
from tests.envs.example import load_dev
from tests.jobs.bench import make_bench
from tests.jobs.faulty import CtrlC, intercept_requests, run_smlops
from tests.jobs.interrupts import INTERRUPTED
from tests.sandbox.hosting_support import EndpointDeployer
from tests.sandbox.support import IMAGE, ROLE, create_tar, make_role

REGION = "eu-north-1"
GRAVITON = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-scikit-learn:1.0-1-arm64"
#: Seconds for which a job stays in progress, longer than two interrupted commands take.
HOLD_SECONDS = 60
SUBJECT = ModelUnderTest(
    "arn:aws:sagemaker:eu-north-1:123456789012:model-package/flights/3",
    True,
    (ServingSpecification(None, "x86", (IMAGE,)), ServingSpecification("graviton", "graviton", (GRAVITON,))),
    100.0,
    {"Framework": "XGBOOST", "SamplePayloadUrl": "s3://b/sample.tar.gz", "SupportedContentTypes": ["text/csv"]},
)
LOAD = job.LoadTestSettings(ROLE, 200)
EXPECTED = ranking.ExpectedLoad(REGION, 50_000.0, 3.0, 200, 5)


def list_titles(chosen: list[candidates.Candidate]) -> list[str]:
    return [one.title for one in chosen]


def test_candidates_run_the_images_and_hold_the_model() -> None:
    chosen = candidates.choose_candidates(SUBJECT, REGION, 5)
    by_specification = {one: [c.title for c in chosen if c.specification == one] for one in (None, "graviton")}
    assert len(by_specification["graviton"]) == 3
    assert all(title.split(".")[1][:2] in ("c6", "c7", "m6", "r6", "r7") for title in by_specification["graviton"])
    assert all("g" in title.split(".")[1] for title in by_specification["graviton"])
    assert by_specification[None][-2:] == ["serverless 1024 MB", "serverless 2048 MB"]
    assert all(not title.split(".")[1].endswith("g") for title in by_specification[None][:-2])
    large = candidates.choose_candidates(replace(SUBJECT, model_mb=3_000.0), REGION, 5)
    assert not any(one.instance_type is None for one in large), "serverless has at most 6 GB"
    arm = candidates.choose_candidates(replace(SUBJECT, specifications=SUBJECT.specifications[1:]), REGION, 5)
    assert not any(one.instance_type is None for one in arm), "serverless has no choice of CPU"


def test_only_types_of_the_package_are_candidates() -> None:
    specification = replace(SUBJECT.specifications[1], instance_types=("ml.c7g.xlarge", "ml.m6g.large"))
    chosen = candidates.choose_candidates(replace(SUBJECT, specifications=(specification,)), REGION, 5)
    assert sorted(list_titles(chosen)) == ["ml.c7g.xlarge", "ml.m6g.large"]


def test_a_model_without_a_type_in_the_region_is_named_with_the_remedy() -> None:
    subject = replace(SUBJECT, model_mb=1e9)
    message = "in eu-north-1 with enough memory; register the model in another Region, or with an image for other"
    with pytest.raises(UserError, match=message):
        candidates.choose_candidates(subject, REGION, 5)


@check_cases(
    ("kind", "message"),
    [
        ("ml.c7g.tiny", "the catalogue has no instance type ml.c7g.tiny"),
        ("c7g.large", "the catalogue has no instance type c7g.large"),
        ("ml.g5.xlarge", "ml.g5.xlarge is gpu, and the images are for x86 and graviton"),
        ("ml.c8g.large", "version 5 of the AWS provider refuses ml.c8g.large"),
        ("ml.t2.medium", "no load test can use ml.t2.medium"),
        ("ml.c6i.large", "the model needs about 4,512 MB of memory, and ml.c6i.large has 4 GiB"),
    ],
)
def test_an_unsuitable_type_is_refused(kind: str, message: str) -> None:
    subject = replace(SUBJECT, model_mb=2_000.0) if kind == "ml.c6i.large" else SUBJECT
    with pytest.raises(UserError, match=r"^--instance-type: ") as error:
        candidates.choose_candidates(subject, REGION, 5, [kind])
    assert message in str(error.value)


def test_the_name_of_a_job_follows_from_its_content() -> None:
    chosen = candidates.choose_candidates(SUBJECT, REGION, 5)
    jobs = job.plan_jobs(SUBJECT, chosen, LOAD)
    assert [len(one.candidates) for one in jobs] == [6, 2], "instances and serverless are tried apart"
    assert [one.name for one in job.plan_jobs(SUBJECT, chosen, LOAD)] == [one.name for one in jobs]
    assert {one.name for one in job.plan_jobs(SUBJECT, chosen, replace(LOAD, p95_ms=100))}.isdisjoint(
        one.name for one in jobs
    )


@check_cases(
    ("load_test_inputs", "load", "message"),
    [
        ({"SamplePayloadUrl": None}, {}, "--payload: arn:"),
        ({"SupportedContentTypes": None}, {}, "--content-type: arn:"),
        ({}, {"payload": "s3://b/sample.json"}, "--payload: s3://b/sample.json must be a .tar.gz"),
        ({}, {"role": "admin"}, "RoleArn"),
    ],
)
def test_a_missing_setting_is_reported_before_the_job_starts(
    load_test_inputs: dict[str, Any], load: dict[str, Any], message: str
) -> None:
    subject = replace(SUBJECT, load_test_inputs={**SUBJECT.load_test_inputs, **load_test_inputs})
    with pytest.raises(UserError) as error:
        job.plan_jobs(subject, candidates.choose_candidates(subject, REGION, 5), replace(LOAD, **load))
    assert message in str(error.value)


@check_cases(
    ("image", "framework"),
    [
        (IMAGE, "XGBOOST"),
        (GRAVITON, "SAGEMAKER-SCIKIT-LEARN"),
        ("763104351884.dkr.ecr.eu-north-1.amazonaws.com/pytorch-inference:2.6.0-cpu-py312", "PYTORCH"),
        ("123456789012.dkr.ecr.eu-north-1.amazonaws.com/ours:1", None),
    ],
)
def test_the_framework_of_a_package_follows_from_its_image(image: str, framework: str | None) -> None:
    without = {**SUBJECT.load_test_inputs, "Framework": None}
    subject = replace(SUBJECT, specifications=(ServingSpecification(None, "x86", (image,)),), load_test_inputs=without)
    chosen = candidates.choose_candidates(subject, REGION, 5)
    if framework is None:
        with pytest.raises(UserError, match=r"--framework: arn:.* does not contain Framework"):
            job.plan_jobs(subject, chosen, LOAD)
    else:
        (one, *_) = job.plan_jobs(subject, chosen, LOAD)
        assert one.request["InputConfig"]["ContainerConfig"]["Framework"] == framework


class FakeSageMaker:
    """A SageMaker client that recommends a scaling target."""

    def __init__(self, target: float, least: int = 1, most: int = 1) -> None:
        self.scaling = {
            "MinCapacity": least,
            "MaxCapacity": most,
            "ScaleInCooldown": 300,
            "ScalingPolicies": [{"TargetTracking": {"TargetValue": target}}],
        }
        self.request: dict[str, Any] = {}

    def get_scaling_configuration_recommendation(self, **request: Any) -> dict[str, Any]:
        self.request = request
        return {"DynamicScalingConfiguration": self.scaling}


def make_test_result(
    kind: str, invocations: int = 3_000, specification: str | None = None, **more: Any
) -> dict[str, Any]:
    memory = {"MemorySizeInMB": 2048, "MaxConcurrency": 10}
    where = {"ServerlessConfig": memory} if kind == "serverless" else {"InstanceType": kind, "InitialInstanceCount": 1}
    model_configuration = {} if specification is None else {"InferenceSpecificationName": specification}
    return {
        "RecommendationId": "x/1",
        "EndpointConfiguration": where,
        "ModelConfiguration": model_configuration,
        "Metrics": {"MaxInvocations": invocations, "ModelLatency": 20, "CostPerInference": 1e-6, **more},
    }


def rank_results(
    *results: dict[str, Any], answers: FakeSageMaker | None = None, **changes: Any
) -> list[ranking.RankedEndpoint]:
    jobs = job.plan_jobs(SUBJECT, candidates.choose_candidates(SUBJECT, REGION, 5), LOAD)
    described = {"InferenceRecommendations": list(results)}
    return ranking.rank_recommendations(
        [(jobs[0], described)], replace(EXPECTED, **changes), answers or FakeSageMaker(1500.0)
    )


def test_serverless_is_best_for_few_requests_and_instances_for_many() -> None:
    both = (make_test_result("ml.c7g.large", 30_000, "graviton"), make_test_result("serverless"))
    assert rank_results(*both, requests_per_day=1_000.0)[0].module == "serverless_endpoint"
    many = rank_results(*both, answers=FakeSageMaker(15_000.0, 2, 6), requests_per_day=40e6)
    assert [one.module for one in many] == ["realtime_endpoint", "serverless_endpoint"]


def test_a_serverless_endpoint_has_a_minimum_concurrency() -> None:
    for requests_per_day, at_once in ((100.0, 5), (40e6, 28)):  # 40 million of 20 ms, three times as many at the peak
        (one,) = rank_results(make_test_result("serverless"), requests_per_day=requests_per_day)
        assert one.inputs["max_concurrency"] == at_once


def test_the_recommended_scaling_becomes_the_inputs() -> None:
    answers = FakeSageMaker(1500.0, 3, 9)
    (one,) = rank_results(
        make_test_result("ml.c7g.large", specification="graviton"), answers=answers, requests_per_day=6_480_000.0
    )
    assert answers.request["ScalingPolicyObjective"] == {
        "MinInvocationsPerMinute": 4_500,
        "MaxInvocationsPerMinute": 13_500,
    }
    assert one.inputs == {
        "instance_type": "ml.c7g.large",
        "silicon": "graviton",
        "inference_specification_name": "graviton",
        "latency_slo_ms": 200,
        "min_instances": 3,
        "max_instances": 9,
        "requests_per_instance": 1500,
        "scale_in_cooldown_seconds": 300,
    }


def test_an_asynchronous_endpoint_follows_from_the_load_test() -> None:
    # 3,000 a minute within 20 ms: one at a time (50 a second x 0.02 s); at most 9 million a day x 3 in 18,750 a minute
    recommendations = rank_results(
        make_test_result("ml.c7g.large", specification="graviton"), requests_per_day=9e6, asynchronous=True
    )
    assert {one.module for one in recommendations} == {"realtime_endpoint", "async_endpoint"}
    (one,) = (one for one in recommendations if one.module == "async_endpoint")
    assert one.inputs == {
        "instance_type": "ml.c7g.large",
        "silicon": "graviton",
        "inference_specification_name": "graviton",
        "max_instances": 7,
        "requests_per_instance": 1,
        "target_backlog_per_instance": 3000,
    }
    slow = rank_results(make_test_result("ml.c7g.large", 600, ModelLatency=800), asynchronous=True)
    at_once = {one.module: one.inputs.get("requests_per_instance") for one in slow}
    assert at_once["async_endpoint"] == 8, "ten a second, each of 0.8 s"


def test_an_asynchronous_endpoint_saves_carbon_only_for_few_requests() -> None:
    def estimate_kg(requests_per_day: float, module: str) -> float:
        recommendations = rank_results(
            make_test_result("ml.c7g.large"), requests_per_day=requests_per_day, asynchronous=True
        )
        (one,) = (one for one in recommendations if one.module == module)
        return one.per_thousand.figures["total"].central

    assert estimate_kg(10, "async_endpoint") < estimate_kg(10, "realtime_endpoint") / 5
    # As many instances on all the time; the real-time one keeps two for two zones.
    assert estimate_kg(100_000, "async_endpoint") == pytest.approx(
        estimate_kg(100_000, "realtime_endpoint") / 2, rel=0.05
    )


@check_cases("because", [None, "an internal tool, which may be gone for an hour"])
@check_cases("kind", ["ml.c7g.large", "ml.c7i.large", "serverless"])
def test_the_inputs_are_valid_in_the_model_catalogue(kind: str, because: str | None) -> None:
    """The environments accept the YAML output as the entry of a model."""
    for one in rank_results(make_test_result(kind), one_instance_because=because, asynchronous=True):
        _check_entry(one)


def _check_entry(one: ranking.RankedEndpoint) -> None:
    entry = yaml.safe_load(inputs.format_yaml(one))
    whole = load_dev()
    whole["models"] = {"flight_delay": {"description": "Late?", **entry}}
    environment = EnvironmentSettings.model_validate(whole)
    assert environment.model_dump(exclude_unset=True)["models"]["flight_delay"][one.module] == dict(one.inputs)
    for name, value in one.inputs.items():
        assert name in inputs.format_hcl(one)
        assert isinstance(value, dict) or json.dumps(value) in inputs.format_hcl(one)


@pytest.fixture
def package(sandbox: Sandbox) -> Callable[..., str]:
    """Return a function that registers a model with two specifications and returns its ARN."""
    make_role(sandbox)
    name = f"recommend-{uuid.uuid4().hex[:8]}"
    sandbox.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    deploying = EndpointDeployer(sandbox, name, lambda start: f"{start}-{uuid.uuid4().hex[:8]}")

    def register() -> str:
        sagemaker, container = sandbox.client("sagemaker"), deploying.create_container("")
        sagemaker.create_model_package_group(ModelPackageGroupName=f"{name}-group")
        kinds = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": []}
        response = sagemaker.create_model_package(
            ModelPackageGroupName=f"{name}-group",
            InferenceSpecification={"Containers": [container], **kinds},
            AdditionalInferenceSpecifications=[
                {"Name": "graviton", "Containers": [container | {"Image": GRAVITON}], **kinds}
            ],
            SamplePayloadUrl=deploying.put_object("sample.tar.gz", create_tar(one="1,2")),
            Domain="MACHINE_LEARNING",
            Task="OTHER",
        )
        return str(response["ModelPackageArn"])

    return register


def run(sandbox: Sandbox, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "scripts/smlops.py", "recommend", *arguments]
    environment = os.environ | sandbox.environment | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)


@pytest.mark.slow
def test_a_package_is_tested_ranked_and_written(package: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    """The same command reports the existing jobs when it runs a second time."""
    arn, file = package(), tmp_path / "out" / "model.yaml"
    test = (arn, "--role", ROLE, "--p95", "2000", "--framework", "xgboost", "--minutes", "2")
    command = (*test, "--instance-type", "ml.c7g.large", "--serverless", "--requests-per-day", "1000")
    plan = run(sandbox, *command, "--dry-run")
    assert plan.returncode == 0, plan.stderr
    assert "ml.c7g.large" in plan.stdout
    sagemaker = sandbox.client("sagemaker")

    def list_jobs() -> list[str]:
        response = sagemaker.list_inference_recommendations_jobs(ModelPackageVersionArnEquals=arn)
        return [one["JobName"] for one in response["InferenceRecommendationsJobs"]]

    assert list_jobs() == []
    process = run(sandbox, *command, "--write", str(file))
    assert process.returncode == 0, process.stderr
    for text in ("CO2e", "ml.c7g.large", "serverless 1024 MB", "after a pause waits about"):
        assert text in process.stdout
    (module,) = yaml.safe_load(file.read_text())
    assert module == "serverless_endpoint", "for a thousand a day, nothing runs between requests"
    ran = list_jobs()
    assert len(ran) == 2
    report = json.loads(run(sandbox, *command, "--json").stdout)
    assert sorted(report["jobs"]) == sorted(list_jobs()) == sorted(ran)
    for one in report["recommended"]:
        assert one["latency_ms"] >= 20
        assert one["per_1000_requests"]["total"]["central"] > 0
    by_title = {one["title"]: one for one in report["recommended"]}
    assert by_title["ml.c7g.large"]["inputs"]["inference_specification_name"] == "graviton"
    assert by_title["ml.c7g.large"]["inputs"]["min_instances"] == 2


@pytest.fixture
def make_environment(sandbox: Sandbox) -> Callable[..., str]:
    """Return a function that publishes an environment with these roles and returns its name."""

    def publish(**roles: str) -> str:
        environment = f"e{uuid.uuid4().hex[:8]}"
        platform = {"region": REGION, "buckets": {"data": "d", "artifacts": "a"}, "roles": {"training": ROLE, **roles}}
        name = f"/sustainable-mlops/{environment}/platform"
        sandbox.client("ssm").put_parameter(Name=name, Type="String", Value=json.dumps(platform))
        return environment

    return publish


@pytest.mark.slow
def test_the_load_test_uses_the_role_of_the_environment(package: Any, make_environment: Any, sandbox: Sandbox) -> None:
    role_arn, arn = "arn:aws:iam::123456789012:role/load-tests", package()
    command = (arn, "--p95", "200", "--framework", "xgboost", "--dry-run", "--json")
    process = run(sandbox, *command, "--environment", make_environment(recommendation=role_arn))
    assert process.returncode == 0, process.stderr
    assert {one["RoleArn"] for one in json.loads(process.stdout)} == {role_arn}
    # Without it, the role of the account with the policy counts, if it is the only one.
    role = make_role(sandbox, f"load-tests-{uuid.uuid4().hex[:8]}")
    policy = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    sandbox.client("iam").attach_role_policy(RoleName=role.rpartition("/")[2], PolicyArn=policy)
    without = make_environment()
    process = run(sandbox, *command, "--environment", without)
    if process.returncode == 0:
        assert {one["RoleArn"] for one in json.loads(process.stdout)} == {role}
        assert process.stderr == f"role of the load test: {role}\n"
    else:  # other tests have such roles too
        assert role in process.stderr
        assert "roles of the account can run them" in process.stderr
        assert f"pass --role, or set recommendation_role_arn in envs/{without}/settings.yaml" in process.stderr
    nowhere = run(sandbox, *command, "--environment", "nowhere")
    assert (nowhere.returncode, nowhere.stderr.count("\n")) == (2, 1)
    assert "the SSM parameter /sustainable-mlops/nowhere/platform does not exist" in nowhere.stderr


@check_cases(
    ("principals", "count"),
    [
        ([{"Service": "sagemaker.amazonaws.com"}], 1),
        ([{"Service": ["lambda.amazonaws.com", "sagemaker.amazonaws.com"]}], 1),
        ([{"Service": "lambda.amazonaws.com"}, {"AWS": "arn:aws:iam::123456789012:root"}, "*"], 0),
        ([{"Service": "sagemaker.amazonaws.com"}, {"Service": "sagemaker.amazonaws.com"}], 2),
        ([], 0),
    ],
)
def test_roles_for_load_tests_have_the_policy_and_trust_sagemaker(principals: list[Any], count: int) -> None:
    iam = boto3.client("iam", region_name=REGION, config=Config(signature_version=UNSIGNED))
    with Stubber(iam) as answers:
        names = [f"role-{number}" for number in range(len(principals))]
        entities = {"PolicyRoles": [{"RoleName": name, "RoleId": "A" * 16} for name in names]}
        policy = {"PolicyArn": "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess", "EntityFilter": "Role"}
        answers.add_response("list_entities_for_policy", entities, policy)
        for name, principal in zip(names, principals, strict=True):
            trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}]}
            about = {"Path": "/", "RoleName": name, "RoleId": "A" * 16, "CreateDate": datetime.now(UTC)}
            arn = f"arn:aws:iam::123456789012:role/{name}"
            described = {"Role": about | {"Arn": arn, "AssumeRolePolicyDocument": quote(json.dumps(trust))}}
            answers.add_response("get_role", described, {"RoleName": name})
        assert len(list(role.list_roles(iam))) == count


@pytest.mark.slow
def test_a_slow_model_is_not_recommended(package: Any, sandbox: Sandbox) -> None:
    command = ("--role", ROLE, "--p95", "1", "--framework", "xgboost", "--minutes", "2", "--no-serverless")
    process = run(sandbox, package(), *command, "--instance-type", "ml.c7g.large")
    assert process.returncode == 1
    assert "ml.c7g.large: not recommended: " in process.stdout
    assert process.stderr == "error: no candidate answers 95 of 100 requests within 1 ms\n"


@pytest.mark.slow
def test_after_ctrl_c_the_same_command_follows_the_job(package: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    bench, file, arn = make_bench(sandbox, ROOT, tmp_path), tmp_path / "out" / "model.yaml", package()
    test = (arn, "--role", ROLE, "--p95", "2000", "--framework", "xgboost", "--minutes", "2", "--no-serverless")
    command = ["recommend", *test, "--instance-type", "ml.c7g.large", "--write", str(file)]
    creates, describes = "CreateInferenceRecommendationsJob", "DescribeInferenceRecommendationsJob"
    sandbox.fault(creates, status_delay=HOLD_SECONDS)
    # The call that is interrupted, whether before or after it is sent, which of them, and what is true then.
    for operation, when, which, true in (
        ("DescribeModelPackage", "before", 1, "this command has launched nothing"),
        (describes, "before", 1, "nothing was started"),
        (creates, "before", 1, "nothing was started"),
        (creates, "after", 1, "continues (to stop it: aws sagemaker stop-inference-recommendations-job --job-name "),
        (describes, "after", 3, "continues"),
        ("GetScalingConfigurationRecommendation", "before", 1, "is COMPLETED"),
    ):
        with intercept_requests(CtrlC(operation, when, which)):
            process = run_smlops(bench, *command)
        assert (process.code, process.out) == (INTERRUPTED, ""), process.err
        assert true in process.err.splitlines()[-1], (operation, process.err)
        assert process.command == command
        assert not file.exists()
    assert run_smlops(bench, *command).code == 0
    assert list(yaml.safe_load(file.read_text())) == ["realtime_endpoint"]
    launched = sandbox.client("sagemaker").list_inference_recommendations_jobs(ModelPackageVersionArnEquals=arn)
    assert len(launched["InferenceRecommendationsJobs"]) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such-model", "--p95", "9"], "model no-such-model: "),
        (["arn:aws:sagemaker:eu-north-1:123456789012:model-package/none/1", "--p95", "9"], "model package arn:"),
        (["arn:aws:s3:::bucket", "--p95", "9"], "arn:aws:s3:::bucket: is not a model package"),
        (["m", "--p95", "9", "--region", "mars-1"], "--region: the catalogue has no Region mars-1"),
        (["m", "--p95", "9", "--requests-per-day", "0"], "--requests-per-day: 0 must be more than 0"),
        (["m", "--p95", "9", "--peak", "0.5"], "--peak: 0.5 must be at least 1"),
        (["m", "--p95", "9", "--write", "inputs.json"], "--write: inputs.json must end in .yaml or .tf"),
    ],
)
def test_bad_input_is_one_line(sandbox: Sandbox, arguments: list[str], message: str) -> None:
    process = run(sandbox, *arguments, "--role", ROLE)
    assert (process.returncode, process.stdout, process.stderr.count("\n")) == (2, "", 1), process.stderr
    assert process.stderr.startswith(f"error: {message}")
