"""The checkpoint agent of an instance: CheckpointConfig.S3Uri and the local folder, kept in step.

Restores the folder before the script starts, then uploads what the script completes. A file deleted here stays in S3,
as in SageMaker. An incomplete file never reaches S3: names that say so (`.name`, `name.tmp`, `name.partial`) are left
alone, and so is a file that the script holds open for writing, or that changed while it was read.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.sandbox.runtime.s3 import S3, failure, inside

_UNFINISHED = (".tmp", ".partial")
_IN_MEMORY = 64 * 2**20  # bytes; larger snapshots go through a temporary file


class _Version(NamedTuple):
    inode: int
    size: int
    modified: int  # nanoseconds

    @classmethod
    def of(cls, status: os.stat_result) -> "_Version":
        return cls(status.st_ino, status.st_size, status.st_mtime_ns)


class CheckpointSync:
    """Keeps `folder` in step with `address`. One thread at a time may use it."""

    def __init__(self, s3: S3, address: S3Uri, folder: Path) -> None:
        self.uploads = 0  #: files uploaded so far, a changed file counted again
        self._s3 = s3
        self._address = address
        self._folder = folder
        self._known: dict[Path, _Version] = {}

    def restore(self) -> int:
        """Download all checkpoints; returns how many files there were."""
        self._folder.mkdir(parents=True, exist_ok=True)
        prefix = S3Uri(self._address.bucket, f"{self._address.key.rstrip('/')}/".lstrip("/"))
        with failure("Checkpoint download", prefix):
            for key in self._s3.keys(prefix):
                path = inside(self._folder, key[len(prefix.key) :])
                self._s3.download(S3Uri(prefix.bucket, key), path)
                self._known[path] = _Version.of(path.stat())
        return len(self._known)

    def upload(self, being_written: Callable[[], Collection[Path] | None]) -> None:
        """Upload new versions of files, but for those that `being_written()` names; none at all where it gives None."""
        changed = {path: version for path, version in self._files() if version != self._known.get(path)}
        if not changed:
            return
        unfinished = being_written()  # after the look at versions: a file opened since then changes its version
        if unfinished is None:
            return
        for path, version in changed.items():
            if path not in unfinished and self._upload_file(path, version):
                self._known[path] = version
                self.uploads += 1

    def _files(self) -> Iterator[tuple[Path, _Version]]:
        for path in sorted(self._folder.rglob("*")):
            parts = path.relative_to(self._folder).parts
            if any(part.startswith(".") or part.endswith(_UNFINISHED) for part in parts):
                continue
            try:
                if path.is_file():
                    yield path, _Version.of(path.stat())
            except FileNotFoundError:  # the script deletes old checkpoints meanwhile
                continue

    def _upload_file(self, path: Path, version: _Version) -> bool:
        """Upload a snapshot of the file; False if it changed while it was read."""
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as snapshot:
            try:
                with path.open("rb") as content:
                    shutil.copyfileobj(content, snapshot)
                if _Version.of(path.stat()) != version:
                    return False
            except FileNotFoundError:
                return False
            snapshot.seek(0)
            target = self._address / path.relative_to(self._folder).as_posix()
            with failure("Checkpoint upload", target):
                self._s3.upload(snapshot, target)
        return True
