"""A small environment on the sandbox: an apply and a promotion, each with a fault and its recovery."""

import contextlib
import json
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from typer.main import get_command

from clone import synth
from clone.commands import promote
from clone.deploy.entry import read_packages
from clone.promotion import run as promotion_run
from sagemaker_sandbox import Sandbox
from sustainable_mlops.base import program
from sustainable_mlops.base.terraform import ROOT, Terraform, find_engine, make_environment
from sustainable_mlops.commands import recover
from tests.account.chaos.case import Calls, Case, FaultKind, Result, inject, is_reached
from tests.account.chaos.process import KILLED, capture, run_forked, run_program
from tests.cloned_repository import git
from tests.envs import example
from tests.envs.test_promotion import REGISTRY, DevRegistry, read_prediction
from tests.sandbox.support import wait_until

STATE, DATA, REGION = "chaos-state", "smlops-staging-data", "eu-north-1"
ROOT_MODULE = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
  backend "s3" {
    bucket       = "chaos-state"
    key          = "terraform.tfstate"
    region       = "eu-north-1"
    use_lockfile = true
  }
}

provider "aws" {
  region = "eu-north-1"
  default_tags {
    tags = { environment = "staging", workload = "flight_delay" }
  }
}

variable "model_packages" {
  type    = map(string)
  default = {}
}

variable "memory_mb" {
  type    = number
  default = 1024
}

