"""Starts of a pipeline by data, by drift and by schedule, cached steps, and notifications of failures."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modules.pipeline.inputs import LONGEST_NAME, Inputs
from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import validate
from sustainable_mlops.base.terraform import ROOT, Terraform, list_changes
from sustainable_mlops.jobs.pipelines.network import add_network
from sustainable_mlops.jobs.pipelines.versions import format_import_block
from sustainable_mlops.jobs.platform import Vpc
from tests.cases import check_cases
from tests.modules.examples import Example, examples
from tests.provider import alone
from tests.sandbox.support import advance_to_hour, make_queue, make_role, wait_until

STEP = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
PARAMETERS = [
    {"Name": "InputKey", "Type": "String"},
    {"Name": "MaxDepth", "Type": "Integer", "DefaultValue": 5},
    {"Name": "MinimumAuc", "Type": "Float", "DefaultValue": 0.5},
    {"Name": "Verbose", "Type": "Boolean", "DefaultValue": False},
]
DEFINITION = {"Version": "2020-12-01", "Parameters": PARAMETERS, "Steps": [STEP]}
GIVEN = {
    "name_prefix": "shop",
    "name": "orders",
    "account_id": "123456789012",
    "region": "eu-north-1",
    "role_arn": "arn:aws:iam::123456789012:role/shop-pipeline",
    "definition": json.dumps(DEFINITION),
}
ARRIVAL = {"bucket": "shop-data", "key_prefix": "raw/orders/"}
ADDRESS = "module.pipeline"


def without(part: str) -> str:
    return json.dumps({name: value for name, value in DEFINITION.items() if name != part})


@check_cases(
    ("inputs", "message"),
    [
        ({"definition": "{"}, "definition: must be JSON: use the text that Pipeline.definition() returns"),
        ({"definition": ""}, "definition: must be JSON"),
        ({"definition": "[]"}, "definition: must have Version and at least one of Steps"),
        ({"definition": without("Version")}, "definition: must have Version and at least one of Steps"),
        ({"definition": without("Steps")}, "definition: must have Version and at least one of Steps"),
        ({"definition": json.dumps({**DEFINITION, "Steps": []})}, "definition: must have Version and at least one of"),
        (
            {"parameters": {"MaxDeep": "3", "MaxDepth": "3"}},
            "parameters: MaxDeep is not a parameter of the definition, which declares InputKey, MaxDepth, MinimumAuc",
        ),
        ({"definition": without("Parameters"), "parameters": {"A": "b"}}, "parameters: A is not a parameter"),
        (
            {"parameters": {"MaxDepth": "deep", "MinimumAuc": "0,7", "InputKey": "0,7"}},
            "parameters: MaxDepth, MinimumAuc must be a whole number, a number, true or false, as its Type in the",
        ),
        (
            {"parameters": {"MaxDepth": "5.5", "MinimumAuc": "true", "Verbose": "1"}},
            "parameters: MaxDepth, MinimumAuc, Verbose must be a whole number",
        ),
        (
            {"data_arrival": {**ARRIVAL, "key_parameter": "Key"}},
            "data_arrival: key_parameter must be a parameter of the definition, which declares InputKey",
        ),
        ({"data_arrival": {**ARRIVAL, "key_prefix": "raw/*"}}, "must be a literal part of a key, without wildcards"),
        ({"data_arrival": {**ARRIVAL, "bucket": "s3://shop-data"}}, "must be the name of a bucket, without s3://"),
        (
            {"drift": {"workload": "orders"}},
            "drift: StartReason is not a parameter of the definition; declare it there, or correct reason_parameter",
        ),
        ({"schedule": {"expression": "daily"}}, "must be cron(…), rate(…) or at(…)"),
        ({"schedule": {"expression": "rate(1 day)", "flexible_window_minutes": 1441}}, "less than or equal to 1440"),
        ({"name": "a" * (LONGEST_NAME + 1)}, f"must be 2 to {LONGEST_NAME} lower-case letters"),
    ],
)
def test_invalid_inputs_are_rejected_with_the_remedy(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        validate({**GIVEN, **inputs}, Inputs, "settings.yaml")
    assert message in str(error.value)


@pytest.mark.parametrize(
    "inputs",
    [
        {"schedule": {"expression": "rate(1 hour)", "timezone": "Etc/UTC"}},
        {"schedule": {"expression": "rate(1 hours)", "timezone": "Asia/Calcutta"}},
        {"schedule": {"expression": "cron(0 3 ? * MON *)"}},
        {"schedule": {"expression": "at(2030-01-31T06:00:00)"}},
    ],
)
def test_schedules_that_eventbridge_scheduler_accepts_are_valid(inputs: dict[str, Any]) -> None:
    validate({**GIVEN, **inputs}, Inputs, "settings.yaml")


def test_names_fit_with_the_longest_prefix_and_name() -> None:
    longest = validate({**GIVEN, "name_prefix": "p" * 24, "name": "n" * LONGEST_NAME}, Inputs, "settings.yaml")
    assert len(f"{longest.name_prefix}-{longest.name}-data-arrived") == 64


def find_example(case: str) -> Example:
    return next(each for each in examples() if (each.module, each.case) == ("pipeline", case))


@pytest.mark.plan
def test_errors_of_definitions_are_reported_in_the_plan(tmp_path: Path, terraform_environment: dict[str, str]) -> None:
    complete = find_example("complete")
    complete.write(tmp_path)
    terraform = Terraform(tmp_path, terraform_environment)
    terraform.init()
    long = 'Metadata = { long = join("", [for line in range(1024) : format("%1024d", line)]) }'
    for old, new, message in [
        ('"10"', '"ten"', "VolumeGb must be a whole number, a number, true or false"),
        ("    VolumeGb ", "    VolumeGB ", "VolumeGB is not a parameter of the definition"),
        ('"2020-12-01"\n', f'"2020-12-01"\n    {long}\n', "SageMaker allows 1048576 characters, and this has 10"),
    ]:
        (tmp_path / "main.tf").write_text(complete.text.replace(old, new, 1))
        with pytest.raises(UserError) as error:
            terraform.plan(tmp_path / "tfplan")
        assert message in " ".join(str(error.value).replace("│", "").split())


@pytest.mark.plan
def test_a_network_reaches_the_same_steps_as_in_a_launcher(
    tmp_path: Path, terraform_environment: dict[str, str]
) -> None:
    vpc = Vpc(subnet_ids=["subnet-0123456789abcdef0"], security_group_ids=["sg-0123456789abcdef0"])
    definition = json.loads((ROOT / "workloads" / "flight_delay" / "pipeline.json").read_text())
    train = definition["Steps"][1]
    search = {"TrainingJobDefinition": train["Arguments"]}
    definition["Steps"] += [{"Name": "Search", "Type": "Tuning", "Arguments": search}]
    condition = definition["Steps"][3]["Arguments"]
    condition["ElseSteps"] += [{**train, "Name": "Again"}]
    (tmp_path / "modules").symlink_to(ROOT / "modules")
    arguments = {**GIVEN, "source": "./modules/pipeline", "definition": '${file("definition.json")}'}
    network = {"subnets": vpc.subnet_ids, "security_group_ids": vpc.security_group_ids}
    (tmp_path / "main.tf.json").write_text(json.dumps({"module": {"pipeline": {**arguments, "vpc_config": network}}}))
    terraform = Terraform(tmp_path, terraform_environment)

    def plan_definition() -> Any:
        (tmp_path / "definition.json").write_text(json.dumps(definition))
        planned = terraform.plan(tmp_path / "tfplan")["resource_changes"]
        (pipeline,) = (one for one in planned if one["type"] == "aws_sagemaker_pipeline")
        return json.loads(pipeline["change"]["after"]["pipeline_definition"])

    (tmp_path / "definition.json").write_text(json.dumps(definition))
    terraform.init()
    assert plan_definition() == add_network(definition, vpc) != definition
    condition["IfSteps"][0]["Arguments"]["ElseSteps"] += [{**train, "Name": "Deep"}]
    with pytest.raises(UserError, match="vpc_config: it reaches only the jobs of the pipeline"):
        plan_definition()


@dataclass(frozen=True)
class AppliedPipeline:
    """The complete example, applied with the bucket and the key that it uses."""

    sandbox: Sandbox
    terraform: Terraform
    name: str = "flights-dev-orders"
    bucket: str = "flights-dev-data-123456789012-eu-north-1"

    def put(self, key: str, text: str) -> None:
        self.sandbox.client("s3").put_object(Bucket=self.bucket, Key=key, Body=text.encode())

    def executions(self) -> list[dict[str, Any]]:
        """Return the executions of the pipeline, oldest first."""
        sagemaker = self.sandbox.client("sagemaker")
        executions = sagemaker.list_pipeline_executions(PipelineName=self.name, SortOrder="Ascending")
        return [
            sagemaker.describe_pipeline_execution(PipelineExecutionArn=one["PipelineExecutionArn"])
            for one in executions["PipelineExecutionSummaries"]
        ]

    def wait_for_ended(self, count: int) -> list[dict[str, Any]]:
        """Wait until all executions end, check their number and return them."""

        def read_ended() -> Any:
            executions = self.executions()
            statuses = {one["PipelineExecutionStatus"] for one in executions}
            return executions if len(executions) >= count and not statuses & {"Executing", "Stopping"} else None

        executions: list[dict[str, Any]] = wait_until(read_ended)
        assert len(executions) == count
        return executions

    def steps(self, execution: dict[str, Any]) -> list[dict[str, Any]]:
        sagemaker = self.sandbox.client("sagemaker")
        executions = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution["PipelineExecutionArn"])
        steps: list[dict[str, Any]] = executions["PipelineExecutionSteps"]
        return steps

    def publish_drift(self, columns: int) -> None:
        """Publish the metric as a drift job does, and advance the time until the alarm compares only this value."""
        self.sandbox.advance(3600)
        datum = {"MetricName": "DriftingColumns", "Dimensions": [{"Name": "Workload", "Value": "orders"}]}
        self.sandbox.client("cloudwatch").put_metric_data(
            Namespace="flights-dev/drift", MetricData=[{**datum, "Value": columns}]
        )
        self.sandbox.advance(120)

    def drift_state(self) -> str:
        alarms = self.sandbox.client("cloudwatch").describe_alarms(AlarmNames=[f"{self.name}-drift"])
        return str(alarms["MetricAlarms"][0]["StateValue"])

    def parameters(self, execution: dict[str, Any]) -> dict[str, str]:
        """Return the parameters of the execution that replace defaults."""
        response = self.sandbox.client("sagemaker").list_pipeline_parameters_for_execution(
            PipelineExecutionArn=execution["PipelineExecutionArn"]
        )
        return {one["Name"]: one["Value"] for one in response["PipelineParameters"]}

    def latest_version(self) -> int:
        versions = self.sandbox.client("sagemaker").list_pipeline_versions(PipelineName=self.name)
        latest: int = max(version["PipelineVersionId"] for version in versions["PipelineVersionSummaries"])
        return latest

    def jobs(self) -> int:
        """Return the number of processing jobs so far."""
        return len(self.sandbox.client("sagemaker").list_processing_jobs()["ProcessingJobSummaries"])


def create_pipeline_outside(sandbox: Sandbox) -> None:
    """Create the pipeline as its launcher did before an apply, with another definition."""
    sandbox.client("sagemaker").create_pipeline(
        PipelineName=AppliedPipeline.name,
        PipelineDefinition=GIVEN["definition"],
        RoleArn=make_role(sandbox),
        ClientRequestToken="0" * 32,
    )


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppliedPipeline]:
    folder: Path = tmp_path_factory.mktemp("pipeline")
    complete = find_example("complete")
    complete.write(folder)
    storage = """
