"""Evidence: the requests to AWS behind an answer, by their request IDs."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sustainable_mlops import aws

#: Most requests that the report lists for one check.
_MOST = 12
#: Request in an error of Terraform's provider.
_IN_ERRORS = re.compile(r"RequestID: ([0-9a-zA-Z-]{8,})")


@dataclass(frozen=True)
class Request:
    """A request to AWS, with the status of its response."""

    operation: str
    id: str
    status: int
    #: Thread that sent it. Modules are proved at the same time, each in a thread.
    thread: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.operation} {self.id}"

    def to_dict(self) -> dict[str, Any]:
        """Return the request as plain data."""
        return {"operation": self.operation, "id": self.id, "status": self.status}


class Recorder:
    """Factory of boto3 clients of one Region, which records the request ID of every response."""

    def __init__(self, region: str) -> None:
        self.region = region
        self._clients: dict[str, Any] = {}
        self._requests: list[Request] = []
        self._lock = threading.Lock()

    def get_client(self, service: str, region: str = "") -> Any:
        """Return a client whose responses and errors are recorded, of another Region if one is given."""
        with self._lock:
            key = f"{service} {region}"
            if key not in self._clients:
                self._clients[key] = self._connect(service, region or self.region)
            return self._clients[key]

    def create_client(self, service: str, **credentials: str) -> Any:
        """Return a new client with the credentials of a role, whose responses and errors are recorded."""
        with self._lock:
            return self._connect(service, self.region, **credentials)

    def _connect(self, service: str, region: str, **credentials: str) -> Any:
        """Return a new client. The caller holds the lock, because boto3's session is not safe for threads."""
        import boto3
        from botocore.config import Config

        config = Config(retries={"mode": "standard", "total_max_attempts": aws.read_attempts()}, read_timeout=120)
        client = boto3.client(service, region_name=region, config=config, **credentials)  # type: ignore[call-overload]
        client.meta.events.register("after-call", partial(self._record, service))
        return client

    def _record(self, service: str, model: Any, parsed: dict[str, Any], **_: Any) -> None:
        metadata = parsed.get("ResponseMetadata", {})
        request = Request(
            f"{service}:{model.name}",
            str(metadata.get("RequestId", "")),
            metadata.get("HTTPStatusCode", 0),
            threading.get_ident(),
        )
        with self._lock:
            self._requests.append(request)

    @contextmanager
    def collect(self) -> Iterator[list[Request]]:
        """Collect the requests of the block by this thread: the last of each operation, errors first."""
        thread = threading.get_ident()
        with self._lock:
            start = len(self._requests)
        chosen: list[Request] = []
        try:
            yield chosen
        finally:
            with self._lock:
                last = {
                    (one.operation, one.status >= 400): one
                    for one in self._requests[start:]
                    if one.id and one.thread == thread
                }
            chosen += sorted(last.values(), key=lambda one: (one.status < 400, one.operation))[:_MOST]


def parse_requests(text: str) -> list[Request]:
    """Return the requests that an error of Terraform names."""
    return [Request("terraform", request_id, 400) for request_id in dict.fromkeys(_IN_ERRORS.findall(text))]
