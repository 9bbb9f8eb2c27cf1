"""Cleanup of a run: destroys its root modules, then deletes other resources with its name or tag."""

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from clone.prove import activity, inventory
from clone.prove.evidence import Recorder
from clone.prove.inventory import FoundResource
from clone.prove.settings import ProofSettings
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import Progress, Terraform

#: Root module of `storage` and `access`, which goes last.
BASE = "base"
#: Timeout until an endpoint or a job can be deleted.
_TIMEOUT_SECONDS = 45 * 60
_PAUSE = (0.5, 10.0)
#: Root modules that are destroyed at the same time.
_DESTROYED_AT_ONCE = 6
#: Words of temporary refusals.
_TRANSIENT_WORDS = (
    "in-progress",
    "in progress",
    "creating",
    "updating",
    "deleting",
    "stopping",
    "running",
    "in use",
    "has dependencies",
    "dependencyviolation",
    "could not find",
    "not exist",
)
#: Note on resources that AWS creates for the whole account at the first use.
KEPT_RESOURCES_NOTE = (
    "not deleted: the Glue database sagemaker_featurestore and the service-linked role "
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint. AWS creates and owns them."
)
#: Log groups that SageMaker creates with the first job of an account.
JOB_LOGS = "/aws/sagemaker/"


class RunCleaner:
    """Cleanup of one run. It passes a line for each deletion to `say`."""

    def __init__(self, settings: ProofSettings, recorder: Recorder, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.recorder = recorder
        self._say = say
        #: Resources that were not deleted, and errors of the search.
        self.left: list[str] = []

    def run(self) -> None:
        """Stop executions and jobs, destroy all root modules (the base last), and delete the other resources."""
        self.settings.save_end()
        self._stop_activity()
        self._delete_model_packages()
        for folders in group_roots(list_roots(self.settings.folder)):
            with ThreadPoolExecutor(_DESTROYED_AT_ONCE) as pool:
                list(pool.map(self._destroy, folders))
        self.delete_remaining()
        self._delete_job_logs()

    def _stop_activity(self) -> None:
        """Stop executions and jobs, and wait for their end. `delete_remaining` stops jobs that AWS refused to stop."""
        end, (pause, longest) = time.monotonic() + _TIMEOUT_SECONDS, _PAUSE
        stopped: list[str] = []
        while time.monotonic() < end:
            try:
                activities = [
                    inventory.FoundResource(*one) for one in activity.find_activities(self.recorder, self.settings.name)
                ]
            except (ClientError, BotoCoreError) as error:
                self._say(f"active jobs and executions: {error}")
                return
            if not activities:
                return
            for resource in activities:
                self._delete(resource, stopped)
            time.sleep(pause)
            pause = min(2 * pause, longest)

    def _destroy(self, folder: Path) -> None:
        """Destroy a root module. `delete_remaining` deletes resources that AWS refused to delete."""
        try:
            result = Terraform(folder).apply("-destroy", "-lock-timeout=10m", progress=self._report_destroyed)
            self._say(f"{folder.name}: {result.changes_done} resources destroyed")
        except UserError as error:
            self._say(f"{folder.name}: terraform destroy failed; cleanup deletes its resources one by one: {error}")

    def _report_destroyed(self, at: Progress) -> None:
        if at.address:
            self._say(f"destroyed {at.address}")

    def _delete_model_packages(self) -> None:
        """Delete model packages, because SageMaker deletes only empty groups."""
        sagemaker = self.recorder.get_client("sagemaker")
        try:
            groups = inventory.list_pages(
                sagemaker,
                "list_model_package_groups",
                "ModelPackageGroupSummaryList",
                NameContains=self.settings.name,
            )
            for group in [one["ModelPackageGroupName"] for one in groups]:
                inventory.delete_packages(sagemaker, group)
        except (ClientError, BotoCoreError) as error:
            self._say(f"model packages: {error}")

    def delete_remaining(self, prefix: str = "", check: Callable[[], None] = lambda: None) -> list[str]:
        """Delete every resource of the run, or of a module by its prefix. Return the deleted ones. Sets `left`.

        `check` raises if the run was interrupted.
        """
        deleted: list[str] = []
        end, (pause, longest) = time.monotonic() + _TIMEOUT_SECONDS, _PAUSE
        while True:
            check()
            resources, problems = inventory.find_resources(self.recorder, self.settings, prefix)
            self.left = [str(one) for one in inventory.sort_resources(resources)] + problems
            if not resources or time.monotonic() > end:
                return deleted
            before = len(deleted)
            reasons = [reason for one in inventory.sort_resources(resources) if (reason := self._delete(one, deleted))]
            if reasons and len(deleted) == before and not any(map(_is_transient, reasons)):
                return deleted
            time.sleep(pause)
            pause = min(2 * pause, longest)

    def _delete(self, resource: FoundResource, deleted: list[str]) -> str:
        """Delete one resource; return the error, or an empty string on success."""
        try:
            inventory.delete_resource(self.recorder, resource, self.settings.account)
        except (ClientError, BotoCoreError) as error:
            self._say(f"not yet deleted: {resource}: {error}")
            return str(error)
        if str(resource) not in deleted:
            deleted.append(str(resource))
            self._say(f"{'stopped' if resource.kind in activity.KINDS else 'deleted'} {resource}")
        return ""

    def _delete_job_logs(self) -> None:
        """Delete the log groups of jobs that SageMaker created during this part of the run."""
        if (earlier := self.settings.load_log_groups()) is None:
            return
        (begin, before), end = earlier, self.settings.load_end()
        try:
            for name, group in sorted(_describe_job_log_groups(self.recorder).items()):
                created = datetime.fromtimestamp(group["creationTime"] / 1000, UTC)
                if name in before or not begin <= created <= end or self._is_tagged(group):
                    continue
                self.recorder.get_client("logs").delete_log_group(logGroupName=name)
                self._say(f"deleted log group {name}, which was created during the run")
        except (ClientError, BotoCoreError) as error:
            self.left.append(f"log groups of jobs: {error}")

    def _is_tagged(self, group: Mapping[str, Any]) -> bool:
        """Return whether a log group has tags: SageMaker sets none, so something else manages the group."""
        arn = str(group["arn"]).removesuffix(":*")
        return bool(self.recorder.get_client("logs").list_tags_for_resource(resourceArn=arn)["tags"])


def list_roots(folder: Path) -> list[Path]:
    """Return the root modules of a run whose state holds something, the youngest first and the base last."""
    states = sorted(folder.glob("*/terraform.tfstate"), key=lambda file: file.stat().st_mtime, reverse=True)
    folders = [state.parent for state in states if _holds_something(state)]
    return sorted(folders, key=lambda one: one.name == BASE)


def group_roots(folders: list[Path]) -> list[list[Path]]:
    """Return root modules in groups. Each group is destroyed after the earlier ones, which may use its resources."""
    last = {"network": 1, BASE: 2}
    return [[folder for folder in folders if last.get(folder.name, 0) == number] for number in range(3)]


def list_job_log_groups(recorder: Recorder) -> set[str]:
    """Return the names of the log groups of SageMaker's jobs in the account and Region."""
    return set(_describe_job_log_groups(recorder))


def _describe_job_log_groups(recorder: Recorder) -> dict[str, dict[str, Any]]:
    groups = inventory.list_pages(
        recorder.get_client("logs"), "describe_log_groups", "logGroups", logGroupNamePrefix=JOB_LOGS
    )
    return {one["logGroupName"]: one for one in groups if one["logGroupName"].endswith("Jobs")}


def _holds_something(state: Path) -> bool:
    try:
        return bool(json.loads(state.read_text(encoding="utf-8"))["resources"])
    except (ValueError, KeyError):  # a process was killed while it wrote; Terraform reports the error
        return True


def _is_transient(reason: str) -> bool:
    """Return whether a refusal is temporary: the resource is in transition or about to disappear."""
    return any(word in reason.lower() for word in _TRANSIENT_WORDS)
