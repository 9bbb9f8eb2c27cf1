"""Removal of an environment by one command, with the apps, packages and log groups that would stop Terraform."""

import json
import os
import re
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sagemaker_sandbox import CREDENTIALS
from sustainable_mlops import aws
from sustainable_mlops.aws import AccountClients
from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint.mapping_file import read_mapping
from sustainable_mlops.operations.studio_apps import DomainCleaner
from sustainable_mlops.operations.tracking_servers import wait_for_servers
from sustainable_mlops.terraform import Terraform

#: The deletion guard in `terraform state list`; see `protect` in modules/.
_GUARD = re.compile(r"^(?P<address>.*?\bterraform_data\.deletion_protection)\[", re.MULTILINE)
#: Seconds between two searches for recreated log groups.
_LATE_INTERVAL_SECONDS = 5
#: Log groups that all jobs of an account and Region share, such as /aws/sagemaker/TrainingJobs.
_SHARED_LOG_GROUP = re.compile(r"/aws/sagemaker/(?P<kind>\w+)Jobs")
_SETTING = re.compile(r"^deletion_protection\s*:\s*(?P<value>\w+)", re.MULTILINE)


def make_terraform(folder: Path) -> Terraform:
    """Return Terraform for the environment in `folder`. On the sandbox, printed commands run there too."""
    is_sandbox = os.environ.get("AWS_ACCESS_KEY_ID") == CREDENTIALS["aws_access_key_id"]
    return Terraform(folder, before="smlops sandbox exec -- " if is_sandbox else "")


def refuse_protected(terraform: Terraform) -> None:
    """Raise UserError with the remaining commands if the environment is protected."""
    if guards := sorted(set(_GUARD.findall(terraform.run("state", "list")))):
        preparation = (
            "" if _settings_file(terraform.folder).is_file() else "set deletion_protection = false in its modules, and "
        )
        raise UserError(
            f"{terraform.folder}: deletion_protection is on, so nothing was deleted. Turn off both the setting and "
            f"the guards in the state. To delete the data for good, {preparation}run",
            *_list_unlock_commands(terraform, guards),
        )


def destroy(
    terraform: Terraform,
    progress: Callable[[str], None] = lambda _: None,
    *,
    refresh: bool = True,
    late_seconds: float = 0,
    say: Callable[[str], None] = lambda _: None,
) -> int:
    """Destroy an environment and return the number of destroyed resources.

    Without `refresh`, Terraform uses the state as it is. A late line of a job or an endpoint creates its log group
    again: such groups are deleted if they appear within `late_seconds`; `say` is called for a group that stays.

    Apps and spaces of Studio domains, and model packages, are deleted first, because SageMaker deletes no domain and no
    group that holds one. Terraform starts only when no tracking server is changing its status. Raises UserError, as
    `refuse_protected` and AccountClients.check do, before anything is deleted.
    """
    refuse_protected(terraform)
    platform: dict[str, Any] = terraform.read_outputs().get("platform", {})
    settings = read_settings(terraform)
    log_group_arns = _list_arns(terraform, "aws_cloudwatch_log_group") if late_seconds > 0 else []
    packages, roles = _list_arns(terraform, "aws_sagemaker_model_package_group"), _list_arns(terraform, "aws_iam_role")
    groups, domains = [LogGroup.of(arn) for arn in log_group_arns], _list_arns(terraform, "aws_sagemaker_domain")
    servers = _list_arns(terraform, "aws_sagemaker_mlflow_tracking_server")
    account = find_account(
        settings,
        platform,
        [*log_group_arns, *packages, *domains, *servers, *(roles if _package_groups(platform) else ())],
    )
    prefix = settings.get("name_prefix") or platform.get("name_prefix")
    owner = Owner(prefix, frozenset([*roles, *platform.get("roles", {}).values()]))
    if account is not None:
        account.check()
        _clean_domains(terraform, domains, account, progress)
        for arn in servers:  # arn:aws:sagemaker:<region>:<account>:mlflow-tracking-server/<name>
            sagemaker = account.client("sagemaker", arn.split(":")[3])
            wait_for_servers(sagemaker, [arn.rpartition("/")[2]], progress)
        progress("model packages")
        _delete_packages(platform, account)
    result = terraform.apply("-destroy", f"-refresh={str(refresh).lower()}", progress=lambda at: progress(str(at)))
    if account is not None:
        own_groups = [group for group in groups if group.account_id == account.account_id]
        LateLogGroups(account, owner, say).delete(own_groups, late_seconds, progress)
    return result.changes_done


