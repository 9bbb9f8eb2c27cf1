"""Declared breaking changes, and the part of the page on upgrades that lists them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from sustainable_mlops.errors import UserError
from sustainable_mlops.terraform import ROOT

FILE = ROOT / "modules" / "breaking_changes.yaml"
PAGE = ROOT / "docs" / "upgrading.md"
UNRELEASED = "unreleased"
_START, _END = "<!-- breaking changes: start -->\n", "<!-- breaking changes: end -->"


class Edit(BaseModel):
    """Edit of a module call. Tests make it in the examples of the last release."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    before: str
    after: str


class Declaration(BaseModel):
    """Breaking changes of one module with a common reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    module: str
    #: Lines as `python -m tools.upgrades` prints them.
    changes: list[str]
    reason: str
    #: Instructions for users.
    action: str
    edits: list[Edit] = []


def read_declarations() -> dict[str, list[Declaration]]:
    """Return the declarations by release, the newest first. Raises UserError for an invalid file."""
    try:
        return TypeAdapter(dict[str, list[Declaration]]).validate_python(yaml.safe_load(FILE.read_bytes()))
    except (ValidationError, yaml.YAMLError) as error:
        raise UserError(f"{FILE.relative_to(ROOT)}: {' '.join(str(error).split())}") from None


def list_declared_changes(module: str) -> list[str]:
    """Return the declared changes of a module since the last release."""
    return [line for one in read_declarations()[UNRELEASED] if one.module == module for line in one.changes]


def release_declarations(name: str) -> None:
    """Move the declarations since the last release below the name of the new release."""
    text = FILE.read_text(encoding="utf-8")
    FILE.write_text(text.replace(f"\n{UNRELEASED}:", f"\n{UNRELEASED}: []\n\n{name}:", 1), encoding="utf-8")


def render_page(reference: str, stricter_inputs: Mapping[str, list[str]]) -> str:
    """Return the page with the current declarations; `stricter_inputs` have new validations, by module."""
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(_START)
    _, _, tail = rest.partition(_END)
    return f"{head}{_START}{chr(10).join(_render_changes(reference, stricter_inputs))}\n{_END}{tail}"


def _render_changes(reference: str, stricter_inputs: Mapping[str, list[str]]) -> Iterator[str]:
    for release, declarations in read_declarations().items():
        yield f"\n## {f'Since {reference}' if release == UNRELEASED else release}\n"
        yield from _render_table(declarations) if declarations else ["No breaking change."]
        if release == UNRELEASED and any(stricter_inputs.values()):
            yield "\nThese inputs have new or changed validations, which refuse more values at plan:\n"
            yield "| module | inputs |"
            yield "|---|---|"
            for module, names in stricter_inputs.items():
                if names:
                    yield f"| `{module}` | {', '.join(f'`{name}`' for name in names)} |"


def _render_table(declarations: Iterable[Declaration]) -> Iterator[str]:
    yield "| module | change | reason | what to do |"
    yield "|---|---|---|---|"
    for one in declarations:
        cells: list[Any] = [f"`{one.module}`", "<br>".join(one.changes), one.reason, _render_action(one)]
        yield f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"


def _render_action(one: Declaration) -> str:
    edits = (f"Write `{edit.after.strip()}` instead of `{edit.before.strip()}`." for edit in one.edits)
    return " ".join([one.action, *edits])