resource "aws_iam_role" "inference" {
  name = "smlops-staging-inference"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "sagemaker.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "inference" {
  name = "read"
  role = aws_iam_role.inference.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::models-of-dev/*" }]
  })
}

resource "aws_s3_bucket" "data" {
  bucket        = "smlops-staging-data"
  force_destroy = true
}

resource "aws_s3_bucket_versioning" "data" {
  bucket = aws_s3_bucket.data.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_kms_alias" "data" {
  name          = "alias/smlops-staging"
  target_key_id = "KEY"
}

resource "aws_cloudwatch_event_rule" "jobs" {
  name          = "smlops-staging-jobs"
  event_pattern = jsonencode({ source = ["aws.sagemaker"] })
}

module "model_registry" {
  source = "../../modules/model_registry"

  name_prefix          = "smlops-staging"
  account_id           = "123456789012"
  region               = "eu-north-1"
  deletion_protection  = false
  model_package_groups = { flight_delay = {} }
}

module "serverless_endpoint" {
  source   = "../../modules/serverless_endpoint"
  for_each = var.model_packages

  name_prefix       = "smlops-staging"
  name              = "smlops-staging-flight-delay"
  model_package_arn = each.value
  kms_key_arn       = "KEY"
  memory_mb         = var.memory_mb
  role_arn          = aws_iam_role.inference.arn
  depends_on        = [aws_iam_role_policy.inference]
}
"""


class Environment:
    """The environment staging in a git checkout, which serves a package of another account."""

    def __init__(self, folder: Path, sandbox: Sandbox, variables: dict[str, str]) -> None:
        self.sandbox, self._root = sandbox, folder
        self._variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | variables
        self.folder, self._dev = folder / "envs" / "staging", folder / "envs" / "dev"
        (folder / "modules").symlink_to(ROOT / "modules")
        (folder / "envs").mkdir()
        (folder / "envs" / "catalogue").symlink_to(example.CATALOGUE)
        settings = (example.DEV / "settings.yaml").read_text()
        edited = settings.replace("environment: dev", "environment: staging").replace("smlops-dev", "smlops-staging")
        promotion = f'\npromotion:\n  registries:\n    "{REGISTRY}": smlops-dev\n'
        for environment, text in ((self._dev, settings), (self.folder, edited + promotion)):
            environment.mkdir()
            (environment / "settings.yaml").write_text(text)
        key = sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]
        (self.folder / "main.tf").write_text(ROOT_MODULE.replace("KEY", key))
        sandbox.client("s3").create_bucket(Bucket=STATE, CreateBucketConfiguration={"LocationConstraint": REGION})
        self._registry = DevRegistry(sandbox)
        self.version = 0
        self.pin(self.folder, self.register())
        git(folder, "init", "-q", "-b", "main")
        self.commit()
        self.terraform = Terraform(self.folder, variables)
        self.terraform.init()
        self._calls: dict[str, Calls] = {}

    def register(self) -> str:
        """Register the next version of the model, and return its ARN."""
        self.version += 1
        return self._registry.register(self.version)

    def pin(self, folder: Path, package: str) -> None:
        (folder / synth.PACKAGES).write_text(json.dumps({"model_packages": {"flight_delay": package}}))

    def commit(self) -> None:
        git(self._root, "add", "-f", f"envs/staging/{synth.PACKAGES}")
        git(self._root, "commit", "-q", "--allow-empty", "-m", "package")

    def prepare(self) -> None:
        """Record the requests of a creation, a change and a promotion, then destroy the resources."""
        self._calls["create"] = self._record(self.terraform.apply)
        self._calls["change"] = self._record(lambda: self.terraform.apply("-var=memory_mb=2048"))
        self._inventory = count_resources(self.sandbox)
        self.pin(self._dev, self.register())
        self._calls["promote"] = self._record(lambda: self.promote(None))
        self._calls["deploy"] = self._record(self.terraform.apply)
        self.commit()
        self.terraform.apply("-destroy")

    def _record(self, work: Callable[[], Any]) -> Calls:
        with self.sandbox.record_calls() as calls:
            work()
        return Calls.of(calls)

    def run_apply(self, case: Case, result: Result) -> None:
        """Create or change the environment with the fault of a case, recover, and check that nothing is lost."""
        before = count_resources(self.sandbox)
        scenario = case.source.choice(["create", "change"])
        result.step = scenario
        option = "-var=memory_mb=2048" if scenario == "change" else "-var=memory_mb=1024"
        if scenario == "change":
            self.terraform.apply()
            self.sandbox.client("s3").put_object(Bucket=DATA, Key="kept", Body=b"kept")
        inject(case, self.sandbox, self._calls[scenario], result)
        self._apply_with_fault(case, result, option)
        self._recover(result, option)
        self._check(result, option)
        if scenario == "change":
            assert self.sandbox.client("s3").get_object(Bucket=DATA, Key="kept")["Body"].read() == b"kept"
        after = count_resources(self.sandbox)
        assert after == self._inventory, f"orphans: {after} instead of {self._inventory}"
        self.terraform.apply("-destroy")
        wait_until(lambda: self._is_destroyed(before))

    def _is_destroyed(self, before: dict[str, int]) -> bool:
        """Return whether nothing is left. A late line of the endpoint creates its log group again; delete it."""
        logs = self.sandbox.client("logs")
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
            logs.delete_log_group(logGroupName="/aws/sagemaker/Endpoints/smlops-staging-flight-delay")
        return count_resources(self.sandbox) == before

    def run_promotion(self, case: Case, result: Result) -> None:
        """Promote a new package and apply it, with the fault of a case in one of the two steps."""
        self.terraform.apply()
        package, old = self.register(), read_packages(self.folder)["model_packages"]["flight_delay"]
        self.pin(self._dev, package)
        step = (
            case.source.choice(["promote", "write", "deploy"])
            if case.kind is FaultKind.KILLED
            else (case.source.choice(["promote", "deploy"]))
        )
        result.step = step
        if step == "write":
            result.request = f"write of {synth.PACKAGES}"
        elif step == "promote":
            inject(case, self.sandbox, self._calls["promote"], result)
        if step != "deploy":
            code = self.promote(case, dies_in_write=step == "write")
            result.is_reached = step == "write" or is_reached(case, self.sandbox)
            self.sandbox.clear_faults()
            result.code = code
            pinned = read_packages(self.folder)["model_packages"]["flight_delay"]
            assert pinned in (old, package), f"{pinned} is neither the old nor the new package"
            assert (pinned == package) == (code == 0) or code == KILLED
            if code:
                assert self.promote(None) == 0
                result.commands.append("smlops promote flight_delay --from dev --to staging")
        else:
            assert self.promote(None) == 0
            inject(case, self.sandbox, self._calls["deploy"], result)
            self._apply_with_fault(case, result, "-var=memory_mb=1024")
        self._recover(result, "-var=memory_mb=1024", always=step != "deploy")
        self._check(result, "-var=memory_mb=1024")
        assert read_packages(self.folder) == {"model_packages": {"flight_delay": package}}
        assert git(self._root, "status", "--porcelain", "--", f"envs/staging/{synth.PACKAGES}") != ""
        assert read_prediction(self.sandbox) == self.version, "the endpoint serves the promoted package"
        assert count_resources(self.sandbox) == self._inventory, "orphans"
        self.commit()

    def promote(self, case: Case | None, *, dies_in_write: bool = False) -> int:
        """Run `smlops promote`, and return its exit code. With `dies_in_write`, kill the process during the write."""

        def work() -> dict[str, Any]:
            real = Path.replace

            def replace(path: Path, target: Any) -> Any:
                if dies_in_write and path.name.endswith(".partial"):
                    os.kill(os.getpid(), 9)
                return real(path, target)

            with mock.patch.object(Path, "replace", replace):
                code, _ = self._command(promote, "flight_delay", "--from", "dev", "--to", "staging")
            return {"code": code}

        result = run_forked(work, case, self.sandbox)
        return KILLED if result is None else int(result["code"])

    def _command(self, module: Any, *words: str) -> tuple[int, str]:
        """Run a command in this process, and return its exit code and stderr."""
        name = module.__name__.rpartition(".")[2]
        with (
            mock.patch.dict(os.environ, self._variables, clear=True),
            mock.patch.object(promotion_run, "ROOT", self._root),
            mock.patch.object(synth, "ROOT", self._root),
            mock.patch.object(sys, "argv", ["smlops", name, *words]),
            capture() as (_, error),
        ):
            try:
                program.run(lambda: get_command(module.app)(list(words), prog_name=f"smlops {name}"))
                code = 0
            except SystemExit as end:
                code = int(end.code or 0)
        assert "Traceback" not in error.getvalue(), error.getvalue()
        return code, error.getvalue()

    def _apply_with_fault(self, case: Case, result: Result, option: str) -> None:
        command = [find_engine().path, "apply", "-auto-approve", "-input=false", "-no-color", option]
        result.code, _ = run_program(command, self.folder, make_environment(self._variables), case, self.sandbox)
        result.is_reached = is_reached(case, self.sandbox)
        self.sandbox.clear_faults()

    def _recover(self, result: Result, option: str, *, always: bool = False) -> None:
        """Run the documented command, and the command that it prints, until the apply is complete."""
        if not result.code and not always:
            return
        words = [str(self.folder), "--yes"]
        with mock.patch.dict(self._variables, {"TF_CLI_ARGS_plan": option}):
            for _ in range(2):
                code, error = self._command(recover, *words)
                result.commands.append(f"smlops recover {' '.join(words)}".replace(str(self.folder), "envs/staging"))
                if code == 0:
                    return
                last = error.strip().splitlines()[-1]
                assert last.startswith("smlops recover "), error
                words = [*shlex.split(last)[2:], "--yes"]
        raise AssertionError(error)

    def _check(self, result: Result, option: str) -> None:
        """Check that a plan is empty, and that neither a lock nor a half-written file is left."""
        plan = self._root / "check.tfplan"
        with mock.patch.dict(self.terraform._env, {"TF_CLI_ARGS_plan": option}):
            assert self.terraform.is_up_to_date(plan), "the plan is not empty"
        result.converged = True
        keys = [one["Key"] for one in self.sandbox.client("s3").list_objects_v2(Bucket=STATE)["Contents"]]
        assert keys == ["terraform.tfstate"], f"left in the state bucket: {keys}"
        names = {path.name for path in self.folder.iterdir()}
        assert names == {".terraform", ".terraform.lock.hcl", "main.tf", "settings.yaml", synth.PACKAGES}, names


def count_resources(sandbox: Sandbox) -> dict[str, int]:
    """Return the number of resources by service and type, because some names are generated.

    Packages do not count: the cases register them.
    """
    counts = {
        f"{service} {kind}": len(names)
        for service, kinds in sandbox.inventory().items()
        for kind, names in kinds.items()
    }
    return {name: count for name, count in counts.items() if name != "sagemaker model-package"}
