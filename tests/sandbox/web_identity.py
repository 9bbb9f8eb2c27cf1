"""Tokens of CI, and clients with the credentials that they give."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client

GITHUB = "https://token.actions.githubusercontent.com"


def create_token(subject: str, *, issuer: str = GITHUB, audience: str = "sts.amazonaws.com", seconds: int = 600) -> str:
    """Return a token with these claims. It has no valid signature."""
    return encode_token({"iss": issuer, "aud": audience, "sub": subject, "exp": int(time.time()) + seconds})


def encode_token(claims: Mapping[str, Any]) -> str:
    """Return a token with these claims. It has no valid signature."""
    parts = [json.dumps(one).encode() for one in ({"alg": "RS256"}, dict(claims))]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*parts, b"signature"))


def exchange_token(
    sandbox: Sandbox, role: str, token: str, region: str = "eu-north-1", *, is_signed: bool = False
) -> dict[str, str]:
    """Return the credentials of a role for a token, as variables of the environment."""
    import botocore

    unsigned = {} if is_signed else {"signature_version": botocore.UNSIGNED}
    sts = make_client("sts", region, sandbox.endpoint, **unsigned)
    if is_signed:  # the model of the operation has no signature
        sts.meta.events.register_first("choose-signer.sts.AssumeRoleWithWebIdentity", lambda **_: "v4")
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
