"""Cases of rules/account/privileges.py."""

from typing import Any

from tests.rules.jobs import UNKNOWN, Resources


def _trust(service: str) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}


def _role(service: str = "sagemaker.amazonaws.com", **settings: Any) -> Resources:
    return {"aws_iam_role.r": {"name": "r", "assume_role_policy": _trust(service), **settings}}


def _policy(actions: Any, resources: Any = "*", **more: Any) -> Resources:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources, **more}
    return {"aws_iam_role_policy.p": {"role": "${aws_iam_role.r.name}", "policy": {"Statement": [statement]}}}


def _attach_policy(policy: str, arn: str = "") -> Resources:
    arn = arn or f"arn:aws:iam::aws:policy/{policy}"
    return {"aws_iam_role_policy_attachment.a": {"role": "${aws_iam_role.r.name}", "policy_arn": arn}}


_HIDDEN: Resources = {**_role(), "aws_iam_role_policy.p": {"role": "${aws_iam_role.r.name}", "policy": UNKNOWN}}

CASES = {
    "SUS_ROLE_WILDCARD": {
        "pass": {
            "one action": {**_role(), **_policy("s3:GetObject", "arn:aws:s3:::b/models/*")},
            "everything on one bucket": {**_role(), **_policy("s3:*", "arn:aws:s3:::b/*")},
            "an action without resources": {**_role(), **_policy("cloudwatch:PutMetricData")},
        },
        "fail": {
            "everything": {**_role(), **_policy("*")},
            "a whole service": {**_role(), **_policy(["s3:*", "logs:PutLogEvents"])},
            "everything except": {**_role(), **_policy(None, NotAction="iam:*")},
            "on everything except": {**_role(), **_policy("*", None, NotResource="arn:aws:s3:::b/*")},
        },
        "unknown": {"unknown policy": _HIDDEN},
        "not_applicable": {"another service's role": {**_role("lambda.amazonaws.com"), **_policy("*")}},
    },
    "SUS_ROLE_FULL_ACCESS": {
        "pass": {
            "a policy for the phase": {**_role(), **_attach_policy("AmazonEC2ContainerRegistryReadOnly")},
            "an unknown inline policy": _HIDDEN,
            "a custom policy": {
                **_role(),
                **_attach_policy("", "${aws_iam_policy.own.arn}"),
                "aws_iam_policy.own": {"name": "own", "policy": UNKNOWN},
            },
        },
        "fail": {
            "attached": {**_role(), **_attach_policy("AmazonSageMakerFullAccess")},
            "listed": _role(managed_policy_arns=["arn:aws:iam::aws:policy/AdministratorAccess"]),
        },
        "unknown": {
            "unknown attachment": {**_role(), **_attach_policy("", UNKNOWN)},
            "unknown list": _role(managed_policy_arns=UNKNOWN),
            "an attachment to an unknown role": {
                **_role(),
                "aws_iam_role_policy_attachment.a": {"role": UNKNOWN, "policy_arn": "arn:aws:iam::aws:policy/X"},
            },
        },
        "not_applicable": {
            "another service's role": {**_role("lambda.amazonaws.com"), **_attach_policy("AdministratorAccess")}
        },
    },
}
