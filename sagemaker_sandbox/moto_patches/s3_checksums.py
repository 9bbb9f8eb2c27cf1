"""Checksums of S3 uploads: moto stores an object or a part whose checksum does not match.

Source: "Checking object integrity for data uploads in Amazon S3", user guide, and the error codes of the API reference.
"""

import base64
import binascii
import functools
import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any

from botocore import httpchecksum
from botocore.compat import HAS_CRT
from moto.s3.exceptions import S3ClientError
from moto.s3.responses import S3Response

from sagemaker_sandbox.connections.bodies import read_parts

#: Constructors by the ending of the header `x-amz-checksum-...`. Other checksums need the library `awscrt`.
_ALGORITHMS: dict[str, Callable[[], Any]] = {
    "crc32": httpchecksum.Crc32Checksum,
    "sha1": functools.partial(hashlib.sha1, usedforsecurity=False),
    "sha256": hashlib.sha256,
}
if HAS_CRT:
    _ALGORITHMS |= {"crc32c": httpchecksum.CrtCrc32cChecksum, "crc64nvme": httpchecksum.CrtCrc64NvmeChecksum}
#: Checksum at the end of a body in chunks.
_TRAILER = re.compile(rb"x-amz-checksum-(\w+):\s*([\w+/=]+)")
_TRAILER_BYTES = 300


def apply() -> None:
    """Check the body before moto stores it."""
    for name in ("put_object", "upload_part"):
        setattr(S3Response, name, _check_first(getattr(S3Response, name)))


def _check_first(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(function)
    def call(response: Any) -> Any:
        for error in _find_errors(response):
            raise error
        return function(response)

    return call


def _find_errors(response: Any) -> Iterator[S3ClientError]:
    """Yield the error of each checksum that the client sent and that does not match the body."""
    md5 = response.headers.get("Content-MD5")
    if md5 is not None:
        if _decode(md5, 16) is None:
            yield S3ClientError("InvalidDigest", "The Content-MD5 you specified was invalid.")
        elif _decode(md5, 16) != _compute(functools.partial(hashlib.md5, usedforsecurity=False), response.body):
            yield S3ClientError("BadDigest", "The Content-MD5 you specified did not match what we received.")
    for algorithm, value in _read_checksums(response).items():
        create = _ALGORITHMS[algorithm]
        if _decode(value, len(create().digest())) is None:
            yield S3ClientError("InvalidRequest", f"Value for x-amz-checksum-{algorithm} header is invalid.")
        elif _decode(value, len(create().digest())) != _compute(create, response.body):
            yield S3ClientError(
                "BadDigest", f"The {algorithm.upper()} you specified did not match the calculated checksum."
            )


def _read_checksums(response: Any) -> dict[str, str]:
    """Return the values that the client sent, by algorithm."""
    values: dict[str, str] = {}
    if "x-amz-trailer" in response.headers:
        trailer = _TRAILER.findall(bytes(response.raw_body[-_TRAILER_BYTES:]))
        values = {name.decode(): value.decode() for name, value in trailer}
    headers = {name: response.headers.get(f"x-amz-checksum-{name}", values.get(name)) for name in _ALGORITHMS}
    return {name: value for name, value in headers.items() if value is not None}


def _decode(value: str, size: int) -> bytes | None:
    """Return the bytes of a checksum, or None if it is not base64 of this size."""
    try:
        content = base64.b64decode(value, validate=True)
    except binascii.Error:
        return None
    return content if len(content) == size else None


def _compute(create: Callable[[], Any], body: bytes) -> bytes:
    checksum = create()
    for chunk in read_parts([body]):
        checksum.update(chunk)
    digest: bytes = checksum.digest()
    return digest
