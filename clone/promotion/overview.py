"""Overview of the pinned package of each model in each environment, and of newer approved ones."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clone.promotion.package import PackageAddress, RegisteredPackage, read_package
from clone.promotion.run import ApprovedPackage, list_approved, read_pinned, read_targets
from envs.promotion_target import PromotionTarget
from sustainable_mlops.aws import AccountClients
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.register import APPROVED
from sustainable_mlops.runs.values import rank_split


@dataclass(frozen=True)
class PinnedModel:
    """A model in an environment, with its pinned package."""

    target: PromotionTarget
    pinned: PackageAddress | None
    package: RegisteredPackage | None = None
    #: Approved packages that are newer than the pinned one, the newest first.
    newer: tuple[PackageAddress, ...] = ()
    #: Reads that AWS refused.
    problems: tuple[str, ...] = ()

    @property
    def metric(self) -> tuple[str, float] | None:
        """The metric of the pipeline's gate, else one on unseen data."""
        if self.package is None or not self.package.metrics:
            return None
        gate = self.target.gate
        if gate is not None and (value := self.package.find_metric(gate.metric)) is not None:
            return gate.metric, value
        name = min(self.package.metrics, key=lambda one: (rank_split(one), one))
        return name, self.package.metrics[name]

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        package, metric = self.package, self.metric
        return {
            "model": self.target.model,
            "environment": self.target.environment,
            "package": self.pinned.arn if self.pinned else None,
            "status": package.status if package else None,
            "metric": {"name": metric[0], "value": metric[1]} if metric else None,
            "training_kg_co2e": package.training_kg_co2e if package else None,
            "approval": package.approval if package and package.status == APPROVED else None,
            "newer_approved": [one.arn for one in self.newer],
            "problems": list(self.problems),
        }


def read_overview(folders: Iterable[Path]) -> list[PinnedModel]:
    """Return a row for each model and environment, by model. If AWS denies a read, the row reports it in `problems`."""
    rows = [row for folder in folders for row in _read_environment(folder)]
    return sorted(rows, key=lambda row: row.target.model)


def _read_environment(folder: Path) -> Iterator[PinnedModel]:
    account: AccountClients | None = None
    for target in read_targets(folder).values():
        account = account or target.make_account()
        yield _read_row(target, account)


def _read_row(target: PromotionTarget, account: AccountClients) -> PinnedModel:
    pinned, package = None, None
    try:
        pinned = read_pinned(target)
        sagemaker = account.client("sagemaker")
        if pinned is not None:
            package = read_package(pinned, sagemaker)
        approved = list_approved(target, sagemaker)
    except UserError as error:
        return PinnedModel(target, pinned, package, problems=(str(error),))
    newer = tuple(one.address for one in approved if package is None or _is_newer(one, package))
    return PinnedModel(target, pinned, package, newer)


def _is_newer(approved: ApprovedPackage, package: RegisteredPackage) -> bool:
    one, other = approved.address, package.address
    if (one.account, one.group) == (other.account, other.group):
        return one.version > other.version
    return approved.created_at > package.created_at
