"""Addresses of a workload's files in the platform's buckets."""

from dataclasses import dataclass

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.jobs.platform import Buckets
from sustainable_mlops.jobs.source import ARCHIVE, name_archive_folder


@dataclass(frozen=True)
class Layout:
    """Addresses of one workload. No address contains a job name, so a new launch of the same run finds the files.

    The kind of file comes first, because S3 lifecycle rules select by key prefix: checkpoints expire, models move to
    colder storage.
    """

    buckets: Buckets
    workload: str

    @property
    def models(self) -> str:
        """Prefix of the models. SageMaker writes `<job>/output/model.tar.gz` below it."""
        return self._join_artifacts("models")

    def locate_source(self, digest: str) -> str:
        """Return the address of the packed source with this digest."""
        return f"{self._join_artifacts('source')}/{name_archive_folder(digest)}/{ARCHIVE}"

    def locate_checkpoints(self, run_key: str, attempt: str = "") -> str:
        """Return the address of a run's checkpoints; `attempt` separates forced runs of the same key."""
        return f"{self._join_artifacts('checkpoints')}/{_name_attempt(run_key, attempt)}/"

    def locate_record(self, run_key: str) -> str:
        """Return the address of the run's record."""
        return f"{self._join_artifacts('runs')}/{run_key}/record.json"

    def locate_report(self, run_key: str, name: str, attempt: str = "") -> str:
        """Return the address of a report of the run, beside its record."""
        return f"{self._join_artifacts('runs')}/{_name_attempt(run_key, attempt)}/{name}/"

    def locate_recreatable(self, run_key: str, name: str, attempt: str = "") -> str:
        """Return the address of data that the run can create again."""
        folder = S3Uri(self.buckets.data, "re-creatable") / self.workload
        return f"{folder}/{_name_attempt(run_key, attempt)}/{name}/"

    def locate_predictions(self, run_key: str, attempt: str = "") -> str:
        """Return the address of predictions. They have a prefix of their own: the job's role can write only there."""
        folder = S3Uri(self.buckets.data, "re-creatable/predictions") / self.workload
        return f"{folder}/{_name_attempt(run_key, attempt)}/"

    def _join_artifacts(self, kind: str) -> str:
        return str(S3Uri(self.buckets.artifacts, kind) / self.workload)


def _name_attempt(run_key: str, attempt: str) -> str:
    return f"{run_key}-{attempt}" if attempt else run_key
