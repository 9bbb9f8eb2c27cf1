"""Patches of moto, and operations that the sandbox answers in its place."""

import ast
import itertools
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.iam.models import IAMBackend

from sagemaker_sandbox import Sandbox, moto_patches
from sagemaker_sandbox.connections import moto_request
from sagemaker_sandbox.moto_patches import iam_aws_policies
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.catalogue.quotas import find_serverless_concurrency
from tests.cases import check_cases
from tests.sandbox.support import catch_error, make_role

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]
LOCATION = {"CreateBucketConfiguration": {"LocationConstraint": "eu-north-1"}}

RULES = {
    "Rules": [
        {
            "ID": "checkpoints",
            "Status": "Enabled",
            "Filter": {
                "And": {
                    "Prefix": "checkpoints/",
                    "ObjectSizeGreaterThan": 1024,
                    "Tags": [{"Key": "keep", "Value": "no"}],
                }
            },
            "Expiration": {"Days": 30},
        }
    ]
}
TIERING = {"Id": "archive", "Status": "Enabled", "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}]}


def test_an_immutable_tag_of_another_image_has_an_error_of_its_own(sandbox: Sandbox, fresh: Fresh) -> None:
    ecr, repository = sandbox.client("ecr"), fresh("immutable")
    ecr.create_repository(repositoryName=repository, imageTagMutability="IMMUTABLE")
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifests = [json.dumps({"schemaVersion": 2, "mediaType": kind, "layers": [], "n": number}) for number in (1, 2)]
    ecr.put_image(repositoryName=repository, imageManifest=manifests[0], imageTag="1")
    for manifest, code in zip(manifests, ("ImageAlreadyExists", "ImageTagAlreadyExists"), strict=True):
        assert catch_error(ecr.put_image, repositoryName=repository, imageManifest=manifest, imageTag="1")[0] == (
            f"{code}Exception"
        )


def test_lifecycle_rules_are_returned_unchanged(s3: Any, bucket: str) -> None:
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=RULES)
    result = s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert result["Rules"] == RULES["Rules"]
    assert result["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"
    s3.delete_bucket_lifecycle(Bucket=bucket)
    code, _ = catch_error(s3.get_bucket_lifecycle_configuration, Bucket=bucket)
    assert code == "NoSuchLifecycleConfiguration"


@pytest.mark.parametrize(
    ("action", "effects", "is_allowed"),
    [
        ("s3:PutObject", ["Allow"], True),
        ("s3:Put*", ["Allow"], True),
        ("s3:GetObject", ["Allow"], False),
        ("s3:*", ["Allow", "Deny"], False),
    ],
)
def test_logs_are_delivered_if_the_policy_of_the_bucket_allows_it(
    action: str, effects: list[str], is_allowed: bool, s3: Any, bucket: str
) -> None:
    statement = {
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": action,
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    statements = [statement | {"Effect": effect} for effect in effects]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    status = {"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": "access/"}}
    if is_allowed:
        s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=status)
        return
    code, _ = catch_error(s3.put_bucket_logging, Bucket=bucket, BucketLoggingStatus=status)
    assert code == "InvalidTargetBucketForLogging"


def test_wrong_lifecycle_rules_are_still_refused(s3: Any, bucket: str) -> None:
    both = {"ID": "both", "Status": "Enabled", "Prefix": "a/", "Filter": {"Prefix": "b/"}, "Expiration": {"Days": 1}}
    code, _ = catch_error(
        s3.put_bucket_lifecycle_configuration, Bucket=bucket, LifecycleConfiguration={"Rules": [both]}
    )
    assert code == "MalformedXML"
    code, _ = catch_error(s3.get_bucket_lifecycle_configuration, Bucket=bucket)
    assert code == "NoSuchLifecycleConfiguration"


