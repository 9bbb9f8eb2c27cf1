"""SageMaker Model Registry: where a model waits for a person, and where other accounts take it from."""

from cdktn_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktn_provider_aws.cloudwatch_event_target import CloudwatchEventTarget
from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument
from cdktn_provider_aws.sagemaker_model_package_group import SagemakerModelPackageGroup
from cdktn_provider_aws.sagemaker_model_package_group_policy import SagemakerModelPackageGroupPolicy
from cdktn_provider_aws.sns_topic import SnsTopic
from cdktn_provider_aws.sns_topic_policy import SnsTopicPolicy

from modules.model_registry.inputs import Inputs
from modules.protection import protect
from sustainable_mlops.authoring.resources import Module, Output, Outputs, jsonencode, strings

NAME = '${var.name_prefix}-${replace(each.key, "_", "-")}'
TOPIC = "${var.name_prefix}-model-approvals"


class ModelRegistry(Module[Inputs]):
    """Model package groups, who may read them from other accounts, and an event for each approval."""

    def build(self, var: Inputs) -> Outputs:
        groups = self.add(
            SagemakerModelPackageGroup,
            "this",
            for_each="${var.model_package_groups}",
            model_package_group_name=NAME,
            model_package_group_description="${each.value.description}",
            tags=var.tags,
            notes={"lifecycle": "The provider would replace the group to change its description."},
            lifecycle={"ignore_changes": ["model_package_group_description"]},
        )
        protect(self, f"{{ for key, group in {groups.address} : key => group.arn }}")
        self._share(groups.address)
        rules = self.add(
            CloudwatchEventRule,
            "approval",
            why="So that a promotion starts when a person approves a model, and nothing has to poll.",
            for_each=f"${{{groups.address}}}",
            name=f"{NAME}-approval",
            description="A model package of ${each.value.model_package_group_name} was approved or rejected.",
            event_pattern=jsonencode(
                {
                    "source": ["aws.sagemaker"],
                    "detail-type": ["SageMaker Model Package State Change"],
                    "detail": {
                        "ModelPackageGroupName": ["${each.value.model_package_group_name}"],
                        "ModelApprovalStatus": ["Approved", "Rejected"],
                    },
                }
            ),
            tags=var.tags,
        )
        topics = self._notify(var, rules.address)
        return {
            "approval_rules": Output(
                f"${{{{ for key, rule in {rules.address} : key => rule.name }}}}",
                "EventBridge rules by key of the group: attach a target to start a promotion.",
            ),
            "approval_topic_arn": Output(
                f"${{one(values({topics})[*].arn)}}", "Topic told of approvals and rejections; null where none is."
            ),
            "model_package_groups": Output(
                f"""${{{{
                  for key, group in {groups.address} : key => {{
                    name = group.model_package_group_name
                    arn  = group.arn
                  }}
                }}}}""",
                "Model package groups by key: name and arn.",
            ),
        }

    def _share(self, groups: str) -> None:
        """Let the reader accounts see and deploy what is in a group, without copying it."""
        shared = self.local(
            "shared_groups",
            "${{ for key, group in var.model_package_groups : key => group if length(group.reader_account_ids) > 0 }}",
        )
        # ARNs are written out, here and for the topic: a document that referred to the resource would be unknown in
        # each plan that changes as much as a tag of it.
        account = "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}"
        readers = {
            "type": "AWS",
            "identifiers": strings('formatlist("arn:${var.partition}:iam::%s:root", each.value.reader_account_ids)'),
        }
        document = self.add(
            DataAwsIamPolicyDocument,
            "readers",
            for_each=shared,
            statement=[
                {
                    "sid": "FindGroup",
                    "actions": ["sagemaker:DescribeModelPackageGroup"],
                    "resources": [f"{account}:model-package-group/{NAME}"],
                    "principals": [readers],
                },
                {
                    "sid": "ReadAndDeployPackages",
                    "actions": [
                        "sagemaker:CreateModel",
                        "sagemaker:DescribeModelPackage",
                        "sagemaker:ListModelPackages",
                    ],
                    "resources": [f"{account}:model-package/{NAME}/*"],
                    "principals": [readers],
                },
            ],
        )
        self.add(
            SagemakerModelPackageGroupPolicy,
            "readers",
            for_each=shared,
            model_package_group_name=f"${{{groups}[each.key].model_package_group_name}}",
            resource_policy=document.at("each.key").json,
        )

    def _notify(self, var: Inputs, rules: str) -> str:
        """Send the events to a topic where one is asked for; returns the topic's address."""
        topic = "${var.approval_topic == null ? {} : { approvals = var.approval_topic }}"
        topics = self.add(
            SnsTopic,
            "approvals",
            for_each=topic,
            name=TOPIC,
            kms_master_key_id="${each.value.kms_key_arn}",
            tags=var.tags,
        )
        document = self.add(
            DataAwsIamPolicyDocument,
            "approvals",
            why="No condition: EventBridge sends none of the context that one could test when it publishes to a topic.",
            for_each=topic,
            statement=[
                {
                    "sid": "PublishApprovals",
                    "actions": ["sns:Publish"],
                    "resources": [f"arn:${{var.partition}}:sns:${{var.region}}:${{var.account_id}}:{TOPIC}"],
                    "principals": [{"type": "Service", "identifiers": ["events.amazonaws.com"]}],
                }
            ],
        )
        self.add(
            SnsTopicPolicy,
            "approvals",
            for_each=f"${{{topics.address}}}",
            arn="${each.value.arn}",
            policy=document.at("each.key").json,
        )
        self.add(
            CloudwatchEventTarget,
            "approvals",
            for_each=f"${{{{ for key, rule in {rules} : key => rule.name if var.approval_topic != null }}}}",
            rule="${each.value}",
            target_id="topic",
            arn=topics["approvals"].arn,
        )
        return topics.address
