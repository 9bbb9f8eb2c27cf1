"""Log groups that stay after a destruction, or that a late line creates again."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import NamedTuple

from sustainable_mlops import aws
from sustainable_mlops.aws import AccountClients, Arn
from sustainable_mlops.base.log_groups import SETTING

#: Seconds between two searches for recreated log groups.
_LATE_INTERVAL_SECONDS = 5
#: Log groups that all jobs of an account and Region share, such as /aws/sagemaker/TrainingJobs.
_SHARED_LOG_GROUP = re.compile(r"/aws/sagemaker/(?P<kind>\w+)Jobs")
#: Adoption of a group by an environment without settings.yaml.
_IMPORT = "adopt the group with an `import` block"


class LogGroup(NamedTuple):
    """Log group with its account and its Region."""

    account_id: str
    region: str
    name: str

    @classmethod
    def from_arn(cls, arn: str) -> "LogGroup":
        """Return the log group with this ARN: arn:aws:logs:<region>:<account>:log-group:<name>."""
        _, _, region, account_id, resource = Arn.parse(arn)
        return cls(account_id, region, resource.split(":")[1])


@dataclass(frozen=True)
class JobMarks:
    """Marks of an environment's jobs: the start of their names, and the roles that they run under."""

    name_prefix: str | None
    roles: frozenset[str]

    def has_name(self, name: str) -> bool:
        """Return whether a name has the environment's prefix."""
        return self.name_prefix is not None and name.startswith(f"{self.name_prefix}-")


class LateLogGroups:
    """Log groups that stay, or that a late line creates again after the destruction."""

    def __init__(
        self, account: AccountClients, marks: JobMarks, report_line: Callable[[str], None], *, has_settings: bool
    ) -> None:
        self._account = account
        self._marks = marks
        self._report_line = report_line
        self._adoption = f"add the group to {SETTING} in settings.yaml" if has_settings else _IMPORT

    def delete(
        self, groups: Iterable[LogGroup], seconds: float, progress: Callable[[str], None] = lambda _: None
    ) -> list[str]:
        """Delete the log groups that appear again within `seconds`, and return their names.

        A remaining group would make the next apply fail, because Terraform cannot create it again. A shared group
        stays if a job of another environment writes to it. Raises UserError if AWS refuses.
        """
        deleted: dict[str, None] = {}
        watched, deadline = list(groups), time.monotonic() + seconds
        while watched and seconds > 0:
            watched = [group for group in watched if not self.report_foreign_stream(group)]
            deleted |= dict.fromkeys(group.name for group in watched if self._delete(group))
            left = deadline - time.monotonic()
            if left <= 0:
                break
            progress(f"waiting {left:.0f} s for late log lines")
            time.sleep(min(_LATE_INTERVAL_SECONDS, left))
        return list(deleted)

    def report_foreign_stream(self, group: LogGroup) -> bool:
        """Report a shared group with a log stream of another environment's job. Return whether there is one."""
        if (stream := self._find_foreign_stream(group)) is None:
            return False
        self._report_line(
            f"log group {group.name} stays, because {stream} belongs to a job of another environment. Before you apply "
            f"this environment again, {self._adoption}."
        )
        return True

    def _find_foreign_stream(self, group: LogGroup) -> str | None:
        """Return the name of a log stream of a job outside this environment; None for a group that is not shared."""
        if _SHARED_LOG_GROUP.fullmatch(group.name) is None:
            return None
        with aws.translate_aws_errors(f"log group {group.name}"):
            return next((one for one in self._list_streams(group) if not self._is_own(group, one)), None)

    def _list_streams(self, group: LogGroup) -> Iterator[str]:
        """Yield the names of a group's log streams; none if the group does not exist."""
        logs = self._account.client("logs", group.region)
        with suppress(logs.exceptions.ResourceNotFoundException):
            for page in logs.get_paginator("describe_log_streams").paginate(logGroupName=group.name):
                yield from (stream["logStreamName"] for stream in page["logStreams"])

    def _is_own(self, group: LogGroup, stream: str) -> bool:
        """Return whether the job of a log stream belongs to this environment, by its name or its role."""
        from botocore.exceptions import ClientError

        job = stream.partition("/")[0]
        sagemaker, kind = self._account.client("sagemaker", group.region), _SHARED_LOG_GROUP.fullmatch(group.name)
        if self._marks.has_name(job) or kind is None or kind["kind"] not in ("Training", "Processing", "Transform"):
            return self._marks.has_name(job)
        try:
            description = getattr(sagemaker, f"describe_{kind['kind'].lower()}_job")(**{f"{kind['kind']}JobName": job})
            if kind["kind"] == "Transform":  # runs under the role of its model
                description = {
                    "RoleArn": sagemaker.describe_model(ModelName=description["ModelName"])["ExecutionRoleArn"]
                }
        except ClientError:  # the job is deleted or not readable, so its owner is unknown
            return False
        return description["RoleArn"] in self._marks.roles

    def _delete(self, group: LogGroup) -> bool:
        """Delete a log group; return True if it existed."""
        logs = self._account.client("logs", group.region)
        with _translate_late_errors(group):
            try:
                logs.delete_log_group(logGroupName=group.name)
            except logs.exceptions.ResourceNotFoundException:
                return False
        return True


def _translate_late_errors(group: LogGroup) -> AbstractContextManager[None]:
    return aws.translate_aws_errors(
        f"everything of the environment is destroyed; its log group {group.name} may exist again"
    )
