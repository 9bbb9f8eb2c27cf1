"""What starts machines that are no resource of the plan: state machines, schedules and rules."""

from collections.abc import Iterator
from typing import Any

from sustainable_mlops.footprint.resource_parts import Part, unknown
from sustainable_mlops.footprint.services.plan_side import Side, says
from sustainable_mlops.plan import UNKNOWN, Resource
from sustainable_mlops.plan.document import parse_embedded_json

_KIND = "other"
_UNTOLD = "what it starts"
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


def of_state_machine(resource: Resource, side: Side) -> list[Part]:
    """`aws_sfn_state_machine`: unknown, where a task of its definition starts machines, or nobody can read it."""
    definition = side.values(resource).text("definition")
    if not isinstance(definition, str):
        return _nobody_knows(says(definition, _UNTOLD))
    found = parse_embedded_json(definition)
    if not isinstance(found, dict):
        return _nobody_knows("its definition cannot be read")
    calls = (call for task in _tasks(found) if (call := _call(task)) is not None)
    return _starts(next(calls, None))


def _tasks(value: Any) -> Iterator[str]:
    """The resources of all tasks, those inside branches and maps included."""
    if isinstance(value, dict):
        task = value.get("Resource")
        if isinstance(task, str):
            yield task
        for inner in value.values():
            yield from _tasks(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _tasks(inner)


def _call(arn: str) -> str | None:
    """The call of an AWS API that starts machines, of `arn:aws:states:::aws-sdk:service:action.pattern`."""
    _, _, last = arn.partition(":::")
    named = last.removeprefix("aws-sdk:").partition(".")[0]
    return named if named.lower() in _CALLS else None


def of_schedule(resource: Resource, side: Side) -> list[Part]:
    """`aws_scheduler_schedule`: unknown, where its target starts machines."""
    return _of_target(resource, side, "target.0.arn", ("target.0.ecs_parameters",))


def of_rule_target(resource: Resource, side: Side) -> list[Part]:
    """`aws_cloudwatch_event_target`: unknown, where it starts machines."""
    return _of_target(resource, side, "arn", ("ecs_target", "batch_target"))


def _of_target(resource: Resource, side: Side, path: str, runs: tuple[str, ...]) -> list[Part]:
    """`runs` are the blocks that say how tasks or jobs are run."""
    values = side.values(resource)
    arn = values.text(path)
    if isinstance(side.joins.target(resource, path, _QUEUE), Resource):
        return []  # its jobs run in compute environments, each counted where it is
    if any(values.blocks(run) != [] for run in runs):
        return _starts("tasks or jobs")
    if not isinstance(arn, str):
        # What a resource of the plan starts is told where that is.
        named = bool(side.joins.references(resource, path).resources)
        return [] if named or arn is None else _nobody_knows(says(UNKNOWN, _UNTOLD))
    service = arn.split(":")[2] if arn.count(":") >= 5 else ""
    return _starts(_call(arn) or (service if service in _SERVICES else None))


def _starts(what: str | None) -> list[Part]:
    return [] if what is None else _nobody_knows(f"it starts {what}: {_UNTOLD} is not read")


def _nobody_knows(reason: str) -> list[Part]:
    return [unknown("machines", _KIND, reason)]
