"""Platform log of failed asynchronous requests, by inference ID, in the log group of the endpoint.

The stream is <variant>/<instance>/data-log, as in the developer guide. The format of the lines is that observed on AWS.
"""

import secrets
import threading
import time
from datetime import datetime

from sagemaker_sandbox.endpoints.asynchronous.request import AsyncRequest
from sagemaker_sandbox.endpoints.hosting.logs import get_log_group_name
from sagemaker_sandbox.jobs.runtime.job_log import CloudWatchStream
from sagemaker_sandbox.resources.region import AccountRegion


class DataLog:
    """Platform logs of one Region. Each variant has one stream, because the failed instance is not recorded."""

    def __init__(self, region: AccountRegion) -> None:
        self._region = region
        self._lock = threading.Lock()
        self._streams: dict[tuple[str, str], CloudWatchStream] = {}

    def drop(self, endpoint: str) -> None:
        """Forget the streams of a deleted endpoint. A later endpoint of that name has other streams."""
        with self._lock:
            self._streams = {key: stream for key, stream in self._streams.items() if key[0] != endpoint}

    def put(self, request: AsyncRequest, variant: str, moment: datetime, text: str) -> None:
        """Write one line. Lines that CloudWatch Logs rejects are dropped."""
        with self._lock:
            stream = self._streams.get((request.endpoint, variant))
            if stream is None:
                name = f"{variant}/i-{secrets.token_hex(8)}0/data-log"
                stream = CloudWatchStream(self._region.client("logs"), get_log_group_name(request.endpoint), name)
                self._streams[request.endpoint, variant] = stream
        timestamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}"
        stream.put([(time.time(), f"{timestamp}:[sagemaker logs] [{request.inference_id}] {text}")])
