"""Inventory of the sandbox: the names of all resources of every service in use."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name

from sagemaker_sandbox.base.backends import get_backends
from sagemaker_sandbox.base.context import SandboxContext
from sagemaker_sandbox.control_plane.moto_operations import MOTO_OPERATIONS

#: Names of resources by service and type.
Inventory = dict[str, dict[str, list[str]]]


@dataclass(frozen=True)
class ListOperation:
    """A List or Describe operation, the response member with the resources, and the member with a name."""

    type: str
    operation: str
    key: str
    name: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)


#: Filter for the account's own documents, without those of AWS.
_OWN_DOCUMENTS = {"Filters": [{"Key": "Owner", "Values": ["Self"]}]}
#: Operations that list the resources of a service, by moto's name of the service.
LIST_OPERATIONS: dict[str, tuple[ListOperation, ...]] = {
    "s3": (ListOperation("bucket", "list_buckets", "Buckets", "Name"),),
    "iam": (
        ListOperation("role", "list_roles", "Roles", "RoleName"),
        ListOperation("policy", "list_policies", "Policies", "PolicyName", {"Scope": "Local"}),
        ListOperation("user", "list_users", "Users", "UserName"),
    ),
    "kms": (
        ListOperation("key", "list_keys", "Keys", "KeyId"),
        ListOperation("alias", "list_aliases", "Aliases", "AliasName"),
    ),
    "ssm": (
        ListOperation("parameter", "describe_parameters", "Parameters", "Name"),
        ListOperation("document", "list_documents", "DocumentIdentifiers", "Name", _OWN_DOCUMENTS),
    ),
    "sns": (ListOperation("topic", "list_topics", "Topics", "TopicArn"),),
    "sqs": (ListOperation("queue", "list_queues", "QueueUrls"),),
    "logs": (ListOperation("log group", "describe_log_groups", "logGroups", "logGroupName"),),
    "events": (ListOperation("rule", "list_rules", "Rules", "Name"),),
    "scheduler": (ListOperation("schedule", "list_schedules", "Schedules", "Name"),),
    "cloudwatch": (
        ListOperation("alarm", "describe_alarms", "MetricAlarms", "AlarmName"),
        ListOperation("alarm", "describe_alarms", "CompositeAlarms", "AlarmName", {"AlarmTypes": ["CompositeAlarm"]}),
        ListOperation("dashboard", "list_dashboards", "DashboardEntries", "DashboardName"),
    ),
    "s3control": (
        ListOperation(
            "Storage Lens configuration", "list_storage_lens_configurations", "StorageLensConfigurationList", "Id"
        ),
    ),
    "budgets": (ListOperation("budget", "describe_budgets", "Budgets", "BudgetName"),),
    "ce": (
        ListOperation("anomaly monitor", "get_anomaly_monitors", "AnomalyMonitors", "MonitorName"),
        ListOperation("anomaly subscription", "get_anomaly_subscriptions", "AnomalySubscriptions", "SubscriptionName"),
        ListOperation(
            "cost allocation tag", "list_cost_allocation_tags", "CostAllocationTags", "TagKey", {"Status": "Active"}
        ),
    ),
    "stepfunctions": (ListOperation("state machine", "list_state_machines", "stateMachines", "name"),),
    "bcm-data-exports": (ListOperation("export", "list_exports", "Exports", "ExportName"),),
    "wellarchitected": (
        ListOperation("workload", "list_workloads", "WorkloadSummaries", "WorkloadName"),
        ListOperation("lens", "list_lenses", "LensSummaries", "LensName", {"LensStatus": "ALL"}),
    ),
    "glue": (ListOperation("database", "get_databases", "DatabaseList", "Name"),),
    "sagemaker": tuple(
        ListOperation(recorded.arn_type, xform_name(operation), key, name)
        for recorded in MOTO_OPERATIONS
        if recorded.list_operation
        for operation, key, name in [recorded.list_operation]
    ),
}
_GLOBAL = ("s3", "iam", "s3control", "budgets", "ce", "bcm-data-exports")


def list_inventory(context: SandboxContext, services: Iterable[str]) -> Inventory:
    """Return the resources of these moto services in all accounts and Regions, without resources that AWS owns."""
    resources: Inventory = {}
    for service in sorted(set(services) & set(LIST_OPERATIONS)):
        for account, region in _list_accounts_and_regions(service):
            client = context.client(service, region, account)
            for listing in LIST_OPERATIONS[service]:
                names = sorted(_list_names(client, listing, service, account))
                if names:
                    resources.setdefault(service, {}).setdefault(listing.type, []).extend(names)
    return resources


def _list_accounts_and_regions(service: str) -> list[tuple[str, str]]:
    """Return the accounts and Regions in which the service may hold resources."""
    backends = get_backends(service)
    if service in _GLOBAL:
        return [(account, "us-east-1") for account in sorted(backends)]
    return sorted((account, region) for account in list(backends) for region in list(backends[account]))


def _list_names(client: Any, listing: ListOperation, service: str, account: str) -> Iterator[str]:
    arguments = dict(listing.arguments)
    if service in ("s3control", "budgets"):
        arguments["AccountId"] = account
    for item in _list_items(client, listing, arguments):
        name = item[listing.name] if listing.name else item
        if not _is_owned_by_aws(client, service, listing.type, name, item):
            yield name


def _list_items(client: Any, listing: ListOperation, arguments: dict[str, Any]) -> Iterator[Any]:
    if not client.can_paginate(listing.operation):
        yield from getattr(client, listing.operation)(**arguments).get(listing.key, [])
        return
    for page in client.get_paginator(listing.operation).paginate(**arguments):
        yield from page.get(listing.key, [])


def _is_owned_by_aws(client: Any, service: str, kind: str, name: str, item: Any) -> bool:
    """Return whether AWS owns a resource, or deletes it by itself.

    A deleted key is on its way out: AWS keeps it for at least a week.
    """
    if service == "kms" and kind == "alias":
        return str(name).startswith("alias/aws/")
    if service == "kms":
        metadata = client.describe_key(KeyId=name)["KeyMetadata"]
        return bool(metadata["KeyState"] == "PendingDeletion" or metadata["KeyManager"] == "AWS")
    if service == "glue":  # Feature Store creates it with the first offline store, and nothing deletes it
        return str(name) == "sagemaker_featurestore"
    return service == "iam" and str(item["Path"]).startswith("/aws-service-role/")
