"""Log groups that SageMaker would create by itself, and keep for ever."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envs.common import Common
from envs.component import Component
from envs.components.storage import Storage
from envs.names import Name
from sustainable_mlops.authoring.expressions import each_of, set_of

if TYPE_CHECKING:
    from envs.root import Environment

JOB_LOGS = ("ProcessingJobs", "TrainingJobs", "TransformJobs")
_FOLDER = "/aws/sagemaker"


class JobLogs(Component[Common]):
    """Logs of jobs, which expire."""

    def names(self) -> Iterator[Name]:
        for jobs in JOB_LOGS:
            yield Name("log_group", "environment", f"{_FOLDER}/{jobs}")

    def add(self, env: "Environment") -> None:
        from cdktn_provider_aws.cloudwatch_log_group import CloudwatchLogGroup

        group = each_of(set_of(JOB_LOGS))
        env.add(
            CloudwatchLogGroup,
            "jobs",
            why="SageMaker would create these with the first job, and keep what is in them for ever.",
            skips={"CKV_AWS_338": "a year of job logs is storage that nobody reads; settings.yaml says how long"},
            for_each=group,
            name=f"{_FOLDER}/{group.key}",
            retention_in_days=self.settings.log_retention_days,
            kms_key_id=env[Storage].kms_key_arn,
        )
