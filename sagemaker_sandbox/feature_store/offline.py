"""The offline store: every write of a record, appended as Parquet to SageMaker's layout in S3.

The layout is that of Glue tables (`…/data/year=/month=/day=/hour=/<time>_<random>.parquet`, by event time) for every
table format. The metadata of Iceberg tables is not written.
"""

import io
import secrets
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sustainable_mlops.aws.s3 import S3Uri

if TYPE_CHECKING:
    import pyarrow as pa

#: Interval of writes to S3, in seconds. AWS writes within fifteen minutes.
FLUSH_SECONDS = 5.0
MAX_BUFFERED_ROWS = 50_000


@dataclass
class OfflineRow:
    """One write: the record with its types, its event time, and the time of the write."""

    values: Mapping[str, Any]
    event_time: datetime
    is_deleted: bool = False
    write_time: datetime = field(default_factory=lambda: datetime.now(UTC))


class OfflineStore:
    """Buffer of one feature group's rows, which appends them to S3.

    `fields` is the description of the group, so the next flush includes features that were added later. As on AWS, a
    failed write changes the group's status to Blocked. The rows are kept for the next attempt.
    """

    def __init__(self, s3: Any, fields: dict[str, Any]) -> None:
        self._s3 = s3
        self._fields = fields
        self._rows: list[OfflineRow] = []
        self._flushing_rows: list[OfflineRow] = []
        self._buffer_lock = threading.Lock()
        self._flush_lock = threading.Lock()

    def append(self, row: OfflineRow) -> None:
        """Add a row to the buffer, and flush a full buffer."""
        with self._buffer_lock:
            self._rows.append(row)
            is_full = len(self._rows) >= MAX_BUFFERED_ROWS
        if is_full:
            self.flush()

    def list_unwritten_rows(self) -> list[dict[str, Any]]:
        """Return the rows that are not in S3 yet, as plain data."""
        with self._buffer_lock:
            return [vars(row) for row in (*self._flushing_rows, *self._rows)]

    def flush(self) -> None:
        """Write the buffered rows to S3. If S3 refuses, keep the rows and change the group's status to Blocked."""
        with self._flush_lock:
            with self._buffer_lock:
                rows, self._rows = self._rows, []
                self._flushing_rows = rows
            try:
                if rows:
                    self._write(rows, self._fields)
            except ClientError as error:
                with self._buffer_lock:
                    self._rows, self._flushing_rows = rows + self._rows, []
                self._fields["OfflineStoreStatus"] = {"Status": "Blocked", "BlockedReason": str(error)}
            else:
                with self._buffer_lock:
                    self._flushing_rows = []
                self._fields["OfflineStoreStatus"] = {"Status": "Active"}

    def _write(self, rows: list[OfflineRow], fields: Mapping[str, Any]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        storage = fields["OfflineStoreConfig"]["S3StorageConfig"]
        root = S3Uri.parse(storage["ResolvedOutputS3Uri"])
        encryption = {}
        if "KmsKeyId" in storage:
            encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": storage["KmsKeyId"]}
        schema = _build_arrow_schema(fields["FeatureDefinitions"])
        by_hour: dict[str, list[OfflineRow]] = defaultdict(list)
        for row in rows:
            by_hour[f"{row.event_time:year=%Y/month=%m/day=%d/hour=%H}"].append(row)
        for hour, hour_rows in by_hour.items():
            table = pa.Table.from_pylist([_build_columns(row) for row in hour_rows], schema=schema)
            body = io.BytesIO()
            pq.write_table(table, body, compression="snappy")
            name = f"{max(row.event_time for row in hour_rows):%Y%m%dT%H%M%SZ}_{secrets.token_hex(8)}.parquet"
            address = root / hour / name
            self._s3.put_object(Bucket=address.bucket, Key=address.key, Body=body.getvalue(), **encryption)


def _build_columns(row: OfflineRow) -> dict[str, Any]:
    return {
        **row.values,
        "write_time": row.write_time,
        "api_invocation_time": row.write_time,
        "is_deleted": row.is_deleted,
    }


def _build_arrow_schema(definitions: list[Mapping[str, Any]]) -> "pa.Schema":
    import pyarrow as pa

    kinds = {"String": pa.string(), "Integral": pa.int64(), "Fractional": pa.float64()}
    features = [
        (
            definition["FeatureName"],
            pa.list_(kinds[definition["FeatureType"]])
            if "CollectionType" in definition
            else kinds[definition["FeatureType"]],
        )
        for definition in definitions
    ]
    times = pa.timestamp("ms", tz="UTC")
    return pa.schema([*features, ("write_time", times), ("api_invocation_time", times), ("is_deleted", pa.bool_())])
