"""Certificates for AWS's host names, from an authority that exists as long as the sandbox.

Its private key stays in this process. Clients find its certificate in a bundle, with the authorities of this computer.
"""

import functools
import ssl
import threading
from pathlib import Path

_LOCK = threading.Lock()


class CertificateAuthority:
    """Authority that issues certificates of AWS's host names. It writes the bundle for clients to `bundle`."""

    def __init__(self, bundle: Path) -> None:
        import trustme

        self._authority = trustme.CA(organization_name="SageMaker sandbox")
        bundle.write_bytes(_read_public_authorities() + self._authority.cert_pem.bytes())
        self._create = functools.lru_cache(maxsize=1000)(self._create_context)

    def get_context(self, host: str) -> ssl.SSLContext:
        """Return the TLS settings of a server with this host name."""
        with _LOCK:
            return self._create(host)

    def _create_context(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(host).configure_cert(context)
        return context


def _read_public_authorities() -> bytes:
    """Return the certificates of this computer's authorities, for hosts that a client reaches without the proxy."""
    file = ssl.get_default_verify_paths().cafile
    return Path(file).read_bytes().rstrip() + b"\n" if file is not None else b""
