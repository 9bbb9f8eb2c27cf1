"""Wider privileges: permissions of roles, keys, buckets and package groups that a plan adds.

Statements are compared per policy owner, such as a role or a bucket, not per policy. A statement that moves to another
policy of the same owner is no change.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.catalogue.managed_policies import find_managed_policy
from sustainable_mlops.plan import UNKNOWN, Block
from sustainable_mlops.plan.iam import ROLE, PolicyDocument, parse_statements, read_document
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.patterns import Patterns
from sustainable_mlops.review.privileges.access_tags import find_tag_risks, list_tag_changes
from sustainable_mlops.review.privileges.dangerous_permissions import (
    WIDE_NAMES,
    assess_danger,
    is_on_all_resources,
    widen_unknowns,
)
from sustainable_mlops.review.privileges.grants import (
    ALL_PERMISSIONS,
    EffectivePolicy,
    Grant,
    Widening,
    WideningKind,
    count_comparisons,
    find_lost_denies,
    find_new_permissions,
    merge_statements,
)
from sustainable_mlops.review.privileges.new_resources import NewResources
from sustainable_mlops.review.privileges.policy_owners import (
    ATTACHED_POLICY,
    ManagedPolicy,
    PolicyOwner,
    PolicyOwnerIndex,
)
from sustainable_mlops.review.privileges.policy_types import IDENTITY, NETWORK, RESOURCE, RESTRICTIONS, TRUST
from sustainable_mlops.review.privileges.roles import find_role_risks
from sustainable_mlops.review.risk import Level, Risk, RiskArea, pick_worst

_MAY_DENY = LazyPattern(r"arn:[^:]*:iam::(?!aws:).*|.*(Deny|Quarantine).*", re.I)
_PRINCIPALS = ("aws_iam_role", "aws_iam_user", "aws_iam_group")
#: Maximum number of text comparisons, about ten seconds. Policies within the size limits of AWS need fewer.
_MAX_COMPARISONS = 30_000_000
_FIX = "Narrow it, or accept it with a reason in the file of accepted risks."
#: The policy of an endpoint that has none.
_NO_LIMITS = EffectivePolicy((ALL_PERMISSIONS,), (), is_complete=True)
_UNKNOWN = "is unknown until apply or sensitive"
_INCOMPLETE = "is unknown until apply, sensitive or not a valid policy"
_FIX_UNKNOWN = "Check it after apply, or write it as aws_iam_policy_document: then the plan has its statements."


def find_privilege_risks(comparison: Comparison) -> Iterator[Risk]:
    """Yield the privileges that a plan widens, and those that are unknown before apply."""
    owner_index = PolicyOwnerIndex(comparison)
    touched_owners = [owner for owner in owner_index.list_touched_owners() if not owner.is_deleted]
    attaches_any = any(ATTACHED_POLICY in owner.unknowns.values() for owner in touched_owners)
    context = _Context(comparison, NewResources(comparison), owner_index, attaches_any=attaches_any)
    boundaries = list(_find_boundary_risks(comparison))
    context.store_levels(boundaries)
    risks_by_owner = {}
    # New owners come first, because existing owners may get their permissions.
    for owner in sorted(touched_owners, key=lambda owner: not owner.is_new):
        risks_by_owner[id(owner)] = [*_find_attachment_risks(owner, context), *_find_document_risks(owner, context)]
        if owner.group == IDENTITY and owner.pair is not None and owner.pair.type == ROLE:
            context.store_levels(risks_by_owner[id(owner)], owner.pair.address)
    for owner in touched_owners:
        yield from risks_by_owner[id(owner)]
    yield from _find_removed_restrictions(owner_index, comparison)
    yield from boundaries
    if tag_changes := list_tag_changes(comparison):
        yield from find_tag_risks(tag_changes, context.policies)
    yield from find_role_risks(comparison, context.gained)


class _Context:
    """Facts about other owners that the assessment of one owner needs."""

    def __init__(
        self, comparison: Comparison, created: NewResources, owner_index: PolicyOwnerIndex, *, attaches_any: bool
    ) -> None:
        """Create the context. `attaches_any` is True if an attachment may be of any policy of the plan."""
        self.comparison, self.created, self.attaches_any = comparison, created, attaches_any
        self._owner_index = owner_index
        #: The worst level of the new permissions of each role, by address.
        self.gained: dict[str, Level] = {}

    def store_levels(self, risks: Iterable[Risk], role: str = "") -> None:
        """Keep the worst level of the risks of each role; `role` replaces the addresses of the risks."""
        for risk in risks:
            address = role or risk.address
            self.gained[address] = pick_worst(risk.level, self.gained.get(address, Level.NOTE))

    def reaches_only_new(self, grant: Grant) -> list[str] | None:
        """Return the addresses of new resources if `grant` reaches only those and gains nothing by them."""
        reached = [pair.address for pair in self.created.find_reached(grant) or ()]
        return reached if all(self.gained.get(address, Level.NOTE) is Level.NOTE for address in reached) else None

    @cached_property
    def policies(self) -> list[tuple[PolicyOwner, EffectivePolicy]]:
        """The policies of all owners after the plan."""
        owners = self._owner_index.list_lasting_owners()
        return [(owner, _merge_documents(_read_documents(owner, self.comparison)[1])) for owner in owners]


class _ParsedDocument(NamedTuple):
    """A document, its statements in normal form, and whether the plan changes it."""

    document: PolicyDocument
    policy: EffectivePolicy
    is_changed: bool
    #: The ARN and the date of an AWS managed policy; empty for other documents.
    managed_arn: str = ""
    managed_date: str = ""


def _find_document_risks(owner: PolicyOwner, context: _Context) -> Iterator[Risk]:
    before, after = _read_documents(owner, context.comparison)
    old, new = _merge_documents(before), _merge_documents(after)
    if _list_unread_detached_policies(owner):
        old = old._replace(is_complete=False)
    if owner.group == NETWORK:
        old = _complete_endpoint_policy(owner, old)
        if owner.is_new or old == _NO_LIMITS:
            yield from _note_endpoint_policy(owner, new)
            return
    if old == new and new.is_complete and new.is_certain:
        before, after = [], [parsed_document for parsed_document in after if parsed_document.document.source]
    effort = count_comparisons(new.allows, old.allows + new.denies) + count_comparisons(old.denies, new.denies)
    if (before or after) and effort > _MAX_COMPARISONS:
        yield _build_unknown_risk(owner, owner.address, "the set of its permissions", "is too long to compare")
        return
    for entry in after:
        yield from _find_gained_risks(owner, entry, old, new, context)
    for entry in before:
        yield from _find_lost_deny_risks(owner, entry, new, context)


def _find_gained_risks(
    owner: PolicyOwner, entry: _ParsedDocument, old: EffectivePolicy, new: EffectivePolicy, context: _Context
) -> Iterator[Risk]:
    parsed_document, document_policy, is_changed = entry[:3]
    widenings = list(find_new_permissions(document_policy.allows, old, new))
    if widenings and WIDE_NAMES.search(entry.managed_arn):
        yield _build_full_access_risk(owner, entry.managed_arn, parsed_document.resource.address)
        return
    risks = list(_find_widening_risks(owner, new, widenings, entry, context))
    yield from risks
    if not document_policy.is_complete and is_changed:
        yield _build_unknown_risk(owner, parsed_document.resource.address, f"its {parsed_document.path}")
    elif parsed_document.source and not owner.is_new and all(risk.level is Level.NOTE for risk in risks):
        reason = f"is compared as declared in {parsed_document.source}; a function around it is not visible"
        yield _build_unknown_risk(owner, parsed_document.resource.address, f"its {parsed_document.path}", reason)


def _find_lost_deny_risks(
    owner: PolicyOwner, entry: _ParsedDocument, new: EffectivePolicy, context: _Context
) -> Iterator[Risk]:
    parsed_document, document_policy, is_changed = entry[:3]
    yield from _find_widening_risks(owner, new, find_lost_denies(document_policy.denies, new), entry, context)
    if not document_policy.is_complete and is_changed and new.is_complete:
        yield _build_unknown_risk(
            owner, parsed_document.resource.address, f"the deny part of its {parsed_document.path}"
        )


def _note_endpoint_policy(owner: PolicyOwner, new: EffectivePolicy) -> Iterator[Risk]:
    """Yield a note about a new endpoint. Its policy can only limit what may pass."""
    after = None if owner.pair is None else owner.pair.after
    if not owner.is_new or after is None:
        return
    limits = "; ".join(map(str, new.allows)) or "a policy that is unknown until apply"
    if not new.allows and not new.denies and new.is_complete:
        if after.get("vpc_endpoint_type", "Gateway") not in ("Gateway", "Interface"):
            return  # the other types have no policies
        limits = f"no endpoint policy, so every request to {after.get('service_name')} may pass"
    yield Risk("PRIVILEGES_NEW", RiskArea.PRIVILEGES, Level.NOTE, owner.address, f"new: {owner.label}: {limits}")


def _complete_endpoint_policy(owner: PolicyOwner, old: EffectivePolicy) -> EffectivePolicy:
    """Return the former policy of an endpoint. Without a policy, everything may pass."""
    if old.allows or old.denies or not old.is_complete or owner.is_new:
        return old
    return old._replace(is_complete=False) if owner.pair is None else _NO_LIMITS


def _read_documents(owner: PolicyOwner, comparison: Comparison) -> tuple[list[_ParsedDocument], list[_ParsedDocument]]:
    configured_sides = {source.is_before for source in owner.sources if not source.is_computed}
    if owner.group != NETWORK and configured_sides:
        configured_sides = {True, False}
    sources = [source for source in owner.sources if not (source.is_computed and source.is_before in configured_sides)]
    documents: tuple[dict[object, _ParsedDocument], dict[object, _ParsedDocument]] = ({}, {})
    for source in sources:
        joins = comparison.joins_before if source.is_before else comparison.joins_after
        parsed_document = read_document(source.resource, source.path, joins)
        if parsed_document is not None and (parsed_document.is_complete or not source.is_computed):
            sides = [0] if source.is_before else [1]
            sides += [1] if source.is_before and source.resource.action == "forget" else []
            for side in sides:
                documents[side].setdefault(
                    (source.resource, source.path), _build_entry(parsed_document, source.is_changed)
                )
    return (
        [*documents[0].values(), *_read_managed_policies(owner.managed_before.values())],
        [*documents[1].values(), *_read_managed_policies(owner.managed_after.values())],
    )


def _read_managed_policies(policies: Iterable[ManagedPolicy]) -> Iterator[_ParsedDocument]:
    """Yield the documents of attached AWS managed policies that the catalogue contains."""
    for managed in policies:
        text = find_managed_policy(managed.arn)
        statements = None if text is None else parse_statements(text.document)
        if text is not None and statements is not None:
            document = PolicyDocument(managed.resource, managed.path, statements, is_complete=True)
            yield _build_entry(document, False, managed.arn, text.updated)


def _build_entry(
    document: PolicyDocument, is_changed: bool, managed_arn: str = "", managed_date: str = ""
) -> _ParsedDocument:
    policy = merge_statements(document.statements, is_complete=document.is_complete)
    return _ParsedDocument(document, policy, is_changed, managed_arn, managed_date)


def _is_detached(managed: ManagedPolicy, owner: PolicyOwner) -> bool:
    return not managed.is_computed and managed.arn not in owner.managed_after


def _list_unread_detached_policies(owner: PolicyOwner) -> list[str]:
    """Return the ARNs of detached policies whose text is neither in the plan nor in the catalogue."""
    return [
        arn
        for arn, managed in owner.managed_before.items()
        if _is_detached(managed, owner) and find_managed_policy(arn) is None
    ]


def _merge_documents(documents: list[_ParsedDocument]) -> EffectivePolicy:
    return EffectivePolicy(
        tuple(grant for entry in documents for grant in entry.policy.allows),
        tuple(grant for entry in documents for grant in entry.policy.denies),
        all(entry.policy.is_complete for entry in documents),
    )


def _find_widening_risks(
    owner: PolicyOwner,
    new: EffectivePolicy,
    widenings: Iterable[Widening],
    entry: _ParsedDocument,
    context: _Context,
) -> Iterator[Risk]:
    if owner.is_new:
        yield from _find_new_owner_risks(owner, widenings, entry, context)
        return
    parsed_document, address = entry.document, entry.document.resource.address
    for widening in widenings:
        description = f"{owner.label}: {widening}{_describe_managed_policy(entry)}"
        reason = _explain_danger(widening.grant, owner, context)
        name = f"PRIVILEGES_{widening.kind.name}"
        if (
            widening.kind is not WideningKind.DENY
            and not reason
            and (created := context.reaches_only_new(widening.grant))
        ):
            description += f"; reaches only resources that this plan creates: {', '.join(created)}"
            known = not parsed_document.source  # a function around the declaration is not visible
            yield Risk(name, RiskArea.PRIVILEGES, Level.LOOK, address, description, is_known=known)
        elif not reason and not (widening.is_known and _is_certain_extent(widening.grant, owner, context)):
            detached = _list_unread_detached_policies(owner)
            description += (
                f"; the plan does not show if {', '.join(detached)}, which it detaches, allowed the same"
                if detached
                else "; parts are unknown until apply, so this may be more than before"
            )
            yield Risk(
                "PRIVILEGES_UNKNOWN",
                RiskArea.PRIVILEGES,
                Level.LOOK,
                address,
                description,
                _FIX_UNKNOWN,
                is_known=False,
            )
        elif widening.kind is WideningKind.DENY and _is_deny_irrelevant(widening.grant, owner, new):
            if allowing := _find_allowing_resource(widening.grant, owner, context):
                description += f"; the policy of {allowing} allows it"
                yield Risk(name, RiskArea.PRIVILEGES, Level.STOP, address, description, _FIX)
            else:
                description += "; no remaining statement allows it"
                yield Risk(name, RiskArea.PRIVILEGES, Level.NOTE, address, description)
        else:
            is_mild = owner.group == NETWORK or _is_another_read(widening, owner)
            level = Level.LOOK if is_mild and not reason else Level.STOP
            description = f"{description} ({reason})" if reason else description
            yield Risk(name, RiskArea.PRIVILEGES, level, address, description, _FIX)


def _is_another_read(widening: Widening, owner: PolicyOwner) -> bool:
    """Return whether a principal gets one more read action on named resources whose data it already reads."""
    return widening.kind is WideningKind.READ and owner.group == IDENTITY and not is_on_all_resources(widening.grant)


def _explain_danger(grant: Grant, owner: PolicyOwner, context: _Context) -> str:
    """Return the reason why a permission is dangerous for any owner, or an empty text."""
    if owner.group == NETWORK:
        return "as without a policy, every request may pass" if grant.covers(ALL_PERMISSIONS) else ""
    return assess_danger(grant, owner.group, context.comparison.accounts)[1]


def _is_certain_extent(grant: Grant, owner: PolicyOwner, context: _Context) -> bool:
    """Return whether the resources are known, or would be dangerous if they were all resources."""
    return UNKNOWN not in grant.resources.patterns or bool(_explain_danger(widen_unknowns(grant), owner, context))


def _find_new_owner_risks(
    owner: PolicyOwner, widenings: Iterable[Widening], entry: _ParsedDocument, context: _Context
) -> Iterator[Risk]:
    """Yield the permissions of a new owner: for the record, unless they are dangerous or unknown."""
    harmless_grants = []
    parsed_document, accounts = entry.document, context.comparison.accounts
    address, managed = parsed_document.resource.address, _describe_managed_policy(entry)
    for widening in widenings:
        description = f"{owner.label}: {widening}{managed}"
        level, reason = assess_danger(widening.grant, owner.group, accounts)
        level = Level.LOOK if level is Level.STOP and managed else level  # AWS wrote it for this use
        _, at_most = assess_danger(widen_unknowns(widening.grant), owner.group, accounts)
        if not (reason or at_most) or (_is_unattached_policy(owner) and not context.attaches_any):
            harmless_grants.append(str(widening.grant))
        elif _is_unattached_policy(owner):
            description += f" ({reason or at_most}); its owner is unknown until apply"
            yield Risk(
                "PRIVILEGES_UNKNOWN",
                RiskArea.PRIVILEGES,
                Level.LOOK,
                address,
                description,
                _FIX_UNKNOWN,
                is_known=False,
            )
        elif reason:
            yield Risk("PRIVILEGES_DANGEROUS", RiskArea.PRIVILEGES, level, address, f"{description} ({reason})", _FIX)
        else:
            description += f"; parts are unknown until apply, so it may be {at_most}"
            yield Risk(
                "PRIVILEGES_UNKNOWN",
                RiskArea.PRIVILEGES,
                Level.LOOK,
                address,
                description,
                _FIX_UNKNOWN,
                is_known=False,
            )
    if harmless_grants:
        declared = f" (as declared in {parsed_document.source})" if parsed_document.source else managed
        description = f"new: {owner.label}: {'; '.join(harmless_grants)}{declared}"
        yield Risk("PRIVILEGES_NEW", RiskArea.PRIVILEGES, Level.NOTE, address, description)


def _is_unattached_policy(owner: PolicyOwner) -> bool:
    """Return whether it is a policy without an owner in this plan.

    A new one grants nothing by itself, and as a permissions boundary it restricts.
    """
    return owner.pair is not None and owner.pair.type == "aws_iam_policy"


def _is_deny_irrelevant(denied: Grant, owner: PolicyOwner, remaining: EffectivePolicy) -> bool:
    """Return whether no remaining statement of a role, user or group of the plan allows the denied permission."""
    if owner.group not in (IDENTITY, TRUST) or owner.pair is None or owner.pair.type not in _PRINCIPALS:
        return False
    outside = (
        owner.managed_after or owner.unknowns or any(managed.is_computed for managed in owner.managed_before.values())
    )
    return remaining.is_complete and not outside and not any(allow.overlaps(denied) for allow in remaining.allows)


def _find_allowing_resource(denied: Grant, owner: PolicyOwner, context: _Context) -> str | None:
    """Return the first resource whose policy may allow the denied permission to a role, user or group by itself.

    A policy that names only the account leaves the decision to the policies of the identity.
    """
    if owner.group != IDENTITY or owner.pair is None or owner.pair.after is None:
        return None
    gained = denied._replace(principals=_list_own_principals(owner.pair.type, owner.pair.after))
    policies = ((resource.label, policy) for resource, policy in context.policies if resource.group == RESOURCE)
    return next((label for label, policy in policies if any(allow.overlaps(gained) for allow in policy.allows)), None)


def _list_own_principals(type_: str, values: Block) -> Patterns:
    """Return the principals of a role with its sessions, of a user, or of the possible users of a group."""
    kind, name = type_.rpartition("_")[2], values.text("name")
    if kind == "group":
        return Patterns(("arn:*:iam::*:user/*",))
    arn = values.text("arn")
    arns_of_name = (
        (f"arn:*:iam::*:{kind}/{name}", f"arn:*:iam::*:{kind}/*/{name}") if isinstance(name, str) else (UNKNOWN,)
    )
    own = (arn,) if isinstance(arn, str) else arns_of_name
    return Patterns((*own, f"arn:*:sts::*:assumed-role/{name}/*") if kind == "role" and isinstance(name, str) else own)


def _build_unknown_risk(owner: PolicyOwner, address: str, subject: str, reason: str = _INCOMPLETE) -> Risk:
    text = f"{owner.label}: {subject} {reason}, so it may allow more than before"
    return Risk("PRIVILEGES_UNKNOWN", RiskArea.PRIVILEGES, Level.LOOK, address, text, _FIX_UNKNOWN, is_known=False)


def _describe_managed_policy(entry: _ParsedDocument) -> str:
    name = entry.managed_arn.rpartition("/")[2]
    return f" (AWS managed policy {name} of {entry.managed_date})" if name else ""


def _build_full_access_risk(owner: PolicyOwner, arn: str, address: str) -> Risk:
    description = f"{owner.label}: attaches {arn}, {_describe_policy_origin(arn)}"
    return Risk("PRIVILEGES_FULL_ACCESS", RiskArea.PRIVILEGES, Level.STOP, address, description, _FIX)


def _had_all_permissions(owner: PolicyOwner, context: _Context) -> bool:
    """Return whether the owner already had all permissions."""
    old = _merge_documents(_read_documents(owner, context.comparison)[0])
    return not old.denies and any(grant.covers(ALL_PERMISSIONS) for grant in old.allows)


def _find_attachment_risks(owner: PolicyOwner, context: _Context) -> Iterator[Risk]:
    for description in dict.fromkeys(owner.unknowns.values()):
        first, *others = (address for address, label in owner.unknowns.items() if label == description)
        suffix = f" (and of {len(others)} other resources)" if others else ""
        yield _build_unknown_risk(owner, first, f"{description}{suffix}", _UNKNOWN)
    for arn, managed in owner.managed_after.items():
        if arn in owner.managed_before or find_managed_policy(arn) is not None:
            continue  # the comparison of documents includes the text of a policy in the catalogue
        if _had_all_permissions(owner, context):
            continue
        address = managed.resource.address
        description = f"{owner.label}: attaches {arn}, {_describe_policy_origin(arn)}"
        if WIDE_NAMES.search(arn):
            yield _build_full_access_risk(owner, arn, address)
        elif not owner.is_new:
            yield Risk("PRIVILEGES_ATTACHED", RiskArea.PRIVILEGES, Level.STOP, address, description, _FIX)
        else:
            yield Risk(
                "PRIVILEGES_ATTACHED",
                RiskArea.PRIVILEGES,
                Level.LOOK,
                address,
                description,
                _FIX,
                is_known=False,
            )
    for arn, managed in owner.managed_before.items():
        if _is_detached(managed, owner) and _MAY_DENY.fullmatch(arn):
            origin = _describe_policy_origin(arn)
            description = f"{owner.label}: detaches {arn}, {origin}; its deny statements, if any, no longer apply"
            yield Risk(
                "PRIVILEGES_DETACHED",
                RiskArea.PRIVILEGES,
                Level.LOOK,
                managed.resource.address,
                description,
                is_known=False,
            )


def _describe_policy_origin(arn: str) -> str:
    return "an AWS managed policy" if ":iam::aws:policy/" in arn else "a policy outside this plan"


def _find_removed_restrictions(owner_index: PolicyOwnerIndex, comparison: Comparison) -> Iterator[Risk]:
    """Yield risks of policies whose removal allows more."""
    for pair in comparison.changes:
        if pair.type not in RESTRICTIONS or pair.before is None or pair.after is not None or pair.action == "forget":
            continue
        owner, (level, reason) = owner_index.find_owner(pair), RESTRICTIONS[pair.type]
        if owner is None or owner.after is not None:
            yield Risk("PRIVILEGES_DEFAULT", RiskArea.PRIVILEGES, level, pair.address, f"deleted: {reason}", _FIX)


def _find_boundary_risks(comparison: Comparison) -> Iterator[Risk]:
    for pair in (*comparison.by_type.get("aws_iam_role", ()), *comparison.by_type.get("aws_iam_user", ())):
        if pair.before is None or pair.after is None:
            continue
        old, new = pair.before.text("permissions_boundary"), pair.after.text("permissions_boundary")
        if old is None or (old == new and old is not UNKNOWN):
            continue
        if new is UNKNOWN or (old is UNKNOWN and new is not None):
            yield Risk(
                "PRIVILEGES_UNKNOWN", RiskArea.PRIVILEGES, Level.LOOK, pair.address,
                "the permissions boundary is unknown until apply", _FIX_UNKNOWN, is_known=False,
            )  # fmt: skip
        else:
            description = f"permissions boundary {old} {f'replaced by {new}' if new else 'removed'}"
            yield Risk("PRIVILEGES_BOUNDARY", RiskArea.PRIVILEGES, Level.STOP, pair.address, description, _FIX)
