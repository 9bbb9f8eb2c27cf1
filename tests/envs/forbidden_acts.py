"""Acts that roles must not do, as calls of AWS: the roles of `access`, and those of CI.

The fast test decides them by the policies of a plan, and `iam_table` sends them to a sandbox that enforces IAM.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

#: Account of somebody else.
OTHER_ACCOUNT = "999988887777"
#: Alias of somebody else's key.
OTHER_ALIAS = "alias/other-team"
#: Phases of `access`.
PHASES = ("data_preparation", "training", "pipeline", "inference")
#: Prefix in the data bucket that a phase does not read.
_OTHER_PREFIX = {"data_preparation": "captures/", "training": "raw/", "pipeline": "raw/", "inference": "raw/"}


@dataclass(frozen=True)
class Names:
    """Names of an environment, and of resources that it must not touch."""

    environment: str
    name_prefix: str
    account_id: str
    region: str
    state_bucket: str
    kms_key_arn: str
    #: Key of somebody else. It has the alias `OTHER_ALIAS` and no tag.
    other_key_arn: str
    role_arns: dict[str, str]

    @property
    def data(self) -> str:
        """Bucket of data."""
        return f"{self.name_prefix}-data-{self.account_id}-{self.region}"

    @property
    def artifacts(self) -> str:
        """Bucket of artifacts."""
        return f"{self.name_prefix}-artifacts-{self.account_id}-{self.region}"

    @property
    def foreign_bucket(self) -> str:
        """Bucket of another account."""
        return f"foreign-{OTHER_ACCOUNT}"

    @property
    def foreign_role_arn(self) -> str:
        """Role of another account."""
        return f"arn:aws:iam::{OTHER_ACCOUNT}:role/admin"

    @property
    def other_role_arn(self) -> str:
        """Role of the account outside the environment."""
        return f"arn:aws:iam::{self.account_id}:role/other-team"


class Act(NamedTuple):
    """A call that must be denied. `service` is botocore's name, and `call` the method of its client."""

    group: str
    service: str
    call: str
    parameters: dict[str, Any]
    #: The role may send this request. Only S3 Block Public Access of the account refuses it.
    is_blocked: bool = False

    @property
    def operation(self) -> str:
        """Name of the operation."""
        special = {"list_objects_v2": "ListObjectsV2", "put_object_acl": "PutObjectAcl"}
        return special.get(self.call) or "".join(word.capitalize() for word in self.call.split("_"))

    def __str__(self) -> str:
        return f"{self.group}: {self.service} {self.operation}"


#: State of an environment that does not exist, and that of `bootstrap`.
_OTHER_STATES = ("bootstrap/terraform.tfstate", "another/terraform.tfstate")


def list_objects(names: Names) -> list[tuple[str, str]]:
    """Return the buckets and keys of the objects that acts read. A missing object would hide a missing permission."""
    data = [(names.data, f"{prefix}x") for prefix in sorted(set(_OTHER_PREFIX.values()))]
    return [*data, *((names.state_bucket, key) for key in _OTHER_STATES), (names.foreign_bucket, "x")]


def list_acts(role: str, names: Names) -> list[Act]:
    """Return the forbidden acts of a role: a phase of `access`, or plan, apply or promote."""
    common = [*_share(names), *_use_other_accounts(names), *_end_logs(names), *_build_escalations(names)]
    if role in PHASES:
        return [*_use_data_of_others(role, names), *_pass_roles(role, names), *_delete_data(names), *common]
    if role == "apply":
        return [*_act_as_apply(names), *_delete_data(names), *_end_logs(names), *_use_other_accounts(names)]
    return [*_read_data(names), *_change(names), *_write_state(names), *_delete_data(names), *common]


def _use_data_of_others(role: str, names: Names) -> Iterator[Act]:
    key = f"{_OTHER_PREFIX[role]}x"
    yield Act("other prefix", "s3", "get_object", {"Bucket": names.data, "Key": key})
    yield Act("other prefix", "s3", "put_object", {"Bucket": names.data, "Key": "raw/x", "Body": b"1"})
    yield Act("other prefix", "s3", "list_objects_v2", {"Bucket": names.data, "Prefix": _OTHER_PREFIX[role]})
    yield Act("other key", "kms", "describe_key", {"KeyId": names.other_key_arn})
    yield Act("other key", "kms", "decrypt", {"KeyId": names.other_key_arn, "CiphertextBlob": b"1"})
    # Feature Store uses the key of the environment without another service, so data preparation may do this too.
    key_arn = names.other_key_arn if role == "data_preparation" else names.kms_key_arn
    yield Act("other key", "kms", "generate_data_key", {"KeyId": key_arn, "KeySpec": "AES_256"})


def _pass_roles(role: str, names: Names) -> Iterator[Act]:
    passed = {"other role": names.other_role_arn, "role of inference": names.role_arns["inference"]}
    for arn in passed.values() if role == "pipeline" else [names.other_role_arn]:
        yield Act(
            "PassRole",
            "sagemaker",
            "create_training_job",
            {"TrainingJobName": f"{names.name_prefix}-x", "RoleArn": arn},
        )
    # A name that the role of pipelines may use, so that only the passed role is forbidden.
    model = {"ModelName": f"{names.name_prefix}-x", "ExecutionRoleArn": names.other_role_arn}
    yield Act("PassRole", "sagemaker", "create_model", model)