def test_a_bucket_has_intelligent_tiering_configurations(s3: Any, bucket: str) -> None:
    where = {"Bucket": bucket, "Id": "archive"}
    assert catch_error(s3.get_bucket_intelligent_tiering_configuration, **where)[0] == "NoSuchConfiguration"
    s3.put_bucket_intelligent_tiering_configuration(**where, IntelligentTieringConfiguration=TIERING)
    result = s3.get_bucket_intelligent_tiering_configuration(**where)
    assert result["IntelligentTieringConfiguration"] == TIERING
    listed_names = s3.list_bucket_intelligent_tiering_configurations(Bucket=bucket)
    assert listed_names["IntelligentTieringConfigurationList"] == [TIERING]
    s3.delete_bucket_intelligent_tiering_configuration(**where)
    assert "IntelligentTieringConfigurationList" not in s3.list_bucket_intelligent_tiering_configurations(Bucket=bucket)


def test_a_bucket_has_the_tags_of_its_creation(sandbox: Sandbox, s3: Any, fresh: Fresh) -> None:
    name = fresh("tagged")
    configuration = {"LocationConstraint": "eu-north-1", "Tags": [{"Key": "workload", "Value": "flights"}]}
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=configuration)
    control, where = sandbox.client("s3control"), {"AccountId": "123456789012", "ResourceArn": f"arn:aws:s3:::{name}"}
    assert control.list_tags_for_resource(**where)["Tags"] == configuration["Tags"]
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == configuration["Tags"]
    control.tag_resource(**where, Tags=[{"Key": "stage", "Value": "dev"}])
    control.untag_resource(**where, TagKeys=["workload"])
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "stage", "Value": "dev"}]


@pytest.mark.parametrize("keys", [["twice", "twice"], ["aws:own"]])
def test_a_bucket_is_not_created_with_wrong_tags(s3: Any, fresh: Fresh, keys: list[str]) -> None:
    name, tags = fresh("tagged"), [{"Key": key, "Value": "v"} for key in keys]
    configuration = {"LocationConstraint": "eu-north-1", "Tags": tags}
    assert catch_error(s3.create_bucket, Bucket=name, CreateBucketConfiguration=configuration)[0] == "InvalidTag"
    assert catch_error(s3.head_bucket, Bucket=name)[0] == "404"


def test_a_bucket_sends_events_to_eventbridge(s3: Any, bucket: str) -> None:
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=bucket)


