"""A run: everything that goes into a job, and the key that identifies it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from sustainable_mlops.jobs.channels import Channel
from sustainable_mlops.jobs.layout import Layout
from sustainable_mlops.jobs.platform import Platform
from sustainable_mlops.jobs.specs.common import Launchable

Spec = TypeVar("Spec", bound=Launchable)


@dataclass(frozen=True)
class Run(Generic[Spec]):
    """A job on a platform, with its image address, packed source and inspected data."""

    spec: Spec
    platform: Platform
    image: str
    #: Digest of the packed source; None for a job without source.
    source_digest: str | None
    channels: tuple[Channel, ...]
    #: Container of the model that a batch transform uses, as CreateModel takes it.
    container: Mapping[str, Any] | None = None

    @cached_property
    def key(self) -> str:
        """SHA-256, in hex, of everything that decides the result. Two runs with the same key give the same result.

        The key includes the code, the image, the data of each channel, and `result_inputs` of the job file. The
        addresses of data and platform are not included, because the result does not depend on them.
        """
        inputs = {
            "source": self.source_digest,
            "image": self.image,
            "data": {channel.name: channel.digest for channel in self.channels},
            **self.spec.result_inputs,
        }
        if self.container is not None:
            inputs["container_environment"] = self.container.get("Environment", {})
        return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()

    @property
    def layout(self) -> Layout:
        """Addresses of the run's files."""
        return Layout(self.platform.buckets, self.spec.workload)

    @property
    def source(self) -> str | None:
        """Address of the packed source."""
        return None if self.source_digest is None else self.layout.locate_source(self.source_digest)

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the platform and of the job, and the tags that identify the run."""
        own = {"environment": self.platform.environment, "workload": self.spec.workload, "run_key": self.key}
        return {**self.platform.tags, **self.spec.tags, **own}
