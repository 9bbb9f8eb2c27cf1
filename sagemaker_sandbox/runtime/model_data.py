"""Where the data of a container's model are in S3, and how they come into the container's folder."""

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sagemaker_sandbox.runtime import archives
from sagemaker_sandbox.runtime.container import ML_ROOT
from sagemaker_sandbox.runtime.s3 import resolve_inside
from sustainable_mlops.aws.s3 import S3Uri, is_s3
from sustainable_mlops.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK = 2**20


class MissingDataError(UserError):
    """S3 has not what is named, or does not give it."""


class BrokenDataError(UserError):
    """What S3 has cannot be unpacked."""


class DownloadTimeoutError(UserError):
    """It takes longer than it may."""


@dataclass(frozen=True)
class ModelDataSource:
    """Data in S3: a tar.gz archive, one object as it is, or all under a prefix; and where the container sees them."""

    url: str
    target: str = f"{ML_ROOT}/model"
    archive: bool = True
    prefix: bool = False

    @property
    def address(self) -> S3Uri:
        """Where in S3. Raises MissingDataError for what is no address in S3."""
        found = S3Uri.of_url(self.url)
        if found is None:
            raise MissingDataError(f"{self.url} is not an address in S3")
        return found


#: Names the archive of scripts that are not packed with the model, as the SDK has it, and where they are unpacked.
_SCRIPTS, _CODE = "SAGEMAKER_SUBMIT_DIRECTORY", f"{ML_ROOT}/code"


def list_sources(container: Mapping[str, Any]) -> list[ModelDataSource]:
    """What a container needs before it starts: its model's data unless it serves several, and the additional ones."""
    found = [
        _described(one["S3DataSource"], f"{ML_ROOT}/additional-model-data-sources/{one['ChannelName']}")
        for one in container.get("AdditionalModelDataSources", ())
    ]
    scripts = container.get("Environment", {}).get(_SCRIPTS, "")
    if is_s3(scripts):
        found.append(ModelDataSource(scripts, _CODE))
    if container.get("Mode") == "MultiModel":
        return found
    if "S3DataSource" in container.get("ModelDataSource", {}):
        found.insert(0, _described(container["ModelDataSource"]["S3DataSource"], f"{ML_ROOT}/model"))
    elif container.get("ModelDataUrl"):
        found.insert(0, ModelDataSource(container["ModelDataUrl"]))
    return found


def build_model_environment(container: Mapping[str, Any]) -> dict[str, str]:
    """A container's variables, once its scripts are here."""
    given: dict[str, str] = dict(container.get("Environment", {}))
    return given | {_SCRIPTS: _CODE} if is_s3(given.get(_SCRIPTS, "")) else given


def _described(source: Mapping[str, Any], target: str) -> ModelDataSource:
    return ModelDataSource(
        source["S3Uri"],
        target,
        archive=source["CompressionType"] == "Gzip",
        prefix=source["S3DataType"] == "S3Prefix",
    )


@dataclass(frozen=True)
class _Object:
    """One object in S3, and its file's name."""

    key: str
    etag: str
    name: str


class ModelDataCache:
    """What was fetched for the containers of one fleet: each version of a source once. They share the files."""

    def __init__(self, s3: "S3Client", folder: Path) -> None:
        self._s3 = s3
        self._folder = folder
        self._lock = threading.Lock()
        self._fetching: dict[Path, threading.Lock] = {}

    def copy_to(self, source: ModelDataSource, folder: Path, seconds: float) -> None:
        """Have the files in `folder`, which is new. Raises MissingDataError, BrokenDataError, LateDataError.

        Nobody waits for it but who wants the same.
        """
        until = time.monotonic() + seconds
        objects = self._objects(source)
        told = [source.url, str(source.archive), *(f"{one.key} {one.etag}" for one in objects)]
        kept = self._folder / hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]
        with self._lock:
            fetching = self._fetching.setdefault(kept, threading.Lock())
        with fetching:
            if not kept.is_dir():
                self._fetch(source, objects, kept, until)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(kept, folder, copy_function=os.link, symlinks=True)

    def close(self) -> None:
        """Keep nothing; what was brought stays."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _objects(self, source: ModelDataSource) -> list[_Object]:
        bucket, key = source.address
        try:
            if not source.prefix:
                found = self._s3.head_object(Bucket=bucket, Key=key)
                return [_Object(key, found["ETag"], key.rpartition("/")[2])]
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
            listed = [
                _Object(one["Key"], one["ETag"], one["Key"].removeprefix(key).lstrip("/"))
                for page in pages
                for one in page.get("Contents", ())
                if not one["Key"].endswith("/")  # the console's folders are no files
            ]
        except ClientError as error:
            raise MissingDataError(f"{source.url}: {_why(error)}") from None
        if not listed:
            raise MissingDataError(f"{source.url}: NoSuchKey (404): no object begins so")
        return listed

    def _fetch(self, source: ModelDataSource, objects: list[_Object], kept: Path, until: float) -> None:
        part = kept.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for one in objects:
            target = kept.with_suffix(".tar.gz") if source.archive else resolve_inside(part, one.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                for chunk in self._chunks(source, one.key):
                    file.write(chunk)
                    if time.monotonic() > until:
                        raise DownloadTimeoutError(f"{source.url}: the download took too long")
            if source.archive:
                _unpack(target, part)
                target.unlink()
        part.rename(kept)

    def _chunks(self, source: ModelDataSource, key: str) -> Iterator[bytes]:
        try:
            answer = self._s3.get_object(Bucket=source.address.bucket, Key=key)
        except ClientError as error:
            raise MissingDataError(f"{source.url}: {_why(error)}") from None
        yield from answer["Body"].iter_chunks(_CHUNK)


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with archive.open("rb") as content:
            archives.unpack(content, folder, "model.tar.gz")
    except UserError as error:
        raise BrokenDataError(str(error)) from None


def _why(error: ClientError) -> str:
    """A client's error in few words; HeadObject has no body that would name it."""
    code = {"404": "NoSuchKey", "403": "AccessDenied"}.get(error.response["Error"]["Code"])
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return f"{code or error.response['Error']['Code']} ({status}): {error.response['Error'].get('Message', '')}"
