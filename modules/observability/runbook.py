"""What is done of an idle endpoint, as a document of Systems Manager Automation: no function, nothing that runs in
between. It looks again before it acts, and says what it did, or why it did not."""

from typing import Any

#: Its parameters, which a rule of EventBridge fills with lists of text.
ENDPOINT, ALARM, DRY_RUN, TAKES = "EndpointName", "AlarmName", "DryRun", "Takes"


def document(role_arn: str, topic_arn: str, hours: int) -> dict[str, Any]:
    """The document; a dry run unless it is told otherwise."""
    endpoint, takes = f"the endpoint {_of(ENDPOINT)}", _of(TAKES)
    idle = f"Nobody has asked {endpoint} for {hours} hours. {takes}"

    def tell(name: str, text: str) -> dict[str, Any]:
        about = f"The endpoint {_of(ENDPOINT)} is idle"
        asked = {"TopicArn": topic_arn, "Subject": about, "Message": text}
        return _asks(name, "sns", "Publish", asked) | {"isEnd": True}

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
            _is(
                "stillIdle",
                "cloudwatch",
                "DescribeAlarms",
                {"AlarmNames": [_of(ALARM)], "AlarmTypes": ["CompositeAlarm"]},
                "$.CompositeAlarms[0].StateValue",
                "ALARM",
            ),
            _is(
                "atRest",
                "sagemaker",
                "DescribeEndpoint",
                {"EndpointName": _of(ENDPOINT)},
                "$.EndpointStatus",
                "InService",
            ),
            {
                "name": "whether",
                "action": "aws:branch",
                "inputs": {
                    "Choices": [{"NextStep": "delete", "Variable": _of(DRY_RUN), "StringEquals": "false"}],
                    "Default": "tellIdle",
                },
            },
            tell("tellIdle", f"{idle} Nothing was done, as idle_stop is report; with delete it would be gone now."),
            {
                **_asks("delete", "sagemaker", "DeleteEndpoint", {"EndpointName": _of(ENDPOINT)}),
                "onFailure": _FAILED,
            },
            tell(
                "tellDeleted",
                f"{idle} So it was deleted, as idle_stop is delete; its model and its configuration are kept. The next "
                "terraform apply makes it anew: where nobody needs it, take it out there.",
            ),
            tell(
                _FAILED.removeprefix("step:"),
                f"{idle} But it was left as it is: it was asked meanwhile, is being deployed to, or could not be "
                "deleted. Execution {{ automation:EXECUTION_ID }} of Systems Manager Automation says which.",
            ),
        ],
    }


_FAILED = "step:tellNotDone"


def _of(parameter: str) -> str:
    return "{{ " + parameter + " }}"


def _asks(name: str, service: str, api: str, asked: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "action": "aws:executeAwsApi", "inputs": {"Service": service, "Api": api, **asked}}


def _is(name: str, service: str, api: str, asked: dict[str, Any], selector: str, wanted: str) -> dict[str, Any]:
    """A step that fails unless something is so."""
    return {
        "name": name,
        "action": "aws:assertAwsResourceProperty",
        "onFailure": _FAILED,
        "inputs": {"Service": service, "Api": api, **asked, "PropertySelector": selector, "DesiredValues": [wanted]},
    }
