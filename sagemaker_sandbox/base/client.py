"""boto3 clients for a sandbox."""

import functools
from typing import Any
from urllib.parse import urlsplit

#: Credentials for the sandbox, which accepts any.
CREDENTIALS = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
#: moto's header for the account of a request.
ACCOUNT_HEADER = "x-moto-account-id"
#: Variables that name the bundle of trusted authorities: botocore, AWS CLI and requests; OpenSSL, Go and httpx; curl;
#: Node.js. AWS_CA_BUNDLE is missing, because Terraform's AWS provider fails with it (hashicorp/terraform-provider-aws,
#: issue 23182).
_CA_BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
#: Mark in the user agent of the sandbox's own requests.
INTERNAL_USER_AGENT = "smlops-sandbox"
#: Time for the sandbox to respond to its own requests, which are not repeated, in seconds. A busy computer is slow.
INTERNAL_READ_SECONDS = 900
#: Host name of S3 Control. The top-level domain is reserved (RFC 6761), so requests cannot reach another host.
S3_CONTROL_HOST = "s3-control.invalid"


def build_s3_control_endpoint(endpoint: str) -> str:
    """Return the endpoint for S3 Control, which reaches the sandbox as an HTTP proxy.

    SDKs put the account ID before the host name of this service, and no resolver knows that name. A proxy receives the
    name as text.
    """
    return f"http://{S3_CONTROL_HOST}:{urlsplit(endpoint).port}"


def build_connection_variables(endpoint: str, ca_bundle: str) -> dict[str, str]:
    """Return the environment variables that direct a program's AWS requests to the sandbox.

    Clients that ignore `AWS_ENDPOINT_URL` reach it as a proxy, with the certificates of `ca_bundle`.
    """
    proxy = {"HTTPS_PROXY": endpoint, "NO_PROXY": "127.0.0.1,localhost,::1"}
    return {
        "AWS_ENDPOINT_URL": endpoint,
        **proxy,
        **{name.lower(): value for name, value in proxy.items()},
        "NODE_USE_ENV_PROXY": "1",
        **dict.fromkeys(_CA_BUNDLE_VARIABLES, ca_bundle),
    }


@functools.cache
def _create_loader() -> Any:
    """Return botocore's loader of service models. It is shared, because loading takes most of a client's start-up."""
    from botocore.loaders import create_loader

    return create_loader()


def make_client(service: str, region: str, endpoint: str, account: str = "", **config: Any) -> Any:
    """Return a boto3 client of the sandbox. The caller's environment cannot redirect it.

    `config` has the parameters of botocore's `Config`. Without `account`, requests use the sandbox's default account.
    """
    import boto3
    import botocore.session
    from botocore.config import Config

    if service == "s3control":
        config["proxies"], endpoint = {"http": endpoint}, build_s3_control_endpoint(endpoint)
    settings = Config(**{"proxies": {}, "s3": {"addressing_style": "path"}, **config})
    session = botocore.session.Session()
    session.register_component("data_loader", _create_loader())
    create: Any = boto3.session.Session(botocore_session=session).client
    client = create(service, region, endpoint_url=endpoint, config=settings, **CREDENTIALS)
    if account:
        client.meta.events.register(
            "before-sign", lambda request, **_: request.headers.add_header(ACCOUNT_HEADER, account)
        )
    return client
