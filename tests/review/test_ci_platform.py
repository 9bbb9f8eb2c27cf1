"""The files of docs/ci/platform plan, review, apply and promote three environments in three accounts.

The sandbox enforces IAM. Only the state has an account's resources, so that each plan takes a second.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from clone import synth
from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from sustainable_mlops.base.terraform import ROOT
from tests.cloned_repository import clone, git, set_up
from tests.provider import SANDBOX_LOGS
from tests.review.comments import Service, environment
from tests.review.platform_ci import (
    FOLDER,
    GitHub,
    GitLab,
    list_jobs_in_order,
    list_uses,
    plan_bootstrap,
    read_state,
    read_workflow,
)
from tests.review.test_ci import PINNED
from tests.sandbox.support import IMAGE

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "environments.md"
NAMES = ("dev", "staging", "prod")
WORKFLOWS = ("plan", "apply", "apply-environment", "promote")
#: Rule of an environment of GitHub, as its API returns it.
REVIEWED = {"type": "required_reviewers", "prevent_self_review": True, "reviewers": [{"type": "Team", "reviewer": {}}]}
REPOSITORIES = {"github": "o/r", "gitlab": "a/b"}
#: An environment with one endpoint, a setting, and nothing that needs the provider.
ROOT_MODULE = """
terraform {{
  backend "s3" {{
    bucket       = "{bucket}"
    key          = "{name}/terraform.tfstate"
    region       = "{region}"
    use_lockfile = true
  }}
}}

variable "model_packages" {{
  type    = map(string)
  default = {{}}
}}

module "serverless_endpoint" {{
  source   = "./endpoint"
  for_each = var.model_packages
  package  = each.value
}}

resource "terraform_data" "catalogue" {{
  input = file("${{path.module}}/../catalogue/version.txt")
}}
"""
ENDPOINT = """
variable "package" {
  type = string
}

