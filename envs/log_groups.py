"""Log groups of an environment, with support to adopt existing ones.

SageMaker creates a log group with the first line that a job or an endpoint writes. An account that has used SageMaker
therefore has `/aws/sagemaker/TrainingJobs` and others, and Terraform cannot create them again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sustainable_mlops.base.errors import did_you_mean
from sustainable_mlops.base.log_groups import SETTING


@dataclass(frozen=True)
class ManagedLogGroup:
    """A log group that the environment manages.

    `address` is its resource in the root module. With a `model`, the resource exists once that model has a package, and
    the address has `each.key` in place of the model's key.
    """

    name: str
    address: str
    model: str | None = None


def find_problems(groups: Iterable[ManagedLogGroup], existing: Sequence[str]) -> Iterator[str]:
    """Yield an error for each name in the setting that is unknown to the environment or a duplicate."""
    managed = {group.name for group in groups}
    for index, name in enumerate(existing):
        if name not in managed:
            yield (
                f"{SETTING}: this environment has no log group '{name}'{did_you_mean(name, managed)}; it manages "
                f"{', '.join(sorted(managed))}"
            )
        elif name in existing[:index]:
            yield f"{SETTING}: '{name}' is listed twice; remove one"
