"""Who may do what: one IAM role for each phase of a model's life."""

from typing import Annotated, Literal

from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument
from cdktn_provider_aws.iam_role import IamRole

from modules.access import containers, pipeline, s3
from modules.access.registries import FRAMEWORK_REGISTRIES
from modules.common import KmsKeyArn, Located, RoleArn
from sustainable_mlops.authoring import Field, Module, ModuleInputs, Output, Outputs, must

PHASES = ("data_preparation", "training", "pipeline", "inference")
Phase = Literal["data_preparation", "training", "pipeline", "inference"]
BucketArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[a-z-]*:s3:::[a-z0-9.-]+$",
        json_schema_extra=must("be the ARN of a bucket (arn:aws:s3:::name)"),
    ),
]
RepositoryArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[a-z-]*:ecr:[a-z0-9-]+:[0-9]{12}:repository/.+$",
        json_schema_extra=must("be the ARN of an ECR repository (arn:aws:ecr:…:repository/…)"),
    ),
]
Name = Annotated[
    str,
    Field(
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9-]*$",
        json_schema_extra=must("be a name of letters, digits and hyphens, without wildcards"),
    ),
]


class Bucket(ModuleInputs):
    """A bucket that paths speak of; more attributes, as `storage` gives them, do no harm."""

    arn: BucketArn = Field(description="ARN of the bucket.")


class Vpc(ModuleInputs):
    """The network that jobs and endpoints run in."""

    subnet_ids: list[str] = Field(description="Subnets that SageMaker may put network interfaces in.", min_length=1)
    security_group_ids: list[str] = Field(description="Security groups of these interfaces.", min_length=1)


class Inputs(Located):
    """Inputs of `access`."""

    buckets: dict[str, Bucket] = Field(
        description="Buckets by purpose, as `storage` gives them; s3_paths speaks of them by these keys."
    )
    decrypt_key_arns: list[KmsKeyArn] = Field(
        default_factory=list,
        description="Keys of others, in this Region, that these roles may decrypt with what they read there.",
    )
    existing_role_arns: dict[Phase, RoleArn] = Field(
        default_factory=dict, description="Roles to use as they are, by phase; nothing is made for these phases."
    )
    feature_group_names: list[Name] = Field(
        default_factory=list,
        description="Feature groups that data preparation writes, and training and inference read. Names, not outputs "
        "of `feature_store`, which itself needs a role from here.",
    )
    image_repository_arns: list[RepositoryArn] = Field(
        default_factory=list, description="ECR repositories to pull from, besides SageMaker's framework images."
    )
    kms_key_arn: KmsKeyArn = Field(description="Key that encrypts the buckets, volumes and feature groups.")
    model_package_group_names: list[Name] = Field(
        default_factory=list, description="Model package groups that pipelines register models in."
    )
    permissions_boundary_arn: str | None = Field(
        None,
        description="Policy that bounds what any of these roles can be given.",
        pattern=r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$",
        json_schema_extra=must("be the ARN of an IAM policy (arn:aws:iam::…:policy/…)"),
    )
    role_path: str = Field(
        "/",
        description="IAM path of the roles, such as /mlops/.",
        pattern=r"^/([!-~]+/)?$",
        json_schema_extra=must("start and end with a slash"),
    )
    s3_paths: s3.Paths = Field(default_factory=s3.Paths, description="What each phase reads and writes in S3.")
    vpc: Vpc | None = Field(None, description="Network that jobs and endpoints may join; none by default.")


class Access(Module[Inputs]):
    """A role for each phase, with what that phase needs and no more."""

    def build(self, var: Inputs) -> Outputs:
        """Add the roles, then one policy for each concern."""
        named = ", ".join(f'"{phase}"' for phase in PHASES)
        self.local(
            "phases",
            f"${{toset([for phase in [{named}] : phase if !contains(keys(var.existing_role_arns), phase)])}}",
            why="A phase whose role exists gets nothing here.",
        )
        self.local("in_containers", '${setsubtract(local.phases, ["pipeline"])}', why="Phases that run containers.")
        self.local("dns_suffix", '${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}')
        self.local("sagemaker_arn", "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}")
        self._roles(var)
        s3.add(self)
        containers.add(self)
        pipeline.add(self)
        self.local(
            "framework_registries",
            {region: list(accounts) for region, accounts in FRAMEWORK_REGISTRIES.items()},
            why="Accounts of AWS that serve SageMaker's framework images: XGBoost and scikit-learn, deep learning "
            "containers. Source: the SageMaker Python SDK.",
        )
        policies = tuple(
            f"aws_iam_role_policy.{entry.path[2]}" for entry in self.entries if entry.path[1] == "aws_iam_role_policy"
        )
        return {
            "role_arns": Output(
                "${local.role_arns}",
                "Role of each phase, made here or given; whoever uses it waits until its policies are there.",
                depends_on=policies,
            ),
            "role_names": Output(
                '${{ for phase, arn in local.role_arns : phase => regex("[^/]+$", arn) }}',
                "Name of each phase's role, to attach more policies to.",
                depends_on=policies,
            ),
        }

    def _roles(self, var: Inputs) -> None:
        trust = self.add(
            DataAwsIamPolicyDocument,
            "trust",
            why="SageMaker may take the role for this account's own jobs and endpoints, and for nobody else's.",
            statement=[
                {
                    "actions": ["sts:AssumeRole"],
                    "principals": [{"type": "Service", "identifiers": ["sagemaker.amazonaws.com"]}],
                    "condition": [
                        {"test": "StringEquals", "variable": "aws:SourceAccount", "values": ["${var.account_id}"]},
                        {"test": "ArnLike", "variable": "aws:SourceArn", "values": ["${local.sagemaker_arn}:*"]},
                    ],
                }
            ],
        )
        role = self.add(
            IamRole,
            "this",
            why="A prefix and not a name: models and endpoints replace themselves before they go, which would make a "
            "new role meet the old one's name. IAM takes 38 characters.",
            for_each="${local.phases}",
            name_prefix='${substr("${var.name_prefix}-${replace(each.key, "_", "-")}", 0, 37)}-',
            description='Role of ${replace(each.key, "_", " ")} in ${var.name_prefix}',
            path="${var.role_path}",
            permissions_boundary="${var.permissions_boundary_arn}",
            assume_role_policy=trust.json,
            tags=var.tags,
        )
        arns = f"{{ for phase, role in {role.address} : phase => role.arn }}"
        self.local("role_arns", f"${{merge({arns}, var.existing_role_arns)}}")
