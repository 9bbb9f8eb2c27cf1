"""The few S3 operations that a job needs, with errors that name the request's field."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: In the caller's own thread: a job's thread outlives the interpreter's pools when the sandbox shuts down.
_TRANSFER = TransferConfig(use_threads=False)


class S3:
    """An S3 client that speaks addresses and files."""

    def __init__(self, client: S3Client) -> None:
        self.client = client

    @property
    def region(self) -> str:
        """The client's AWS Region."""
        return self.client.meta.region_name

    def list_keys(self, prefix: S3Uri) -> Iterator[str]:
        """Keys that start with the prefix, without the empty objects that consoles make to show folders."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key)
        for page in pages:
            for entry in page.get("Contents", []):
                if not entry["Key"].endswith("/"):
                    yield entry["Key"]

    def download(self, source: S3Uri, target: Path) -> None:
        """Download one object to a file, making its folders."""
        target.parent.mkdir(parents=True, exist_ok=True)
        self.client.download_file(source.bucket, source.key, str(target), Config=_TRANSFER)

    def upload(self, content: IO[bytes], target: S3Uri, kms_key_id: str | None = None) -> None:
        """Upload from an open file; a reader of S3 sees the whole object or none. `kms_key_id` asks for SSE-KMS."""
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id} if kms_key_id else {}
        self.client.upload_fileobj(content, target.bucket, target.key, ExtraArgs=encryption, Config=_TRANSFER)

    def upload_folder(self, folder: Path, target: S3Uri, kms_key_id: str | None = None) -> None:
        """Upload every file under `folder` to its place below `target`; links are not followed, as in SageMaker."""
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as content:
                    self.upload(content, target / path.relative_to(folder).as_posix(), kms_key_id)


@contextmanager
def translate_s3_errors(action: str, address: object) -> Iterator[None]:
    """Turn an S3 error into a UserError in the words of SageMaker, e.g. `Data download failed:NoSuchKey (404): …`."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"].get("Code", "Unknown")
        message = error.response["Error"].get("Message", str(error))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = {"404": "NoSuchKey", "403": "AccessDenied"}.get(code, code)  # HeadObject has no body to name them
        raise UserError(f"{action} failed:{code} ({status}): {message}: {address}") from error


def resolve_inside(folder: Path, relative: str) -> Path:
    """The file that an S3 key's tail names below `folder`; raises UserError where it would leave the folder."""
    path = folder / relative
    if ".." in Path(relative).parts or Path(relative).is_absolute():
        raise UserError(f"S3 key {relative!r} would be written outside the job's folder; rename the object")
    return path
