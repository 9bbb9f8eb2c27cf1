"""Writer of the files before an apply: the model's entry in the catalogue, and the package of an environment."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from sustainable_mlops import synth
from sustainable_mlops.errors import UserError
from sustainable_mlops.files import write_file
from sustainable_mlops.operations.deploy.choice import MODULES, Choice

#: The block of an entry that declares the endpoint: from its key to the next key, or to the end.
_ENDPOINT_BLOCK = re.compile(
    rf"^(?:{'|'.join(MODULES.values())}):.*\n(?:[ \t]+\S.*\n|(?:[ \t]*(?:#.*)?\n)+(?=[ \t]+[^\s#]))*", re.MULTILINE
)
#: Inputs that a choice sets or removes; all other inputs of the same kind of endpoint stay.
_CHOICE_INPUTS = ("aws_provider", "inference_specification_name", "one_instance_because")
#: Input that belongs to the model, for every kind of endpoint.
_MODEL_INPUT = "environment_variables"


def edit_entry(text: str, choice: Choice) -> str:
    """Return an entry of the catalogue with this endpoint instead of any other.

    The rest of the text stays unchanged. Other inputs of the same kind of endpoint stay too, without their comments.
    """
    entry = yaml.safe_load(text) or {}
    current = {name: value for name, value in entry.items() if name in MODULES.values() and value is not None}
    target = {choice.module: {**_collect_kept_inputs(current, choice), **choice.inputs}}
    if current == target:
        return text
    others = {name: value for name, value in entry.items() if name not in MODULES.values()}
    rest = _ENDPOINT_BLOCK.sub("", text if text.endswith("\n") else f"{text}\n")
    after = rest + yaml.safe_dump(target, sort_keys=False)
    if (_parse_yaml(rest) or {}) != others or _parse_yaml(after) != others | target:
        names = ", ".join(current) or choice.module
        raise UserError(f"{names}: can only be changed if it has lines of its own")
    return after


def _collect_kept_inputs(current: Mapping[str, Any], choice: Choice) -> dict[str, Any]:
    """Return the inputs to keep: those that the choice does not set; for another kind, environment variables only."""
    return {
        name: value
        for module, inputs in current.items()
        for name, value in inputs.items()
        if name == _MODEL_INPUT or (module == choice.module and name not in _CHOICE_INPUTS)
    }


def _parse_yaml(text: str) -> Any:
    """Return the parsed YAML; None if it is not valid."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
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


def write_entry(path: Path, choice: Choice) -> bool:
    """Write the choice into the file of a model; return True if the file changed. Raises UserError."""
    before = path.read_text(encoding="utf-8")
    try:
        after = edit_entry(before, choice)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    if after != before:
        write_file(path, after)
    return after != before


def write_package(folder: Path, model: str, package: str) -> bool:
    """Write the package that an environment serves; return True if the file changed. Raises UserError."""
    path = folder / synth.PACKAGES
    try:
        document = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        packages = document.setdefault("model_packages", {})
        if packages.get(model) == package:
            return False
        packages[model] = package
    except (ValueError, AttributeError) as error:
        raise UserError(f"{path}: must be a JSON object with model_packages by model: {error}") from None
    write_file(path, json.dumps(document, indent=2) + "\n")
    return True
