"""Until `instance` is here: one instance by today's model server, the first container alone."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.sandbox.hosting.invocation import Answer, Invocation
from sustainable_mlops.sandbox.parts.region import Region
from sustainable_mlops.sandbox.parts.resources import Fields

if TYPE_CHECKING:
    from sustainable_mlops.sandbox.runtime.hosting import ModelServer


class StartError(Exception):
    """An instance that cannot serve, and why."""


@dataclass(frozen=True)
class Shape:
    """What of an instance is bought."""

    memory_mb: int | None = None
    max_concurrency: int | None = None
    idle_seconds: float = 300.0
    warm: int = 0
    startup_seconds: float = 60.0
    download_seconds: float = 60.0


class Instance:
    """One instance of a variant."""

    def __init__(self, region: Region, name: str, containers: Sequence[Fields], folder: Path, shape: Shape) -> None:
        self._region, self._name = region, name
        self._containers = containers
        self._folder = folder
        self._shape = shape
        self._server: ModelServer | None = None

    def start(self) -> None:
        """Fetch the model's data."""
        from sustainable_mlops.sandbox.runtime.hosting import ModelServer

        container = self._containers[0]
        uri = container.get("ModelDataUrl") or container.get("ModelDataSource", {}).get("S3DataSource", {}).get("S3Uri")
        data = None
        if uri is not None:
            try:
                where = S3Uri.parse(uri)
                data = self._region.client("s3").get_object(Bucket=where.bucket, Key=where.key)["Body"].read()
            except (ClientError, ValueError) as error:
                raise StartError(f"Failed to download model data for container from URL {uri}: {error}") from None
        self._folder.mkdir(parents=True)
        self._server = ModelServer(
            data,
            container.get("Environment", {}),
            self._folder,
            memory_mb=self._shape.memory_mb,
            max_concurrency=self._shape.max_concurrency or 2,
            idle_seconds=self._shape.idle_seconds if self._shape.max_concurrency else 10**9,
        )

    def invoke(self, asked: Invocation) -> Answer:
        """One request."""
        assert self._server is not None
        time.sleep(0)
        body, content_type = self._server.invoke(asked.body, asked.content_type, asked.accept)
        return Answer(body, content_type)

    @property
    def pids(self) -> list[int]:
        """The processes of it."""
        return self._server.pids if self._server is not None else []

    def close(self) -> None:
        """End it."""
        if self._server is not None:
            self._server.close()
