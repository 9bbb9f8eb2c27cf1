"""Synthesis: from the Python sources of modules and environments to their committed HCL, in one process.

Settings are checked before jsii starts, because its start takes seconds. A run ends without jsii if neither the
sources nor the results have changed since the last run (`.local/synth.json` has their digests).
"""

import difflib
import hashlib
import importlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clone.deployer import environment as deployer
from clone.synth import author_errors
from sustainable_mlops.base.errors import UserError, did_you_mean
from sustainable_mlops.base.files import write_file
from sustainable_mlops.base.terraform import LOCAL, ROOT, find_engine, make_environment

if TYPE_CHECKING:
    from envs.settings import EnvironmentSettings
    from sustainable_mlops.authoring.resources import Module

GENERATED = "# Generated from {source} by smlops synth. Change the source, then run `smlops synth`.\n\n"
STAMP = LOCAL / "synth.json"
MODULES_JSON = LOCAL / "modules.json"
#: Sources of a synthesis, as patterns of paths in the repository.
SOURCES = (
    "constraints.txt",
    "sustainable_mlops/__init__.py",
    "sustainable_mlops/base/*.py",
    "sustainable_mlops/authoring/*",
    "sustainable_mlops/authoring/expressions/*.py",
    "sustainable_mlops/aws/*.py",
    "sustainable_mlops/catalogue/*",
    "clone/deployer/*.py",
    "sustainable_mlops/footprint/**/*.py",
    "sustainable_mlops/plan/*.py",
    "clone/synth/*.py",
    "modules/**/*.py",
    "envs/**/*.py",
    "envs/*/settings.yaml",
    "envs/*/.terraform.lock.hcl",
    "envs/catalogue/*/*.y*ml",
    "workloads/*/pipeline.json",
)
#: Folders whose files the root modules in envs/ refer to.
CALLED_FOLDERS = ("modules", "workloads")
#: Results of a synthesis, as patterns of paths.
RESULTS = (
    "modules/*/*.csv",
    "modules/*/*.tf",
    "modules/*/README.md",
    "modules/*/examples/*/*.tf",
    "modules/*/mocks/*.hcl",
    "modules/*/tests/*.hcl",
    "envs/*.json",
    "envs/*/*.json",
    "envs/*/*.tf",
    "envs/*/deployer/*",
)
#: Model packages that an environment serves. Terraform reads this file by itself, and people edit it.
PACKAGES = "models.auto.tfvars.json"
_NO_PACKAGES = json.dumps({"model_packages": {}}, indent=2) + "\n"


@dataclass(frozen=True)
class FileChange:
    """Generated file that differs from its source.

    `before` is None if the file does not exist, and `after` if no source generates it any more.
    """

    path: Path
    before: str | None
    after: str | None

    def render_diff(self) -> str:
        name = str(self.path.relative_to(ROOT))
        old, new = ((text or "").splitlines(keepends=True) for text in (self.before, self.after))
        return "".join(difflib.unified_diff(old, new, name, f"{name} (synthesized)"))


def list_names() -> tuple[list[str], list[str]]:
    """Return the names of all modules and of all environments."""
    modules = sorted(path.parent.name for path in ROOT.glob("modules/*/module.py"))
    environments = sorted(path.parent.name for path in ROOT.glob("envs/*/settings.yaml"))
    return modules, environments


def synthesize(
    targets: Iterable[str] = (), progress: Callable[[str], None] = lambda _: None, *, always: bool = False
) -> list[FileChange]:
    """Return the changes that bring the generated files of `targets` (or all files) up to date.

    `always` synthesizes even if nothing has changed since the last run. Raises UserError for an unknown name, invalid
    settings, a mistake of an author (with file and line), or missing Terraform.
    """
    selected = set(targets)
    modules, environments = list_names()
    if unknown := selected - {*modules, *environments}:
        name = min(unknown)
        raise UserError(
            f"{name}: no module or environment has this name{did_you_mean(name, [*modules, *environments])}"
        )
    if not selected and not always and _is_unchanged():
        return []
    with author_errors.report_author_errors():
        settings = _load_settings(name for name in environments if not selected or name in selected)
    find_engine()
    with author_errors.report_author_errors():
        files = dict(_render(selected, settings, progress))
    rendered: dict[Path, str | None] = {**_format_files(files)}
    names = selected or {*modules, *environments}
    rendered.update(dict.fromkeys(path for path in _list_generated(names) if path not in rendered))
    return [
        FileChange(path, before, after)
        for path, after in rendered.items()
        if (before := path.read_text() if path.exists() else None) != after
    ]


def write(changes: Iterable[FileChange]) -> None:
    """Write the changes, each file atomically. Delete files that no source generates."""
    for change in changes:
        if change.after is None:
            change.path.unlink(missing_ok=True)
        else:
            write_file(change.path, change.after)


def load_modules(names: Iterable[str]) -> dict[str, "Module[Any]"]:
    """Return the synthesized modules of these names. Starts jsii."""
    from sustainable_mlops.authoring.resources import Module

    modules = {}
    for name in names:
        source = importlib.import_module(f"modules.{name}.module")
        classes = [
            item
            for item in vars(source).values()
            if isinstance(item, type) and issubclass(item, Module) and item.__module__ == source.__name__
        ]
        if len(classes) != 1:
            raise UserError(f"modules/{name}/module.py: has {len(classes)} classes over Module[Inputs]; it needs one")
        modules[name] = classes[0](name).synthesize()
    return modules


