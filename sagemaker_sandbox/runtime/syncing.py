"""Keeps a folder of an instance and an address in S3 in step: checkpoints, and outputs uploaded continuously.

A file deleted here stays in S3, as in SageMaker. An incomplete file never reaches S3: names that say so (`.name`,
`name.tmp`, `name.partial`) are left alone, and so is a file that the container holds open for writing, or that changed
while it was read.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from sagemaker_sandbox.runtime.process import FileId
from sagemaker_sandbox.runtime.s3 import S3, resolve_inside, translate_s3_errors
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
    """Keeps `folder` in step with `address`; `what` names its contents in errors. One thread at a time may use it."""

    def __init__(self, s3: S3, address: S3Uri, folder: Path, content_name: str, kms_key_id: str | None = None) -> None:
        self.uploads = 0  #: files uploaded so far, a changed file counted again
        self._s3 = s3
        self._address = address
        self._folder = folder
        self._what = content_name
        self._kms_key_id = kms_key_id
        self._known: dict[Path, _Version] = {}

    def restore(self) -> int:
        """Download all files that are there; returns how many."""
        self._folder.mkdir(parents=True, exist_ok=True)
        prefix = S3Uri(self._address.bucket, f"{self._address.key.rstrip('/')}/".lstrip("/"))
        with translate_s3_errors(f"{self._what} download", prefix):
            for key in self._s3.list_keys(prefix):
                path = resolve_inside(self._folder, key[len(prefix.key) :])
                self._s3.download(S3Uri(prefix.bucket, key), path)
                self._known[path] = _Version.from_stat(path.stat())
        return len(self._known)

    def upload(self, being_written: Callable[[], Collection[FileId] | None]) -> None:
        """Upload new versions of files, but for those that `being_written()` names; none at all where it gives None."""
        changed = {path: version for path, version in self._files() if version != self._known.get(path)}
        if not changed:
            return
        unfinished = being_written()  # after the look at versions: a file opened since then changes its version
        if unfinished is None:
            return
        for path, version in changed.items():
            if version.file not in unfinished and self._upload_file(path, version):
                self._known[path] = version
                self.uploads += 1

    def _files(self) -> Iterator[tuple[Path, _Version]]:
        for path in sorted(self._folder.rglob("*")):
            parts = path.relative_to(self._folder).parts
            if any(part.startswith(".") or part.endswith(_UNFINISHED) for part in parts):
                continue
            try:
                if path.is_file():
                    yield path, _Version.from_stat(path.stat())
            except FileNotFoundError:  # the script deletes old files meanwhile
                continue

    def _upload_file(self, path: Path, version: _Version) -> bool:
        """Upload a snapshot of the file; False if it changed while it was read."""
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
            with translate_s3_errors(f"{self._what} upload", target):
                self._s3.upload(snapshot, target, self._kms_key_id)
        return True
