"""Policies of S3 access and of the KMS key."""

from modules.access import policy
from modules.access.inputs import Inputs, get_bucket_key
from modules.iam_statements import build_via_condition
from modules.policies import encode_statement
from sustainable_mlops.authoring.expressions import (
    as_map,
    concat,
    distinct,
    each_of,
    groups,
    length,
    list_of,
    map_of,
    match,
    title,
)
from sustainable_mlops.authoring.resources import Module

READ = ["s3:GetObject"]
WRITE = [*READ, "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]


def get_bucket_arn(var: Inputs, path: str) -> str:
    """Return the ARN of the bucket of a path."""
    return var.buckets[get_bucket_key(path)].arn


def build_objects_arn(var: Inputs, path: str) -> str:
    """Return the ARN of the objects below a path."""
    return f"{get_bucket_arn(var, path)}{match('/.*$', path)}*"


def add(module: Module[Inputs]) -> None:
    """Add the policies `s3` and `key`."""
    var, local = module.var, module.locals
    by_phase = module.local(
        "paths", map_of(as_map(var.s3_paths), lambda _phase, paths: concat(paths.read, paths.write))
    )
    phase = each_of(local.phases)
    buckets = distinct(list_of(by_phase[phase.key], lambda path: get_bucket_arn(var, path)))
    actions = module.local("s3_actions", {"read": READ, "write": WRITE})
    paths = as_map(var.s3_paths)[phase.key]
    policy.add(
        module,
        "s3",
        {
            "sid": "List",
            "actions": ["s3:ListBucket"],
            "resources": buckets,
            "condition": [
                {
                    "test": "StringLike",
                    "variable": "s3:prefix",
                    "values": list_of(by_phase[phase.key], lambda path: f"{groups('/(.*)$', path)[0]}*"),
                }
            ],
        },
        {"sid": "Locate", "actions": ["s3:GetBucketLocation"], "resources": buckets},
        why="Only objects below the paths of the phase.",
        phases=phase,
        extra_elements=list_of(
            actions,
            lambda way, actions: encode_statement(
                {
                    "sid": title(way),
                    "actions": actions,
                    "resources": list_of(paths[way], lambda path: build_objects_arn(var, path)),
                }
            ),
            where=lambda way, _: length(paths[way]) > 0,
        ),
    )
    service_condition = build_via_condition(var, "s3", "sagemaker")
    policy.add_shown_policy(
        module,
        "key",
        {
            "sid": "Decrypt",
            "actions": ["kms:Decrypt"],
            "resources": concat([var.kms_key_arn], var.decrypt_key_arns),
            "condition": [service_condition],
        },
        {
            "sid": "Encrypt",
            "actions": ["kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"],
            "resources": [var.kms_key_arn],
            "condition": [service_condition],
        },
        {"sid": "Describe", "actions": ["kms:DescribeKey"], "resources": [var.kms_key_arn]},
        {
            "sid": "Grant",
            "actions": ["kms:CreateGrant"],
            "resources": [var.kms_key_arn],
            "condition": [{"test": "Bool", "variable": "kms:GrantIsForAWSResource", "values": ["true"]}],
        },
        why="The keys are usable only through S3 and SageMaker. Grants are allowed only for AWS resources, such as the "
        "volumes of a job.",
        phases=phase,
    )