def load_all_modules() -> dict[str, "Module[Any]"]:
    """Return every module, synthesized, and cache their JSON for `load_module_json`. Starts jsii."""
    sources = _hash_files(*SOURCES)  # taken first, so that an edit during the synthesis counts for the next one
    modules = load_modules(list_names()[0])
    cache = {"sources": sources, "modules": {name: module.to_json() for name, module in modules.items()}}
    write_file(MODULES_JSON, json.dumps(cache))
    return modules


def _load_settings(environments: Iterable[str]) -> dict[str, "EnvironmentSettings"]:
    """Return the settings of these environments by name. Starts nothing."""
    from envs.settings import load_all

    return load_all(ROOT / "envs" / name for name in environments)


def _render(
    selected: set[str], settings: Mapping[str, "EnvironmentSettings"], progress: Callable[[str], None]
) -> Iterator[tuple[Path, str]]:
    progress("starting jsii")
    # An environment is checked against all modules.
    modules = load_all_modules() if settings or not selected else load_modules(sorted(selected))
    from sustainable_mlops.authoring import examples, readme

    for name, module in modules.items():
        if selected and name not in selected:
            continue
        progress(f"modules/{name}")
        folder = ROOT / "modules" / name
        for file, text in module.render_files().items():
            yield folder / file, text if file.endswith(".csv") else GENERATED.format(source="module.py") + text
        page = folder / "README.md"
        if page.exists():
            yield page, readme.update_tables(module, page.read_text())
            for file, text in examples.render_files(module, page.read_text()):
                source = "sustainable_mlops/authoring/mocks.py" if file == examples.MOCKS_FILE else "the module's page"
                yield folder / file, GENERATED.format(source=source) + text
    if not settings:
        return
    from envs.settings import render_schemas

    for file, text in render_schemas().items():
        yield ROOT / "envs" / file, text
    for name, environment_settings in settings.items():
        progress(f"envs/{name}")
        yield from _render_environment(ROOT / "envs" / name, environment_settings, modules)


def _render_environment(
    folder: Path, settings: Any, modules: Mapping[str, "Module[Any]"]
) -> Iterator[tuple[Path, str]]:
    from envs.environment import COMPONENTS
    from envs.root import EnvironmentRoot

    root = EnvironmentRoot(settings, modules, COMPONENTS).synthesize()
    yield from _render_root_files(folder, root, settings, {name: module.to_json() for name, module in modules.items()})


def write_temporary_environments(*folders: str) -> None:
    """Synthesize environments outside envs/ beside their settings.yaml, with the catalogue of envs/. Starts jsii.

    Raises UserError for invalid settings.
    """
    from envs import settings

    parsed = {}
    for folder in map(Path, folders):
        text = (folder / settings.FILE).read_text(encoding="utf-8")
        parsed[folder] = settings.parse(text, str(folder / settings.FILE), ROOT / "envs" / "catalogue")
    modules = load_modules(list_names()[0])
    for folder, one in parsed.items():
        for path, content in _render_environment(folder, one, modules):
            write_file(path, content)


def _render_root_files(
    folder: Path, root: Any, settings: Any, modules: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[Path, str]]:
    for file, text in root.render_files().items():
        yield folder / file, GENERATED.format(source="settings.yaml, ../catalogue and ../components") + text
    body = root.to_json()
    resource_names = deployer.read_names(
        body,
        modules,
        settings.environment,
        settings.name_prefix,
        deletion_protection=settings.deletion_protection,
        registries=settings.promotion.registries,
    )
    for file, text in deployer.make_files(body, modules, resource_names).items():
        yield folder / "deployer" / file, text
    if not (folder / PACKAGES).exists():
        yield folder / PACKAGES, _NO_PACKAGES


def _list_generated(names: Collection[str]) -> list[Path]:
    """Return the HCL files of these modules and environments that a synthesis wrote."""
    begin, end = GENERATED.split("{source}")
    paths = [path for pattern in RESULTS if pattern.endswith((".tf", ".hcl")) for path in ROOT.glob(pattern)]
    return [
        path
        for path in paths
        if path.relative_to(ROOT).parts[1] in names
        if (text := path.read_text()).startswith(begin) and end in text
    ]


def _format_files(files: dict[Path, str]) -> dict[Path, str]:
    """Return the files after one run of `terraform fmt`."""
    with tempfile.TemporaryDirectory() as name:
        copies = {path: Path(name) / path.relative_to(ROOT) for path in files}
        for path, copy in copies.items():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(files[path])
        command = [find_engine().path, "fmt", "-recursive", "-list=false", name]
        result = subprocess.run(command, capture_output=True, text=True, env=make_environment(), check=False)
        if result.returncode:
            raise UserError(f"terraform fmt: {result.stderr.strip()}")
        return {path: copy.read_text() for path, copy in copies.items()}


def load_module_json() -> dict[str, Any]:
    """Return every module in Terraform's JSON syntax, by name: from the cache, or from a synthesis in a new process."""
    for attempt in range(2):
        try:
            cached = json.loads(MODULES_JSON.read_text())
        except (OSError, ValueError):
            cached = {}
        if cached.get("sources") == _hash_files(*SOURCES):
            modules: dict[str, Any] = cached["modules"]
            return modules
        if attempt == 0:
            code = "from clone import synth; synth.load_all_modules()"
            subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    raise RuntimeError("the sources changed while they were synthesized")


def _hash_files(*patterns: str) -> dict[str, str]:
    paths = sorted(path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file())
    return {str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _is_unchanged() -> bool:
    try:
        return bool(json.loads(STAMP.read_text()) == [_hash_files(*SOURCES), _hash_files(*RESULTS)])
    except (OSError, ValueError):
        return False


def save_digests() -> None:
    """Save the digests of sources and results, which are up to date now."""
    write_file(STAMP, json.dumps([_hash_files(*SOURCES), _hash_files(*RESULTS)]))
