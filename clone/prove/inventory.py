"""Inventory: every resource of a run that is in the account, by its name or its tag, and how each kind is deleted."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from clone.prove import activity
from clone.prove.evidence import Recorder
from clone.prove.settings import TAG, ProofSettings
from sustainable_mlops import aws
from sustainable_mlops.account import studio_apps

#: Days until a deleted key is gone; AWS takes no fewer.
KEY_DAYS = 7
#: Database of Glue in which Feature Store registers offline stores.
FEATURE_DATABASE = "sagemaker_featurestore"
#: Region of the billing services.
BILLING_REGION = "us-east-1"
#: Codes of services for what is not there.
_ABSENT = ("ResourceNotFound", "ResourceNotFoundException", "EntityNotFoundException", "NoSuchEntity", "NotFound")


@dataclass(frozen=True)
class FoundResource:
    """One resource of the run."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Kind:
    """One kind of resource: the operation that lists it, and the call that deletes one."""

    name: str
    service: str
    operation: str
    #: Response member that contains the resources, and member of each that names it; empty if it is the name itself.
    member: str
    identifier: str
    delete: Callable[[Any, str], object]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    #: Argument of the operation that takes the start of the names.
    prefix_argument: str = ""
    #: Region of the service, if it has only one.
    region: str = ""


def _build_call(operation: str, argument: str, **more: Any) -> Callable[[Any, str], object]:
    """Return a deletion by one request with the name in one argument."""
    return lambda client, name: getattr(client, operation)(**{argument: name, **more})


def _delete_bucket(s3: Any, name: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        keys = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
        if keys:
            s3.delete_objects(Bucket=name, Delete={"Objects": keys, "Quiet": True})
    s3.delete_bucket(Bucket=name)


def _delete_role(iam: Any, name: str) -> None:
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    iam.delete_role(RoleName=name)


def _delete_rule(events: Any, name: str) -> None:
    if targets := [one["Id"] for one in events.list_targets_by_rule(Rule=name)["Targets"]]:
        events.remove_targets(Rule=name, Ids=targets)
    events.delete_rule(Name=name)


def _delete_group(sagemaker: Any, name: str) -> None:
    delete_packages(sagemaker, name)
    sagemaker.delete_model_package_group(ModelPackageGroupName=name)


def delete_packages(sagemaker: Any, group: str) -> None:
    """Delete every version in a model package group: SageMaker deletes no group that holds one."""
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    for package in [package for page in pages for package in page["ModelPackageSummaryList"]]:
        sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])


def _deregister_target(scaling: Any, name: str) -> None:
    scaling.deregister_scalable_target(
        ServiceNamespace="sagemaker", ResourceId=name, ScalableDimension="sagemaker:variant:DesiredInstanceCount"
    )


def _delete_policy(iam: Any, arn: str) -> None:
    for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
    iam.delete_policy(PolicyArn=arn)


def _delete_domain(recorder: Recorder, domain: str, _: str) -> None:
    sagemaker = recorder.get_client("sagemaker")
    studio_apps.DomainCleaner(sagemaker, domain).clean()
    sagemaker.delete_domain(DomainId=domain, RetentionPolicy={"HomeEfsFileSystem": "Delete"})


