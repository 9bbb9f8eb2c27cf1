"""Parser for IAM policy documents: the statements of roles, keys and buckets in one normal form."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan.configuration import References
from sustainable_mlops.plan.joins import Joins, Matches
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.values import UNKNOWN, AttributePath, Block, Unknown

ROLE = "aws_iam_role"
ROLE_POLICY = "aws_iam_role_policy"
POLICY = "aws_iam_policy"
ATTACHMENT = "aws_iam_role_policy_attachment"
DOCUMENT = "aws_iam_policy_document"
#: Resource whose `input` shows a policy while its JSON text is unknown.
SHOWN_POLICY = "terraform_data"
#: Elements of a policy.
_ELEMENTS = {"Id", "Statement", "Version"}
#: The only version whose `${...}` are variables; without a version, AWS assumes 2008-10-17.
_VERSION = "2012-10-17"
#: Condition operators whose values are true and false.
_FLAG = LazyPattern(r"(?:.*:)?(?:bool|null)(?:ifexists)?", re.I)

#: Types that pass on arbitrary values, such as outputs. The attributes of other types are their own names and ARNs.
_PASS_THROUGH_TYPES = LazyPattern(
    r"(?!aws(?:cc)?_).*"
    r"|aws(?:cc)?_(?:cloudformation_.*|cloudcontrolapi_resource|lambda_invocation|ssm_parameter|secretsmanager_.*_version)"
)

Texts = tuple[str | Unknown, ...]


class DerivedText(str):
    """A text that is unknown until apply and depends only on `resources`, which the plan creates or changes.

    As text, it names the resources and says that it is known after apply.
    """

    __slots__ = ("resources",)
    resources: tuple[Resource, ...]

    def __new__(cls, resources: tuple[Resource, ...]) -> "DerivedText":
        """Create a text that depends on `resources`, one or more."""
        self = super().__new__(cls, f"({', '.join(resource.address for resource in resources)}, known after apply)")
        self.resources = resources
        return self


def is_unknown_text(text: object) -> bool:
    """Return whether a text is known only after apply."""
    return isinstance(text, Unknown | DerivedText)


class PolicyCondition(NamedTuple):
    """One condition, such as `{"StringEquals": {"aws:SourceAccount": ["123456789012"]}}`, in its parts."""

    operator: str | Unknown
    key: str | Unknown
    values: Texts


class PolicyStatement(NamedTuple):
    """One statement. Parts that are known only after apply are `UNKNOWN` or `DerivedText`."""

    sid: str
    effect: str | Unknown
    actions: Texts
    not_actions: Texts
    resources: Texts
    not_resources: Texts
    principals: tuple[tuple[str | Unknown, Texts], ...]  # ("Service", ("sagemaker.amazonaws.com",)); ("*", ("*",))
    not_principals: tuple[tuple[str | Unknown, Texts], ...]
    conditions: tuple[PolicyCondition, ...]


class PolicyDocument(NamedTuple):
    """A policy document and its location."""

    resource: Resource
    path: str
    statements: tuple[PolicyStatement, ...]
    is_complete: bool  # False if statements are or may be unknown until apply, or if the text cannot be parsed
    #: The resource or data source that the statements come from. A function around it would not show in the plan.
    source: str = ""


class RolePolicies(NamedTuple):
    """The policies of a role, without its trust policy."""

    documents: tuple[PolicyDocument, ...]
    managed_arns: tuple[str, ...]  # attached policies that are not in this plan
    is_complete: bool  # False if apply may add policies or statements


def read_document(resource: Resource, path: AttributePath, joins: Joins) -> PolicyDocument | None:
    """Return the policy document in the attribute at `path`, or None if that is not set.

    If the text is unknown until apply but comes from one `aws_iam_policy_document`, or from the input of one
    `terraform_data`, the statements are read there. They are not complete if the text has other sources too.
    """
    text = resource.get_values(before=joins.before).text(path)
    where = path if isinstance(path, str) else ".".join(map(str, path))
    if text is None or text == "":
        return None
    if isinstance(text, str):
        statements = parse_statements(text)
        return PolicyDocument(resource, where, statements or (), statements is not None)
    for kind, read in ((DOCUMENT, _read_data_source), (SHOWN_POLICY, _read_shown_policy)):
        sources = joins.list_referenced(resource, path, kind)
        if len(sources) == 1:
            references = joins.find_references(resource, path)
            alone = len(references.resources) == 1 and not references.unresolved
            read_statements, is_complete = read(sources[0], joins)
            return PolicyDocument(resource, where, tuple(read_statements), is_complete and alone, sources[0].address)
    return PolicyDocument(resource, where, (), is_complete=False)


def read_role_policies(role: Resource, joins: Joins) -> RolePolicies:
    """Return the inline policies and the attached policies of a role."""
    candidates, managed, is_complete = _read_inline(role, joins)
    policies = joins.find_targets(role, "managed_policy_arns", POLICY) if managed else Matches()
    attachments = joins.find_sources(role, ATTACHMENT, "role")
    listing = joins.find_list_sources(role, POLICY, "roles")
    attached_policies, is_known = (
        [*policies.certain, *listing.certain],
        not attachments.possible and not listing.possible,
    )
    outside: list[str | Unknown | None] = [arn for arn in managed if arn not in joins.index_by_name(POLICY)]
    for attachment in attachments.certain:
        plan_policies = find_own_policies(attachment, "policy_arn", joins)
        arn = None if plan_policies else attachment.get_values(before=joins.before).text("policy_arn")
        attached_policies += plan_policies
        is_known = is_known and arn is not UNKNOWN
        outside.append(arn)
    candidates += [read_document(policy, "policy", joins) for policy in dict.fromkeys(attached_policies)]
    documents = tuple(candidate for candidate in candidates if candidate is not None)
    is_complete = is_complete and is_known and all(candidate.is_complete for candidate in documents)
    arns = tuple(dict.fromkeys(arn for arn in outside if isinstance(arn, str)))
    return RolePolicies(documents, arns, is_complete)


def find_own_policies(resource: Resource, path: AttributePath, joins: Joins) -> tuple[Resource, ...]:
    """Return the policies of this plan that the ARN at `path` names or, if it is unknown until apply, may name.

    The result is empty if it names, or may name, a policy outside the plan.
    """
    if resource.get_values(before=joins.before).get(path) is UNKNOWN:
        return _find_possible_policies(resource, path, joins)
    policy = joins.find_target(resource, path, POLICY)
    return (policy,) if isinstance(policy, Resource) else ()


def _find_possible_policies(resource: Resource, path: AttributePath, joins: Joins) -> tuple[Resource, ...]:
    makers = _find_makers(joins.find_references(resource, path))
    return makers if all(maker.type == POLICY for maker in makers) else ()


def derive_text(references: References) -> DerivedText | Unknown:
    """Return the placeholder for a text with these references that is unknown until apply."""
    makers = _find_makers(references)
    return DerivedText(makers) if makers else UNKNOWN


def _find_makers(references: References) -> tuple[Resource, ...]:
    """Return the resources that decide an unknown value with these references.

    The result is empty if anything else may decide it too.
    """
    sources = _list_open_sources(references)
    has_other_sources = any(source.mode == "data" or _PASS_THROUGH_TYPES.fullmatch(source.type) for source in sources)
    return () if references.unresolved or has_other_sources else sources


def _list_open_sources(references: References) -> tuple[Resource, ...]:
    """Return the resources and data sources with values that may be unknown until apply."""
    return tuple(resource for resource in references.resources if resource.action not in ("no-op", "delete", "forget"))


def _read_inline(role: Resource, joins: Joins) -> tuple[list[PolicyDocument | None], list[str | Unknown], bool]:
    """Return the inline documents of a role, the ARNs of its managed policies, and whether these lists are complete.

    The provider also computes both attributes. If the role does not set them, they repeat the policies that were
    attached when the role was last read.
    """
    values = role.get_values(before=joins.before)
    is_complete = True
    documents: list[PolicyDocument | None] = []
    blocks = values.blocks("inline_policy")
    if blocks is UNKNOWN:
        is_complete = joins.is_configured(role, "inline_policy") is False
    else:
        repeated = joins.list_inline_policy_names(role) if blocks else set()
        own = [block for block in blocks if block.text("name") not in repeated]
        documents += [read_document(role, f"{block.path}.policy", joins) for block in own]
    managed: list[str | Unknown] = []
    if joins.is_configured(role, "managed_policy_arns") is not False:
        managed = _list_texts(values.texts("managed_policy_arns"))
    policies = joins.find_sources(role, ROLE_POLICY, "role")
    documents += [read_document(policy, "policy", joins) for policy in policies.certain]
    is_known = UNKNOWN not in managed or bool(_find_possible_policies(role, "managed_policy_arns", joins))
    return documents, managed, is_complete and is_known and not policies.possible


def parse_statements(text: str) -> tuple[PolicyStatement, ...] | None:
    """Return the statements of a policy's JSON text, or None if it is not a policy."""
    return _list_statements(_parse_policy(text))


