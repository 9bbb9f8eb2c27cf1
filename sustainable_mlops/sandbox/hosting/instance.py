"""One instance of a variant: the containers of its model, in series, each a model server of this machine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.sandbox.hosting.invocation import Answer, Invocation
from sustainable_mlops.sandbox.parts.region import Region
from sustainable_mlops.sandbox.parts.resources import Fields
from sustainable_mlops.sandbox.runtime.hosting import ModelServer

#: Told of what happens to models: a metric's name, its value and its unit, as CloudWatch has them.
Tell = Callable[[str, float, str], None]


class StartError(Exception):
    """Why an instance does not serve, in words fit for FailureReason."""


@dataclass(frozen=True)
class Shape:
    """What of an instance is bought. `memory_mb` and `max_concurrency` are those of serverless."""

    memory_mb: int | None = None
    max_concurrency: int | None = None
    idle_seconds: float = 300.0
    warm: int = 1
    startup_seconds: float = 600.0
    download_seconds: float = 600.0


class Instance:
    """One instance of a variant, its containers in series."""

    def __init__(
        self,
        region: Region,
        name: str,
        containers: Sequence[Fields],
        folder: Path,
        shape: Shape,
        tell: Tell = lambda _metric, _value, _unit: None,
    ) -> None:
        self.name = name
        self._region = region
        self._containers = containers
        self._folder = folder
        self._shape = shape
        self._tell = tell
        self._server: ModelServer | None = None
        self.outstanding = 0

    @property
    def pids(self) -> list[int]:
        """Processes of its workers."""
        return self._server.pids if self._server is not None else []

    def start(self) -> None:
        """Fetch the model. Raises StartError."""
        container = self._containers[0]
        source = container.get("ModelDataSource", {}).get("S3DataSource", {})
        uri = container.get("ModelDataUrl") or source.get("S3Uri")
        data = None
        if uri is not None:
            try:
                address = S3Uri.parse(uri)
                s3 = self._region.client("s3")
                data = s3.get_object(Bucket=address.bucket, Key=address.key)["Body"].read()
            except ClientError:
                raise StartError(
                    f'Failed to download model data for container "container_1" from URL: "{uri}".'
                ) from None
        self._server = ModelServer(
            data,
            container.get("Environment", {}),
            self._folder,
            memory_mb=self._shape.memory_mb,
            max_concurrency=self._shape.max_concurrency or 100,
            idle_seconds=self._shape.idle_seconds,
        )

    def invoke(self, asked: Invocation) -> Answer:
        """One request. Raises ThrottledError, ModelError."""
        assert self._server is not None
        self.outstanding += 1
        try:
            body, content_type = self._server.invoke(asked.body, asked.content_type, asked.accept)
        finally:
            self.outstanding -= 1
        return Answer(body, content_type)

    def close(self) -> None:
        """End its workers."""
        if self._server is not None:
            self._server.close()