def _delete_network(recorder: Recorder, vpc: str, _: str) -> None:
    """Delete a VPC with its endpoints, groups, subnets and route tables. SageMaker keeps interfaces for minutes."""
    ec2, filters = recorder.get_client("ec2"), [{"Name": "vpc-id", "Values": [vpc]}]
    endpoints = ec2.describe_vpc_endpoints(Filters=filters)["VpcEndpoints"]
    if ids := [one["VpcEndpointId"] for one in endpoints if one["State"].lower() not in ("deleting", "deleted")]:
        ec2.delete_vpc_endpoints(VpcEndpointIds=ids)
    groups = [
        one for one in ec2.describe_security_groups(Filters=filters)["SecurityGroups"] if one["GroupName"] != "default"
    ]
    for group in groups:
        if group["IpPermissions"]:
            ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
        if group["IpPermissionsEgress"]:
            ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
    for group in groups:
        ec2.delete_security_group(GroupId=group["GroupId"])
    for subnet in ec2.describe_subnets(Filters=filters)["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    for table in ec2.describe_route_tables(Filters=filters)["RouteTables"]:
        if not any(one.get("Main") for one in table["Associations"]):
            ec2.delete_route_table(RouteTableId=table["RouteTableId"])
    ec2.delete_vpc(VpcId=vpc)


#: Deletions of kinds whose listing needs the account, a tag or another name.
_OTHER_DELETIONS: dict[str, Callable[[Recorder, str, str], object]] = {
    "budget": lambda recorder, name, account: recorder.get_client("budgets", BILLING_REGION).delete_budget(
        AccountId=account, BudgetName=name
    ),
    "domain": _delete_domain,
    "identity provider": lambda recorder, arn, _: recorder.get_client("iam").delete_open_id_connect_provider(
        OpenIDConnectProviderArn=arn
    ),
    "parameter": lambda recorder, name, _: recorder.get_client("ssm").delete_parameter(Name=name),
    "VPC": _delete_network,
}
_OWN = {"Filters": [{"Key": "Owner", "Values": ["Self"]}]}
_SAGEMAKER: dict[str, Any] = {"service": "sagemaker", "prefix_argument": "NameContains"}
_CLOUDWATCH: dict[str, Any] = {"service": "cloudwatch", "prefix_argument": "AlarmNamePrefix"}

#: In the order in which they can be deleted.
KINDS = (
    Kind(
        "scalable target",
        "application-autoscaling",
        "describe_scalable_targets",
        "ScalableTargets",
        "ResourceId",
        _deregister_target,
        {"ServiceNamespace": "sagemaker"},
    ),
    Kind(
        "endpoint",
        operation="list_endpoints",
        member="Endpoints",
        identifier="EndpointName",
        delete=_build_call("delete_endpoint", "EndpointName"),
        **_SAGEMAKER,
    ),
    Kind(
        "endpoint configuration",
        operation="list_endpoint_configs",
        member="EndpointConfigs",
        identifier="EndpointConfigName",
        delete=_build_call("delete_endpoint_config", "EndpointConfigName"),
        **_SAGEMAKER,
    ),
    Kind(
        "model",
        operation="list_models",
        member="Models",
        identifier="ModelName",
        delete=_build_call("delete_model", "ModelName"),
        **_SAGEMAKER,
    ),
    Kind(
        "pipeline",
        "sagemaker",
        "list_pipelines",
        "PipelineSummaries",
        "PipelineName",
        _build_call("delete_pipeline", "PipelineName"),
        prefix_argument="PipelineNamePrefix",
    ),
    Kind(
        "feature group",
        operation="list_feature_groups",
        member="FeatureGroupSummaries",
        identifier="FeatureGroupName",
        delete=_build_call("delete_feature_group", "FeatureGroupName"),
        **_SAGEMAKER,
    ),
    Kind(
        "model package group",
        operation="list_model_package_groups",
        member="ModelPackageGroupSummaryList",
        identifier="ModelPackageGroupName",
        delete=_delete_group,
        **_SAGEMAKER,
    ),
    Kind(
        "composite alarm",
        operation="describe_alarms",
        member="CompositeAlarms",
        identifier="AlarmName",
        delete=lambda client, name: client.delete_alarms(AlarmNames=[name]),
        arguments={"AlarmTypes": ["CompositeAlarm"]},
        **_CLOUDWATCH,
    ),
    Kind(
        "alarm",
        operation="describe_alarms",
        member="MetricAlarms",
        identifier="AlarmName",
        delete=lambda client, name: client.delete_alarms(AlarmNames=[name]),
        **_CLOUDWATCH,
    ),
    Kind(
        "dashboard",
        "cloudwatch",
        "list_dashboards",
        "DashboardEntries",
        "DashboardName",
        lambda client, name: client.delete_dashboards(DashboardNames=[name]),
        prefix_argument="DashboardNamePrefix",
    ),
    Kind("event rule", "events", "list_rules", "Rules", "Name", _delete_rule, prefix_argument="NamePrefix"),
    Kind(
        "schedule group",
        "scheduler",
        "list_schedule_groups",
        "ScheduleGroups",
        "Name",
        _build_call("delete_schedule_group", "Name"),
        prefix_argument="NamePrefix",
    ),
    Kind("topic", "sns", "list_topics", "Topics", "TopicArn", _build_call("delete_topic", "TopicArn")),
    Kind(
        "queue",
        "sqs",
        "list_queues",
        "QueueUrls",
        "",
        _build_call("delete_queue", "QueueUrl"),
        prefix_argument="QueueNamePrefix",
    ),
    Kind(
        "runbook", "ssm", "list_documents", "DocumentIdentifiers", "Name", _build_call("delete_document", "Name"), _OWN
    ),
    Kind(
        "log group",
        "logs",
        "describe_log_groups",
        "logGroups",
        "logGroupName",
        _build_call("delete_log_group", "logGroupName"),
    ),
    Kind(
        "Glue table",
        "glue",
        "get_tables",
        "TableList",
        "Name",
        _build_call("delete_table", "Name", DatabaseName=FEATURE_DATABASE),
        {"DatabaseName": FEATURE_DATABASE},
    ),
    Kind(
        "script",
        operation="list_studio_lifecycle_configs",
        member="StudioLifecycleConfigs",
        identifier="StudioLifecycleConfigName",
        delete=_build_call("delete_studio_lifecycle_config", "StudioLifecycleConfigName"),
        **_SAGEMAKER,
    ),
    Kind(
        "repository",
        "ecr",
        "describe_repositories",
        "repositories",
        "repositoryName",
        _build_call("delete_repository", "repositoryName", force=True),
    ),
    Kind(
        "export",
        "bcm-data-exports",
        "list_exports",
        "Exports",
        "ExportArn",
        _build_call("delete_export", "ExportArn"),
        region=BILLING_REGION,
    ),
    Kind("bucket", "s3", "list_buckets", "Buckets", "Name", _delete_bucket),
    Kind("role", "iam", "list_roles", "Roles", "RoleName", _delete_role),
    Kind("policy", "iam", "list_policies", "Policies", "Arn", _delete_policy, {"Scope": "Local"}),
    Kind("key alias", "kms", "list_aliases", "Aliases", "AliasName", _build_call("delete_alias", "AliasName")),
)


def find_resources(
    recorder: Recorder, settings: ProofSettings, prefix: str = ""
) -> tuple[set[FoundResource], list[str]]:
    """Return the resources of the run in the account, and the errors of failed listings.

    With the name prefix of a module, return only the resources whose name contains it.
    """
    name_part = prefix or settings.name
    resources: set[FoundResource] = set()
    problems: list[str] = []
    for kind in KINDS:
        try:
            resources |= {FoundResource(kind.name, name) for name in _list_names(recorder, kind, name_part)}
        except (ClientError, BotoCoreError) as error:
            if not aws.read_error_code(error).startswith(_ABSENT):
                problems.append(f"{kind.name}: {error}")
    for noun, find_named in _NAMED_RESOURCES.items():
        try:
            resources |= set(find_named(recorder, settings, name_part))
        except (ClientError, BotoCoreError) as error:
            problems.append(f"{noun}: {error}")
    for noun, find_tagged in ({} if prefix else _TAGGED_RESOURCES).items():
        try:
            resources |= set(find_tagged(recorder, settings))
        except (ClientError, BotoCoreError) as error:
            problems.append(f"{noun}: {error}")
    return resources, problems


def _list_names(recorder: Recorder, kind: Kind, run: str) -> Iterator[str]:
    """Return the names of a kind that hold the run's name; Glue writes it with underscores."""
    client = recorder.get_client(kind.service, kind.region)
    arguments = dict(kind.arguments)
    if kind.prefix_argument:
        arguments[kind.prefix_argument] = run
    for item in list_pages(client, kind.operation, kind.member, **arguments):
        name = str(item[kind.identifier] if kind.identifier else item)
        if run in name.replace("_", "-"):
            yield name


def list_pages(client: Any, operation: str, member: str, **arguments: Any) -> Iterator[Any]:
    """Return every item of a listing, over all of its pages."""
    if not client.can_paginate(operation):
        yield from getattr(client, operation)(**arguments).get(member, [])
        return
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page.get(member) or []


def _find_activity(recorder: Recorder, _: ProofSettings, name_part: str) -> Iterator[FoundResource]:
    return (FoundResource(kind, name) for kind, name in activity.find_activities(recorder, name_part))


def _find_storage_lens(recorder: Recorder, settings: ProofSettings, name_part: str) -> Iterator[FoundResource]:
    answer = recorder.get_client("s3control").list_storage_lens_configurations(AccountId=settings.account)
    for one in answer.get("StorageLensConfigurationList", []):
        if name_part in one["Id"]:
            yield FoundResource("Storage Lens configuration", one["Id"])


def _find_budgets(recorder: Recorder, settings: ProofSettings, name_part: str) -> Iterator[FoundResource]:
    client = recorder.get_client("budgets", BILLING_REGION)
    for one in list_pages(client, "describe_budgets", "Budgets", AccountId=settings.account):
        if name_part in one["BudgetName"]:
            yield FoundResource("budget", one["BudgetName"])


def _find_domains(recorder: Recorder, _: ProofSettings, name_part: str) -> Iterator[FoundResource]:
    for one in list_pages(recorder.get_client("sagemaker"), "list_domains", "Domains"):
        if name_part in one["DomainName"]:
            yield FoundResource("domain", one["DomainId"])


def _find_parameters(recorder: Recorder, settings: ProofSettings, name_part: str) -> Iterator[FoundResource]:
    """Return the parameters of the temporary environment, whose name has no hyphen."""
    environment = settings.name.replace("-", "")
    if name_part not in (settings.name, f"{settings.name}-env"):
        return
    filters = [{"Key": "Name", "Option": "Contains", "Values": [f"/{environment}/"]}]
    for one in list_pages(recorder.get_client("ssm"), "describe_parameters", "Parameters", ParameterFilters=filters):
        yield FoundResource("parameter", one["Name"])


def _find_identity_providers(recorder: Recorder, settings: ProofSettings) -> Iterator[FoundResource]:
    iam = recorder.get_client("iam")
    for one in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
        tags = iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=one["Arn"])["Tags"]
        if {"Key": TAG, "Value": settings.name} in tags:
            yield FoundResource("identity provider", one["Arn"])


