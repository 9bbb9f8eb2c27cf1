"""Large S3 objects: their bodies stay in files, with the checksums, ranges and parts of S3."""

import base64
import hashlib
import io
import zlib
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.s3 import models
from moto.s3.models import FakeKey, FakeMultipart, S3Backend
from moto.s3.responses import S3Response
from werkzeug import Request

from sagemaker_sandbox import CREDENTIALS, Sandbox
from sagemaker_sandbox.connections import bodies
from sagemaker_sandbox.moto_patches import s3_object_files
from tests.cases import check_cases

MIB = 2**20
SIZE = 20 * MIB + 7
#: Memory that the server may use for a body of 500 MiB.
MEMORY_LIMIT = 100 * MIB


class Pattern(io.RawIOBase):
    """Readable stream of a repeated block, which needs no memory or disk."""

    _block = bytes(range(251)) * 4177

    def __init__(self, size: int) -> None:
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        return self._position

    def readinto(self, buffer: Any) -> int:
        start = self._position % len(self._block)
        content = self._block[start : start + min(len(buffer), self._size - self._position)]
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)


def read(response: Any) -> bytes:
    content: bytes = response["Body"].read()
    return content


CONTENT = Pattern(SIZE).read() or b""


@pytest.fixture(scope="module")
def s3_by_host_name(sandbox: Sandbox) -> Any:
    """Return a client with TLS, which sends bodies in chunks with a checksum at the end."""
    return boto3.client(
        "s3",
        region_name=sandbox.region,
        endpoint_url=f"https://s3.{sandbox.region}.amazonaws.com",
        verify=sandbox.ca_bundle,
        config=Config(proxies={"https": sandbox.endpoint}),
        aws_access_key_id=CREDENTIALS["aws_access_key_id"],
        aws_secret_access_key=CREDENTIALS["aws_secret_access_key"],
    )


@pytest.mark.slow
def test_an_object_is_read_as_it_was_written(s3: Any, s3_by_host_name: Any, bucket: str) -> None:
    checksum = base64.b64encode(zlib.crc32(CONTENT).to_bytes(4, "big")).decode()
    for key, client in (("plain", s3), ("tls", s3_by_host_name)):
        put = client.put_object(Bucket=bucket, Key=key, Body=Pattern(SIZE), Metadata={"a": "b"}, ContentType="text/x")
        assert put["ETag"] == f'"{hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()}"'
        response = client.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        assert read(response) == CONTENT
        assert (
            response["ContentLength"],
            response["ContentType"],
            response["Metadata"],
            response["ChecksumCRC32"],
        ) == (
            SIZE,
            "text/x",
            {"a": "b"},
            checksum,
        )
        for first, last in ((0, 0), (5 * MIB + 1, 9 * MIB), (SIZE - 3, SIZE + 10)):
            part = client.get_object(Bucket=bucket, Key=key, Range=f"bytes={first}-{last}")
            assert read(part) == CONTENT[first : last + 1]
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/tls")
    s3.delete_object(Bucket=bucket, Key="tls")
    assert read(s3.get_object(Bucket=bucket, Key="copy")) == CONTENT


def test_an_overwritten_object_is_still_sent_to_the_end(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="it", Body=CONTENT)
    body = s3.get_object(Bucket=bucket, Key="it")["Body"]
    begin = body.read(1000)
    s3.put_object(Bucket=bucket, Key="it", Body=b"other" * MIB)
    s3.delete_object(Bucket=bucket, Key="it")
    assert begin + body.read() == CONTENT


