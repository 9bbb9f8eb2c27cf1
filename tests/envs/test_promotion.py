"""Packages are promoted to environments in other accounts and rolled back, each with its own plan."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import pytest
from typer.main import get_command

from clone import synth
from clone.commands import promote, rollback
from clone.promotion import run
from envs.components.access import Access
from envs.components.model_registry import ModelRegistry
from envs.components.network import Network
from envs.components.observability import Observability
from envs.components.pipelines import Pipelines
from envs.components.promotions import Promotions
from envs.components.serverless_endpoints import ServerlessEndpoints
from envs.components.storage import Storage
from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from sustainable_mlops.base import program
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.plan import load
from sustainable_mlops.review import Review, review
from sustainable_mlops.review.comment_marker import build_marker, find_plan_hashes
from tests.cloned_repository import git
from tests.envs import example
from tests.envs.test_golden_path import write_root_module
from tests.modules.examples import apply, plan, terraform
from tests.review_checks import list_blocking_gates
from tests.sandbox.support import IMAGE, create_tar

COMPONENTS = (Storage, Network, Access, ModelRegistry, ServerlessEndpoints, Promotions, Pipelines, Observability)
ACCOUNT, REGISTRY = "123456789012", "222222222222"
GROUP, BUCKET = "smlops-dev-flight-delay", "models-of-dev"
CHANGES = {
    "environment": "staging",
    "name_prefix": "smlops-staging",
    "pipelines": {},  # their definitions are files of an environment
    "promotion": {"registries": {REGISTRY: "smlops-dev"}},
}
MODEL = """
import json
def model_fn(folder): return {version}
def input_fn(body, content_type): return json.loads(body)
def predict_fn(values, model): return model
"""


class DevRegistry:
    """The package group of dev in an account of its own, shared with the account of staging."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._s3, self._sagemaker = (
            make_client(service, "eu-north-1", sandbox.endpoint, REGISTRY) for service in ("s3", "sagemaker")
        )
        self._s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        self._s3.put_bucket_policy(Bucket=BUCKET, Policy=share(f"arn:aws:s3:::{BUCKET}/*", "s3:GetObject"))
        self._sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
        packages = f"arn:aws:sagemaker:eu-north-1:{REGISTRY}:model-package/{GROUP}/*"
        policy = share(packages, "sagemaker:DescribeModelPackage", "sagemaker:CreateModel")
        self._sagemaker.put_model_package_group_policy(ModelPackageGroupName=GROUP, ResourcePolicy=policy)

    def register(self, version: int) -> str:
        """Register an approved package whose model returns its version."""
        return register_version(self._s3, self._sagemaker, BUCKET, version)


def register_version(s3: Any, sagemaker: Any, bucket: str, version: int, *, approve: bool = True) -> str:
    """Register a package in dev whose model returns its version, and return its ARN."""
    key, body = f"models/{version}.tar.gz", create_tar(code__inference_py=MODEL.format(version=version))
    etag = s3.put_object(Bucket=bucket, Key=key, Body=body)["ETag"].strip('"')
    package = sagemaker.create_model_package(
        ModelPackageGroupName=GROUP,
        ModelApprovalStatus="Approved" if approve else "PendingManualApproval",
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/{key}"}],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
        CustomerMetadataProperties={"model_etag": etag, "test:auc": "0.75"},
    )
    return str(package["ModelPackageArn"])


def share(resource: str, *actions: str) -> str:
    """Return a policy that allows the account of staging these actions."""
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": [resource]}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Checkout:
    """A git checkout with environments, and the commands that change it. Keeps links that exist in the folder."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str], environments: Mapping[str, str]) -> None:
        self._capfd = capfd
        self.folder = folder
        (folder / "envs").mkdir(exist_ok=True)
        for link, target in {"modules": ROOT / "modules", "envs/catalogue": example.CATALOGUE}.items():
            if not (folder / link).exists():
                (folder / link).symlink_to(target)
        for name, settings in environments.items():
            self[name].mkdir(exist_ok=True)
            (self[name] / "settings.yaml").write_text(settings)
        git(folder, "init", "-q", "-b", "main")

    def __getitem__(self, name: str) -> Path:
        """Return the folder of an environment."""
        return self.folder / "envs" / name

    def call(self, app: Any, *arguments: str) -> tuple[int, dict[str, Any], str]:
        """Run a command, and return its exit code, its JSON and its errors."""
        command = ["flight_delay", *arguments, "--json"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["smlops", *command])
            with pytest.raises(SystemExit) as end:
                program.run(lambda: get_command(app.app)(command, prog_name="smlops"))
        out, error = self._capfd.readouterr()
        assert out, error
        return int(end.value.code or 0), json.loads(out), error

    def change(self, app: Any, name: str, *arguments: str) -> list[str]:
        """Run a command that pins a package, commit the file, and return the addresses of its `--only`."""
        code, result, error = self.call(app, "--environment" if app is rollback else "--to", name, *arguments)
        assert code == 0, error
        git(self.folder, "add", "-f", str(self[name] / synth.PACKAGES))
        git(self.folder, "commit", "-q", "-m", "package")
        words = shlex.split(result["commands"][2])
        return [after for word, after in pairwise(words) if word == "--only"]

    def pin(self, name: str, package: str) -> None:
        (self[name] / synth.PACKAGES).write_text(json.dumps({"model_packages": {"flight_delay": package}}))


def use_checkout(monkeypatch: pytest.MonkeyPatch, folder: Path, sandbox: Sandbox) -> None:
    """Let the commands use the environments of a folder, and the sandbox."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    for module in (run, synth):
        monkeypatch.setattr(module, "ROOT", folder)


