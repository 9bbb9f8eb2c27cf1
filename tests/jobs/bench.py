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
from tests.jobs.support import JOB, PLATFORM, TRANSFORM_JOB, merged
from tests.sandbox.support import make_role, push_images


@dataclass
class Bench:
    """A platform on the sandbox, a job file, and the commands."""

    root: Path
    folder: Path
    sandbox: Any
    name: str

    def write(self, **changes: Any) -> None:
        """A training job, as job.yaml."""
        job = {
            "platform": f"/{self.name}/platform",
            "name": self.name,
            "hyperparameters": {"num_round": ..., "rounds": 14},
        }
        metrics = {"resumed_from": "resumed_from=([0-9]+)", "round": "round=([0-9]+)"}
        job = merged(merged(JOB, {**job, "metrics": metrics}), changes)
        (self.folder / "job.yaml").write_text(yaml.safe_dump(job))

    def write_file(self, name: str, job: Mapping[str, Any], **changes: Any) -> None:
        """Any job, as the file `name`."""
        here = merged(job, {"platform": f"/{self.name}/platform", "name": self.name})
        (self.folder / name).write_text(yaml.safe_dump(merged(here, changes)))

    def put(self, key: str, content: bytes) -> None:
        """An object in the data bucket."""
        self.sandbox.client("s3").put_object(Bucket=f"{self.name}-data", Key=key, Body=content)

    def objects(self, address: str) -> dict[str, bytes]:
        """Name to content of what lies under an address."""
        bucket, prefix = S3Uri.parse(address)
        s3 = self.sandbox.client("s3")
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return {
            one["Key"].removeprefix(prefix): s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
            for one in listed
        }

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(self.root / "scripts" / f"{script}.py"), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=self.sandbox.process_environment(),
            timeout=900,  # of a machine with much else to do: it is to end a hang
        )

    def train(self, *arguments: str) -> dict[str, Any]:
        return self.launch("train", "job.yaml", *arguments)

    def launch(self, script: str, *arguments: str) -> dict[str, Any]:
        """What a command that launches a job answers."""
        done = self.run(script, *arguments, "--json")
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def model(self, record: dict[str, Any]) -> bytes:
        """What is in the run's model.tar.gz."""
        bucket, key = S3Uri.parse(record["model"])
        body = self.sandbox.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            member = archive.extractfile("model")
            assert member is not None
            return member.read()

    def await_(self, what: Callable[[], bool], seconds: float = 300) -> None:
        deadline = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < deadline
            time.sleep(0.1)


def make_bench(sandbox: Any, root: Path, folder: Path) -> Bench:
    """A platform of its own."""
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
    platform = json.dumps(merged(PLATFORM, changes))
    sandbox.client("ssm").put_parameter(Name=f"/{name}/platform", Value=platform, Type="String")
    return Bench(root, folder, sandbox, name)
