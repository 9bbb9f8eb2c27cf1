"""Take an environment down by one command, with what launchers left in it that would hold Terraform up."""

import json
import os
import re
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sustainable_mlops import aws
from sustainable_mlops.errors import UserError
from sustainable_mlops.sandbox.client import CREDENTIALS
from sustainable_mlops.terraform import Terraform

#: What Terraform may not destroy, as `state list` shows it; see `protect` in modules/.
_GUARD = re.compile(r"^(?P<address>.*?\bterraform_data\.deletion_protection)\[", re.MULTILINE)
#: Seconds between two looks for log groups that came back.
_LATE_INTERVAL_SECONDS = 5
_SETTING = re.compile(r"^deletion_protection\s*:\s*(?P<value>\w+)", re.MULTILINE)


def environment(folder: Path) -> Terraform:
    """The environment in `folder`; someone who tries this on the sandbox is told commands that go on there."""
    there = os.environ.get("AWS_ACCESS_KEY_ID") == CREDENTIALS["aws_access_key_id"]
    return Terraform(folder, before="smlops sandbox exec -- " if there else "")


def refuse_protected(terraform: Terraform) -> None:
    """Raise UserError, with the commands that are left to run, where the environment is protected."""
    if guards := sorted(set(_GUARD.findall(terraform.run("state", "list")))):
        first = "" if _settings(terraform.folder).is_file() else "set deletion_protection = false in its modules, and "
        raise UserError(
            f"{terraform.folder}: deletion_protection is on, so nothing was deleted; it takes two keys to turn off, "
            f"the setting and the guards in the state. To delete the data for good, {first}run",
            *_two_keys(terraform, guards),
        )


def destroy(
    terraform: Terraform,
    progress: Callable[[str], None] = lambda _: None,
    *,
    refresh: bool = True,
    late_seconds: float = 0,
) -> int:
    """Destroy an environment; returns how many resources went. Without `refresh` the state is taken as it is.

    A line that a job or an endpoint writes late creates its log group again: those that come back within
    `late_seconds` are deleted.

    SageMaker deletes no model package group that holds packages, and packages come from launchers, not from Terraform:
    they go first. Raises UserError, as `refuse_protected` does, before anything is deleted.
    """
    refuse_protected(terraform)
    platform: dict[str, Any] = terraform.outputs().get("platform", {})
    if platform:
        progress("model packages")
        _delete_packages(platform)
    groups = [LogGroup.of(attributes["arn"]) for attributes in terraform.attributes("aws_cloudwatch_log_group")]
    at = terraform.apply("-destroy", f"-refresh={str(refresh).lower()}", progress=lambda at: progress(str(at)))
    delete_late_log_groups(groups, late_seconds, progress)
    return at.done


class LogGroup(NamedTuple):
    """A log group and its Region."""

    region: str
    name: str

    @classmethod
    def of(cls, arn: str) -> "LogGroup":
        """Return the log group with this ARN: arn:aws:logs:<region>:<account>:log-group:<name>."""
        _, _, _, region, _, _, name, *_ = arn.split(":")
        return cls(region, name)


def delete_late_log_groups(
    groups: Sequence[LogGroup], seconds: float, progress: Callable[[str], None] = lambda _: None
) -> list[str]:
    """Delete the log groups that come back within `seconds`, and return their names.

    A group that stayed would make the next apply fail, since Terraform cannot create it again.
    """
    deleted: dict[str, None] = {}
    deadline = time.monotonic() + seconds
    while groups:
        deleted |= dict.fromkeys(group.name for group in groups if _delete_log_group(group))
        left = deadline - time.monotonic()
        if left <= 0:
            break
        progress(f"waiting {left:.0f} s for late log lines")
        time.sleep(min(_LATE_INTERVAL_SECONDS, left))
    return list(deleted)


def _delete_log_group(group: LogGroup) -> bool:
    """Delete a log group; return whether it was there."""
    logs = aws.client("logs", group.region)
    try:
        logs.delete_log_group(logGroupName=group.name)
    except logs.exceptions.ResourceNotFoundException:
        return False
    return True


def state_left(terraform: Terraform) -> str | None:
    """What to say of the bucket that holds the state, which no teardown deletes; None where it is in no bucket."""
    try:
        backend = json.loads((terraform.data / "terraform.tfstate").read_text(encoding="utf-8"))["backend"]
    except (OSError, ValueError, KeyError):
        return None
    if backend["type"] != "s3":
        return None
    bucket, region = backend["config"]["bucket"], backend["config"].get("region")
    # `aws s3 rb --force` leaves old versions, and so the bucket; `aws s3api delete-objects` takes a thousand at most.
    delete = (
        f"import boto3; b = boto3.resource('s3', {region!r}).Bucket({bucket!r}); b.object_versions.delete(); b.delete()"
    )
    return (
        f"The bucket of the state, {bucket}, stays, with every version of it. Where no other environment keeps its "
        f'state there:\n{terraform.before}{shlex.quote(sys.executable)} -c "{delete}"'
    )


def _settings(folder: Path) -> Path:
    """What an environment is written from; one that is its owner's own HCL has none."""
    return folder / "settings.yaml"


def _two_keys(terraform: Terraform, guards: list[str]) -> Iterator[str]:
    """What is left to run, once the setting is turned off in HCL that is its owner's."""
    folder = terraform.folder
    if (settings := _settings(folder)).is_file():
        yield from turn_off(settings)
        yield f"smlops synth {shlex.quote(folder.resolve().name)}"
    yield f"{terraform.typed} state rm {shlex.join(guards)}"
    # A bucket's right to be emptied and a key's shorter waiting time have to be in the state before the destruction.
    yield f"{terraform.typed} apply"
    yield f"{terraform.before}smlops teardown {shlex.quote(str(folder))}"


def turn_off(settings: Path) -> Iterator[str]:
    """The command that sets `deletion_protection: false`, unless it is; `sed -i` differs between Linux and macOS."""
    file, given = shlex.quote(str(settings)), _SETTING.search(settings.read_text(encoding="utf-8"))
    if given is None:
        yield f"printf '\\ndeletion_protection: false\\n' >> {file}"
    elif given["value"] != "false":
        yield f"sed -i.bak 's/^deletion_protection *:.*/deletion_protection: false/' {file} && rm {file}.bak"


def _delete_packages(platform: dict[str, Any]) -> None:
    sagemaker = aws.client("sagemaker", platform["region"])
    for group in platform["model_package_groups"].values():
        pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        for package in [package for page in pages for package in page["ModelPackageSummaryList"]]:
            sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])
