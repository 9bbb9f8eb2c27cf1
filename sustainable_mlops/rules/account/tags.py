"""Tags for the workload, the environment and the owner of a resource.

The rule checks SageMaker resources with costs. It accepts the usual words, such as `project` for the workload, because
each team has its own.
"""

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules import attributes
from sustainable_mlops.rules.jobs import TRAINING_TYPES
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result
from sustainable_mlops.rules.workload_tags import ENVIRONMENT_TAGS

_MEANINGS = {
    "workload": ("workload", "project", "application", "app", "service", "product", "system"),
    "environment": ENVIRONMENT_TAGS,
    "owner": ("owner", "team", "contact", "costcentre", "costcenter"),
}


@rule(
    id="SUS_TAGS",
    severity=Severity.INFO,
    title="Resources with costs should have tags for workload, environment and owner",
    problem="A resource with costs lacks a tag for workload, environment or owner",
    practices=("78", "77"),
    fix="Set the provider's default_tags: workload, environment, owner (and data_class, expires_on).",
    types=(
        *TRAINING_TYPES,
        "aws_sagemaker_domain",
        "aws_sagemaker_endpoint",
        "aws_sagemaker_feature_group",
        "aws_sagemaker_mlflow_tracking_server",
        "aws_sagemaker_notebook_instance",
    ),
)
def required_tags(plan: Plan, resource: Resource) -> RuleResults:
    """Check for the required tags, including the provider's default tags."""
    tags = attributes.read_tags(plan, resource)
    if tags is UNKNOWN:
        yield unknown_result("its tags are not known until apply", "tags_all")
        return
    words_present = {key.lower().rsplit(":", 1)[-1].replace("-", "").replace("_", "") for key in tags}
    missing = [meaning for meaning, words in _MEANINGS.items() if not words_present & set(words)]
    if missing:
        yield failure(f"it has no tag for {', '.join(missing)}", "tags_all")
    else:
        yield success()
