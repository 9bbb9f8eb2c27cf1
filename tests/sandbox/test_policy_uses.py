"""Each use of IAM policies calls the one evaluator: four policies that weaker evaluators allow. No sandbox runs.

The policies are a Deny for every principal whose condition is met, a grant to another role of the account, a Deny with
NotPrincipal, and a Deny with a variable in its resource.
"""

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from flask import Flask
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from sagemaker_sandbox.base.context import SandboxContext
from sagemaker_sandbox.base.errors import AccessDeniedError, ValidationError
from sagemaker_sandbox.feature_store import offline_store_keys
from sagemaker_sandbox.iam import permissions, roles
from sagemaker_sandbox.iam.evaluation import Principal
from sagemaker_sandbox.iam.permissions import DeliveryNotPermittedError, ServiceCall
from sagemaker_sandbox.moto_patches import s3_log_delivery, s3_policy_conditions, sns_subscriptions
from sagemaker_sandbox.sagemaker import resource_lookup
from sagemaker_sandbox.sagemaker.model_packages import ModelPackageGroups
from sagemaker_sandbox.services.dataexports import destinations as export_destinations
from sagemaker_sandbox.services.policy_simulation import PolicySimulationOperations
from sagemaker_sandbox.services.registry import ServiceRequest
from tests.cases import check_cases
from tests.clone.deployer.calls import list_refused

ACCOUNT, OTHER, REGION = "123456789012", "210987654321", "eu-north-1"
ROLE, OTHER_ROLE = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("jobs", "other"))
TOPIC, QUEUE = (f"arn:aws:{service}:{REGION}:{ACCOUNT}:x" for service in ("sns", "sqs"))
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
BUCKET = "exports"
RULE, ALARM = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/r", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:a"
PACKAGE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/{OTHER}/1"
EVENTS, ALARMS, LOGS = "events.amazonaws.com", "cloudwatch.amazonaws.com", "logging.s3.amazonaws.com"
EXPORTS, SNS = "bcm-data-exports.amazonaws.com", "sns.amazonaws.com"
SAGEMAKER = "sagemaker.amazonaws.com"

Statement = dict[str, Any]


def build_document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


class FakeRole:
    """moto's role, with one policy."""

    arn, name = ROLE, "jobs"
    permissions_boundary_arn = None

    def __init__(self, policy: str = build_document(ALLOW_ALL), trust: str = "{}") -> None:
        self.policies, self.managed_policies = {"policy": policy}, dict[str, Any]()
        self.assume_role_policy_document = trust


class FakeClient:
    """Clients of SNS, SQS and KMS, for a topic, a queue and a key that have policies."""

    def __init__(self, policy: str, key_policy: str = "") -> None:
        self._attributes = {"Policy": policy, **({"KmsMasterKeyId": KEY} if key_policy else {})}
        self._key_policy = key_policy

    def get_topic_attributes(self, **_: str) -> Any:
        return {"Attributes": self._attributes}

    def get_queue_url(self, **_: str) -> Any:
        return {"QueueUrl": ""}

    def get_queue_attributes(self, **_: Any) -> Any:
        return {"Attributes": self._attributes}

    def describe_key(self, **_: str) -> Any:
        return {"KeyMetadata": {"Arn": KEY}}

    def get_key_policy(self, **_: str) -> Any:
        return {"Policy": self._key_policy}


class Use(NamedTuple):
    """A use of policies. `allows` returns its decision with a policy of some statements."""

    allows: Callable[[pytest.MonkeyPatch, str], bool]
    #: Statement that allows the request.
    grant: Statement
    #: A condition key of the request with its value.
    known_key: tuple[str, str]
    #: ARN of the resource with a variable; empty for a trust policy, which names no resource.
    variable_arn: str = ""
    #: False if the policy belongs to a principal, and names none.
    has_principals: bool = True


def is_done(action: Callable[[], object]) -> bool:
    """Return whether an action is not refused."""
    try:
        action()
    except (AccessDeniedError, DeliveryNotPermittedError, ValidationError):
        return False
    return True


def make_context(client: FakeClient) -> SandboxContext:
    context: Any = SimpleNamespace(client=lambda *_: client)
    return context  # type: ignore[no-any-return]


def set_role(monkeypatch: pytest.MonkeyPatch, role: FakeRole) -> None:
    monkeypatch.setattr(roles, "find_role", lambda _, arn: role if arn == ROLE else None)


