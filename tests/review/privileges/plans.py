"""Plans with policies of roles and resources, and their risks to privileges."""

import json
from typing import Any

from sustainable_mlops.plan import Plan
from sustainable_mlops.review.attributes.risks import find_protection_risks
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.data.risks import find_data_risks
from sustainable_mlops.review.privileges.exposure import find_exposure_risks
from sustainable_mlops.review.privileges.widening import find_privilege_risks
from sustainable_mlops.review.risk import Level, Risk, RiskArea
from sustainable_mlops.review.safeguards.risks import find_safeguard_risks
from tests.plan.plan_builder import build_change, build_plan

ROLE = {"name": "train", "id": "train", "arn": "arn:aws:iam::123456789012:role/train"}
BUCKET = {"bucket": "data", "id": "data", "arn": "arn:aws:s3:::data"}
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}
TLS = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
ACCOUNT = {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def text(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(principal: dict[str, Any], **more: Any) -> str:
    return text({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


def role(**more: Any) -> dict[str, Any]:
    return {**ROLE, "assume_role_policy": trust({"Service": "sagemaker.amazonaws.com"}), **more}


def risks(plan: Plan) -> list[Risk]:
    comparison = Comparison(plan)
    finders = find_data_risks, find_protection_risks, find_safeguard_risks, find_privilege_risks, find_exposure_risks
    every = [risk for find_risks in finders for risk in find_risks(comparison)]
    return [risk for risk in every if risk.area is RiskArea.PRIVILEGES]


def list_levels(*changes: dict[str, Any], **more: Any) -> list[tuple[str, Level]]:
    return [(risk.id, risk.level) for risk in risks(build_plan(*changes, **more))]


def policy(name: str, before: str | None, after: str | None) -> dict[str, Any]:
    old = None if before is None else {"role": "train", "policy": before}
    new = None if after is None else {"role": "train", "policy": after}
    return build_change(f"aws_iam_role_policy.{name}", new, before=old)


KEPT = build_change("aws_iam_role.train", role(), before=role())
CALLER = build_change("data.aws_caller_identity.me", {"account_id": "123456789012"}, actions=["read"])
GITHUB = {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"}
FOREIGN = {"AWS": "arn:aws:iam::999999999999:root"}


def build_statement(principal: Any, operator: str = "", key: str = "", value: Any = "") -> dict[str, Any]:
    condition = {"Condition": {operator: {key: value}}} if operator else {}
    action = "sts:AssumeRoleWithWebIdentity" if principal == GITHUB else "s3:GetObject"
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **condition}


ENDPOINT = {"id": "v", "vpc_id": "vpc-1", "service_name": "com.amazonaws.eu-north-1.s3"}


def endpoint(policy: str | None, **more: Any) -> dict[str, Any]:
    return {**ENDPOINT, **more} | ({} if policy is None else {"policy": policy})


AWS = "arn:aws:iam::aws:policy"
ADMIN, S3_FULL, READ_ONLY = f"{AWS}/AdministratorAccess", f"{AWS}/AmazonS3FullAccess", f"{AWS}/ReadOnlyAccess"


def build_created(kind: str, **values: Any) -> dict[str, Any]:
    return build_change(f"{kind}.this", values)


MANAGED = "arn:aws:iam::123456789012:policy/p"
OWN = text({"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "*", "Resource": "*"})
LINK = {"role": "train", "policy_arn": MANAGED}


def attach(before: str, after: str, /, **link: Any) -> list[dict[str, Any]]:
    """Return a managed policy of the plan and its attachment to a role, with `link` before and after."""
    values = {"name": "p", "arn": MANAGED, "id": MANAGED}
    created = build_change("aws_iam_policy.p", {**values, "policy": after}, before={**values, "policy": before})
    return [created, build_change("aws_iam_role_policy_attachment.a", **link)]
