"""Tokens of CI, and clients with the credentials that they give."""

import base64
import json
import time
from typing import Any

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.client import make_client

GITHUB = "https://token.actions.githubusercontent.com"


def create_token(subject: str, *, issuer: str = GITHUB, audience: str = "sts.amazonaws.com", seconds: int = 600) -> str:
    """Return a token with these claims. It has no valid signature."""
    claims = {"iss": issuer, "aud": audience, "sub": subject, "exp": int(time.time()) + seconds}
    parts = [json.dumps(one).encode() for one in ({"alg": "RS256"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*parts, b"signature"))


def exchange_token(sandbox: Sandbox, role: str, token: str, region: str = "eu-north-1") -> dict[str, str]:
    """Return the credentials of a role for a token, as variables of the environment."""
    import botocore

    sts = make_client("sts", region, sandbox.endpoint, signature_version=botocore.UNSIGNED)
    response = sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="ci", WebIdentityToken=token)
    return build_variables(response["Credentials"])


def assume_administrator(sandbox: Sandbox, account: str, region: str = "eu-north-1") -> dict[str, str]:
    """Return the credentials of an administrator of a member account, as variables of the environment."""
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    response = make_client("sts", region, sandbox.endpoint).assume_role(RoleArn=role, RoleSessionName="administrator")
    return build_variables(response["Credentials"])


def build_variables(credentials: dict[str, Any]) -> dict[str, str]:
    """Return the variables of the environment for credentials of STS."""
    return {
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }
