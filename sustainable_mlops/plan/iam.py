"""Parser for IAM policy documents: the statements of roles, keys and buckets in one normal form."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sustainable_mlops.plan.configuration import References
from sustainable_mlops.plan.joins import Joins, Matches
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.values import UNKNOWN, Block, Path, Unknown

ROLE = "aws_iam_role"
ROLE_POLICY = "aws_iam_role_policy"
POLICY = "aws_iam_policy"
ATTACHMENT = "aws_iam_role_policy_attachment"
DOCUMENT = "aws_iam_policy_document"
#: Condition operators whose values are true and false.
_FLAG = re.compile(r"(?:.*:)?(?:bool|null)(?:ifexists)?", re.I)

#: Types that pass on arbitrary values, such as outputs. The attributes of other types are their own names and ARNs.
_ECHOES = re.compile(
    r"(?!aws(?:cc)?_).*"
    r"|aws(?:cc)?_(?:cloudformation_.*|cloudcontrolapi_resource|lambda_invocation|ssm_parameter|secretsmanager_.*_version)"
)

Texts = tuple[str | Unknown, ...]


class Made(str):
    """A text that is unknown until apply and depends only on `resources`, which the plan creates or changes.

    As text, it names the resources and says that it is known after apply.
    """

    __slots__ = ("resources",)
    resources: tuple[Resource, ...]

    def __new__(cls, resources: tuple[Resource, ...]) -> "Made":
        """Create a text that depends on `resources`, one or more."""
        self = super().__new__(cls, f"({', '.join(one.address for one in resources)}, known after apply)")
        self.resources = resources
        return self


def is_open(text: object) -> bool:
    """Return whether a text is known only after apply."""
    return isinstance(text, Unknown | Made)


class Condition(NamedTuple):
    """One condition, such as `{"StringEquals": {"aws:SourceAccount": ["123456789012"]}}`, in its parts."""

    operator: str | Unknown
    key: str | Unknown
    values: Texts


class Statement(NamedTuple):
    """One statement. Parts that are known only after apply are `UNKNOWN` or `Made`."""

    sid: str
    effect: str | Unknown
    actions: Texts
    not_actions: Texts
    resources: Texts
    not_resources: Texts
    principals: tuple[tuple[str | Unknown, Texts], ...]  # ("Service", ("sagemaker.amazonaws.com",)); ("*", ("*",))
    not_principals: tuple[tuple[str | Unknown, Texts], ...]
    conditions: tuple[Condition, ...]


class Document(NamedTuple):
    """A policy document and its location."""

    resource: Resource
    path: str
    statements: tuple[Statement, ...]
    whole: bool  # False if statements are or may be unknown until apply, or if the text cannot be parsed
    #: The data source that the statements come from. A function around it would not show in the plan.
    declared_in: str = ""


class RolePolicies(NamedTuple):
    """The policies of a role and its trust policy."""

    trust: Document | None
    documents: tuple[Document, ...]
    managed_arns: tuple[str, ...]  # attached policies that are not in this plan
    whole: bool  # False if apply may add policies or statements


def document(resource: Resource, path: Path, joins: Joins) -> Document | None:
    """Return the policy document in the attribute at `path`, or None if that is not set.

    If the text is unknown until apply but comes from one `aws_iam_policy_document`, the statements are read there.
    They are not complete if the text has other sources too.
    """
    text = resource.values(before=joins.before).text(path)
    where = path if isinstance(path, str) else ".".join(map(str, path))
    if text is None or text == "":
        return None
    if isinstance(text, str):
        statements = parse(text)
        return Document(resource, where, statements or (), statements is not None)
    sources = joins.referred(resource, path, DOCUMENT)
    if len(sources) == 1:
        references = joins.references(resource, path)
        alone = len(references.resources) == 1 and not references.unresolved
        declared, whole = _of_data(sources[0], joins)
        return Document(resource, where, tuple(declared), whole and alone, sources[0].address)
    return Document(resource, where, (), whole=False)


def of_role(role: Resource, joins: Joins) -> RolePolicies:
    """Return the inline policies, the attached policies and the trust policy of a role."""
    found, managed, whole = _embedded(role, joins)
    policies = joins.targets(role, "managed_policy_arns", POLICY) if managed else Matches()
    attachments = joins.sources(role, ATTACHMENT, "role")
    listing = joins.listing(role, POLICY, "roles")
    joined, told = [*policies.sure, *listing.sure], not attachments.maybe and not listing.maybe
    outside: list[str | Unknown | None] = [arn for arn in managed if arn not in joins.names(POLICY)]
    for attachment in attachments.sure:
        ours = own_policies(attachment, "policy_arn", joins)
        arn = None if ours else attachment.values(before=joins.before).text("policy_arn")
        joined += ours
        told = told and arn is not UNKNOWN
        outside.append(arn)
    found += [document(policy, "policy", joins) for policy in dict.fromkeys(joined)]
    documents = tuple(one for one in found if one is not None)
    whole = whole and told and all(one.whole for one in documents)
    arns = tuple(dict.fromkeys(arn for arn in outside if isinstance(arn, str)))
    return RolePolicies(document(role, "assume_role_policy", joins), documents, arns, whole)


def own_policies(resource: Resource, path: Path, joins: Joins) -> tuple[Resource, ...]:
    """Return the policies of this plan that the ARN at `path` names or, if it is unknown until apply, may name.

    The result is empty if it names, or may name, a policy outside the plan.
    """
    if resource.values(before=joins.before).get(path) is UNKNOWN:
        return _may_be(resource, path, joins)
    found = joins.target(resource, path, POLICY)
    return (found,) if isinstance(found, Resource) else ()


def _may_be(resource: Resource, path: Path, joins: Joins) -> tuple[Resource, ...]:
    found = _makers(joins.references(resource, path))
    return found if all(one.type == POLICY for one in found) else ()


def made(references: References) -> Made | Unknown:
    """Return the placeholder for a text with these references that is unknown until apply."""
    found = _makers(references)
    return Made(found) if found else UNKNOWN


def _makers(references: References) -> tuple[Resource, ...]:
    """Return the resources that decide an unknown value with these references.

    The result is empty if anything else may decide it too.
    """
    found = _open(references)
    others = any(one.mode == "data" or _ECHOES.fullmatch(one.type) for one in found)
    return () if references.unresolved or others else found


def _open(references: References) -> tuple[Resource, ...]:
    """Return the resources and data sources with values that may be unknown until apply."""
    return tuple(one for one in references.resources if one.action not in ("no-op", "delete", "forget"))


def _embedded(role: Resource, joins: Joins) -> tuple[list[Document | None], list[str | Unknown], bool]:
    """Return the inline documents of a role, the ARNs of its managed policies, and whether these lists are complete.

    The provider also computes both attributes. If the role does not set them, they repeat the policies that were
    attached when the role was last read.
    """
    values = role.values(before=joins.before)
    whole = True
    found: list[Document | None] = []
    blocks = values.blocks("inline_policy")
    if blocks is UNKNOWN:
        whole = joins.configured(role, "inline_policy") is False
    else:
        repeated = joins.inline_policy_names(role) if blocks else set()
        own = [block for block in blocks if block.text("name") not in repeated]
        found += [document(role, f"{block.path}.policy", joins) for block in own]
    managed: list[str | Unknown] = []
    if joins.configured(role, "managed_policy_arns") is not False:
        managed = _listed(values.texts("managed_policy_arns"))
    policies = joins.sources(role, ROLE_POLICY, "role")
    found += [document(policy, "policy", joins) for policy in policies.sure]
    told = UNKNOWN not in managed or bool(_may_be(role, "managed_policy_arns", joins))
    return found, managed, whole and told and not policies.maybe


def parse(text: str) -> tuple[Statement, ...] | None:
    """Return the statements of a policy's JSON text, or None if it is not a policy."""
    try:
        policy = json.loads(text)
    except (ValueError, RecursionError):
        return None
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    listed = statements if isinstance(statements, list) else [statements]
    read = tuple(_statement(statement) for statement in listed if isinstance(statement, dict))
    return read if len(read) == len(listed) else None


