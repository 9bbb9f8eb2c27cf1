"""Tags of SageMaker's resources in moto.

The Resource Groups Tagging API shows the resources of this package and those that moto records. An experiment keeps the
tags of its creation, which moto drops.
"""

from collections.abc import Iterator
from copy import copy
from typing import Any

from moto.core.resource_tagging import TaggedResource
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends

from sagemaker_sandbox.control_plane.control_plane import ControlPlane
from sagemaker_sandbox.sagemaker.tags import ResourceTags


def apply(plane: ControlPlane) -> None:
    """Add the resources and tags of the control plane to moto's resources and tags."""
    iter_recorded = SageMakerModelBackend.iter_tagged_resources

    def iter_tagged_resources(self: Any) -> Iterator[TaggedResource]:
        parts = plane.get_parts(self.account_id, self.region_name)
        with parts.region.lock:  # not during the yields, which wait for the caller
            own_resources = [
                TaggedResource(resource.arn, dict(resource.tags), f"sagemaker:{family.arn_type}")
                for family in parts.families
                for resource in family
            ]
        yield from own_resources
        # moto reads a list of versions as a model card, and fails.
        view = copy(self)
        view.model_cards = {name: versions[-1] for name, versions in self.model_cards.items() if versions}
        yield from iter_recorded(view)

    def tag_resource(self: Any, arn: str, tags: dict[str, str]) -> None:
        tag_list = [{"Key": key, "Value": value} for key, value in tags.items()]
        if plane.get_parts(self.account_id, self.region_name).get(ResourceTags).has(arn):
            plane.call(self.account_id, self.region_name, "AddTags", {"ResourceArn": arn, "Tags": tag_list})
        else:
            self.add_tags(arn, tag_list)

    def untag_resource(self: Any, arn: str, tag_keys: list[str]) -> None:
        if plane.get_parts(self.account_id, self.region_name).get(ResourceTags).has(arn):
            plane.call(self.account_id, self.region_name, "DeleteTags", {"ResourceArn": arn, "TagKeys": tag_keys})
        else:
            self.delete_tags(arn, tag_keys)

    for method in (iter_tagged_resources, tag_resource, untag_resource):
        setattr(SageMakerModelBackend, method.__name__, method)


def register_account(account: str) -> None:
    """Make the account known to the tagging API, which reads only services that the account has used."""
    sagemaker_backends[account]