resource "terraform_data" "this" {
  input = var.package
}
"""


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("github-workflows", [*(FOLDER / "github").glob("*.yml"), *(FOLDER.parent).glob("github*.yml")]),
        ("gitlab-ci", [FOLDER / "gitlab-ci.yml", FOLDER.parent / "gitlab-ci.yml"]),
    ],
)
def test_the_files_match_the_schemas_of_github_and_gitlab(schema: str, files: list[Path]) -> None:
    transform = ["--data-transform", "gitlab-ci"] if schema == "gitlab-ci" else []
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *transform]
    process = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned_by_their_commit_and_jobs_have_only_the_rights_they_use(name: str) -> None:
    workflow = read_workflow(name)
    own = {f"./.github/workflows/{one}.yml" for one in WORKFLOWS}
    assert all(PINNED.fullmatch(used) for used in list_uses(workflow) if used not in own)
    rights = {"contents": "read", "id-token": "write"}
    more = {"plan": {"pull-requests": "write"}, "apply": {"actions": "read"}}
    assert workflow["permissions"] == rights | more.get(name.removesuffix("-environment"), {})


def test_applies_run_in_order_one_at_a_time_and_prod_waits_for_a_person() -> None:
    jobs = read_workflow("apply")["jobs"]
    assert list_jobs_in_order(jobs) == list(NAMES)
    assert {job["uses"] for job in jobs.values()} == {"./.github/workflows/apply-environment.yml"}
    assert [name for name, job in jobs.items() if job["with"].get("requires_reviewers")] == ["prod"]
    (job,) = read_workflow("apply-environment")["jobs"].values()
    assert job["environment"] == "${{ inputs.environment }}", "its required reviewers and its variables"
    assert job["concurrency"] == {"group": "apply-${{ inputs.environment }}", "cancel-in-progress": False}
    pipeline = GitLab.pipeline
    applies = {name: {**pipeline[".apply"], **job} for name, job in pipeline.items() if name.startswith("apply ")}
    assert list_jobs_in_order(applies) == [f"apply {name}" for name in NAMES]
    assert {job["resource_group"] for job in applies.values()} == {"apply-$ENVIRONMENT"}
    manual = [name for name, job in applies.items() if any(rule.get("when") == "manual" for rule in job["rules"])]
    assert manual == ["apply prod"]


def test_the_page_has_the_job_that_a_person_starts_in_place_of_required_reviewers() -> None:
    (text,) = re.findall(r"```yaml\n(  prod:.*?)```", PAGE.read_text(), re.S)
    job = yaml.safe_load(text)["prod"]
    assert job.pop("if") == "github.event_name == 'workflow_dispatch'"
    shipped = read_workflow("apply")
    assert "workflow_dispatch" in shipped["on"]
    assert job | {"with": {**job["with"], "requires_reviewers": True}} == shipped["jobs"]["prod"]


def test_tokens_that_write_are_for_main_only_and_plans_of_one_request_wait_for_each_other() -> None:
    assert read_workflow("promote")["jobs"]["promote"]["environment"] == "promote", "it is restricted to main"
    files = {name: (FOLDER / "github" / f"{name}.yml").read_text() for name in WORKFLOWS}
    assert [name for name, text in files.items() if "secrets." in text] == ["promote"]
    plan = GitLab.pipeline["plan"]
    assert "PUSH_TOKEN" not in str(plan)
    assert plan["resource_group"] == "plan-$CI_MERGE_REQUEST_IID"
    assert read_workflow("plan")["concurrency"]["cancel-in-progress"] is False
    assert read_workflow("apply")["jobs"]["dev"]["if"] == "github.ref == 'refs/heads/main'"


class Environment:
    """One environment in an account of its own, with a state bucket and the CI roles."""

    def __init__(self, sandbox: Sandbox, repository: Path, name: str, system: str, planned: dict[str, Any]) -> None:
        self.name = name
        self.folder = repository / "envs" / name
        settings = yaml.safe_load((self.folder / "settings.yaml").read_text())
        self.account, self.region = settings["account_id"], settings["region"]
        self.prefix, self.bucket = settings["name_prefix"], settings["state"]["bucket"]
        self._sandbox = sandbox
        self._planned = {
            address.removeprefix(start): values
            for address, values in planned.items()
            if address.startswith(start := f"module.{name}.module.bootstrap.")
        }
        self._write_root_module()
        issuer = self._planned[f'aws_iam_openid_connect_provider.{system}["own"]']
        self.client("iam").create_open_id_connect_provider(Url=issuer["url"], ClientIDList=issuer["client_id_list"])
        location = {"LocationConstraint": self.region}
        self.client("s3").create_bucket(Bucket=self.bucket, CreateBucketConfiguration=location)
        state = f"arn:aws:s3:::{self.bucket}/{name}/terraform.tfstate"
        plan = [
            allow(f"arn:aws:s3:::{self.bucket}", "s3:ListBucket"),
            allow(state, "s3:GetObject"),
            allow(f"{state}.tflock", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
        ]
        packages = f"arn:aws:sagemaker:{self.region}:{self.account}:model-package/{self.prefix}-*"
        self.roles = {
            "plan": self._create_role("plan", *plan),
            "apply": self._create_role("apply", *plan, allow(state, "s3:PutObject")),
            "promote": self._create_role(
                "promote",
                allow(packages, "sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"),
                allow(f"arn:aws:s3:::{self.prefix}-models/*", "s3:GetObject"),
            ),
        }

    def client(self, service: str) -> Any:
        return make_client(service, self.region, self._sandbox.endpoint, self.account)

    def read_outputs(self) -> dict[str, Any]:
        """Return the applied values by address."""
        state = read_state(self._sandbox, self.account, self.bucket, f"{self.name}/terraform.tfstate", self.region)
        return {
            f"{one.get('module', one['name'])}": instance["attributes"]["input"]["value"]
            for one in state["resources"]
            for instance in one["instances"]
        }

    def register(self, *, approve: bool = True) -> str:
        """Register a package of a model in this account, and return its ARN."""
        s3, sagemaker = self.client("s3"), self.client("sagemaker")
        bucket, group = f"{self.prefix}-models", f"{self.prefix}-flight-delay"
        location = {"LocationConstraint": self.region}
        if not sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]:
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
            sagemaker.create_model_package_group(ModelPackageGroupName=group)
        etag = s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=b"model")["ETag"].strip('"')
        specification = {
            "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        }
        package = sagemaker.create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus="Approved" if approve else "PendingManualApproval",
            InferenceSpecification=specification,
            CustomerMetadataProperties={"model_etag": etag, "validation:auc": "0.75"},
        )
        return str(package["ModelPackageArn"])

    def _create_role(self, kind: str, *statements: dict[str, Any]) -> str:
        """Create a role with these statements and the trust policy of `bootstrap`, and return its ARN."""
        iam, planned = self.client("iam"), self._planned[f'aws_iam_role.{kind}["{self.name}"]']
        name, trust = planned["name"], planned["assume_role_policy"]
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        policy = {"Version": "2012-10-17", "Statement": statements}
        iam.put_role_policy(RoleName=name, PolicyName=kind, PolicyDocument=json.dumps(policy))
        return str(arn)

    def _write_root_module(self) -> None:
        for file in self.folder.glob("*.tf"):
            file.unlink()
        text = ROOT_MODULE.format(bucket=self.bucket, name=self.name, region=self.region)
        (self.folder / "main.tf").write_text(text)
        (self.folder / "endpoint").mkdir()
        (self.folder / "endpoint" / "main.tf").write_text(ENDPOINT)


def allow(resource: str, *actions: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


class Platform:
    """A platform repository with a remote, and its three environments."""

    def __init__(self, folder: Path, sandbox: Sandbox, system: str) -> None:
        self.folder = clone(folder / "platform")
        set_up(self.folder)
        git(self.folder, "init", "-q", "--bare", "../remote.git")
        git(self.folder, "remote", "add", "origin", "../remote.git")
        planned = plan_bootstrap(folder / "accounts", NAMES, REPOSITORIES[system], system)
        self.environments = {name: Environment(sandbox, self.folder, name, system, planned) for name in NAMES}
        (self.folder / "envs" / "catalogue" / "version.txt").write_text("v1\n")
        git(self.folder, "add", "-A")
        self.commit("environments")
        git(self.folder, "push", "-q", "origin", "main")

    def commit(self, message: str, version: str | None = None) -> None:
        """Change the catalogue, and commit all tracked files."""
        if version is not None:
            (self.folder / "envs" / "catalogue" / "version.txt").write_text(version)
        git(self.folder, "commit", "-q", "-a", "-m", message)

    def branch(self, name: str) -> None:
        """Create and check out a branch."""
        git(self.folder, "switch", "-q", "-c", name)

    def merge(self, name: str) -> None:
        """Merge a branch into main."""
        git(self.folder, "switch", "-q", "main")
        git(self.folder, "merge", "-q", "--no-ff", "-m", name, name)
        git(self.folder, "push", "-q", "origin", "main")

    def delete(self, branch: str) -> None:
        """Delete a merged branch, here and in the remote."""
        git(self.folder, "push", "-q", "origin", "--delete", branch)
        if git(self.folder, "branch", "--list", branch):
            git(self.folder, "branch", "-q", "-D", branch)

    def list_role_variables(self, kind: str, role: str | None = None) -> dict[str, str]:
        """Return the variables of the repository that name the roles of a kind, or other roles."""
        return {
            f"{kind}_ROLE_ARN_{name}".upper(): environment.roles[role or kind]
            for name, environment in self.environments.items()
        }


@pytest.mark.parametrize(
    ("rules", "is_allowed"),
    [
        ([{"type": "branch_policy"}, REVIEWED], True),
        ([{"type": "branch_policy"}, {"type": "wait_timer", "wait_timer": 30}], False),
        ([{**REVIEWED, "reviewers": []}], False),
        ([], False),
        (None, False),  # the API refuses the request
    ],
)
def test_an_apply_to_prod_stops_before_its_credentials_unless_the_environment_has_required_reviewers(
    tmp_path: Path, sandbox: Sandbox, service: str, rules: list[dict[str, Any]] | None, is_allowed: bool
) -> None:
    Service.environments |= {} if rules is None else {"prod": rules}
    workflow = read_workflow("apply-environment")
    job = workflow["jobs"]["apply"]
    job["steps"] = job["steps"][:1]
    runner = GitHub(tmp_path, sandbox, environment("github", service))
    known = {"inputs.environment": "prod", "inputs.requires_reviewers": "true", "github.token": "t"}
    assert runner.run_job(workflow, known) == (None if is_allowed else "Check the reviewers")
    (message,) = re.findall(r"```text\n(the GitHub environment prod .*)\n```", PAGE.read_text())
    assert (f"::error::{message}\n" in runner.output) is not is_allowed
    assert runner.run_job(workflow, known | {"inputs.requires_reviewers": "false"}) is None


@pytest.fixture
def enforcing(tmp_path: Path) -> Iterator[Sandbox]:
    SANDBOX_LOGS.append(tmp_path / "sandbox.log")
    with Sandbox.start(log=tmp_path / "sandbox.log", enforce_iam=True) as sandbox:
        yield sandbox


class OnGitHub:
    """The workflows of GitHub. The environment `prod` has required reviewers."""

    system = "github"

    def __init__(self, platform: Platform, sandbox: Sandbox, service: str) -> None:
        self.platform = platform
        self.runner = GitHub(platform.folder, sandbox, environment("github", service) | {"GITHUB_RUN_ID": "1"})
        Service.environments["prod"] = [REVIEWED]

    def plan(self, role: str = "plan") -> bool:
        """Plan and review the merge of a pull request with main, as GitHub checks it out."""
        branch = git(self.platform.folder, "branch", "--show-current")
        git(self.platform.folder, "switch", "-q", "--detach", "main")
        git(self.platform.folder, "merge", "-q", "--no-ff", "-m", "merge", branch)
        variables = self.platform.list_role_variables("plan", role=role)
        known = {
            **{f"vars.{name}": arn for name, arn in variables.items()},
            "github.event.pull_request.number": "7",
            "github.token": "t",
        }
        failed = self.runner.run_job(read_workflow("plan"), known)
        git(self.platform.folder, "switch", "-q", branch)
        return failed is None

    def apply(self, name: str, role: str = "apply", **replaced: str) -> str | None:
        """Apply an environment, and return the step that failed."""
        workflow = read_workflow("apply-environment")
        inputs = {key: one.get("default") for key, one in workflow["on"]["workflow_call"]["inputs"].items()}
        known = {
            **{
                f"inputs.{key}": str(value).lower()
                for key, value in {**inputs, **read_workflow("apply")["jobs"][name]["with"]}.items()
            },
            "vars.APPLY_ROLE_ARN": self.platform.environments[name].roles[role],
            "github.token": "t",
        }
        return self.runner.run_job(workflow, known, **replaced)

    def apply_all(self) -> list[str | None]:
        return [self.apply(name) for name in list_jobs_in_order(read_workflow("apply")["jobs"])]

    def promote(self, **inputs: str) -> bool:
        """Promote or roll back a model, and push its branch."""
        names = read_workflow("promote")["on"]["workflow_dispatch"]["inputs"]
        values = {name: inputs.get(name, str(one.get("default", ""))) for name, one in names.items()}
        known = {
            **{f"inputs.{name}": value for name, value in values.items()},
            **{f"vars.{name}": arn for name, arn in self.platform.list_role_variables("promote").items()},
            "secrets.PULL_REQUEST_TOKEN": "t",
        }
        return self.runner.run_job(read_workflow("promote"), known) is None

    def read_proposal(self) -> tuple[str, str]:
        """Return the branch and the title of the last pull request."""
        request = Service.pull_requests[-1]
        assert request["base"] == "main"
        assert "approval" in request["body"]
        return request["head"], request["title"]


class OnGitLab:
    """The jobs of GitLab."""

    system = "gitlab"

    def __init__(self, platform: Platform, sandbox: Sandbox, service: str) -> None:
        self.platform = platform
        variables = environment("gitlab", service) | {
            "CI_DEFAULT_BRANCH": "main",
            "CI_PIPELINE_ID": "1",
            "CI_PROJECT_PATH": REPOSITORIES["gitlab"],
        }
        self.runner = GitLab(platform.folder, sandbox, variables)
        remote = platform.folder.parent / "remote.git"
        git(remote, "config", "receive.advertisePushOptions", "true")
        hook = remote / "hooks" / "post-receive"
        hook.write_text('#!/bin/sh\nprintf "%s\\n" "$GIT_PUSH_OPTION_0" "$GIT_PUSH_OPTION_1" > options.txt\n')
        hook.chmod(0o755)
        self._remote = remote

    def plan(self, role: str = "plan") -> bool:
        """Plan and review a merge request."""
        roles = self.platform.list_role_variables("plan", role=role)
        branch = git(self.platform.folder, "branch", "--show-current")
        request = {"CI_MERGE_REQUEST_EVENT_TYPE": "detached", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
        return self.runner.run_job("plan", branch, **roles, **request) == 0

    def apply(self, name: str, role: str = "apply", **replaced: str) -> str | None:
        """Apply an environment, and return a text if it failed."""
        roles = {f"APPLY_ROLE_ARN_{name.upper()}": self.platform.environments[name].roles[role]}
        return "failed" if self.runner.run_job(f"apply {name}", **roles, **replaced) else None

    def apply_all(self) -> list[str | None]:
        jobs = [name for name in GitLab.pipeline if name.startswith("apply ")]
        return [self.apply(name.removeprefix("apply ")) for name in jobs]

    def promote(self, **inputs: str) -> bool:
        """Promote or roll back a model, and push its branch."""
        (self._remote / "options.txt").unlink(missing_ok=True)
        # `git config` replaces the address of GitLab by that of the bare repository.
        git(
            self.platform.folder,
            "config",
            f"url.{self._remote}.insteadOf",
            "https://oauth2:push@gitlab.example:443/a/b.git",
        )
        server = {"CI_SERVER_PROTOCOL": "https", "CI_SERVER_HOST": "gitlab.example", "CI_SERVER_PORT": "443"}
        server["PUSH_TOKEN"] = "push"  # noqa: S105
        values = {name.upper(): value for name, value in inputs.items()}
        roles = self.platform.list_role_variables("promote")
        code = self.runner.run_job("promote", **roles, **server, **values, CI_JOB_URL="https://gitlab.example/1")
        return code == 0

    def read_proposal(self) -> tuple[str, str]:
        """Return the branch and the title of the last merge request."""
        created, target = (self._remote / "options.txt").read_text().split()
        assert (created, target) == ("merge_request.create", "merge_request.target=main")
        branch = git(self._remote, "for-each-ref", "--sort=-committerdate", "--format=%(refname:short)", "--count=1")
        return branch, git(self._remote, "log", "-1", "--format=%s", branch)


@pytest.mark.apply
@pytest.mark.parametrize("kind", [OnGitHub, pytest.param(OnGitLab, marks=pytest.mark.release)])
def test_a_change_is_planned_reviewed_and_applied_in_order_and_a_model_promoted_and_rolled_back(
    kind: type[OnGitHub] | type[OnGitLab], tmp_path: Path, enforcing: Sandbox, service: str
) -> None:
    platform = Platform(tmp_path, enforcing, kind.system)
    ci = kind(platform, enforcing, service)

    platform.branch("catalogue")
    platform.commit("catalogue", "v2\n")
    assert not ci.plan(role="apply"), "no role that writes trusts a pull request"
    assert ci.plan(), ci.runner.output
    (comment,) = Service.comments
    assert [name for name in NAMES if re.search(rf"\b{name}\b", comment["body"])] == list(NAMES)
    platform.merge("catalogue")
    assert ci.apply("dev", REVIEW_OPTIONS="--only module.other"), "the saved plan is reviewed again"
    assert ci.apply("dev", role="plan"), "the role of pull requests applies nothing"
    assert ci.apply_all() == [None] * 3, ci.runner.output
    git(platform.folder, "switch", "-q", "--detach", "main^1")
    assert ci.apply("prod"), "a newer commit is on main"
    assert "main is at " in ci.runner.output
    git(platform.folder, "switch", "-q", "main")
    assert [one.read_outputs() for one in platform.environments.values()] == [{"catalogue": "v2\n"}] * 3

    staging = platform.environments["staging"]
    packages = [staging.register(), staging.register()]
    pending = staging.register(approve=False)
    request = {"model": "flight_delay", "to": "staging"}
    for number, (package, action) in enumerate(
        [(packages[0], "promote"), (packages[1], "promote"), (packages[0], "rollback")], 1
    ):
        git(platform.folder, "checkout", "-q", "--detach", "main")  # as GitLab does
        chosen = {"package": package} if action == "promote" else {}
        assert ci.promote(**request, action=action, **chosen), ci.runner.output
        branch, title = ci.read_proposal()
        assert title == f"{action} flight_delay in staging"
        proposal = f"proposal-{number}"
        git(platform.folder, "fetch", "-q", "../remote.git", f"{branch}:{proposal}")
        git(platform.folder, "switch", "-q", proposal)
        assert git(platform.folder, "diff", "--name-only", "main") == f"envs/staging/{synth.PACKAGES}"
        assert ci.plan(), ci.runner.output
        assert len(Service.comments) == 1
        platform.merge(proposal)
        platform.delete(branch)
        assert ci.apply("staging") is None, ci.runner.output
        assert staging.read_outputs()['module.serverless_endpoint["flight_delay"]'] == package
    assert not ci.promote(**request, action="promote", package=pending)
    assert "approval" in ci.runner.output

    platform.branch("wider")
    (staging.folder / synth.PACKAGES).write_text(json.dumps({"model_packages": {"flight_delay": packages[1]}}))
    platform.commit("wider")
    (platform.folder / "envs" / "catalogue" / "version.txt").write_text("v3\n")
    assert not ci.plan(), "the plan changes more than the promoted model"
    assert "changes more than" in Service.comments[0]["body"]