def trusts_service(monkeypatch: pytest.MonkeyPatch, policy: str) -> bool:
    set_role(monkeypatch, FakeRole(trust=policy))
    return roles.can_assume(ACCOUNT, ROLE, SAGEMAKER, {"aws:SourceAccount": ACCOUNT})


def receives_event(_: pytest.MonkeyPatch, policy: str) -> bool:
    call = ServiceCall("sqs", "SendMessage", {}, QUEUE)
    context = make_context(FakeClient(policy))
    return is_done(lambda: permissions.check_service(context, EVENTS, call, RULE))


def receives_alarm(_: pytest.MonkeyPatch, policy: str) -> bool:
    call = ServiceCall("sns", "Publish", {}, TOPIC)
    context = make_context(FakeClient(policy))
    return is_done(lambda: permissions.check_service(context, ALARMS, call, ALARM, owner=ACCOUNT))


def lets_service_use_key(_: pytest.MonkeyPatch, policy: str) -> bool:
    topic = build_document(ALLOW_ALL | {"Principal": "*"})
    call = ServiceCall("sns", "Publish", {}, TOPIC)
    context = make_context(FakeClient(topic, policy))
    return is_done(lambda: permissions.check_service(context, ALARMS, call, ALARM))


def lets_role_use_key(monkeypatch: pytest.MonkeyPatch, policy: str) -> bool:
    set_role(monkeypatch, FakeRole())
    call = ServiceCall("sns", "Publish", {}, TOPIC)
    return is_done(lambda: permissions.check_role_key(make_context(FakeClient("{}", policy)), ACCOUNT, ROLE, call))


def lets_feature_group_use_key(monkeypatch: pytest.MonkeyPatch, policy: str) -> bool:
    set_role(monkeypatch, FakeRole())
    monkeypatch.setattr(resource_lookup, "find_key", lambda *_: (KEY, policy))
    region: Any = SimpleNamespace(account_id=ACCOUNT)
    request = {"RoleArn": ROLE, "OfflineStoreConfig": {"S3StorageConfig": {"KmsKeyId": KEY}}}
    return is_done(lambda: offline_store_keys.check_key(region, request))


def receives_notification(monkeypatch: pytest.MonkeyPatch, policy: str) -> bool:
    queue = SimpleNamespace(policy=policy, queue_arn=QUEUE, kms_master_key_id=None)
    backend = SimpleNamespace(queues={"x": queue})
    monkeypatch.setattr(sns_subscriptions, "sqs_backends", {ACCOUNT: {REGION: backend}})
    subscription = SimpleNamespace(protocol="sqs", endpoint=QUEUE, topic=SimpleNamespace(arn=TOPIC))
    return sns_subscriptions._find_obstacle(subscription) is None


def lets_notifications_use_key(monkeypatch: pytest.MonkeyPatch, policy: str) -> bool:
    key = SimpleNamespace(policy=policy, arn=KEY)
    backend = SimpleNamespace(describe_key=lambda _: key)
    monkeypatch.setattr(sns_subscriptions, "kms_backends", {ACCOUNT: {REGION: backend}})
    keys: dict[str, str | None] = {"aws:SourceArn": TOPIC, "aws:SourceAccount": ACCOUNT}
    return sns_subscriptions._find_key_obstacle(KEY, ACCOUNT, REGION, keys) is None


def receives_export(monkeypatch: pytest.MonkeyPatch, policy: str) -> bool:
    bucket = SimpleNamespace(name=BUCKET, policy=policy.encode(), region_name=REGION)
    monkeypatch.setattr(export_destinations, "_find_bucket", lambda *_: bucket)
    destination = {"S3Bucket": BUCKET, "S3Region": REGION, "S3Prefix": ACCOUNT}
    definition = {"Name": "carbon", "DestinationConfigurations": {"S3Destination": destination}}
    arn = f"arn:aws:bcm-data-exports:us-east-1:{ACCOUNT}:export/carbon"
    return is_done(lambda: export_destinations.check_destination(ACCOUNT, arn, definition))


def receives_access_logs(monkeypatch: pytest.MonkeyPatch, policy: str) -> bool:
    monkeypatch.setattr(FakeBucket, "_log_permissions_enabled_policy", None)
    s3_log_delivery.apply()
    bucket = SimpleNamespace(name=BUCKET, partition="aws", policy=policy.encode())
    return bool(FakeBucket._log_permissions_enabled_policy(bucket, f"{LOGS}/"))


