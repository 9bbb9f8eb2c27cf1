"""What is written before an apply: the model's entry in the catalogue, and the package that an environment serves."""

import json
import re
from pathlib import Path

import yaml

from sustainable_mlops import synth
from sustainable_mlops.errors import UserError
from sustainable_mlops.files import write_whole
from sustainable_mlops.operations.deploy.choice import MODULES, Choice

#: The part of an entry that says how the model is served: from its key to the next, or to the end.
_SERVED = re.compile(rf"^(?:{'|'.join(MODULES.values())}):.*\n(?:[ \t]+.*\n|\n(?=[ \t]))*", re.MULTILINE)


def edited(text: str, choice: Choice) -> str:
    """An entry of the catalogue with this endpoint in place of any other; all else stays as its author wrote it.

    The same text, where it says so already.
    """
    said = yaml.safe_load(text) or {}
    now = {name: value for name, value in said.items() if name in MODULES.values() and value is not None}
    if now == {choice.module: dict(choice.inputs)}:
        return text
    rest = _SERVED.sub("", text if text.endswith("\n") else f"{text}\n")
    left = set(yaml.safe_load(rest) or {}) & set(MODULES.values())
    if left:
        raise UserError(f"{', '.join(left)}: can be changed only where it stands on lines of its own")
    return rest + yaml.safe_dump({choice.module: dict(choice.inputs)}, sort_keys=False)


def write(path: Path, choice: Choice) -> bool:
    """Say it in the file of a model; whether that changed it. Raises UserError."""
    before = path.read_text(encoding="utf-8")
    try:
        after = edited(before, choice)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    if after != before:
        write_whole(path, after)
    return after != before


def serve(folder: Path, model: str, package: str) -> bool:
    """Say which package an environment serves of a model; whether that changed anything. Raises UserError."""
    path = folder / synth.PACKAGES
    try:
        said = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        packages = said.setdefault("model_packages", {})
        if packages.get(model) == package:
            return False
        packages[model] = package
    except (ValueError, AttributeError) as error:
        raise UserError(f"{path}: must be an object with model_packages, by model: {error}") from None
    write_whole(path, json.dumps(said, indent=2) + "\n")
    return True
