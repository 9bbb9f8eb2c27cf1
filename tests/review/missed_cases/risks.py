"""Weaker protection of data, and wider privileges, that an earlier version missed."""

import json
from typing import Any

from tests.plan.plan_builder import build_change, build_document
from tests.review.missed_cases.case import Case

_OWN, _OTHER = "123456789012", "999999999999"
_ROLE_ARN = f"arn:aws:iam::{_OWN}:role"
#: Tells which account is one's own.
_CALLER = build_change("data.aws_caller_identity.me", {"account_id": _OWN}, actions=["read"])


def _policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def _role(name: str, **more: Any) -> dict[str, Any]:
    trust = _policy(Principal={"Service": "redshift.amazonaws.com"}, Action="sts:AssumeRole")
    return {"name": name, "id": name, "arn": f"{_ROLE_ARN}/{name}", "assume_role_policy": trust, **more}


def _build_creation(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    return build_document(_CALLER, build_change(f"{kind}.this", values))


def _build_update(kind: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return build_document(_CALLER, build_change(f"{kind}.this", {"id": "x", **new}, before={"id": "x", **old}))


def _snapshots(count: int, state: str = "ENABLED") -> dict[str, Any]:
    schedule = {
        "name": "daily",
        "create_rule": [{"interval": 24, "interval_unit": "HOURS", "times": ["03:00"]}],
        "retain_rule": [{"count": count}],
    }
    details = {"resource_types": ["VOLUME"], "target_tags": {"backup": "yes"}, "schedule": [schedule]}
    return {"state": state, "policy_details": [details]}


def _build_role_change(kind: str, path: str, loaded: Any, load: Any) -> dict[str, Any]:
    """Return a plan in which a resource changes its role to one that allows everything."""
    every = {"role": "load", "policy": _policy(Action="*", Resource="*")}
    return build_document(
        _CALLER,
        build_change(f"{kind}.this", {"name": "x", path: load}, before={"name": "x", path: loaded}),
        build_change("aws_iam_role.load", _role("load"), before=_role("load")),
        build_change("aws_iam_role_policy.load", every, before=every),
    )


def _step(role: str) -> str:
    return json.dumps({"States": {"Train": {"Type": "Task", "Parameters": {"RoleArn": f"{_ROLE_ARN}/{role}"}}}})


CASES = {
    "snapshots by the Data Lifecycle Manager switched off": Case(
        _build_update("aws_dlm_lifecycle_policy", _snapshots(30), _snapshots(30, "DISABLED")),
        "stop",
        "this policy no longer makes snapshots",
    ),
    "a policy of the Data Lifecycle Manager deleted": Case(
        build_document(build_change("aws_dlm_lifecycle_policy.this", before=_snapshots(30))),
        "stop",
        "this policy no longer makes snapshots",
    ),
    "snapshots kept for a day": Case(
        _build_update("aws_dlm_lifecycle_policy", _snapshots(30), _snapshots(1)), "stop", "deleted earlier"
    ),
    "a backup selection that leaves a table out": Case(
        _build_update("aws_backup_selection", {"resources": ["a", "b"]}, {"resources": ["a"]}),
        "stop",
        "some selected resources are no longer backed up",
    ),
    "a file system that is not copied any more": Case(
        build_document(
            build_change("aws_efs_replication_configuration.this", before={"source_file_system_id": "fs-1"})
        ),
        "stop",
        "the file system is no longer replicated",
    ),
    "an archive of events kept for a day": Case(
        _build_update("aws_cloudwatch_event_archive", {"retention_days": 365}, {"retention_days": 1}),
        "stop",
        "retention_days: 365 → 1: older data will be deleted",
    ),
    "an audit trail kept for less time": Case(
        _build_update("aws_cloudtrail_event_data_store", {"retention_period": 2555}, {"retention_period": 365}),
        "stop",
        "older events will be deleted",
    ),
    "a share opened to other organizations": Case(
        _build_update(
            "aws_ram_resource_share", {"allow_external_principals": False}, {"allow_external_principals": True}
        ),
        "stop",
        "accounts outside the organization can get access",
    ),
    "an event bus that another account may use": Case(
        build_document(
            _CALLER, build_change("aws_cloudwatch_event_permission.this", {"principal": _OTHER, "statement_id": "s"})
        ),
        "stop",
        f"another account: {_OTHER}",
    ),
    "a cluster that runs as a role which may do everything": Case(
        _build_role_change(
            "aws_redshift_cluster_iam_roles", "iam_role_arns", [f"{_ROLE_ARN}/read"], [f"{_ROLE_ARN}/load"]
        ),
        "stop",
        "all actions of all services",
    ),
    "guests who get a role": Case(
        _build_creation(
            "aws_cognito_identity_pool_roles_attachment", {"roles": {"unauthenticated": f"{_ROLE_ARN}/load"}}
        ),
        "stop",
        "unauthenticated users can assume this role",
    ),
    "an identity pool opened to guests": Case(
        _build_update(
            "aws_cognito_identity_pool",
            {"allow_unauthenticated_identities": False},
            {"allow_unauthenticated_identities": True},
        ),
        "stop",
        "unauthenticated users get credentials",
    ),
    "a document that everyone may use": Case(
        _build_creation("aws_ssm_document", {"name": "d", "permissions": {"type": "Share", "account_ids": "All"}}),
        "stop",
        "lets everyone use d",
    ),
    "a document that another account may use": Case(
        _build_creation(
            "aws_ssm_document", {"name": "d", "permissions": {"type": "Share", "account_ids": f"{_OWN},{_OTHER}"}}
        ),
        "stop",
        f"another account: {_OTHER}",
    ),
    "an access point onto another account's bucket": Case(
        _build_creation("aws_s3_access_point", {"bucket": "b", "bucket_account_id": _OTHER}),
        "stop",
        f"another account: {_OTHER}",
    ),
    "objects copied to another account": Case(
        _build_creation(
            "aws_s3_bucket_replication_configuration",
            {"bucket": "b", "rule": [{"id": "a"}, {"id": "b", "destination": [{"account": _OTHER}]}]},
        ),
        "stop",
        f"another account: {_OTHER}",
    ),
    "logs sent to another account": Case(
        _build_creation(
            "aws_cloudwatch_log_subscription_filter",
            {"log_group_name": "g", "destination_arn": f"arn:aws:logs:eu-north-1:{_OTHER}:destination:d"},
        ),
        "stop",
        f"another account: {_OTHER}",
    ),
    "a network joined to another account's": Case(
        _build_creation("aws_vpc_peering_connection", {"vpc_id": "vpc-1", "peer_owner_id": _OTHER}),
        "stop",
        f"another account: {_OTHER}",
    ),
    "clusters that may be open to the internet": Case(
        _build_update(
            "aws_emr_block_public_access_configuration",
            {"block_public_security_group_rules": True},
            {"block_public_security_group_rules": False},
        ),
        "stop",
        "clusters may be open to the internet",
    ),
    "files deleted where they are copied to": Case(
        _build_update(
            "aws_datasync_task",
            {"options": [{"preserve_deleted_files": "PRESERVE"}]},
            {"options": [{"preserve_deleted_files": "REMOVE"}]},
        ),
        "stop",
        "files that are missing in the source will be deleted",
    ),
    "a cluster whose endpoint is opened to the internet": Case(
        _build_update(
            "aws_eks_cluster",
            {"vpc_config": [{"endpoint_public_access": False}]},
            {"vpc_config": [{"endpoint_public_access": True}]},
        ),
        "stop",
        "reachable from the internet",
    ),
    "a cluster whose endpoint every network may reach": Case(
        _build_update(
            "aws_eks_cluster",
            {"vpc_config": [{"public_access_cidrs": ["10.0.0.0/8"]}]},
            {"vpc_config": [{"public_access_cidrs": ["0.0.0.0/0"]}]},
        ),
        "stop",
        "reachable from the whole internet",
    ),
    "a workflow whose step runs as a role which may do everything": Case(
        _build_role_change("aws_sfn_state_machine", "definition", _step("read"), _step("load")),
        "stop",
        "all actions of all services",
    ),
}
