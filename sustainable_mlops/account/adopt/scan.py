"""Scan of an account for objects to adopt."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from sustainable_mlops.account.adopt import (
    buckets,
    endpoints,
    feature_groups,
    keys,
    log_groups,
    model_package_groups,
    pipelines,
)
from sustainable_mlops.account.adopt.adoption import AdoptedObject, AdoptionReport, ExcludedObject
from sustainable_mlops.account.adopt.reader import Reader
from sustainable_mlops.account.adopt.selection import Selection
from sustainable_mlops.account.idle import AccountReader, SkippedPart
from sustainable_mlops.account.preflight.account import DeniedError
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue.deployer_actions import load_deployer_actions


class AdoptionScan(NamedTuple):
    """A part of the account, the IAM actions of its scan, and the resource types that it writes."""

    read: Callable[[Reader], Iterator[AdoptedObject | ExcludedObject]]
    actions: tuple[str, ...]
    types: tuple[str, ...]


#: Parts in the order of the report. Keys come first, because other resources refer to them.
PARTS: dict[str, AdoptionScan] = {
    "KMS keys": AdoptionScan(keys.read_keys, keys.ACTIONS, keys.TYPES),
    "buckets": AdoptionScan(buckets.read_buckets, buckets.ACTIONS, buckets.TYPES),
    "feature groups": AdoptionScan(feature_groups.read_feature_groups, feature_groups.ACTIONS, feature_groups.TYPES),
    "model package groups": AdoptionScan(
        model_package_groups.read_model_package_groups, model_package_groups.ACTIONS, model_package_groups.TYPES
    ),
    "log groups": AdoptionScan(log_groups.read_log_groups, log_groups.ACTIONS, log_groups.TYPES),
    "endpoints": AdoptionScan(endpoints.read_endpoints, endpoints.ACTIONS, endpoints.TYPES),
    "pipelines": AdoptionScan(pipelines.read_pipelines, pipelines.ACTIONS, pipelines.TYPES),
}


def list_actions() -> dict[str, tuple[str, ...]]:
    """Return the IAM actions of each part: for its scan, and for the plan of its resources."""
    return {name: tuple(dict.fromkeys([*part.actions, *_list_plan_actions(part)])) for name, part in PARTS.items()}


def _list_plan_actions(part: AdoptionScan) -> list[str]:
    """Return the read actions of the provider. A type without a row needs only the actions of the scan."""
    rows = [row for resource_type in part.types for row in load_deployer_actions().get(resource_type, [])]
    return [action for row in rows for action in row.get_actions("read")]


def scan_account(
    account: AccountReader, selection: Selection, progress: Callable[[str], None] = lambda _: None
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
    report.unmatched_names = reader.unmatched_names
    return report
