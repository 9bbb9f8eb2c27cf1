"""Amazon ECR: repositories for the images of containers."""

from typing import Any

from cdktn_provider_aws.ecr_lifecycle_policy import EcrLifecyclePolicy
from cdktn_provider_aws.ecr_registry_policy import EcrRegistryPolicy
from cdktn_provider_aws.ecr_replication_configuration import EcrReplicationConfiguration
from cdktn_provider_aws.ecr_repository import EcrRepository
from cdktn_provider_aws.ecr_repository_policy import EcrRepositoryPolicy

from modules.containers import pull_images
from modules.iam_statements import build_statements_output
from modules.images import iam_statements
from modules.images.iam_statements import build_repository_arn, format_repository_name
from modules.images.inputs import Inputs, Repository, TemporaryImages
from modules.location_check import check_location
from modules.policies import encode_policy
from modules.protection import protect
from sustainable_mlops.authoring.expressions import (
    Dynamic,
    Each,
    concat,
    each_of,
    flatten,
    jsonencode,
    length,
    list_of,
    map_of,
    optional,
    set_of,
    when,
)
from sustainable_mlops.authoring.resources import Module, Output, Outputs


class ImagesModule(Module[Inputs]):
    """Repositories with immutable tags, and copies for other accounts and Regions."""

    def build(self, var: Inputs) -> Outputs:
        entry = each_of(var.repositories)
        repositories = self.add(
            EcrRepository,
            "this",
            for_each=entry,
            name=format_repository_name(var, entry.key),
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scan_on_push": True},
            encryption_configuration=[{"encryption_type": "KMS", "kms_key": var.kms_key_arn}],
            force_delete=~var.deletion_protection,
            tags=var.tags,
            notes={"image_tag_mutability": "A tag that a model names always means the same image."},
        )
        protect(self, map_of(repositories, lambda repository: repository.arn))
        self._add_expiry(repositories)
        self._add_readers(var, repositories)
        self._add_replication(var)
        check_location(self)
        return {
            "repositories": Output(
                map_of(
                    repositories,
                    lambda repository: {
                        "name": repository.name,
                        "arn": repository.arn,
                        "url": repository.repository_url,
                    },
                ),
                "Repositories by key: name, arn and url. An image is `<url>:<tag>`.",
            ),
            "role_statements": build_statements_output(iam_statements.build_statements(var)),
        }

    def _add_expiry(self, repositories: Any) -> None:
        """Add the expiry of untagged and temporary images."""
        repository = each_of(self.var.repositories)
        untagged = {
            "rulePriority": 1,
            "description": "Images without a tag",
            "selection": _select_pushed_before(repository.value.expire_untagged_after_days, tagStatus="untagged"),
            "action": {"type": "expire"},
        }
        temporary = flatten(list_of(optional(repository.value.temporary_images), _build_temporary_rules))
        self.add(
            EcrLifecyclePolicy,
            "this",
            why="Images without a tag are billed until they expire. Other tagged images stay, because a model may name "
            "them.",
            for_each=repository,
            repository=repositories[repository.key].name,
            policy=jsonencode({"rules": concat([untagged], temporary)}),
        )

    def _add_readers(self, var: Inputs, repositories: Any) -> None:
        """Allow the reader accounts to pull images."""
        local = self.local(
            "shared_repositories",
            map_of(
                var.repositories,
                lambda repository: repository,
                where=lambda repository: length(repository.reader_account_ids) > 0,
            ),
        )
        shared: Each[str, Repository] = each_of(local)
        statement = pull_images([])
        readers = list_of(shared.value.reader_account_ids, lambda account: f"arn:{var.partition}:iam::{account}:root")
        del statement["resources"]
        self.add(
            EcrRepositoryPolicy,
            "readers",
            for_each=shared,
            repository=repositories[shared.key].name,
            policy=encode_policy({**statement, "principals": [{"type": "AWS", "identifiers": readers}]}),
        )

    def _add_replication(self, var: Inputs) -> None:
        """Add the copies to other registries, and the policy that accepts copies from other accounts."""
        nothing: list[str] = []
        replication = each_of(set_of(when(length(var.replicate_to) > 0, ["registry"], nothing)))
        self.add(
            EcrReplicationConfiguration,
            "this",
            why="A registry has one replication, so only one module call of an account and a Region can set it.",
            for_each=replication,
            replication_configuration={
                "rule": [
                    {
                        "destination": Dynamic(
                            var.replicate_to,
                            lambda registry: {
                                "registry_id": registry.value.account_id,
                                "region": registry.value.region,
                            },
                        ),
                        "repository_filter": [{"filter": f"{var.name_prefix}/", "filter_type": "PREFIX_MATCH"}],
                    }
                ]
            },
        )
        acceptance = each_of(set_of(when(length(var.replicate_from_account_ids) > 0, ["registry"], nothing)))
        senders = list_of(var.replicate_from_account_ids, lambda account: f"arn:{var.partition}:iam::{account}:root")
        self.add(
            EcrRegistryPolicy,
            "this",
            why="Other accounts replicate only into these repositories, and create none.",
            for_each=acceptance,
            policy=encode_policy(
                {
                    "sid": "ReceiveImages",
                    "actions": ["ecr:ReplicateImage"],
                    "resources": list_of(var.repositories, lambda key, _repository: build_repository_arn(var, key)),
                    "principals": [{"type": "AWS", "identifiers": senders}],
                }
            ),
        )


def _select_pushed_before(days: int, **selection: Any) -> dict[str, Any]:
    """Return the selection of images that were pushed before this number of days."""
    return {**selection, "countType": "sinceImagePushed", "countUnit": "days", "countNumber": days}


def _build_temporary_rules(images: TemporaryImages) -> list[dict[str, Any]]:
    """Return one rule for each prefix: a rule with several prefixes selects only images that have all of them."""
    prefixes: Any = images.tag_prefixes
    rules: list[dict[str, Any]] = list_of(
        prefixes,
        lambda index, prefix: {
            "rulePriority": index + 2,
            "description": f"Images with a tag {prefix}*",
            "selection": _select_pushed_before(images.expire_after_days, tagStatus="tagged", tagPrefixList=[prefix]),
            "action": {"type": "expire"},
        },
    )
    return rules
