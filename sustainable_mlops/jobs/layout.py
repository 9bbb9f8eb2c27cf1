"""Where a workload's files lie in the platform's buckets."""

from dataclasses import dataclass

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.jobs.platform import Buckets
from sustainable_mlops.jobs.source import ARCHIVE


@dataclass(frozen=True)
class Layout:
    """Addresses of one workload. None holds a job's name, so that a new launch of the same run finds them.

    The kind of file comes first, because S3 lifecycle rules choose by the start of a key: checkpoints expire, models
    move to colder storage.
    """

    buckets: Buckets
    workload: str

    @property
    def models(self) -> str:
        """Below it SageMaker writes `<job>/output/model.tar.gz`."""
        return self._artifacts("models")

    def source(self, digest: str) -> str:
        """The packed source with this digest."""
        return f"{self._artifacts('source')}/{digest}/{ARCHIVE}"

    def checkpoints(self, run_key: str, attempt: str = "") -> str:
        """Checkpoints of a run; `attempt` tells a forced run from the one before it."""
        return f"{self._artifacts('checkpoints')}/{_attempt(run_key, attempt)}/"

    def record(self, run_key: str) -> str:
        """The run's record."""
        return f"{self._artifacts('runs')}/{run_key}/record.json"

    def reports(self, run_key: str, name: str, attempt: str = "") -> str:
        """What a run reports, beside its record."""
        return f"{self._artifacts('runs')}/{_attempt(run_key, attempt)}/{name}/"

    def re_creatable(self, run_key: str, name: str, attempt: str = "") -> str:
        """Data that a run made, and would make again."""
        folder = S3Uri(self.buckets.data, "re-creatable") / self.workload
        return f"{folder}/{_attempt(run_key, attempt)}/{name}/"

    def predictions(self, run_key: str, attempt: str = "") -> str:
        """What a model said of records; apart from other data, for its role may write here and nowhere else."""
        folder = S3Uri(self.buckets.data, "re-creatable/predictions") / self.workload
        return f"{folder}/{_attempt(run_key, attempt)}/"

    def _artifacts(self, kind: str) -> str:
        return str(S3Uri(self.buckets.artifacts, kind) / self.workload)


def _attempt(run_key: str, attempt: str) -> str:
    return f"{run_key}-{attempt}" if attempt else run_key
