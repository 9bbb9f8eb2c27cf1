"""CloudWatch Logs: moto keeps the tags of a deleted group. A new group of the same name would get them."""

from typing import Any

from moto.logs.models import LogsBackend


def apply() -> None:
    """Delete the tags with their group."""
    delete_log_group = LogsBackend.delete_log_group

    def delete_log_group_and_tags(self: Any, log_group_name: str) -> None:
        group = self.groups.get(log_group_name)
        delete_log_group(self, log_group_name)
        self.tagger.delete_all_tags_for_resource(group.arn)

    LogsBackend.delete_log_group = delete_log_group_and_tags
