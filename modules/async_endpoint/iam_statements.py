"""What an asynchronous endpoint needs of the role of its container."""

from modules.async_endpoint.inputs import Inputs
from modules.endpoints import needs
from modules.endpoints.inputs import name_of
from modules.needs import Needs, statement, through

#: What its topics tell.
NOTICES = ("error", "success")
#: What lies where in its folder.
REQUESTS, ANSWERS, FAILURES = "requests", "answers", "failures"


def statements(var: Inputs) -> Needs:
    """The statements of inference; `var` is read but for its role."""
    topics = f"arn:{var.partition}:sns:{var.region}:{var.account_id}"
    folder = needs.object_arn(var.s3_uri, var) + f"/{name_of(var)}"
    own = [
        statement("ReadRequests", ["s3:GetObject"], [f"{folder}/{REQUESTS}/*"]),
        # A large answer is written in parts.
        statement(
            "WriteResults",
            ["s3:AbortMultipartUpload", "s3:PutObject"],
            [f"{folder}/{part}/*" for part in (ANSWERS, FAILURES)],
        ),
        statement("StoreEncrypted", ["kms:Decrypt", "kms:GenerateDataKey"], [var.kms_key_arn], through(var, "s3")),
        statement("PublishNotifications", ["sns:Publish"], [f"{topics}:{name_of(var)}-{kind}" for kind in NOTICES]),
        statement(
            "EncryptNotifications", ["kms:Decrypt", "kms:GenerateDataKey*"], [var.kms_key_arn], through(var, "sns")
        ),
    ]
    return {"inference": needs.statements(var, var, *own, needs.watch_alarms(var, var, [failures_alarm(name_of(var))]))}


def failures_alarm(name: str) -> str:
    """The name of the alarm of an endpoint that rolls a deployment back."""
    return f"{name}-failures"
