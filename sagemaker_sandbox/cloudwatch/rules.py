"""Rules of composite alarms: ALARM("a") AND NOT (OK(b) OR TRUE). Source: API reference, PutCompositeAlarm."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sagemaker_sandbox.cloudwatch.evaluation import ALARM, INSUFFICIENT_DATA, OK

_MOST_CHILDREN, _MOST_ELEMENTS = 100, 500
_TOKEN = re.compile(
    r"""\s*(?:(?P<check>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"(?P<quoted>[^"]+)"|'(?P<single>[^']+)'|(?P<bare>[^)"']*?))"""
    r"""\s*\)|(?P<word>AND|OR|NOT|TRUE|FALSE)\b|(?P<sign>[()]))""",
    re.IGNORECASE,
)
#: The state of an alarm, by its name or ARN; None where there is none.
StateOf = Callable[[str], str | None]


class RuleError(Exception):
    """A rule that cannot be understood; the text says why."""


@dataclass(frozen=True)
class Rule:
    """What a rule says: `holds` whether it is true; `children`, the alarms that it names, each once."""

    holds: Callable[[StateOf], bool]
    children: tuple[str, ...]


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def parse(text: str) -> Rule:
    """Raises RuleError."""
    tokens = _Tokens(list(_tokens(text)))
    holds = _either(tokens)
    if tokens.next is not None:
        raise RuleError(f"unexpected {tokens.next.text}")
    names = [token.text for token in tokens.all if token.kind in (ALARM, OK, INSUFFICIENT_DATA)]
    if len(set(names)) > _MOST_CHILDREN:
        raise RuleError(f"it names more than {_MOST_CHILDREN} alarms")
    if len([token for token in tokens.all if token.kind not in ("AND", "OR", "NOT", ")")]) > _MOST_ELEMENTS:
        raise RuleError(f"it has more than {_MOST_ELEMENTS} elements")
    return Rule(holds, tuple(dict.fromkeys(names)))


class _Tokens:
    def __init__(self, tokens: list[_Token]) -> None:
        self.all = tokens
        self._place = 0

    @property
    def next(self) -> _Token | None:
        return self.all[self._place] if self._place < len(self.all) else None

    def take(self, kind: str) -> bool:
        """Whether the next is of this kind; it is behind then."""
        if self.next is None or self.next.kind != kind:
            return False
        self._place += 1
        return True


def _tokens(text: str) -> Iterator[_Token]:
    place, text = 0, text.strip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise RuleError(f"'{text[place:].strip()}' cannot be understood")
        if found["check"]:
            name = found["quoted"] or found["single"] or found["bare"]
            if not name:
                raise RuleError(f"{found['check']} names no alarm")
            yield _Token(found["check"].upper(), name.strip())
        else:
            yield _Token((found["word"] or found["sign"]).upper(), found.group().strip())
        place = found.end()


def _either(tokens: _Tokens) -> Callable[[StateOf], bool]:
    parts = [_both(tokens)]
    while tokens.take("OR"):
        parts.append(_both(tokens))
    return parts[0] if len(parts) == 1 else lambda state_of: any(part(state_of) for part in parts)


def _both(tokens: _Tokens) -> Callable[[StateOf], bool]:
    parts = [_one(tokens)]
    while tokens.take("AND"):
        parts.append(_one(tokens))
    return parts[0] if len(parts) == 1 else lambda state_of: all(part(state_of) for part in parts)


def _one(tokens: _Tokens) -> Callable[[StateOf], bool]:
    if tokens.take("NOT"):
        inner = _one(tokens)
        return lambda state_of: not inner(state_of)
    if tokens.take("("):
        inner = _either(tokens)
        if not tokens.take(")"):
            raise RuleError("a parenthesis is not closed")
        return inner
    token = tokens.next
    if token is None or not tokens.take(token.kind) or token.kind in ("AND", "OR", ")"):
        raise RuleError("a condition is missing")
    if token.kind in ("TRUE", "FALSE"):
        return lambda _state_of: token.kind == "TRUE"
    return lambda state_of: state_of(token.text) == token.kind
