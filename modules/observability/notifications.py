"""The events that people hear of. Their names and details are those of the SageMaker developer guide, "Events that
SageMaker AI sends to Amazon EventBridge": what waits for another name waits for ever."""

from typing import TYPE_CHECKING, Any

from modules import event_patterns
from modules.event_patterns import build_pattern
from sustainable_mlops.authoring.expressions import contains, each_of, jsonencode, map_of, replace, when

if TYPE_CHECKING:
    from sustainable_mlops.authoring.resources import Module

DEPLOYMENT, STATE = (f"SageMaker Endpoint {what} Change" for what in ("Deployment State", "State"))
_FAILURE_STATUSES = ["Failed", "Stopped"]


def _jobs(noun: str) -> dict[str, Any]:
    """Jobs of a kind that did not do what they were to do."""
    return build_pattern(f"SageMaker {noun} Job State Change", {f"{noun.replace(' ', '')}JobStatus": _FAILURE_STATUSES})


#: By name: what it is, and the pattern.
EVENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "endpoints": (
        "An endpoint has failed: it answers nothing, or no more.",
        build_pattern(STATE, {"EndpointStatus": ["FAILED", "OUT_OF_SERVICE", "UPDATE_ROLLBACK_FAILED"]}),
    ),
    "model_packages": (
        "A model package was approved or rejected.",
        event_patterns.build_approval_pattern({}),
    ),
    "pipelines": (
        "A pipeline's run has failed or was stopped.",
        build_pattern(
            "SageMaker Model Building Pipeline Execution Status Change",
            {"currentPipelineExecutionStatus": _FAILURE_STATUSES},
        ),
    ),
    "rollbacks": (
        "An endpoint goes back to what it served before.",
        build_pattern(STATE, {"EndpointStatus": ["ROLLING_BACK"]}),
    ),
    "processing_jobs": ("A processing job has failed or was stopped.", _jobs("Processing")),
    "training_jobs": ("A training job has failed or was stopped.", _jobs("Training")),
    "transform_jobs": ("A transform job has failed or was stopped.", _jobs("Transform")),
    "tuning_jobs": ("A tuning job has failed or was stopped.", _jobs("HyperParameter Tuning")),
}
#: What somebody should act on: no alarm sees it, as an endpoint that has failed publishes nothing.
URGENT = ["endpoints"]
#: Of deployments tell the rules that keep the alarms of health quiet.
DEPLOYMENTS = "deployments"
NAMES = sorted((*EVENTS, DEPLOYMENTS))


def add(module: "Module[Any]", alarms: Any, events: Any, publisher: str) -> None:
    """Add a rule for each that is asked for, which tells the topic of events, or that of alarms what is urgent."""
    from cdktn_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
    from cdktn_provider_aws.cloudwatch_event_target import CloudwatchEventTarget

    var = module.var
    event_table = module.local(
        "events",
        {name: {"says": says, "pattern": wanted} for name, (says, wanted) in EVENTS.items()},
        why="What SageMaker tells; endpoints' states are in capitals in events.",
    )
    chosen = each_of(map_of(event_table, lambda _name, event: event, where=lambda name, _: contains(var.events, name)))
    rules = module.add(
        CloudwatchEventRule,
        "events",
        for_each=chosen,
        name=f"{var.name_prefix}.{replace(chosen.key, '_', '-')}",
        description=chosen.value.says,
        event_pattern=jsonencode(chosen.value.pattern),
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
        role_arn=publisher,
    )
