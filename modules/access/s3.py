"""What each phase reads and writes in S3, and the key for it."""

from typing import Annotated, Any

from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument

from modules.access import policy
from sustainable_mlops.authoring import Dynamic, Field, Module, ModuleInputs, must, strings

Path = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9-]+/([^*?]+/)?$",
        json_schema_extra=must("be a bucket's key and a prefix that ends with a slash, such as data/raw/"),
    ),
]


class PhasePaths(ModuleInputs):
    """Paths of one phase: `<key in buckets>/<prefix>/`; `<key>/` alone is the whole bucket."""

    read: list[Path] = Field(description="Paths to read.", min_length=1)
    write: list[Path] = Field(default_factory=list, description="Paths to write, and to read again.")


def _phase(read: list[str], write: list[str], description: str) -> Any:
    return Field(PhasePaths(read=read, write=write), description=description)


class Paths(ModuleInputs):
    """The defaults are the classes of data that `storage` keeps; a phase that is given replaces its default whole."""

    data_preparation: PhasePaths = _phase(
        ["data/raw/", "artifacts/source/", "artifacts/models/"],
        ["data/feature-store/", "data/re-creatable/", "artifacts/runs/"],
        "Processing jobs, and the feature groups' offline store.",
    )
    training: PhasePaths = _phase(
        ["data/feature-store/", "data/re-creatable/", "artifacts/source/"],
        ["artifacts/checkpoints/", "artifacts/models/", "artifacts/runs/", "artifacts/debug-output/"],
        "Training and tuning jobs.",
    )
    pipeline: PhasePaths = _phase(
        ["artifacts/models/", "artifacts/runs/", "artifacts/source/"],
        [],
        "Pipelines, which read what their steps report.",
    )
    inference: PhasePaths = _phase(
        ["artifacts/models/", "artifacts/source/"],
        ["artifacts/async-inference/", "data/captures/"],
        "Endpoints and batch transform.",
    )


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
