"""Runbook for idle endpoints, as a document of Systems Manager Automation.

It needs no Lambda function. It checks the endpoint again before it acts, and reports the action or the reason for none.
"""

from typing import Any

#: Parameters of the document, which an EventBridge rule sets as lists of text.
ENDPOINT, ALARM, DRY_RUN, FOOTPRINT = "EndpointName", "AlarmName", "DryRun", "Footprint"


def build_document(role_arn: str, topic_arn: str, hours: int) -> dict[str, Any]:
    """Return the document. It is a dry run by default."""
    endpoint, footprint = f"the endpoint {_format_placeholder(ENDPOINT)}", _format_placeholder(FOOTPRINT)
    idle = f"No requests to {endpoint} for {hours} hours. {footprint}"

    def build_last_step(name: str, text: str) -> dict[str, Any]:
        """Return a step that publishes `text` and ends the runbook."""
        about = f"The endpoint {_format_placeholder(ENDPOINT)} is idle"
        request = {"TopicArn": topic_arn, "Subject": about, "Message": text}
        return _build_api_step(name, "sns", "Publish", request) | {"isEnd": True}

    return {
        "schemaVersion": "0.3",
        "description": "Deletes an idle endpoint, or reports that it would.",
        "assumeRole": role_arn,
        "parameters": {
            ENDPOINT: {"type": "String", "description": "Name of the endpoint."},
            ALARM: {"type": "String", "description": "Composite alarm that detects the idle endpoint."},
            DRY_RUN: {
                "type": "String",
                "description": "Report only, without deletion.",
                "default": "true",
                "allowedValues": ["true", "false"],
            },
            FOOTPRINT: {
                "type": "String",
                "description": "Footprint and cost of the idle endpoint, as text.",
                "default": "",
            },
        },
        "mainSteps": [
            _build_assert_step(
                "stillIdle",
                "cloudwatch",
                "DescribeAlarms",
                {"AlarmNames": [_format_placeholder(ALARM)], "AlarmTypes": ["CompositeAlarm"]},
                "$.CompositeAlarms[0].StateValue",
                "ALARM",
            ),
            _build_assert_step(
                "isInService",
                "sagemaker",
                "DescribeEndpoint",
                {"EndpointName": _format_placeholder(ENDPOINT)},
                "$.EndpointStatus",
                "InService",
            ),
            {
                "name": "chooseAction",
                "action": "aws:branch",
                "inputs": {
                    "Choices": [
                        {"NextStep": "delete", "Variable": _format_placeholder(DRY_RUN), "StringEquals": "false"}
                    ],
                    "Default": "reportIdle",
                },
            },
            build_last_step(
                "reportIdle",
                f"{idle} Nothing was done, because idle_stop is report. With delete, it would be deleted now.",
            ),
            {
                **_build_api_step(
                    "delete", "sagemaker", "DeleteEndpoint", {"EndpointName": _format_placeholder(ENDPOINT)}
                ),
                "onFailure": _FAILED,
            },
            build_last_step(
                "reportDeletion",
                f"{idle} It was deleted, because idle_stop is delete. Its model and configuration are kept. The next "
                "terraform apply creates it again: if nobody needs it, remove it there.",
            ),
            build_last_step(
                _FAILED.removeprefix("step:"),
                f"{idle} It was not changed: it received a request, has a deployment, or could not be deleted. See "
                "execution {{ automation:EXECUTION_ID }} of Systems Manager Automation.",
            ),
        ],
    }


_FAILED = "step:reportNoChange"


def _format_placeholder(parameter: str) -> str:
    return "{{ " + parameter + " }}"


def _build_api_step(name: str, service: str, api: str, request: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "action": "aws:executeAwsApi", "inputs": {"Service": service, "Api": api, **request}}


def _build_assert_step(
    name: str, service: str, api: str, request: dict[str, Any], selector: str, expected: str
) -> dict[str, Any]:
    """Return a step that fails unless a property has the expected value."""
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
