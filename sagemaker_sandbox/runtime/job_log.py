"""What a job's containers print: kept in a file, sent to CloudWatch Logs, and searched for metrics."""

import re
import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sustainable_mlops.errors import UserError

# PutLogEvents takes up to 10,000 events and 1,048,576 bytes, an event counting 26 bytes more than its text.
_BATCH_EVENTS = 1_000
_EVENT_CHARACTERS = 1_000


class CloudWatchStream:
    """One log stream; `put` never fails a job, as the agent on a real instance never does."""

    def __init__(self, client: Any, group: str, name: str) -> None:
        self._client = client
        self._group = group
        self._name = name
        self._created = False

    def put(self, events: Sequence[tuple[float, str]]) -> None:
        """Send (time in seconds, line) events in batches; what CloudWatch Logs refuses is dropped."""
        try:
            if not self._created:
                self._make()
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
        """Make the stream, and its group where it is missing, before anything is put."""
        with suppress(ClientError, BotoCoreError):
            self._make()

    def _make(self) -> None:
        for create, names in (
            (self._client.create_log_group, {"logGroupName": self._group}),
            (self._client.create_log_stream, {"logGroupName": self._group, "logStreamName": self._name}),
        ):
            try:
                create(**names)
            except self._client.exceptions.ResourceAlreadyExistsException:
                continue
        self._created = True


class CloudWatchMetrics:
    """A job's metrics in CloudWatch, under these dimensions. `put` never fails a job either."""

    def __init__(self, client: Any, namespace: str, dimensions: Mapping[str, str], unit: str = "None") -> None:
        self._client = client
        self._namespace = namespace
        self._dimensions = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        self._unit = unit

    def put(self, found: Sequence[tuple[float, str, float]]) -> None:
        """Send (time in seconds, name, value) in batches; what CloudWatch refuses is dropped."""
        for start in range(0, len(found), _BATCH_EVENTS):
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
                            "StorageResolution": 1,  # a job lasts seconds here: by the minute, all would be one value
                        }
                        for when, name, value in found[start : start + _BATCH_EVENTS]
                    ],
                )


class LogMetrics:
    """AlgorithmSpecification.MetricDefinitions: the values that regular expressions found in the log."""

    def __init__(self, definitions: Sequence[Mapping[str, str]]) -> None:
        self.values: dict[str, float] = {}  #: the last one of each metric
        self.history: defaultdict[str, list[float]] = defaultdict(list)  #: all of them, in order
        self.unsent: list[tuple[float, str, float]] = []  #: time, name and value of what nobody has taken yet
        self.total_count = 0  #: how many there are in all
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
        """Remember the metrics in a line; text that is not a number is no metric."""
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
    """The log of one job, over all its instances. Threads may write at the same time."""

    def __init__(self, path: Path, metrics: LogMetrics, published: CloudWatchMetrics | None = None) -> None:
        self.metrics = metrics
        self._published = published
        self._streams: dict[str, CloudWatchStream] = {}
        self._lock = threading.Lock()
        self._pending: dict[str, list[tuple[float, str]]] = {}
        self._errors: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=20))
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8", buffering=1)

    def open_streams(self, client: Any, group: str, names: Mapping[str, str]) -> None:
        """From now on each host's lines go to its own log stream, named by `names`; the last ones are left behind."""
        self.flush()
        with self._lock:
            self._streams = {host: CloudWatchStream(client, group, name) for host, name in names.items()}

    def write(self, line: str, is_error: bool = False, *, host: str = "algo-1") -> None:
        """Add one line. Metrics are looked for in all of them, as SageMaker searches the log stream."""
        with self._lock:
            self._file.write(f"{line}\n")
            self.metrics.scan(line)
            if is_error and line.strip():
                self._errors[host].append(line)
            if host in self._streams:
                self._pending.setdefault(host, []).append((time.time(), line))

    def flush(self) -> None:
        """Send what was written since the last time to CloudWatch Logs, and the metrics in it to CloudWatch."""
        with self._lock:
            pending, self._pending = self._pending, {}
            found, self.metrics.unsent = self.metrics.unsent, []
            streams = self._streams
        if self._published is not None:
            self._published.put(found)
        for host, events in pending.items():
            streams[host].put(events)

    def last_errors(self, characters: int, *, host: str = "algo-1") -> str:
        """The end of a host's stderr, whole lines, at most so many characters."""
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
