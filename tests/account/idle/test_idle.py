"""`smlops find-idle` and `smlops clean` on an account of the sandbox with idle and busy resources of each kind."""

import importlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.main import get_command

from sagemaker_sandbox import Sandbox
from sustainable_mlops.account import idle
from sustainable_mlops.account.idle import list_actions
from sustainable_mlops.base.program import run
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.commands import clean, find_idle
from tests.clone.deployer.calls import BOTO3, get_action, select_calls
from tests.provider import SANDBOX_LOGS
from tests.sandbox.support import IMAGE, ROLE, make_role, wait_until

pytestmark = pytest.mark.slow

REGION, BUCKET = "eu-north-1", "lab-artifacts-123456789012-eu-north-1"
#: Days without use. A day has 1,440 minutes, and the sandbox publishes metrics for each minute of an endpoint.
DAYS = 0.1
IN_REGION = ("--region", REGION, "--days", str(DAYS))
#: Tags of resources that Terraform creates in an environment.
TAGS = [{"Key": key, "Value": "lab"} for key in ("environment", "workload", "owner", "data_class")]
#: Endpoints: without requests, the same by Terraform, with requests, and serverless.
ENDPOINTS = ("idle", "lab-terraform", "busy", "free")
SPACE = {
    "OwnershipSettings": {"OwnerUserProfileName": "ana"},
    "SpaceSharingSettings": {"SharingType": "Private"},
    "SpaceSettings": {"AppType": "JupyterLab"},
}
#: Idle resources of the account, without the ID of the interface endpoint.
IDLE = {
    ("endpoint", "idle"),
    ("endpoint", "lab-terraform"),
    ("app", "team/old/JupyterLab/default"),
    ("notebook instance", "old"),
    ("endpoint configuration", "orphan"),
    ("model", "orphan"),
    ("checkpoints", f"s3://{BUCKET}/checkpoints/churn/run-1/"),
    ("log group", "/aws/sagemaker/TrainingJobs"),
    ("interface endpoint", ""),
}
#: Resources that `clean` ends by default.
ENDED = {
    ("app", "team/old/JupyterLab/default"),
    ("notebook instance", "old"),
    ("endpoint configuration", "orphan"),
    ("model", "orphan"),
    ("log group", "/aws/sagemaker/TrainingJobs"),
}


