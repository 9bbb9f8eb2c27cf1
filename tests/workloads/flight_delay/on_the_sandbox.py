"""A platform on the sandbox, with the workload's data in its bucket."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

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
        "roles": {"training": make_role(sandbox, f"{name}-training")},
        "model_package_groups": {"flight_delay": f"{name}-flight-delay"},
    }
    parameter = f"/sustainable-mlops/{name}/platform"
    sandbox.client("ssm").put_parameter(Name=parameter, Value=json.dumps(document), Type="String", Overwrite=True)
    return parameter
