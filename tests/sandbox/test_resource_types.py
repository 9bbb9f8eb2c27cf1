"""Terraform applies every SageMaker type that the sandbox has, and gets the reason for each refused type."""

import json
import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.control_plane.registry import OPERATIONS
from sagemaker_sandbox.resources.handlers import SupportLevel
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import Terraform, list_changes
from tests.sandbox.support import IMAGE, catch_error, create_tar
from tests.sandbox.test_apply_endpoints import list_names

CONFIGURATION = Path(__file__).with_name("terraform") / "resource_types.tf"
OUTCOMES: dict[str, str] = yaml.safe_load(CONFIGURATION.with_suffix(".yaml").read_text(encoding="utf-8"))
#: Type without a configuration, and an operation that the provider calls to create it.
WITHOUT_CONFIGURATION = {"aws_sagemaker_image": "create_image"}
#: Operations that create a type and whose name is not Create and the type's name, in lower case.
OTHER_OPERATIONS = {
    "device": "registerdevices",
    "endpoint_configuration": "createendpointconfig",
    "model_package_group_policy": "putmodelpackagegrouppolicy",
    "notebook_instance_lifecycle_configuration": "createnotebookinstancelifecycleconfig",
    "servicecatalog_portfolio_status": "enablesagemakerservicecatalogportfolio",
}
LEVELS = {SupportLevel.EMULATED: "works", SupportLevel.STORED: "recorded", SupportLevel.REFUSED: "refused"}
SERVE = """
def model_fn(folder):
    return 1
def transform_fn(model, data, content_type, accept):
    return data, accept
"""


def test_the_outcome_of_each_type_is_the_support_of_its_operation() -> None:
    levels = {name.lower(): one.support.level for (_, name), one in OPERATIONS.operations.items()}
    kinds = {kind: kind.removeprefix("aws_sagemaker_") for kind in OUTCOMES}
    operations = {kind: OTHER_OPERATIONS.get(name, f"create{name.replace('_', '')}") for kind, name in kinds.items()}
    assert {kind: LEVELS[levels[operation]] for kind, operation in operations.items()} == OUTCOMES


@pytest.mark.release
@pytest.mark.apply
def test_every_type_is_applied_or_refused_with_a_reason(
    sandbox: Sandbox, terraform_environment: dict[str, str], bucket: str, fresh: Callable[[str], str], tmp_path: Path
) -> None:
    s3, sagemaker = sandbox.client("s3"), sandbox.client("sagemaker")
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=create_tar(code__inference_py=SERVE))
    s3.put_object(Bucket=bucket, Key="model/weights", Body=b"1")
    name = fresh("types")
    variables = [
        f"-var={key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in {
            "name": name,
            "image": IMAGE,
            "bucket": bucket,
            "kms_key_arn": sandbox.client("kms").create_key()["KeyMetadata"]["Arn"],
            "network": find_network(sandbox.client("ec2")),
        }.items()
    ]
    shutil.copy(CONFIGURATION, tmp_path)
    terraform = Terraform(tmp_path, terraform_environment)
    terraform.init()

    (schema,) = json.loads(terraform.run("providers", "schema", "-json"))["provider_schemas"].values()
    assert {kind for kind in schema["resource_schemas"] if kind.startswith("aws_sagemaker_")} == OUTCOMES.keys()
    with pytest.raises(UserError) as refusals:
        terraform.apply(*variables)
    plan = terraform.plan(tmp_path / "tfplan", *variables)
    changes = list_changes(plan)
    assert {tuple(actions) for actions in changes.values()} == {("create",)}, changes
    assert str(refusals.value).count(" is not emulated by the sandbox. ") == len(changes), str(refusals.value)
    refused_addresses = defaultdict(list)
    for change in plan["resource_changes"]:
        refused_addresses[change["type"]].append(change["address"] in changes)
    outcomes = {kind: is_refused for kind, is_refused in refused_addresses.items() if kind in OUTCOMES}
    assert {kind: all(flags) for kind, flags in outcomes.items()} == {
        kind: outcome == "refused" for kind, outcome in OUTCOMES.items() if kind not in WITHOUT_CONFIGURATION
    }
    for operation in WITHOUT_CONFIGURATION.values():
        code, _ = catch_error(getattr(sagemaker, operation), ImageName=name, RoleArn=f"arn:aws:iam::{1:012}:role/r")
        assert code == "UnsupportedOperationException"

    terraform.apply("-destroy", *variables)
    assert list_names(sandbox, name) == set()


def find_network(ec2: Any) -> dict[str, str]:
    """Return the IDs of the default network."""
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    return {
        "vpc": vpc,
        "subnet": ec2.describe_subnets(Filters=filters)["Subnets"][0]["SubnetId"],
        "security_group": ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"],
    }
