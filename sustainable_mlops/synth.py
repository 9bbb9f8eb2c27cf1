"""From the Python sources of modules and environments to their committed HCL, all in one process.

jsii costs seconds and a gigabyte to start, so a run whose sources and results are as the last run left them ends
before it (`.local/synth.json` remembers both).
"""

import difflib
import hashlib
import importlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sustainable_mlops.errors import UserError
from sustainable_mlops.terraform import LOCAL, ROOT, environment, find_engine

if TYPE_CHECKING:
    from sustainable_mlops.authoring import Module

GENERATED = "# Generated from {source} by scripts/synth.py: change that, then run it again.\n\n"
STAMP = LOCAL / "synth.json"
MODULES_JSON = LOCAL / "modules.json"


@dataclass(frozen=True)
class Change:
    """A generated file that is not as its source says. `before` is None where it does not exist."""

    path: Path
    before: str | None
    after: str

    def diff(self) -> str:
        name = str(self.path.relative_to(ROOT))
        old = (self.before or "").splitlines(keepends=True)
        return "".join(difflib.unified_diff(old, self.after.splitlines(keepends=True), name, f"{name} (synthesized)"))


def names() -> tuple[list[str], list[str]]:
    """The names of all modules and of all environments."""
    modules = sorted(path.parent.name for path in ROOT.glob("modules/*/module.py"))
    environments = sorted(path.parent.name for path in ROOT.glob("envs/*/settings.yaml"))
    return modules, environments


def synthesize(wanted: Iterable[str] = (), progress: Callable[[str], None] = lambda _: None) -> list[Change]:
    """What would have to be written so that every generated file (of `wanted`, or of all) is as its source says.

    Raises UserError on an unknown name, on settings that are refused and where Terraform is missing.
    """
    chosen = set(wanted)
    modules, environments = names()
    if unknown := chosen - {*modules, *environments}:
        known = ", ".join([*modules, *environments])
        raise UserError(f"nothing is called {', '.join(sorted(unknown))}; there are: {known}")
    if not chosen and _unchanged():
        return []
    find_engine()  # before jsii takes its seconds
    rendered = _formatted(dict(_render(chosen, progress)))
    return [
        Change(path, before, after)
        for path, after in rendered.items()
        if (before := path.read_text() if path.exists() else None) != after
    ]


def write(changes: Iterable[Change]) -> None:
    """Write the changes, each file at once."""
    for change in changes:
        partial = change.path.with_name(f".{change.path.name}.partial")
        partial.write_text(change.after)
        partial.replace(change.path)


def load_modules(wanted: Iterable[str]) -> dict[str, "Module[Any]"]:
    """The modules of these names, synthesized. Starts jsii."""
    from sustainable_mlops.authoring import Module

    modules = {}
    for name in wanted:
        source = importlib.import_module(f"modules.{name}.module")
        (cls,) = (
            item
            for item in vars(source).values()
            if isinstance(item, type) and issubclass(item, Module) and item.__module__ == source.__name__
        )
        modules[name] = cls(name).synthesize()
    return modules


def _render(chosen: set[str], progress: Callable[[str], None]) -> Iterator[tuple[Path, str]]:
    sys.path[:0] = [str(ROOT)]  # `modules` and `envs` are read from here, installed or not
    module_names, environment_names = names()
    roots = [name for name in environment_names if not chosen or name in chosen]
    progress("starting jsii")
    from sustainable_mlops.authoring import readme

    # An environment is checked against every module that it may call.
    modules = load_modules(module_names if roots else [name for name in module_names if name in chosen])
    if len(modules) == len(module_names):
        whole = {"sources": _sources(), "modules": {name: module.json() for name, module in modules.items()}}
        LOCAL.mkdir(exist_ok=True)
        MODULES_JSON.write_text(json.dumps(whole))
    for name, module in modules.items():
        if chosen and name not in chosen:
            continue
        progress(f"modules/{name}")
        folder = ROOT / "modules" / name
        for file, text in module.files().items():
            yield folder / file, GENERATED.format(source="module.py") + text
        page = folder / "README.md"
        if page.exists():
            yield page, readme.renew(module, page.read_text())
    if not roots:
        return
    environments = importlib.import_module("envs.environment")
    yield ROOT / "envs" / "settings.schema.json", environments.schema()
    for name in roots:
        progress(f"envs/{name}")
        folder = ROOT / "envs" / name
        root = environments.load(folder / "settings.yaml", modules).synthesize()
        for file, text in root.files().items():
            yield folder / file, GENERATED.format(source="settings.yaml and ../environment.py") + text


def _formatted(files: dict[Path, str]) -> dict[Path, str]:
    """The same files after `terraform fmt`, started once for all."""
    with tempfile.TemporaryDirectory() as name:
        copies = {path: Path(name) / path.relative_to(ROOT) for path in files}
        for path, copy in copies.items():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(files[path])
        command = [find_engine().path, "fmt", "-recursive", "-list=false", name]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
        if done.returncode:
            raise UserError(f"terraform fmt: {done.stderr.strip()}")
        return {path: copy.read_text() for path, copy in copies.items()}


def module_json() -> dict[str, Any]:
    """Every module in Terraform's JSON syntax, by name: from the last synthesis, or from one in its own process."""
    for attempt in range(2):
        try:
            known = json.loads(MODULES_JSON.read_text())
        except (OSError, ValueError):
            known = {}
        if known.get("sources") == _sources():
            modules: dict[str, Any] = known["modules"]
            return modules
        if attempt == 0:
            code = "from sustainable_mlops import synth; list(synth._render(set(), print))"
            subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    raise RuntimeError("the sources changed while they were synthesized")


def _digest(*patterns: str) -> dict[str, str]:
    paths = sorted(path for pattern in patterns for path in ROOT.glob(pattern))
    return {str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _sources() -> dict[str, str]:
    """What a synthesis depends on, by digest."""
    return _digest(
        "constraints.txt",
        "sustainable_mlops/*.py",
        "sustainable_mlops/authoring/*.py",
        "modules/**/*.py",
        "envs/*.py",
        "envs/*/settings.yaml",
    )


def _results() -> dict[str, str]:
    """What it gives, by digest."""
    return _digest("modules/*/*.tf", "modules/*/README.md", "envs/*.json", "envs/*/*.tf")


def _unchanged() -> bool:
    try:
        return bool(json.loads(STAMP.read_text()) == [_sources(), _results()])
    except (OSError, ValueError):
        return False


def remember() -> None:
    """Note that every generated file is as its source says now."""
    STAMP.parent.mkdir(exist_ok=True)
    STAMP.write_text(json.dumps([_sources(), _results()]))