@pytest.mark.slow
@check_cases(
    ("members", "code", "message"),
    [
        ({"ChecksumCRC32": "AAAAAA=="}, "BadDigest", "The CRC32 you specified"),
        ({"ChecksumSHA256": base64.b64encode(bytes(32)).decode()}, "BadDigest", "The SHA256 you specified"),
        ({"ChecksumSHA256": "AAAA"}, "InvalidRequest", "x-amz-checksum-sha256 header is invalid"),
        ({"ContentMD5": base64.b64encode(bytes(16)).decode()}, "BadDigest", "The Content-MD5 you specified"),
        ({"ContentMD5": "AAAA"}, "InvalidDigest", "The Content-MD5 you specified was invalid"),
    ],
)
def test_an_upload_with_a_wrong_checksum_is_refused(
    s3: Any, bucket: str, members: dict[str, str], code: str, message: str
) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="wrong")["UploadId"]
    for body in (b"small", CONTENT):
        for store, place in ((s3.put_object, {}), (s3.upload_part, {"UploadId": upload, "PartNumber": 1})):
            with pytest.raises(ClientError, match=message) as error:
                store(Bucket=bucket, Key="wrong", Body=body, **place, **members)
            assert error.value.response["Error"]["Code"] == code
    assert s3.list_objects_v2(Bucket=bucket, Prefix="wrong")["KeyCount"] == 0


@pytest.mark.parametrize("content", [b"small", CONTENT], ids=["small", "large"])
def test_a_checksum_after_the_chunks_of_a_body_is_checked(sandbox: Sandbox, bucket: str, content: bytes) -> None:
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential=A/20260101/{sandbox.region}/s3/aws4_request, Signature=a",
        "Content-Encoding": "aws-chunked",
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": str(len(content)),
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    for crc32, status in ((zlib.crc32(content), 200), (0, 400)):
        checksum = base64.b64encode(crc32.to_bytes(4, "big"))
        body = b"%x\r\n%b\r\n0\r\nx-amz-checksum-crc32:%b\r\n\r\n" % (len(content), content, checksum)
        connection = HTTPConnection(str(urlsplit(sandbox.endpoint).netloc))
        connection.request("PUT", f"/{bucket}/trailer", body, headers)
        response = connection.getresponse()
        assert (response.status, b"BadDigest" in response.read()) == (status, status == 400)


PARTS = [CONTENT[start : start + 6 * MIB] for start in range(0, SIZE, 6 * MIB)]