class SeededAccount:
    """An account in which each idle resource has a busy one beside it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.sagemaker, self.ec2, self.logs, self.s3 = map(sandbox.client, ("sagemaker", "ec2", "logs", "s3"))
        self.domain = {"DomainId": ""}
        self.idle_interface_endpoint = ""
        make_role(sandbox)

    def seed(self) -> None:
        """Create everything before the period of the scan, and use the busy half of it in the period."""
        self.add_logs_and_checkpoints()
        on_instance = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        serverless = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
        for name in ENDPOINTS:
            self.add_configuration(name, serverless if name == "free" else on_instance)
            self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=get_tags(name))
        self.add_configuration("orphan", on_instance)
        self.add_domain()
        self.add_app("old")
        self.add_notebook("old")
        quiet, busy = self.add_interface_endpoints()
        for name in ENDPOINTS:
            wait_until(partial(self.is_in_service, name))
        moment = self.sandbox.advance(1.2 * DAYS * 86_400)
        with suppress(ClientError):  # the model fails, and the request counts nevertheless
            self.sandbox.client("sagemaker-runtime").invoke_endpoint(EndpointName="busy", Body=b"1")
        self.sandbox.advance(120)
        self.put_traffic(busy, moment)
        self.add_app("new")
        self.add_notebook("new")
        self.idle_interface_endpoint = str(quiet["VpcEndpointId"])

    def add_configuration(self, name: str, settings: dict[str, Any]) -> None:
        self.sagemaker.create_model(
            ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE}, Tags=get_tags(name)
        )
        variant = {"VariantName": "main", "ModelName": name, **settings}
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant], Tags=get_tags(name)
        )

    def add_domain(self) -> None:
        network = {"VpcId": "vpc-1", "SubnetIds": ["subnet-1"]}
        self.sagemaker.create_domain(
            DomainName="team", AuthMode="IAM", DefaultUserSettings={"ExecutionRole": ROLE}, **network
        )
        self.domain = {"DomainId": self.sagemaker.list_domains()["Domains"][0]["DomainId"]}
        self.sagemaker.create_user_profile(**self.domain, UserProfileName="ana")

    def add_app(self, space: str) -> None:
        self.sagemaker.create_space(**self.domain, SpaceName=space, **SPACE)
        self.sagemaker.create_app(
            **self.domain,
            SpaceName=space,
            AppType="JupyterLab",
            AppName="default",
            ResourceSpec={"InstanceType": "ml.t3.large"},
        )

    def add_notebook(self, name: str) -> None:
        self.sagemaker.create_notebook_instance(NotebookInstanceName=name, InstanceType="ml.t3.medium", RoleArn=ROLE)

    def add_logs_and_checkpoints(self) -> None:
        for name in ("/aws/sagemaker/TrainingJobs", "/somebody/else"):
            self.logs.create_log_group(logGroupName=name)
        for name in ("ProcessingJobs", *(f"Endpoints/{endpoint}" for endpoint in ENDPOINTS)):
            self.logs.create_log_group(logGroupName=f"/aws/sagemaker/{name}")
            self.logs.put_retention_policy(logGroupName=f"/aws/sagemaker/{name}", retentionInDays=14)
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        for key in ("checkpoints/churn/run-1/epoch-1.pt", "models/churn/model.tar.gz"):
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=b"weights")

    def add_interface_endpoints(self) -> tuple[dict[str, Any], dict[str, Any]]:
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        quiet, busy = (
            self.ec2.create_vpc_endpoint(
                VpcId=vpc,
                ServiceName=f"com.amazonaws.{REGION}.{service}",
                VpcEndpointType="Interface",
                SubnetIds=[subnet],
            )["VpcEndpoint"]
            for service in ("sts", "logs")
        )
        return quiet, busy

    def put_traffic(self, endpoint: dict[str, Any], moment: datetime) -> None:
        """Publish the metrics of an interface endpoint with traffic, as AWS does."""
        dimensions = {
            "Endpoint Type": "Interface",
            "Service Name": endpoint["ServiceName"],
            "VPC Endpoint Id": endpoint["VpcEndpointId"],
            "VPC Id": endpoint["VpcId"],
        }
        datum = {
            "MetricName": "BytesProcessed",
            "Value": 1024.0,
            "Timestamp": moment - timedelta(minutes=30),
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        }
        self.sandbox.client("cloudwatch").put_metric_data(Namespace="AWS/PrivateLinkEndpoints", MetricData=[datum])

    def is_in_service(self, endpoint: str) -> bool:
        return self.get_status(endpoint) == "InService"

    def get_status(self, endpoint: str) -> str:
        return str(self.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"])

    def list_state(self) -> set[tuple[str, str]]:
        """Return the names of everything that runs or is kept, by kind; log groups with their retention."""
        groups = self.logs.describe_log_groups()["logGroups"]
        endpoints = self.ec2.describe_vpc_endpoints()["VpcEndpoints"]
        listings: dict[str, list[str]] = {
            "endpoint": [one["EndpointName"] for one in self.sagemaker.list_endpoints()["Endpoints"]],
            "endpoint configuration": [
                one["EndpointConfigName"] for one in self.sagemaker.list_endpoint_configs()["EndpointConfigs"]
            ],
            "model": [one["ModelName"] for one in self.sagemaker.list_models()["Models"]],
            "app": [
                f"team/{one['SpaceName']}/JupyterLab/default"
                for one in self.sagemaker.list_apps()["Apps"]
                if one["Status"] == "InService"
            ],
            "space": [one["SpaceName"] for one in self.sagemaker.list_spaces()["Spaces"]],
            "notebook instance": [
                one["NotebookInstanceName"]
                for one in self.sagemaker.list_notebook_instances(StatusEquals="InService")["NotebookInstances"]
            ],
            "log group": [one["logGroupName"] for one in groups if "retentionInDays" not in one],
            "kept log group": [one["logGroupName"] for one in groups],
            "interface endpoint": [one["VpcEndpointId"] for one in endpoints if one["State"] == "available"],
            "object": [one["Key"] for one in self.s3.list_objects_v2(Bucket=BUCKET)["Contents"]],
        }
        return {(kind, name) for kind, names in listings.items() for name in names}


def get_tags(name: str) -> list[dict[str, str]]:
    return TAGS if name.startswith("lab-") else []


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeededAccount]:
    """Yield a seeded account in a sandbox of its own, whose time moves."""
    SANDBOX_LOGS.append(tmp_path_factory.mktemp("idle") / "sandbox.log")
    with Sandbox.start(log=SANDBOX_LOGS[-1]) as sandbox:
        seeded = SeededAccount(sandbox)
        seeded.seed()
        yield seeded


@pytest.fixture
def smlops(
    account: SeededAccount, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Return a function that runs a command on the account, and returns its exit code and its output."""
    for name, value in account.sandbox.environment.items():
        monkeypatch.setenv(name, value)

    def call(app: Any, *arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_info:
            run(lambda: get_command(app)(list(arguments), prog_name="smlops"))
        return int(exit_info.value.code or 0), capsys.readouterr().out

    return call


def list_names(output: str, account: SeededAccount) -> set[tuple[str, str]]:
    """Return kind and name of the findings; the name of the idle interface endpoint is empty."""
    names = {(one["kind"], one["name"]) for one in json.loads(output)["findings"]}
    return {(kind, "" if name == account.idle_interface_endpoint else name) for kind, name in names}


def test_find_idle_finds_all_idle_resources_and_clean_ends_those_without_data(
    account: SeededAccount, smlops: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    with account.sandbox.record_calls() as calls:
        code, output = smlops(find_idle.app, *IN_REGION, "--json", "--check")
    assert code == 1
    assert list_names(output, account) == IDLE
    known = {name for actions in list_actions().values() for name in actions}
    assert {get_action(call) for call in select_calls(calls, BOTO3)} <= known, "the page names each action"
    check_figures(json.loads(output))
    check_environment(smlops, account, tmp_path)

    before = account.list_state()
    _, plan = smlops(clean.app, *IN_REGION)
    assert f"dry run: {len(ENDED)} would be cleaned, {len(IDLE) - len(ENDED)} would stay" in plan
    assert "keep endpoint lab-terraform: Terraform manages it by its tags; set idle_stop = delete" in plan
    assert account.list_state() == before

    code, output = smlops(clean.app, *IN_REGION, "--apply", "--json")
    assert (code, {one["error"] for one in json.loads(output)}) == (0, {""})
    wait_until(lambda: before - account.list_state() == ENDED)
    assert account.list_state() <= before

    include = ("--include", "endpoints", "--include", "interface-endpoints")
    assert smlops(clean.app, *IN_REGION, *include, "--apply")[0] == 0
    others = {("endpoint", "idle"), ("interface endpoint", account.idle_interface_endpoint)}
    wait_until(lambda: before - account.list_state() == ENDED | others)


def check_figures(report: dict[str, Any]) -> None:
    """Check that instances have carbon and cost with intervals, and that the largest cost comes first."""
    months = [one["month"] for one in report["findings"]]
    costs = [month["cost"]["central"] for month in months]
    assert costs == sorted(costs, reverse=True)
    for finding in report["findings"]:
        if finding["kind"] in ("endpoint", "app", "notebook instance"):
            total = finding["month"]["total"]
            assert 0 < total["low"] < total["central"] < total["high"], finding["name"]
    assert report["month"]["cost"]["central"] == pytest.approx(sum(costs))
    assert all(one["module_input"] for one in report["findings"])
    assert [note.partition(":")[0] for note in report["notes"]] == ["Compute Optimizer", "Cost Optimization Hub"]


def check_environment(smlops: Callable[..., tuple[int, str]], account: SeededAccount, folder: Path) -> None:
    """Check that an environment has its own resources only, and that a denied read skips only its part."""
    (folder / "settings.yaml").write_text(
        f"environment: lab\nname_prefix: lab\nregion: {REGION}\naccount_id: '123456789012'\n"
    )
    account.sandbox.fault("logs:DescribeLogGroups", error="AccessDeniedException")
    code, output = smlops(find_idle.app, "--environment", str(folder), "--days", str(DAYS), "--json")
    account.sandbox.clear_faults()
    assert (code, list_names(output, account)) == (0, {finding for finding in IDLE if "lab-" in finding[1]})
    skipped = {one["part"]: one for one in json.loads(output)["skipped"]}
    assert skipped["log groups"]["missing_action"] == "logs:DescribeLogGroups"


def test_the_page_names_the_actions_of_each_part() -> None:
    page = (ROOT / "docs" / "environments.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([\w ]+) \| (`\w[\w-]*:.+`) \|$", page, re.MULTILINE))
    assert {part: tuple(re.findall(r"`([^`]+)`", actions)) for part, actions in rows.items()} == list_actions()


def test_each_module_has_the_inputs_that_a_finding_names() -> None:
    texts = "\n".join(file.read_text(encoding="utf-8") for file in Path(idle.__file__).parent.glob("*.py"))
    references = re.findall(r"[\"( ]((?:[a-z_]+, )*[a-z_]+)[.\w]*(?: = \w+)? \(([a-z]+(?:_[a-z]+)*)\)[\",]", texts)
    assert {module for _, module in references} >= {"async_endpoint", "network", "observability", "storage"}
    for names, module in references:
        inputs: Any = importlib.import_module(f"modules.{module}.inputs").Inputs
        assert set(names.split(", ")) <= set(inputs.model_fields), module