module "storage" {
  source              = "./modules/storage"
  name_prefix         = "flights-dev"
  account_id          = "123456789012"
  region              = "eu-north-1"
  deletion_protection = false
}
"""
    key = '"arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"'
    (folder / "main.tf").write_text(complete.text.replace(key, "module.storage.kms_key_arn") + storage)
    with alone(tmp_path_factory.mktemp("sandbox") / "log") as (own, environment):  # this test moves the time
        for role in complete.roles:
            make_role(own, role)
        terraform = Terraform(folder, environment)
        advance_to_hour(own, 12, weekday=1)  # the schedule of Monday night starts nothing before a test moves to it
        terraform.init()
        create_pipeline_outside(own)
        block = format_import_block(ADDRESS, AppliedPipeline.name)
        (folder / "import.tf").write_text(subprocess.check_output(["printf", block], text=True))
        terraform.apply()
        assert list_changes(terraform.plan(folder / "tfplan")) == {}
        yield AppliedPipeline(own, terraform)


@pytest.mark.apply
def test_an_object_starts_the_pipeline_once_and_cached_steps_are_not_repeated(applied: AppliedPipeline) -> None:
    before, jobs = len(applied.executions()), applied.jobs()
    key = "raw/orders/monday.csv"
    applied.put(key, "tea,2\nno comma\nmilk,1\n")
    first = applied.wait_for_ended(before + 1)[-1]
    assert first["PipelineExecutionStatus"] == "Succeeded"
    (step,) = applied.steps(first)
    assert "CacheHitResult" not in step
    assert applied.jobs() == jobs + 1

    for ignored in ("raw/orders/monday.json", "raw/others/monday.csv", "monday.csv"):
        applied.put(ignored, "tea,2\n")
    applied.put(key, "tea,2\nno comma\nmilk,1\n")
    second = applied.wait_for_ended(before + 2)[-1]
    (step,) = applied.steps(second)
    assert step["CacheHitResult"]["SourcePipelineExecutionArn"] == first["PipelineExecutionArn"]
    assert applied.jobs() == jobs + 1

    applied.put("raw/orders/tuesday.txt", "tea,3\n")
    (step,) = applied.steps(applied.wait_for_ended(before + 3)[-1])
    assert "CacheHitResult" not in step
    assert applied.jobs() == jobs + 2


@pytest.mark.apply
def test_drift_starts_the_pipeline_once_and_gives_the_reason(applied: AppliedPipeline) -> None:
    before, key = len(applied.executions()), "raw/orders/all.csv"
    applied.put(key, "tea,2\n")
    applied.wait_for_ended(before + 1)
    applied.publish_drift(1)  # below the threshold
    assert applied.drift_state() == "OK"

    applied.publish_drift(3)
    first = applied.wait_for_ended(before + 2)[-1]
    parameters = applied.parameters(first)
    assert parameters["InputKey"] == key
    assert parameters["StartReason"].startswith("Threshold Crossed: 1 datapoint [3.0 (")
    (step,) = applied.steps(first)
    assert "CacheHitResult" not in step  # data at an old address is read again

    applied.publish_drift(4)  # the same drift
    applied.sandbox.advance(7 * 3600)
    assert applied.drift_state() == "ALARM"
    applied.publish_drift(0)
    assert applied.drift_state() == "OK"
    applied.publish_drift(2)
    assert applied.wait_for_ended(before + 3)[-1]["PipelineExecutionStatus"] == "Succeeded"


@pytest.mark.apply
def test_failed_runs_notify_subscribers(applied: AppliedPipeline) -> None:
    sns, sqs = applied.sandbox.client("sns"), applied.sandbox.client("sqs")
    (topic,) = (one["TopicArn"] for one in sns.list_topics()["Topics"] if one["TopicArn"].endswith("-failed"))
    url, arn = make_queue(applied.sandbox, "failures", "sns.amazonaws.com")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    applied.put("raw/orders/wednesday.csv", "not in the expected format\n")
    message = wait_until(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    event = json.loads(json.loads(message[0]["Body"])["Message"])
    failed = applied.executions()[-1]
    assert failed["PipelineExecutionStatus"] == "Failed"
    assert event["detail"]["pipelineExecutionArn"] == failed["PipelineExecutionArn"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url), "one message, only for the failure"


@pytest.mark.apply
def test_the_schedule_starts_the_promoted_version_and_data_the_latest(applied: AppliedPipeline) -> None:
    sagemaker, folder = applied.sandbox.client("sagemaker"), applied.terraform.folder
    pipeline = sagemaker.describe_pipeline(PipelineName=applied.name)["PipelineArn"]
    promoted = applied.latest_version()
    sagemaker.update_pipeline_version(
        PipelineArn=pipeline, PipelineVersionId=promoted, PipelineVersionAliasOperations={"Add": ["live"]}
    )
    text = (folder / "main.tf").read_text()
    (folder / "main.tf").write_text(text.replace('VolumeGb   = "10"', 'VolumeGb   = "12"'))
    assert list_changes(applied.terraform.plan(folder / "tfplan")) == {
        f"{ADDRESS}.aws_sagemaker_pipeline.this": ["update"],
        f"{ADDRESS}.terraform_data.definition": ["update"],
    }
    applied.terraform.run("apply", "tfplan")

    before = len(applied.executions())
    applied.put("raw/orders/all.csv", "tea,2\n")
    assert applied.latest_version() == promoted + 1
    assert applied.wait_for_ended(before + 1)[-1]["PipelineVersionId"] == promoted + 1
    advance_to_hour(applied.sandbox, 3, weekday=0)
    scheduled = applied.wait_for_ended(before + 2)[-1]
    assert scheduled["PipelineVersionId"] == promoted
    assert [step.get("CacheHitResult") is not None for step in applied.steps(scheduled)] == [True]
