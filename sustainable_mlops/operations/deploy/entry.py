"""What is written before an apply: the model's entry in the catalogue, and the package that an environment serves."""

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

#: The part of an entry that says how the model is served: from its key to the next, or to the end.
_SERVED = re.compile(
    rf"^(?:{'|'.join(MODULES.values())}):.*\n(?:[ \t]+\S.*\n|(?:[ \t]*(?:#.*)?\n)+(?=[ \t]+[^\s#]))*", re.MULTILINE
)
#: What a choice decides also where it does not say it; all else that an endpoint of its module has stays.
_DECIDED = ("aws_provider", "inference_specification_name", "one_instance_because")
#: What is the model's own, whatever serves it.
_OF_MODEL = "environment_variables"


def edited(text: str, choice: Choice) -> str:
    """An entry of the catalogue with this endpoint in place of any other; all else stays as its author wrote it.

    What the author says of an endpoint of this kind besides stays too, without his comments on it. The same text, where
    it says so already.
    """
    said = yaml.safe_load(text) or {}
    now = {name: value for name, value in said.items() if name in MODULES.values() and value is not None}
    wanted = {choice.module: {**_kept(now, choice), **choice.inputs}}
    if now == wanted:
        return text
    others = {name: value for name, value in said.items() if name not in MODULES.values()}
    rest = _SERVED.sub("", text if text.endswith("\n") else f"{text}\n")
    after = rest + yaml.safe_dump(wanted, sort_keys=False)
    if (_read(rest) or {}) != others or _read(after) != others | wanted:
        names = ", ".join(now) or choice.module
        raise UserError(f"{names}: can be changed only where it stands on lines of its own")
    return after


def _kept(now: Mapping[str, Any], choice: Choice) -> dict[str, Any]:
    """What the entry says that the choice does not decide: of another kind of endpoint the model's own alone."""
    return {
        name: value
        for module, said in now.items()
        for name, value in said.items()
        if name == _OF_MODEL or (module == choice.module and name not in _DECIDED)
    }


def _read(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


@contextmanager
def or_as_before(*files: Path) -> Iterator[None]:
    """Where an error or Ctrl-C ends what is within, the files are as they were."""
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


def write(path: Path, choice: Choice) -> bool:
    """Say it in the file of a model; whether that changed it. Raises UserError."""
    before = path.read_text(encoding="utf-8")
    try:
        after = edited(before, choice)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    if after != before:
        write_file(path, after)
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
    write_file(path, json.dumps(said, indent=2) + "\n")
    return True
