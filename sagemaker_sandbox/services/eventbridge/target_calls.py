"""API calls to the targets of rules and schedules."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from botocore.exceptions import UnknownServiceError

from sagemaker_sandbox.iam.permissions import ServiceCall
from sagemaker_sandbox.services.automation import executions
from sagemaker_sandbox.services.eventbridge import api_destinations, inputs, universal_inputs
from sagemaker_sandbox.services.eventbridge.event import Event
from sustainable_mlops.aws.service_model import load_service_model

#: Universal targets of the Scheduler: `arn:aws:scheduler:::aws-sdk:<service>:<action>`.
UNIVERSAL = ":scheduler:::aws-sdk:"
_AUTOMATION = "automation-definition/"
#: Names of services in the SDK for Java that differ from botocore's names without hyphens.
_JAVA_NAMES = {"cloudwatchlogs": "logs", "eventbridge": "events", "sfn": "stepfunctions"}


def is_supported(arn: str) -> bool:
    """Return whether the sandbox can call a target."""
    return UNIVERSAL in arn or _find_builder(arn) is not None


def build_call(target: Mapping[str, Any], text: str, event: Event, token: str) -> ServiceCall:
    """Return the call to a target that receives `text`. Attempts with the same `token` start one pipeline execution.

    `event` is the event of a rule, or the account and the Region of a schedule. Raises LookupError if the event lacks
    the path of a parameter, and ValueError if `text` must be a JSON object and is not.
    """
    arn = target["Arn"]
    if UNIVERSAL in arn:
        return _build_universal_call(arn, text, event, token)
    build = _find_builder(arn)
    assert build is not None
    return build(target, text, event, token)


def parse_universal_arn(arn: str) -> tuple[str, str]:
    """Return botocore's service and operation of a universal target. Raises ValueError if they do not exist."""
    service, _, action = arn.partition(UNIVERSAL)[2].partition(":")
    service, operation = (
        _index_services().get(_JAVA_NAMES.get(service, service), service),
        action[:1].upper() + action[1:],
    )
    try:
        exists = action[:1].islower() and operation in load_service_model(service).operation_names
    except UnknownServiceError:
        exists = False
    if not exists:
        raise ValueError(f"{arn} names no operation of a service")
    if operation.startswith(("Get", "Describe", "List")):
        raise ValueError(f"{arn}: a schedule cannot call an operation that only reads")
    return service, operation


def _find_builder(arn: str) -> Callable[[Mapping[str, Any], str, Event, str], ServiceCall] | None:
    _, _, service, _, _, resource = (*arn.split(":", 5), *[""] * 6)[:6]
    if service == "sagemaker" and resource.startswith("pipeline/"):
        return _build_pipeline_call
    if service == "events" and resource.startswith("event-bus/"):
        return _build_bus_call
    if service == "events" and resource.startswith(api_destinations.PREFIX):
        return lambda target, text, _event, _token: api_destinations.build_call(target, text)
    if service == "ssm" and resource.startswith(_AUTOMATION):
        return _build_automation_call
    return {"sqs": _build_queue_call, "sns": _build_topic_call}.get(service)


def _build_pipeline_call(target: Mapping[str, Any], _text: str, event: Event, token: str) -> ServiceCall:
    """Return the call that starts the latest version: a target names no version."""
    items = (target.get("SageMakerPipelineParameters") or {}).get("PipelineParameterList") or []
    parameters = [{name: inputs.resolve_parameter(item[name], event) for name in ("Name", "Value")} for item in items]
    request = {"PipelineName": target["Arn"].rpartition("/")[2], "ClientRequestToken": token}
    request |= {"PipelineParameters": parameters} if parameters else {}
    return ServiceCall("sagemaker", "StartPipelineExecution", request, target["Arn"])


def _build_automation_call(target: Mapping[str, Any], text: str, event: Event, token: str) -> ServiceCall:
    """Return the call that starts an automation. Each parameter is a list of text.

    Source: Systems Manager user guide, "Run automations based on EventBridge events".
    """
    name, _, version = target["Arn"].partition(_AUTOMATION)[2].partition(":")
    version = version or executions.DEFAULT
    parameters = json.loads(text)
    if not isinstance(parameters, dict) or not all(_is_text_list(value) for value in parameters.values()):
        raise ValueError("the input of an automation is a JSON object of lists of text")
    request = {"DocumentName": name, "DocumentVersion": version, "Parameters": parameters, "ClientToken": token}
    location = f"{event['region']}:{event['account']}"
    return ServiceCall(
        "ssm", "StartAutomationExecution", request, f"arn:aws:ssm:{location}:{_AUTOMATION}{name}:{version}"
    )


def _is_text_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def list_additional_calls(call: ServiceCall, account: str, region: str) -> Iterator[ServiceCall]:
    """Yield the calls that the caller needs permission for, too: an automation receives the role of its document."""
    if (call.service, call.operation) == ("ssm", "StartAutomationExecution"):
        role = executions.find_assumed_role(account, region, call.parameters)
        if role:
            yield ServiceCall("iam", "PassRole", {}, role)


def _build_queue_call(target: Mapping[str, Any], text: str, _event: Event, _token: str) -> ServiceCall:
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    more = {"MessageGroupId": group} if group else {}
    return ServiceCall("sqs", "SendMessage", {"QueueUrl": target["Arn"], "MessageBody": text} | more, target["Arn"])


def _build_topic_call(target: Mapping[str, Any], text: str, _event: Event, _token: str) -> ServiceCall:
    return ServiceCall("sns", "Publish", {"TopicArn": target["Arn"], "Message": text}, target["Arn"])


def _build_bus_call(target: Mapping[str, Any], text: str, event: Event, _token: str) -> ServiceCall:
    """Return the call that puts the event of a rule, or an event of the type that the schedule names."""
    settings = target.get("EventBridgeParameters") or {}
    entry = {
        "Source": settings.get("Source", event.get("source")),
        "DetailType": settings.get("DetailType", event.get("detail-type")),
        "Detail": text if settings else json.dumps(event["detail"]),
        "EventBusName": target["Arn"],
    }
    return ServiceCall("events", "PutEvents", {"Entries": [entry]}, target["Arn"])


def _build_universal_call(arn: str, text: str, event: Event, token: str) -> ServiceCall:
    service, operation = parse_universal_arn(arn)
    universal_inputs.check_input(service, operation, text)
    parameters = universal_inputs.convert_names(service, operation, json.loads(text or "{}"))
    texts = [value for value in parameters.values() if isinstance(value, str)]
    resource = next((value for value in texts if value.startswith("arn:")), None)
    if operation == "StartPipelineExecution":
        pipelines = f"arn:aws:sagemaker:{event['region']}:{event['account']}:pipeline/"
        resource = pipelines + str(parameters.get("PipelineName", "")).removeprefix(pipelines)
        parameters.setdefault("ClientRequestToken", token)
    return ServiceCall(service, operation, parameters, resource)


@cache
def _index_services() -> dict[str, str]:
    """Return botocore's names of services, by these names without hyphens."""
    import botocore.session

    return {name.replace("-", ""): name for name in botocore.session.get_session().get_available_services()}
