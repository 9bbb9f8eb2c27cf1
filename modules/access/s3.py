"""What each phase reads and writes in S3, and the key for it."""

from typing import Any

from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument

from modules.access import policy
from sustainable_mlops.authoring.resources import Dynamic, Module, strings

READ = ["s3:GetObject"]
WRITE = [*READ, "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
#: Of a path, its bucket's ARN and the ARN of the objects below it.
BUCKET = 'var.buckets[regex("^[^/]+", path)].arn'
OBJECTS = f'"${{{BUCKET}}}${{regex("/.*$", path)}}*"'


def add(module: Module[Any]) -> None:
    """Add the policies `s3` and `key`."""
    known = 'alltrue([for path in local.paths[each.key] : contains(keys(var.buckets), regex("^[^/]+", path))])'
    module.local("paths", "${{ for phase, paths in var.s3_paths : phase => concat(paths.read, paths.write) }}")
    listing = module.add(
        DataAwsIamPolicyDocument,
        "buckets",
        for_each="${local.phases}",
        statement=[
            {
                "sid": "List",
                "actions": ["s3:ListBucket"],
                "resources": strings(f"distinct([for path in local.paths[each.key] : {BUCKET}])"),
                "condition": [
                    {
                        "test": "StringLike",
                        "variable": "s3:prefix",
                        "values": strings('[for path in local.paths[each.key] : "${regex("/(.*)$", path)[0]}*"]'),
                    }
                ],
            },
            {
                "sid": "Locate",
                "actions": ["s3:GetBucketLocation"],
                "resources": strings(f"distinct([for path in local.paths[each.key] : {BUCKET}])"),
            },
        ],
        lifecycle={
            "precondition": [
                {
                    "condition": f"${{{known}}}",
                    "error_message": "s3_paths.${each.key}: each path must start with a key of buckets "
                    '(${join(", ", keys(var.buckets))}) and a slash.',
                }
            ]
        },
    )
    module.local("s3_actions", {"read": READ, "write": WRITE})
    objects = f"[for path in var.s3_paths[each.key][statement.key] : {OBJECTS}]"
    policy.add(
        module,
        "s3",
        why="Objects below the phase's own paths, and nothing else.",
        phases="local.phases",
        source_policy_documents=[listing.at("each.key").json],
        statement=Dynamic(
            "${{ for way, actions in local.s3_actions : way => actions if length(var.s3_paths[each.key][way]) > 0 }}",
            {
                "sid": "${title(statement.key)}",
                "actions": strings("statement.value"),
                "resources": strings(objects),
            },
        ),
    )
    through = {
        "test": "StringEquals",
        "variable": "kms:ViaService",
        "values": ["s3.${var.region}.${local.dns_suffix}", "sagemaker.${var.region}.${local.dns_suffix}"],
    }
    policy.add(
        module,
        "key",
        why="The keys work only through S3 and SageMaker, and grants are made only for AWS's own resources, such as "
        "the volumes of a job.",
        phases="local.phases",
        statement=[
            {
                "sid": "Decrypt",
                "actions": ["kms:Decrypt"],
                "resources": strings("concat([var.kms_key_arn], var.decrypt_key_arns)"),
                "condition": [through],
            },
            {
                "sid": "Encrypt",
                "actions": ["kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"],
                "resources": ["${var.kms_key_arn}"],
                "condition": [through],
            },
            {"sid": "Describe", "actions": ["kms:DescribeKey"], "resources": ["${var.kms_key_arn}"]},
            {
                "sid": "Grant",
                "actions": ["kms:CreateGrant"],
                "resources": ["${var.kms_key_arn}"],
                "condition": [{"test": "Bool", "variable": "kms:GrantIsForAWSResource", "values": ["true"]}],
            },
        ],
    )
