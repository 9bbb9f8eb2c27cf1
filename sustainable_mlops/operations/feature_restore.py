"""Restore of the online store of a feature group from the Parquet files of an offline store.

The offline store has every write, with the columns `write_time` and `is_deleted`. The newest event of each record is
written again. PutRecord never replaces a newer event online, so a restore can run again, and while others write.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sustainable_mlops.aws import Client, translate_aws_errors
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.errors import UserError

#: Columns that Feature Store adds to the features.
_WRITE_TIME, _IS_DELETED = "write_time", "is_deleted"
_THREADS = 8


class RestoreClients(NamedTuple):
    """Clients of the Region of a feature group."""

    s3: Client
    sagemaker: Client
    records: Client


@dataclass(frozen=True)
class StoredRecords:
    """The newest event of each record in an offline store, and the counts of what was read."""

    group: str
    source: S3Uri
    #: Stores that receive the records, such as OnlineStore.
    targets: tuple[str, ...]
    records: list[list[dict[str, Any]]]
    file_count: int
    row_count: int
    #: Number of records whose newest event is a deletion. They stay deleted.
    deleted_count: int


def read_records(clients: RestoreClients, group: str, source: S3Uri | None) -> StoredRecords:
    """Return the records of an offline store, by default that of the group.

    Records of another offline store, such as that of a deleted group, go to both stores. Raises UserError for a group
    without an online store, and for a source without files or with other features.
    """
    with translate_aws_errors(f"feature group {group}"):
        fields = clients.sagemaker.describe_feature_group(FeatureGroupName=group)
    if not fields.get("OnlineStoreConfig", {}).get("EnableOnlineStore"):
        raise UserError(
            f"{group}: has no online store, so there is nothing to restore; the offline store has the records"
        )
    own = fields.get("OfflineStoreConfig", {}).get("S3StorageConfig", {}).get("ResolvedOutputS3Uri")
    address = source or (S3Uri.parse(own) if own else None)
    if address is None:
        raise UserError(f"{group}: has no offline store; pass --source with the files of another one")
    is_own = own is not None and str(address).rstrip("/") == own.rstrip("/")
    targets = ("OnlineStore",) if is_own or own is None else ("OnlineStore", "OfflineStore")
    identifier, event_time = fields["RecordIdentifierFeatureName"], fields["EventTimeFeatureName"]
    newest: dict[str, tuple[datetime, datetime, Mapping[str, Any]]] = {}
    file_count = row_count = 0
    with translate_aws_errors(str(address)):
        for key in _list_files(clients.s3, address):
            file_count += 1
            for row in _read_rows(clients.s3, address.bucket, key):
                row_count += 1
                if not {identifier, event_time, _WRITE_TIME, _IS_DELETED} <= row.keys():
                    raise UserError(f"s3://{address.bucket}/{key}: is not a file of an offline store of {group}")
                order = _parse_time(row[event_time]), _parse_time(row[_WRITE_TIME])
                name = str(row[identifier])
                if name not in newest or order >= newest[name][:2]:
                    newest[name] = (*order, row)
    if not file_count:
        raise UserError(f"{address}: has no Parquet file; Feature Store writes records within 15 minutes")
    features = {definition["FeatureName"] for definition in fields["FeatureDefinitions"]}
    live_rows = [row for *_, row in newest.values() if not row[_IS_DELETED]]
    records = [_build_record(row, features) for row in live_rows]
    return StoredRecords(group, address, targets, records, file_count, row_count, len(newest) - len(live_rows))


def write_records(
    clients: RestoreClients, stored: StoredRecords, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Write the records. `progress` receives the number of written records."""

    def write(record: list[dict[str, Any]]) -> None:
        clients.records.put_record(FeatureGroupName=stored.group, Record=record, TargetStores=list(stored.targets))

    with translate_aws_errors(f"feature group {stored.group}"), ThreadPoolExecutor(_THREADS) as pool:
        for number, _ in enumerate(pool.map(write, stored.records), 1):
            progress(number)


def _list_files(s3: Client, address: S3Uri) -> Iterator[str]:
    prefix = f"{address.key.rstrip('/')}/" if address.key else ""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=address.bucket, Prefix=prefix):
        yield from (item["Key"] for item in page.get("Contents", []) if item["Key"].endswith(".parquet"))


def _read_rows(s3: Client, bucket: str, key: str) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet

    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    with pyarrow.parquet.ParquetFile(io.BytesIO(content)) as file:
        for batch in file.iter_batches():
            yield from batch.to_pylist()


def _parse_time(value: Any) -> datetime:
    """Return the time of an event: a text in ISO 8601, or a number of seconds."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return datetime.fromisoformat(str(value)).astimezone(UTC)


def _build_record(row: Mapping[str, Any], features: set[str]) -> list[dict[str, Any]]:
    """Return the features of a row that have a value, in the form of PutRecord."""
    record: list[dict[str, Any]] = []
    for name, value in row.items():
        if name not in features or value is None:
            continue
        if isinstance(value, list):
            record.append({"FeatureName": name, "ValueAsStringList": [str(item) for item in value]})
        else:
            record.append({"FeatureName": name, "ValueAsString": str(value)})
    return record
