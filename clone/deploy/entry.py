"""Changes of files before an apply: the model's entry in the catalogue, and the package of an environment.

Each value that this module writes has the comment `# advised VALUE`. A value without that comment belongs to a person
and stays. So does a value that differs from its comment.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

from clone import synth
from clone.deploy.choice import MODULES, Choice
from sustainable_mlops.base.documents import parse_yaml_document, render_yaml
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.files import read_text, write_file

#: The block of an entry that declares the endpoint: from its key to the next key, or to the end.
_ENDPOINT_BLOCK = re.compile(
    rf"^(?:{'|'.join(MODULES.values())}):.*\n(?:[ \t]+\S.*\n|(?:[ \t]*(?:#.*)?\n)+(?=[ \t]+[^\s#]))*", re.MULTILINE
)
_KEY_LINE = re.compile(r"^([ \t]+)(\w+):(.*)$")
_MARK = " # advised "
#: Input that belongs to the model, for every kind of endpoint.
_MODEL_INPUT = "environment_variables"


@dataclass(frozen=True, slots=True)
class EditedEntry:
    """An entry of the catalogue with the endpoint of a choice."""

    text: str
    #: Inputs of the endpoint in `text`.
    inputs: Mapping[str, Any]
    #: Values of a person that stay, although the choice has other values.
    kept_values: Mapping[str, Any]


class _Input(NamedTuple):
    """The lines of one input of an endpoint, with the comments and the nested lines below its first line."""

    #: Empty for the comments and blank lines before the first input.
    name: str
    lines: tuple[str, ...]

    @property
    def is_advised(self) -> bool:
        """True if this module wrote the value, and nobody changed it."""
        text, mark, advised = self.lines[0].partition(_MARK)
        return bool(mark) and text.partition(":")[2].strip() == advised.strip()


def find_own_endpoint(text: str) -> tuple[str | None, dict[str, Any]]:
    """Return the kind of endpoint that a person declares in an entry, and the values of that person.

    Without such values the kind is None, because an advised endpoint may change.
    """
    entry = _parse_yaml(text) or {}
    blocks = {block.partition(":")[0]: block for block in _ENDPOINT_BLOCK.findall(text)}
    for module in MODULES.values():
        values = entry.get(module)
        if values is None:
            continue
        inputs = [one for one in _split_block(blocks.get(module, "")) if one.name]
        advised = {one.name for one in inputs if one.is_advised}
        if not inputs or any(one.name not in {*advised, _MODEL_INPUT} for one in inputs):
            return module, {name: value for name, value in values.items() if name not in advised}
    return None, {}


def edit_entry(text: str, choice: Choice) -> EditedEntry:
    """Return an entry of the catalogue with the endpoint of the choice.

    The values, comments and fields of a person stay. Raises UserError if a person declares another kind of endpoint.
    """
    entry = _parse_yaml(text) or {}
    own, _ = find_own_endpoint(text)
    if own not in (None, choice.module):
        raise UserError(
            f"{own}: you wrote this endpoint in the file, and the choice is {choice.module}; delete its lines to "
            "change the kind of endpoint"
        )
    current: dict[str, Any] = dict(entry.get(choice.module) or {})
    text = text if text.endswith("\n") or not text else f"{text}\n"
    blocks = {block.partition(":")[0]: block for block in _ENDPOINT_BLOCK.findall(text)}
    has_advice = any(one.is_advised for block in blocks.values() for one in _split_block(block))
    if choice.inputs.keys() <= current.keys() and not has_advice:
        return _describe_edit(text, current, choice)
    inputs = {one.name: one for module, block in blocks.items() for one in _keep_inputs(module, block, choice)}
    head = next((block.splitlines()[0] for module, block in blocks.items() if module == choice.module), "")
    after = "\n".join([head or f"{choice.module}:", *_list_lines(inputs, choice)]) + "\n"
    target = _collect_inputs(entry, inputs, choice)
    if current == target:
        return _describe_edit(text, target, choice)
    for module, block in blocks.items():
        text = text.replace(block, after if module == choice.module else "", 1)
    text = text if choice.module in blocks else text + after
    others = {name: value for name, value in entry.items() if name not in MODULES.values()}
    is_readable = not current or choice.module in blocks
    if not is_readable or _parse_yaml(text) != others | {choice.module: target}:
        raise UserError(f"{choice.module}: write each value on its own line, so that the command can change it")
    return _describe_edit(text, target, choice)


def _describe_edit(text: str, inputs: Mapping[str, Any], choice: Choice) -> EditedEntry:
    kept_values = {name: inputs[name] for name, value in choice.inputs.items() if inputs[name] != value}
    return EditedEntry(text, inputs, kept_values)


def _split_block(block: str) -> list[_Input]:
    """Return the inputs of a block in their order."""
    inputs: list[tuple[str, list[str]]] = []
    indent = None
    for line in block.splitlines()[1:]:
        match = _KEY_LINE.match(line)
        if match is not None and indent in (None, match[1]):
            indent = match[1]
            inputs.append((match[2], [line]))
        elif inputs:
            inputs[-1][1].append(line)
        else:
            inputs.append(("", [line]))  # a comment before the first input
    return [_Input(name, tuple(lines)) for name, lines in inputs]


def _keep_inputs(module: str, block: str, choice: Choice) -> Iterator[_Input]:
    """Yield the inputs of a block that stay: those of a person, and those that the choice advises again."""
    for one in _split_block(block):
        if one.name == _MODEL_INPUT or (module == choice.module and (one.name in choice.inputs or not one.is_advised)):
            yield one


def _list_lines(inputs: Mapping[str, _Input], choice: Choice) -> Iterator[str]:
    first = next((one.lines[0] for one in inputs.values() if one.name), "  ")
    indent = first[: len(first) - len(first.lstrip())]
    for name, one in inputs.items():
        is_advised = one.is_advised and name in choice.inputs
        yield _format_input(indent, name, choice.inputs[name]) if is_advised else one.lines[0]
        yield from one.lines[1:]
    yield from (_format_input(indent, name, value) for name, value in choice.inputs.items() if name not in inputs)


def _format_input(indent: str, name: str, value: Any) -> str:
    """Return one line of YAML with the mark of an advised value."""
    line = render_yaml(
        {name: value}, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True
    ).strip()[1:-1]
    return f"{indent}{line}{_MARK}{line.partition(':')[2].strip()}"


def _collect_inputs(entry: Mapping[str, Any], inputs: Mapping[str, _Input], choice: Choice) -> dict[str, Any]:
    """Return the values of the endpoint after the change."""
    current = {name: value for module in MODULES.values() for name, value in (entry.get(module) or {}).items()}
    own = {name: current[name] for name, one in inputs.items() if name in current and not _is_replaced(one, choice)}
    return {**choice.inputs, **own}


def _is_replaced(one: _Input, choice: Choice) -> bool:
    return one.is_advised and one.name in choice.inputs


def _parse_yaml(text: str) -> Any:
    """Return the parsed YAML; None if it is not valid."""
    try:
        return parse_yaml_document(text, "entry")
    except UserError:
        return None


@contextmanager
def restore_on_error(*files: Path) -> Iterator[None]:
    """Restore the files if an error or Ctrl-C ends the block."""
    before = {path: path.read_bytes() if path.is_file() else None for path in files}
    try:
        yield
    except BaseException:
        for path, content in before.items():
            if content is not None:
                path.write_bytes(content)
            else:
                path.unlink(missing_ok=True)
        raise


def read_edit(path: Path, choice: Choice) -> EditedEntry:
    """Return the file of a model with the choice, without writing it. Raises UserError."""
    try:
        return edit_entry(path.read_text(encoding="utf-8"), choice)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def write_entry(path: Path, edit: EditedEntry) -> bool:
    """Write the file of a model; return whether it changed. Raises UserError."""
    has_change = edit.text != path.read_text(encoding="utf-8")
    if has_change:
        _write_edit(path, edit.text)
    return has_change


def read_packages(folder: Path) -> dict[str, Any]:
    """Return the packages file of an environment; empty without one. Raises UserError unless it maps models to ARNs."""
    path = folder / synth.PACKAGES
    if not path.is_file():
        return {}
    try:
        document = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not valid JSON: {error}; correct it there") from None
    packages = document.get("model_packages", {}) if isinstance(document, dict) else None
    if not isinstance(packages, dict):
        raise UserError(f'{path}: model_packages: must map models to ARNs: {{"model_packages": {{"MODEL": "ARN"}}}}')
    for model, package in packages.items():
        if not isinstance(package, str) or not package.startswith("arn:"):
            raise UserError(
                f"{path}: model_packages.{model}: must be the ARN of a model package, not {json.dumps(package)}"
            )
    return cast("dict[str, Any]", document)


def edit_packages(folder: Path, model: str, package: str) -> str | None:
    """Return the text of the packages file with this package; None if it has it already. Raises UserError.

    Everything else in the file stays, also its layout where the file has an entry already.
    """
    document = read_packages(folder)
    packages = document.setdefault("model_packages", {})
    current = packages.get(model)
    if current == package:
        return None
    entries = [f"{json.dumps(key)}: {json.dumps(arn)}" for key, arn in packages.items()]
    packages[model] = package
    path = folder / synth.PACKAGES
    text = read_text(path) if path.is_file() else ""
    new_entry = f"{json.dumps(model)}: {json.dumps(package)}"
    if current is not None:
        edited = re.sub(
            rf"({re.escape(json.dumps(model))}\s*:\s*){re.escape(json.dumps(current))}",
            lambda match: match[1] + json.dumps(package),
            text,
        )
    elif entries:
        edited = re.sub(
            rf"(\s*){re.escape(entries[-1])}", lambda match: f"{match[0]},{match[1] or ' '}{new_entry}", text
        )
    else:
        edited = ""
    return edited if _parse_json(edited) == document else json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _parse_json(text: str) -> Any:
    """Return the parsed JSON; None if it is not valid."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def write_package(folder: Path, model: str, package: str) -> bool:
    """Write the package that an environment serves; return True if the file changed. Raises UserError."""
    text = edit_packages(folder, model, package)
    if text is not None:
        _write_edit(folder / synth.PACKAGES, text)
    return text is not None


def _write_edit(path: Path, text: str) -> None:
    """Write an edited file with its line endings."""
    has_crlf = path.is_file() and b"\r\n" in path.read_bytes()
    write_file(path, text.replace("\n", "\r\n") if has_crlf else text)
