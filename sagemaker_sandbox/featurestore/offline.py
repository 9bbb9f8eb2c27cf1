"""The offline store: every write of a record, appended as Parquet under SageMaker's layout in S3.

The layout is that of Glue tables (`…/data/year=/month=/day=/hour=/<time>_<random>.parquet`, by event time), for every
table format: an Iceberg table's own metadata are not written.
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

#: AWS appends within fifteen minutes; here nobody wants to wait. In seconds.
FLUSH_SECONDS = 5.0
MOST_BUFFERED_ROWS = 50_000


@dataclass
class Row:
    """One write: the record in its types, its event time, and when it came."""

    values: Mapping[str, Any]
    event_time: datetime
    deleted: bool = False
    written: datetime = field(default_factory=lambda: datetime.now(UTC))


class OfflineStore:
    """Buffers one feature group's rows and appends them to S3.

    `fields` is the group's own description: features added to it later are known to the next flush, and an append that
    fails blocks the store in it, as on AWS. The rows are kept and tried again.
    """

    def __init__(self, s3: Any, fields: dict[str, Any]) -> None:
        self._s3 = s3
        self._fields = fields
        self._rows: list[Row] = []
        self._leaving: list[Row] = []
        self._buffer = threading.Lock()
        self._flushing = threading.Lock()

    def append(self, row: Row) -> None:
        """Take a row; it is in S3 after the next flush."""
        with self._buffer:
            self._rows.append(row)
            full = len(self._rows) >= MOST_BUFFERED_ROWS
        if full:
            self.flush()

    def waiting(self) -> list[dict[str, Any]]:
        """The rows that are not in S3 yet, as plain data."""
        with self._buffer:
            return [vars(row) for row in (*self._leaving, *self._rows)]

    def flush(self) -> None:
        """Write what is buffered; returns once it is in S3."""
        with self._flushing:
            with self._buffer:
                rows, self._rows = self._rows, []
                self._leaving = rows
            try:
                if rows:
                    self._write(rows, self._fields)
            except ClientError as error:
                with self._buffer:
                    self._rows, self._leaving = rows + self._rows, []
                self._fields["OfflineStoreStatus"] = {"Status": "Blocked", "BlockedReason": str(error)}
            else:
                with self._buffer:
                    self._leaving = []
                self._fields["OfflineStoreStatus"] = {"Status": "Active"}

    def _write(self, rows: list[Row], fields: Mapping[str, Any]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        storage = fields["OfflineStoreConfig"]["S3StorageConfig"]
        root = S3Uri.parse(storage["ResolvedOutputS3Uri"])
        encryption = {}
        if "KmsKeyId" in storage:
            encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": storage["KmsKeyId"]}
        schema = _arrow_schema(fields["FeatureDefinitions"])
        by_hour: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            by_hour[f"{row.event_time:year=%Y/month=%m/day=%d/hour=%H}"].append(row)
        for hour, of_hour in by_hour.items():
            table = pa.Table.from_pylist([_columns(row) for row in of_hour], schema=schema)
            body = io.BytesIO()
            pq.write_table(table, body, compression="snappy")
            name = f"{max(row.event_time for row in of_hour):%Y%m%dT%H%M%SZ}_{secrets.token_hex(8)}.parquet"
            address = root / hour / name
            self._s3.put_object(Bucket=address.bucket, Key=address.key, Body=body.getvalue(), **encryption)


def _columns(row: Row) -> dict[str, Any]:
    return {
        **row.values,
        "write_time": row.written,
        "api_invocation_time": row.written,
        "is_deleted": row.deleted,
    }


def _arrow_schema(definitions: list[Mapping[str, Any]]) -> "pa.Schema":
    import pyarrow as pa

    kinds = {"String": pa.string(), "Integral": pa.int64(), "Fractional": pa.float64()}
    features = [
        (
            one["FeatureName"],
            pa.list_(kinds[one["FeatureType"]]) if "CollectionType" in one else kinds[one["FeatureType"]],
        )
        for one in definitions
    ]
    times = pa.timestamp("ms", tz="UTC")
    return pa.schema([*features, ("write_time", times), ("api_invocation_time", times), ("is_deleted", pa.bool_())])
