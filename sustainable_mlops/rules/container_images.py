"""Container images of training and serving."""

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules import relation
from sustainable_mlops.rules.reading import judge
from sustainable_mlops.rules.relation import REPOSITORY
from sustainable_mlops.rules.rule import Severity, Verdicts, rule

LIFECYCLE_POLICY = "aws_ecr_lifecycle_policy"


@rule(
    id="SUS_ECR_LIFECYCLE",
    severity=Severity.WARN,
    title="Old images of models leave the repository",
    practices=("44",),
    fix="Add an aws_ecr_lifecycle_policy that expires untagged images and keeps the last few tagged ones.",
    types=(REPOSITORY,),
)
def old_images_go(plan: Plan, repository: Resource) -> Verdicts:
    """Of repositories that SageMaker takes an image from, or that say so; images of models weigh gigabytes."""
    if not relation.is_ml(plan, repository):
        return
    policies = plan.joins.sources(repository, LIFECYCLE_POLICY, "repository")
    there = True if policies.sure else UNKNOWN if policies.maybe else False
    yield judge(there, "lifecycle_policy", lambda kept: kept, "every image that was ever pushed is kept for ever")
