"""boto3 clients of a sandbox."""

import functools
from typing import Any
from urllib.parse import urlsplit

#: The sandbox takes any credentials.
CREDENTIALS = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
#: moto's header for the account that a request acts in.
ACCOUNT = "x-moto-account-id"
#: In the user agent of the requests that the sandbox itself makes.
INTERNAL = "smlops-sandbox"


def s3_control_endpoint(endpoint: str) -> str:
    """Where S3 Control's requests go, by way of the sandbox as their HTTP proxy.

    SDKs put the account id before this service's host name, which no resolver knows; a proxy is asked for it by name.
    The name is reserved (RFC 6761), so that it can never lead anywhere else.
    """
    return f"http://s3-control.invalid:{urlsplit(endpoint).port}"


@functools.cache
def _descriptions() -> Any:
    """botocore's descriptions of the services, read once: to read them is most of making a client."""
    from botocore.loaders import create_loader

    return create_loader()


def make_client(service: str, region: str, endpoint: str, account: str = "", **config: Any) -> Any:
    """A boto3 client that nothing in the caller's environment leads elsewhere; `config` as botocore's Config.

    It acts in `account`, or in the sandbox's default one.
    """
    import boto3
    import botocore.session
    from botocore.config import Config

    if service == "s3control":
        config["proxies"], endpoint = {"http": endpoint}, s3_control_endpoint(endpoint)
    settings = Config(**{"proxies": {}, "s3": {"addressing_style": "path"}, **config})
    session = botocore.session.Session()
    session.register_component("data_loader", _descriptions())
    make: Any = boto3.session.Session(botocore_session=session).client
    client = make(service, region, endpoint_url=endpoint, config=settings, **CREDENTIALS)
    if account:
        client.meta.events.register("before-sign", lambda request, **_: request.headers.add_header(ACCOUNT, account))
    return client
