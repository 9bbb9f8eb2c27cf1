"""The API calls that targets stand for, of rules and of schedules."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from botocore.exceptions import UnknownServiceError

from sagemaker_sandbox.automation import executions
from sagemaker_sandbox.eventbridge import inputs
from sagemaker_sandbox.eventbridge import universal as checks
from sagemaker_sandbox.eventbridge.event import Event
from sagemaker_sandbox.permissions import ServiceCall
from sustainable_mlops.aws.service_model import service_model

#: Universal targets of the Scheduler: `arn:aws:scheduler:::aws-sdk:<service>:<action>`.
UNIVERSAL = ":scheduler:::aws-sdk:"
_AUTOMATION = "automation-definition/"
#: Names that the SDK for Java has for a service, where they are not botocore's without hyphens.
_OF_JAVA = {"cloudwatchlogs": "logs", "eventbridge": "events", "sfn": "stepfunctions"}


def known(arn: str) -> bool:
    """Whether there is a call for a target."""
    return UNIVERSAL in arn or _maker(arn) is not None


def of(target: Mapping[str, Any], text: str, event: Event, token: str) -> ServiceCall:
    """The call to a target that receives `text`; `token` makes several attempts one start of a pipeline.

    `event` is all of it, or but the account and the Region of a schedule.

    Raises LookupError where a parameter's path leads nowhere in the event, ValueError where `text` is no JSON object
    and has to be one.
    """
    arn = target["Arn"]
    if UNIVERSAL in arn:
        return _universal(arn, text, event, token)
    maker = _maker(arn)
    assert maker is not None
    return maker(target, text, event, token)


def universal(arn: str) -> tuple[str, str]:
    """botocore's service and operation of a universal target. Raises ValueError where there is none."""
    service, _, action = arn.partition(UNIVERSAL)[2].partition(":")
    service, operation = _services().get(_OF_JAVA.get(service, service), service), action[:1].upper() + action[1:]
    try:
        known = action[:1].islower() and operation in service_model(service).operation_names
    except UnknownServiceError:
        known = False
    if not known:
        raise ValueError(f"{arn} names no operation of a service")
    if operation.startswith(("Get", "Describe", "List")):
        raise ValueError(f"{arn}: a schedule cannot ask for what only reads")
    return service, operation


def _maker(arn: str) -> Callable[[Mapping[str, Any], str, Event, str], ServiceCall] | None:
    _, _, service, _, _, resource = (*arn.split(":", 5), *[""] * 6)[:6]
    if service == "sagemaker" and resource.startswith("pipeline/"):
        return _pipeline
    if service == "events" and resource.startswith("event-bus/"):
        return _bus
    if service == "ssm" and resource.startswith(_AUTOMATION):
        return _automation
    return {"sqs": _queue, "sns": _topic}.get(service)


def _pipeline(target: Mapping[str, Any], _text: str, event: Event, token: str) -> ServiceCall:
    """The latest version: a target names none."""
    given = (target.get("SageMakerPipelineParameters") or {}).get("PipelineParameterList") or []
    parameters = [
        {"Name": inputs.dynamic(one["Name"], event), "Value": inputs.dynamic(one["Value"], event)} for one in given
    ]
    asked = {"PipelineName": target["Arn"].rpartition("/")[2], "ClientRequestToken": token}
    asked |= {"PipelineParameters": parameters} if parameters else {}
    return ServiceCall("sagemaker", "StartPipelineExecution", asked, target["Arn"])


def _automation(target: Mapping[str, Any], text: str, event: Event, token: str) -> ServiceCall:
    """Each parameter is given as a list of text (Systems Manager user guide, "Run automations based on EventBridge
    events")."""
    name, _, version = target["Arn"].partition(_AUTOMATION)[2].partition(":")
    version = version or executions.DEFAULT
    given = json.loads(text)
    if not isinstance(given, dict) or not all(_are_texts(value) for value in given.values()):
        raise ValueError("the input of an automation is a JSON object of lists of text")
    asked = {"DocumentName": name, "DocumentVersion": version, "Parameters": given, "ClientToken": token}
    place = f"{event['region']}:{event['account']}"
    return ServiceCall("ssm", "StartAutomationExecution", asked, f"arn:aws:ssm:{place}:{_AUTOMATION}{name}:{version}")


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def besides(call: ServiceCall, account: str, region: str) -> Iterator[ServiceCall]:
    """What else has to be allowed to who asks for it: an automation is handed the role of its document."""
    if (call.service, call.operation) == ("ssm", "StartAutomationExecution"):
        role = executions.assumed_role(account, region, call.parameters)
        if role:
            yield ServiceCall("iam", "PassRole", {}, role)


def _queue(target: Mapping[str, Any], text: str, _event: Event, _token: str) -> ServiceCall:
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    more = {"MessageGroupId": group} if group else {}
    return ServiceCall("sqs", "SendMessage", {"QueueUrl": target["Arn"], "MessageBody": text} | more, target["Arn"])


def _topic(target: Mapping[str, Any], text: str, _event: Event, _token: str) -> ServiceCall:
    return ServiceCall("sns", "Publish", {"TopicArn": target["Arn"], "Message": text}, target["Arn"])


def _bus(target: Mapping[str, Any], text: str, event: Event, _token: str) -> ServiceCall:
    """A rule hands its event on; a schedule says of what kind it is."""
    said = target.get("EventBridgeParameters") or {}
    entry = {
        "Source": said.get("Source", event.get("source")),
        "DetailType": said.get("DetailType", event.get("detail-type")),
        "Detail": text if said else json.dumps(event["detail"]),
        "EventBusName": target["Arn"],
    }
    return ServiceCall("events", "PutEvents", {"Entries": [entry]}, target["Arn"])


def _universal(arn: str, text: str, event: Event, token: str) -> ServiceCall:
    service, operation = universal(arn)
    checks.check(service, operation, text)
    parameters = checks.parameters(service, operation, json.loads(text or "{}"))
    named = [value for value in parameters.values() if isinstance(value, str)]
    about = next((value for value in named if value.startswith("arn:")), None)
    if operation == "StartPipelineExecution":
        pipelines = f"arn:aws:sagemaker:{event['region']}:{event['account']}:pipeline/"
        about = pipelines + str(parameters.get("PipelineName", "")).removeprefix(pipelines)
        parameters.setdefault("ClientRequestToken", token)
    return ServiceCall(service, operation, parameters, about)


@cache
def _services() -> dict[str, str]:
    """botocore's names of the services without hyphens, to these."""
    import botocore.session

    return {name.replace("-", ""): name for name in botocore.session.get_session().get_available_services()}
