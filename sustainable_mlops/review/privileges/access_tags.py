"""Tags that decide who has access: changed values of tags that a condition of a policy names."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Block
from sustainable_mlops.plan.iam import PolicyCondition, is_unknown_text
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.patterns import Patterns, Tristate, combine_all, combine_any, covers
from sustainable_mlops.review.privileges.grants import EffectivePolicy, Grant
from sustainable_mlops.review.privileges.policy_owners import PolicyOwner
from sustainable_mlops.review.privileges.policy_types import IDENTITY
from sustainable_mlops.review.risk import Level, Risk, RiskArea

#: Keys of conditions on the tags of a resource. Those of RDS and DMS name the kind of the resource: `rds:db-tag/team`.
_RESOURCE_TAG = LazyPattern(
    r"([a-z0-9-]+):(?:resourcetag|buckettag|existingobjecttag|(?!req-)([a-z-]+)-tag)/(.+)",
    re.I,
)
_OBJECT_TAG = LazyPattern(r"[a-z0-9-]+:existingobjecttag/.+", re.I)
_PRINCIPAL_TAG = LazyPattern(r"aws:principaltag/(.+)", re.I)
_VARIABLE = LazyPattern(r"\$\{aws:principaltag/([^}]+)\}", re.I)
_PRINCIPALS = ("aws_iam_role", "aws_iam_user")
_OBJECTS = ("aws_s3_object", "aws_s3_bucket_object", "aws_s3_object_copy")
_GROUP = "aws_autoscaling_group"
#: Types that set one tag of another resource, and the attribute that names it.
_TAG_TYPES = {
    "aws_ec2_tag": "resource_id",
    "aws_ecs_tag": "resource_arn",
    "aws_dynamodb_tag": "resource_arn",
    "aws_transfer_tag": "resource_arn",
    f"{_GROUP}_tag": "autoscaling_group_name",
}
#: Services in ARNs, with the other services whose actions act on these resources, or the only ones if the name in ARNs
#: is no prefix of actions: https://docs.aws.amazon.com/service-authorization/latest/reference/
_ACTION_SERVICES = {
    "apigateway": ("execute-api",),
    "catalog": ("servicecatalog",),
    "cloudfront": ("cloudfront-keyvaluestore",),
    "cloudtrail": ("cloudtrail-data",),
    "codeconnections": ("codestar-connections",),
    "codestar-connections": ("codeconnections",),
    "ds": ("ds-data",),
    "ec2": ("ssm", "ec2-instance-connect", "ebs", "ssm-guiconnect"),
    "ecs": ("ssm",),
    "eks": ("eks-auth", "aps"),
    "elasticloadbalancing": ("arc-zonal-shift",),
    "iam": ("sts",),
    "kafka": ("kafka-cluster",),
    "opensearch": ("es",),
    "qdeveloper": ("q",),
    "rds": ("rds-data",),
    "redshift": ("redshift-data",),
    "redshift-serverless": ("redshift-data",),
    "route53-recovery-control": ("route53-recovery-control-config",),
    "sagemaker": ("sagemaker-mlflow",),
    "vpc-lattice": ("vpc-lattice-svcs",),
}


class _Tags(NamedTuple):
    """Tags of a resource: `by_name` has the known ones.

    `others` is None, or the unreadable attribute that may contain more tags.
    """

    by_name: Mapping[str, Any]
    others: Any = None

    def get(self, name: str) -> Any:
        """Return the value of a tag."""
        return self.by_name.get(name, self.others)


class _TagChange(NamedTuple):
    """A tag of an existing resource with another value; None stands for no tag."""

    pair: ResourcePair
    name: str
    old: Any
    new: Any

    def __str__(self) -> str:
        old, new = ("not set" if value is None else value for value in (self.old, self.new))
        return f"tag {self.name}: {old} → {new}"


class _TaggedPair(NamedTuple):
    """A resource whose tags change."""

    pair: ResourcePair
    old: _Tags
    new: _Tags

    @property
    def is_changed(self) -> bool:
        """True if any tag may change."""
        return self.old != self.new or UNKNOWN in (self.new.others, *self.new.by_name.values())

    def list_changes(self, names: Collection[str]) -> Iterator[_TagChange]:
        """Yield the changes of the tags `names`, which are in lower case."""
        own = sorted({*self.old.by_name, *self.new.by_name})
        others = sorted(set(names) - {name.lower() for name in own})
        for name in (*(name for name in own if name.lower() in names), *others):
            old, new = self.old.get(name), self.new.get(name)
            if old != new or new is UNKNOWN:
                yield _TagChange(self.pair, name, old, new)


def list_tag_changes(comparison: Comparison) -> list[_TaggedPair]:
    """Return the existing resources whose tags change."""
    pairs = (pair for pair in comparison.changes if pair.type.startswith("aws") and pair.action != "forget")
    return [tagged for pair in pairs for tagged in _read_pair(pair, comparison) if tagged.is_changed]


def find_tag_risks(
    changes: Iterable[_TaggedPair], policies: Iterable[tuple[PolicyOwner, EffectivePolicy]]
) -> Iterator[Risk]:
    """Yield the permissions that a changed tag gives, and the denials that it ends.

    `policies` are the policies after the plan, each with its owner.
    """
    grants_by_tag: dict[str, list[tuple[PolicyOwner, Grant, bool]]] = {}
    for owner, policy in policies:
        for is_deny, grants in ((False, policy.allows), (True, policy.denies)):
            for grant in grants:
                for name in _list_tags(grant):
                    grants_by_tag.setdefault(name, []).append((owner, grant, is_deny))
    for change in (change for tagged in changes for change in tagged.list_changes(grants_by_tag.keys())):
        widened: dict[str, list[str]] = {}
        for owner, grant, is_deny in grants_by_tag[change.name.lower()]:
            if _may_widen(grant, owner, change, is_deny=is_deny):
                widened.setdefault(owner.label, []).append(f"{'no longer deny' if is_deny else 'now allow'} {grant}")
        for label, (first, *others) in widened.items():
            suffix = f" (and {len(others)} other statement{'s' * (len(others) > 1)})" if others else ""
            description = f"{change}: the policies of {label} may {first}{suffix}"
            known = change.new is None or _is_known(change.new)
            yield Risk(
                "PRIVILEGES_GRANTED", RiskArea.PRIVILEGES, Level.LOOK, change.pair.address, description, is_known=known
            )


def _read_pair(pair: ResourcePair, comparison: Comparison) -> Iterator[_TaggedPair]:
    """Yield the tags of an existing resource before and after the plan."""
    old, new = (_read_tags(values, pair.type, comparison) for values in (pair.before, pair.after))
    attribute = _TAG_TYPES.get(pair.type)
    if attribute is None:
        if pair.before is not None and pair.after is not None:
            yield _TaggedPair(pair, old, new)
    elif pair.before and pair.after and pair.before.get(attribute) != pair.after.get(attribute):
        yield from (_TaggedPair(pair, old, _Tags({})), _TaggedPair(pair, _Tags({}), new))
    elif not pair.is_new or not comparison.names_new_resource(pair, attribute, _GROUP, if_unknown=True):
        yield _TaggedPair(pair, old, new)


def _read_tags(values: Block | None, type_: str, comparison: Comparison) -> _Tags:
    """Return the tags of a resource or, for types such as `aws_ec2_tag`, the tag that it sets on another resource."""
    if values is None:
        return _Tags({})
    if type_ in _TAG_TYPES:
        return _combine_tags(values.get("tag", [values.values]))
    tags_all, tags = values.get("tags_all"), values.get("tags")
    if tags_all is UNKNOWN and isinstance(tags, dict | None) and not comparison.plan.may_have_default_tags:
        tags_all = None  # no tag remains, or the value of a tag is unknown
    if isinstance(tags_all, dict) and _list_pairs(tags) is None:
        tags = None
    return _combine_tags(tags_all, tags, values.get("tag") if type_ == _GROUP else None)


def _combine_tags(*attributes: Any) -> _Tags:
    by_name: dict[str, Any] = {}
    others = None
    for attribute in attributes:
        tags = _list_pairs(attribute)
        if tags is None:
            others = attribute
        else:
            by_name |= tags
    return _Tags(by_name, others)


def _list_pairs(tags: Any) -> dict[str, Any] | None:
    """Return the tags by name, of a map or of a list of blocks with keys and values; None if they cannot be read."""
    if isinstance(tags, dict | None):
        return tags or {}
    if not isinstance(tags, list) or not all(isinstance(tag, dict) and type(tag.get("key")) is str for tag in tags):
        return None
    return {tag["key"]: tag.get("value") for tag in tags}


def _list_tags(grant: Grant) -> set[str]:
    """Return the tags of resources and principals that the grant names, in lower case."""
    keys = [match[3] for condition in grant.conditions if (match := _RESOURCE_TAG.fullmatch(str(condition.key)))]
    return {*map(str.lower, keys), *_list_principal_tags(grant)}


def _may_widen(grant: Grant, owner: PolicyOwner, change: _TagChange, *, is_deny: bool) -> bool:
    """Return whether the tag may let a permission begin to apply, or a denial cease to apply."""
    name = change.name.lower()
    if _is_principal(change.pair, owner) and name in _list_principal_tags(grant):
        conditions = _list_principal_conditions(grant, name)
        if not conditions:  # a variable with the tag, which matches nothing without the tag
            return is_deny or change.new is not None or _has_negation(grant)
        if _is_newly_met(conditions, change, is_deny=is_deny):
            return True
    conditions = _list_resource_conditions(grant, name, change.pair)
    return bool(conditions) and _is_newly_met(conditions, change, is_deny=is_deny) and _may_act_on(grant, change.pair)


def _is_newly_met(conditions: Iterable[PolicyCondition], change: _TagChange, *, is_deny: bool) -> bool:
    """Return whether the new tag may meet conditions that the old one may not, or the reverse for a denial."""
    before, after = (combine_all(_is_met(one, value) for one in conditions) for value in (change.old, change.new))
    if is_deny:
        before, after = after, before
    return after is not False and before is not True


def _has_negation(grant: Grant) -> bool:
    return any("not" in str(condition.operator).lower() for condition in grant.conditions)


def _is_principal(pair: ResourcePair, owner: PolicyOwner) -> bool:
    """Return whether the policies of the owner may apply to requests of the resource, a role or a user."""
    if pair.type not in _PRINCIPALS:
        return False
    if owner.group != IDENTITY:
        return True
    return owner.pair is pair or (owner.pair is not None and owner.pair.type not in _PRINCIPALS)


def _may_act_on(grant: Grant, pair: ResourcePair) -> bool:
    """Return whether the grant has an action that acts on the resource, and may include the resource."""
    arn = _read_arn(pair)
    if len(arn) < 3:
        return True
    text = ":".join(arn)
    actions = tuple(f"{service}:*" for service in (arn[2], *_ACTION_SERVICES.get(arn[2], ())))
    return grant.actions.overlaps(Patterns(actions)) and grant.resources.overlaps(Patterns((text, f"{text}/*")))


def _read_arn(pair: ResourcePair) -> list[str]:
    """Return the parts of the ARN of the tagged resource; none if it is unknown."""
    values = pair.after or pair.before
    arn = None if values is None else values.text(_TAG_TYPES.get(pair.type, "arn"))
    return arn.split(":") if isinstance(arn, str) and arn.startswith("arn:") else []


def _list_resource_conditions(grant: Grant, name: str, pair: ResourcePair) -> list[PolicyCondition]:
    """Return the conditions on the tag `name`, which is in lower case, of resources such as `pair`."""
    arn = _read_arn(pair)
    conditions = []
    for condition in grant.conditions:
        key = str(condition.key)
        match = _RESOURCE_TAG.fullmatch(key)
        if match is None or match[3].lower() != name or bool(_OBJECT_TAG.fullmatch(key)) != (pair.type in _OBJECTS):
            continue
        if match[2] is None or len(arn) < 6 or [match[1].lower(), match[2].lower()] == [arn[2], arn[5]]:
            conditions.append(condition)
    return conditions


def _list_principal_conditions(grant: Grant, name: str) -> list[PolicyCondition]:
    """Return the conditions on the tag `name`, which is in lower case, of principals."""
    return [
        condition
        for condition in grant.conditions
        if (match := _PRINCIPAL_TAG.fullmatch(str(condition.key))) and match[1].lower() == name
    ]


def _list_principal_tags(grant: Grant) -> set[str]:
    """Return the tags of principals that the grant names, in lower case."""
    texts = [*grant.resources.patterns, *(value for condition in grant.conditions for value in condition.values)]
    variables = [name for text in texts for name in _VARIABLE.findall(str(text))]
    keys = [match[1] for condition in grant.conditions if (match := _PRINCIPAL_TAG.fullmatch(str(condition.key)))]
    return {name.lower() for name in (*variables, *keys)}


def _is_known(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, Sensitive)


def _is_met(condition: PolicyCondition, value: Any) -> Tristate:
    """Return whether a tag with this value meets the condition, or None if that is unknown."""
    operator = str(condition.operator).lower().rpartition(":")[2]
    has_unknown = any(map(is_unknown_text, condition.values))
    if operator == "null":
        is_certain = (value is None or _is_known(value)) and not has_unknown
        return (value is None) == ("true" in condition.values) if is_certain else None
    base = operator.removesuffix("ifexists")
    negated = "not" in base
    if value is None:
        return negated or operator != base
    positive = base.replace("not", "")
    if not _is_known(value) or positive not in ("stringequals", "stringlike", "stringequalsignorecase"):
        return None
    if any("${" in str(text) for text in condition.values):
        return None
    if positive == "stringlike":
        result = combine_any(covers(text, value) for text in condition.values)
    else:
        ignores_case = positive == "stringequalsignorecase"
        texts = [str(text).lower() if ignores_case else text for text in condition.values]
        is_listed = (value.lower() if ignores_case else value) in texts
        result = is_listed or (None if has_unknown else False)
    return result if result is None else result != negated
