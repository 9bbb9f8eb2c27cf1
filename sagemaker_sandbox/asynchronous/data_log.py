"""The platform's own log of asynchronous requests, in the endpoint's log group: what failed, by inference id.

Its stream is <variant>/<instance>/data-log, as the developer guide has it; lines are as they are seen on AWS.
"""

import secrets
import threading
import time
from datetime import datetime

from sagemaker_sandbox.asynchronous.request import AsyncRequest
from sagemaker_sandbox.hosting.logs import get_log_group_name
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.runtime.job_log import CloudWatchStream


class DataLog:
    """Of one Region. Each variant has one stream: which instance failed is not told."""

    def __init__(self, region: AccountRegion) -> None:
        self._region = region
        self._lock = threading.Lock()
        self._streams: dict[tuple[str, str], CloudWatchStream] = {}

    def drop(self, endpoint: str) -> None:
        """It is gone: another of its name has streams of its own."""
        with self._lock:
            self._streams = {of: stream for of, stream in self._streams.items() if of[0] != endpoint}

    def put(self, request: AsyncRequest, variant: str, moment: datetime, text: str) -> None:
        """One line. What CloudWatch Logs refuses is dropped."""
        with self._lock:
            stream = self._streams.get((request.endpoint, variant))
            if stream is None:
                name = f"{variant}/i-{secrets.token_hex(8)}0/data-log"
                stream = CloudWatchStream(self._region.client("logs"), get_log_group_name(request.endpoint), name)
                self._streams[request.endpoint, variant] = stream
        told = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}"
        stream.put([(time.time(), f"{told}:[sagemaker logs] [{request.inference_id}] {text}")])