def permits_anonymous(monkeypatch: pytest.MonkeyPatch, policy: str) -> bool:
    monkeypatch.setattr(FakeBucket, "get_permission", None)
    s3_policy_conditions.apply()
    bucket: Any = SimpleNamespace(account_id=ACCOUNT, policy=policy.encode())
    with Flask("s3").test_request_context(headers={"x-amz-server-side-encryption": "AES256"}):
        permission = FakeBucket.get_permission(bucket, "s3:PutObject", f"arn:aws:s3:::{BUCKET}/AES256/x")
    return permission is PermissionResult.PERMITTED


def shares_package(monkeypatch: pytest.MonkeyPatch, policy: str) -> bool:
    groups = ModelPackageGroups(SimpleNamespace(account_id=ACCOUNT, name=REGION))  # type: ignore[arg-type]
    group: Any = SimpleNamespace(private={"policy": policy})
    monkeypatch.setattr(groups, "find", lambda _: group)
    visitor = Principal.build_session(f"arn:aws:iam::{OTHER}:role/jobs", "night")
    return is_done(lambda: groups.check_access(visitor, "sagemaker:DescribeModelPackage", PACKAGE))


def permits_role(monkeypatch: pytest.MonkeyPatch, policy: str) -> bool:
    set_role(monkeypatch, FakeRole(policy))
    return is_done(lambda: permissions._check_action(ACCOUNT, ROLE, ServiceCall("sns", "Publish", {}, TOPIC), {}))


def simulates_permission(monkeypatch: pytest.MonkeyPatch, policy: str) -> bool:
    set_role(monkeypatch, FakeRole(policy))
    parameters = {"PolicySourceArn": ROLE, "ActionNames": ["sns:Publish"], "ResourceArns": [TOPIC]}
    response = PolicySimulationOperations().simulate_principal_policy(ServiceRequest(ACCOUNT, REGION, parameters))
    return bool(response["EvaluationResults"][0]["EvalDecision"] == "allowed")


def suffices_for_deployer(_: pytest.MonkeyPatch, policy: str) -> bool:
    call = {"service": "sns", "operation": "Publish", "parameters": {"TopicArn": TOPIC}, "user_agent": "Terraform"}
    document: Any = SimpleNamespace(statements=json.loads(policy)["Statement"])
    return list_refused([call], [document]) == []


def allow_service(service: str) -> Statement:
    return ALLOW_ALL | {"Principal": {"Service": service}}


def deny_all(**principal: Any) -> Statement:
    return {"Effect": "Deny", "Action": "*", "Resource": "*", **principal}


