"""A package of another account's registry is promoted to an environment and rolled back, each with its own plan."""

import json
import re
import shlex
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from envs.components.access import Access
from envs.components.model_registry import ModelRegistry
from envs.components.network import Network
from envs.components.observability import Observability
from envs.components.promotions import Promotions
from envs.components.serverless_endpoints import ServerlessEndpoints
from envs.components.storage import Storage
from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.client import make_client
from sustainable_mlops import program, synth
from sustainable_mlops.commands import promote, rollback
from sustainable_mlops.operations.promotion import run
from sustainable_mlops.plan import load
from sustainable_mlops.review import Review, review
from sustainable_mlops.terraform import ROOT
from tests.clone import git
from tests.envs import example
from tests.envs.test_golden_path import write_root_module
from tests.modules.examples import apply, plan, terraform
from tests.review_checks import list_blocking_gates
from tests.sandbox.support import IMAGE, create_tar

COMPONENTS = (Storage, Network, Access, ModelRegistry, ServerlessEndpoints, Promotions, Observability)
ACCOUNT, REGISTRY = "123456789012", "222222222222"
GROUP, BUCKET = "smlops-dev-flight-delay", "models-of-dev"
CHANGES = {
    "environment": "staging",
    "name_prefix": "smlops-staging",
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
        body = create_tar(code__inference_py=MODEL.format(version=version))
        etag = self._s3.put_object(Bucket=BUCKET, Key=f"{version}.tar.gz", Body=body)["ETag"].strip('"')
        package = self._sagemaker.create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{version}.tar.gz"}],
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


class Staging:
    """The environment staging in a git checkout, with the commands that change it."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd
        self.dev, self.folder = folder / "envs" / "dev", folder / "envs" / "staging"
        (folder / "modules").symlink_to(ROOT / "modules")
        (folder / "envs").mkdir()
        (folder / "envs" / "catalogue").symlink_to(example.CATALOGUE)
        settings = (example.DEV / "settings.yaml").read_text()
        edited = settings.replace("environment: dev", "environment: staging").replace("smlops-dev", "smlops-staging")
        promotion = f'\npromotion:\n  registries:\n    "{REGISTRY}": smlops-dev\n'
        for environment, text in ((self.dev, settings), (self.folder, edited + promotion)):
            environment.mkdir()
            (environment / "settings.yaml").write_text(text)
        git(folder, "init", "-q", "-b", "main")

    def change(self, app: Any, *arguments: str) -> list[str]:
        """Run a command that pins a package, commit the file, and return the addresses of its `--only`."""
        command = ["flight_delay", *arguments, "--json"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["smlops", *command])
            with pytest.raises(SystemExit) as end:
                program.run(lambda: get_command(app.app)(command, prog_name="smlops"))
        out, error = self._capfd.readouterr()
        assert not end.value.code, error
        git(self.folder, "add", "-f", synth.PACKAGES)
        git(self.folder, "commit", "-q", "-m", "package")
        words = shlex.split(json.loads(out)["commands"][2])
        return [after for word, after in pairwise(words) if word == "--only"]

    def pin_in_dev(self, package: str) -> None:
        (self.dev / synth.PACKAGES).write_text(json.dumps({"model_packages": {"flight_delay": package}}))


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
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    for module in (run, synth):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    registry, staging = DevRegistry(sandbox), Staging(tmp_path, capfd)
    versions = [registry.register(number) for number in (1, 2)]
    body = environment(COMPONENTS, **CHANGES).json()
    assert f"arn:aws:s3:::smlops-dev-artifacts-{REGISTRY}-eu-north-1/models/*" in json.dumps(body)
    write_root_module(staging.folder, body)
    driver = terraform(staging.folder, variables)
    plan(driver)
    apply(driver)
    try:
        for number, package in enumerate(versions, 1):
            staging.pin_in_dev(package)
            only = staging.change(promote, "--from", "dev", "--to", "staging")
            promotion = plan(driver)
            result = review_scope(promotion, only)
            assert result.changes
            assert list_blocking_gates(result) == [], result.gates
            apply(driver)
            assert read_answer(sandbox) == number
        only = staging.change(rollback, "--environment", "staging")
        assert only == ['module.serverless_endpoint["flight_delay"]']
        assert list_blocking_gates(review_scope(plan(driver), only)) == []
        write_root_module(staging.folder, environment(COMPONENTS, **CHANGES, log_retention_days=30).json())
        wider = review_scope(plan(driver), only)
        assert list_blocking_gates(wider) == ["scope"]
        assert re.search(r"changes more than .*: module\.observability\.", str(wider.gates))
    finally:
        driver.destroy()


def read_answer(sandbox: Sandbox) -> Any:
    """Return the prediction of the endpoint in staging."""
    runtime, request = sandbox.client("sagemaker-runtime"), {"ContentType": "application/json", "Body": b"[]"}
    return json.load(runtime.invoke_endpoint(EndpointName="smlops-staging-flight-delay", **request)["Body"])
