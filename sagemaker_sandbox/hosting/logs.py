"""What the containers of endpoints print: CloudWatch Logs has it in /aws/sagemaker/Endpoints/<endpoint>.

A stream is called <variant>/<instance>, and <variant>/<instance>/<container> where a model has several. The group is
made where nobody has made it before, and stays once the endpoint is deleted, as on AWS.
"""

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import ServicePart
from sagemaker_sandbox.runtime.job_log import CloudWatchStream

_LOOK_EVERY = 0.5  # seconds between two looks for new lines


def get_log_group_name(endpoint: str) -> str:
    """The log group of an endpoint."""
    return f"/aws/sagemaker/Endpoints/{endpoint}"


class _FollowedLog:
    """One log stream, and the folder in whose `*.log` its lines come. Only one thread at a time may send."""

    def __init__(self, stream: CloudWatchStream, folder: Path) -> None:
        self._stream = stream
        self._folder = folder
        self._read: dict[Path, int] = {}
        self._lock = threading.Lock()

    def send(self, *, all_of_it: bool = False) -> None:
        """Send the lines that have come since the last time; with `all_of_it` an unfinished one too."""
        with self._lock:
            lines = [line for path in sorted(self._folder.glob("*.log")) for line in self._new(path, all_of_it)]
            if lines:
                moment = time.time()
                self._stream.put([(moment, line) for line in lines])

    def _new(self, path: Path, all_of_it: bool) -> list[str]:
        read = self._read.get(path, 0)
        try:
            if path.stat().st_size == read:
                return []
            with path.open("rb") as log:
                log.seek(read)
                new = log.read()
        except OSError:  # it went with its endpoint
            return []
        if not all_of_it:
            new = new[: new.rfind(b"\n") + 1]
        self._read[path] = read + len(new)
        return new.decode("utf-8", "replace").splitlines()


class EndpointLogs(ServicePart):
    """Sends the lines of all instances of one Region's endpoints, as they come."""

    def __init__(self, region: AccountRegion) -> None:
        super().__init__(region)
        self._followed: list[_FollowedLog] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._sender: threading.Thread | None = None

    def follow(self, endpoint: str, variant: str, folders: Mapping[str, Path]) -> Callable[[], None]:
        """Send what an instance's containers print, until what is returned is called: the last lines go then.

        `folders` has each container's name, empty where it is the only one, and where its logs are or will be.
        """
        client, instance = self.region.client("logs"), f"i-{secrets.token_hex(8)}0"
        new = []
        for container, folder in folders.items():
            name = "/".join(filter(None, (variant, instance, container)))
            stream = CloudWatchStream(client, get_log_group_name(endpoint), name)
            stream.create()
            new.append(_FollowedLog(stream, folder))
        with self._lock:
            self._followed += new
            if self._sender is None:
                self._sender = threading.Thread(target=self._send, name="endpoint-logs", daemon=True)
                self._sender.start()

        def end() -> None:
            with self._lock:
                self._followed = [one for one in self._followed if one not in new]
            for one in new:
                one.send(all_of_it=True)

        return end

    def _send(self) -> None:
        while not self._ended.wait(_LOOK_EVERY):
            with self._lock:
                followed = list(self._followed)
            for one in followed:
                one.send()

    def close(self) -> None:
        """No line is sent any more."""
        self._ended.set()
        with self._lock:  # one that is there has begun
            sender = self._sender
        if sender is not None:
            sender.join()
