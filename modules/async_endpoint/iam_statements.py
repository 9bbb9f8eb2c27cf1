"""IAM statements that an asynchronous endpoint needs in the role of its container."""

from modules.async_endpoint.inputs import Inputs
from modules.endpoints import iam_statements
from modules.endpoints.inputs import get_endpoint_name
from modules.iam_statements import StatementsByPhase, build_statement, build_via_condition

#: Results that its topics notify of.
NOTIFICATIONS = ("error", "success")
#: Subfolders of the endpoint's folder.
REQUESTS, ANSWERS, FAILURES = "requests", "answers", "failures"


def build_statements(var: Inputs) -> StatementsByPhase:
    """Return the statements of inference. Reads all inputs except the role."""
    topics = f"arn:{var.partition}:sns:{var.region}:{var.account_id}"
    folder = iam_statements.build_object_arn(var.s3_uri, var) + f"/{get_endpoint_name(var)}"
    own = [
        build_statement("ReadRequests", ["s3:GetObject"], [f"{folder}/{REQUESTS}/*"]),
        # A large answer is written in parts.
        build_statement(
            "WriteResults",
            ["s3:AbortMultipartUpload", "s3:PutObject"],
            [f"{folder}/{part}/*" for part in (ANSWERS, FAILURES)],
        ),
        build_statement(
            "StoreEncrypted", ["kms:Decrypt", "kms:GenerateDataKey"], [var.kms_key_arn], build_via_condition(var, "s3")
        ),
        build_statement(
            "PublishNotifications",
            ["sns:Publish"],
            [f"{topics}:{get_endpoint_name(var)}-{kind}" for kind in NOTIFICATIONS],
        ),
        build_statement(
            "EncryptNotifications",
            ["kms:Decrypt", "kms:GenerateDataKey*"],
            [var.kms_key_arn],
            build_via_condition(var, "sns"),
        ),
    ]
    return {
        "inference": iam_statements.build_statements(
            var,
            var,
            *own,
            iam_statements.describe_alarms(var, var, [format_failure_alarm_name(get_endpoint_name(var))]),
        )
    }


def format_failure_alarm_name(name: str) -> str:
    """Return the name of the rollback alarm of an endpoint."""
    return f"{name}-failures"
