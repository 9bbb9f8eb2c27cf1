"""Log lines of endpoint containers, sent to CloudWatch Logs in /aws/sagemaker/Endpoints/<endpoint>.

A stream is named <variant>/<instance>, or <variant>/<instance>/<container> if a model has several containers. The log
group is created if it does not exist. It remains after the endpoint is deleted, as on AWS.
"""

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from sagemaker_sandbox.jobs.runtime.job_log import CloudWatchStream
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import ServicePart

_SEND_INTERVAL = 0.5  # seconds


def get_log_group_name(endpoint: str) -> str:
    """Return the log group name of an endpoint."""
    return f"/aws/sagemaker/Endpoints/{endpoint}"


class _FollowedLog:
    """One log stream and the folder of its `*.log` files. Only one thread at a time sends lines."""

    def __init__(self, stream: CloudWatchStream, folder: Path) -> None:
        self._stream = stream
        self._folder = folder
        self._sent_bytes: dict[Path, int] = {}
        self._lock = threading.Lock()

    def send(self, *, with_incomplete: bool = False) -> None:
        """Send new lines. With `with_incomplete`, also send an incomplete last line."""
        with self._lock:
            lines = [
                line
                for path in sorted(self._folder.glob("*.log"))
                for line in self._read_new_lines(path, with_incomplete)
            ]
            if lines:
                moment = time.time()
                self._stream.put([(moment, line) for line in lines])

    def _read_new_lines(self, path: Path, with_incomplete: bool) -> list[str]:
        start = self._sent_bytes.get(path, 0)
        try:
            if path.stat().st_size == start:
                return []
            with path.open("rb") as log:
                log.seek(start)
                content = log.read()
        except OSError:  # the endpoint was deleted
            return []
        if not with_incomplete:
            content = content[: content.rfind(b"\n") + 1]
        self._sent_bytes[path] = start + len(content)
        return content.decode("utf-8", "replace").splitlines()


class EndpointLogs(ServicePart):
    """Sender of the log lines of all instances of the endpoints of one Region."""

    def __init__(self, region: AccountRegion) -> None:
        super().__init__(region)
        self._followed: list[_FollowedLog] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._sender: threading.Thread | None = None

    def follow(self, endpoint: str, variant: str, folders: Mapping[str, Path]) -> Callable[[], None]:
        """Send the lines of an instance until the returned function is called.

        That function sends the last lines. `folders` maps each container name to its log folder. The name of an only
        container is empty.
        """
        client, instance = self.region.client("logs"), f"i-{secrets.token_hex(8)}0"
        logs = []
        for container, folder in folders.items():
            name = "/".join(filter(None, (variant, instance, container)))
            stream = CloudWatchStream(client, get_log_group_name(endpoint), name)
            stream.create()
            logs.append(_FollowedLog(stream, folder))
        with self._lock:
            self._followed += logs
            if self._sender is None:
                self._sender = threading.Thread(target=self._send, name="endpoint-logs", daemon=True)
                self._sender.start()

        def end() -> None:
            with self._lock:
                self._followed = [log for log in self._followed if log not in logs]
            for log in logs:
                log.send(with_incomplete=True)

        return end

    def _send(self) -> None:
        while not self._ended.wait(_SEND_INTERVAL):
            with self._lock:
                logs = list(self._followed)
            for log in logs:
                log.send()

    def close(self) -> None:
        """Stop the sender."""
        self._ended.set()
        with self._lock:  # a sender that exists has been started
            sender = self._sender
        if sender is not None:
            sender.join()
