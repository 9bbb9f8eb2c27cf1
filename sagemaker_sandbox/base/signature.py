"""Access key, Region and service from the signature of a request. The signature is not verified.

They are in a header or, for presigned requests (version 4, and S3's version 2), in the query.
"""

import re
from typing import NamedTuple

from werkzeug import Request

#: Credential scope: <key>/<date>/<region>/<service>/aws4_request. Version 4A signs for several Regions and names none.
_SCOPE = re.compile(
    r"(?:^|Credential=)(?P<key>[^/,\s]+)/\d+/(?:(?P<region>[^/]+)/)?(?P<service>[^/]+)/aws4_request",
)
_KEY = re.compile(r"Credential=(?P<key>[^/,\s]+)/")


class Signature(NamedTuple):
    """Access key, Region and signing name. Each is empty if the request does not have it."""

    key: str = ""
    region: str = ""
    service: str = ""


def parse_signature(request: Request) -> Signature:
    """Return the signature of a request."""
    header = request.headers.get("Authorization", "")
    scope = _SCOPE.search(header) or _SCOPE.match(request.args.get("X-Amz-Credential", ""))
    if scope is not None:
        return Signature(scope["key"], scope["region"] or "", scope["service"])
    if "Signature" in request.args and "AWSAccessKeyId" in request.args:
        return Signature(request.args["AWSAccessKeyId"], service="s3")
    key = _KEY.search(header)
    return Signature(key["key"] if key is not None else "")
