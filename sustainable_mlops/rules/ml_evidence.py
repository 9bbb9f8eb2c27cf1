"""Evidence that a resource of a plan belongs to machine learning.

A plan may contain other workloads. A bucket, a log group or a stream belongs to machine learning if its name or tags
say so. It also does if SageMaker, or a role of SageMaker, names it. Without evidence the rules do not apply, so that a
team gets no advice about unrelated resources.
"""

import re
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any

from sustainable_mlops.aws.s3 import find_buckets
from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, iam
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.rules.attributes import list_texts

SAGEMAKER = "aws_sagemaker_"
BUCKET = "aws_s3_bucket"
REPOSITORY = "aws_ecr_repository"

_WORDS = LazyPattern(r"sagemaker|mlops|machine[-_ ]?learning", re.IGNORECASE)
_NAMES = ("name", "bucket", "name_prefix", "bucket_prefix", "function_name")
_IMAGE = LazyPattern(r"\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/([a-z0-9._/-]+)")


def is_ml(plan: Plan, resource: Resource) -> bool:
    """Return whether there is evidence that `resource` serves machine learning on SageMaker."""
    return (
        resource.type.startswith(SAGEMAKER)
        or resource.address in _compute_facts(plan).used_addresses
        or mentions_ml(resource)
    )


def uses_ml(plan: Plan, resource: Resource) -> bool:
    """Return whether `resource` serves machine learning or uses such a resource, like a Glue job with its bucket."""
    if is_ml(plan, resource):
        return True
    used = _compute_facts(plan).used_addresses
    if any(r.type.startswith(SAGEMAKER) or r.address in used for r in plan.find_references(resource).resources):
        return True
    return any(bucket.address in used or mentions_ml(bucket) for bucket in list_buckets(plan, resource))


def mentions_ml(resource: Resource) -> bool:
    """Return whether the name or tags of a resource mention machine learning."""
    tags = resource.read_tags()
    keys = [] if tags is UNKNOWN else list(tags)
    return contains_ml_words([keys, tags, *map(resource.get, _NAMES)])


def contains_ml_words(values: Any) -> bool:
    """Return whether any text in `values` mentions machine learning."""
    return any(_WORDS.search(text) for text in list_texts(values))


@lru_cache(maxsize=10_000)
def list_buckets(plan: Plan, resource: Resource) -> list[Resource]:
    """Return the buckets of this plan that any attribute of `resource` names or refers to."""
    buckets = {bucket.address: bucket for bucket in plan.find_references(resource).filter_by_type(BUCKET)}
    for bucket in _list_named(plan, resource, find_buckets, BUCKET):
        buckets[bucket.address] = bucket
    return list(buckets.values())


def is_sagemaker_role(plan: Plan, role: Resource) -> bool:
    """Return whether SageMaker may assume `role`."""
    return role.address in _compute_facts(plan).policies


def find_role_policies(plan: Plan, role: Resource) -> iam.RolePolicies:
    """Return the policies of a role that SageMaker may assume."""
    return _compute_facts(plan).policies[role.address]


class _MlFacts:
    """Facts about one plan that several rules need, computed once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    @cached_property
    def policies(self) -> dict[str, iam.RolePolicies]:
        """Policies of each role that SageMaker may assume, by the role's address."""
        roles = (
            role for role in self._plan.list_by_type(iam.ROLE) if role.exists() and _trusts_sagemaker(self._plan, role)
        )
        return {role.address: iam.read_role_policies(role, self._plan.joins) for role in roles}

    @cached_property
    def used_addresses(self) -> frozenset[str]:
        """Addresses of the buckets and image repositories that SageMaker, or a role of SageMaker, names."""
        plan = self._plan
        addresses: set[str] = set()
        for user in plan.resources:
            if user.type.startswith(SAGEMAKER) and user.exists() and user.deposed is None:
                addresses |= {bucket.address for bucket in list_buckets(plan, user)}
                addresses |= {r.address for r in plan.find_references(user).filter_by_type(REPOSITORY)}
                addresses |= {r.address for r in _list_named(plan, user, _IMAGE.findall, REPOSITORY)}
        for role in self.policies.values():
            for document in role.documents:
                addresses |= {bucket.address for bucket in _list_granted_buckets(plan, document)}
        return frozenset(addresses)


@lru_cache(maxsize=2)
def _compute_facts(plan: Plan) -> _MlFacts:
    return _MlFacts(plan)


def _trusts_sagemaker(plan: Plan, role: Resource) -> bool:
    text = role.text("assume_role_policy")
    if isinstance(text, str):
        return "sagemaker.amazonaws.com" in text
    trust = iam.read_document(role, "assume_role_policy", plan.joins)
    principals = [p for statement in trust.statements for p in statement.principals] if trust else []
    return any("sagemaker.amazonaws.com" in names for _, names in principals)


def _list_granted_buckets(plan: Plan, document: iam.PolicyDocument) -> list[Resource]:
    """Return the buckets that a policy document names."""
    references = plan.find_references(document.resource, document.path)
    buckets = list(references.filter_by_type(BUCKET))
    for source in (*references.filter_by_type(iam.DOCUMENT), *references.filter_by_type(iam.SHOWN_POLICY)):
        buckets += plan.find_references(source).filter_by_type(BUCKET)
    names = plan.joins.index_by_name(BUCKET)
    for statement in document.statements:
        for arn in statement.resources:
            for name in find_buckets(arn) if isinstance(arn, str) else ():
                buckets += names.get(name, [])
    return buckets


def _list_named(plan: Plan, resource: Resource, names_in: Callable[[str], list[str]], kind: str) -> list[Resource]:
    """Return the resources of type `kind` whose name `names_in` finds in a text of `resource`."""
    names = plan.joins.index_by_name(kind)
    if not names:
        return []
    texts = (text for text in list_texts(resource.after) if not isinstance(text, Sensitive))
    return [match for text in texts for name in names_in(text) for match in names.get(name, [])]
