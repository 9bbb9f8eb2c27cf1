"""Data capture: the requests and responses of endpoints, stored as JSON lines in S3."""

import base64
import json
import random
import sys
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_sandbox.endpoints.hosting.invocation import Invocation, InvocationResponse
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, ServicePart
from sustainable_mlops.aws.s3 import S3Uri

#: Longest time between two files. AWS publishes no figure; assumed.
_FLUSH_INTERVAL = timedelta(minutes=1)
#: Largest number of characters in memory before a flush.
_MAX_PENDING_CHARACTERS = 5 * 2**20


@dataclass(frozen=True)
class CaptureRecord:
    """One request with its response, and the destination in S3."""

    folder: str
    bucket: str
    kms_key: str
    moment: datetime
    line: str

    @property
    def file_key(self) -> tuple[str, str, str]:
        """Bucket, folder and KMS key that all records of one file share."""
        return self.bucket, f"{self.folder}/{self.moment:%Y/%m/%d/%H}", self.kms_key


class CaptureBuffer(ServicePart):
    """The captured records of all endpoints of a Region that are not in S3 yet."""

    def __init__(self, region: AccountRegion) -> None:
        super().__init__(region)
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._records: list[CaptureRecord] = []
        self._size = 0

    def capture(
        self, endpoint: str, variant: str, config: Fields | None, invocation: Invocation, response: InvocationResponse
    ) -> InvocationResponse:
        """Capture a request and its response, if the DataCaptureConfig enables it.

        Return the response. A streaming response is captured when the caller has read its last part.
        """
        if not config or not config.get("EnableCapture"):
            return response
        if random.random() * 100 >= config["InitialSamplingPercentage"]:  # noqa: S311 a sample
            return response
        moment = self.region.clock.now().astimezone(UTC)

        def add_record(body: bytes) -> None:
            self._add(_build_record(f"{endpoint}/{variant}", config, moment, invocation, response, body))

        if isinstance(response.body, bytes):
            add_record(response.body)
            return response
        return replace(response, body=_capture_stream(response.body, add_record))

    def _add(self, record: CaptureRecord) -> None:
        with self._lock:
            is_first = not self._records
            self._records.append(record)
            self._size += len(record.line)
            is_full = self._size > _MAX_PENDING_CHARACTERS
        if is_first:
            self.region.clock.wake()
        if is_full:
            self.region.start_thread("data capture", self.flush)

    @property
    def has_pending(self) -> bool:
        """True if any record is not in S3 yet."""
        return bool(self._records)

    def flush(self, bucket: str | None = None) -> None:
        """Write pending records to S3: all of them, or those of one bucket.

        A call waits until another flush has ended.
        """
        with self._flushing:
            with self._lock:
                flushed = [record for record in self._records if bucket in (None, record.bucket)]
                remaining = [record for record in self._records if bucket not in (None, record.bucket)]
            files: dict[tuple[str, str, str], list[CaptureRecord]] = defaultdict(list)
            for record in flushed:
                files[record.file_key].append(record)
            for file_key, records in files.items():
                self._write(*file_key, records)
            with self._lock:
                # Drop them only after the write: a snapshot taken meanwhile still contains them.
                self._records = remaining + self._records[len(flushed) + len(remaining) :]
                self._size = sum(len(record.line) for record in self._records)

    def _write(self, bucket: str, folder: str, kms_key: str, records: list[CaptureRecord]) -> None:
        moment = records[0].moment
        name = f"{moment:%M-%S}-{moment.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        body = "".join(f"{record.line}\n" for record in records).encode()
        try:
            self.region.client("s3").put_object(Bucket=bucket, Key=f"{folder}/{name}", Body=body, **encryption)
        except (ClientError, BotoCoreError) as error:  # a failed capture never fails the request, as on AWS
            print(f"data capture to s3://{bucket}/{folder}: {error}", file=sys.stderr, flush=True)

    def snapshot(self) -> Any:
        """Return the records that are not in S3 yet."""
        with self._lock:
            return [asdict(record) for record in self._records]

    def restore(self, snapshot: Any) -> None:
        """Restore pending records from a snapshot."""
        for record in snapshot:
            self._add(CaptureRecord(**record))

    def close(self) -> None:
        """Flush all records."""
        self.flush()


class CaptureSchedule:
    """Scheduled task that writes captured records to S3 at each full minute."""

    def __init__(self, list_captures: Callable[[], Iterable[CaptureBuffer]]) -> None:
        self._list_captures = list_captures

    def next(self, after: datetime) -> datetime | None:
        """Return the next full minute if a record is pending."""
        if not any(captures.has_pending for captures in self._list_captures()):
            return None
        return after.replace(second=0, microsecond=0) + _FLUSH_INTERVAL

    def run_due(self, moment: datetime) -> None:
        """Start a flush in each Region with pending records."""
        if moment.second or moment.microsecond:
            return
        for captures in self._list_captures():
            if captures.has_pending:
                captures.region.start_thread("data capture", captures.flush, blocks_clock=True)


def _capture_stream(parts: Iterator[bytes], capture: Callable[[bytes], None]) -> Iterator[bytes]:
    """Yield the parts of a streaming response; capture it once all parts have arrived."""
    chunks = []
    try:
        for part in parts:
            chunks.append(part)
            yield part
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
    capture(b"".join(chunks))


def _build_record(
    path: str, config: Fields, moment: datetime, invocation: Invocation, response: InvocationResponse, body: bytes
) -> CaptureRecord:
    destination = S3Uri.parse_url(config["DestinationS3Uri"]) or S3Uri(config["DestinationS3Uri"], "")
    modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
    headers = config.get("CaptureContentTypeHeader", {})
    data: Fields = {}
    if modes & {"Input", "InputAndOutput"}:
        data["endpointInput"] = _build_side("INPUT", invocation.body, invocation.content_type, headers)
    if modes & {"Output", "InputAndOutput"}:
        data["endpointOutput"] = _build_side("OUTPUT", body, response.content_type, headers)
    metadata: Fields = {"eventId": str(uuid.uuid4())}
    if invocation.custom_attributes:
        metadata["customAttributes"] = [invocation.custom_attributes]
    if invocation.inference_id:
        metadata["inferenceId"] = invocation.inference_id
    metadata["inferenceTime"] = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    line = json.dumps({"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}, separators=(",", ":"))
    folder = f"{destination.key.rstrip('/')}/{path}".lstrip("/")
    return CaptureRecord(folder, destination.bucket, config.get("KmsKeyId", ""), moment, line)


def _build_side(mode: str, body: bytes, content_type: str, headers: Fields) -> Fields:
    """Return one side of a record: as text for the configured content types, else as Base64."""
    media_type = content_type.partition(";")[0].strip().lower()
    encoding = "BASE64"
    for text_encoding, header_member in (("CSV", "CsvContentTypes"), ("JSON", "JsonContentTypes")):
        if media_type in [content_type_option.lower() for content_type_option in headers.get(header_member, ())]:
            encoding = text_encoding
    data = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode("utf-8", "replace")
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}
