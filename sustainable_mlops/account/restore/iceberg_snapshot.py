"""Current snapshot of an Iceberg table in S3, read with pyiceberg.

A `DELETE FROM` adds delete files, or replaces data files. The old files stay in S3 until their snapshot expires, so
only the metadata of the table names the rows that still exist.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pyiceberg.catalog.noop import NoopCatalog
from pyiceberg.io import FileIO, InputFile, OutputFile
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import FileScanTask
from pyiceberg.table import Table as IcebergTable

from sustainable_mlops.account.restore.offline_files import DataFile, make_damage_error
from sustainable_mlops.aws import Client
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError


class _S3InputFile(InputFile):
    """Object in S3, read as a whole."""

    def __init__(self, s3: Client, location: str) -> None:
        super().__init__(location)
        self._s3 = s3

    @cached_property
    def _content(self) -> bytes:
        address = S3Uri.parse(self.location)
        content: bytes = self._s3.get_object(Bucket=address.bucket, Key=address.key)["Body"].read()
        return content

    def __len__(self) -> int:
        return len(self._content)

    def exists(self) -> bool:
        return True

    def open(self, seekable: bool = True) -> io.BytesIO:
        """Return the content as a stream, which is always seekable."""
        del seekable
        return io.BytesIO(self._content)


class S3Reader(FileIO):
    """Read access of pyiceberg to S3 with a client of boto3."""

    def __init__(self, s3: Client) -> None:
        super().__init__()
        self.s3 = s3

    def new_input(self, location: str) -> InputFile:
        return _S3InputFile(self.s3, location)

    def new_output(self, location: str) -> OutputFile:
        raise io.UnsupportedOperation(f"{location}: this reader does not write")

    def delete(self, location: str | InputFile | OutputFile) -> None:
        raise io.UnsupportedOperation(f"{location}: this reader does not write")


def list_data_files(s3: Client, metadata: S3Uri) -> list[DataFile]:
    """Return the data files of the current snapshot. Raises UserError for a damaged table, also while rows are read."""
    reader, location = S3Reader(s3), str(metadata)
    with _translate_errors(location):
        document = FromInputFile.table_metadata(reader.new_input(location))
        table = IcebergTable(("restore", location), document, location, reader, NoopCatalog("restore"))
        tasks = list(table.scan().plan_files())
    columns = set(table.schema().column_names)
    return [DataFile(task.file.file_path, columns, _read_rows(table, task)) for task in tasks]


def _read_rows(table: IcebergTable, task: FileScanTask) -> Iterator[dict[str, Any]]:
    with _translate_errors(task.file.file_path):
        scan = table.scan()
        arrow = ArrowScan(table.metadata, table.io, scan.projection(), scan.row_filter)
        rows = [row for batch in arrow.to_record_batches([task]) for row in batch.to_pylist()]
    yield from rows


@contextmanager
def _translate_errors(address: str) -> Iterator[None]:
    """Raise UserError for an error that is none of AWS: damaged files cause errors of many types in pyiceberg."""
    try:
        yield
    except (BotoCoreError, ClientError, UserError):
        raise
    except Exception as error:
        raise make_damage_error(address, error) from None
