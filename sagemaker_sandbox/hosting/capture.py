"""Data capture: what endpoints were asked and have answered, as lines of JSON in S3."""

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

from sagemaker_sandbox.hosting.invocation import Invocation, InvocationResponse
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields, ServicePart
from sustainable_mlops.aws.s3 import S3Uri

#: A file begins at the latest after so long. AWS publishes no figure; assumed.
_EVERY = timedelta(minutes=1)
#: Characters that wait at most.
_MOST = 5 * 2**20


@dataclass(frozen=True)
class CaptureRecord:
    """One request and its answer, and where they go."""

    folder: str
    bucket: str
    kms_key: str
    moment: datetime
    line: str

    @property
    def file_key(self) -> tuple[str, str, str]:
        """What the records of one file share."""
        return self.bucket, f"{self.folder}/{self.moment:%Y/%m/%d/%H}", self.kms_key


class Captures(ServicePart):
    """Those of all endpoints of a Region that are not in S3 yet."""

    def __init__(self, region: AccountRegion) -> None:
        super().__init__(region)
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._records: list[CaptureRecord] = []
        self._size = 0

    def capture(
        self, endpoint: str, variant: str, config: Fields | None, asked: Invocation, answer: InvocationResponse
    ) -> InvocationResponse:
        """Capture by a DataCaptureConfig, if it has it so; the answer, whose parts are captured as they are taken."""
        if not config or not config.get("EnableCapture"):
            return answer
        if random.random() * 100 >= config["InitialSamplingPercentage"]:  # noqa: S311 a sample
            return answer
        moment = self.region.clock.now().astimezone(UTC)

        def keep(body: bytes) -> None:
            self._add(_record(f"{endpoint}/{variant}", config, moment, asked, answer, body))

        if isinstance(answer.body, bytes):
            keep(answer.body)
            return answer
        return replace(answer, body=_heard(answer.body, keep))

    def _add(self, record: CaptureRecord) -> None:
        with self._lock:
            first = not self._records
            self._records.append(record)
            self._size += len(record.line)
            full = self._size > _MOST
        if first:
            self.region.clock.wake()
        if full:
            self.region.start_thread("data capture", self.flush)

    @property
    def has_pending(self) -> bool:
        """Whether anything is not in S3 yet."""
        return bool(self._records)

    def flush(self, bucket: str | None = None) -> None:
        """Have in S3 what waits, all or what goes into one bucket; also waits for another flush."""
        with self._flushing:
            with self._lock:
                leaving = [record for record in self._records if bucket in (None, record.bucket)]
                staying = [record for record in self._records if bucket not in (None, record.bucket)]
            files: dict[tuple[str, str, str], list[CaptureRecord]] = defaultdict(list)
            for record in leaving:
                files[record.file_key].append(record)
            for place, records in files.items():
                self._write(*place, records)
            with self._lock:
                # Only now: what is saved meanwhile holds them.
                self._records = staying + self._records[len(leaving) + len(staying) :]
                self._size = sum(len(record.line) for record in self._records)

    def _write(self, bucket: str, folder: str, kms_key: str, records: list[CaptureRecord]) -> None:
        moment = records[0].moment
        name = f"{moment:%M-%S}-{moment.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        body = "".join(f"{record.line}\n" for record in records).encode()
        try:
            self.region.client("s3").put_object(Bucket=bucket, Key=f"{folder}/{name}", Body=body, **encryption)
        except (ClientError, BotoCoreError) as error:  # no request fails for it, as on AWS
            print(f"data capture to s3://{bucket}/{folder}: {error}", file=sys.stderr, flush=True)

    def snapshot(self) -> Any:
        """What is not in S3 yet."""
        with self._lock:
            return [asdict(record) for record in self._records]

    def restore(self, kept: Any) -> None:
        """Have it wait again."""
        for record in kept:
            self._add(CaptureRecord(**record))

    def close(self) -> None:
        """All of it is in S3."""
        self.flush()


class CaptureSchedule:
    """An agenda of the clock: at each full minute, what was captured goes to S3."""

    def __init__(self, everywhere: Callable[[], Iterable[Captures]]) -> None:
        self._everywhere = everywhere

    def next(self, after: datetime) -> datetime | None:
        """The next full minute, if anything waits."""
        if not any(captures.has_pending for captures in self._everywhere()):
            return None
        return after.replace(second=0, microsecond=0) + _EVERY

    def do(self, moment: datetime) -> None:
        """Begin to write."""
        if moment.second or moment.microsecond:
            return
        for captures in self._everywhere():
            if captures.has_pending:
                captures.region.start_thread("data capture", captures.flush, blocks_clock=True)


def _heard(parts: Iterator[bytes], keep: Callable[[bytes], None]) -> Iterator[bytes]:
    """The parts of an answer, which is kept once they are all there."""
    found = []
    try:
        for part in parts:
            found.append(part)
            yield part
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
    keep(b"".join(found))


def _record(
    path: str, config: Fields, moment: datetime, asked: Invocation, answer: InvocationResponse, body: bytes
) -> CaptureRecord:
    destination = S3Uri.of_url(config["DestinationS3Uri"]) or S3Uri(config["DestinationS3Uri"], "")
    modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
    headers = config.get("CaptureContentTypeHeader", {})
    data: Fields = {}
    if modes & {"Input", "InputAndOutput"}:
        data["endpointInput"] = _side("INPUT", asked.body, asked.content_type, headers)
    if modes & {"Output", "InputAndOutput"}:
        data["endpointOutput"] = _side("OUTPUT", body, answer.content_type, headers)
    metadata: Fields = {"eventId": str(uuid.uuid4())}
    if asked.custom_attributes:
        metadata["customAttributes"] = [asked.custom_attributes]
    if asked.inference_id:
        metadata["inferenceId"] = asked.inference_id
    metadata["inferenceTime"] = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    line = json.dumps({"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}, separators=(",", ":"))
    folder = f"{destination.key.rstrip('/')}/{path}".lstrip("/")
    return CaptureRecord(folder, destination.bucket, config.get("KmsKeyId", ""), moment, line)


def _side(mode: str, body: bytes, content_type: str, headers: Fields) -> Fields:
    """What was said on one side, as text where its type is one that the configuration names."""
    kind = content_type.partition(";")[0].strip().lower()
    encoding = "BASE64"
    for named, known in (("CSV", "CsvContentTypes"), ("JSON", "JsonContentTypes")):
        if kind in [one.lower() for one in headers.get(known, ())]:
            encoding = named
    data = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode("utf-8", "replace")
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}
