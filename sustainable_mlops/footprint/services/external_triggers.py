"""State machines, schedules and rules that start instances outside the plan."""

from collections.abc import Iterator
from typing import Any

from sustainable_mlops.aws.arn import Arn
from sustainable_mlops.footprint.resource_parts import ResourcePart, make_unknown_part
from sustainable_mlops.footprint.services.plan_side import PlanSide, explain_missing
from sustainable_mlops.plan import UNKNOWN, Resource
from sustainable_mlops.plan.document import parse_embedded_json

_KIND = "other"
_SUBJECT = "the instances that it starts"
_QUEUE = "aws_batch_job_queue"

#: API calls that start instances, by service, in lower case (source: API references of the services).
_CALLS = {
    f"{service}:{action}"
    for service, actions in {
        "batch": "submitjob",
        "bedrock": "createevaluationjob createmodelcustomizationjob createmodelinvocationjob "
        "createprovisionedmodelthroughput",
        "codebuild": "startbuild startbuildbatch",
        "databrew": "startjobrun",
        "ec2": "createfleet requestspotfleet requestspotinstances runinstances startinstances",
        "autoscaling": "createautoscalinggroup setdesiredcapacity updateautoscalinggroup",
        "ecs": "createservice runtask starttask updateservice",
        "eks": "createnodegroup runjob updatenodegroupconfig",
        "elasticmapreduce": "addinstancefleet addinstancegroups createcluster modifyinstancefleetbyname "
        "modifyinstancegroupbyname runjobflow",
        "emr": "addinstancefleet addinstancegroups runjobflow",
        "emr-containers": "startjobrun",
        "emr-serverless": "startapplication startjobrun",
        "emrcontainers": "startjobrun",
        "emrserverless": "startapplication startjobrun",
        "glue": "startcrawler startjobrun startworkflowrun",
        "sagemaker": "createapp createautomljob createautomljobv2 createcluster createcompilationjob createendpoint "
        "createhyperparametertuningjob createinferencerecommendationsjob createlabelingjob createnotebookinstance "
        "createoptimizationjob createprocessingjob createtrainingjob createtransformjob startnotebookinstance "
        "updatecluster updateendpoint updateendpointweightsandcapacities",
    }.items()
    for action in actions.split()
}
#: Services in whose ARNs EventBridge targets are instances.
_SERVICES = ("batch", "codebuild", "glue", "imagebuilder")


def read_state_machine(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return an unknown part for `aws_sfn_state_machine` if a task starts instances or the definition is unreadable."""
    definition = side.get_values(resource).text("definition")
    if not isinstance(definition, str):
        return _make_unknown(explain_missing(definition, _SUBJECT))
    document = parse_embedded_json(definition)
    if not isinstance(document, dict):
        return _make_unknown("its definition cannot be read")
    calls = (call for task in _list_tasks(document) if (call := _parse_call(task)) is not None)
    return _report_start(next(calls, None))


def _list_tasks(value: Any) -> Iterator[str]:
    """Yield the resources of all tasks, including those inside branches and maps."""
    if isinstance(value, dict):
        task = value.get("Resource")
        if isinstance(task, str):
            yield task
        for inner in value.values():
            yield from _list_tasks(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _list_tasks(inner)


def _parse_call(arn: str) -> str | None:
    """Return the AWS API call of `arn:aws:states:::aws-sdk:service:action.pattern` if it starts instances."""
    _, _, last = arn.partition(":::")
    call = last.removeprefix("aws-sdk:").partition(".")[0]
    return call if call.lower() in _CALLS else None


def read_schedule(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return an unknown part for `aws_scheduler_schedule` if its target starts instances."""
    return _read_target(resource, side, "target.0.arn", ("target.0.ecs_parameters",))


def read_rule_target(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return an unknown part for `aws_cloudwatch_event_target` if it starts instances."""
    return _read_target(resource, side, "arn", ("ecs_target", "batch_target"))


def _read_target(resource: Resource, side: PlanSide, path: str, run_blocks: tuple[str, ...]) -> list[ResourcePart]:
    """Return an unknown part if the target at `path` starts instances; `runs` are the blocks for tasks or jobs."""
    values = side.get_values(resource)
    arn = values.text(path)
    if isinstance(side.joins.find_target(resource, path, _QUEUE), Resource):
        return []  # its jobs run in compute environments, which have their own estimates
    if any(values.blocks(block) != [] for block in run_blocks):
        return _report_start("tasks or jobs")
    if not isinstance(arn, str):
        # A target in the plan has its own part.
        has_reference = bool(side.joins.find_references(resource, path).resources)
        return [] if has_reference or arn is None else _make_unknown(explain_missing(UNKNOWN, _SUBJECT))
    parts = Arn.parse_or_none(arn)
    service = parts.service if parts is not None and parts.service in _SERVICES else None
    return _report_start(_parse_call(arn) or service)


def _report_start(call: str | None) -> list[ResourcePart]:
    return [] if call is None else _make_unknown(f"it starts {call}; {_SUBJECT} are not estimated")


def _make_unknown(reason: str) -> list[ResourcePart]:
    return [make_unknown_part("instances", _KIND, reason)]