def encode_crc32(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(4, "big")


@pytest.mark.slow
@check_cases(
    ("members", "checksum", "ending"),
    [
        (
            {"ChecksumAlgorithm": "SHA256"},
            hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in PARTS)).digest(),
            "-4",
        ),
        ({"ChecksumAlgorithm": "CRC32"}, encode_crc32(b"".join(map(encode_crc32, PARTS))), "-4"),
        ({"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}, encode_crc32(CONTENT), ""),
    ],
)
def test_the_parts_of_an_upload_become_one_object(
    s3: Any, bucket: str, members: dict[str, str], checksum: bytes, ending: str
) -> None:
    upload = {"Bucket": bucket, "Key": "it"}
    upload["UploadId"] = s3.create_multipart_upload(**upload, **members)["UploadId"]
    etags = [
        {"PartNumber": number, "ETag": s3.upload_part(**upload, PartNumber=number, Body=part)["ETag"]}
        for number, part in enumerate(PARTS, 1)
    ]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": etags})
    response = s3.get_object(Bucket=bucket, Key="it", ChecksumMode="ENABLED")
    assert read(response) == CONTENT
    md5s = b"".join(hashlib.md5(part, usedforsecurity=False).digest() for part in PARTS)
    assert response["ETag"] == f'"{hashlib.md5(md5s, usedforsecurity=False).hexdigest()}-4"'
    assert response["Checksum" + members["ChecksumAlgorithm"]] == base64.b64encode(checksum).decode() + ending


def test_a_body_without_a_length_is_stored(sandbox: Sandbox, s3: Any, bucket: str) -> None:
    url = urlsplit(sandbox.endpoint)

    def send(key: str, size: int) -> None:
        def pieces() -> Iterator[bytes]:
            source = Pattern(size)
            while piece := source.read(300_000):
                yield piece

        connection = HTTPConnection(url.hostname or "", url.port, timeout=60)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Transfer-Encoding": "chunked"}
        connection.request("PUT", f"/{bucket}/{key}", body=pieces(), headers=headers, encode_chunked=True)
        assert connection.getresponse().status == 200
        connection.close()

    send("large", SIZE)
    assert read(s3.get_object(Bucket=bucket, Key="large")) == CONTENT


def test_a_body_in_broken_chunks_is_refused(sandbox: Sandbox, s3: Any, bucket: str) -> None:
    url = urlsplit(sandbox.endpoint)
    for content in (b"no chunks" * 2**18, b"ffffff\r\n" + b"x" * MIB):
        connection = HTTPConnection(url.hostname or "", url.port, timeout=60)
        headers = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
        connection.request("PUT", f"/{bucket}/broken", body=content, headers=headers)
        response = connection.getresponse()
        assert (response.status, b"<Code>IncompleteBody</Code>" in response.read()) == (400, True)
        connection.close()
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_a_large_body_outside_s3_is_refused_before_it_is_sent(sandbox: Sandbox) -> None:
    url = urlsplit(sandbox.endpoint)
    connection = HTTPConnection(url.hostname or "", url.port, timeout=60)
    connection.putrequest("POST", "/endpoints/it/invocations")
    connection.putheader("Content-Length", str(500 * MIB))
    connection.endheaders()
    response = connection.getresponse()
    assert (response.status, b"only objects of S3 can have more than 134217728" in response.read()) == (413, True)
    connection.close()


def test_a_large_body_outside_s3_without_a_length_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_BYTES", 10)
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    for size in (0, 10):
        assert bodies.receive_body(Request(environ | {"wsgi.input": io.BytesIO(bytes(size))})) == bytes(size)
    with pytest.raises(bodies.BodyTooLargeError, match="only objects of S3 can have more than 10"):
        bodies.receive_body(Request(environ | {"wsgi.input": io.BytesIO(bytes(11))}))


def test_an_inner_read_of_an_object_does_not_end_the_outer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, name in (
        (FakeKey, "value"),
        (S3Response, "_key_response_get"),
        (S3Backend, "copy_object"),
        (FakeMultipart, "complete"),
        (models, "MultipartChecksumBuilder"),
    ):  # restored after the test
        monkeypatch.setattr(owner, name, getattr(owner, name))
    monkeypatch.setenv("MOTO_S3_DEFAULT_KEY_BUFFER_SIZE", str(MIB))
    s3_object_files.apply()
    key = FakeKey("large", CONTENT[:MIB], "123456789012", "eu-north-1")

    contents: list[bytes] = []

    class Outer:
        @property
        def value(self) -> bytes:
            contents.extend((s3_object_files.read_content(key), key.value))
            return b""

    s3_object_files.read_content(Outer())
    assert [type(content) for content in contents] == [bodies.FileBody] * 2


@pytest.mark.slow
def test_a_body_of_500_mib_needs_little_memory(sandbox: Sandbox, s3: Any, bucket: str) -> None:
    server, size, levels = psutil.Process(sandbox.pid), 500 * MIB, []

    class WatchedPattern(Pattern):
        def readinto(self, buffer: Any) -> int:
            if self._position % (50 * MIB) < len(buffer):
                levels.append(server.memory_info().rss)
            return super().readinto(buffer)

    s3.put_object(Bucket=bucket, Key="warm", Body=CONTENT)
    before = server.memory_info().rss
    pattern, checksum = Pattern(size), 0
    while part := pattern.read(MIB):
        checksum = zlib.crc32(part, checksum)
    encoded = base64.b64encode(checksum.to_bytes(4, "big")).decode()
    s3.put_object(Bucket=bucket, Key="it", Body=WatchedPattern(size), ChecksumCRC32=encoded)
    body = s3.get_object(Bucket=bucket, Key="it")["Body"]
    received = 0
    while chunk := body.read(50 * MIB):
        received += len(chunk)
        levels.append(server.memory_info().rss)
    s3.delete_object(Bucket=bucket, Key="it")
    assert received == size
    assert max(levels) - before < MEMORY_LIMIT
