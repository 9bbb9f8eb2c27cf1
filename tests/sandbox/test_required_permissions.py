"""Permissions that a request needs: their resources and condition keys. No sandbox runs."""

from typing import Any

import pytest
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends

from sagemaker_sandbox.enforcement import resource_policies
from sagemaker_sandbox.enforcement.operations import RequestedOperation
from sagemaker_sandbox.enforcement.required_permissions import list_required_permissions
from sagemaker_sandbox.enforcement.resource_policies import find_key_arn, find_resource

ACCOUNT, REGION = "333344445555", "eu-north-1"
BOUNDARY, OTHER_BOUNDARY = (f"arn:aws:iam::{ACCOUNT}:policy/{name}" for name in ("boundary", "other"))
ROLE_CHANGES = (
    "AttachRolePolicy",
    "DeleteRolePermissionsBoundary",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "PutRolePolicy",
)


@pytest.fixture(autouse=True)
def iam() -> Any:
    """Yield moto's IAM of the account, with two roles and an instance profile."""
    backend = iam_backends[ACCOUNT]["aws"]
    for name, boundary in (("bounded", BOUNDARY), ("unbounded", None)):
        backend.create_role(name, "{}", "/mlops/", boundary, "", [], "3600")
    backend.create_instance_profile("profile", "/mlops/", [], [])
    backend.create_user(REGION, "ana", "/people/")
    yield backend
    backend.reset()


def list_own(service: str, name: str, **parameters: Any) -> tuple[list[str], dict[str, Any]]:
    """Return the resources and the condition keys of the operation's own action."""
    operation = RequestedOperation(service, service, name, parameters)
    own = [
        permission
        for permission in list_required_permissions(operation, ACCOUNT, REGION)
        if permission.action == f"{service}:{name}"
    ]
    return [permission.resource for permission in own], dict(own[0].keys)


