"""The guides of docs/adopting.md, with states like those of two public modules."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sustainable_mlops.account import adopt, idle
from sustainable_mlops.base.terraform import ROOT, Terraform, find_engine, make_environment
from sustainable_mlops.review.risk import Level
from tests.account.adopt.seeded_account import PREFIX, REGION, SeededAccount
from tests.docs.blocks import blocks
from tests.modules.prerequisites import create_prerequisites
from tests.review_checks import check_review
from tests.sandbox.support import wait_until

pytestmark = [pytest.mark.apply, pytest.mark.release]

PROVIDER = 'provider "aws" {\n  region = "eu-north-1"\n}\n'
SHAPES = Path(__file__).with_name("shapes")
PAGE = "docs/adopting.md"
#: Label of the page's commands that these tests paste.
PASTED = "tests/account/adopt/test_guides.py"
#: Part of the command that removes the role of huggingface from the state.
REMOVE_ROLE = "new_role[0]"
#: Role of the old module of huggingface, which the guide names.
ROLE = "sentiment-sagemaker-execution-role-kqzmvbnt"


class PublicEndpoint(NamedTuple):
    """Endpoint of a public module: its shape, the old call, the endpoint, and arguments of the old call."""

    shape: str
    module: str
    endpoint: str
    arguments: str = ""


#: Endpoints by the block of the page with the new call.
PUBLIC_ENDPOINTS = {
    "aws_ia": PublicEndpoint("aws_ia", "sagemaker_endpoint", "SGendpoint"),
    **{
        block: PublicEndpoint("huggingface", "huggingface", "sentiment-ep-kqzmvbnt", f'  kind   = "{kind}"\n')
        for block, kind in {
            "huggingface": "serverless",
            "huggingface_realtime": "realtime",
            "huggingface_async": "asynchronous",
        }.items()
    },
}
#: Names of the steps of aws-ia, with those of a real-time endpoint of huggingface.
NAMES = {
    "module.ranking": "module.sentiment",
    "SGTFendpoint-config-x7k2": "sentiment-ep-config-kqzmvbnt",
    "SGendpoint": "sentiment-ep-kqzmvbnt",
}


class OldRoot:
    """A root module that calls a module of a shape, applied on a sandbox."""

    def __init__(self, block: str, sandbox: Any, variables: dict[str, str], folder: Path, programs: str) -> None:
        public_endpoint = PUBLIC_ENDPOINTS[block]
        self.sandbox, self.folder, self.endpoint, self.module = (
            sandbox,
            folder,
            public_endpoint.endpoint,
            public_endpoint.module,
        )
        self.sagemaker = sandbox.client("sagemaker")
        # Without the time that the old instances stay, which the test would wait.
        self.guide = get_block(block).replace('"all_at_once" }', '"all_at_once", bake_seconds = 0 }')
        if block == "huggingface_async":
            self.guide = self.guide.replace("  max_instances", "  bake_seconds = 0\n  max_instances")
        self.call = f'module "{self.module}" {{\n  source = "./shape"\n{public_endpoint.arguments}}}\n'
        text = (SHAPES / public_endpoint.shape / "main.tf").read_text() + self.guide
        create_prerequisites(sandbox, text.replace(f"role/{ROLE}", "role").replace("role/SGTFendpoint-role", "role"))
        (folder / "shape").symlink_to(SHAPES / public_endpoint.shape)
        (folder / "modules").symlink_to(ROOT / "modules")
        self.terraform = Terraform(folder, variables)
        self._environment = make_environment(
            {**variables, "PATH": programs, "AWS_PAGER": "", "TF_CLI_ARGS_apply": "-auto-approve"}
        )
        self.write(self.call)
        self.terraform.apply()
        self.created = self.read_creation_time()
        log_group = f"/aws/sagemaker/Endpoints/{self.endpoint}"
        wait_until(lambda: sandbox.client("logs").describe_log_groups(logGroupNamePrefix=log_group)["logGroups"])

    def write(self, *parts: str) -> None:
        """Write the root module and initialize it."""
        (self.folder / "main.tf").write_text("\n".join([PROVIDER, *parts]))
        self.terraform.init()

    def paste(self, part: str, names: Mapping[str, str] | None = None) -> None:
        """Run the commands of the page's block that contains a text, with other names."""
        (block,) = (one for one in blocks() if (one.file, one.where) == (PAGE, PASTED) and part in one.text)
        text = "\n".join(block.commands).replace("random_string", "terraform_data")
        for old, new in (names or {}).items():
            text = text.replace(old, new)
        process = subprocess.run(
            ["bash", "-ec", text], cwd=self.folder, env=self._environment, capture_output=True, text=True, check=False
        )
        assert process.returncode == 0, process.stderr

    def plan_changes(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a plan, and its changes by address without those that change nothing."""
        plan = self.terraform.plan(self.folder / "tfplan")
        changes = {one["address"]: one["change"] for one in plan["resource_changes"]}
        return plan, {name: change for name, change in changes.items() if change["actions"] != ["no-op"]}

    def read_creation_time(self) -> datetime:
        """Return the time at which the endpoint was created; another one shows that it was replaced."""
        endpoint = self.sagemaker.describe_endpoint(EndpointName=self.endpoint)
        assert endpoint["EndpointStatus"] == "InService"
        created: datetime = endpoint["CreationTime"]
        return created


@pytest.fixture
def make_old_root(own: tuple[Any, dict[str, str]], tmp_path: Path, aws_cli: Path) -> Callable[[str], OldRoot]:
    """Return a function that applies a shape."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "terraform").symlink_to(shutil.which(find_engine().path) or find_engine().path)
    path = os.pathsep.join([str(programs), str(aws_cli), os.environ["PATH"]])
    return lambda block: OldRoot(block, *own, tmp_path, path)


def get_block(name: str) -> str:
    """Return a block of HCL on the page."""
    (text,) = (one.text for one in blocks() if (one.file, one.where) == (PAGE, name))
    return text


def check_update(root: OldRoot, module: str, deleted: set[str], other_risks: tuple[str, ...] = ()) -> None:
    """Check that the plan updates the endpoint in place, with the deletions and risks of the page, and apply it."""
    plan, changes = root.plan_changes()
    assert changes[f"module.{module}.aws_sagemaker_endpoint.this"]["actions"] == ["update"]
    assert {name for name, change in changes.items() if "delete" in change["actions"]} == {
        f"module.{module}.{name}" for name in deleted
    }
    risks = check_review(plan).risks
    assert [(one.risk.address, one.risk.level) for one in risks] == [
        (f"module.{module}.{name}", Level.LOOK) for name in ("aws_cloudwatch_log_group.this", *other_risks)
    ]
    root.terraform.apply()
    assert root.terraform.is_up_to_date(root.folder / "tfplan")
    assert root.read_creation_time() == root.created


def test_a_serverless_endpoint_of_huggingface_moves_to_the_module(make_old_root: Callable[[str], OldRoot]) -> None:
    root = make_old_root("huggingface")
    root.paste(REMOVE_ROLE)
    root.write(root.guide)
    check_update(root, "sentiment", {"aws_sagemaker_endpoint_configuration.this"})
    assert root.sandbox.client("iam").get_role(RoleName=ROLE)


def test_an_endpoint_of_aws_ia_gets_its_alarms_and_moves_to_the_module(make_old_root: Callable[[str], OldRoot]) -> None:
    root = make_old_root("aws_ia")
    root.write(root.call, root.guide.partition("moved {")[0])
    root.paste("-target=module.ranking")
    root.paste("SGendpoint-copy")
    root.paste("sg_endpoint_role")
    root.write(root.guide)
    deleted = {"aws_sagemaker_endpoint_configuration.this", 'aws_appautoscaling_policy.requests["AllTraffic"]'}
    check_update(root, "ranking", deleted)
    assert root.sandbox.client("iam").get_role(RoleName="SGTFendpoint-role")


def test_a_real_time_endpoint_of_huggingface_moves_to_the_module(make_old_root: Callable[[str], OldRoot]) -> None:
    root = make_old_root("huggingface_realtime")
    root.write(root.call, root.guide.partition("moved {")[0])
    root.paste("-target=module.ranking", NAMES)
    root.paste("SGendpoint-copy", NAMES)
    root.paste(REMOVE_ROLE)
    root.write(root.guide)
    deleted = {"aws_sagemaker_endpoint_configuration.this", 'aws_appautoscaling_policy.requests["AllTraffic"]'}
    check_update(root, "sentiment", deleted)


def test_an_asynchronous_endpoint_of_huggingface_moves_to_the_module(make_old_root: Callable[[str], OldRoot]) -> None:
    root = make_old_root("huggingface_async")
    root.write(root.call, root.guide.partition("moved {")[0])
    root.paste("AsyncInferenceConfig:AsyncInferenceConfig")
    root.paste(REMOVE_ROLE)
    root.write(root.guide)
    configuration = "aws_sagemaker_endpoint_configuration.this"
    deleted = {configuration, "aws_appautoscaling_policy.backlog"}
    check_update(root, "sentiment", deleted, (configuration, configuration))  # responses and failures


def test_a_package_group_moves_to_the_registry_and_keeps_its_packages(
    own: tuple[Any, dict[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sandbox, variables = own
    account = SeededAccount(sandbox, 1)
    monkeypatch.setattr(account, "choose_tags", lambda _team: [])
    account.s3.create_bucket(Bucket="acme-data", CreateBucketConfiguration={"LocationConstraint": REGION})
    account.add_package_groups(PREFIX)
    terraform = Terraform(adopt_resources(sandbox, monkeypatch, tmp_path, "acme-churn"), variables)
    terraform.init()
    terraform.apply()
    (tmp_path / "adopted" / "imports.tf").unlink()
    (tmp_path / "adopted" / "model_package_groups.tf").write_text(get_block("registry"))
    (tmp_path / "adopted" / "modules").symlink_to(ROOT / "modules")
    terraform.init()
    plan = terraform.plan(tmp_path / "tfplan")
    changes = {one["address"]: one["change"]["actions"] for one in plan["resource_changes"]}
    assert changes.pop('module.model_registry.aws_sagemaker_model_package_group.this["churn"]') == ["no-op"]
    assert set(map(tuple, changes.values())) <= {("create",), ("read",)}
    assert check_review(plan).risks == ()
    terraform.apply()
    assert terraform.is_up_to_date(tmp_path / "tfplan")
    packages = account.sagemaker.list_model_packages(ModelPackageGroupName="acme-churn")
    assert len(packages["ModelPackageSummaryList"]) == 1


def test_a_package_group_with_a_policy_moves_to_the_registry_with_its_policy(
    own: tuple[Any, dict[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sandbox, variables = own
    sagemaker, name = sandbox.client("sagemaker"), "acme-churn"
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    reader = "210987654321"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{reader}:root"},
        "Action": "sagemaker:DescribeModelPackageGroup",
        "Resource": f"arn:aws:sagemaker:{REGION}:123456789012:model-package-group/{name}",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sagemaker.put_model_package_group_policy(ModelPackageGroupName=name, ResourcePolicy=policy)
    folder = adopt_resources(sandbox, monkeypatch, tmp_path, name)
    assert 'resource "aws_sagemaker_model_package_group_policy" "acme_churn"' in read_groups(folder)
    terraform = Terraform(folder, variables)
    terraform.init()
    terraform.apply()
    (folder / "imports.tf").unlink()
    readers = f'{{ churn = {{ reader_account_ids = ["{reader}"] }} }}'
    assert f"`{readers}`" in (ROOT / PAGE).read_text(encoding="utf-8")
    call = get_block("registry").replace("{ churn = {} }", readers)
    (folder / "model_package_groups.tf").write_text(f"{call}\n{get_block('registry_policy')}")
    (folder / "modules").symlink_to(ROOT / "modules")
    terraform.init()
    plan = terraform.plan(tmp_path / "tfplan")
    changes = {one["address"]: one["change"]["actions"] for one in plan["resource_changes"]}
    registry = "module.model_registry.aws_sagemaker_model_package_group"
    assert changes.pop(f'{registry}.this["churn"]') == ["no-op"]
    assert changes.pop(f'{registry}_policy.readers["churn"]') == ["update"]
    assert set(map(tuple, changes.values())) <= {("create",), ("read",)}
    (risk,) = check_review(plan).risks
    assert risk.risk.address == f'{registry}_policy.readers["churn"]'
    assert "new permission: sagemaker:CreateModel" in risk.risk.description
    terraform.apply()
    assert terraform.is_up_to_date(tmp_path / "tfplan")
    stored = json.loads(sagemaker.get_model_package_group_policy(ModelPackageGroupName=name)["ResourcePolicy"])
    assert [one["Sid"] for one in stored["Statement"]] == ["FindGroup", "ReadAndDeployPackages"]


def read_groups(folder: Path) -> str:
    """Return the blocks of the package groups."""
    return (folder / "model_package_groups.tf").read_text(encoding="utf-8")


def adopt_resources(sandbox: Any, monkeypatch: pytest.MonkeyPatch, folder: Path, name: str) -> Path:
    """Write the root module for one resource, and return its folder."""
    for variable, value in sandbox.environment.items():
        monkeypatch.setenv(variable, value)
    account = idle.connect_account(idle.choose_target(None, REGION))
    report = adopt.scan_account(account, adopt.parse_selection([], [], [name], everything=False))
    adopt.write_files(folder / "adopted", adopt.render_files(report))
    return folder / "adopted"


def test_a_forgotten_endpoint_is_adopted_as_it_is(
    own: tuple[Any, dict[str, str]],
    make_old_root: Callable[[str], OldRoot],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    root = make_old_root("aws_ia")
    before = root.sandbox.inventory()
    root.write(get_block("forget"))
    root.terraform.apply()
    assert root.sandbox.inventory() == before

    root.folder = adopt_resources(root.sandbox, monkeypatch, tmp_path, root.endpoint)
    root.terraform = Terraform(root.folder, own[1])
    root.terraform.init()
    plan, changes = root.plan_changes()
    assert changes == {}
    assert len(plan["resource_changes"]) == 5
    root.terraform.apply()
    assert root.sandbox.inventory() == before
