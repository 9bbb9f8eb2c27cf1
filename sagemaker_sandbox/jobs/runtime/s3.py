"""S3 operations of jobs, with errors that name the request field."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: Transfers in the thread of the caller: job threads outlive the thread pools when the sandbox shuts down.
_TRANSFER = TransferConfig(use_threads=False)


class S3:
    """An S3 client for addresses and files."""

    def __init__(self, client: S3Client) -> None:
        self.client = client

    @property
    def region(self) -> str:
        """AWS Region of the client."""
        return self.client.meta.region_name

    def list_keys(self, prefix: S3Uri) -> Iterator[str]:
        """Yield the keys with the prefix, without the folder markers of consoles."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key)
        for page in pages:
            for entry in page.get("Contents", []):
                if not entry["Key"].endswith("/"):
                    yield entry["Key"]

    def download(self, source: S3Uri, target: Path) -> None:
        """Download one object to a file and create the parent folders."""
        target.parent.mkdir(parents=True, exist_ok=True)
        self.client.download_file(source.bucket, source.key, str(target), Config=_TRANSFER)

    def upload(self, content: IO[bytes], target: S3Uri, kms_key_id: str | None = None) -> None:
        """Upload an open file. Readers of S3 see the whole object or none. `kms_key_id` selects SSE-KMS."""
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id} if kms_key_id else {}
        self.client.upload_fileobj(content, target.bucket, target.key, ExtraArgs=encryption, Config=_TRANSFER)

    def upload_folder(self, folder: Path, target: S3Uri, kms_key_id: str | None = None) -> None:
        """Upload every file under `folder` to `target`. Links are not followed, as in SageMaker."""
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as content:
                    self.upload(content, target / path.relative_to(folder).as_posix(), kms_key_id)


@contextmanager
def translate_s3_errors(action: str, address: object) -> Iterator[None]:
    """Convert an S3 error into a UserError like `Data download failed:NoSuchKey (404): …`."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"].get("Code", "Unknown")
        message = error.response["Error"].get("Message", str(error))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = {"404": "NoSuchKey", "403": "AccessDenied"}.get(code, code)  # HeadObject has no body to name them
        raise UserError(f"{action} failed:{code} ({status}): {message}: {address}") from error


def resolve_inside(folder: Path, relative: str) -> Path:
    """Return the file below `folder` for the tail of an S3 key. Raises UserError if it is outside."""
    path = folder / relative
    if ".." in Path(relative).parts or Path(relative).is_absolute():
        raise UserError(f"S3 key {relative!r} would be written outside the job's folder; rename the object")
    return path
