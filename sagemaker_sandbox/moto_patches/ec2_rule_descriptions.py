"""EC2: moto forgets the description of a security group's rule for another group or a prefix list."""

import inspect
from typing import Any

from moto.ec2.models.security_groups import SecurityGroupRule


def apply() -> None:
    """Keep the description of every rule."""
    initialize = SecurityGroupRule.__init__
    signature = inspect.signature(initialize)

    def initialize_with_prefix_list(self: Any, *arguments: Any, **options: Any) -> None:
        initialize(self, *arguments, **options)
        self.prefix_list = signature.bind(self, *arguments, **options).arguments.get("prefix_list_id") or {}

    def read_description(self: Any) -> str | None:
        sources = (self.ip_range, self.source_group, self.prefix_list)
        return next((source["Description"] for source in sources if "Description" in source), None)

    SecurityGroupRule.__init__ = initialize_with_prefix_list
    SecurityGroupRule.description = property(read_description)
