"""Output of job containers: written to a file, sent to CloudWatch Logs and searched for metrics."""

import re
import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sustainable_mlops.base.errors import UserError

# PutLogEvents takes up to 10,000 events and 1,048,576 bytes, an event counting 26 bytes more than its text.
_BATCH_EVENTS = 1_000
_EVENT_CHARACTERS = 1_000


class CloudWatchStream:
    """One log stream. `put` never fails a job, like the agent on a real instance."""

    def __init__(self, client: Any, group: str, name: str) -> None:
        self._client = client
        self._group = group
        self._name = name
        self._is_created = False

    def put(self, events: Sequence[tuple[float, str]]) -> None:
        """Send events (time in seconds, line) in batches. Events that CloudWatch Logs rejects are dropped."""
        try:
            if not self._is_created:
                self._create()
            for start in range(0, len(events), _BATCH_EVENTS):
                self._client.put_log_events(
                    logGroupName=self._group,
                    logStreamName=self._name,
                    logEvents=[
                        {"timestamp": int(when * 1000), "message": line[:_EVENT_CHARACTERS] or " "}
                        for when, line in events[start : start + _BATCH_EVENTS]
                    ],
                )
        except (ClientError, BotoCoreError):
            return

    def create(self) -> None:
        """Create the stream and, if missing, its group, before the first event."""
        with suppress(ClientError, BotoCoreError):
            self._create()

    def _create(self) -> None:
        for create, names in (
            (self._client.create_log_group, {"logGroupName": self._group}),
            (self._client.create_log_stream, {"logGroupName": self._group, "logStreamName": self._name}),
        ):
            try:
                create(**names)
            except self._client.exceptions.ResourceAlreadyExistsException:
                continue
        self._is_created = True


class CloudWatchMetrics:
    """Metrics of a job in CloudWatch, with these dimensions. `put` never fails a job."""

    def __init__(self, client: Any, namespace: str, dimensions: Mapping[str, str], unit: str = "None") -> None:
        self._client = client
        self._namespace = namespace
        self._dimensions = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        self._unit = unit

    def put(self, values: Sequence[tuple[float, str, float]]) -> None:
        """Send values (time in seconds, name, value) in batches. Values that CloudWatch rejects are dropped."""
        for start in range(0, len(values), _BATCH_EVENTS):
            with suppress(ClientError, BotoCoreError):
                self._client.put_metric_data(
                    Namespace=self._namespace,
                    MetricData=[
                        {
                            "MetricName": name,
                            "Dimensions": self._dimensions,
                            "Timestamp": when,
                            "Value": value,
                            "Unit": self._unit,
                            "StorageResolution": 1,  # a job lasts seconds: with a minute, all values would be one
                        }
                        for when, name, value in values[start : start + _BATCH_EVENTS]
                    ],
                )


class LogMetrics:
    """AlgorithmSpecification.MetricDefinitions: values that regular expressions match in the log."""

    def __init__(self, definitions: Sequence[Mapping[str, str]]) -> None:
        self.values: dict[str, float] = {}  #: latest value of each metric
        self.history: defaultdict[str, list[float]] = defaultdict(list)  #: all values of each metric, in order
        self.unsent: list[tuple[float, str, float]] = []  #: time, name and value of unsent values
        self.total_count = 0  #: number of values of all metrics
        self._patterns: list[tuple[str, re.Pattern[str]]] = []
        for definition in definitions:
            name = definition["Name"]
            try:
                pattern = re.compile(definition["Regex"])
            except re.error as error:
                raise UserError(f"MetricDefinitions: metric {name}: Regex is not valid: {error}") from error
            if pattern.groups < 1:
                raise UserError(f"MetricDefinitions: metric {name}: Regex needs a group (…) around the number")
            self._patterns.append((name, pattern))

    def scan(self, line: str) -> None:
        """Store the metrics in a line. Text that is not a number is ignored."""
        for name, pattern in self._patterns:
            match = pattern.search(line)
            if match is None:
                continue
            try:
                value = float(match.group(1))
            except (TypeError, ValueError):
                continue
            self.values[name] = value
            self.history[name].append(value)
            self.unsent.append((time.time(), name, value))
            self.total_count += 1


class JobLog:
    """Log of one job with all its instances. Threads can write concurrently."""

    def __init__(self, path: Path, metrics: LogMetrics, cloudwatch_metrics: CloudWatchMetrics | None = None) -> None:
        self.metrics = metrics
        self._cloudwatch_metrics = cloudwatch_metrics
        self._streams: dict[str, CloudWatchStream] = {}
        self._lock = threading.Lock()
        self._pending: dict[str, list[tuple[float, str]]] = {}
        self._errors: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=20))
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8", buffering=1)

    def open_streams(self, client: Any, group: str, names: Mapping[str, str]) -> None:
        """Send further lines of each host to its own log stream, named by `names`.

        Earlier streams receive no more lines.
        """
        self.flush()
        with self._lock:
            self._streams = {host: CloudWatchStream(client, group, name) for host, name in names.items()}

    def write(self, line: str, is_error: bool = False, *, host: str = "algo-1") -> None:
        """Add one line and search it for metrics, as SageMaker searches the log stream."""
        with self._lock:
            self._file.write(f"{line}\n")
            self.metrics.scan(line)
            if is_error and line.strip():
                self._errors[host].append(line)
            if host in self._streams:
                self._pending.setdefault(host, []).append((time.time(), line))

    def flush(self) -> None:
        """Send new lines to CloudWatch Logs and new metric values to CloudWatch."""
        with self._lock:
            pending, self._pending = self._pending, {}
            values, self.metrics.unsent = self.metrics.unsent, []
            streams = self._streams
        if self._cloudwatch_metrics is not None:
            self._cloudwatch_metrics.put(values)
        for host, events in pending.items():
            streams[host].put(events)

    def get_last_errors(self, characters: int, *, host: str = "algo-1") -> str:
        """Return the last whole lines of the stderr of a host, at most so many characters."""
        with self._lock:
            text = ""
            for line in reversed(self._errors[host]):
                if len(line) + len(text) + 1 > characters:
                    return text or line[:characters]
                text = f"{line}\n{text}" if text else line
            return text

    def close(self) -> None:
        """Flush and close the file."""
        self.flush()
        with self._lock:
            self._file.close()
