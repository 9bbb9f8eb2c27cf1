"""A run: all that goes into a job, and the key that names it."""

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
    """A job on a platform, with its image found, its source packed and its data looked at."""

    spec: Spec
    platform: Platform
    image: str
    #: Of the packed source; None for a job that sends none.
    source_digest: str | None
    channels: tuple[Channel, ...]
    #: Of a model that the job asks: its container, as CreateModel takes it.
    container: Mapping[str, Any] | None = None

    @cached_property
    def key(self) -> str:
        """SHA-256, in hex, of all that decides the result: two runs with one key would give the same.

        In it: the code, the image, the data of each channel, and what the job's file decides. Not in it, because the
        result does not depend on it: where the data and the platform are.
        """
        inputs = {
            "source": self.source_digest,
            "image": self.image,
            "data": {channel.name: channel.digest for channel in self.channels},
            **self.spec.decides,
        }
        if self.container is not None:
            inputs["container_environment"] = self.container.get("Environment", {})
        return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()

    @property
    def layout(self) -> Layout:
        """Where its files lie."""
        return Layout(self.platform.buckets, self.spec.workload)

    @property
    def source(self) -> str | None:
        """Address of the packed source."""
        return None if self.source_digest is None else self.layout.source(self.source_digest)

    @property
    def tags(self) -> dict[str, str]:
        """The job's own tags over the platform's, and what finds the run again."""
        own = {"environment": self.platform.environment, "workload": self.spec.workload, "run_key": self.key}
        return {**self.platform.tags, **self.spec.tags, **own}