def _statement(written: Mapping[str, Any]) -> Statement:
    return Statement(
        sid=str(written.get("Sid") or ""),
        effect=_text(written.get("Effect")),
        actions=_texts(written.get("Action")),
        not_actions=_texts(written.get("NotAction")),
        resources=_texts(written.get("Resource")),
        not_resources=_texts(written.get("NotResource")),
        principals=tuple(_principals(written.get("Principal"))),
        not_principals=tuple(_principals(written.get("NotPrincipal"))),
        conditions=tuple(_conditions(written.get("Condition"))),
    )


def _principals(written: Any) -> Iterator[tuple[str | Unknown, Texts]]:
    if isinstance(written, dict):
        yield from ((kind, _scalars(identifiers)) for kind, identifiers in written.items())
    elif written is not None:
        yield _text(written), _texts(written)


def _conditions(written: Any) -> Iterator[Condition]:
    if written is None:
        return
    if not isinstance(written, dict):
        yield Condition(UNKNOWN, UNKNOWN, (UNKNOWN,))
        return
    for operator, tests in written.items():
        if not isinstance(tests, dict):
            yield Condition(operator, UNKNOWN, (UNKNOWN,))
            continue
        for key, values in tests.items():
            yield _condition(operator, key, _scalars(values))


def _condition(operator: str | Unknown, key: str | Unknown, values: Texts) -> Condition:
    """Return a condition. AWS reads `False` as `false` in conditions whose values are true and false."""
    if isinstance(operator, str) and _FLAG.fullmatch(operator):
        values = tuple(value.lower() if isinstance(value, str) else value for value in values)
    return Condition(operator, key, values)


