"""HTTP connections of clients: to the sandbox's own address, and to AWS's host names through a proxy."""

import ssl
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler

from sagemaker_sandbox.connections import hosts
from sagemaker_sandbox.connections.certificates import CertificateAuthority


def create_request_handler(silence_seconds: float, certificates: CertificateAuthority) -> type["RequestHandler"]:
    """Return the class that handles one connection. It ends after `silence_seconds` without data."""
    return type("RequestHandler", (RequestHandler,), {"timeout": silence_seconds, "certificates": certificates})


class RequestHandler(MotoRequestHandler):  # type: ignore[misc]  # moto is untyped
    """One connection. It sends without delay, and logs only failures."""

    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"
    certificates: CertificateAuthority

    def do_CONNECT(self) -> None:  # noqa: N802 named by http.server
        """Open a TLS connection on which the sandbox answers in place of an AWS host. Refuse other hosts.

        The first line of the response has the reason of a refusal, because clients print it.
        """
        host = hosts.parse_host(self.path)
        if not hosts.is_aws(host):
            self.close_connection = True
            self.send_response_only(403, hosts.describe_foreign_host(host))
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()
            return
        self.send_response_only(200, "Connection established")
        self.end_headers()
        try:
            self.request = self.certificates.get_context(host).wrap_socket(self.connection, server_side=True)
        except OSError:  # the client does not trust the certificate, or has left
            self.close_connection = True
            return
        self.setup()
        self.close_connection = False

    def make_environ(self) -> dict[str, Any]:
        """Return the WSGI environment, with the scheme of the connection."""
        environ: dict[str, Any] = super().make_environ()
        if isinstance(self.connection, ssl.SSLSocket):
            environ["wsgi.url_scheme"] = "https"
        return environ

    def finish(self) -> None:
        """Close the connection. The server closes only sockets without TLS."""
        super().finish()
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.close()

    def connection_dropped(self, error: BaseException, environ: dict[str, Any] | None = None) -> None:
        """Close the connection without a response."""
        super().connection_dropped(error, environ)
        self.close_connection = True

    def send_header(self, keyword: str, value: str) -> None:
        """Send a header. The Date of a response replaces that of this computer, which http.server sends before."""
        if keyword == "Date":
            self._headers_buffer: list[bytes] = [line for line in self._headers_buffer if not line.startswith(b"Date:")]
        super().send_header(keyword, value)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log a failed request."""
        del size
        if str(code).startswith("5"):
            self.log("error", "%s %s", self.requestline, code)

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002 named by http.server
        """Log an error, except the end of an idle connection."""
        if not format.startswith("Request timed out"):
            super().log_error(format, *args)
