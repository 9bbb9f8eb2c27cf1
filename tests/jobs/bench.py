"""A platform on the sandbox, job files, and the commands."""

import io
import json
import subprocess
import sys
import tarfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sustainable_mlops.aws.s3 import S3Uri
from tests.jobs.support import JOB, PLATFORM, TRANSFORM_JOB, merge_changes
from tests.sandbox.support import make_role, push_images


@dataclass
class Bench:
    """A platform on the sandbox with a folder of job files, and the commands that launch them."""

    root: Path
    folder: Path
    sandbox: Any
    name: str

    def write(self, **changes: Any) -> None:
        """Write a training job to job.yaml."""
        job = {
            "platform": f"/{self.name}/platform",
            "name": self.name,
            "hyperparameters": {"num_round": ..., "rounds": 14},
        }
        metrics = {"resumed_from": "resumed_from=([0-9]+)", "round": "round=([0-9]+)"}
        job = merge_changes(merge_changes(JOB, {**job, "metrics": metrics}), changes)
        (self.folder / "job.yaml").write_text(yaml.safe_dump(job))

    def write_file(self, path: str, job: Mapping[str, Any], **changes: Any) -> None:
        """Write a job to the file `path`."""
        job_with_platform = merge_changes(job, {"platform": f"/{self.name}/platform", "name": self.name})
        (self.folder / path).write_text(yaml.safe_dump(merge_changes(job_with_platform, changes)))

    def put(self, key: str, content: bytes) -> None:
        """Put an object into the data bucket."""
        self.sandbox.client("s3").put_object(Bucket=f"{self.name}-data", Key=key, Body=content)

    def read_objects(self, address: str) -> dict[str, bytes]:
        """Return the objects under an address: name to content."""
        bucket, prefix = S3Uri.parse(address)
        s3 = self.sandbox.client("s3")
        items = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return {
            item["Key"].removeprefix(prefix): s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            for item in items
        }

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(self.root / "scripts" / "smlops.py"), script, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=self.sandbox.process_environment(),
            timeout=900,  # long, because other tests use the computer; only a hang takes this long
        )

    def train(self, *arguments: str) -> dict[str, Any]:
        return self.launch("train", "job.yaml", *arguments)

    def launch(self, script: str, *arguments: str) -> dict[str, Any]:
        """Run a command that launches a job and return its JSON output."""
        completed = self.run(script, *arguments, "--json")
        assert completed.returncode == 0, completed.stderr
        output: dict[str, Any] = json.loads(completed.stdout)
        return output

    def read_model(self, record: dict[str, Any]) -> bytes:
        """Return the content of the run's model.tar.gz."""
        bucket, key = S3Uri.parse(record["model"])
        body = self.sandbox.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            member = archive.extractfile("model")
            assert member is not None
            return member.read()

    def wait_until(self, condition: Callable[[], bool], seconds: float = 300) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.1)


def make_bench(sandbox: Any, root: Path, folder: Path) -> Bench:
    """Return a bench with a new platform."""
    name = f"t{uuid.uuid4().hex[:8]}"
    s3 = sandbox.client("s3")
    buckets = {"data": f"{name}-data", "artifacts": f"{name}-artifacts"}
    for bucket in buckets.values():
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    s3.put_object(Bucket=buckets["data"], Key="flight_delay/train/part-0", Body=b"flights")
    sandbox.client("sagemaker").create_model_package_group(ModelPackageGroupName=name)
    for phase in ("training", "data-preparation", "inference"):
        make_role(sandbox, f"acme-dev-{phase}")
    push_images(sandbox, json.dumps([JOB, TRANSFORM_JOB]))
    changes = {"buckets": buckets, "kms_key_arn": None, "model_package_groups": {name: name}}
    platform = json.dumps(merge_changes(PLATFORM, changes))
    sandbox.client("ssm").put_parameter(Name=f"/{name}/platform", Value=platform, Type="String")
    return Bench(root, folder, sandbox, name)
