"""S3 objects in files: moto holds several copies of uploads, downloads and the parts of an object in memory.

`connections.bodies` puts a `FileBody` in place of the bytes. The object keeps the file of its upload, and everything
else reads from files.
"""

import functools
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore import httpchecksum
from botocore.compat import HAS_CRT
from moto.s3 import models
from moto.s3.models import FakeKey, FakeMultipart, MultipartChecksumBuilder, S3Backend
from moto.s3.responses import S3Response

from sagemaker_sandbox.connections.bodies import MIN_BYTES, FileBody, read_parts

#: moto's variable for the size above which an object is in a file instead of memory.
_BUFFER_VARIABLE = "MOTO_S3_DEFAULT_KEY_BUFFER_SIZE"
_thread = threading.local()


def apply() -> None:
    """Replace the content of objects, and the functions that read or join whole objects."""
    os.environ.setdefault(_BUFFER_VARIABLE, str(MIN_BYTES))
    content = FakeKey.value
    FakeKey.value = property(
        lambda key: _get_content(key, content.fget), lambda key, value: _set_content(key, value, content.fset)
    )
    S3Response._key_response_get = _use_files(S3Response._key_response_get)
    S3Backend.copy_object = _use_files(S3Backend.copy_object)
    FakeMultipart.complete = functools.partialmethod(_complete, FakeMultipart.complete)
    models.MultipartChecksumBuilder = _ChecksumBuilder


def read_content(key: Any) -> bytes:
    """Return the content of an object, as a FileBody if it is large."""
    with _enable_files():
        content: bytes = key.value
    return content


@contextmanager
def _enable_files() -> Iterator[None]:
    """Use a FileBody as the content of large objects in this thread."""
    previous = getattr(_thread, "has_files", False)
    _thread.has_files = True
    try:
        yield
    finally:
        _thread.has_files = previous


def _use_files(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        with _enable_files():
            return function(*arguments, **options)

    return call


def _get_content(key: Any, get: Callable[[Any], bytes]) -> bytes:
    if not getattr(_thread, "has_files", False) or key.contentsize < MIN_BYTES:
        return get(key)
    with key.lock:
        key._value_buffer.flush()
        descriptor = os.dup(key._value_buffer.fileno())  # a download goes on if the object is removed
    return FileBody.create(os.fdopen(descriptor, "rb", buffering=0), 0, key.contentsize)


def _set_content(key: Any, content: bytes, put: Callable[[Any, bytes], None]) -> None:
    if isinstance(content, FileBody):
        is_upload = content.file.writable()  # the file of another object is read-only here
        key._value_buffer = content.file if is_upload else _write(content.read_chunks()).file
        key.contentsize = len(content)
    else:
        put(key, content)


def _write(chunks: Iterable[bytes]) -> FileBody:
    """Write a new file."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 the object keeps it
    file.writelines(chunks)
    file.flush()
    return FileBody.create(file, 0, file.tell())


def _complete(multipart: Any, complete: Callable[..., Any], body: Any) -> Any:
    """Join the parts of an upload in a file. moto checks them, and would join them in memory."""
    part_list = list(body)
    parts = [multipart.parts[number] for number, _ in part_list if number in multipart.parts]
    if sum(part.contentsize for part in parts) < MIN_BYTES:
        return complete(multipart, iter(part_list))
    with _enable_files():
        _, etag, checksum = complete(multipart, iter(part_list))
        return _write(read_parts(part.value for part in parts)), etag, checksum


class _ChecksumBuilder(MultipartChecksumBuilder):  # type: ignore[misc]  # moto is untyped
    """Checksum of an object, computed from its parts. It keeps no part."""

    def __init__(self, algorithm: str | None, kind: str | None) -> None:
        super().__init__(algorithm, kind)
        self._full_object = _create_checksum(self.checksum_algorithm)

    def addPart(self, part: bytes) -> None:  # noqa: N802 named by moto
        """Add the next part."""
        if self.checksum_type != "FULL_OBJECT":
            super().addPart(part.to_bytes() if isinstance(part, FileBody) else part)
            return
        for chunk in read_parts([part]):
            self._full_object.update(chunk)

    def build(self) -> tuple[str, str, int] | None:
        """Return the type, the checksum and the number of parts that the checksum counts."""
        if self.checksum_type == "FULL_OBJECT":
            return self.checksum_type, self._full_object.b64digest(), 1
        checksum: tuple[str, str, int] | None = super().build()
        return checksum


def _create_checksum(algorithm: str) -> Any:
    """Return a checksum of bytes that follow each other: CRC32, as in moto, if the library of another is missing."""
    classes = {"CRC32C": httpchecksum.CrtCrc32cChecksum, "CRC64NVME": httpchecksum.CrtCrc64NvmeChecksum}
    return (classes.get(algorithm, httpchecksum.Crc32Checksum) if HAS_CRT else httpchecksum.Crc32Checksum)()
