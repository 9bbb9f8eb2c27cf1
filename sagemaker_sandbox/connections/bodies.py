"""Bodies of S3 objects in files: an upload goes to the disk while it arrives, and a download is read in chunks."""

import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, SupportsIndex

from werkzeug import Request

from sagemaker_sandbox.base import signature
from sagemaker_sandbox.base.errors import ApiError

#: Smallest body that is kept in a file, in bytes.
MIN_BYTES = 2**20
#: Largest body in memory, in bytes. Only uploads to S3 are larger.
MAX_BYTES = 128 * 2**20
_CHUNK_BYTES = 2**20
#: Longest line with the size and the signature of a chunk.
_MAX_SIZE_BYTES = 1000
#: Values of x-amz-content-sha256 for a body in chunks. Source: "Signature calculations for the authorization header:
#: transferring payload in multiple chunks", Amazon S3 API reference.
_CHUNKED = "STREAMING-"
_UNSIGNED = "UNSIGNED-PAYLOAD"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class BodyTooLargeError(ApiError):
    """A body that is too large for memory and is not an S3 object."""

    code = "RequestEntityTooLargeException"
    status = 413


class DiskFullError(ApiError):
    """An object that does not fit on the disk of this computer."""

    code = "InsufficientStorage"
    status = 507


class FileBody(bytes):
    """Part of a file that passes through moto in place of its bytes.

    It has the length and the slices of the bytes, but its own value is empty. `to_bytes` and `read_chunks` read the
    file.
    """

    file: Any
    offset: int
    size: int

    @classmethod
    def create(cls, file: Any, offset: int, size: int) -> "FileBody":
        """Return `size` bytes of a file from `offset`. The file must stay unchanged."""
        body = cls()
        body.file, body.offset, body.size = file, offset, size
        return body

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, key: SupportsIndex | slice) -> Any:
        if not isinstance(key, slice):
            return self.to_bytes()[key]
        start, stop, step = key.indices(self.size)
        if step != 1:
            return self.to_bytes()[key]
        return FileBody.create(self.file, self.offset + start, max(stop - start, 0))

    def __reduce__(self) -> Any:
        return bytes, (self.to_bytes(),)

    def read_chunks(self) -> Iterator[bytes]:
        """Yield the bytes in chunks."""
        position, end = self.offset, self.offset + self.size
        while position < end and (chunk := os.pread(self.file.fileno(), min(_CHUNK_BYTES, end - position), position)):
            position += len(chunk)
            yield chunk

    def to_bytes(self) -> bytes:
        """Return all bytes."""
        return b"".join(self.read_chunks())


class BodyStream(io.BytesIO):
    """WSGI input with a body that was read before. It returns a FileBody if it is read as a whole."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self._file_body = body if isinstance(body, FileBody) else None

    def read(self, size: int | None = -1) -> bytes:
        """Read at most `size` bytes; all by default."""
        if self._file_body is None:
            return super().read(size)
        if size is None or size < 0:
            return self._file_body
        part: bytes = self._file_body[:size].to_bytes()
        self._file_body = self._file_body[size:]
        return part


def read_file(path: Path) -> bytes:
    """Return the content of a file, as a FileBody if it is large."""
    size = path.stat().st_size
    return FileBody.create(path.open("rb", buffering=0), 0, size) if size >= MIN_BYTES else path.read_bytes()


def read_parts(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the parts of a response, with the content of files in chunks."""
    for part in parts:
        yield from part.read_chunks() if isinstance(part, FileBody) else (part,)


def is_large_upload(request: Request) -> bool:
    """Return whether a request uploads an S3 object that is large or has an unknown size."""
    headers = {name.lower() for name, _ in request.headers}
    size = MIN_BYTES if "transfer-encoding" in headers else request.content_length or 0
    is_upload = request.method == "PUT" and signature.parse_signature(request).service in ("", "s3")
    # If a client names a checksum but does not send it, moto computes it and needs the bytes.
    lacks_checksum = "x-amz-sdk-checksum-algorithm" in headers and not any(
        name == "x-amz-trailer" or name.startswith("x-amz-checksum-") for name in headers
    )
    return is_upload and size >= MIN_BYTES and not lacks_checksum


def receive_body(request: Request) -> bytes:
    """Return the body of a request that is not a large upload.

    Raise BodyTooLargeError if it is too large for memory, and the errors of the connection.
    """
    _check_size(request.content_length or 0)
    body = bytearray()
    while chunk := request.stream.read(_CHUNK_BYTES):
        body += chunk
        _check_size(len(body))
    return bytes(body)


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise BodyTooLargeError(
            f"sandbox: the body has {size} bytes or more; only objects of S3 can have more than {MAX_BYTES}"
        )


def receive_object(request: Request) -> dict[str, Any]:
    """Write the body of a request to a file, and return the WSGI environment that refers to it.

    A body in signed or unsigned chunks becomes the bytes that they contain. Raises the errors of the connection.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 the object keeps it
    environ = dict(request.environ)
    if request.headers.get("x-amz-content-sha256", "").startswith(_CHUNKED):
        for name, value in _receive_chunks(io.BufferedReader(_RawStream(request.stream)), file).items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        environ["HTTP_X_AMZ_CONTENT_SHA256"] = _UNSIGNED
    else:
        while chunk := request.stream.read(_CHUNK_BYTES):
            file.write(chunk)
    file.flush()
    content = FileBody.create(file, 0, file.tell())
    body = content if len(content) >= MIN_BYTES else content.to_bytes()
    if request.mimetype in _FORMS:  # the default of curl; moto would search the body for fields
        environ["CONTENT_TYPE"] = "binary/octet-stream"
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return environ | {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BodyStream(body), "wsgi.input_terminated": True}


class _RawStream(io.RawIOBase):
    """Raw stream of a request."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._stream.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)


def _receive_chunks(stream: io.BufferedReader, file: Any) -> dict[str, str]:
    """Write the content of the chunks to a file, and return the trailing headers. Raises EOFError if one is invalid."""
    while size := _read_size(stream):
        while size > 0:
            content = stream.read(min(size, _CHUNK_BYTES))
            if not content:
                raise EOFError
            file.write(content)
            size -= len(content)
        stream.readline()
    trailer = (line.decode("latin-1").strip().partition(":") for line in stream)
    return {name.strip(): value.strip() for name, _, value in trailer if value}


def _read_size(stream: io.BufferedReader) -> int:
    try:
        return int(stream.readline(_MAX_SIZE_BYTES).partition(b";")[0], 16)
    except ValueError:
        raise EOFError from None