OF_ROLE = ALLOW_ALL | {"Principal": {"AWS": ROLE}}
OF_ACCOUNT = ALLOW_ALL | {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
TRUST = {"Effect": "Allow", "Principal": {"Service": SAGEMAKER}, "Action": "sts:AssumeRole"}
BY_ROLE = ("aws:PrincipalArn", ROLE)
FROM_RULE, FROM_ALARM, FROM_TOPIC = (("aws:SourceArn", arn) for arn in (RULE, ALARM, TOPIC))


def replace_account(arn: str, key: str) -> str:
    """Return the ARN with a variable in place of its account."""
    return arn.replace(ACCOUNT, f"${{{key}}}")


OF_PRINCIPAL = replace_account(TOPIC, "aws:PrincipalAccount")
USES = {
    "trust policy": Use(trusts_service, TRUST, ("aws:SourceAccount", ACCOUNT)),
    "queue of a rule": Use(
        receives_event, allow_service(EVENTS), FROM_RULE, replace_account(QUEUE, "aws:SourceAccount")
    ),
    "topic of an alarm, by its account": Use(
        receives_alarm, OF_ACCOUNT, FROM_ALARM, replace_account(TOPIC, "aws:SourceAccount")
    ),
    "topic of an alarm, by the service": Use(
        receives_alarm, allow_service(ALARMS), FROM_ALARM, replace_account(TOPIC, "aws:SourceAccount")
    ),
    "key of a topic": Use(
        lets_service_use_key, allow_service(ALARMS), FROM_ALARM, replace_account(KEY, "aws:SourceAccount")
    ),
    "key of a topic, by a role": Use(lets_role_use_key, OF_ROLE, BY_ROLE, replace_account(KEY, "aws:PrincipalAccount")),
    "key of an offline store": Use(
        lets_feature_group_use_key, OF_ROLE, BY_ROLE, replace_account(KEY, "aws:PrincipalAccount")
    ),
    "queue of a topic": Use(
        receives_notification, allow_service(SNS), FROM_TOPIC, replace_account(QUEUE, "aws:SourceAccount")
    ),
    "key of a queue of a topic": Use(
        lets_notifications_use_key, allow_service(SNS), FROM_TOPIC, replace_account(KEY, "aws:SourceAccount")
    ),
    "bucket of an export": Use(
        receives_export,
        allow_service(EXPORTS),
        ("aws:SourceAccount", ACCOUNT),
        f"arn:aws:s3:::{BUCKET}/${{aws:SourceAccount}}/*",
    ),
    "bucket of access logs": Use(
        receives_access_logs,
        allow_service(LOGS),
        ("aws:PrincipalServiceName", LOGS),
        f"arn:aws:s3:::{BUCKET}/${{aws:PrincipalServiceName}}/*",
    ),
    "bucket without a signature": Use(
        permits_anonymous,
        ALLOW_ALL | {"Principal": "*"},
        ("s3:x-amz-server-side-encryption", "AES256"),
        f"arn:aws:s3:::{BUCKET}/${{s3:x-amz-server-side-encryption}}/*",
    ),
    "shared model package": Use(
        shares_package,
        ALLOW_ALL | {"Principal": {"AWS": OTHER}},
        ("aws:PrincipalAccount", OTHER),
        f"arn:aws:sagemaker:{REGION}:*:model-package/${{aws:PrincipalAccount}}/*",
    ),
    "role": Use(permits_role, ALLOW_ALL, BY_ROLE, OF_PRINCIPAL, False),
    "simulated role": Use(simulates_permission, ALLOW_ALL, BY_ROLE, OF_PRINCIPAL, False),
    "documents of a deployer": Use(
        suffices_for_deployer, ALLOW_ALL, ("aws:SecureTransport", "true"), OF_PRINCIPAL, False
    ),
}


def list_refusing_policies(use: Use) -> Iterator[tuple[str, list[Statement]]]:
    """Yield the policies that can occur in a use, with their names."""
    rest: Statement = {"Action": "*", "Resource": "*"} if use.variable_arn else {"Action": "sts:AssumeRole"}
    deny = {"Effect": "Deny", **rest, **({"Principal": "*"} if use.has_principals else {})}
    yield "condition", [use.grant, deny | {"Condition": {"StringEquals": dict([use.known_key])}}]
    if use.variable_arn:
        yield "variable", [use.grant, deny | {"Resource": use.variable_arn}]
    if use.has_principals:
        others = {"AWS": [OTHER_ROLE, f"arn:aws:iam::{OTHER}:role/other"], "Service": "ec2.amazonaws.com"}
        yield "grant to others", [use.grant | {"Principal": others}]
        yield "NotPrincipal", [use.grant, {"Effect": "Deny", **rest, "NotPrincipal": others}]


@check_cases("name", USES)
def test_a_use_of_policies_allows_what_a_policy_grants(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        assert USES[name].allows(patch, build_document(USES[name].grant))


@check_cases(
    ("statements", "is_allowed"),
    [
        ([OF_ACCOUNT, deny_all(NotPrincipal={"Service": ALARMS})], False),
        ([OF_ACCOUNT, deny_all(Principal={"Service": ALARMS})], False),
        ([allow_service(ALARMS), deny_all(NotPrincipal={"Service": ALARMS})], True),
        ([allow_service(ALARMS), deny_all(Principal={"AWS": ACCOUNT})], True),
    ],
)
def test_a_deny_for_the_service_of_alarms_precedes_the_permission_of_its_account(
    statements: list[Statement], is_allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert receives_alarm(monkeypatch, build_document(*statements)) is is_allowed


@check_cases(
    ("name", "policy", "statements"),
    [(name, policy, statements) for name, use in USES.items() for policy, statements in list_refusing_policies(use)],
    ids=[f"{name}: {policy}" for name, use in USES.items() for policy, _ in list_refusing_policies(use)],
)
def test_a_use_of_policies_refuses_what_iam_refuses(
    name: str, policy: str, statements: list[Statement], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        assert not USES[name].allows(patch, build_document(*statements)), policy
