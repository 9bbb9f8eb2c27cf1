"""What is left in the sandbox: every resource of every service in use, by name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name

from sagemaker_sandbox.context import Context
from sagemaker_sandbox.plane.recorded import RECORDED

#: Service, then type, to names.
Inventory = dict[str, dict[str, list[str]]]


@dataclass(frozen=True)
class Listing:
    """One List or Describe operation: where its answer holds the resources, and which member names one."""

    type: str
    operation: str
    key: str
    name: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)


#: Documents of the account itself, and not AWS's.
_OWN = {"Filters": [{"Key": "Owner", "Values": ["Self"]}]}
#: moto's name of a service to what can be left of it.
LISTINGS: dict[str, tuple[Listing, ...]] = {
    "s3": (Listing("bucket", "list_buckets", "Buckets", "Name"),),
    "iam": (
        Listing("role", "list_roles", "Roles", "RoleName"),
        Listing("policy", "list_policies", "Policies", "PolicyName", {"Scope": "Local"}),
        Listing("user", "list_users", "Users", "UserName"),
    ),
    "kms": (
        Listing("key", "list_keys", "Keys", "KeyId"),
        Listing("alias", "list_aliases", "Aliases", "AliasName"),
    ),
    "ssm": (
        Listing("parameter", "describe_parameters", "Parameters", "Name"),
        Listing("document", "list_documents", "DocumentIdentifiers", "Name", _OWN),
    ),
    "sns": (Listing("topic", "list_topics", "Topics", "TopicArn"),),
    "sqs": (Listing("queue", "list_queues", "QueueUrls"),),
    "logs": (Listing("log group", "describe_log_groups", "logGroups", "logGroupName"),),
    "events": (Listing("rule", "list_rules", "Rules", "Name"),),
    "scheduler": (Listing("schedule", "list_schedules", "Schedules", "Name"),),
    "cloudwatch": (
        Listing("alarm", "describe_alarms", "MetricAlarms", "AlarmName"),
        Listing("alarm", "describe_alarms", "CompositeAlarms", "AlarmName", {"AlarmTypes": ["CompositeAlarm"]}),
        Listing("dashboard", "list_dashboards", "DashboardEntries", "DashboardName"),
    ),
    "s3control": (
        Listing("Storage Lens configuration", "list_storage_lens_configurations", "StorageLensConfigurationList", "Id"),
    ),
    "budgets": (Listing("budget", "describe_budgets", "Budgets", "BudgetName"),),
    "glue": (Listing("database", "get_databases", "DatabaseList", "Name"),),
    "sagemaker": tuple(
        Listing(recorded.arn_type, xform_name(operation), key, name)
        for recorded in RECORDED
        if recorded.lists
        for operation, key, name in [recorded.lists]
    ),
}
_GLOBAL = ("s3", "iam", "s3control", "budgets")


def take(context: Context, services: Iterable[str]) -> Inventory:
    """The resources of those of moto's services, in all accounts and Regions; what AWS itself owns is left out."""
    found: Inventory = {}
    for service in sorted(set(services) & set(LISTINGS)):
        for account, region in _places(service):
            client = context.client(service, region, account)
            for listing in LISTINGS[service]:
                names = sorted(_names(client, listing, service, account))
                if names:
                    found.setdefault(service, {}).setdefault(listing.type, []).extend(names)
    return found


def _places(service: str) -> list[tuple[str, str]]:
    """The accounts and Regions in which the service may hold something."""
    from moto.backends import get_backend

    backends = get_backend(service)
    if service in _GLOBAL:
        return [(account, "us-east-1") for account in sorted(backends)]
    return sorted((account, region) for account in list(backends) for region in list(backends[account]))


def _names(client: Any, listing: Listing, service: str, account: str) -> Iterator[str]:
    arguments = dict(listing.arguments)
    if service in ("s3control", "budgets"):
        arguments["AccountId"] = account
    for item in _items(client, listing, arguments):
        name = item[listing.name] if listing.name else item
        if not _owned_by_aws(client, service, listing.type, name, item):
            yield name


def _items(client: Any, listing: Listing, arguments: dict[str, Any]) -> Iterator[Any]:
    if not client.can_paginate(listing.operation):
        yield from getattr(client, listing.operation)(**arguments).get(listing.key, [])
        return
    for page in client.get_paginator(listing.operation).paginate(**arguments):
        yield from page.get(listing.key, [])


def _owned_by_aws(client: Any, service: str, kind: str, name: str, item: Any) -> bool:
    """Also keys that are on their way out: AWS lets no key go sooner than a week after it was deleted."""
    if service == "kms" and kind == "alias":
        return str(name).startswith("alias/aws/")
    if service == "kms":
        metadata = client.describe_key(KeyId=name)["KeyMetadata"]
        return bool(metadata["KeyState"] == "PendingDeletion" or metadata["KeyManager"] == "AWS")
    if service == "glue":  # Feature Store makes it with the first offline store, and nobody deletes it
        return str(name) == "sagemaker_featurestore"
    return service == "iam" and str(item["Path"]).startswith("/aws-service-role/")
