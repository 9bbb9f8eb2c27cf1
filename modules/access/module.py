"""Who may do what: one IAM role for each phase of a model's life."""

from cdktn_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument
from cdktn_provider_aws.iam_role import IamRole

from modules.access import containers, pipeline, s3
from modules.access.inputs import PHASES, Inputs
from modules.access.registries import FRAMEWORK_REGISTRIES
from sustainable_mlops.authoring.resources import Module, Output, Outputs


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
