"""Tags of SageMaker: the Resource Groups Tagging API sees the sandbox's own resources beside those that moto records,
and an experiment keeps the tags that it is made with, which moto drops."""

from collections.abc import Iterator
from typing import Any

from moto.core.resource_tagging import TaggedResource
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends

from sagemaker_sandbox.plane.control_plane import ControlPlane
from sagemaker_sandbox.sagemaker.tags import Tags


def share(plane: ControlPlane) -> None:
    """Put the plane's resources before moto's, and its tags where its resources are."""
    iter_recorded = SageMakerModelBackend.iter_tagged_resources

    def iter_tagged_resources(self: Any) -> Iterator[TaggedResource]:
        parts = plane.parts(self.account_id, self.region_name)
        with parts.region.lock:  # and not while whoever asked has the next one
            own = [
                TaggedResource(one.arn, dict(one.tags), f"sagemaker:{family.arn_type}")
                for family in parts.families
                for one in family
            ]
        yield from own
        yield from iter_recorded(self)

    def tag_resource(self: Any, arn: str, tags: dict[str, str]) -> None:
        given = [{"Key": key, "Value": value} for key, value in tags.items()]
        if plane.parts(self.account_id, self.region_name).of(Tags).has(arn):
            plane.call(self.account_id, self.region_name, "AddTags", {"ResourceArn": arn, "Tags": given})
        else:
            self.add_tags(arn, given)

    def untag_resource(self: Any, arn: str, tag_keys: list[str]) -> None:
        if plane.parts(self.account_id, self.region_name).of(Tags).has(arn):
            plane.call(self.account_id, self.region_name, "DeleteTags", {"ResourceArn": arn, "TagKeys": tag_keys})
        else:
            self.delete_tags(arn, tag_keys)

    for method in (iter_tagged_resources, tag_resource, untag_resource):
        setattr(SageMakerModelBackend, method.__name__, method)


def be_seen(account: str) -> None:
    """The tagging API asks only the services that the account has used."""
    sagemaker_backends[account]


def keep(account: str, region: str, arn: str, tags: list[dict[str, str]]) -> None:
    """Let what moto has just recorded have these tags."""
    resource = sagemaker_backends[account][region]._get_resource_from_arn(arn)
    if resource is not None and not resource.tags:
        resource.tags = tags
