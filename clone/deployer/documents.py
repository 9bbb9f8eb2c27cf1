"""IAM policy documents for `terraform plan` and `terraform apply` of one environment.

The resource types and names of the environment determine the documents; `deployer_actions.yaml` has the actions of each
type. The role for `apply` needs the documents for `plan` too.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sustainable_mlops.catalogue.deployer_actions import ALWAYS, STATE_KEY, Access, DeployerStatement, list_statements
from sustainable_mlops.catalogue.limits import get_limit

Phase = Literal["plan", "apply"]
#: Part of a document's name by the service of its actions; other services belong to `operations`.
AREAS = {
    "s3": "data",
    "kms": "data",
    "iam": "roles",
    "application-autoscaling": "sagemaker",
    "glue": "sagemaker",
    "sagemaker": "sagemaker",
}
_OPERATIONS = "operations"
#: Services that use the environment's key for the caller of CreateEndpointConfig and CreateFeatureGroup.
_KEY_SERVICES = ("dynamodb", "sagemaker")
MAX_CHARACTERS = get_limit("managed_policy_characters")


@dataclass(frozen=True)
class ArnNames:
    """Parts of the ARNs of an environment."""

    partition: str
    region: str
    account_id: str
    environment: str
    name_prefix: str
    state_bucket: str
    state_key: str
    state_kms_key_arn: str | None = None
    #: Key outside the environment; None if the environment creates its own.
    existing_kms_key_arn: str | None = None
    role_paths: tuple[str, ...] = ("/",)
    permissions_boundary_arn: str | None = None
    deletion_protection: bool = True
    #: Account and name prefix of each other registry from which the environment accepts models.
    registries: tuple[tuple[str, str], ...] = ()

    @property
    def kms_key_arn(self) -> str:
        """The ARN of an existing key, or a pattern for the key that the environment creates."""
        return self.existing_kms_key_arn or f"arn:{self.partition}:kms:{self.region}:{self.account_id}:key/*"


@dataclass(frozen=True)
class DeployerPolicy:
    """One managed policy."""

    name: str
    statements: tuple[dict[str, Any], ...]

    @property
    def text(self) -> str:
        """The policy as JSON."""
        return json.dumps({"Version": "2012-10-17", "Statement": list(self.statements)}, indent=2) + "\n"

    @property
    def characters(self) -> int:
        """Number of characters that IAM counts, without white space."""
        return count_characters(self.statements)


def count_characters(statements: Iterable[Mapping[str, Any]]) -> int:
    """Return the number of characters that IAM counts in a policy with these statements."""
    whole = {"Version": "2012-10-17", "Statement": list(statements)}
    return len("".join(json.dumps(whole, separators=(",", ":")).split()))


def make_documents(resource_types: Iterable[str], names: ArnNames) -> list[DeployerPolicy]:
    """Return the documents of an environment, those for `plan` first.

    Raises UserError for a resource type without a row in the table.
    """
    rows = [*ALWAYS, *([STATE_KEY] if names.state_kms_key_arn else []), *sorted(resource_types)]
    statements = [statement for row in rows for statement in list_statements(row)]
    deletes: tuple[Access, ...] = () if names.deletion_protection else ("delete_data",)
    accesses: dict[Phase, tuple[Access, ...]] = {"plan": ("read",), "apply": ("write", *deletes)}
    return [
        document
        for phase, allowed in accesses.items()
        for document in _pack_documents(phase, _merge_statements(phase, statements, allowed, names))
    ]


def _merge_statements(
    phase: Phase, statements: Iterable[DeployerStatement], accesses: Iterable[Access], names: ArnNames
) -> list[dict[str, Any]]:
    """Return one policy statement for each name, with the actions of all types that share it."""
    by_name: dict[str, DeployerStatement] = {}
    actions: dict[str, set[str]] = {}
    for statement in statements:
        by_name.setdefault(statement.name, statement)
        actions.setdefault(statement.name, set()).update(
            a for access in accesses for a in statement.get_actions(access)
        )
    return [
        policy_statement
        for name, action_names in actions.items()
        if action_names
        for policy_statement in _make_policy_statements(
            f"{phase.title()}{name}", by_name[name], sorted(action_names), names
        )
    ]


def _make_policy_statements(
    sid: str, statement: DeployerStatement, actions: list[str], names: ArnNames
) -> Iterator[dict[str, Any]]:
    """Yield the policy statement, and one more for the key that the environment creates.

    KMS applies a new tag after up to five minutes, but the first apply uses the key immediately. So the services that
    encrypt endpoints and online stores may use a key without the tag for the role. The role may not use it directly.
    Source: KMS developer guide, "ABAC for AWS KMS".
    """
    conditions = {
        operator: {key: [_fill_pattern(value, names)[0] for value in values] for key, values in keys.items()}
        for operator, keys in statement.conditions.items()
    }
    if statement.bounded and names.permissions_boundary_arn:
        conditions.setdefault("StringEquals", {})["iam:PermissionsBoundary"] = [names.permissions_boundary_arn]
    resources = sorted({arn for pattern in statement.resources for arn in _fill_pattern(pattern, names)})
    policy = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    if statement.of_key and names.existing_kms_key_arn is None:
        tag = {"aws:ResourceTag/environment": [names.environment]}
        suffix = "amazonaws.com.cn" if names.partition == "aws-cn" else "amazonaws.com"
        services = {"kms:ViaService": [f"{service}.{names.region}.{suffix}" for service in _KEY_SERVICES]}
        through_services = {"StringEqualsIfExists": tag, "StringEquals": services}
        yield policy | {"Sid": f"{sid}ThroughServices", "Condition": conditions | through_services}
        conditions.setdefault("StringEquals", {}).update(tag)
    yield policy | ({"Condition": conditions} if conditions else {})


def _fill_pattern(pattern: str, names: ArnNames) -> list[str]:
    """Return a pattern with its fields filled in, once for each role path or registry if it contains their fields."""
    fields = asdict(names) | {"kms_key_arn": names.kms_key_arn}
    if "{registry_account_id}" in pattern:
        return [
            pattern.format(**fields, registry_account_id=account, registry_prefix=prefix)
            for account, prefix in names.registries
        ]
    paths = names.role_paths if "{role_path}" in pattern else ("",)
    return [pattern.format(**fields, role_path=path) for path in paths]


def _pack_documents(phase: Phase, statements: Iterable[dict[str, Any]]) -> Iterator[DeployerPolicy]:
    """Yield the documents by area; an area that exceeds the limit is split into several documents."""
    areas: dict[str, list[list[dict[str, Any]]]] = {}
    for statement in statements:
        parts = areas.setdefault(_find_area(statement), [[]])
        if parts[-1] and count_characters([*parts[-1], statement]) > MAX_CHARACTERS:
            parts.append([])
        parts[-1].append(statement)
    for area, parts in sorted(areas.items()):
        for number, part in enumerate(parts, 1):
            yield DeployerPolicy(f"{phase}-{area}" + (f"-{number}" if number > 1 else ""), tuple(part))


def _find_area(statement: Mapping[str, Any]) -> str:
    return AREAS.get(statement["Action"][0].partition(":")[0], _OPERATIONS)
