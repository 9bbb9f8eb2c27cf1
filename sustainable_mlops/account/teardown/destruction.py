"""Destruction of an environment, with the apps, packages and log groups that would stop Terraform."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.account.applied_environment import find_account, read_settings
from sustainable_mlops.account.studio_apps import DomainCleaner
from sustainable_mlops.account.teardown.deletion_protection import check_unprotected
from sustainable_mlops.account.teardown.late_log_groups import JobMarks, LateLogGroups, LogGroup
from sustainable_mlops.account.teardown.tracking_servers import wait_for_servers
from sustainable_mlops.aws import AccountClients, Arn, Client
from sustainable_mlops.base.terraform import Terraform
from sustainable_mlops.base.terraform_state import State


def destroy(
    terraform: Terraform,
    progress: Callable[[str], None] = lambda _: None,
    *,
    refresh: bool = True,
    late_seconds: float = 0,
    report_line: Callable[[str], None] = lambda _: None,
) -> int:
    """Destroy an environment and return the number of destroyed resources.

    Without `refresh`, Terraform uses the state as it is. Jobs and endpoints can write log lines after the deletion of
    their log groups, which creates the groups again. Such groups are deleted if they appear within `late_seconds`. A
    shared log group with a job of another environment stays. The command removes it from the state, and reports this.

    Queues, apps and spaces of Studio domains, and model packages are deleted before Terraform starts: some versions of
    the provider wait two minutes after the deletion of a queue, and SageMaker refuses to delete a domain with apps or
    spaces, or a group with packages. Terraform starts only when no tracking server is changing its status.
    Raises UserError, as `check_unprotected`, AccountClients.check and the plan of the destruction do, before anything
    is deleted.
    """
    state = terraform.read_state()
    check_unprotected(terraform, state)
    platform: dict[str, Any] = state.outputs.get("platform", {})
    settings = read_settings(terraform)
    log_group_arns = _list_arns(state, "aws_cloudwatch_log_group")
    packages, roles = _list_arns(state, "aws_sagemaker_model_package_group"), _list_arns(state, "aws_iam_role")
    domains = _list_arns(state, "aws_sagemaker_domain")
    servers = _list_arns(state, "aws_sagemaker_mlflow_tracking_server")
    account = find_account(settings, platform, [*log_group_arns, *packages, *domains, *servers])
    prefix = settings.get("name_prefix") or platform.get("name_prefix")
    marks = JobMarks(prefix, frozenset([*roles, *platform.get("roles", {}).values()]))
    if account is not None:
        account.check()
    with TemporaryDirectory() as folder:
        plan = Path(folder) / "destroy.tfplan"
        options = ("plan", "-destroy", f"-refresh={str(refresh).lower()}", f"-out={plan}")
        progress("plan of the destruction")
        terraform.run(*options)  # a lock or a lifecycle rule ends it
        if account is not None:
            late_groups = LateLogGroups(account, marks, report_line, has_settings=bool(settings))
            progress("log groups of jobs")
            done_addresses = [
                address for address, group in _list_groups(state, account) if late_groups.report_foreign_stream(group)
            ]
            progress("queues")
            done_addresses += _delete_queues(state, account)
            if done_addresses:
                terraform.run("state", "rm", *done_addresses)
                state = terraform.read_state()
                terraform.run(*options)
            _clean_domains(state, account, progress)
            for server in state.list_attributes("aws_sagemaker_mlflow_tracking_server"):
                sagemaker = account.client("sagemaker", _get_region(server, account))
                wait_for_servers(sagemaker, [server["tracking_server_name"]], progress)
            progress("model packages")
            _delete_packages(state, account)
        total = len(state.instances)
        result = terraform.apply(str(plan), progress=lambda at: progress(str(replace(at, total=total))))
    if account is not None:
        late_groups.delete([group for _, group in _list_groups(state, account)], late_seconds, progress)
    return result.changes_done


def _list_groups(state: State, account: AccountClients) -> list[tuple[str, LogGroup]]:
    """Return the log groups of the account in the state, with their addresses."""
    groups = [
        (address, LogGroup.from_arn(attributes["arn"]))
        for address, attributes in state.list_instances("aws_cloudwatch_log_group")
        if attributes.get("arn")
    ]
    return [(address, group) for address, group in groups if group.account_id == account.account_id]


def _list_arns(state: State, resource_type: str) -> list[str]:
    """Return the ARN of every resource of a type in the state, except after an interrupted creation."""
    return [attributes["arn"] for attributes in state.list_attributes(resource_type) if attributes.get("arn")]


def _get_region(attributes: Mapping[str, Any], account: AccountClients) -> str:
    """Return the Region of a resource. An interrupted creation leaves no ARN in the state."""
    arn = attributes.get("arn")
    return str(Arn.parse(arn).region if arn else attributes.get("region") or account.region)


def _clean_domains(state: State, account: AccountClients, progress: Callable[[str], None]) -> None:
    """End the apps, spaces and users of each domain in the state, except the users in the state."""
    users = state.list_attributes("aws_sagemaker_user_profile")
    for domain in state.list_attributes("aws_sagemaker_domain"):
        kept_users = {user["user_profile_name"] for user in users if user["domain_id"] == domain["id"]}
        sagemaker = account.client("sagemaker", _get_region(domain, account))
        DomainCleaner(sagemaker, domain["id"], kept_users, progress).clean()


def _delete_queues(state: State, account: AccountClients) -> list[str]:
    """Delete the queues of the account in the state. Return their addresses, and those of their policies."""
    addresses, urls = [], set()
    for address, queue in state.list_instances("aws_sqs_queue"):
        arn = Arn.parse_or_none(queue.get("arn") or "")
        if arn is None or arn.account != account.account_id:
            continue
        sqs = account.client("sqs", str(arn.region))
        with aws.translate_aws_errors(f"queue {queue['name']}"), suppress(sqs.exceptions.QueueDoesNotExist):
            sqs.delete_queue(QueueUrl=queue["url"])
        addresses.append(address)
        urls.add(queue["url"])
    policies = state.list_instances("aws_sqs_queue_policy")
    return addresses + [address for address, policy in policies if policy["queue_url"] in urls]


def _delete_packages(state: State, account: AccountClients) -> None:
    """Delete the packages of each model package group in the state."""
    for attributes in state.list_attributes("aws_sagemaker_model_package_group"):
        group = attributes["model_package_group_name"]
        sagemaker = account.client("sagemaker", _get_region(attributes, account))
        with aws.translate_aws_errors(f"model package group {group}"):
            for package in _list_packages(sagemaker, group):
                sagemaker.delete_model_package(ModelPackageName=package)


def _list_packages(sagemaker: Client, group: str) -> list[str]:
    """Return the ARNs of the packages in a group; none if the group does not exist."""
    from botocore.exceptions import ClientError

    try:
        pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        return [package["ModelPackageArn"] for page in pages for package in page["ModelPackageSummaryList"]]
    except ClientError as error:
        if aws.read_error_code(error) != "ValidationException":
            raise
        return []
