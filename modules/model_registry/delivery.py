"""Start of a delivery pipeline by each approval: an API destination of EventBridge that calls GitHub or GitLab.

The token is in a connection of EventBridge, which keeps it in Secrets Manager. The connection is an input, because
`aws_cloudwatch_event_connection` writes the token to the state: versions 5.100 and 6.x of the provider have no
write-only argument for it.
"""

from collections.abc import Mapping
from typing import Any

from cdktn_provider_aws.cloudwatch_event_api_destination import CloudwatchEventApiDestination
from cdktn_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktn_provider_aws.cloudwatch_event_target import CloudwatchEventTarget
from cdktn_provider_aws.iam_role_policy import IamRolePolicy

from modules import event_patterns, event_topics
from modules.dead_letters import add_queues
from modules.iam_statements import equals
from modules.model_registry import iam_statements
from modules.model_registry.inputs import GitHubDelivery, GitLabDelivery, Inputs
from modules.policies import encode_policy
from modules.roles import add_service_role, encode_trust
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    concat,
    each_of,
    flatten,
    is_omitted,
    jsonencode,
    list_of,
    map_of,
    one_or_null,
    optional,
    optional_map,
    replace,
)
from sustainable_mlops.authoring.resources import Module

KEY = "delivery"
#: Values of the event that the pipeline receives, by name.
_PATHS = {
    "account_id": "$.account",
    "model_package_arn": "$.detail.ModelPackageArn",
    "model_package_group": "$.detail.ModelPackageGroupName",
    "region": "$.region",
}
_PLACEHOLDERS = {name: f"<{name}>" for name in _PATHS}


def add(module: Module[Inputs], groups: Any) -> Any:
    """Add the resources that start the pipeline, if `delivery` is set. Return a map of the dead-letter queue."""
    var = module.var
    name = f"{var.name_prefix}-model-{KEY}"
    by_key = optional_map(KEY, var.delivery)
    request = module.local(
        "delivery_request",
        one_or_null(
            concat(
                list_of(_list_services(var, "github"), _build_github_request),
                list_of(_list_services(var, "gitlab"), _build_gitlab_request),
            )
        ),
        why="The request of each approval; null without `delivery`. EventBridge replaces the placeholders.",
    )
    declared = each_of(by_key)
    destinations = module.add(
        CloudwatchEventApiDestination,
        KEY,
        why="One request a second, because each one starts a pipeline.",
        for_each=declared,
        name=name,
        description="Starts the delivery pipeline of an approved model package.",
        connection_arn=declared.value.connection_arn,
        http_method="POST",
        invocation_endpoint=request.url,
        invocation_rate_limit_per_second=1,
    )
    sources = [
        equals("aws:SourceAccount", var.account_id),
        # A pattern and not a list, because a trust policy has at most 2,048 characters.
        event_topics.build_rule_condition([event_topics.build_rule_arn(var, f"{var.name_prefix}-*-{KEY}")], "ArnLike"),
    ]
    queues = add_queues(
        module,
        "dead_letter",
        name=build_queue_name(var),
        sid="KeepApprovals",
        sources=sources,
        for_each=declared,
        why="Keeps approvals that did not start the pipeline, which would be lost otherwise.",
    )
    role = _add_role(module, name, by_key, sources)
    _add_rules(module, groups, destinations, request, queues, role)
    return queues


def build_queue_name(var: Inputs) -> str:
    """Return the name of the dead-letter queue of approvals."""
    return f"{var.name_prefix}-approvals-not-delivered"


def _list_services(var: Inputs, field: str) -> Any:
    """Return the settings of GitHub or GitLab as a list, which is empty if they are not set."""
    return flatten(list_of(optional(var.delivery), lambda delivery: optional(getattr(delivery, field))))


def _build_github_request(github: GitHubDelivery) -> dict[str, Any]:
    return {
        "url": f"{github.api_url}/repos/{github.repository}/dispatches",
        "body": _encode_template({"event_type": github.event_type, "client_payload": _PLACEHOLDERS}),
    }


def _build_gitlab_request(gitlab: GitLabDelivery) -> dict[str, Any]:
    variables = [{"key": name.upper(), "value": value} for name, value in _PLACEHOLDERS.items()]
    return {
        "url": f"{gitlab.api_url}/projects/{gitlab.project_id}/pipeline",
        "body": _encode_template({"ref": gitlab.ref, "variables": variables}),
    }


def _encode_template(body: dict[str, Any]) -> str:
    """Return the template of a body. `jsonencode` escapes the placeholders."""
    return replace(replace(jsonencode(body), "\\u003c", "<"), "\\u003e", ">")


def _add_role(module: Module[Inputs], name: str, by_key: Mapping[str, Any], sources: list[dict[str, Any]]) -> Any:
    """Add the role that EventBridge invokes the destination with, and return its ARN or that of an existing role."""
    var = module.var
    roles = add_service_role(
        module,
        KEY,
        why="EventBridge may assume the role only for these rules.",
        for_each=each_of(map_of(by_key, lambda _, item: item, where=lambda _, item: is_omitted(item.existing_role))),
        name=name,
        description=f"Invokes the API destination {name}",
        trust=encode_trust([event_topics.PUBLISHER], *sources, sid="StartDelivery"),
    )
    role = each_of(roles)
    destination = f"arn:{var.partition}:events:{var.region}:{var.account_id}:api-destination/{name}"
    policies = module.add(
        IamRolePolicy,
        KEY,
        why="The second ARN has the ID that AWS adds to the name; both name only this destination.",
        for_each=role,
        name="invoke",
        role=role.value.name,
        policy=encode_policy(
            {
                "sid": "Invoke",
                "actions": ["events:InvokeApiDestination"],
                "resources": [destination, f"{destination}/*"],
            }
        ),
    )
    # The reference goes through the policies, so that no target exists before its role may invoke the destination.
    ready = list_of(policies, lambda key, _: roles[key].arn)
    existing = list_of(
        by_key,
        lambda _, item: assume_not_null(item.existing_role).arn,
        where=lambda _, item: ~is_omitted(item.existing_role),
    )
    return module.local("delivery_role_arn", one_or_null(concat(ready, existing)))


def _add_rules(module: Module[Inputs], groups: Any, destinations: Any, request: Any, queues: Any, role: str) -> None:
    var = module.var
    group = each_of(
        map_of(groups, lambda group: group.model_package_group_name, where=lambda _: ~is_omitted(var.delivery))
    )
    rules = module.add(
        CloudwatchEventRule,
        KEY,
        why="Separate from the rule `approval`, which matches rejections too.",
        for_each=group,
        name=f"{iam_statements.group_name(var, group.key)}-{KEY}",
        description=f"A model package of {group.value} was approved.",
        event_pattern=jsonencode(
            event_patterns.build_approval_pattern({"ModelPackageGroupName": [group.value]}, ["Approved"])
        ),
        tags=var.tags,
    )
    rule = each_of(rules)
    module.add(
        CloudwatchEventTarget,
        KEY,
        for_each=rule,
        rule=rule.value.name,
        target_id="pipeline",
        arn=destinations[KEY].arn,
        role_arn=role,
        dead_letter_config={"arn": queues[KEY].arn},
        input_transformer={"input_paths": _PATHS, "input_template": request.body},
    )
