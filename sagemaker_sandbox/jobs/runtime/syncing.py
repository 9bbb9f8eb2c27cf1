"""Synchronization of a folder with an address in S3, for checkpoints and continuous outputs.

A file that is deleted locally stays in S3, as in SageMaker. Incomplete files are never uploaded: those with names for
incomplete files (`.name`, `name.tmp`, `name.partial`), those that the container holds open for writing, and those that
change while they are read.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from sagemaker_sandbox.jobs.runtime.process import FileId
from sagemaker_sandbox.jobs.runtime.s3 import S3, resolve_inside, translate_s3_errors
from sustainable_mlops.aws.s3 import S3Uri

_UNFINISHED = (".tmp", ".partial")
_IN_MEMORY = 64 * 2**20  # bytes; larger snapshots go through a temporary file


class _Version(NamedTuple):
    file: FileId
    size: int
    modified: int  # nanoseconds

    @classmethod
    def from_stat(cls, status: os.stat_result) -> "_Version":
        return cls((status.st_dev, status.st_ino), status.st_size, status.st_mtime_ns)


class FolderSync:
    """Synchronization of `folder` with `address`. Only one thread at a time uses it.

    `content_name` names the contents in errors.
    """

    def __init__(self, s3: S3, address: S3Uri, folder: Path, content_name: str, kms_key_id: str | None = None) -> None:
        self.uploads = 0  #: number of uploads; a changed file counts again
        self._s3 = s3
        self._address = address
        self._folder = folder
        self._content_name = content_name
        self._kms_key_id = kms_key_id
        self._uploaded_versions: dict[Path, _Version] = {}

    def restore(self) -> int:
        """Download all existing files and return their number."""
        self._folder.mkdir(parents=True, exist_ok=True)
        prefix = S3Uri(self._address.bucket, f"{self._address.key.rstrip('/')}/".lstrip("/"))
        with translate_s3_errors(f"{self._content_name} download", prefix):
            for key in self._s3.list_keys(prefix):
                path = resolve_inside(self._folder, key[len(prefix.key) :])
                self._s3.download(S3Uri(prefix.bucket, key), path)
                self._uploaded_versions[path] = _Version.from_stat(path.stat())
        return len(self._uploaded_versions)

    def upload(self, list_open_files: Callable[[], Collection[FileId] | None]) -> None:
        """Upload new versions of files, except those in `list_open_files()`; upload none if it is None."""
        changed = {
            path: version for path, version in self._list_files() if version != self._uploaded_versions.get(path)
        }
        if not changed:
            return
        open_files = list_open_files()  # after the versions were read: a file opened since then changes its version
        if open_files is None:
            return
        for path, version in changed.items():
            if version.file not in open_files and self._upload_file(path, version):
                self._uploaded_versions[path] = version
                self.uploads += 1

    def _list_files(self) -> Iterator[tuple[Path, _Version]]:
        for path in sorted(self._folder.rglob("*")):
            parts = path.relative_to(self._folder).parts
            if any(part.startswith(".") or part.endswith(_UNFINISHED) for part in parts):
                continue
            try:
                if path.is_file():
                    yield path, _Version.from_stat(path.stat())
            except FileNotFoundError:  # the script may delete old files concurrently
                continue

    def _upload_file(self, path: Path, version: _Version) -> bool:
        """Upload a snapshot of the file; return False if it changed while it was read."""
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as snapshot:
            try:
                with path.open("rb") as content:
                    shutil.copyfileobj(content, snapshot)
                if _Version.from_stat(path.stat()) != version:
                    return False
            except FileNotFoundError:
                return False
            snapshot.seek(0)
            target = self._address / path.relative_to(self._folder).as_posix()
            with translate_s3_errors(f"{self._content_name} upload", target):
                self._s3.upload(snapshot, target, self._kms_key_id)
        return True
