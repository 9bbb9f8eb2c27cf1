"""Restore of the online store of a feature group from the Parquet files of an offline store.

The offline store has every write, with the columns `write_time` and `is_deleted`. The newest event of each record is
written again. PutRecord never replaces a newer event online, so a restore can run again, and while others write.
Only the current snapshot of an Iceberg table is read, so rows that a `DELETE FROM` removed stay deleted.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sustainable_mlops.account.restore.offline_files import DataFile, find_metadata, make_damage_error
from sustainable_mlops.aws import Client, translate_aws_errors
from sustainable_mlops.aws.s3 import SCHEME, S3Uri
from sustainable_mlops.base.errors import UserError

_WRITE_TIME, _IS_DELETED = "write_time", "is_deleted"
#: Columns that Feature Store adds to the features. The column of an Iceberg partition has the name of the event time.
_ADDED_COLUMNS = frozenset({_WRITE_TIME, _IS_DELETED, "api_invocation_time"})
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
    #: Features of the group that no file has, and columns of the files that are no features of the group, in order.
    missing_features: tuple[str, ...]
    unknown_columns: tuple[str, ...]
    #: True if the files belong to the group's own offline store.
    is_own: bool

    def check_columns(self, *, allow_missing: bool) -> None:
        """Raise UserError if files of another offline store have other columns than the features of the group.

        The own files of a group may lack a feature that was added after the last write. `allow_missing` accepts such
        features for other files.
        """
        if self.is_own:
            return
        if self.unknown_columns:
            raise UserError(
                f"{self.source}: has columns that are no features of {self.group}: {', '.join(self.unknown_columns)}; "
                "pass the files of the same group, or add the features to the group"
            )
        if self.missing_features and not allow_missing:
            raise UserError(
                f"{self.source}: lacks features of {self.group}: {', '.join(self.missing_features)}; pass the files of "
                "the same group, or --allow-missing if these features are new"
            )


def read_records(clients: RestoreClients, group: str, source: S3Uri | None) -> StoredRecords:
    """Return the records of an offline store, by default the store of the group.

    Records of another offline store, such as that of a deleted group, go to both stores. Raises UserError for a group
    without an online store, for a source without files, and for files that are damaged or of something else.
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
    needs_metadata = source is None and fields["OfflineStoreConfig"].get("TableFormat") == "Iceberg"
    columns: set[str] = set()
    newest: dict[str, tuple[datetime, datetime, Mapping[str, Any]]] = {}
    file_count = row_count = 0
    with translate_aws_errors(str(address)):
        for file, names, rows in _list_files(clients.s3, address, needs_metadata=needs_metadata):
            file_count += 1
            if not {identifier, event_time, _WRITE_TIME, _IS_DELETED} <= names:
                raise UserError(f"{file}: is not a file of an offline store of {group}; correct --source")
            columns |= names
            for row in rows:
                row_count += 1
                name = str(row[identifier])
                label = f"{file}: record {name}"
                order = _read_time(row, event_time, label), _read_time(row, _WRITE_TIME, label)
                if name not in newest or order >= newest[name][:2]:
                    newest[name] = (*order, row)
    if not file_count:
        raise UserError(f"{address}: has no Parquet file; Feature Store writes records within 15 minutes")
    features = {definition["FeatureName"] for definition in fields["FeatureDefinitions"]}
    live_rows = [row for *_, row in newest.values() if not row[_IS_DELETED]]
    records = [_build_record(row, features) for row in live_rows]
    return StoredRecords(
        group,
        address,
        targets,
        records,
        file_count,
        row_count,
        deleted_count=len(newest) - len(live_rows),
        missing_features=tuple(sorted(features - columns)),
        unknown_columns=tuple(sorted(columns - features - _ADDED_COLUMNS - {f"{event_time}_trunc"})),
        is_own=is_own,
    )


def write_records(
    clients: RestoreClients, stored: StoredRecords, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Write the records. `progress` receives the number of written records."""

    def write(record: list[dict[str, Any]]) -> None:
        clients.records.put_record(FeatureGroupName=stored.group, Record=record, TargetStores=list(stored.targets))

    with translate_aws_errors(f"feature group {stored.group}"), ThreadPoolExecutor(_THREADS) as pool:
        for number, _ in enumerate(pool.map(write, stored.records), 1):
            progress(number)


def _list_files(s3: Client, address: S3Uri, *, needs_metadata: bool) -> Iterator[DataFile]:
    """Yield the files of an offline store.

    Of an Iceberg table, only the files and rows of the current snapshot are read. `needs_metadata` refuses files
    without metadata, which may contain deleted rows.
    """
    metadata = find_metadata(s3, address)
    if metadata is not None:
        from sustainable_mlops.account.restore import iceberg_snapshot  # imports pyiceberg, which takes a second

        yield from iceberg_snapshot.list_data_files(s3, metadata)
        return
    prefix = f"{address.key.rstrip('/')}/" if address.key else ""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=address.bucket, Prefix=prefix):
        for key in (item["Key"] for item in page.get("Contents", []) if item["Key"].endswith(".parquet")):
            if needs_metadata:
                raise UserError(
                    f"{address}: the Iceberg table has no metadata, so its deleted rows are unknown; to restore the "
                    f"rows of all files, pass --source {address}"
                )
            file = f"{SCHEME}{address.bucket}/{key}"
            content = s3.get_object(Bucket=address.bucket, Key=key)["Body"].read()
            yield _read_file(file, content)


def _read_file(file: str, content: bytes) -> DataFile:
    """Return a Parquet file with its rows. Raises UserError for a damaged file."""
    import pyarrow.parquet

    try:
        parquet = pyarrow.parquet.ParquetFile(io.BytesIO(content))
        names = set(parquet.schema_arrow.names)
        rows = [row for batch in parquet.iter_batches() for row in batch.to_pylist()]
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise make_damage_error(file, error) from None
    if {"file_path", "pos"} <= names and _WRITE_TIME not in names:
        raise UserError(
            f"{file}: is a delete file of an Iceberg table without metadata, so its deleted rows are unknown; restore "
            "the folder metadata beside data from the versions of its objects"
        )
    return DataFile(file, names, rows)


def _read_time(row: Mapping[str, Any], column: str, label: str) -> datetime:
    """Return the time in a column of a row: a text in ISO 8601, or a number of seconds. Raises UserError."""
    value = row[column]
    try:
        return _parse_time(value)
    except (ValueError, OverflowError, OSError):
        raise UserError(
            f"{label}: {column} is {value!r}; it must be a time in ISO 8601, or in seconds since 1970"
        ) from None


def _parse_time(value: Any) -> datetime:
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
