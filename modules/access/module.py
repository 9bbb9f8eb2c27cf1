"""IAM roles for the phases of a model's lifecycle."""

from typing import cast

from modules.access import containers, iam_statements, pipeline, s3
from modules.access.inputs import WITHOUT_CONTAINERS, Inputs
from modules.iam_statements import PHASES, Phase, equals
from modules.location_check import check_location
from modules.roles import add_service_role, encode_trust
from sustainable_mlops.authoring.expressions import (
    contains,
    difference,
    each_of,
    keys,
    list_of,
    map_of,
    match,
    merge,
    replace,
    set_of,
    when,
)
from sustainable_mlops.authoring.resources import Module, Output, Outputs

#: Phase whose role the feature groups use.
FEATURE_GROUPS: Phase = "data_preparation"
_SAGEMAKER = "sagemaker.amazonaws.com"


class AccessModule(Module[Inputs]):
    """One role for each phase, with the least privileges for it."""

    def build(self, var: Inputs) -> Outputs:
        """Add the roles, then one policy for each concern."""
        phases = self.local(
            "phases",
            set_of(
                list_of(
                    list(PHASES),
                    lambda phase: phase,
                    where=lambda phase: ~contains(keys(var.existing_role_arns), phase),
                )
            ),
            why="Phases without an existing role.",
        )
        self.local("in_containers", difference(phases, WITHOUT_CONTAINERS), why="Phases that run containers.")
        self.local("sagemaker_arn", f"arn:{var.partition}:sagemaker:{var.region}:{var.account_id}")
        role_arns = self._add_roles(var)
        s3.add(self)
        containers.add(self)
        pipeline.add(self)
        iam_statements.add(self)
        policies = tuple(
            f"aws_iam_role_policy.{entry.path[2]}" for entry in self.entries if entry.path[1] == "aws_iam_role_policy"
        )
        check_location(self)
        return {
            "role_arns": Output(
                role_arns,
                "ARN of each phase's role, created here or existing. It is available after its policies.",
                depends_on=policies,
            ),
            "role_names": Output(
                map_of(role_arns, lambda _phase, arn: match("[^/]+$", arn)),
                "Name of each phase's role, to attach more policies.",
                depends_on=policies,
            ),
        }

    def _add_roles(self, var: Inputs) -> dict[str, str]:
        account_condition = equals("aws:SourceAccount", var.account_id)
        source_condition = {
            "test": "ArnLike",
            "variable": "aws:SourceArn",
            "values": [f"{self.locals.sagemaker_arn}:*"],
        }
        trust = self.local(
            "trust",
            encode_trust([_SAGEMAKER], account_condition, source_condition),
            why="SageMaker may assume the role only for jobs and endpoints of this account.",
        )
        feature_store_trust = self.local(
            "feature_store_trust",
            encode_trust([_SAGEMAKER], account_condition),
            why="Feature groups use this role, too. AWS documents aws:SourceArn for jobs, endpoints and pipelines, but "
            "not for Feature Store. The condition therefore checks only the account.",
        )
        phase = each_of(self.locals.phases)
        name = f"{var.name_prefix}-{replace(phase.key, '_', '-')}"
        role = add_service_role(
            self,
            "this",
            why="A prefix and not a name: models and endpoints are created before the old ones are destroyed, so a new "
            "role could collide with the old role's name. IAM allows 38 characters.",
            for_each=phase,
            name=name,
            description=f"Role of {replace(phase.key, '_', ' ')} in {var.name_prefix}",
            trust=when(phase.key == FEATURE_GROUPS, feature_store_trust, trust),
        )
        new_role_arns = map_of(role, lambda _phase, role: role.arn)
        return cast(dict[str, str], self.local("role_arns", merge(new_role_arns, var.existing_role_arns)))
