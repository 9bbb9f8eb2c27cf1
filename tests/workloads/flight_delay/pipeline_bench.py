"""The pipeline of this workload on a platform of its own, with few flights and few rounds."""

import json
import shutil
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from sustainable_mlops.terraform import ROOT
from tests.sandbox.support import make_role
from workloads.flight_delay import raw

REGION = "eu-north-1"
WORKLOAD = ROOT / "workloads" / "flight_delay"
#: A month a part, and little of it; enough for a model that beats chance.
MONTHS, DAYS = (1, 9, 11), 5


@dataclass
class Bench:
    """A platform on the sandbox, a copy of the workload's files, and the command."""

    sandbox: Any
    folder: Path
    name: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:8]}")

    def build(self) -> None:
        """Buckets, a key, roles, a package group, and the parameter that tells them."""
        s3 = self.sandbox.client("s3")
        for bucket in (f"{self.name}-data", f"{self.name}-artifacts"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        key = self.sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]
        roles = {
            one: make_role(self.sandbox, f"{self.name}-{one}") for one in ("data_preparation", "training", "pipeline")
        }
        self.sandbox.client("sagemaker").create_model_package_group(ModelPackageGroupName=f"{self.name}-flight-delay")
        platform = {
            "environment": "dev",
            "region": REGION,
            "name_prefix": self.name,
            "buckets": {"data": f"{self.name}-data", "artifacts": f"{self.name}-artifacts"},
            "kms_key_arn": key,
            "roles": roles,
            "model_package_groups": {"flight_delay": f"{self.name}-flight-delay"},
            "tags": {"owner": "tests"},
        }
        self.sandbox.client("ssm").put_parameter(Name=self.parameter, Value=json.dumps(platform), Type="String")
        shutil.copytree(WORKLOAD, self.folder / "flight_delay", ignore=shutil.ignore_patterns("__pycache__"))
        for file in (self.folder / "flight_delay").glob("*.yaml"):
            file.write_text(file.read_text().replace("/sustainable-mlops/dev/platform", self.parameter))

    @property
    def parameter(self) -> str:
        """The platform's parameter."""
        return f"/{self.name}/platform"

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return f"{self.name}-flight-delay"

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """A sub-command of `smlops pipeline` on the copy's file."""
        command, *options = arguments
        return subprocess.Popen(
            [sys.executable, str(ROOT / "scripts" / "pipeline.py"), command, "flight_delay/pipeline.yaml", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.sandbox.process_environment(),
        )

    def call(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """The same, to its end."""
        with self.start(*arguments) as process:
            said = process.communicate()
        return subprocess.CompletedProcess(arguments, process.returncode, *said)

    def run(self, data: Path, *options: str, code: int = 0, rounds: int = 12) -> dict[str, Any]:
        """An execution to its end: the record that the command answers."""
        settings = ["--set", f"NumRound={rounds}", "--set", "MinimumAuc=0.5"]
        done = self.call("run", "--data", str(data), *settings, *options, "--json")
        assert done.returncode == code, done.stderr
        record: dict[str, Any] = json.loads(done.stdout)["record"]
        return record

    def packages(self) -> list[dict[str, Any]]:
        """The versions in the model registry, the first first."""
        sagemaker = self.sandbox.client("sagemaker")
        listed = sagemaker.list_model_packages(ModelPackageGroupName=f"{self.name}-flight-delay", SortOrder="Ascending")
        arns = [one["ModelPackageArn"] for one in listed["ModelPackageSummaryList"]]
        described = [sagemaker.describe_model_package(ModelPackageName=arn) for arn in arns]
        return [{name: value for name, value in one.items() if name != "ResponseMetadata"} for one in described]


def write_raw(flights: pd.DataFrame, folder: Path) -> Path:
    """Raw files of a few days."""
    few = flights[flights["month"].isin(MONTHS) & (flights["day"] <= DAYS)]
    raw.write_raw_files(few, raw.find_packaged_files()[raw.WEATHER_FILE], folder)
    return folder


def executed(record: dict[str, Any]) -> list[str]:
    """The steps that ran a job."""
    return [step["name"] for step in record["steps"] if step["job"] and not step["cached_from"]]


def found(record: dict[str, Any]) -> list[str]:
    """The steps whose results were there already."""
    return [step["name"] for step in record["steps"] if step["cached_from"]]