def _find_networks(recorder: Recorder, settings: ProofSettings) -> Iterator[FoundResource]:
    filters = [{"Name": f"tag:{TAG}", "Values": [settings.name]}]
    for one in list_pages(recorder.get_client("ec2"), "describe_vpcs", "Vpcs", Filters=filters):
        yield FoundResource("VPC", one["VpcId"])


def _find_keys(recorder: Recorder, settings: ProofSettings) -> Iterator[FoundResource]:
    """Return the keys with the run's tag that are not scheduled for deletion."""
    tags = recorder.get_client("resourcegroupstaggingapi")
    arguments = {"TagFilters": [{"Key": TAG, "Values": [settings.name]}], "ResourceTypeFilters": ["kms:key"]}
    for one in list_pages(tags, "get_resources", "ResourceTagMappingList", **arguments):
        arn = one["ResourceARN"]
        state = recorder.get_client("kms").describe_key(KeyId=arn)["KeyMetadata"]["KeyState"]
        if state != "PendingDeletion":
            yield FoundResource("key", arn)


#: Functions that find further resources by the run's name.
_NAMED_RESOURCES = {
    "executions and jobs": _find_activity,
    "Storage Lens configurations": _find_storage_lens,
    "budgets": _find_budgets,
    "domains": _find_domains,
    "parameters": _find_parameters,
}
#: Functions that find resources by the run's tag. A module's own ones are in its state.
_TAGGED_RESOURCES = {
    "keys": _find_keys,
    "identity providers": _find_identity_providers,
    "networks": _find_networks,
}


def delete_resource(recorder: Recorder, resource: FoundResource, account: str) -> None:
    """Delete one resource, or stop one execution or job. Raises ClientError if AWS refuses."""
    if resource.kind in activity.KINDS:
        activity.stop_activity(recorder, resource.kind, resource.name)
        return
    if resource.kind == "key":
        recorder.get_client("kms").schedule_key_deletion(
            KeyId=resource.name.rpartition("/")[2], PendingWindowInDays=KEY_DAYS
        )
        return
    if resource.kind in _OTHER_DELETIONS:
        _OTHER_DELETIONS[resource.kind](recorder, resource.name, account)
        return
    if resource.kind == "Storage Lens configuration":
        recorder.get_client("s3control").delete_storage_lens_configuration(ConfigId=resource.name, AccountId=account)
        return
    kind = next(one for one in KINDS if one.name == resource.kind)
    kind.delete(recorder.get_client(kind.service, kind.region), resource.name)


def sort_resources(resources: set[FoundResource]) -> list[FoundResource]:
    """Return resources in the order in which they can be deleted."""
    names = [*activity.KINDS, "domain", *(kind.name for kind in KINDS)]
    return sorted(resources, key=lambda one: (names.index(one.kind) if one.kind in names else len(names), one.name))
