"""SageMaker Model Registry: model packages that people approve and other accounts deploy."""

from typing import Any

from cdktn_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktn_provider_aws.cloudwatch_event_target import CloudwatchEventTarget
from cdktn_provider_aws.sagemaker_model_package_group import SagemakerModelPackageGroup
from cdktn_provider_aws.sagemaker_model_package_group_policy import SagemakerModelPackageGroupPolicy

from modules import event_patterns, event_topics
from modules.iam_statements import build_statements_output
from modules.location_check import check_location
from modules.model_registry import delivery, iam_statements
from modules.model_registry.inputs import Inputs, ModelPackageGroup
from modules.policies import encode_policy
from modules.protection import protect
from sustainable_mlops.authoring.expressions import (
    Each,
    concat,
    each_of,
    is_omitted,
    jsonencode,
    length,
    list_of,
    map_of,
    one_or_null,
    optional_map,
)
from sustainable_mlops.authoring.resources import Module, Output, Outputs


class ModelRegistryModule(Module[Inputs]):
    """Model package groups, their reader accounts, and an event for each approval."""

    def build(self, var: Inputs) -> Outputs:
        declared = each_of(var.model_package_groups)
        groups = self.add(
            SagemakerModelPackageGroup,
            "this",
            for_each=declared,
            model_package_group_name=iam_statements.group_name(var, declared.key),
            model_package_group_description=declared.value.description,
            tags=var.tags,
            notes={"lifecycle": "The provider would replace the group to change its description."},
            lifecycle={"ignore_changes": ["model_package_group_description"]},
        )
        protect(self, map_of(groups, lambda group: group.arn))
        self._share(var, groups)
        group = each_of(groups)
        rules = self.add(
            CloudwatchEventRule,
            "approval",
            why="Starts a promotion when a person approves a model, without polling. An edit of an approved package's "
            "metadata does not match.",
            for_each=group,
            name=f"{iam_statements.group_name(var, group.key)}-approval",
            description=f"A model package of {group.value.model_package_group_name} was approved or rejected.",
            event_pattern=jsonencode(
                event_patterns.build_approval_pattern({"ModelPackageGroupName": [group.value.model_package_group_name]})
            ),
            tags=var.tags,
        )
        topics = self._notify(var, rules)
        undelivered = delivery.add(self, groups)
        check_location(self)
        return {
            "approval_rules": Output(
                map_of(rules, lambda rule: rule.name),
                "EventBridge rules by key of the group: attach a target to start your delivery.",
            ),
            "approval_topic_arn": Output(
                one_or_null(list_of(topics, lambda topic: topic.arn)),
                "Topic of approvals and rejections; null without one.",
            ),
            "dead_letter_queue_names": Output(
                concat(
                    list_of(topics, lambda _: event_topics.build_queue_name(f"{var.name_prefix}-model-approvals")),
                    list_of(undelivered, lambda _: delivery.build_queue_name(var)),
                ),
                "Dead-letter queues of the approval topic and of the delivery pipeline, for `dead_letter_queues` of "
                "`observability`.",
            ),
            "delivery_dead_letter_queue_url": Output(
                one_or_null(list_of(undelivered, lambda queue: queue.url)),
                "Dead-letter queue of approvals that did not start the delivery pipeline; null without `delivery`.",
            ),
            "model_package_groups": Output(
                map_of(groups, lambda group: {"name": group.model_package_group_name, "arn": group.arn}),
                "Model package groups by key: name and arn.",
            ),
            "role_statements": build_statements_output(iam_statements.build_statements(var)),
        }

    def _share(self, var: Inputs, groups: Any) -> None:
        """Allow the reader accounts to read and deploy the packages of a group, without copies."""
        local = self.local(
            "shared_groups",
            map_of(
                var.model_package_groups,
                lambda group: group,
                where=lambda group: length(group.reader_account_ids) > 0,
            ),
        )
        shared: Each[str, ModelPackageGroup] = each_of(local)
        name = iam_statements.group_name(var, shared.key)
        # ARNs are composed, here and for the topic, so that every plan knows the policy.
        account = f"arn:{var.partition}:sagemaker:{var.region}:{var.account_id}"
        readers = {
            "type": "AWS",
            "identifiers": list_of(
                shared.value.reader_account_ids, lambda account: f"arn:{var.partition}:iam::{account}:root"
            ),
        }
        self.add(
            SagemakerModelPackageGroupPolicy,
            "readers",
            for_each=shared,
            model_package_group_name=groups[shared.key].model_package_group_name,
            resource_policy=encode_policy(
                {
                    "sid": "FindGroup",
                    "actions": ["sagemaker:DescribeModelPackageGroup"],
                    "resources": [f"{account}:model-package-group/{name}"],
                    "principals": [readers],
                },
                {
                    "sid": "ReadAndDeployPackages",
                    "actions": [
                        "sagemaker:CreateModel",
                        "sagemaker:DescribeModelPackage",
                        "sagemaker:ListModelPackages",
                    ],
                    "resources": [f"{account}:model-package/{name}/*"],
                    "principals": [readers],
                },
            ),
        )

    def _notify(self, var: Inputs, rules: Any) -> Any:
        """Send the events to a topic if the input is set. Returns a map with at most one topic."""
        topic_by_key = optional_map("approvals", var.approval_topic)
        name = f"{var.name_prefix}-model-approvals"
        topics = event_topics.add_topics(self, "approvals", name, each_of(topic_by_key))
        subscribers = event_topics.list_subscribers(var.approval_topic)
        event_topics.add_subscriptions(self, "approvals", topics["approvals"].arn, subscribers)
        # A pattern and not a list, because a trust policy has at most 2,048 characters.
        rules_of_groups = event_topics.build_rule_arn(var, f"{var.name_prefix}-*-approval")
        target_arguments = event_topics.add_publisher(
            self, name, topic_by_key, [name], event_topics.build_rule_condition([rules_of_groups], "ArnLike")
        )
        rule = each_of(map_of(rules, lambda rule: rule.name, where=lambda _: ~is_omitted(var.approval_topic)))
        self.add(
            CloudwatchEventTarget,
            "approvals",
            for_each=rule,
            rule=rule.value,
            target_id="topic",
            arn=topics["approvals"].arn,
            **target_arguments,
        )
        return topics