def review_scope(document: dict[str, Any], only: list[str]) -> Review:
    """Return the review of a plan with `--only`."""
    return review(load(json.dumps(document).encode()), only=only, limit=None)


@pytest.mark.apply
def test_each_plan_of_a_promotion_and_of_a_rollback_changes_only_its_model(
    tmp_path: Path,
    own: tuple[Sandbox, dict[str, str]],
    environment: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    sandbox, variables = own
    use_checkout(monkeypatch, tmp_path, sandbox)
    settings = (example.DEV / "settings.yaml").read_text()
    edited = settings.replace("environment: dev", "environment: staging").replace("smlops-dev", "smlops-staging")
    registries = f'\npromotion:\n  registries:\n    "{REGISTRY}": smlops-dev\n'
    checkout = Checkout(tmp_path, capfd, {"dev": settings, "staging": edited + registries})
    registry, staging = DevRegistry(sandbox), checkout["staging"]
    versions = [registry.register(number) for number in (1, 2)]
    body = environment(COMPONENTS, **CHANGES).to_json()
    assert f"arn:aws:s3:::smlops-dev-artifacts-{REGISTRY}-eu-north-1/models/*" in json.dumps(body)
    write_root_module(staging, body)
    driver = terraform(staging, variables)
    plan(driver)
    apply(driver)
    try:
        for number, package in enumerate(versions, 1):
            checkout.pin("dev", package)
            only = checkout.change(promote, "staging", "--from", "dev")
            promotion = plan(driver)
            result = review_scope(promotion, only)
            assert result.changes
            assert list_blocking_gates(result) == [], result.gates
            apply(driver)
            assert read_prediction(sandbox) == number
        only = checkout.change(rollback, "staging")
        assert only == ['module.serverless_endpoint["flight_delay"]']
        assert list_blocking_gates(review_scope(plan(driver), only)) == []
        write_root_module(staging, environment(COMPONENTS, **CHANGES, log_retention_days=30).to_json())
        wider = review_scope(plan(driver), only)
        assert list_blocking_gates(wider) == ["scope"]
        assert re.search(r"changes more than .*: module\.observability\.", str(wider.gates))
    finally:
        driver.destroy()


def read_prediction(sandbox: Sandbox, name: str = "staging", account: str = ACCOUNT) -> Any:
    """Return the prediction of the endpoint in an environment."""
    runtime = make_client("sagemaker-runtime", "eu-north-1", sandbox.endpoint, account)
    request = {"ContentType": "application/json", "Body": b"[]"}
    return json.load(runtime.invoke_endpoint(EndpointName=f"smlops-{name}-flight-delay", **request)["Body"])


class Chain:
    """The environments dev, staging and prod in three accounts. Each accepts the packages of dev."""

    accounts: ClassVar[dict[str, str]] = {"dev": REGISTRY, "staging": ACCOUNT, "prod": "333333333333"}
    _bucket = f"smlops-dev-artifacts-{REGISTRY}-eu-north-1"

    def __init__(
        self,
        checkout: Checkout,
        sandbox: Sandbox,
        variables: dict[str, str],
        environment: Callable[..., Any],
        dev: dict[str, Any],
    ) -> None:
        self.checkout = checkout
        self._sandbox = sandbox
        self._variables = variables
        self._environment = environment
        self._model = dev["models"]["flight_delay"]
        self._key = ""
        self.drivers: dict[str, Any] = {}

    @classmethod
    def write_settings(cls) -> dict[str, str]:
        """Return the settings files for `smlops promote`."""
        text = (example.DEV / "settings.yaml").read_text()
        registries = f'\npromotion:\n  registries:\n    "{REGISTRY}": smlops-dev\n'
        return {
            name: text.replace("environment: dev", f"environment: {name}")
            .replace("smlops-dev", f"smlops-{name}")
            .replace(f'"{ACCOUNT}"', f'"{account}"')
            + f"\nassume_role_arn: arn:aws:iam::{account}:role/deployer\n"
            + (registries if name != "dev" else "")
            for name, account in cls.accounts.items()
        }

    def create(self, name: str) -> None:
        """Apply an environment without packages."""
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self._client("iam", name).create_role(RoleName="deployer", AssumeRolePolicyDocument=document)
        self.write(name)
        self.drivers[name] = terraform(self.checkout[name], self._variables)
        plan(self.drivers[name])
        apply(self.drivers[name])
        if name == "dev":
            key = self._client("kms", name).describe_key(KeyId="alias/smlops-dev")
            self._key = key["KeyMetadata"]["Arn"]

    def write(self, name: str) -> None:
        """Write the root module of an environment."""
        account = self.accounts[name]
        own: dict[str, Any] = {
            "environment": name,
            "name_prefix": f"smlops-{name}",
            "account_id": account,
            "assume_role_arn": f"arn:aws:iam::{account}:role/deployer",
            "pipelines": {},
        }
        own["models"] = {"flight_delay": dict(self._model)}
        if name == "dev":
            readers = [one for one in self.accounts.values() if one != account]
            own["models"]["flight_delay"]["reader_account_ids"] = readers
            own["storage"] = {"reader_account_ids": readers}
        else:
            own["promotion"] = {"registries": {REGISTRY: "smlops-dev"}}
            own["access"] = {"decrypt_key_arns": [self._key]}
        write_root_module(self.checkout[name], self._environment(COMPONENTS, **own).to_json())

    def change_catalogue(self, **serverless: Any) -> None:
        """Change the serverless endpoint of the model in every environment."""
        self._model = self._model | {"serverless_endpoint": self._model["serverless_endpoint"] | serverless}
        for name in self.accounts:
            self.write(name)

    def register(self, version: int, *, approve: bool = True) -> str:
        """Register a package in dev whose model returns its version."""
        s3, sagemaker = (self._client(service, "dev") for service in ("s3", "sagemaker"))
        return register_version(s3, sagemaker, self._bucket, version, approve=approve)

    def tamper(self, version: int) -> None:
        """Replace the model of a registered package."""
        self._client("s3", "dev").put_object(Bucket=self._bucket, Key=f"models/{version}.tar.gz", Body=b"another model")

    def follow(self, name: str, app: Any, *arguments: str) -> Any:
        """Pin a package, review the plan with `--only`, apply it, and return the prediction of the endpoint."""
        only = self.checkout.change(app, name, *arguments)
        document = plan(self.drivers[name])
        result = review_scope(document, only)
        assert result.changes
        assert list_blocking_gates(result) == [], (name, result.gates)
        apply(self.drivers[name])
        return read_prediction(self._sandbox, name, self.accounts[name])

    def refuse(self, name: str, *arguments: str) -> str:
        """Return the first unmet condition of a promotion that the gate refuses, and check that no file changed."""
        file = self.checkout[name] / synth.PACKAGES
        before = file.read_bytes()
        code, result, _ = self.checkout.call(promote, "--to", name, *arguments)
        assert (code, result["outcome"], file.read_bytes()) == (2, "refused", before)
        return next(str(one["name"]) for one in result["conditions"] if not one["met"])

    def _client(self, service: str, name: str) -> Any:
        return make_client(service, "eu-north-1", self._sandbox.endpoint, self.accounts[name])


@pytest.mark.apply
@pytest.mark.release
def test_packages_go_from_dev_to_staging_and_prod_and_back_and_one_comment_has_three_plans(
    tmp_path: Path,
    own: tuple[Sandbox, dict[str, str]],
    environment: Callable[..., Any],
    dev: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    sandbox, variables = own
    use_checkout(monkeypatch, tmp_path, sandbox)
    checkout = Checkout(tmp_path, capfd, Chain.write_settings())
    chain = Chain(checkout, sandbox, variables, environment, dev)
    names = list(chain.accounts)
    for name in names:
        chain.create(name)
    for version in (1, 2):
        package = chain.register(version)
        assert chain.follow("dev", promote) == version, "the newest approved package of dev"
        if version == 2:
            assert chain.refuse("prod", "--package", chain.register(3, approve=False)) == "approval"
            foreign = package.replace(REGISTRY, "444444444444")
            assert chain.refuse("prod", "--package", foreign) == "registry"
        for source, target in pairwise(names):
            assert chain.follow(target, promote, "--from", source) == version
    predictions = [chain.follow(name, rollback) for name in reversed(names)]
    assert predictions == [1, 1, 1]
    chain.tamper(2)
    assert chain.refuse("prod", "--package", package) == "model"

    chain.change_catalogue(memory_mb=4096)
    files = []
    for name in names:
        files.append(tmp_path / "plans" / name / "plan.json")
        files[-1].parent.mkdir(parents=True)
        files[-1].write_text(json.dumps(plan(chain.drivers[name])))
    comment = tmp_path / "comment.md"
    command = [sys.executable, "-m", "sustainable_mlops", "review", *map(str, files), "--write", str(comment)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout
    text = comment.read_text()
    assert find_plan_hashes(text) == find_plan_hashes(build_marker(*names))
    assert all(re.search(rf"\b{name}\b", text.partition("\n")[2]) for name in names), text
    assert text.count("aws_sagemaker_endpoint_configuration") >= len(names), text
