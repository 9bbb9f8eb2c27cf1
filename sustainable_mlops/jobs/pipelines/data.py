"""A data set by its content: the same files have the same address, and other files another."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from sustainable_mlops.aws import Client
from sustainable_mlops.errors import UserError

#: Characters of the digest in a key: enough to tell data sets apart.
_DIGITS = 16


@dataclass(frozen=True)
class DataFolder:
    """A folder on this machine, and where it belongs in the data bucket."""

    #: Prefix, with a slash at its end.
    key: str
    files: dict[str, Path]

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(path.stat().st_size for path in self.files.values())

    def find_missing_files(self, bucket: str, s3: Client) -> dict[str, Path]:
        """The files that are not below the prefix yet, by name."""
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=self.key)
        there = {
            item["Key"].removeprefix(self.key): item["Size"] for page in pages for item in page.get("Contents", [])
        }
        strange = sorted(there.keys() - self.files.keys() - {""})
        if strange:
            raise UserError(
                f"s3://{bucket}/{self.key}{strange[0]} is none of the data set's files, which alone belong there; "
                "delete it, and run the same command again"
            )
        return {name: path for name, path in self.files.items() if there.get(name) != path.stat().st_size}

    def upload(self, bucket: str, s3: Client) -> int:
        """Put what is missing; returns how many files that were. Raises UserError."""
        from boto3.exceptions import S3UploadFailedError

        missing = self.find_missing_files(bucket, s3)
        for name, path in missing.items():
            try:
                s3.upload_file(str(path), bucket, f"{self.key}{name}")
            except S3UploadFailedError as error:
                raise UserError(f"{error}; run the same command again, and only what is missing is uploaded") from None
            except OSError as error:
                raise UserError(f"--data: {path} cannot be read: {error.strerror}") from None
        return len(missing)


def read_data_folder(folder: Path, raw: str) -> DataFolder:
    """The data set in `folder`, to lie below the prefix `raw`. Raises UserError."""
    if not folder.is_dir():
        raise UserError(f"--data: there is no folder {folder}")
    files = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }
    if not files:
        raise UserError(f"--data: there is no file in {folder}")
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{content} {name}\n".encode())
    return DataFolder(f"{raw}{digest.hexdigest()[:_DIGITS]}/", files)
