"""Groups of model packages with their policies. The packages stay in their group."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from sustainable_mlops.account.adopt.adoption import AdoptedObject, ExcludedObject, ImportedResource
from sustainable_mlops.account.adopt.fields import add_tags, escape_template
from sustainable_mlops.account.adopt.policies import render_policy
from sustainable_mlops.account.adopt.reader import Candidate, Reader

KIND = "model package group"
ACTIONS = (
    "sagemaker:ListModelPackageGroups",
    "sagemaker:DescribeModelPackageGroup",
    "sagemaker:GetModelPackageGroupPolicy",
    "sagemaker:ListTags",
)
_TYPE = "aws_sagemaker_model_package_group"
TYPES = (_TYPE, f"{_TYPE}_policy")


def read_model_package_groups(reader: Reader) -> Iterator[AdoptedObject | ExcludedObject]:
    """Yield the selected model package groups."""
    yield from reader.read_each(KIND, _list_candidates(reader))


def _list_candidates(reader: Reader) -> Iterator[Candidate]:
    for group in reader.account.list_all("sagemaker", "list_model_package_groups", "ModelPackageGroupSummaryList"):
        name, arn = group["ModelPackageGroupName"], group["ModelPackageGroupArn"]
        if reader.check_selection(KIND, name, identifiers=[arn], tags=partial(reader.read_sagemaker_tags, arn)):
            yield name, partial(_read_group, reader, name)


def _read_group(reader: Reader, name: str) -> AdoptedObject:
    """Return one group with its policy."""
    group = reader.describe("describe_model_package_group", ModelPackageGroupName=name)
    body: dict[str, Any] = {"model_package_group_name": name}
    if description := group.get("ModelPackageGroupDescription"):
        body["model_package_group_description"] = escape_template(description)
    body = add_tags(body, reader.read_sagemaker_tags(group["ModelPackageGroupArn"]))
    body["lifecycle"] = {"prevent_destroy": True}
    label = reader.choose_label(_TYPE, name)
    resources = [ImportedResource(_TYPE, label, name, body)]
    response = reader.account.call(
        "sagemaker", "get_model_package_group_policy", absent=("ValidationException",), ModelPackageGroupName=name
    )
    if response:
        reference = f"${{{_TYPE}.{label}.model_package_group_name}}"
        policy = {
            "model_package_group_name": reference,
            "resource_policy": render_policy(json.loads(response["ResourcePolicy"])),
        }
        resources.append(ImportedResource(f"{_TYPE}_policy", label, name, policy))
    return AdoptedObject(KIND, name, tuple(resources))
