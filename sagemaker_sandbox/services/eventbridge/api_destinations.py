"""API destinations: HTTP requests with the secret of a connection.

Sources: EventBridge user guide, "API destinations as targets" and "Connections for API targets"; API reference,
CreateApiDestination.
"""

import json
from collections.abc import Mapping
from typing import Any

from sagemaker_sandbox.iam.permissions import ServiceCall
from sustainable_mlops.aws.arn import Arn

#: The IAM action, which is not an operation of the API.
OPERATION = "InvokeApiDestination"
PREFIX = "api-destination/"
#: Time in which the endpoint must respond, in seconds.
_TIMEOUT = 5
#: Statuses that are retried, beside 5xx.
_RETRIED = (401, 407, 409, 429)


class HttpStatusError(Exception):
    """Response of an endpoint that reports an error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP status {status}: {text[:200]}")
        self.is_retried = status in _RETRIED or status >= 500


def build_call(target: Mapping[str, Any], text: str) -> ServiceCall:
    """Return the call of a target that sends `text` to an API destination."""
    return ServiceCall("events", OPERATION, {"Body": text, **(target.get("HttpParameters") or {})}, target["Arn"])


def find_rate_limit(arn: str) -> int:
    """Return the allowed requests in a second. Raises LookupError if the destination does not exist."""
    return int(_find_destination(arn).invocation_rate_limit_per_second or 300)


def send(call: ServiceCall) -> None:
    """Send the request of a call. Raises HttpStatusError, requests' exceptions, or LookupError without a destination.

    Redirects are not followed.
    """
    import requests

    destination = _find_destination(str(call.resource))
    connection = _find_connection(destination.connection_arn)
    secret = connection.auth_parameters
    more = secret.get("InvocationHttpParameters") or {}
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Amazon/EventBridge/ApiDestinations",
        **call.parameters.get("HeaderParameters", {}),
        **{item["Key"]: item["Value"] for item in more.get("HeaderParameters", [])},
        **_build_authorization(connection.authorization_type, secret),
    }
    response = requests.request(
        destination.http_method,
        destination.invocation_endpoint,
        params={
            **call.parameters.get("QueryStringParameters", {}),
            **{item["Key"]: item["Value"] for item in more.get("QueryStringParameters", [])},
        },
        data=_merge_body(call.parameters["Body"], more.get("BodyParameters", [])).encode(),
        headers=headers,
        timeout=_TIMEOUT,
        allow_redirects=False,
    )
    if not response.ok:
        raise HttpStatusError(response.status_code, response.text)


def _build_authorization(kind: str, secret: Mapping[str, Any]) -> dict[str, str]:
    from requests.auth import _basic_auth_str

    if kind == "API_KEY":
        key = secret["ApiKeyAuthParameters"]
        return {key["ApiKeyName"]: key["ApiKeyValue"]}
    if kind == "BASIC":
        basic = secret["BasicAuthParameters"]
        return {"Authorization": _basic_auth_str(basic["Username"], basic["Password"])}
    raise ValueError(f"the sandbox does not authorize requests by {kind}")


def _merge_body(text: str, parameters: list[dict[str, Any]]) -> str:
    if not parameters:
        return text
    return json.dumps({**json.loads(text), **{item["Key"]: item["Value"] for item in parameters}})


def _find_destination(arn: str) -> Any:
    return _find_item(arn, "destinations", PREFIX)


def _find_connection(arn: str) -> Any:
    return _find_item(arn, "connections", "connection/")


def _find_item(arn: str, collection: str, prefix: str) -> Any:
    from moto.events.models import events_backends

    _, _, region, account, resource = Arn.parse(arn)
    name = resource.removeprefix(prefix).partition("/")[0]
    item = getattr(events_backends[account][region], collection).get(name)
    if item is None or item.arn != arn:
        raise LookupError(f"{arn} does not exist")
    return item
