"""What is done of an idle endpoint, as a document of Systems Manager Automation: no function, nothing that runs in
between. It looks again before it acts, and says what it did, or why it did not."""

from typing import Any

#: Its parameters, which a rule of EventBridge fills with lists of text.
ENDPOINT, ALARM, DRY_RUN, TAKES = "EndpointName", "AlarmName", "DryRun", "Takes"


def build_document(role_arn: str, topic_arn: str, hours: int) -> dict[str, Any]:
    """The document; a dry run unless it is told otherwise."""
    endpoint, consumption = f"the endpoint {_placeholder(ENDPOINT)}", _placeholder(TAKES)
    idle = f"Nobody has asked {endpoint} for {hours} hours. {consumption}"

    def publish_step(name: str, text: str) -> dict[str, Any]:
        about = f"The endpoint {_placeholder(ENDPOINT)} is idle"
        request = {"TopicArn": topic_arn, "Subject": about, "Message": text}
        return _api_step(name, "sns", "Publish", request) | {"isEnd": True}

    return {
        "schemaVersion": "0.3",
        "description": "Deletes an idle endpoint, or says that it would.",
        "assumeRole": role_arn,
        "parameters": {
            ENDPOINT: {"type": "String", "description": "The endpoint."},
            ALARM: {"type": "String", "description": "The composite alarm that says that it is idle."},
            DRY_RUN: {
                "type": "String",
                "description": "Whether to say alone what would be done.",
                "default": "true",
                "allowedValues": ["true", "false"],
            },
            TAKES: {"type": "String", "description": "What it takes while it is idle, in words.", "default": ""},
        },
        "mainSteps": [
            _assert_step(
                "stillIdle",
                "cloudwatch",
                "DescribeAlarms",
                {"AlarmNames": [_placeholder(ALARM)], "AlarmTypes": ["CompositeAlarm"]},
                "$.CompositeAlarms[0].StateValue",
                "ALARM",
            ),
            _assert_step(
                "atRest",
                "sagemaker",
                "DescribeEndpoint",
                {"EndpointName": _placeholder(ENDPOINT)},
                "$.EndpointStatus",
                "InService",
            ),
            {
                "name": "whether",
                "action": "aws:branch",
                "inputs": {
                    "Choices": [{"NextStep": "delete", "Variable": _placeholder(DRY_RUN), "StringEquals": "false"}],
                    "Default": "tellIdle",
                },
            },
            publish_step(
                "tellIdle", f"{idle} Nothing was done, as idle_stop is report; with delete it would be gone now."
            ),
            {
                **_api_step("delete", "sagemaker", "DeleteEndpoint", {"EndpointName": _placeholder(ENDPOINT)}),
                "onFailure": _FAILED,
            },
            publish_step(
                "tellDeleted",
                f"{idle} So it was deleted, as idle_stop is delete; its model and its configuration are kept. The next "
                "terraform apply makes it anew: where nobody needs it, take it out there.",
            ),
            publish_step(
                _FAILED.removeprefix("step:"),
                f"{idle} But it was left as it is: it was asked meanwhile, is being deployed to, or could not be "
                "deleted. Execution {{ automation:EXECUTION_ID }} of Systems Manager Automation says which.",
            ),
        ],
    }


_FAILED = "step:tellNotDone"


def _placeholder(parameter: str) -> str:
    return "{{ " + parameter + " }}"


def _api_step(name: str, service: str, api: str, request: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "action": "aws:executeAwsApi", "inputs": {"Service": service, "Api": api, **request}}


def _assert_step(
    name: str, service: str, api: str, request: dict[str, Any], selector: str, expected: str
) -> dict[str, Any]:
    """A step that fails unless something is so."""
    return {
        "name": name,
        "action": "aws:assertAwsResourceProperty",
        "onFailure": _FAILED,
        "inputs": {
            "Service": service,
            "Api": api,
            **request,
            "PropertySelector": selector,
            "DesiredValues": [expected],
        },
    }
