"""Policies of S3 access and of the KMS key."""

from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument

from modules.access import policy
from modules.access.inputs import Inputs, bucket_key
from modules.iam_statements import equals
from sustainable_mlops.authoring.expressions import (
    Dynamic,
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


def bucket_arn(var: Inputs, path: str) -> str:
    """Return the ARN of the bucket of a path."""
    return var.buckets[bucket_key(path)].arn


def objects_arn(var: Inputs, path: str) -> str:
    """Return the ARN of the objects below a path."""
    return f"{bucket_arn(var, path)}{match('/.*$', path)}*"


def add(module: Module[Inputs]) -> None:
    """Add the policies `s3` and `key`."""
    var, local = module.var, module.locals
    by_phase = module.local(
        "paths", map_of(as_map(var.s3_paths), lambda _phase, paths: concat(paths.read, paths.write))
    )
    phase = each_of(local.phases)
    buckets = distinct(list_of(by_phase[phase.key], lambda path: bucket_arn(var, path)))
    listing = module.add(
        DataAwsIamPolicyDocument,
        "buckets",
        for_each=phase,
        statement=[
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
        ],
    )
    actions = module.local("s3_actions", {"read": READ, "write": WRITE})
    paths = as_map(var.s3_paths)[phase.key]
    policy.add(
        module,
        "s3",
        why="Only objects below the paths of the phase.",
        phases=phase,
        source_policy_documents=[listing[phase.key].json],
        statement=Dynamic(
            map_of(actions, lambda _way, actions: actions, where=lambda way, _: length(paths[way]) > 0),
            lambda statement: {
                "sid": title(statement.key),
                "actions": statement.value,
                "resources": list_of(paths[statement.key], lambda path: objects_arn(var, path)),
            },
        ),
    )
    services = [f"{service}.{var.region}.{local.dns_suffix}" for service in ("s3", "sagemaker")]
    service_condition = equals("kms:ViaService", *services)
    policy.add(
        module,
        "key",
        why="The keys are usable only through S3 and SageMaker. Grants are allowed only for AWS resources, such as the "
        "volumes of a job.",
        phases=phase,
        statement=[
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
        ],
    )
