"""Data sets of pipelines, addressed by their content: the same files have the same address."""

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sustainable_mlops.aws import Client
from sustainable_mlops.base.errors import UserError

#: Number of characters of the digest in a key; enough to distinguish data sets.
_DIGITS = 16
#: Key of a content-addressed data set; it contains the digest.
CONTENT_KEY = re.compile(rf".*/([0-9a-f]{{{_DIGITS}}})/")


@dataclass(frozen=True)
class DataFolder:
    """A local folder and its prefix in the data bucket."""

    #: Prefix, ending with a slash.
    key: str
    files: dict[str, Path]

    @property
    def size_bytes(self) -> int:
        """Size of all files."""
        return sum(path.stat().st_size for path in self.files.values())

    def find_missing_files(self, bucket: str, s3: Client) -> dict[str, Path]:
        """Return the files that are missing below the prefix, by name. Raises UserError for a foreign file."""
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=self.key)
        stored_sizes = {
            item["Key"].removeprefix(self.key): item["Size"] for page in pages for item in page.get("Contents", [])
        }
        foreign = sorted(stored_sizes.keys() - self.files.keys() - {""})
        if foreign:
            raise UserError(
                f"s3://{bucket}/{self.key}{foreign[0]} does not belong to the data set; delete it, and run the same "
                "command again"
            )
        return {name: path for name, path in self.files.items() if stored_sizes.get(name) != path.stat().st_size}

    def upload(self, bucket: str, s3: Client) -> int:
        """Upload the missing files and return their number. Raises UserError."""
        from boto3.exceptions import S3UploadFailedError

        missing = self.find_missing_files(bucket, s3)
        for name, path in missing.items():
            try:
                s3.upload_file(str(path), bucket, f"{self.key}{name}")
            except S3UploadFailedError as error:
                raise UserError(f"{error}; run the same command again to upload the missing files") from None
            except OSError as error:
                raise UserError(f"--data: {path} cannot be read: {error.strerror}; correct its permissions") from None
        return len(missing)


def read_data_folder(folder: Path, raw: str) -> DataFolder:
    """Return the data set in `folder`, with its prefix below the prefix `raw`. Raises UserError."""
    if not folder.is_dir():
        raise UserError(f"--data: the folder {folder} does not exist; correct the path")
    try:
        files = {path.relative_to(folder).as_posix(): path for path in sorted(_list_files(folder))}
        digest = _compute_digest(files)
    except OSError as error:
        raise UserError(
            f"--data: {error.filename or folder} cannot be read: {error.strerror}; correct its permissions, or move it"
        ) from None
    if not files:
        raise UserError(f"--data: the folder {folder} has no files; pass the folder of the data set")
    return DataFolder(f"{raw}{digest[:_DIGITS]}/", files)


def _list_files(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder, also in its folders, without hidden ones. Raises OSError for an unreadable one."""

    def refuse(error: OSError) -> None:
        raise error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (path for name in names if not name.startswith(".") and _is_regular_file(path := Path(parent, name)))


def _is_regular_file(path: Path) -> bool:
    """Return whether the path is a file; False for a broken link. Raises OSError, which `Path.is_file` can hide."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False


def _compute_digest(files: Mapping[str, Path]) -> str:
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{content} {name}\n".encode())
    return digest.hexdigest()
