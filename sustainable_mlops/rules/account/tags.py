"""Tags that say whose energy it is.

Asked of SageMaker resources that cost something, and in any of the usual words, as every team has its own: a plan of
somebody else's must not fail for calling its workload `project`.
"""

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules import reading
from sustainable_mlops.rules.jobs import TRAINS
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown

_MEANINGS = {
    "workload": ("workload", "project", "application", "app", "service", "product", "system"),
    "environment": ("environment", "env", "stage"),
    "owner": ("owner", "team", "contact", "costcentre", "costcenter"),
}


@rule(
    id="SUS_TAGS",
    severity=Severity.INFO,
    title="What costs says whose it is",
    practices=("78", "77"),
    fix="Set the provider's default_tags: workload, environment, owner (and data_class, latency_slo, expires_on).",
    types=(
        *TRAINS,
        "aws_sagemaker_domain",
        "aws_sagemaker_endpoint",
        "aws_sagemaker_feature_group",
        "aws_sagemaker_mlflow_tracking_server",
        "aws_sagemaker_notebook_instance",
    ),
)
def says_whose_it_is(plan: Plan, resource: Resource) -> Verdicts:
    """Workload, environment and owner, the provider's default tags included."""
    tags = reading.tags(plan, resource)
    if tags is UNKNOWN:
        yield unknown("its tags are not known until apply", "tags_all")
        return
    there = {key.lower().rsplit(":", 1)[-1].replace("-", "").replace("_", "") for key in tags}
    missing = [meaning for meaning, words in _MEANINGS.items() if not there & set(words)]
    if missing:
        yield failed(f"no tag says its {', '.join(missing)}", "tags_all")
    else:
        yield passed()
