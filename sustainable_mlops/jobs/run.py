"""A run: all that goes into a training, and the key that names it."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from sustainable_mlops.jobs.channels import Channel
from sustainable_mlops.jobs.layout import Layout
from sustainable_mlops.jobs.platform import Platform
from sustainable_mlops.jobs.spec import Job


@dataclass(frozen=True)
class Run:
    """A job on a platform, with its image found, its source packed and its data looked at."""

    job: Job
    platform: Platform
    image: str
    source_digest: str
    channels: tuple[Channel, ...]

    @cached_property
    def key(self) -> str:
        """SHA-256, in hex, of all that decides what is trained: two runs with one key would train the same model.

        In it: code, entry point, image, hyperparameters, environment variables, the data of each channel, instance
        type and count. Not in it, because the model does not depend on them: name, tags, limits, spot, warm pool,
        volume size, network, where the data and the platform are, the metrics read from the log, how it is served.
        """
        inputs = {
            "source": self.source_digest,
            "entry_point": self.job.source.entry_point,
            "image": self.image,
            "hyperparameters": self.job.hyperparameters,
            "environment": self.job.environment,
            "data": {channel.name: channel.digest for channel in self.channels},
            "instance_type": self.job.compute.instance_type,
            "instance_count": self.job.compute.instance_count,
        }
        return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()

    @property
    def layout(self) -> Layout:
        """Where its files lie."""
        return Layout(self.platform.buckets.artifacts, self.job.workload)

    @property
    def source(self) -> str:
        """Address of the packed source."""
        return self.layout.source(self.source_digest)

    @property
    def tags(self) -> dict[str, str]:
        """The job's own tags over the platform's, and what finds the run again."""
        own = {"environment": self.platform.environment, "workload": self.job.workload, "run_key": self.key}
        return {**self.platform.tags, **self.job.tags, **own}
