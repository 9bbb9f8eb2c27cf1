"""A bench with the pipeline of this workload, few flights and few rounds."""

import json
import shutil
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from sustainable_mlops.base.terraform import ROOT
from tests.sandbox.support import make_role
from workloads.flight_delay import raw

REGION = "eu-north-1"
WORKLOAD = ROOT / "workloads" / "flight_delay"
#: One month per part, and few days of it: enough for a model that beats chance.
MONTHS, DAYS = (1, 9, 11), 5


@dataclass
class PipelineBench:
    """A platform on the sandbox, a copy of the workload's files, and the pipeline commands."""

    sandbox: Any
    folder: Path
    name: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:8]}")

    def build(self) -> None:
        """Create buckets, a key, roles, a package group, and the platform parameter."""
        s3 = self.sandbox.client("s3")
        for bucket in (f"{self.name}-data", f"{self.name}-artifacts"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        key = self.sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]
        roles = {
            phase: make_role(self.sandbox, f"{self.name}-{phase}")
            for phase in ("data_preparation", "training", "pipeline")
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
        """Name of the platform parameter."""
        return f"/{self.name}/platform"

    @property
    def pipeline(self) -> str:
        """Name of the pipeline."""
        return f"{self.name}-flight-delay"

    def start(self, *arguments: str, file: str = "pipeline.yaml") -> "subprocess.Popen[str]":
        """Start a sub-command of `smlops pipeline` with the copy of a file."""
        command, *options = arguments
        return subprocess.Popen(
            [
                sys.executable,
                str(ROOT / "scripts" / "smlops.py"),
                "pipeline",
                command,
                f"flight_delay/{file}",
                *options,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.sandbox.process_environment(),
        )

    def call(self, *arguments: str, file: str = "pipeline.yaml") -> "subprocess.CompletedProcess[str]":
        """Run a sub-command to its end."""
        with self.start(*arguments, file=file) as process:
            output = process.communicate()
        return subprocess.CompletedProcess(arguments, process.returncode, *output)

    def run(self, data: Path, *options: str, code: int = 0, rounds: int = 12) -> dict[str, Any]:
        """Run an execution to its end and return its record."""
        settings = ["--set", f"NumRound={rounds}", "--set", "MinimumAuc=0.5"]
        completed = self.call("run", "--data", str(data), *settings, *options, "--json")
        assert completed.returncode == code, completed.stderr
        record: dict[str, Any] = json.loads(completed.stdout)["record"]
        return record

    def packages(self) -> list[dict[str, Any]]:
        """Return the versions in the model registry, the oldest first."""
        sagemaker = self.sandbox.client("sagemaker")
        response = sagemaker.list_model_packages(
            ModelPackageGroupName=f"{self.name}-flight-delay", SortOrder="Ascending"
        )
        arns = [description["ModelPackageArn"] for description in response["ModelPackageSummaryList"]]
        descriptions = [sagemaker.describe_model_package(ModelPackageName=arn) for arn in arns]
        return [
            {name: value for name, value in description.items() if name != "ResponseMetadata"}
            for description in descriptions
        ]


def write_raw(flights: pd.DataFrame, folder: Path) -> Path:
    """Write raw files of a few days."""
    selected = flights[flights["month"].isin(MONTHS) & (flights["day"] <= DAYS)]
    raw.write_raw_files(selected, raw.find_packaged_files()[raw.WEATHER_FILE], folder)
    return folder


def list_executed(record: dict[str, Any]) -> list[str]:
    """Return the steps that ran a job."""
    return [step["name"] for step in record["steps"] if step["job"] and not step["cached_from"]]


def list_cached(record: dict[str, Any]) -> list[str]:
    """Return the steps with cached results."""
    return [step["name"] for step in record["steps"] if step["cached_from"]]
