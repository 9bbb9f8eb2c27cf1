"""Host names that the sandbox accepts: names of this computer and names of AWS.

A web page cannot use them for an attack: the owner of each name is this computer or AWS. Every other name may belong to
an attacker and resolve to 127.0.0.1 (DNS rebinding).
"""

import functools
import ipaddress
import re
from urllib.parse import urlsplit

from werkzeug import Request

from sagemaker_sandbox.base.client import S3_CONTROL_HOST
from sagemaker_sandbox.base.errors import ApiError

#: Host of a bucket. Source: "Virtual hosting of general purpose buckets", Amazon S3 user guide.
_BUCKET_HOST = re.compile(r"(?P<bucket>.+)\.s3[.-]")
#: Top-level domain of Amazon alone. Source: IANA root zone database, .aws.
_AWS_DOMAIN = "aws"


class ForbiddenRequestError(ApiError):
    """A request from a web page, or for a host that the sandbox does not accept."""

    code = "AccessDeniedException"
    status = 403


def is_loopback(host: str) -> bool:
    """Return whether a host name or an address is this computer's own. Source of `localhost`: RFC 6761."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_aws(host: str) -> bool:
    """Return whether a host name is AWS's."""
    return host.endswith(_list_aws_suffixes())


@functools.cache
def _list_aws_suffixes() -> tuple[str, ...]:
    """Return the suffixes of AWS's host names, from botocore's table of partitions."""
    from botocore.loaders import create_loader

    outputs = [partition["outputs"] for partition in create_loader().load_data("partitions")["partitions"]]
    domains = {output[name] for output in outputs for name in ("dnsSuffix", "dualStackDnsSuffix")}
    return tuple(sorted(f".{domain}" for domain in {*domains, _AWS_DOMAIN}))


def parse_host(authority: str) -> str:
    """Return the host of `host:port` in lower case; the empty string if there is none."""
    try:
        return (urlsplit(f"//{authority}").hostname or "").removesuffix(".")
    except ValueError:
        return ""


def find_bucket(request: Request) -> str:
    """Return the bucket of a request to S3, which is in the host name or the path."""
    host = parse_host(request.environ.get("HTTP_HOST", ""))
    name = _BUCKET_HOST.match(host) if is_aws(host) else None
    return name["bucket"] if name is not None else request.path.split("/")[1]


def describe_foreign_host(host: str) -> str:
    """Return the message for a host that is neither this computer's nor AWS's."""
    name = host if host.isprintable() and host.isascii() else "the host"
    return (
        f"sandbox: {name} is not a host of AWS, and no request leaves this computer; to allow it, add it to NO_PROXY "
        "and no_proxy of the command"
    )


def check_request(request: Request) -> None:
    """Raise ForbiddenRequestError for a foreign host, and for a request that a foreign web page sent.

    Browsers send `Origin` with each POST, PUT and DELETE, and `Sec-Fetch-Site` with each request to this computer.
    """
    authority, origin = request.environ.get("HTTP_HOST"), request.headers.get("Origin")
    host = parse_host(authority) if authority is not None else "localhost"
    if not (is_loopback(host) or is_aws(host) or host.endswith(S3_CONTROL_HOST)):
        raise ForbiddenRequestError(describe_foreign_host(host))
    page = "a foreign web page" if request.headers.get("Sec-Fetch-Site") == "cross-site" else None
    if origin is not None:
        page = None if is_loopback(parse_host(urlsplit(origin).netloc)) else f"a web page of {origin[:100]}"
    if page is not None:
        raise ForbiddenRequestError(
            f"sandbox: {page} sent this request; the sandbox accepts requests only from pages of this computer"
        )