def _of_data(source: Resource, joins: Joins, within: frozenset[str] = frozenset()) -> tuple[list[Statement], bool]:
    """Return the statements of an `aws_iam_policy_document` that is read on apply, and whether they are complete.

    `within` holds the addresses of the documents that inherit it. It stops the recursion for a plan with a cycle.
    """
    within |= {source.address}
    statements: list[Statement] = []
    whole = True
    for inherited in ("source_policy_documents", "override_policy_documents"):
        found, told = _inherited(source, inherited, joins, within)
        statements += found
        # An override replaces statements with the same Sid, so it is not certain which statements remain.
        whole = whole and told and (not found or inherited == "source_policy_documents")
    blocks = source.blocks("statement")
    if blocks is UNKNOWN:
        return statements, False
    # The configuration does not record blocks made by `dynamic`, so positions match only without them.
    aligned = bool(blocks) and joins.configured(source, f"statement.{len(blocks) - 1}") is True
    return [*statements, *(_Declared(block, source, joins if aligned else None).statement() for block in blocks)], whole


def _inherited(source: Resource, path: str, joins: Joins, within: frozenset[str]) -> tuple[list[Statement], bool]:
    """Return the statements of the documents in the list at `path`, and whether they are complete."""
    texts = source.texts(path)
    if texts is UNKNOWN:
        return [], False
    parsed = [parse(text) for text in texts if isinstance(text, str)]
    statements = [statement for one in parsed for statement in one or ()]
    whole = None not in parsed
    references = joins.references(source, path)
    inherited = _open(references) if UNKNOWN in texts else ()
    fits = len(inherited) == texts.count(UNKNOWN) and not references.unresolved
    if not fits or any(one.mode != "data" or one.type != DOCUMENT or one.address in within for one in inherited):
        return statements, whole and UNKNOWN not in texts
    for one in inherited:
        found, told = _of_data(one, joins, within)
        statements += found
        whole = whole and told
    return statements, whole


class _Declared(NamedTuple):
    """A `statement` block of the data source at `source`.

    `joins` is None if the configuration does not tell to what the block refers.
    """

    block: Block
    source: Resource
    joins: Joins | None

    def statement(self) -> Statement:
        block, conditions = self.block, self._made("condition")
        return Statement(
            sid=str(block.get("sid", "")),
            effect=_text(block.get("effect", "Allow")),
            actions=_rewritten(block, "actions"),
            not_actions=_rewritten(block, "not_actions"),
            resources=_rewritten(block, "resources", self._made("resources")),
            not_resources=_rewritten(block, "not_resources"),
            principals=tuple(_declared_principals(block, "principals", self._made("principals"))),
            not_principals=tuple(_declared_principals(block, "not_principals", UNKNOWN)),
            conditions=tuple(
                _condition(_text(one.get("test")), _text(one.get("variable")), _rewritten(one, "values", conditions))
                for one in _blocks(block, "condition")
            ),
        )

    def _made(self, path: str) -> str | Unknown:
        """Return the placeholder for an unknown text below `path`. Principals and conditions are unordered sets."""
        if self.joins is None:
            return UNKNOWN
        return made(self.joins.references(self.source, f"{self.block.path}.{path}"))


def _declared_principals(block: Block, path: str, made: str | Unknown) -> Iterator[tuple[str | Unknown, Texts]]:
    for principal in _blocks(block, path):
        yield _text(principal.get("type")), _rewritten(principal, "identifiers", made)


def _rewritten(block: Block, path: str, made: str | Unknown = UNKNOWN) -> Texts:
    """Return the texts in the form that the provider writes: `&{aws:username}` becomes `${aws:username}`.

    `made` replaces unknown texts.
    """
    listed = _listed(block.texts(path))
    return tuple(text.replace("&{", "${") if isinstance(text, str) else made for text in listed)


def _blocks(block: Block, path: str) -> Iterable[Block]:
    found = block.blocks(path)
    return [Block(UNKNOWN, path)] if found is UNKNOWN else found


def _listed(found: list[str | Unknown] | Unknown) -> list[str | Unknown]:
    return [UNKNOWN] if found is UNKNOWN else found


def _text(value: Any) -> str | Unknown:
    return value if isinstance(value, str) else UNKNOWN


def _texts(written: Any) -> Texts:
    """Return one text or a list of texts as a tuple. Other values become unknown, so they are not lost."""
    if written is None:
        return ()
    return tuple(map(_text, written)) if isinstance(written, list) else (_text(written),)


def _scalars(written: Any) -> Texts:
    """Return texts of principals and condition values, in which AWS also accepts unquoted `true` and `3600`."""
    listed = written if isinstance(written, list) else [] if written is None else [written]
    return _texts([json.dumps(value) if isinstance(value, bool | int | float) else value for value in listed])
