"""Trust of a role in the tokens of an OpenID Connect provider, such as GitHub and GitLab.

Sources: STS API reference, "AssumeRoleWithWebIdentity"; IAM user guide, "Available keys for AWS OIDC federation". The
signature of a token is not verified, because the keys of its issuer are outside this computer.
"""

import base64
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from werkzeug import Request

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.enforcement import resource_policies
from sagemaker_sandbox.iam.evaluation import AccessRequest, Principal, PrincipalPolicies, evaluate
from sustainable_mlops.aws.arn import Arn

ACTION = "AssumeRoleWithWebIdentity"
#: Parts of a token: header, payload and signature.
_PARTS = 3
#: Claims that are condition keys.
_CLAIMS = ("amr", "aud", "email", "oaud", "sub")


class WebIdentityError(ApiError):
    """Error for a token that STS refuses."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.status = code, status


def read_parameters(request: Request) -> dict[str, str] | None:
    """Return the parameters of an AssumeRoleWithWebIdentity request; None for other requests."""
    texts = [request.query_string.decode("utf-8", "replace")]
    if request.content_type and request.content_type.startswith("application/x-www-form-urlencoded"):
        texts.append(request.get_data(cache=True).decode("utf-8", "replace"))
    parameters = {name: values[0] for text in texts for name, values in parse_qs(text).items()}
    return parameters if parameters.get("Action") == ACTION else None


def check_trust(parameters: Mapping[str, str], now: datetime) -> None:
    """Raise WebIdentityError unless the role trusts the token."""
    role = parameters.get("RoleArn", "")
    arn = Arn.parse_or_none(role)
    account = "" if arn is None else arn.account
    claims = _read_claims(parameters.get("WebIdentityToken", ""))
    issuer = str(claims.get("iss", "")).removeprefix("https://")
    provider = next((one for one in _list_providers(account) if one.url == issuer), None)
    if provider is None:
        raise WebIdentityError(
            "InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {claims.get('iss', '')}"
        )
    if claims.get("aud") not in provider.client_id_list:
        raise WebIdentityError("InvalidIdentityToken", "Incorrect token audience")
    expiry = claims.get("exp", 0)
    if isinstance(expiry, bool) or not isinstance(expiry, int | float) or not math.isfinite(expiry):
        raise WebIdentityError("InvalidIdentityToken", "The claim exp of the token is not a number.")
    time, expiry = int(now.timestamp()), int(expiry)
    if expiry <= time:
        raise WebIdentityError(
            "ExpiredTokenException",
            f"Token expired: current date/time {time} must be before the expiration date/time {expiry}",
        )
    keys: dict[str, str | Sequence[str] | None] = {
        **{f"{issuer}:{claim}": claims[claim] for claim in _CLAIMS if claim in claims},
        "aws:CurrentTime": now.isoformat(),
        "aws:SecureTransport": "true",
        "sts:RoleSessionName": parameters.get("RoleSessionName", ""),
    }
    resource = resource_policies.find_resource(role)
    principal = Principal(account, provider.arn)
    request = AccessRequest(principal, f"sts:{ACTION}", role, account, keys)
    if resource.policy is None or not evaluate(request, PrincipalPolicies(), resource.policy).allowed:
        raise WebIdentityError("AccessDenied", f"Not authorized to perform sts:{ACTION}", 403)


def _read_claims(token: str) -> dict[str, Any]:
    parts = token.split(".")
    try:
        payload = parts[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        claims = None
    if len(parts) != _PARTS or not isinstance(claims, dict):
        raise WebIdentityError("InvalidIdentityToken", "The ID Token provided is not a valid JWT.")
    return claims


def _list_providers(account: str) -> Iterator[Any]:
    from moto.iam.models import iam_backends

    if account.isdigit():
        yield from list(iam_backends[account]["aws"].open_id_providers.values())
