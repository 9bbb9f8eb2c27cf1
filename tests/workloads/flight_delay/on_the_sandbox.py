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
from sustainable_mlops.errors import UserError
from sustainable_mlops.terraform import ROOT
from tests.sandbox.support import make_role

#: Where `job.yaml` looks for its channels.
PREFIX = "re-creatable/flight_delay"


def make_platform(sandbox: Any, name: str, data: Path) -> str:
    """The parameter of a platform whose names begin with `name`; `data` is what prepare.py wrote."""
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


def launched(sandbox: Any, command: str, file: Path, out: Path, *options: str) -> dict[str, Any]:
    """The record of the job in `file` that `command` launches and follows. Raises UserError."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / f"{command}.py"), str(file), "--json", "--out", str(out), *options],
        env=sandbox.process_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if done.returncode:
        raise UserError(f"{file.name}: smlops {command} ended with {done.returncode}")
    record: dict[str, Any] = json.loads(done.stdout)["record"]
    return record


def model_files(sandbox: Any, record: dict[str, Any]) -> dict[str, bytes]:
    """What is in the run's model.tar.gz."""
    bucket, key = S3Uri.parse(record["model"])
    body = sandbox.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        return {member.name: file.read() for member in archive if (file := archive.extractfile(member))}
