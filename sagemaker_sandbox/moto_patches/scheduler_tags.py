"""Scheduler: moto keeps the tags of a deleted group. A new group of the same name would get them."""

from typing import Any

from moto.scheduler.models import EventBridgeSchedulerBackend


def apply() -> None:
    """Delete the tags with their group."""
    delete_schedule_group = EventBridgeSchedulerBackend.delete_schedule_group

    def delete_schedule_group_and_tags(self: Any, name: str | None) -> None:
        group = self.schedule_groups.get(name or "default")
        delete_schedule_group(self, name)
        self.tagger.delete_all_tags_for_resource(group.arn)

    EventBridgeSchedulerBackend.delete_schedule_group = delete_schedule_group_and_tags
