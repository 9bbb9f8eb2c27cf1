"""A platform on the sandbox, with the workload's data in its bucket."""

import io
import json
import subprocess
import sys
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT
from tests.sandbox.support import make_role

#: Prefix of the channels in `job.yaml`.
PREFIX = "re-creatable/flight_delay"


def make_platform(sandbox: Any, name: str, data: Path) -> str:
    """Return the parameter of a platform whose names start with `name`; `data` has the files of prepare.py."""
    s3, region = sandbox.client("s3"), sandbox.region
    buckets = {"data": f"{name}-data", "artifacts": f"{name}-artifacts"}
    for bucket in buckets.values():
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    for file in data.glob("*/*.parquet"):
        s3.upload_file(str(file), buckets["data"], f"{PREFIX}/{file.relative_to(data)}")
    with suppress(sandbox.client("sagemaker").exceptions.ClientError):
        sandbox.client("sagemaker").create_model_package_group(ModelPackageGroupName=f"{name}-flight-delay")
    document = {
        "environment": "dev",
        "region": region,
        "buckets": buckets,
        "roles": {phase: make_role(sandbox, f"{name}-{phase}") for phase in ("training", "inference")},
        "model_package_groups": {"flight_delay": f"{name}-flight-delay"},
    }
    parameter = f"/sustainable-mlops/{name}/platform"
    sandbox.client("ssm").put_parameter(Name=parameter, Value=json.dumps(document), Type="String", Overwrite=True)
    return parameter


def launch_job(sandbox: Any, command: str, file: Path, out: Path, *options: str) -> dict[str, Any]:
    """Run `command` for the job in `file` to its end and return the record. Raises UserError."""
    completed = subprocess.run(
        [
            sys.executable,
            str(ROOT / "scripts" / "smlops.py"),
            command,
            str(file),
            "--json",
            "--out",
            str(out),
            *options,
        ],
        env=sandbox.process_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if completed.returncode:
        raise UserError(f"{file.name}: smlops {command} ended with {completed.returncode}")
    record: dict[str, Any] = json.loads(completed.stdout)["record"]
    return record


def read_model_files(sandbox: Any, record: dict[str, Any]) -> dict[str, bytes]:
    """Return the files of the run's model.tar.gz."""
    bucket, key = S3Uri.parse(record["model"])
    body = sandbox.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        return {member.name: file.read() for member in archive if (file := archive.extractfile(member))}
