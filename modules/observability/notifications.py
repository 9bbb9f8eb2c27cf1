"""Events that people are notified of.

Names and details must match the SageMaker developer guide, "Events that SageMaker AI sends to Amazon EventBridge".
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modules import event_patterns
from modules.event_patterns import build_pattern
from sustainable_mlops.authoring.expressions import contains, each_of, jsonencode, map_of, merge, replace, when
from sustainable_mlops.aws.statuses import STATUSES

if TYPE_CHECKING:
    from sustainable_mlops.authoring.resources import Module

DEPLOYMENT, STATE = (f"SageMaker Endpoint {subject} Change" for subject in ("Deployment State", "State"))
_EXECUTION, _ENDPOINT = STATUSES["PipelineExecutionStatus"], STATUSES["EndpointStatus"]


def _build_job_pattern(noun: str) -> dict[str, Any]:
    """Return the pattern of failed or stopped jobs of one kind."""
    field = f"{noun.replace(' ', '')}JobStatus"
    return build_pattern(
        f"SageMaker {noun} Job State Change", {field: [*STATUSES[field].failed, *STATUSES[field].stopped]}
    )


def _list_event_statuses(*statuses: str) -> list[str]:
    """Return statuses of endpoints as their events contain them, such as ROLLING_BACK for RollingBack."""
    return [re.sub(r"(?<!^)(?=[A-Z])", "_", status).upper() for status in statuses]


#: Description and pattern of each event, by name.
EVENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "endpoints": (
        "An endpoint failed and serves no requests.",
        build_pattern(STATE, {"EndpointStatus": _list_event_statuses(*_ENDPOINT.failed)}),
    ),
    "model_packages": (
        "A model package was approved or rejected.",
        event_patterns.build_approval_pattern({}),
    ),
    "pipelines": (
        "A pipeline execution failed or was stopped.",
        event_patterns.build_pipeline_pattern(
            {"currentPipelineExecutionStatus": [*_EXECUTION.failed, *_EXECUTION.stopped]}
        ),
    ),
    "rollbacks": (
        "An endpoint is being rolled back.",
        build_pattern(STATE, {"EndpointStatus": _list_event_statuses("RollingBack")}),
    ),
    "processing_jobs": ("A processing job failed or was stopped.", _build_job_pattern("Processing")),
    "training_jobs": ("A training job failed or was stopped.", _build_job_pattern("Training")),
    "transform_jobs": ("A transform job failed or was stopped.", _build_job_pattern("Transform")),
    "tuning_jobs": ("A tuning job failed or was stopped.", _build_job_pattern("HyperParameter Tuning")),
}
#: Values of `event_scope`.
ACCOUNT, NAME_PREFIX = "account", "name_prefix"


def _list_own_details(var: Any) -> dict[str, dict[str, Any]]:
    """Return the details of events of resources with `name_prefix`, by event.

    The launchers name a job by its job file, and SageMaker names the jobs of pipelines `pipelines-…`. So jobs also
    match by their role, and transform jobs, whose events have none, by the bucket of their output. Source: SageMaker
    developer guide, "SageMaker AI events", with the fields of each event.
    """
    start = f"{var.name_prefix}-"
    role = match("RoleArn", f"arn:{var.partition}:iam::{var.account_id}:role{var.role_path}{start}")
    pipeline = f"arn:{var.partition}:sagemaker:{var.region}:{var.account_id}:pipeline/{start}"

    def match_job(name: str, other: dict[str, Any]) -> dict[str, Any]:
        return {"$or": [match(name, start), other]}

    return {
        "endpoints": match("EndpointName", start),
        "model_packages": match("ModelPackageGroupName", start),
        "pipelines": match("pipelineArn", pipeline),
        "rollbacks": match("EndpointName", start),
        "processing_jobs": match_job("ProcessingJobName", role),
        "training_jobs": match_job("TrainingJobName", role),
        "transform_jobs": match_job("TransformJobName", {"TransformOutput": match("S3OutputPath", f"s3://{start}")}),
        "tuning_jobs": match_job("HyperParameterTuningJobName", {"TrainingJobDefinition": role}),
    }


def match(field: str, prefix: str) -> dict[str, Any]:
    """Return the pattern of a field that starts with `prefix`."""
    return {field: [{"prefix": prefix}]}


#: Events that require action. No alarm detects them, because a failed endpoint publishes no metrics.
URGENT = ["endpoints"]
#: Event of deployments. The rules that suppress the health alarms send it.
DEPLOYMENTS = "deployments"
NAMES = sorted((*EVENTS, DEPLOYMENTS))


def add(module: "Module[Any]", alarms: Any, events: Any, target_arguments: Mapping[str, Any]) -> None:
    """Add a rule for each selected event. Urgent events go to the alarm topic, others to the event topic."""
    from cdktn_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
    from cdktn_provider_aws.cloudwatch_event_target import CloudwatchEventTarget

    var = module.var
    own_details = _list_own_details(var)
    event_table = module.local(
        "events",
        {
            name: {"description": description, "pattern": pattern, "own": own_details[name]}
            for name, (description, pattern) in EVENTS.items()
        },
        why="SageMaker's events. The status of endpoints is in capitals in events. `own` limits them to this prefix.",
    )
    chosen = each_of(map_of(event_table, lambda _name, event: event, where=lambda name, _: contains(var.events, name)))
    rules = module.add(
        CloudwatchEventRule,
        "events",
        for_each=chosen,
        name=f"{var.name_prefix}.{replace(chosen.key, '_', '-')}",
        description=chosen.value.description,
        event_pattern=jsonencode(
            merge(
                chosen.value.pattern,
                {
                    "detail": merge(
                        chosen.value.pattern.detail,
                        map_of(
                            chosen.value.own,
                            lambda _, matches: matches,
                            where=lambda _name, _: var.event_scope == NAME_PREFIX,
                        ),
                    )
                },
            )
        ),
        tags=var.tags,
    )
    rule = each_of(rules)
    module.add(
        CloudwatchEventTarget,
        "events",
        for_each=rule,
        rule=rule.value.name,
        target_id="topic",
        arn=when(contains(URGENT, rule.key), alarms.arn, events.arn),
        **target_arguments,
    )
