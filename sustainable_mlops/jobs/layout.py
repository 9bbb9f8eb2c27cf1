"""Where a workload's files lie in the artifacts bucket."""

from dataclasses import dataclass

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.jobs.source import ARCHIVE


@dataclass(frozen=True)
class Layout:
    """Addresses of one workload. None holds a job's name, so that a new launch of the same run finds them.

    The kind of file comes first, because S3 lifecycle rules choose by the start of a key: checkpoints expire, models
    move to colder storage.
    """

    bucket: str
    workload: str

    @property
    def models(self) -> str:
        """Below it SageMaker writes `<job>/output/model.tar.gz`."""
        return self._address("models")

    def source(self, digest: str) -> str:
        """The packed source with this digest."""
        return f"{self._address('source')}/{digest}/{ARCHIVE}"

    def checkpoints(self, run_key: str, attempt: str = "") -> str:
        """Checkpoints of a run; `attempt` tells a forced training from the one before it."""
        return f"{self._address('checkpoints')}/{run_key}{attempt and '-'}{attempt}/"

    def record(self, run_key: str) -> str:
        """The run's record."""
        return f"{self._address('runs')}/{run_key}/record.json"

    def _address(self, kind: str) -> str:
        return str(S3Uri(self.bucket, kind) / self.workload)
