"""Who is told of runs that fail."""

from typing import Any

from cdktn_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktn_provider_aws.cloudwatch_event_target import CloudwatchEventTarget
from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument
from cdktn_provider_aws.sns_topic import SnsTopic
from cdktn_provider_aws.sns_topic_policy import SnsTopicPolicy

from modules.pipeline.inputs import FAILED, Inputs
from sustainable_mlops.authoring.expressions import each_of, jsonencode, optional_map
from sustainable_mlops.authoring.resources import Module


def add(module: Module[Inputs]) -> tuple[Any, Any]:
    """Tell a topic of failed runs; returns the topics and the rules: one or none of each."""
    var = module.var
    name = f"{module.locals.name}-{FAILED}"
    asked = each_of(optional_map(FAILED, var.failure_topic))
    topics = module.add(
        SnsTopic,
        "failed",
        for_each=asked,
        name=name,
        kms_master_key_id=asked.value.kms_key_arn,
        tags=var.tags,
    )
    document = module.add(
        DataAwsIamPolicyDocument,
        "failed",
        why="No condition: EventBridge sends none of the context that one could test when it publishes to a topic.",
        for_each=asked,
        statement=[
            {
                "sid": "PublishFailures",
                "actions": ["sns:Publish"],
                "resources": [f"arn:{var.partition}:sns:{var.region}:{var.account_id}:{name}"],
                "principals": [{"type": "Service", "identifiers": ["events.amazonaws.com"]}],
            }
        ],
    )
    topic = each_of(topics)
    module.add(SnsTopicPolicy, "failed", for_each=topic, arn=topic.value.arn, policy=document[topic.key].json)
    rules = module.add(
        CloudwatchEventRule,
        "failed",
        for_each=asked,
        name=name,
        description=f"A run of the pipeline {module.locals.name} has failed.",
        event_pattern=jsonencode(
            {
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
                "detail": {"pipelineArn": [module.locals.arn], "currentPipelineExecutionStatus": ["Failed"]},
            }
        ),
        tags=var.tags,
    )
    rule = each_of(rules)
    module.add(
        CloudwatchEventTarget,
        "failed",
        for_each=rule,
        rule=rule.value.name,
        target_id="topic",
        arn=topics[rule.key].arn,
    )
    return topics, rules
