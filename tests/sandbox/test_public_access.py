"""S3 Block Public Access of an account and of a bucket, and the policies that count as public."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from sagemaker_sandbox.iam.public_policies import is_public
from tests.cases import check_cases
from tests.sandbox.support import catch_error

REGION = "eu-north-1"
LOCATION = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
#: Accounts of these tests only: their blocks would refuse requests of other tests.
ACCOUNTS = {"account": "444400000001", "bucket": "444400000002"}
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
EVERYONE = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
PUBLIC_POLICY = json.dumps({"Statement": [EVERYONE]})
#: Requests with a public access control list, by the action that S3 checks. The test adds the values that are None.
PUBLIC_ACLS: list[tuple[str, str, dict[str, Any]]] = [
    ("PutBucketAcl", "put_bucket_acl", {"ACL": "public-read"}),
    ("PutBucketAcl", "put_bucket_acl", {"GrantWrite": f'uri="{ALL_USERS}"'}),
    ("PutBucketAcl", "put_bucket_acl", {"AccessControlPolicy": None}),
    ("PutObjectAcl", "put_object_acl", {"Key": "k", "ACL": "authenticated-read"}),
    ("PutObject", "put_object", {"Key": "k", "Body": b"v", "ACL": "public-read"}),
    ("PutObject", "copy_object", {"Key": "copy", "CopySource": None, "ACL": "public-read"}),
    ("PutObject", "create_multipart_upload", {"Key": "k", "ACL": "public-read-write"}),
]


def build_statement(**changed: Any) -> dict[str, Any]:
    return {**EVERYONE, **changed}


def build_conditional_statement(operator: str, key: str, value: Any) -> dict[str, Any]:
    return build_statement(Condition={operator: {key: value}})


@check_cases(
    ("policy_statement", "expected"),
    [
        (EVERYONE, True),
        (build_statement(Principal={"AWS": ["123456789012", "*"]}), True),
        ({"Effect": "Allow", "NotPrincipal": {"AWS": "123456789012"}, "Action": "s3:*", "Resource": "*"}, True),
        (build_conditional_statement("StringEquals", "aws:UserAgent", "x"), True),
        (build_conditional_statement("StringNotEquals", "aws:SourceVpc", "vpc-1"), True),
        (build_conditional_statement("StringEqualsIfExists", "aws:SourceVpc", "vpc-1"), True),
        (build_conditional_statement("StringLike", "aws:SourceVpc", "vpc-*"), True),
        (build_conditional_statement("StringEquals", "aws:PrincipalOrgID", ["o-1", "${aws:PrincipalTag/org}"]), True),
        (build_conditional_statement("StringLike", "aws:userid", "AROAEXAMPLE:*"), True),
        (build_conditional_statement("IpAddress", "aws:SourceIp", "0.0.0.0/1"), True),
        (build_statement(Effect="Deny"), False),
        (build_statement(Principal={"AWS": "arn:aws:iam::123456789012:root"}), False),
        (build_statement(Principal={"Service": "logging.s3.amazonaws.com"}), False),
        (build_conditional_statement("StringEquals", "aws:SourceVpc", ["vpc-1", "vpc-2"]), False),
        (build_conditional_statement("StringEquals", "AWS:PrincipalOrgId", "o-1"), False),
        (build_conditional_statement("IpAddress", "aws:SourceIp", ["203.0.113.0/24", "10.0.0.0/8"]), False),
    ],
)
def test_a_policy_is_public_unless_it_names_who_may_use_the_bucket(
    policy_statement: dict[str, Any], expected: bool
) -> None:
    assert is_public(json.dumps({"Statement": [build_statement(Effect="Deny"), policy_statement]})) is expected


@pytest.mark.slow
@pytest.mark.parametrize("owner", ["account", "bucket"])
def test_a_block_refuses_public_policies_and_acls_until_it_is_off(
    sandbox: Sandbox, fresh: Callable[[str], str], owner: str
) -> None:
    account, bucket = ACCOUNTS[owner], fresh("bucket")
    s3, control = (make_client(service, REGION, sandbox.endpoint, account) for service in ("s3", "s3control"))
    s3.create_bucket(Bucket=bucket, **LOCATION)
    s3.put_object(Bucket=bucket, Key="k", Body=b"v")
    acl = s3.get_bucket_acl(Bucket=bucket)
    group = {"Grantee": {"Type": "Group", "URI": ALL_USERS}, "Permission": "READ"}
    grants = {"Owner": acl["Owner"], "Grants": [*acl["Grants"], group]}

    def set_public_access_block(**settings: bool) -> None:
        if owner == "account":
            control.put_public_access_block(AccountId=account, PublicAccessBlockConfiguration=settings)
        else:
            s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=settings)

    def check_refusal(action: str, kind: str, setting: str, call: str, **request: Any) -> None:
        code, message = catch_error(getattr(s3, call), Bucket=bucket, **request)
        name = f"{bucket}/{request['Key']}" if "Key" in request else bucket
        assert (code, message) == (
            "AccessDenied",
            f"User: arn:aws:sts::{account}:user/moto is not authorized to perform: s3:{action} on resource: "
            f'"arn:aws:s3:::{name}" because public {kind} are prevented by the {setting} setting in S3 Block Public '
            "Access.",
        )

    values = {"AccessControlPolicy": grants, "CopySource": f"{bucket}/k"}
    acls = [
        (action, call, {key: values.get(key, value) for key, value in request.items()})
        for action, call, request in PUBLIC_ACLS
    ]
    set_public_access_block(
        BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
    )
    check_refusal("PutBucketPolicy", "policies", "BlockPublicPolicy", "put_bucket_policy", Policy=PUBLIC_POLICY)
    for action, call, request in acls:
        check_refusal(action, "ACLs", "BlockPublicAcls", call, **request)
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k"], "a refusal changes nothing"
    assert catch_error(s3.put_bucket_policy, Bucket=bucket, Policy="no")[0] == "MalformedPolicy"
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [build_statement(Principal={"AWS": account})]}))
    s3.put_object(Bucket=bucket, Key="k", Body=b"v", ACL="private")
    public = {"Bucket": fresh("bucket"), "ACL": "public-read", **LOCATION}
    if owner == "account":
        assert catch_error(s3.create_bucket, **public)[0] == "InvalidBucketAclWithBlockPublicAccessError"
    else:
        s3.create_bucket(**public)

    set_public_access_block(
        BlockPublicAcls=False, BlockPublicPolicy=False, IgnorePublicAcls=True, RestrictPublicBuckets=True
    )
    s3.put_bucket_policy(Bucket=bucket, Policy=PUBLIC_POLICY)
    for _, call, request in acls:
        getattr(s3, call)(Bucket=bucket, **request)