def _parse_policy(text: str) -> Any:
    """Return the value of a JSON text, or None if it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _list_statements(policy: Any) -> tuple[PolicyStatement, ...] | None:
    """Return the statements of a policy, or None if it is not a policy or the statements are not known."""
    statements = _list_raw_statements(policy)
    return None if statements is None else _apply_version(statements, policy.get("Version"))


def _apply_version(statements: Iterable[PolicyStatement], version: object) -> tuple[PolicyStatement, ...]:
    """Return the statements as version 2012-10-17 writes them.

    Earlier versions have no variables, so their `${aws:username}` is the text `${$}{aws:username}`.
    """
    if version == _VERSION or version is UNKNOWN:
        return tuple(statements)
    return tuple(_map_texts(statement, _escape_variables) for statement in statements)


def _escape_variables(text: str | Unknown) -> str | Unknown:
    return text.replace("${", "${$}{") if isinstance(text, str) and "${" in text else text


def _map_texts(statement: PolicyStatement, change: Callable[[str | Unknown], str | Unknown]) -> PolicyStatement:
    """Return the statement with changed resources and values of conditions, which may have variables."""
    return statement._replace(
        resources=tuple(map(change, statement.resources)),
        not_resources=tuple(map(change, statement.not_resources)),
        conditions=tuple(one._replace(values=tuple(map(change, one.values))) for one in statement.conditions),
    )


def _list_raw_statements(policy: Any) -> tuple[PolicyStatement, ...] | None:
    """Return the statements of a policy as they are written, or None like `_list_statements`."""
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    statement_list = statements if isinstance(statements, list) else [statements]
    parsed_statements = tuple(
        _build_statement(statement) for statement in statement_list if isinstance(statement, dict)
    )
    return parsed_statements if len(parsed_statements) == len(statement_list) else None


def _read_shown_policy(source: Resource, joins: Joins) -> tuple[tuple[PolicyStatement, ...], bool]:
    """Return the statements in the input of a `terraform_data`, and whether they are complete."""
    policy = source.get_values(before=joins.before).get("input")
    statements = _list_statements(policy) if isinstance(policy, dict) and policy.keys() <= _ELEMENTS else None
    placeholder = derive_text(joins.find_references(source, "input"))
    return tuple(_replace_unknowns(one, placeholder) for one in statements or ()), statements is not None


def _replace_unknowns(statement: PolicyStatement, placeholder: str | Unknown) -> PolicyStatement:
    """Return the statement with a placeholder for unknown resources, principals and values of conditions."""

    def replace(texts: Texts) -> Texts:
        return tuple(placeholder if text is UNKNOWN else text for text in texts)

    return statement._replace(
        resources=replace(statement.resources),
        principals=tuple((kind, replace(identifiers)) for kind, identifiers in statement.principals),
        conditions=tuple(one._replace(values=replace(one.values)) for one in statement.conditions),
    )


def _build_statement(fields: Mapping[str, Any]) -> PolicyStatement:
    return PolicyStatement(
        sid=str(fields.get("Sid") or ""),
        effect=_read_text(fields.get("Effect")),
        actions=_read_texts(fields.get("Action")),
        not_actions=_read_texts(fields.get("NotAction")),
        resources=_read_texts(fields.get("Resource")),
        not_resources=_read_texts(fields.get("NotResource")),
        principals=tuple(_list_principals(fields.get("Principal"))),
        not_principals=tuple(_list_principals(fields.get("NotPrincipal"))),
        conditions=tuple(_list_conditions(fields.get("Condition"))),
    )


def _list_principals(value: Any) -> Iterator[tuple[str | Unknown, Texts]]:
    if isinstance(value, dict):
        yield from ((kind, _read_scalars(identifiers)) for kind, identifiers in value.items())
    elif value is not None:
        yield _read_text(value), _read_texts(value)


def _list_conditions(value: Any) -> Iterator[PolicyCondition]:
    if value is None:
        return
    if not isinstance(value, dict):
        yield PolicyCondition(UNKNOWN, UNKNOWN, (UNKNOWN,))
        return
    for operator, tests in value.items():
        if not isinstance(tests, dict):
            yield PolicyCondition(operator, UNKNOWN, (UNKNOWN,))
            continue
        for key, values in tests.items():
            yield _build_condition(operator, key, _read_scalars(values))


def _build_condition(operator: str | Unknown, key: str | Unknown, values: Texts) -> PolicyCondition:
    """Return a condition. AWS reads `False` as `false` in conditions whose values are true and false."""
    if isinstance(operator, str) and _FLAG.fullmatch(operator):
        values = tuple(value.lower() if isinstance(value, str) else value for value in values)
    return PolicyCondition(operator, key, values)


def _read_data_source(source: Resource, joins: Joins) -> tuple[tuple[PolicyStatement, ...], bool]:
    """Return the statements of an `aws_iam_policy_document` that is read on apply, and whether they are complete.

    Its version also applies to the statements that it inherits.
    """
    statements, is_complete = _collect_statements(source, joins)
    version = source.text("version")
    return _apply_version(statements, _VERSION if version in (None, "") else version), is_complete


def _collect_statements(
    source: Resource, joins: Joins, within: frozenset[str] = frozenset()
) -> tuple[list[PolicyStatement], bool]:
    """Return the statements of an `aws_iam_policy_document`, and whether they are complete.

    `within` holds the addresses of the documents that inherit it. It stops the recursion for a plan with a cycle.
    """
    within |= {source.address}
    statements: list[PolicyStatement] = []
    is_complete = True
    for inherited in ("source_policy_documents", "override_policy_documents"):
        inherited_statements, is_document_complete = _read_inherited(source, inherited, joins, within)
        statements += inherited_statements
        # An override replaces statements with the same Sid, so it is not certain which statements remain.
        is_complete = (
            is_complete
            and is_document_complete
            and (not inherited_statements or inherited == "source_policy_documents")
        )
    blocks = source.blocks("statement")
    if blocks is UNKNOWN:
        return statements, False
    positions = _align_blocks(blocks, joins.list_configured_blocks(source, "statement"))
    return [
        *statements,
        *(
            _StatementBlock(block, source, joins, position).build_statement()
            for block, position in zip(blocks, positions, strict=True)
        ),
    ], is_complete


def _align_blocks(blocks: list[Block], configured: list[Mapping[str, Any]]) -> list[int | None]:
    """Return the position of each block in the configuration, which does not record blocks made by `dynamic`.

    If such blocks exist, a block has a position only if no other block has the same constants.
    """
    if len(blocks) <= len(configured):
        return list(range(len(blocks)))
    positions: list[int | None] = [None] * len(blocks)
    for position, expressions in enumerate(configured):
        matches = [number for number, block in enumerate(blocks) if _has_constants(block, expressions)]
        if len(matches) == 1:
            positions[matches[0]] = position
    return positions


def _has_constants(block: Block, expressions: Mapping[str, Any]) -> bool:
    constants = {
        name: expression["constant_value"]
        for name, expression in expressions.items()
        if isinstance(expression, dict) and "constant_value" in expression
    }
    return bool(constants) and all(_is_same_set(block.get(name), value) for name, value in constants.items())


def _is_same_set(value: Any, constant: Any) -> bool:
    """Return whether two values are equal; the order of lists does not matter, because the provider sorts them."""
    if isinstance(value, list) and isinstance(constant, list):
        return all(item in constant for item in value) and all(item in value for item in constant)
    return bool(value == constant)


def _read_inherited(
    source: Resource, path: str, joins: Joins, within: frozenset[str]
) -> tuple[list[PolicyStatement], bool]:
    """Return the statements of the documents in the list at `path`, and whether they are complete."""
    texts = source.texts(path)
    if texts is UNKNOWN:
        return [], False
    parsed_texts = [_list_raw_statements(_parse_policy(text)) for text in texts if isinstance(text, str)]
    statements = [statement for one in parsed_texts for statement in one or ()]
    is_complete = None not in parsed_texts
    references = joins.find_references(source, path)
    inherited = _list_open_sources(references) if UNKNOWN in texts else ()
    fits = len(inherited) == texts.count(UNKNOWN) and not references.unresolved
    if not fits or any(one.mode != "data" or one.type != DOCUMENT or one.address in within for one in inherited):
        return statements, is_complete and UNKNOWN not in texts
    for inherited_source in inherited:
        document_statements, is_document_complete = _collect_statements(inherited_source, joins, within)
        statements += document_statements
        is_complete = is_complete and is_document_complete
    return statements, is_complete


class _StatementBlock(NamedTuple):
    """A `statement` block of the data source at `source`.

    `position` is None if the references of the block are not known from the configuration.
    """

    block: Block
    source: Resource
    joins: Joins
    position: int | None

    def build_statement(self) -> PolicyStatement:
        block, conditions = self.block, self._derive("condition")
        return PolicyStatement(
            sid=str(block.get("sid", "")),
            effect=_read_text(block.get("effect", "Allow")),
            actions=_rewrite_texts(block, "actions"),
            not_actions=_rewrite_texts(block, "not_actions"),
            resources=_rewrite_texts(block, "resources", self._derive("resources")),
            not_resources=_rewrite_texts(block, "not_resources"),
            principals=tuple(_list_block_principals(block, "principals", self._derive("principals"))),
            not_principals=tuple(_list_block_principals(block, "not_principals", UNKNOWN)),
            conditions=tuple(
                _build_condition(
                    _read_text(condition.get("test")),
                    _read_text(condition.get("variable")),
                    _rewrite_texts(condition, "values", conditions),
                )
                for condition in _list_blocks(block, "condition")
            ),
        )

    def _derive(self, path: str) -> str | Unknown:
        """Return the placeholder for an unknown text below `path`. Principals and conditions are unordered sets."""
        if self.position is None:
            return UNKNOWN
        return derive_text(self.joins.find_references(self.source, f"statement.{self.position}.{path}"))


def _list_block_principals(
    block: Block, path: str, placeholder: str | Unknown
) -> Iterator[tuple[str | Unknown, Texts]]:
    for principal in _list_blocks(block, path):
        yield _read_text(principal.get("type")), _rewrite_texts(principal, "identifiers", placeholder)


def _rewrite_texts(block: Block, path: str, placeholder: str | Unknown = UNKNOWN) -> Texts:
    """Return the texts in the form that the provider writes: `&{aws:username}` becomes `${aws:username}`.

    `made` replaces unknown texts.
    """
    texts = _list_texts(block.texts(path))
    return tuple(text.replace("&{", "${") if isinstance(text, str) else placeholder for text in texts)


def _list_blocks(block: Block, path: str) -> Iterable[Block]:
    blocks = block.blocks(path)
    return [Block(UNKNOWN, path)] if blocks is UNKNOWN else blocks


def _list_texts(texts: list[str | Unknown] | Unknown) -> list[str | Unknown]:
    return [UNKNOWN] if texts is UNKNOWN else texts


def _read_text(value: Any) -> str | Unknown:
    return value if isinstance(value, str) else UNKNOWN


def _read_texts(value: Any) -> Texts:
    """Return one text or a list of texts as a tuple. Other values become unknown, so they are not lost."""
    if value is None:
        return ()
    return tuple(map(_read_text, value)) if isinstance(value, list) else (_read_text(value),)


def _read_scalars(written_value: Any) -> Texts:
    """Return texts of principals and condition values, in which AWS also accepts unquoted `true` and `3600`."""
    values = written_value if isinstance(written_value, list) else [] if written_value is None else [written_value]
    return _read_texts([json.dumps(value) if isinstance(value, bool | int | float) else value for value in values])