def _read_data(names: Names) -> Iterator[Act]:
    yield Act("other prefix", "s3", "get_object", {"Bucket": names.data, "Key": "raw/x"})
    yield Act("other key", "kms", "generate_data_key", {"KeyId": names.other_key_arn, "KeySpec": "AES_256"})


def _delete_data(names: Names) -> Iterator[Act]:
    yield Act("delete of data", "s3", "delete_object", {"Bucket": names.data, "Key": "raw/x"})
    yield Act("delete of data", "s3", "delete_object", {"Bucket": names.artifacts, "Key": "models/x"})
    yield Act("delete of data", "s3", "delete_bucket", {"Bucket": names.data})
    yield Act(
        "delete of data", "sagemaker", "delete_feature_group", {"FeatureGroupName": f"{names.name_prefix}-flights"}
    )
    yield Act("delete of data", "sagemaker", "delete_model_package", {"ModelPackageName": _build_package_arn(names)})
    yield Act(
        "delete of data",
        "sagemaker",
        "delete_model_package_group",
        {"ModelPackageGroupName": f"{names.name_prefix}-flight-delay"},
    )
    yield Act("delete of data", "kms", "schedule_key_deletion", {"KeyId": names.kms_key_arn})


def _share(names: Names) -> Iterator[Act]:
    yield from _delete_public_access_block(names)
    yield Act("public sharing", "s3", "put_bucket_policy", {"Bucket": names.data, "Policy": "{}"})
    yield Act("public sharing", "s3", "delete_public_access_block", {"Bucket": names.artifacts})
    yield Act(
        "public sharing", "s3", "put_object_acl", {"Bucket": names.artifacts, "Key": "models/x", "ACL": "public-read"}
    )
    yield Act(
        "public sharing",
        "kms",
        "put_key_policy",
        {"KeyId": names.kms_key_arn, "PolicyName": "default", "Policy": _share_with_another_account(names, "kms")},
    )
    yield Act(
        "public sharing",
        "sagemaker",
        "put_model_package_group_policy",
        {"ModelPackageGroupName": f"{names.name_prefix}-flight-delay", "ResourcePolicy": "{}"},
    )


def _delete_public_access_block(names: Names) -> Iterator[Act]:
    yield Act("public sharing", "s3control", "delete_public_access_block", {"AccountId": names.account_id})


def _use_other_accounts(names: Names) -> Iterator[Act]:
    yield Act("other account", "s3", "get_object", {"Bucket": names.foreign_bucket, "Key": "x"})
    yield Act("other account", "s3", "put_object", {"Bucket": names.foreign_bucket, "Key": "x", "Body": b"1"})
    yield Act(
        "other account",
        "sts",
        "assume_role",
        {"RoleArn": names.foreign_role_arn, "RoleSessionName": "x"},
    )


def _end_logs(names: Names) -> Iterator[Act]:
    trail = f"arn:aws:cloudtrail:{names.region}:{names.account_id}:trail/organization"
    yield Act("logs off", "cloudtrail", "stop_logging", {"Name": trail})
    yield Act("logs off", "cloudtrail", "delete_trail", {"Name": trail})
    yield Act("logs off", "logs", "delete_log_group", {"logGroupName": "/aws/lambda/other"})
    yield Act("logs off", "logs", "put_retention_policy", {"logGroupName": "/aws/lambda/other", "retentionInDays": 1})
    yield Act("logs off", "cloudwatch", "delete_alarms", {"AlarmNames": ["other-alarm"]})


def _build_escalations(names: Names) -> Iterator[Act]:
    own = names.role_arns["training"].rpartition("/")[2]
    yield Act("change of role", "iam", "put_role_policy", {"RoleName": own, "PolicyName": "x", "PolicyDocument": "{}"})
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    yield Act("change of role", "iam", "attach_role_policy", {"RoleName": own, "PolicyArn": administrator})
    yield Act("change of role", "iam", "update_assume_role_policy", {"RoleName": own, "PolicyDocument": "{}"})
    yield Act("change of role", "iam", "create_role", {"RoleName": "x", "AssumeRolePolicyDocument": "{}"})
    yield Act("change of role", "iam", "create_access_key", {"UserName": "administrator"})
    yield Act(
        "approval",
        "sagemaker",
        "update_model_package",
        {"ModelPackageArn": _build_package_arn(names), "ModelApprovalStatus": "Approved"},
    )
    package = {"ModelPackageGroupName": f"{names.name_prefix}-flight-delay", "ModelApprovalStatus": "Approved"}
    yield Act("approval", "sagemaker", "create_model_package", package)
    yield Act("approval", "sagemaker", "delete_endpoint", {"EndpointName": f"{names.name_prefix}-flight-delay"})