class LogGroup(NamedTuple):
    """Log group with its account and its Region."""

    account_id: str
    region: str
    name: str

    @classmethod
    def of(cls, arn: str) -> "LogGroup":
        """Return the log group with this ARN: arn:aws:logs:<region>:<account>:log-group:<name>."""
        _, _, _, region, account_id, _, name, *_ = arn.split(":")
        return cls(account_id, region, name)


def read_settings(terraform: Terraform) -> dict[str, Any]:
    """Return the content of settings.yaml; empty for an environment that is plain HCL."""
    file = _settings_file(terraform.folder)
    return read_mapping(file) if file.is_file() else {}


def _list_arns(terraform: Terraform, resource_type: str) -> list[str]:
    """Return the ARN of every resource of a type in the state."""
    return [attributes["arn"] for attributes in terraform.list_attributes(resource_type)]


def find_account(settings: dict[str, Any], platform: dict[str, Any], arns: Sequence[str]) -> AccountClients | None:
    """Return the clients of the environment's account; None if only Terraform deletes something.

    The settings name the account and the role to assume. Without them, the outputs or ARNs in the state name it.
    """
    _, _, _, region, account_id, *_ = arns[0].split(":") if arns else [""] * 5
    account_id = settings.get("account_id") or platform.get("account_id") or account_id
    region = settings.get("region") or platform.get("region") or region
    if not account_id or not region:
        return None
    return AccountClients(str(region), settings.get("assume_role_arn"), str(account_id))


@dataclass(frozen=True)
class Owner:
    """Marks of an environment's jobs: the start of their names, and the roles that they run under."""

    name_prefix: str | None
    roles: frozenset[str]

    def has_name(self, name: str) -> bool:
        """Return True if a name has the environment's prefix."""
        return self.name_prefix is not None and name.startswith(f"{self.name_prefix}-")


class LateLogGroups:
    """Log groups that a late line creates again after the destruction."""

    def __init__(self, account: AccountClients, owner: Owner, say: Callable[[str], None]) -> None:
        self._account = account
        self._owner = owner
        self._say = say

    def delete(
        self, groups: Iterable[LogGroup], seconds: float, progress: Callable[[str], None] = lambda _: None
    ) -> list[str]:
        """Delete the log groups that appear again within `seconds`, and return their names.

        A remaining group would make the next apply fail, because Terraform cannot create it again. A shared group
        stays if a job of somebody else writes to it. Raises UserError if AWS refuses.
        """
        deleted: dict[str, None] = {}
        watched, deadline = list(groups), time.monotonic() + seconds
        while watched and seconds > 0:
            foreign = {group: stream for group in watched if (stream := self._foreign_stream(group)) is not None}
            for group, stream in foreign.items():
                self._say(
                    f"log group {group.name} stays: {stream} belongs to a job of another environment; the next "
                    "apply adopts the group by existing_log_groups"
                )
            watched = [group for group in watched if group not in foreign]
            deleted |= dict.fromkeys(group.name for group in watched if self._delete(group))
            left = deadline - time.monotonic()
            if left <= 0:
                break
            progress(f"waiting {left:.0f} s for late log lines")
            time.sleep(min(_LATE_INTERVAL_SECONDS, left))
        return list(deleted)

    def _foreign_stream(self, group: LogGroup) -> str | None:
        """Return a log stream of a job outside this environment; None if there is none."""
        if _SHARED_LOG_GROUP.fullmatch(group.name) is None:
            return None
        logs = self._account.client("logs", group.region)
        with _after_destruction(group):
            try:
                pages = list(logs.get_paginator("describe_log_streams").paginate(logGroupName=group.name))
            except logs.exceptions.ResourceNotFoundException:
                return None
        streams = (stream["logStreamName"] for page in pages for stream in page["logStreams"])
        return next((stream for stream in streams if not self._is_own(group, stream.partition("/")[0])), None)

    def _is_own(self, group: LogGroup, job: str) -> bool:
        """Return True if a job belongs to this environment, by its name or its role."""
        from botocore.exceptions import ClientError

        sagemaker, kind = self._account.client("sagemaker", group.region), _SHARED_LOG_GROUP.fullmatch(group.name)
        if self._owner.has_name(job) or kind is None or kind["kind"] not in ("Training", "Processing", "Transform"):
            return self._owner.has_name(job)
        try:
            description = getattr(sagemaker, f"describe_{kind['kind'].lower()}_job")(**{f"{kind['kind']}JobName": job})
            if kind["kind"] == "Transform":  # runs under the role of its model
                description = {
                    "RoleArn": sagemaker.describe_model(ModelName=description["ModelName"])["ExecutionRoleArn"]
                }
        except ClientError:  # the job is deleted or not readable, so its owner is unknown
            return False
        return description["RoleArn"] in self._owner.roles

    def _delete(self, group: LogGroup) -> bool:
        """Delete a log group; return True if it existed."""
        logs = self._account.client("logs", group.region)
        with _after_destruction(group):
            try:
                logs.delete_log_group(logGroupName=group.name)
            except logs.exceptions.ResourceNotFoundException:
                return False
        return True


