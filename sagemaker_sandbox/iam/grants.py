"""Grants of identity-based policies, and the requests that used them."""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from sagemaker_sandbox.iam.elements import fill_variables, make_list
from sagemaker_sandbox.iam.wildcards import Variables, matches, matches_arn

Statement = Mapping[str, Any]


class GrantKind(StrEnum):
    """A part of a statement that a report lists."""

    STATEMENT = "statement"
    ACTION = "action"
    RESOURCE = "resource"
    #: An action with a wildcard that requests used in part.
    WILDCARD = "wildcard"


@dataclass(frozen=True)
class UnusedGrant:
    """An unused grant, an unused action or resource of a grant, or a wildcard with its used actions."""

    principal: str
    policy: str
    statement: str
    kind: GrantKind
    actions: list[str]
    resources: list[str]
    used_actions: list[str]


class NamedStatement(NamedTuple):
    """A statement and the name of its policy."""

    policy: str
    statement: Statement


@dataclass
class _Usage:
    """Actions by pattern, and patterns of resources, that requests used."""

    actions: dict[str, set[str]] = field(default_factory=dict)
    resources: set[str] = field(default_factory=set)


class GrantRecorder:
    """Thread-safe record of the statements that allowed requests.

    The record identifies a statement by its content. A changed statement has no recorded requests.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._usage: dict[tuple[str, str, str], _Usage] = {}
        self._principals: set[str] = set()

    def add(
        self,
        principal: str,
        allowed_by: NamedStatement,
        action: str,
        resource: str | None,
        variables: Variables | None = None,
    ) -> None:
        """Record that a statement allowed an action of a principal.

        `variables` come from `fill_variables`. None as the resource is an unknown resource.
        """
        actions, resources = _list_patterns(allowed_by.statement)
        is_negated = "NotAction" in allowed_by.statement
        covering = [one for one in actions if is_negated or matches(one, action, ignore_case=True)]
        targets = [one for one in resources if _may_cover(allowed_by.statement, one, resource, variables)]
        with self._lock:
            usage = self._usage.setdefault(_build_key(principal, allowed_by), _Usage())
            for pattern in covering:
                usage.actions.setdefault(pattern, set()).add(action)
            usage.resources.update(targets)

    def add_principal(self, principal: str) -> None:
        """Record that a principal sent an allowed request."""
        with self._lock:
            self._principals.add(principal)

    def has_principal(self, principal: str) -> bool:
        """Return whether a principal sent an allowed request, or a service acted with it."""
        with self._lock:
            return principal in self._principals

    def clear(self) -> None:
        """Remove all records."""
        with self._lock:
            self._usage.clear()
            self._principals.clear()

    def list_used_actions(self, principal: str) -> list[str]:
        """Return the actions of a principal that its statements allowed."""
        with self._lock:
            usages = [usage for key, usage in self._usage.items() if key[0] == principal]
            return sorted({action for usage in usages for actions in usage.actions.values() for action in actions})

    def list_unused(self, principal: str, statements: Iterable[NamedStatement]) -> Iterator[UnusedGrant]:
        """Yield the unused grants of a principal, in the order of its statements."""
        for number, named_statement in enumerate(statements):
            if named_statement.statement.get("Effect") != "Allow":
                continue
            with self._lock:
                usage = self._usage.get(_build_key(principal, named_statement))
                used = {pattern: sorted(actions) for pattern, actions in usage.actions.items()} if usage else {}
                targets = set(usage.resources) if usage else set()
            label = str(named_statement.statement.get("Sid") or f"statement {number + 1}")
            yield from _compare(
                UnusedGrant(principal, named_statement.policy, label, GrantKind.STATEMENT, [], [], []),
                named_statement.statement,
                used,
                targets,
            )


def _compare(
    empty: UnusedGrant, statement: Statement, used: Mapping[str, list[str]], targets: set[str]
) -> Iterator[UnusedGrant]:
    """Yield the unused grants of one statement. `empty` has its principal, policy and name."""
    actions, resources = _list_patterns(statement)

    def build(kind: GrantKind, **parts: list[str]) -> UnusedGrant:
        lists = {"actions": [], "resources": [], "used_actions": [], **parts}
        return UnusedGrant(empty.principal, empty.policy, empty.statement, kind, **lists)

    if not used:
        yield build(GrantKind.STATEMENT, actions=actions, resources=resources)
        return
    for action in actions:
        if action not in used:
            yield build(GrantKind.ACTION, actions=[action], resources=resources)
        elif "NotAction" in statement or "*" in action or "?" in action:
            yield build(GrantKind.WILDCARD, actions=[action], resources=resources, used_actions=used[action])
    if unused := [one for one in resources if one not in targets]:
        yield build(GrantKind.RESOURCE, actions=actions, resources=unused)


def _list_patterns(statement: Statement) -> tuple[list[str], list[str]]:
    """Return the actions and the resources of a statement. A negated element is one text."""
    return _list_element(statement, "Action", "actions"), _list_element(statement, "Resource", "resources")


def _list_element(statement: Statement, name: str, noun: str) -> list[str]:
    if f"Not{name}" in statement:
        return [f"all {noun} except {', '.join(map(str, make_list(statement[f'Not{name}'])))}"]
    return [str(one) for one in make_list(statement.get(name))]


def _may_cover(statement: Statement, pattern: str, resource: str | None, variables: Variables | None) -> bool:
    if "NotResource" in statement:
        return True
    return any(matches_arn(filled, resource) is not False for filled in fill_variables([pattern], variables))


def _build_key(principal: str, named_statement: NamedStatement) -> tuple[str, str, str]:
    return principal, named_statement.policy, json.dumps(named_statement.statement, sort_keys=True, default=str)
