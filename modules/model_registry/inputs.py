"""Inputs of `model_registry`."""

from typing import Annotated

from modules.common import AccountId, ExistingPublisherRole, KmsKeyArn, LocatedInputs, ProtectedInputs, RoleInputs
from modules.location import require_key_in_region, require_publisher_role_of_account
from modules.subscribers import Subscriber, SubscriberKey, require_distinct_endpoints
from sustainable_mlops.authoring import Field, ModuleInputs, must, rule
from sustainable_mlops.authoring.expressions import contains, every, list_of, optional

GroupKey = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9_]{0,28}[a-z0-9]$",
        json_schema_extra=must(
            "be 2 to 30 lower-case letters, digits and underscores; in the group's name they become hyphens"
        ),
    ),
]


class ModelPackageGroup(ModuleInputs):
    description: str | None = Field(
        None, description="Purpose of the models. It cannot change later, because no API updates it."
    )
    reader_account_ids: list[AccountId] = Field(
        default_factory=list, description="Accounts that may read and deploy its packages."
    )


class ApprovalTopic(ModuleInputs):
    existing_role: ExistingPublisherRole | None = Field(
        None, description="Publish with this role instead of a new one."
    )
    kms_key_arn: KmsKeyArn = Field(description="Key of the topic. Its policy must let this account's roles use it.")
    subscribers: dict[SubscriberKey, Subscriber] = Field(
        default_factory=dict, description="Subscribers of the topic, by a key of your choice. Default: none."
    )

    rules = (require_distinct_endpoints("subscribers", lambda v: v.subscribers),)


class Inputs(LocatedInputs, ProtectedInputs, RoleInputs):
    approval_topic: ApprovalTopic | None = Field(
        None, description="SNS topic that receives every approval and rejection. Default: none."
    )
    model_package_groups: dict[GroupKey, ModelPackageGroup] = Field(
        description="Model package groups by key; the group of key flight_delay is named `<name_prefix>-flight-delay`."
    )

    rules = (
        require_key_in_region(
            "approval_topic", lambda v: list_of(optional(v.approval_topic), lambda topic: topic.kms_key_arn)
        ),
        require_publisher_role_of_account("approval_topic"),
        rule(
            "model_package_groups",
            lambda v: every(v.model_package_groups, lambda group: ~contains(group.reader_account_ids, v.account_id)),
            lambda v: f"reader_account_ids must not contain {v.account_id}, the account of the groups; remove it.",
        ),
    )
