"""Typed model of a Terraform plan: its resources and how they relate to each other.

A plan is the JSON output of `terraform show -json`:

    from sustainable_mlops.plan import load, UNKNOWN
    plan = load("plan.json")
    for endpoint in plan.list_by_type("aws_sagemaker_endpoint"):
        configuration = plan.joins.find_configuration(endpoint)

This package uses the standard library only. It does not assess the plan: `rules`, `footprint` and `review` do.
"""

from sustainable_mlops.plan.commands import PlanCommand
from sustainable_mlops.plan.configuration import References
from sustainable_mlops.plan.joins import InstanceChoice, Joins, Matches, ScaledVariant, Variant, list_instance_choices
from sustainable_mlops.plan.pipelines import PipelineStep, PlannedParameter, PlannedPipeline
from sustainable_mlops.plan.plan import FailedCheck, Plan, load
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.unreviewed_resources import UnreviewedResource
from sustainable_mlops.plan.values import UNKNOWN, Block, Sensitive, Unknown, get_at_path

__all__ = [
    "UNKNOWN",
    "Block",
    "FailedCheck",
    "InstanceChoice",
    "Joins",
    "Matches",
    "PipelineStep",
    "Plan",
    "PlanCommand",
    "PlannedParameter",
    "PlannedPipeline",
    "References",
    "Resource",
    "ScaledVariant",
    "Sensitive",
    "Unknown",
    "UnreviewedResource",
    "Variant",
    "get_at_path",
    "list_instance_choices",
    "load",
]
