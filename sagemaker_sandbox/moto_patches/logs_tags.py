"""CloudWatch Logs: moto keeps the tags of a group that is deleted, and the next one of that name begins with them."""

from typing import Any

from moto.logs.models import LogsBackend


def apply() -> None:
    """Let the tags go with their group."""
    delete_log_group = LogsBackend.delete_log_group

    def delete_log_group_and_tags(self: Any, log_group_name: str) -> None:
        group = self.groups.get(log_group_name)
        delete_log_group(self, log_group_name)
        self.tagger.delete_all_tags_for_resource(group.arn)

    LogsBackend.delete_log_group = delete_log_group_and_tags