@pytest.mark.parametrize("name", ["GetObject", "HeadObject"])
def test_a_missing_object_needs_a_listing_without_the_key_s3_prefix(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(resource_policies, "has_object", lambda *_: False)
    operation = RequestedOperation("s3", "s3", name, {"Bucket": "b", "Key": "k"})
    own, listing = list_required_permissions(operation, ACCOUNT, REGION)
    assert (own.action, listing.action, listing.resource) == ("s3:GetObject", "s3:ListBucket", "arn:aws:s3:::b")
    assert "s3:prefix" not in listing.keys


def test_dependent_actions_are_needed_where_the_request_has_their_subject() -> None:
    def list_actions(service: str, name: str, **parameters: Any) -> list[str]:
        operation = RequestedOperation(service, service, name, parameters)
        return [one.action for one in list_required_permissions(operation, ACCOUNT, REGION)]

    role = f"arn:aws:iam::{ACCOUNT}:role/r"
    assert list_actions("kms", "CreateKey") == ["kms:CreateKey"]
    tags = [{"TagKey": "environment", "TagValue": "dev"}]
    assert list_actions("kms", "CreateKey", Tags=tags) == ["kms:CreateKey", "kms:TagResource"]
    assert list_actions("scheduler", "DeleteScheduleGroup", Name="g")[-1] == "scheduler:DeleteSchedule"
    topic = {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:t", "AttributeValue": role}
    logged = list_actions("sns", "SetTopicAttributes", **topic, AttributeName="SQSSuccessFeedbackRoleArn")
    assert logged == ["sns:SetTopicAttributes", "iam:PassRole"]
    assert list_actions("sns", "SetTopicAttributes", **topic, AttributeName="DisplayName") == logged[:1]
    for content, actions in (
        (f"assumeRole: {role}", ["ssm:UpdateDocument", "iam:PassRole"]),
        ("assumeRole: '{{ Role }}'", ["ssm:UpdateDocument"]),
        ("{", ["ssm:UpdateDocument"]),
    ):
        assert list_actions("ssm", "UpdateDocument", Name="d", Content=content) == actions


def find_boundary(name: str, **parameters: Any) -> Any:
    return list_own("iam", name, **parameters)[1].get("iam:PermissionsBoundary")


@pytest.mark.parametrize(("verb", "action"), [("Get", "Get"), ("Put", "Put"), ("Delete", "Put")])
def test_the_block_of_public_access_of_an_account_has_an_action_of_its_own(verb: str, action: str) -> None:
    operation = RequestedOperation("s3control", "s3", f"{verb}PublicAccessBlock", {"AccountId": ACCOUNT})
    permissions = [(one.action, one.resource) for one in list_required_permissions(operation, ACCOUNT, REGION)]
    assert permissions == [(f"s3:{action}AccountPublicAccessBlock", "*")]


@pytest.mark.parametrize("name", ROLE_CHANGES)
def test_a_change_of_a_role_has_the_boundary_of_the_role(name: str) -> None:
    assert find_boundary(name, RoleName="bounded") == BOUNDARY
    assert find_boundary(name, RoleName="bounded", PermissionsBoundary=OTHER_BOUNDARY) == BOUNDARY
    for role in ("unbounded", "missing"):
        assert find_boundary(name, RoleName=role, PermissionsBoundary=BOUNDARY) is None


@pytest.mark.parametrize("name", [name.replace("Role", "User") for name in ROLE_CHANGES])
def test_a_change_of_a_user_has_the_boundary_of_the_user(name: str, iam: Any) -> None:
    assert find_boundary(name, UserName="ana", PermissionsBoundary=BOUNDARY) is None
    iam.users["ana"].permissions_boundary_arn = BOUNDARY
    assert find_boundary(name, UserName="ana") == BOUNDARY


@pytest.mark.parametrize("kind", ["Role", "User"])
def test_a_new_principal_or_boundary_has_the_boundary_of_the_request(kind: str) -> None:
    for name in (f"Create{kind}", f"Put{kind}PermissionsBoundary"):
        request = {f"{kind}Name": "bounded", "PermissionsBoundary": OTHER_BOUNDARY}
        assert find_boundary(name, **request) == OTHER_BOUNDARY
    assert find_boundary(f"Create{kind}", **{f"{kind}Name": "bounded"}) is None
    assert find_boundary(f"Delete{kind}", **request) is None


@pytest.mark.parametrize(
    ("noun", "kind"),
    [
        ("Group", "group"),
        ("InstanceProfile", "instance-profile"),
        ("Policy", "policy"),
        ("Role", "role"),
        ("User", "user"),
    ],
)
def test_a_new_resource_has_the_path_of_the_request(noun: str, kind: str) -> None:
    base = f"arn:aws:iam::{ACCOUNT}:{kind}"
    for path, arn in (("/mlops/", f"{base}/mlops/new"), ("/a/b/", f"{base}/a/b/new"), ("/", f"{base}/new")):
        assert list_own("iam", f"Create{noun}", **{f"{noun}Name": "new", "Path": path})[0] == [arn]
    described = {f"{noun}Name": "new", "Description": f"{base}/mlops/other"}
    assert list_own("iam", f"Create{noun}", **described)[0] == [f"{base}/new"]


def test_an_existing_resource_has_its_own_path() -> None:
    base = f"arn:aws:iam::{ACCOUNT}"
    assert list_own("iam", "DeleteRole", RoleName="bounded")[0] == [f"{base}:role/mlops/bounded"]
    assert list_own("iam", "CreateRole", RoleName="bounded")[0] == [f"{base}:role/bounded"]
    profile = list_own("iam", "DeleteInstanceProfile", InstanceProfileName="profile")[0]
    assert profile == [f"{base}:instance-profile/mlops/profile"]


@pytest.mark.parametrize(
    ("url", "resource"),
    [
        ("https://sqs.eu-north-1.amazonaws.com/444455556666/jobs", f"arn:aws:sqs:{REGION}:444455556666:jobs"),
        ("https://localhost/queue/jobs", f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs"),
        ("jobs", f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs"),
        ("arn:x", "*"),
        ("/", "*"),
        ("", "*"),
    ],
)
def test_a_queue_is_found_by_its_url_or_name(url: str, resource: str) -> None:
    assert list_own("sqs", "SendMessage", QueueUrl=url)[0] == [resource]


@pytest.mark.parametrize("key", ["arn:", "arn:x", "arn:aws:kms:eu-north-1", f"arn:aws:kms:nowhere:{ACCOUNT}:key/1"])
def test_an_odd_key_is_unknown(key: str) -> None:
    assert find_key_arn(ACCOUNT, REGION, key) is None
    assert list_own("kms", "DescribeKey", KeyId=key)[0]
    put = {"Bucket": "b", "Key": "k", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    assert list_own("s3", "PutObject", **put)[0] == ["arn:aws:s3:::b/k"]


@pytest.mark.parametrize("service", ["ecr", "kms", "secretsmanager", "sns", "sqs"])
def test_a_resource_of_an_unknown_region_has_no_policy(service: str) -> None:
    assert find_resource(f"arn:aws:{service}:nowhere:{ACCOUNT}:name").policy is None


def test_a_key_has_its_aliases_as_a_condition_key() -> None:
    backend = kms_backends[ACCOUNT][REGION]
    key = backend.create_key(
        None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "", [{"TagKey": "environment", "TagValue": "dev"}]
    )
    assert "kms:ResourceAliases" not in find_resource(key.arn).keys
    backend.create_alias(key.id, "alias/team")
    assert find_resource(key.arn).keys == {"kms:ResourceAliases": ["alias/team"]}
    assert find_resource(key.arn).tags == {"environment": "dev"}
    backend.reset()
