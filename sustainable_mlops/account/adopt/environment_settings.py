"""Settings with which an environment uses adopted objects, as YAML to paste into `envs/NAME/settings.yaml`."""

from collections.abc import Iterator
from typing import Any

from sustainable_mlops.account.adopt.adoption import AdoptionReport
from sustainable_mlops.authoring.hcl import render_comment
from sustainable_mlops.base.documents import render_yaml
from sustainable_mlops.base.log_groups import JOB_LOGS, SETTING
from sustainable_mlops.catalogue.images import IMAGE_ADDRESS, is_registry_of_aws
from sustainable_mlops.catalogue.regions import find_partition

#: File in the folder of the root module. Terraform does not read it.
FILE = "environment_settings.yaml"


def build_environment_settings(report: AdoptionReport) -> dict[str, Any]:
    """Return the settings that use adopted objects; empty without such objects."""
    groups = sorted(one.name for one in report.adopted_objects if one.kind == "log group" and one.name in JOB_LOGS)
    keys, repositories = list_key_arns(report), sorted(set(_list_repositories(report)))
    settings = {
        SETTING: groups,
        "storage": {"existing_kms_key": {"arn": keys[0]}} if keys else {},
        "access": {"image_repository_arns": repositories} if repositories else {},
    }
    return {name: value for name, value in settings.items() if value}


def render_environment_settings(report: AdoptionReport) -> str:
    """Return the settings as YAML with comments; empty text without adopted objects for them."""
    settings = build_environment_settings(report)
    if not settings:
        return ""
    comments = [
        f"Paste these settings into envs/NAME/settings.yaml of an environment in account {report.account_id} and "
        f"Region {report.region}. If a key such as storage exists there, add the lines under it."
    ]
    if SETTING in settings:
        comments.append(
            f"The environment then manages the log groups in {SETTING}: delete their blocks in log_groups.tf and "
            "imports.tf first."
        )
    comments += [f"Another key for existing_kms_key:\n{arn}" for arn in list_key_arns(report)[1:]]
    return "".join(map(render_comment, comments)) + render_yaml(settings, sort_keys=False)


def list_key_arns(report: AdoptionReport) -> list[str]:
    """Return the ARNs of the adopted keys that can encrypt data of an environment."""
    return [
        f"{report.key_arn_prefix}{one.resources[0].import_id}"
        for one in report.adopted_objects
        if one.kind == "KMS key"
        and one.resources[0].body["customer_master_key_spec"] == "SYMMETRIC_DEFAULT"
        and one.resources[0].body["is_enabled"]
    ]


def _list_repositories(report: AdoptionReport) -> Iterator[str]:
    """Yield the ARN of each ECR repository of an adopted model, without those of AWS."""
    for resource in report.list_resources():
        if resource.type != "aws_sagemaker_model":
            continue
        for container in (*resource.body.get("primary_container", []), *resource.body.get("container", [])):
            image = IMAGE_ADDRESS.fullmatch(container.get("image", ""))
            if image is not None and not is_registry_of_aws(image["account"]):
                start = f"arn:{find_partition(image['region'])}:ecr:{image['region']}:{image['account']}"
                yield f"{start}:repository/{image['repository']}"
