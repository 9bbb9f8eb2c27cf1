"""Declared breaking changes, and the part of the page on upgrades that lists them."""

import re
from collections.abc import Iterable, Iterator, Mapping

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT

FILE = ROOT / "modules" / "breaking_changes.yaml"
PAGE = ROOT / "docs" / "upgrading.md"
UNRELEASED = "unreleased"
#: The section of `UNRELEASED` in the file, up to the next section.
_UNRELEASED_SECTION = re.compile(rf"^{UNRELEASED}:.*?(?=^[^\s-]|\Z)", re.M | re.S)
_START, _END = "<!-- breaking changes: start -->\n", "<!-- breaking changes: end -->"


class Edit(BaseModel):
    """Edit of a module call. The test of the upgrade makes it in the examples of the last release."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    before: str
    after: str


class Declaration(BaseModel):
    """Breaking changes of one module with a common reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    module: str
    #: Lines as `python -m tools.upgrades` prints them, or lines on stricter inputs.
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


def describe_stricter_inputs(stricter_inputs: Mapping[str, list[str]]) -> list[Declaration]:
    """Return a declaration for each module with inputs that have new or changed validations."""
    return [
        Declaration(
            module=module,
            changes=[f"stricter: {', '.join(names)}"],
            reason="A plan refuses values that AWS refuses, or that contradict each other.",
            action="Plan with the new release. The error names each refused value and the correction. "
            f"The page has the [allowed values](../modules/{module}/README.md#inputs).",
        )
        for module, names in stricter_inputs.items()
        if names
    ]


def release_declarations(name: str, stricter_inputs: Mapping[str, list[str]]) -> None:
    """Move the declarations since the last release below the name of the new release, with its stricter inputs."""
    released = [*read_declarations()[UNRELEASED], *describe_stricter_inputs(stricter_inputs)]
    values = {name: [one.model_dump(exclude_defaults=True) for one in released]}
    section = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=120)
    text = _UNRELEASED_SECTION.sub(lambda _: f"{UNRELEASED}: []\n\n{section}\n", FILE.read_text(encoding="utf-8"))
    FILE.write_text(text, encoding="utf-8")


def render_page(reference: str, stricter_inputs: Mapping[str, list[str]]) -> str:
    """Return the page with the current declarations; `stricter_inputs` have new validations, by module."""
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(_START)
    _, _, tail = rest.partition(_END)
    return f"{head}{_START}{chr(10).join(_render_changes(reference, stricter_inputs))}\n{_END}{tail}"


def _render_changes(reference: str, stricter_inputs: Mapping[str, list[str]]) -> Iterator[str]:
    for release, declarations in read_declarations().items():
        since = f"Since {reference if reference.startswith('v') else f'commit {reference}'}"
        yield f"\n## {since if release == UNRELEASED else release}\n"
        rows = [*declarations, *(describe_stricter_inputs(stricter_inputs) if release == UNRELEASED else ())]
        yield from _render_table(rows) if rows else ["No breaking change."]


def _render_table(declarations: Iterable[Declaration]) -> Iterator[str]:
    yield "| module | change | reason | what to do |"
    yield "|---|---|---|---|"
    for one in declarations:
        cells = [f"`{one.module}`", "<br>".join(one.changes), one.reason, one.action]
        yield f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"
