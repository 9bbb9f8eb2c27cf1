"""What belongs to machine learning in a plan that may hold anything.

A bucket, a log group or a stream of another workload is none of these rules' business. It is ours where there is
evidence: SageMaker or a role that SageMaker takes on names it, or its name or tags say so. Without evidence the rules
do not apply: silence is better than advice that drowns a team's own work.
"""

import re
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any

from sustainable_mlops.aws.s3 import buckets_in
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, iam
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.rules.reading import texts_in

SAGEMAKER = "aws_sagemaker_"
BUCKET = "aws_s3_bucket"
REPOSITORY = "aws_ecr_repository"

_WORDS = re.compile(r"sagemaker|mlops|machine[-_ ]?learning", re.IGNORECASE)
_NAMES = ("name", "bucket", "name_prefix", "bucket_prefix", "function_name")
_IMAGE = re.compile(r"\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/([a-z0-9._/-]+)")


def is_ml(plan: Plan, resource: Resource) -> bool:
    """Whether there is evidence that `resource` serves machine learning on SageMaker."""
    return resource.type.startswith(SAGEMAKER) or resource.address in _facts(plan).used or says_so(resource)


def touches(plan: Plan, resource: Resource) -> bool:
    """Whether `resource` is of machine learning or works on something that is, as a Glue job on its bucket does."""
    if is_ml(plan, resource):
        return True
    used = _facts(plan).used
    if any(r.type.startswith(SAGEMAKER) or r.address in used for r in plan.references(resource).resources):
        return True
    return any(bucket.address in used or says_so(bucket) for bucket in buckets_of(plan, resource))


def says_so(resource: Resource) -> bool:
    """Whether its name or tags speak of machine learning."""
    tags = resource.tags()
    keys = [] if tags is UNKNOWN else list(tags)
    return speaks([keys, tags, *map(resource.get, _NAMES)])


def speaks(values: Any) -> bool:
    """Whether any text in `values` speaks of machine learning."""
    return any(_WORDS.search(text) for text in texts_in(values))


def buckets_of(plan: Plan, resource: Resource) -> list[Resource]:
    """The buckets of this plan that `resource` names in any attribute, or refers to."""
    found = {bucket.address: bucket for bucket in plan.references(resource).of(BUCKET)}
    for bucket in _named(plan, resource, buckets_in, BUCKET):
        found[bucket.address] = bucket
    return list(found.values())


def is_role(plan: Plan, role: Resource) -> bool:
    """Whether SageMaker may take on `role`."""
    return role.address in _facts(plan).policies


def policies(plan: Plan, role: Resource) -> iam.RolePolicies:
    """The policies of a role that SageMaker may take on."""
    return _facts(plan).policies[role.address]


class _Facts:
    """What several rules ask of one plan, worked out once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    @cached_property
    def policies(self) -> dict[str, iam.RolePolicies]:
        """The policies of each role that SageMaker may take on, by the role's address."""
        found = (role for role in self._plan.by_type(iam.ROLE) if role.exists() and _trusts_sagemaker(self._plan, role))
        return {role.address: iam.of_role(role, self._plan.joins) for role in found}

    @cached_property
    def used(self) -> frozenset[str]:
        """Addresses of the buckets and image repositories that SageMaker, or a role of its, names."""
        plan = self._plan
        found: set[str] = set()
        for user in plan.resources:
            if user.type.startswith(SAGEMAKER) and user.exists() and user.deposed is None:
                found |= {r.address for r in plan.references(user).of(BUCKET, REPOSITORY)}
                found |= {r.address for r in _named(plan, user, buckets_in, BUCKET)}
                found |= {r.address for r in _named(plan, user, _IMAGE.findall, REPOSITORY)}
        for role in self.policies.values():
            for document in role.documents:
                found |= {bucket.address for bucket in _granted(plan, document)}
        return frozenset(found)


@lru_cache(maxsize=2)
def _facts(plan: Plan) -> _Facts:
    return _Facts(plan)


def _trusts_sagemaker(plan: Plan, role: Resource) -> bool:
    text = role.text("assume_role_policy")
    if isinstance(text, str):
        return "sagemaker.amazonaws.com" in text
    trust = iam.document(role, "assume_role_policy", plan.joins)
    principals = [p for statement in trust.statements for p in statement.principals] if trust else []
    return any("sagemaker.amazonaws.com" in names for _, names in principals)


def _granted(plan: Plan, document: iam.Document) -> list[Resource]:
    """The buckets that a policy document speaks of."""
    references = plan.references(document.resource, document.path)
    found = list(references.of(BUCKET))
    for source in references.of(iam.DOCUMENT):
        found += plan.references(source).of(BUCKET)
    names = plan.joins.names(BUCKET)
    for statement in document.statements:
        for arn in statement.resources:
            for name in buckets_in(arn) if isinstance(arn, str) else ():
                found += names.get(name, [])
    return found


def _named(plan: Plan, resource: Resource, names_in: Callable[[str], list[str]], kind: str) -> list[Resource]:
    """The resources of type `kind` whose name stands in a text of `resource`, where `names_in` finds it."""
    names = plan.joins.names(kind)
    if not names:
        return []
    texts = (text for text in texts_in(resource.after) if not isinstance(text, Sensitive))
    return [found for text in texts for name in names_in(text) for found in names.get(name, [])]