def _change(names: Names) -> Iterator[Act]:
    yield Act("change of key", "kms", "disable_key", {"KeyId": names.kms_key_arn})
    yield Act(
        "change of key",
        "kms",
        "tag_resource",
        {"KeyId": names.kms_key_arn, "Tags": [{"TagKey": "owner", "TagValue": "x"}]},
    )
    yield Act(
        "change of key", "kms", "create_key", {"Tags": [{"TagKey": "environment", "TagValue": names.environment}]}
    )
    yield Act("change of bucket", "s3", "put_object", {"Bucket": names.artifacts, "Key": "models/x", "Body": b"1"})
    yield Act(
        "change of bucket",
        "s3",
        "put_bucket_versioning",
        {"Bucket": names.data, "VersioningConfiguration": {"Status": "Suspended"}},
    )
    yield Act("change of bucket", "s3", "create_bucket", {"Bucket": f"{names.name_prefix}-x"})
    yield Act(
        "PassRole",
        "sagemaker",
        "create_model",
        {"ModelName": f"{names.name_prefix}-x", "ExecutionRoleArn": names.role_arns["inference"]},
    )


def _write_state(names: Names) -> Iterator[Act]:
    for environment in (names.environment, "bootstrap", "another"):
        state = {"Bucket": names.state_bucket, "Key": f"{environment}/terraform.tfstate"}
        yield Act("state", "s3", "put_object", {**state, "Body": b"{}"})
        yield Act("state", "s3", "delete_object", state)


def _act_as_apply(names: Names) -> Iterator[Act]:
    yield from _read_data(names)
    for key in _OTHER_STATES:
        state = {"Bucket": names.state_bucket, "Key": key}
        yield Act("state", "s3", "get_object", state)
        yield Act("state", "s3", "put_object", {**state, "Body": b"{}"})
    yield Act("state", "s3", "put_bucket_policy", {"Bucket": names.state_bucket, "Policy": "{}"})
    model = {"ModelName": "terraform-x", "Tags": [{"Key": "environment", "Value": names.environment}]}
    yield Act("PassRole", "sagemaker", "create_model", {**model, "ExecutionRoleArn": names.other_role_arn})
    yield Act("change of key", "kms", "disable_key", {"KeyId": names.other_key_arn})
    yield Act(
        "change of key",
        "kms",
        "put_key_policy",
        {"KeyId": names.other_key_arn, "PolicyName": "default", "Policy": _share_with_another_account(names, "kms")},
    )
    tags = [{"TagKey": "environment", "TagValue": names.environment}]
    yield Act("change of key", "kms", "tag_resource", {"KeyId": names.other_key_arn, "Tags": tags})
    arn = f"arn:aws:s3:::{names.foreign_bucket}"
    yield Act(
        "public sharing",
        "s3",
        "put_bucket_policy",
        {"Bucket": names.foreign_bucket, "Policy": _share_with_another_account(names, "s3", arn, f"{arn}/*")},
    )
    # With all permissions, this act deletes the setting that refuses the acts after it.
    yield from _delete_public_access_block(names)
    for bucket in (names.data, names.artifacts):
        public = {"Bucket": bucket, "Policy": _share_with_everyone(bucket)}
        yield Act("public sharing", "s3", "put_bucket_policy", public, is_blocked=True)
        yield Act("public sharing", "s3", "put_bucket_acl", {"Bucket": bucket, "ACL": "public-read"})
    deployer = f"deployer-{names.name_prefix}-apply"
    own_role = {"RoleName": deployer, "PolicyName": "x", "PolicyDocument": "{}"}
    yield Act("change of role", "iam", "put_role_policy", own_role)
    yield Act("change of role", "iam", "delete_role_permissions_boundary", {"RoleName": deployer})
    new_role = {"AssumeRolePolicyDocument": "{}"}
    yield Act("change of role", "iam", "create_role", {"RoleName": f"{names.name_prefix}-x", **new_role})
    yield Act("change of role", "iam", "create_role", {"RoleName": "other-x", **new_role})
    yield Act("change of role", "iam", "update_assume_role_policy", {"RoleName": "other-team", "PolicyDocument": "{}"})
    yield Act("change of role", "iam", "create_user", {"UserName": "eve"})
    yield Act("change of role", "iam", "create_access_key", {"UserName": "administrator"})
    boundary = f"arn:aws:iam::{names.account_id}:policy/deployer-{names.name_prefix}-boundary"
    yield Act("change of role", "iam", "create_policy_version", {"PolicyArn": boundary, "PolicyDocument": "{}"})


def _share_with_another_account(names: Names, service: str, *resources: str) -> str:
    """Return a policy that gives both accounts the actions of a service. It stays valid for the acts that follow."""
    accounts = {"AWS": [names.account_id, OTHER_ACCOUNT]}
    statement = {"Effect": "Allow", "Principal": accounts, "Action": f"{service}:*", "Resource": resources or "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _share_with_everyone(bucket: str) -> str:
    """Return a policy that allows everyone to read the objects of a bucket."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _build_package_arn(names: Names) -> str:
    account = f"arn:aws:sagemaker:{names.region}:{names.account_id}"
    return f"{account}:model-package/{names.name_prefix}-flight-delay/1"
