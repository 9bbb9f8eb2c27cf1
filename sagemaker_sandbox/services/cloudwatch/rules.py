"""Rules of composite alarms: ALARM("a") AND NOT (OK(b) OR TRUE). Source: API reference, PutCompositeAlarm."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sagemaker_sandbox.services.cloudwatch.evaluation import ALARM, INSUFFICIENT_DATA, OK

_MAX_CHILDREN, _MAX_ELEMENTS = 100, 500
_TOKEN = re.compile(
    r"""\s*(?:(?P<check>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"(?P<quoted>[^"]+)"|'(?P<single>[^']+)'|(?P<bare>[^)"']*?))"""
    r"""\s*\)|(?P<word>AND|OR|NOT|TRUE|FALSE)\b|(?P<sign>[()]))""",
    re.IGNORECASE,
)
#: Function that returns the state of an alarm by its name or ARN; None if it does not exist.
StateOf = Callable[[str], str | None]


class RuleError(Exception):
    """A rule that cannot be parsed. The message is the reason."""


@dataclass(frozen=True)
class CompositeRule:
    """A parsed rule. `holds` evaluates it; `children` are the alarms that it names, each once."""

    holds: Callable[[StateOf], bool]
    children: tuple[str, ...]


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def parse_rule(text: str) -> CompositeRule:
    """Parse a rule. Raises RuleError."""
    tokens = _TokenStream(list(_list_tokens(text)))
    holds = _parse_or(tokens)
    if tokens.next is not None:
        raise RuleError(f"unexpected {tokens.next.text}")
    names = [token.text for token in tokens.all if token.kind in (ALARM, OK, INSUFFICIENT_DATA)]
    if len(set(names)) > _MAX_CHILDREN:
        raise RuleError(f"it names more than {_MAX_CHILDREN} alarms")
    if len([token for token in tokens.all if token.kind not in ("AND", "OR", "NOT", ")")]) > _MAX_ELEMENTS:
        raise RuleError(f"it has more than {_MAX_ELEMENTS} elements")
    return CompositeRule(holds, tuple(dict.fromkeys(names)))


class _TokenStream:
    def __init__(self, tokens: list[_Token]) -> None:
        self.all = tokens
        self._index = 0

    @property
    def next(self) -> _Token | None:
        return self.all[self._index] if self._index < len(self.all) else None

    def take(self, kind: str) -> bool:
        """Consume the next token and return True if it has this kind."""
        if self.next is None or self.next.kind != kind:
            return False
        self._index += 1
        return True


def _list_tokens(text: str) -> Iterator[_Token]:
    position, text = 0, text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise RuleError(f"'{text[position:].strip()}' cannot be parsed")
        if match["check"]:
            name = match["quoted"] or match["single"] or match["bare"]
            if not name:
                raise RuleError(f"{match['check']} names no alarm")
            yield _Token(match["check"].upper(), name.strip())
        else:
            yield _Token((match["word"] or match["sign"]).upper(), match.group().strip())
        position = match.end()


def _parse_or(tokens: _TokenStream) -> Callable[[StateOf], bool]:
    parts = [_parse_and(tokens)]
    while tokens.take("OR"):
        parts.append(_parse_and(tokens))
    return parts[0] if len(parts) == 1 else lambda state_of: any(part(state_of) for part in parts)


def _parse_and(tokens: _TokenStream) -> Callable[[StateOf], bool]:
    parts = [_parse_condition(tokens)]
    while tokens.take("AND"):
        parts.append(_parse_condition(tokens))
    return parts[0] if len(parts) == 1 else lambda state_of: all(part(state_of) for part in parts)


def _parse_condition(tokens: _TokenStream) -> Callable[[StateOf], bool]:
    if tokens.take("NOT"):
        inner = _parse_condition(tokens)
        return lambda state_of: not inner(state_of)
    if tokens.take("("):
        inner = _parse_or(tokens)
        if not tokens.take(")"):
            raise RuleError("a parenthesis is not closed")
        return inner
    token = tokens.next
    if token is None or not tokens.take(token.kind) or token.kind in ("AND", "OR", ")"):
        raise RuleError("a condition is missing")
    if token.kind in ("TRUE", "FALSE"):
        return lambda _state_of: token.kind == "TRUE"
    return lambda state_of: state_of(token.text) == token.kind
