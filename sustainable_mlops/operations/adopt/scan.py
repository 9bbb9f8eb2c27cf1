"""Scan of an account for objects to adopt."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from sustainable_mlops.errors import UserError
from sustainable_mlops.operations.adopt import (
    buckets,
    endpoints,
    feature_groups,
    keys,
    log_groups,
    model_package_groups,
    pipelines,
)
from sustainable_mlops.operations.adopt.adoption import AdoptedObject, AdoptionReport, ExcludedObject
from sustainable_mlops.operations.adopt.reader import Reader
from sustainable_mlops.operations.adopt.selection import Selection
from sustainable_mlops.operations.idle import IdleAccount, SkippedPart
from sustainable_mlops.operations.preflight.account import DeniedError


class Part(NamedTuple):
    """A part of the account, and the IAM actions that it needs."""

    read: Callable[[Reader], Iterator[AdoptedObject | ExcludedObject]]
    actions: tuple[str, ...]


#: Parts in the order of the report. Keys come first, because other resources refer to them.
PARTS: dict[str, Part] = {
    "KMS keys": Part(keys.read_keys, keys.ACTIONS),
    "buckets": Part(buckets.read_buckets, buckets.ACTIONS),
    "feature groups": Part(feature_groups.read_feature_groups, feature_groups.ACTIONS),
    "model package groups": Part(model_package_groups.read_model_package_groups, model_package_groups.ACTIONS),
    "log groups": Part(log_groups.read_log_groups, log_groups.ACTIONS),
    "endpoints": Part(endpoints.read_endpoints, endpoints.ACTIONS),
    "pipelines": Part(pipelines.read_pipelines, pipelines.ACTIONS),
}


def list_actions() -> dict[str, tuple[str, ...]]:
    """Return the IAM actions of each part."""
    return {name: part.actions for name, part in PARTS.items()}


def scan_account(
    account: IdleAccount, selection: Selection, progress: Callable[[str], None] = lambda _: None
) -> AdoptionReport:
    """Return the selected objects of an account and Region. A denied list skips only its part. Raises UserError."""
    try:
        account_id = account.call("sts", "get_caller_identity")["Account"]
    except DeniedError as error:
        raise UserError(
            f"{account.region}: {error.reason}; check the Region, the credentials and the network"
        ) from None
    reader = Reader(account, account_id, selection, progress)
    report = AdoptionReport(account_id, account.region, unselected=reader.unselected)
    for name, part in PARTS.items():
        progress(name)
        try:
            for result in part.read(reader):
                if isinstance(result, ExcludedObject):
                    report.excluded_objects.append(result)
                else:
                    report.adopted_objects.append(result)
        except DeniedError as error:
            report.skipped.append(SkippedPart(name, error.reason, error.action))
    report.excluded_objects += reader.excluded_objects
    return report