def _after_destruction(group: LogGroup) -> AbstractContextManager[None]:
    return aws.translate_aws_errors(
        f"everything of the environment is destroyed; its log group {group.name} may exist again"
    )


def describe_state_bucket(terraform: Terraform) -> str | None:
    """Return a text about the state bucket, which a teardown keeps; None if the state is not in a bucket."""
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
        f"The state bucket {bucket} stays, with every version of the state. If no other environment uses it, run:"
        f'\n{terraform.command_prefix}{shlex.quote(sys.executable)} -c "{delete}"'
    )


def _settings_file(folder: Path) -> Path:
    """Return the path of settings.yaml, which plain HCL environments do not have."""
    return folder / "settings.yaml"


def _list_unlock_commands(terraform: Terraform, guards: list[str]) -> Iterator[str]:
    """Yield the commands that turn off the protection and remove the environment."""
    folder = terraform.folder
    if (settings := _settings_file(folder)).is_file():
        yield from list_setting_commands(settings)
        yield f"smlops synth {shlex.quote(folder.resolve().name)}"
    yield f"{terraform.command} state rm {shlex.join(guards)}"
    # The apply writes force_destroy of buckets and the shorter deletion window of keys before the destruction.
    yield f"{terraform.command} apply"
    yield f"{terraform.command_prefix}smlops teardown {shlex.quote(str(folder))}"


def list_setting_commands(settings: Path) -> Iterator[str]:
    """Yield the command that sets `deletion_protection: false`, if needed. `sed -i` differs between Linux and macOS."""
    file, match = shlex.quote(str(settings)), _SETTING.search(settings.read_text(encoding="utf-8"))
    if match is None:
        yield f"printf '\\ndeletion_protection: false\\n' >> {file}"
    elif match["value"] != "false":
        yield f"sed -i.bak 's/^deletion_protection *:.*/deletion_protection: false/' {file} && rm {file}.bak"


def _clean_domains(
    terraform: Terraform, domains: Sequence[str], account: AccountClients, progress: Callable[[str], None]
) -> None:
    """End the apps, spaces and users of each domain in the state, except the users in the state."""
    if not domains:
        return
    users = terraform.list_attributes("aws_sagemaker_user_profile")
    for arn in domains:  # arn:aws:sagemaker:<region>:<account>:domain/<ID>
        domain_id, region = arn.rpartition("/")[2], arn.split(":")[3]
        kept_users = {user["user_profile_name"] for user in users if user["domain_id"] == domain_id}
        DomainCleaner(account.client("sagemaker", region), domain_id, kept_users, progress).clean()


def _package_groups(platform: dict[str, Any]) -> list[str]:
    return list(platform.get("model_package_groups", {}).values())


def _delete_packages(platform: dict[str, Any], account: AccountClients) -> None:
    if not (groups := _package_groups(platform)):
        return
    sagemaker = account.client("sagemaker", platform["region"])
    for group in groups:
        with aws.translate_aws_errors(f"model package group {group}"):
            pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
            for package in [package for page in pages for package in page["ModelPackageSummaryList"]]:
                sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])
