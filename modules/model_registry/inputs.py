"""Inputs of `model_registry`."""

from typing import Annotated

from modules.common import (
    ARN,
    AccountId,
    LocatedInputs,
    ProtectedInputs,
    RoleArn,
    RoleInputs,
)
from modules.location import (
    require_connection_of_location,
    require_key_in_region,
    require_publisher_role_of_account,
    require_role_of_account,
)
from modules.subscribers import SubscribedTopic
from sustainable_mlops.authoring import Field, ModuleInputs, must, rule
from sustainable_mlops.authoring.expressions import contains, every, flatten, is_omitted, list_of, optional

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


ApiUrl = Annotated[
    str,
    Field(
        pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._-]+)*$",
        json_schema_extra=must("be an address that starts with https:// and has no slash at its end"),
    ),
]


class GitHubDelivery(ModuleInputs):
    """Repository that receives an event `repository_dispatch` for each approval."""

    api_url: ApiUrl = Field(
        "https://api.github.com",
        description="API of GitHub. For GitHub Enterprise Server: https://HOST/api/v3. It must be public.",
    )
    event_type: str = Field(
        "model-approved",
        description="Type of the event, which the workflow lists in `types`.",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
        json_schema_extra=must("be 1 to 100 letters, digits, dots, hyphens and underscores"),
    )
    repository: str = Field(
        description="Repository with the workflow.",
        pattern=r"^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$",
        json_schema_extra=must("be the owner and the name of a repository, such as acme/flights"),
    )


class GitLabDelivery(ModuleInputs):
    """Project whose pipeline each approval starts."""

    api_url: ApiUrl = Field(
        "https://gitlab.com/api/v4",
        description="API of GitLab. For GitLab Self-Managed: https://HOST/api/v4. It must be public.",
    )
    project_id: str = Field(
        description="Number of the project with the pipeline.",
        pattern="^[0-9]+$",
        json_schema_extra=must("be the number of a project, such as 4711"),
    )
    ref: str = Field(
        "main",
        description="Branch or tag that the pipeline runs on.",
        pattern=r"^[A-Za-z0-9._/-]{1,255}$",
        json_schema_extra=must("be 1 to 255 letters, digits, dots, slashes, hyphens and underscores"),
    )


class ExistingDeliveryRole(ModuleInputs):
    """Existing role that EventBridge starts the delivery pipeline with."""

    arn: RoleArn = Field(
        description="ARN of the role. EventBridge must be able to assume it, and it must be able to invoke the API "
        "destination `<name_prefix>-model-delivery`."
    )


class Delivery(ModuleInputs):
    connection_arn: str = Field(
        description="EventBridge connection that holds the token. Create it outside Terraform, because the provider "
        "would write the token to the state.",
        pattern=rf"^{ARN}:events:[a-z0-9-]+:[0-9]{{12}}:connection/[._A-Za-z0-9-]+/[A-Za-z0-9-]+$",
        json_schema_extra=must("be the ARN of an EventBridge connection (arn:aws:events:…:connection/NAME/ID)"),
    )
    existing_role: ExistingDeliveryRole | None = Field(
        None, description="Start the pipeline with this role instead of a new one."
    )
    github: GitHubDelivery | None = Field(None, description="Send the event `repository_dispatch` to GitHub.")
    gitlab: GitLabDelivery | None = Field(None, description="Start a pipeline of GitLab.")

    rules = (
        rule(
            "github",
            lambda v: is_omitted(v.github) | is_omitted(v.gitlab),
            "github and gitlab exclude each other; remove one of them.",
        ),
        rule(
            "github",
            lambda v: ~is_omitted(v.github) | ~is_omitted(v.gitlab),
            "set github or gitlab, so that an approval has a pipeline to start.",
        ),
    )


class Inputs(LocatedInputs, ProtectedInputs, RoleInputs):
    approval_topic: SubscribedTopic | None = Field(
        None, description="SNS topic that receives every approval and rejection. Default: none."
    )
    delivery: Delivery | None = Field(
        None, description="Pipeline of GitHub or GitLab that every approval starts. Default: none."
    )
    model_package_groups: dict[GroupKey, ModelPackageGroup] = Field(
        description="Model package groups by key; the group of key flight_delay is named `<name_prefix>-flight-delay`."
    )

    rules = (
        require_key_in_region(
            "approval_topic", lambda v: list_of(optional(v.approval_topic), lambda topic: topic.kms_key_arn)
        ),
        require_publisher_role_of_account("approval_topic"),
        require_connection_of_location(
            "delivery", lambda v: list_of(optional(v.delivery), lambda delivery: delivery.connection_arn)
        ),
        require_role_of_account(
            "delivery",
            lambda v: flatten(
                list_of(
                    optional(v.delivery),
                    lambda delivery: list_of(optional(delivery.existing_role), lambda role: role.arn),
                )
            ),
        ),
        rule(
            "model_package_groups",
            lambda v: every(v.model_package_groups, lambda group: ~contains(group.reader_account_ids, v.account_id)),
            lambda v: f"reader_account_ids must not contain {v.account_id}, the account of the groups; remove it.",
        ),
    )
