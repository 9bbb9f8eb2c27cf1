"""What a request's signature says: whose key, which Region, which service. It is not verified.

In the header, or in the address of a request that was signed before (version 4, and S3's version 2).
"""

import re
from typing import NamedTuple

from werkzeug import Request

#: <key>/<date>/<region>/<service>/aws4_request
_SCOPE = re.compile(
    r"(?:^|Credential=)(?P<key>[^/,\s]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request",
)
_KEY = re.compile(r"Credential=(?P<key>[^/,\s]+)/")


class Signature(NamedTuple):
    """Each empty where the request does not say it."""

    key: str = ""
    region: str = ""
    service: str = ""


def of(request: Request) -> Signature:
    """What is said of a request."""
    header = request.headers.get("Authorization", "")
    scope = _SCOPE.search(header) or _SCOPE.match(request.args.get("X-Amz-Credential", ""))
    if scope is not None:
        return Signature(scope["key"], scope["region"], scope["service"])
    if "Signature" in request.args and "AWSAccessKeyId" in request.args:
        return Signature(request.args["AWSAccessKeyId"], service="s3")
    key = _KEY.search(header)
    return Signature(key["key"] if key is not None else "")
