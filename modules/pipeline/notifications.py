"""Notifications of failed executions."""

from typing import Any

from cdktn_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktn_provider_aws.cloudwatch_event_target import CloudwatchEventTarget

from modules import event_patterns, event_topics
from modules.pipeline.inputs import FAILED, Inputs
from sustainable_mlops.authoring.expressions import each_of, jsonencode, optional_map
from sustainable_mlops.authoring.resources import Module
from sustainable_mlops.aws.statuses import STATUSES

_FAILED = STATUSES["PipelineExecutionStatus"].failed


def add(module: Module[Inputs]) -> tuple[Any, Any]:
    """Add the topic of failed executions and its rule. Returns maps of topics and rules with at most one item."""
    var = module.var
    name = f"{module.locals.name}-{FAILED}"
    topic_by_key = optional_map(FAILED, var.failure_topic)
    topic_each = each_of(topic_by_key)
    topics = event_topics.add_topics(module, "failed", name, topic_each)
    subscribers = event_topics.list_subscribers(var.failure_topic)
    event_topics.add_subscriptions(module, "failed", topics[FAILED].arn, subscribers)
    rules = module.add(
        CloudwatchEventRule,
        "failed",
        for_each=topic_each,
        name=name,
        description=f"An execution of the pipeline {module.locals.name} failed.",
        event_pattern=jsonencode(
            event_patterns.build_pipeline_pattern(
                {"pipelineArn": [module.locals.arn], "currentPipelineExecutionStatus": list(_FAILED)}
            )
        ),
        tags=var.tags,
    )
    target_arguments = event_topics.add_publisher(
        module,
        name,
        topic_by_key,
        [name],
        event_topics.build_rule_condition([event_topics.build_rule_arn(var, name)]),
    )
    rule = each_of(rules)
    module.add(
        CloudwatchEventTarget,
        "failed",
        for_each=rule,
        rule=rule.value.name,
        target_id="topic",
        arn=topics[rule.key].arn,
        **target_arguments,
    )
    return topics, rules
