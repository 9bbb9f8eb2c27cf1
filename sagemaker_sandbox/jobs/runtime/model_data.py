"""Model data of containers: sources in S3, and download to the folder of a container."""

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

from sagemaker_sandbox.jobs.algorithms.images import find_algorithm
from sagemaker_sandbox.jobs.runtime import archives
from sagemaker_sandbox.jobs.runtime.container import ML_ROOT
from sagemaker_sandbox.jobs.runtime.image_software import add_image_software
from sagemaker_sandbox.jobs.runtime.s3 import resolve_inside
from sustainable_mlops.aws.s3 import S3Uri, is_s3
from sustainable_mlops.base.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK = 2**20


class MissingDataError(UserError):
    """The S3 object does not exist or is not readable."""


class BrokenDataError(UserError):
    """The archive cannot be unpacked."""


class DownloadTimeoutError(UserError):
    """The download took longer than allowed."""


@dataclass(frozen=True)
class ModelDataSource:
    """Data in S3 and its path in the container: a tar.gz archive, one object, or all under a prefix."""

    url: str
    target: str = f"{ML_ROOT}/model"
    is_archive: bool = True
    is_prefix: bool = False

    @property
    def address(self) -> S3Uri:
        """Address in S3. Raises MissingDataError if the URL is not an S3 address."""
        address = S3Uri.parse_url(self.url)
        if address is None:
            raise MissingDataError(f"{self.url} is not an address in S3")
        return address


#: Variables with the module of a built-in algorithm's inference handlers, and with the tag of its image.
HANDLERS_VARIABLE, TAG_VARIABLE = "SANDBOX_HANDLERS", "SANDBOX_ALGORITHM_TAG"
#: Variable with which a container of AWS knows that it serves several models.
_MULTI_MODEL_VARIABLE = "SAGEMAKER_MULTI_MODEL"
#: Variable with the script archive that is not part of the model data, as set by the SDK; and its folder.
_SCRIPTS_VARIABLE, _CODE_FOLDER = "SAGEMAKER_SUBMIT_DIRECTORY", f"{ML_ROOT}/code"


def list_sources(container: Mapping[str, Any]) -> list[ModelDataSource]:
    """Return the data that a container needs before it starts.

    That is the model, unless the container serves several models, the scripts, and additional sources.
    """
    sources = [
        _build_source(source["S3DataSource"], f"{ML_ROOT}/additional-model-data-sources/{source['ChannelName']}")
        for source in container.get("AdditionalModelDataSources", ())
    ]
    scripts = container.get("Environment", {}).get(_SCRIPTS_VARIABLE, "")
    if is_s3(scripts):
        sources.append(ModelDataSource(scripts, _CODE_FOLDER))
    if container.get("Mode") == "MultiModel":
        return sources
    if "S3DataSource" in container.get("ModelDataSource", {}):
        sources.insert(0, _build_source(container["ModelDataSource"]["S3DataSource"], f"{ML_ROOT}/model"))
    elif container.get("ModelDataUrl"):
        sources.insert(0, ModelDataSource(container["ModelDataUrl"]))
    return sources


def build_model_environment(container: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment variables of a container whose scripts are downloaded.

    They name the inference handlers of a built-in algorithm's image.
    """
    variables = add_image_software(container.get("Image", ""), container.get("Environment", {}))
    if algorithm := find_algorithm(container.get("Image", "")):
        variables |= {HANDLERS_VARIABLE: algorithm.serving_module, TAG_VARIABLE: algorithm.tag}
        variables |= {_MULTI_MODEL_VARIABLE: "true"} if container.get("Mode") == "MultiModel" else {}
    return variables | {_SCRIPTS_VARIABLE: _CODE_FOLDER} if is_s3(variables.get(_SCRIPTS_VARIABLE, "")) else variables


def _build_source(source: Mapping[str, Any], target: str) -> ModelDataSource:
    return ModelDataSource(
        source["S3Uri"],
        target,
        is_archive=source["CompressionType"] == "Gzip",
        is_prefix=source["S3DataType"] == "S3Prefix",
    )


@dataclass(frozen=True)
class _Object:
    """One object in S3, with its file name."""

    key: str
    etag: str
    name: str


class ModelDataCache:
    """Downloaded data of the containers of one fleet. Each version of a source is downloaded once.

    Containers share the files.
    """

    def __init__(self, s3: "S3Client", folder: Path) -> None:
        self._s3 = s3
        self._folder = folder
        self._lock = threading.Lock()
        self._download_locks: dict[Path, threading.Lock] = {}

    def copy_to(self, source: ModelDataSource, folder: Path, seconds: float) -> None:
        """Provide the files in `folder`, which is new.

        Raises MissingDataError, BrokenDataError and DownloadTimeoutError. A caller waits only for a concurrent download
        of the same data.
        """
        deadline = time.monotonic() + seconds
        objects = self._list_objects(source)
        identity = [source.url, str(source.is_archive), *(f"{item.key} {item.etag}" for item in objects)]
        cached = self._folder / hashlib.sha256("\n".join(identity).encode()).hexdigest()[:16]
        with self._lock:
            download_lock = self._download_locks.setdefault(cached, threading.Lock())
        with download_lock:
            if not cached.is_dir():
                self._download(source, objects, cached, deadline)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(cached, folder, copy_function=os.link, symlinks=True)

    def close(self) -> None:
        """Remove the cache. Files in the folders of containers remain."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _list_objects(self, source: ModelDataSource) -> list[_Object]:
        bucket, key = source.address
        try:
            if not source.is_prefix:
                response = self._s3.head_object(Bucket=bucket, Key=key)
                return [_Object(key, response["ETag"], key.rpartition("/")[2])]
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
            objects = [
                _Object(entry["Key"], entry["ETag"], entry["Key"].removeprefix(key).lstrip("/"))
                for page in pages
                for entry in page.get("Contents", ())
                if not entry["Key"].endswith("/")  # skip folder markers of the console
            ]
        except ClientError as error:
            raise MissingDataError(f"{source.url}: {_describe_error(error)}") from None
        if not objects:
            raise MissingDataError(f"{source.url}: NoSuchKey (404): no object has this prefix")
        return objects

    def _download(self, source: ModelDataSource, objects: list[_Object], cached: Path, deadline: float) -> None:
        part = cached.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for item in objects:
            target = cached.with_suffix(".tar.gz") if source.is_archive else resolve_inside(part, item.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                for chunk in self._read_chunks(source, item.key):
                    file.write(chunk)
                    if time.monotonic() > deadline:
                        raise DownloadTimeoutError(f"{source.url}: the download took too long")
            if source.is_archive:
                _unpack(target, part)
                target.unlink()
        part.rename(cached)

    def _read_chunks(self, source: ModelDataSource, key: str) -> Iterator[bytes]:
        try:
            response = self._s3.get_object(Bucket=source.address.bucket, Key=key)
        except ClientError as error:
            raise MissingDataError(f"{source.url}: {_describe_error(error)}") from None
        yield from response["Body"].iter_chunks(_CHUNK)


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with archive.open("rb") as content:
            archives.unpack(content, folder, "model.tar.gz")
    except UserError as error:
        raise BrokenDataError(str(error)) from None


def _describe_error(error: ClientError) -> str:
    """Return a short text of a client error. HeadObject has no body that would name it."""
    code = {"404": "NoSuchKey", "403": "AccessDenied"}.get(error.response["Error"]["Code"])
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return f"{code or error.response['Error']['Code']} ({status}): {error.response['Error'].get('Message', '')}"
