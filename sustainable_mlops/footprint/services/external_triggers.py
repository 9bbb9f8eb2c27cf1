"""What starts machines that are no resource of the plan: state machines, schedules and rules."""

from collections.abc import Iterator
from typing import Any

from sustainable_mlops.footprint.resource_parts import ResourcePart, make_unknown_part
from sustainable_mlops.footprint.services.plan_side import PlanSide, explain_missing
from sustainable_mlops.plan import UNKNOWN, Resource
from sustainable_mlops.plan.document import parse_embedded_json

_KIND = "other"
_SUBJECT = "what it starts"
_QUEUE = "aws_batch_job_queue"

#: The calls that start machines, by service, in lower case (action names of the services' API references).
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
#: What EventBridge starts machines of by its ARN.
_SERVICES = ("batch", "codebuild", "glue", "imagebuilder")


def read_state_machine(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """`aws_sfn_state_machine`: unknown, where a task of its definition starts machines, or nobody can read it."""
    definition = side.get_values(resource).text("definition")
    if not isinstance(definition, str):
        return _make_unknown(explain_missing(definition, _SUBJECT))
    found = parse_embedded_json(definition)
    if not isinstance(found, dict):
        return _make_unknown("its definition cannot be read")
    calls = (call for task in _list_tasks(found) if (call := _parse_call(task)) is not None)
    return _report_start(next(calls, None))


def _list_tasks(value: Any) -> Iterator[str]:
    """The resources of all tasks, those inside branches and maps included."""
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
    """The call of an AWS API that starts machines, of `arn:aws:states:::aws-sdk:service:action.pattern`."""
    _, _, last = arn.partition(":::")
    named = last.removeprefix("aws-sdk:").partition(".")[0]
    return named if named.lower() in _CALLS else None


def read_schedule(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """`aws_scheduler_schedule`: unknown, where its target starts machines."""
    return _read_target(resource, side, "target.0.arn", ("target.0.ecs_parameters",))


def read_rule_target(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """`aws_cloudwatch_event_target`: unknown, where it starts machines."""
    return _read_target(resource, side, "arn", ("ecs_target", "batch_target"))


def _read_target(resource: Resource, side: PlanSide, path: str, runs: tuple[str, ...]) -> list[ResourcePart]:
    """`runs` are the blocks that say how tasks or jobs are run."""
    values = side.get_values(resource)
    arn = values.text(path)
    if isinstance(side.joins.find_target(resource, path, _QUEUE), Resource):
        return []  # its jobs run in compute environments, each counted where it is
    if any(values.blocks(run) != [] for run in runs):
        return _report_start("tasks or jobs")
    if not isinstance(arn, str):
        # What a resource of the plan starts is told where that is.
        named = bool(side.joins.find_references(resource, path).resources)
        return [] if named or arn is None else _make_unknown(explain_missing(UNKNOWN, _SUBJECT))
    service = arn.split(":")[2] if arn.count(":") >= 5 else ""
    return _report_start(_parse_call(arn) or (service if service in _SERVICES else None))


def _report_start(what: str | None) -> list[ResourcePart]:
    return [] if what is None else _make_unknown(f"it starts {what}: {_SUBJECT} is not read")


def _make_unknown(reason: str) -> list[ResourcePart]:
    return [make_unknown_part("machines", _KIND, reason)]