def test_a_policy_against_requests_without_tls_allows_requests_to_the_sandbox(s3: Any, bucket: str) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/*"}
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    put_policy(s3, bucket, deny | {"Condition": insecure})
    s3.put_object(Bucket=bucket, Key="k", Body=b"v")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"v"
    put_policy(s3, bucket, deny)
    assert catch_error(s3.get_object, Bucket=bucket, Key="k")[0] in ("AccessDenied", "403")


def test_a_policy_on_the_encryption_of_uploads_is_evaluated(s3: Any, bucket: str) -> None:
    everything = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject"}
    sse, key = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
    unnamed = everything | {
        "NotResource": f"arn:aws:s3:::{bucket}/checkpoints/*",
        "Condition": {"Null": {sse: "false", key: "true"}},
    }
    put_policy(s3, bucket, unnamed)
    s3.put_object(Bucket=bucket, Key="plain", Body=b"v")
    s3.put_object(Bucket=bucket, Key="named", Body=b"v", ServerSideEncryption="aws:kms", SSEKMSKeyId="k")
    s3.put_object(Bucket=bucket, Key="checkpoints/1", Body=b"v", ServerSideEncryption="aws:kms")
    denied = ("AccessDenied", "403")
    refused = {"Bucket": bucket, "Key": "unnamed", "ServerSideEncryption": "aws:kms"}
    assert catch_error(s3.put_object, **refused, Body=b"v")[0] in denied
    assert catch_error(s3.create_multipart_upload, **refused)[0] in denied
    another = everything | {
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"Null": {key: "false"}, "StringNotEquals": {key: "k"}},
    }
    put_policy(s3, bucket, another)
    s3.put_object(Bucket=bucket, Key="named", Body=b"v", ServerSideEncryption="aws:kms", SSEKMSKeyId="k")
    refused |= {"SSEKMSKeyId": "other"}
    assert catch_error(s3.put_object, **refused, Body=b"v")[0] in denied


def test_a_lock_file_is_written_once(s3: Any, bucket: str) -> None:
    lock = {"Bucket": bucket, "Key": "terraform.tfstate.tflock", "Body": b"{}", "IfNoneMatch": "*"}
    s3.put_object(**lock)
    assert catch_error(s3.put_object, **lock)[0] == "PreconditionFailed"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.delete_object(Bucket=bucket, Key=lock["Key"])
    s3.put_object(**lock)  # its current version was a delete marker
    with pytest.raises(ClientError) as refused:
        s3.put_object(**{**lock, "IfNoneMatch": '"etag"'})
    assert refused.value.response["Error"]["Code"] == "NotImplemented"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert catch_error(s3.put_object, Bucket=bucket, Key="none", IfMatch="etag")[0] == "NoSuchKey"


def test_of_simultaneous_conditional_writes_one_succeeds(s3: Any, bucket: str) -> None:
    def write(key: str, **condition: str) -> str:
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=b"1", **condition)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    def count_successes(key: str, **condition: str) -> int:
        with ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(lambda _: write(key, **condition), range(8)))
        assert set(codes) <= {"", "PreconditionFailed"}
        return codes.count("")

    for number in range(10):
        assert count_successes(f"lock-{number}", IfNoneMatch="*") == 1
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    part = {"Bucket": bucket, "Key": "parts", "UploadId": upload}
    etag = s3.upload_part(**part, PartNumber=1, Body=b"part")["ETag"]
    s3.put_object(Bucket=bucket, Key="parts", Body=b"other")
    complete = {**part, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": etag}]}}
    assert catch_error(s3.complete_multipart_upload, **complete, IfNoneMatch="*")[0] == "PreconditionFailed"


def test_the_last_delete_marker_of_an_object_can_be_removed(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"v")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    for version_id in (version, marker):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", "VersionId": version_id}]})
    assert "DeleteMarkers" not in s3.list_object_versions(Bucket=bucket)


def test_storage_lens_is_reached_without_a_resolver(sandbox: Sandbox, fresh: Fresh) -> None:
    control, name = sandbox.client("s3control"), fresh("lens")
    configuration = {"Id": name, "IsEnabled": True, "AccountLevel": {"BucketLevel": {}}}
    where = {"AccountId": "123456789012", "ConfigId": name}
    control.put_storage_lens_configuration(**where, StorageLensConfiguration=configuration)
    result = control.get_storage_lens_configuration(**where)["StorageLensConfiguration"]
    assert (result["Id"], result["IsEnabled"]) == (name, True)


def test_an_unknown_operation_is_not_a_retryable_server_error(sandbox: Sandbox) -> None:
    with pytest.raises(ClientError) as refused:
        sandbox.client("ssm").describe_instance_patches(InstanceId="i-0123456789abcdef0")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert refused.value.response["ResponseMetadata"]["RetryAttempts"] == 0
    assert refused.value.response["Error"]["Code"] == "NotImplemented"


def put_policy(s3: Any, bucket: str, statement: dict[str, Any]) -> None:
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def test_the_policies_of_a_role_are_simulated(sandbox: Any, fresh: Callable[[str], str]) -> None:
    iam, name = sandbox.client("iam"), fresh("role")
    arn = make_role(sandbox, name)
    statements = [
        {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::mine/*"},
        {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::mine/secret"},
        {
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "true"}},
        },
    ]
    iam.put_role_policy(
        RoleName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements})
    )

    def decided(action: str, resource: str) -> tuple[str, list[str]]:
        (result,) = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=[action], ResourceArns=[resource])[
            "EvaluationResults"
        ]
        return result["EvalDecision"], result["MissingContextValues"]

    assert decided("s3:getobject", "arn:aws:s3:::mine/data") == ("allowed", [])
    assert decided("s3:GetObject", "arn:aws:s3:::mine/secret") == ("explicitDeny", [])
    assert decided("s3:PutObject", "arn:aws:s3:::mine/data") == ("implicitDeny", [])
    assert decided("s3:GetObject", "arn:aws:s3:::yours/data") == ("implicitDeny", [])
    assert decided("kms:Decrypt", "*") == ("allowed", ["aws:SecureTransport"])

    boundary = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}
    policy = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(boundary))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=policy)
    assert decided("s3:GetObject", "arn:aws:s3:::mine/data") == ("implicitDeny", [])
    assert decided("kms:Decrypt", "*")[0] == "allowed"
    iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    assert decided("kms:Encrypt", "*") == ("allowed", [])
    refused = catch_error(iam.simulate_principal_policy, PolicySourceArn=f"{arn}-absent", ActionNames=["s3:GetObject"])
    assert refused[0] == "NoSuchEntity"


def test_a_key_has_its_custom_id(sandbox: Sandbox) -> None:
    kms, chosen = sandbox.client("kms"), "00000000-1111-2222-3333-444444444444"
    key = kms.create_key(Tags=[{"TagKey": "_custom_id_", "TagValue": chosen}])["KeyMetadata"]
    arn = f"arn:aws:kms:eu-north-1:123456789012:key/{chosen}"
    assert (key["KeyId"], key["Arn"]) == (chosen, arn)
    sealed = kms.encrypt(KeyId=arn, Plaintext=b"text")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"text"
    assert kms.list_resource_tags(KeyId=chosen)["Tags"] == [{"TagKey": "_custom_id_", "TagValue": chosen}]


def test_a_network_has_its_custom_ids(sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2")

    def tag(kind: str, chosen: str) -> list[dict[str, Any]]:
        return [{"ResourceType": kind, "Tags": [{"Key": "_custom_id_", "Value": chosen}]}]

    vpc, subnet, table, group = (f"{kind}-0000000000000abcd" for kind in ("vpc", "subnet", "rtb", "sg"))
    ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=tag("vpc", vpc))
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24", TagSpecifications=tag("subnet", subnet))
    ec2.create_route_table(VpcId=vpc, TagSpecifications=tag("route-table", table))
    ec2.create_security_group(
        VpcId=vpc, GroupName="clients", Description="Clients.", TagSpecifications=tag("security-group", group)
    )
    assert ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"] == vpc
    assert ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["VpcId"] == vpc
    assert ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["VpcId"] == vpc
    other = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.2.0/24")["Subnet"]["SubnetId"]
    assert other != subnet


def test_a_rule_for_another_security_group_keeps_its_description(sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(VpcId=vpc, GroupName="jobs", Description="Jobs.")["GroupId"]
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    (rule,) = ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[{**https, "UserIdGroupPairs": [{"GroupId": group, "Description": "From other jobs."}]}],
    )["SecurityGroupRules"]
    assert rule["Description"] == "From other jobs."
    (s3,) = ec2.describe_prefix_lists(
        Filters=[{"Name": "prefix-list-name", "Values": ["com.amazonaws.eu-north-1.s3"]}]
    )["PrefixLists"]
    destination = {"PrefixListId": s3["PrefixListId"], "Description": "To S3."}
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[{**https, "PrefixListIds": [destination]}])
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    assert {"From other jobs.", "To S3."} <= {one.get("Description") for one in rules}


def test_the_key_of_a_log_group_can_change_and_be_removed(sandbox: Sandbox, fresh: Fresh) -> None:
    logs, name = sandbox.client("logs"), fresh("adopted")
    logs.create_log_group(logGroupName=name)
    arn = f"arn:aws:logs:eu-north-1:123456789012:log-group:{name}:*"
    key = sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]

    def find_key() -> str | None:
        [group] = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        result: str | None = group.get("kmsKeyId")
        return result

    logs.associate_kms_key(logGroupName=name, kmsKeyId=key)
    assert find_key() == key
    logs.disassociate_kms_key(resourceIdentifier=arn)
    assert find_key() is None
    assert catch_error(logs.associate_kms_key, logGroupName="nowhere", kmsKeyId=key)[0] == "ResourceNotFoundException"
    logs.delete_log_group(logGroupName=name)


def test_log_events_are_filtered_by_streams_in_the_order_of_their_times(sandbox: Sandbox, fresh: Fresh) -> None:
    logs, name = sandbox.client("logs"), fresh("events")
    logs.create_log_group(logGroupName=name)
    now = int(time.time() * 1000)
    for stream, moments in {"a/1": (0, 20), "a/2": (10, 30), "b/1": (5,)}.items():
        logs.create_log_stream(logGroupName=name, logStreamName=stream)
        events = [{"timestamp": now + moment, "message": f"{stream} {moment}"} for moment in moments]
        logs.put_log_events(logGroupName=name, logStreamName=stream, logEvents=events)
    of_a = ["a/1 0", "a/2 10", "a/1 20", "a/2 30"]
    arn = f"arn:aws:logs:eu-north-1:123456789012:log-group:{name}"
    for group in ({"logGroupName": name}, {"logGroupIdentifier": arn}):
        for prefix, messages in (("a/", of_a), ("b", ["b/1 5"]), ("none", []), ("", [*of_a[:1], "b/1 5", *of_a[1:]])):
            streams = {"logStreamNamePrefix": prefix} if prefix else {}
            pages = logs.get_paginator("filter_log_events").paginate(**group, **streams, limit=2)
            assert [event["message"] for page in pages for event in page["events"]] == messages
    assert len(logs.describe_log_streams(logGroupIdentifier=arn)["logStreams"]) == 3
    assert catch_error(logs.describe_log_streams, logGroupIdentifier=f"{arn}-none")[0] == "ResourceNotFoundException"
    both = {"logStreamNames": ["a/1"], "logStreamNamePrefix": "a"}
    assert catch_error(logs.filter_log_events, logGroupName=name, **both)[0] == "InvalidParameterException"
    assert catch_error(logs.filter_log_events, logGroupName="none")[0] == "ResourceNotFoundException"
    logs.delete_log_group(logGroupName=name)


@check_cases(
    ("service", "operation", "members", "code"),
    [
        ("kms", "list_grants", {"KeyId": "00000000-0000-0000-0000-000000000000"}, "NotFoundException"),
        ("logs", "get_query_results", {"queryId": "none"}, "ResourceNotFoundException"),
        ("sagemaker", "describe_experiment", {"ExperimentName": "none"}, "ResourceNotFound"),
        ("s3", "create_bucket", {"Bucket": "Upper-case", **LOCATION}, "InvalidBucketName"),
        ("s3", "create_bucket", {"Bucket": "under_score", **LOCATION}, "InvalidBucketName"),
        ("s3", "create_bucket", {"Bucket": "two..dots", **LOCATION}, "InvalidBucketName"),
        ("s3", "create_bucket", {"Bucket": "-first", **LOCATION}, "InvalidBucketName"),
        ("s3", "create_bucket", {"Bucket": "10.0.0.1", **LOCATION}, "InvalidBucketName"),
    ],
)
def test_missing_resources_and_wrong_names_are_refused(
    sandbox: Sandbox, service: str, operation: str, members: dict[str, Any], code: str
) -> None:
    assert catch_error(getattr(sandbox.client(service), operation), **members)[0] == code


def test_a_log_group_has_only_the_retentions_of_cloudwatch(sandbox: Sandbox, fresh: Fresh) -> None:
    logs, name = sandbox.client("logs"), fresh("retention")
    logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName=name, retentionInDays=7)
    error = catch_error(logs.put_retention_policy, logGroupName=name, retentionInDays=8)
    assert error[0] == "InvalidParameterException"
    logs.delete_log_group(logGroupName=name)


def test_the_attributes_of_an_object_can_be_named_with_spaces(sandbox: Sandbox, bucket: str) -> None:
    s3 = sandbox.client("s3")
    s3.put_object(Bucket=bucket, Key="attributes", Body=b"three", ChecksumAlgorithm="SHA256")
    names = ["ETag", "Checksum", "ObjectSize", "StorageClass"]

    def separate_with_spaces(request: Any, **_: Any) -> None:
        request.headers.replace_header("x-amz-object-attributes", ", ".join(names))

    s3.meta.events.register("before-sign.s3.GetObjectAttributes", separate_with_spaces)
    response = s3.get_object_attributes(Bucket=bucket, Key="attributes", ObjectAttributes=names)
    assert (response["ObjectSize"], response["StorageClass"]) == (5, "STANDARD")
    assert "ChecksumSHA256" in response["Checksum"]
    s3.delete_object(Bucket=bucket, Key="attributes")


def test_tags_are_deleted_with_their_resource(sandbox: Sandbox, fresh: Fresh) -> None:
    name, tags = fresh("again"), [{"Key": "of", "Value": "the first"}]
    logs, scheduler, s3 = (sandbox.client(service) for service in ("logs", "scheduler", "s3"))
    logs.create_log_group(logGroupName=name, tags={"of": "the first"})
    scheduler.create_schedule_group(Name=name, Tags=tags)
    here = {"LocationConstraint": "eu-north-1"}
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=here)
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})

    logs.delete_log_group(logGroupName=name)
    scheduler.delete_schedule_group(Name=name)
    s3.delete_bucket(Bucket=name)
    logs.create_log_group(logGroupName=name)
    group = scheduler.create_schedule_group(Name=name)["ScheduleGroupArn"]
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=here)

    assert logs.list_tags_log_group(logGroupName=name)["tags"] == {}
    assert scheduler.list_tags_for_resource(ResourceArn=group)["Tags"] == []
    assert catch_error(s3.get_bucket_tagging, Bucket=name)[0] == "NoSuchTagSet"
    s3.delete_bucket(Bucket=name)
    scheduler.delete_schedule_group(Name=name)
    logs.delete_log_group(logGroupName=name)


@pytest.mark.parametrize(
    ("tier", "characters", "stored"),
    [
        ({}, 4096, "Standard"),
        ({}, 4097, None),
        ({"Tier": "Standard"}, 4097, None),
        ({"Tier": "Advanced"}, 10, "Advanced"),
        ({"Tier": "Advanced"}, 8192, "Advanced"),
        ({"Tier": "Advanced"}, 8193, None),
        ({"Tier": "Intelligent-Tiering"}, 4096, "Standard"),
        ({"Tier": "Intelligent-Tiering"}, 4097, "Advanced"),
        ({"Tier": "Intelligent-Tiering"}, 8193, None),
    ],
)
def test_a_parameter_value_has_the_maximum_length_of_its_tier(
    sandbox: Sandbox, fresh: Fresh, tier: dict[str, str], characters: int, stored: str | None
) -> None:
    ssm, request = (
        sandbox.client("ssm"),
        {"Name": f"/{fresh('of-a-tier')}", "Type": "String", "Value": "x" * characters},
    )
    if stored is None:
        code, message = catch_error(ssm.put_parameter, **request, **tier)
        most = 4096 if characters < 8192 else 8192
        assert (code, f"support a maximum parameter value of {most} characters" in message) == (
            "ValidationException",
            True,
        )
        return
    assert ssm.put_parameter(**request, **tier)["Tier"] == stored
    ssm.delete_parameter(Name=request["Name"])


def test_a_large_parameter_becomes_advanced_and_stays_advanced(sandbox: Sandbox, fresh: Fresh) -> None:
    ssm, name = sandbox.client("ssm"), f"/{fresh('grows')}"

    def put(characters: int, tier: str) -> str:
        answer = ssm.put_parameter(Name=name, Type="String", Value="x" * characters, Tier=tier, Overwrite=True)
        return str(answer["Tier"])

    assert [put(size, "Intelligent-Tiering") for size in (10, 5000, 10)] == ["Standard", "Advanced", "Advanced"]
    code, message = catch_error(ssm.put_parameter, Name=name, Type="String", Value="x", Tier="Standard", Overwrite=True)
    assert (code, "You can't downgrade a parameter" in message) == ("ValidationException", True)
    ssm.delete_parameter(Name=name)


def test_service_quotas_are_those_of_the_catalogue_and_an_increase_is_granted(sandbox: Sandbox) -> None:
    client = sandbox.client("service-quotas", "ap-southeast-1")
    names = {"ServiceCode": "sagemaker", "QuotaCode": find_serverless_concurrency().code}
    default = client.get_aws_default_service_quota(**names)["Quota"]
    assert (default["QuotaName"], default["Value"]) == (find_serverless_concurrency().name, 10.0)
    requested = client.request_service_quota_increase(**names, DesiredValue=50)["RequestedQuota"]
    assert requested["Status"] == "APPROVED"
    assert client.get_service_quota(**names)["Quota"]["Value"] == 50.0
    assert client.get_aws_default_service_quota(**names)["Quota"]["Value"] == 10.0
    elsewhere = sandbox.client("service-quotas", "eu-west-1")
    assert elsewhere.get_service_quota(**names)["Quota"]["Value"] == 10.0, "a quota is of one Region"


def test_a_quota_cannot_be_lowered_and_an_unknown_one_is_not_found(sandbox: Sandbox) -> None:
    client = sandbox.client("service-quotas")
    names = {"ServiceCode": "sagemaker", "QuotaCode": find_serverless_concurrency().code}
    assert catch_error(client.request_service_quota_increase, **names, DesiredValue=1)[0] == "IllegalArgumentException"
    for call in (client.get_service_quota, client.get_aws_default_service_quota):
        code, _ = catch_error(call, ServiceCode="sagemaker", QuotaCode="L-00000000")
        assert code == "NoSuchResourceException"


def test_quotas_are_listed_in_pages(sandbox: Sandbox) -> None:
    client = sandbox.client("service-quotas")
    for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
        pages = list(
            client.get_paginator(operation).paginate(ServiceCode="sagemaker", PaginationConfig={"PageSize": 20})
        )
        names = [one["QuotaName"] for page in pages for one in page["Quotas"]]
        assert len(pages) > 1
        assert len(set(names)) == len(names)
        assert find_serverless_concurrency().name in names


def test_the_service_linked_role_of_scaling_has_its_name_on_aws(sandbox: Sandbox) -> None:
    iam = sandbox.client("iam")
    service = "sagemaker.application-autoscaling.amazonaws.com"
    iam.create_service_linked_role(AWSServiceName=service)
    role = iam.get_role(RoleName="AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint")["Role"]
    assert role["Path"] == f"/aws-service-role/{service}/"
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": [service]}
    linked = [one["RoleName"] for one in iam.list_roles(PathPrefix=role["Path"])["Roles"]]
    assert linked == [role["RoleName"]]
    iam.delete_role(RoleName=role["RoleName"])


def test_only_the_patches_assign_to_what_moto_defines() -> None:
    """`accounts` sets moto's default account when the server starts, which is a setting."""
    folder = ROOT / "sagemaker_sandbox"
    violations = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in folder.rglob("*.py")
        if path.parent.name != "moto_patches" and path.name != "accounts.py"
        for node in list_moto_assignments(ast.parse(path.read_text()))
    ]
    assert violations == []


def list_moto_assignments(tree: ast.Module) -> Iterator[ast.Assign | ast.Call]:
    """Yield assignments to attributes of names that are imported from moto."""
    names = {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("moto."))
        or (isinstance(node, ast.Import) and node.names[0].name.startswith("moto"))
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            owners = [target.value for target in node.targets if isinstance(target, ast.Attribute)]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setattr":
            owners = node.args[:1]
        else:
            continue
        if any(isinstance(owner, ast.Name) and owner.id in names for owner in owners):
            yield node


def test_each_patch_is_listed_once() -> None:
    modules = {path.stem for path in Path(moto_patches.__file__).parent.glob("*.py")} - {"__init__"}
    # Patches that lead moto to a part of the sandbox. The application applies each with that part when it starts.
    connections = (
        "cloudwatch_alarms",
        "events_rules",
        "sagemaker_cloudformation",
        "sagemaker_tags",
        "scheduler_schedules",
    )
    listed_names = [*connections, *(name for names in moto_patches.PATCHES.values() for name in names)]
    assert sorted(listed_names) == sorted(modules)
    assert all(f"`{name}`" in str(moto_patches.__doc__) for name in modules)


def test_managed_policies_of_aws_can_be_read_listed_and_attached(sandbox: Sandbox, fresh: Fresh) -> None:
    iam, arn = sandbox.client("iam"), "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    assert "Statement" in iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    absent = {"PolicyArn": "arn:aws:iam::aws:policy/AmazonSageMakerSomeAccess"}
    assert catch_error(iam.get_policy, **absent)[0] == "NoSuchEntity"
    pages = list(iam.get_paginator("list_policies").paginate(Scope="AWS"))
    assert arn in [policy["Arn"] for page in pages for policy in page["Policies"]]
    assert iam.list_policies(Scope="Local", PathPrefix="/service-role/")["Policies"] == []
    role = fresh("managed")
    role_arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    simulation = {"PolicySourceArn": role_arn, "ActionNames": ["sagemaker:CreateModel"]}
    (result,) = iam.simulate_principal_policy(**simulation)["EvaluationResults"]
    assert result["EvalDecision"] == "allowed"
    iam.detach_role_policy(RoleName=role, PolicyArn=arn)


def test_a_policy_can_name_a_storage_lens_configuration_but_no_region_of_a_bucket(
    sandbox: Sandbox, fresh: Fresh
) -> None:
    def create(resource: str) -> Any:
        statement = {"Effect": "Allow", "Action": "s3:GetStorageLensConfiguration", "Resource": resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return sandbox.client("iam").create_policy(PolicyName=fresh("lens"), PolicyDocument=document)

    assert create("arn:aws:s3:eu-north-1:123456789012:storage-lens/shop")["Policy"]["Arn"]
    code, message = catch_error(create, resource="arn:aws:s3:eu-north-1:123456789012:shop")
    assert code == "MalformedPolicyDocument"
    assert "region information" in message


def test_a_policy_that_is_created_during_a_list_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*iam_aws_policies.OPERATIONS, "list_policies"):  # restored after the test
        monkeypatch.setattr(IAMBackend, name, getattr(IAMBackend, name))
    backend = IAMBackend("aws", "123456789012")

    def create_policy(_list: IAMBackend, *_: Any) -> None:
        statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        backend.create_policy("", "/", document, "of-another-request", [])

    monkeypatch.setattr(IAMBackend, "list_policies", create_policy)
    iam_aws_policies.apply()
    backend.list_policies(None, 100, only_attached=False, path_prefix="/", scope="All")
    assert [policy.name for policy in backend.managed_policies.values()] == ["of-another-request"]


def test_a_read_of_a_collection_that_another_request_changes_is_repeated() -> None:
    roles = {"first": "training"}

    def read(changes: Iterator[str]) -> list[str]:
        names = []
        for name in roles:
            names.append(name)
            if (new := next(changes, "")) != "":
                roles[new] = "inference"
        return names

    changes = iter(["second", "third"])
    assert moto_request.repeat_interrupted(lambda: read(changes)) == ["first", "second", "third"]
    endless = (f"role-{number}" for number in itertools.count())
    with pytest.raises(RuntimeError, match="during iteration"):
        moto_request.repeat_interrupted(lambda: read(endless))
