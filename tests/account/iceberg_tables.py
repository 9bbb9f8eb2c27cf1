"""Iceberg table in S3, written as Athena and Feature Store write it: inserts, and both forms of `DELETE FROM`."""

import io
import uuid
from collections.abc import Mapping
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io import OutputFile
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.typedef import Record

from sustainable_mlops.account.restore.iceberg_snapshot import S3Reader
from sustainable_mlops.aws.s3 import S3Uri


class _S3Stream(io.BytesIO):
    """Stream that writes an object when it closes."""

    def __init__(self, s3: Any, address: S3Uri) -> None:
        super().__init__()
        self._s3, self._address = s3, address

    def close(self) -> None:
        if not self.closed:
            self._s3.put_object(Bucket=self._address.bucket, Key=self._address.key, Body=self.getvalue())
        super().close()


class _S3OutputFile(OutputFile):
    """New object in S3."""

    def __init__(self, reader: S3Reader, location: str) -> None:
        super().__init__(location)
        self._reader = reader

    def __len__(self) -> int:
        return len(self.to_input_file())

    def exists(self) -> bool:
        return False

    def to_input_file(self) -> Any:
        return self._reader.new_input(self.location)

    def create(self, overwrite: bool = False) -> Any:
        del overwrite
        return _S3Stream(self._reader.s3, S3Uri.parse(self.location))


class S3Writer(S3Reader):
    """Read and write access of pyiceberg to S3, with the settings of the process."""

    def __init__(self, properties: Mapping[str, str]) -> None:
        super().__init__(boto3.client("s3"))
        self.properties = dict(properties)

    def new_output(self, location: str) -> OutputFile:
        return _S3OutputFile(self, location)


class OfflineTable:
    """Iceberg table of an offline store, with its data in the folder `data` of the root."""

    def __init__(self, root: S3Uri, features: Mapping[str, pa.DataType]) -> None:
        name = f"{__name__}.{S3Writer.__name__}"
        catalog = SqlCatalog("test", uri="sqlite:///:memory:", **{"py-io-impl": name})
        catalog.create_namespace("test")
        times = pa.timestamp("us", tz="UTC")
        fields = [*features.items(), ("write_time", times), ("api_invocation_time", times), ("is_deleted", pa.bool_())]
        self._schema = pa.schema(fields)
        self._root = root
        self.table = catalog.create_table(("test", "flights"), self._schema, location=str(root))

    def insert(self, *rows: Mapping[str, Any]) -> None:
        """Append rows as one data file."""
        self.table.append(pa.Table.from_pylist([dict(row) for row in rows], schema=self._schema))

    def rewrite_without(self, condition: str) -> None:
        """Delete rows, and replace the data files that contain them. The old files stay in S3."""
        self.table.delete(condition)

    def add_position_deletes(self, file: str, *positions: int) -> None:
        """Delete rows of a data file by a delete file, as Athena does."""
        content = io.BytesIO()
        pq.write_table(pa.table({"file_path": [file] * len(positions), "pos": list(positions)}), content)
        address = self._root / f"data/{uuid.uuid4()}-delete.parquet"
        boto3.client("s3").put_object(Bucket=address.bucket, Key=address.key, Body=content.getvalue())
        delete_file = DataFile.from_args(
            content=DataFileContent.POSITION_DELETES,
            file_path=str(address),
            file_format=FileFormat.PARQUET,
            partition=Record(),
            record_count=len(positions),
            file_size_in_bytes=len(content.getvalue()),
        )
        delete_file.spec_id = self.table.spec().spec_id
        with self.table.transaction() as transaction, transaction.update_snapshot().fast_append() as snapshot:
            snapshot.append_data_file(delete_file)

    def list_data_files(self) -> list[str]:
        """Return the addresses of the data files of the current snapshot."""
        return [task.file.file_path for task in self.table.scan().plan_files()]

    def find_manifest_list(self) -> str:
        """Return the address of the list of manifests of the current snapshot."""
        snapshot = self.table.current_snapshot()
        assert snapshot is not None
        return snapshot.manifest_list
