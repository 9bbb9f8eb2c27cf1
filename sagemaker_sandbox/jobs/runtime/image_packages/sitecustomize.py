"""Names that libraries of old framework images have, and that newer versions removed or changed.

Python imports this module at its start. Sources: release notes of scikit-learn 0.23 (`sklearn.externals.joblib`), of
NumPy 1.24 (`numpy.int` and others) and of pandas 2.0 (`get_dummies` returns bool instead of uint8).
"""

import functools
import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


class _AliasLoader(Loader):
    """Loader of a module under an old name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module of the new name."""
        del spec
        return importlib.import_module(self._name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module is loaded."""


class _PatchLoader(Loader):
    """Loader of a module that changes it afterward."""

    def __init__(self, loader: Any, patch: Callable[[Any], None]) -> None:
        self._loader = loader
        self._patch = patch

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module as usual."""
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Run and change the module."""
        self._loader.exec_module(module)
        self._patch(module)


class _OldNames(MetaPathFinder):
    """Finder of the modules that have old names."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the specification of a module with old names, or None for another module."""
        if fullname in _ALIASES:
            return ModuleSpec(fullname, _AliasLoader(_ALIASES[fullname]))
        if fullname not in _PATCHES:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None:
            spec.loader = _PatchLoader(spec.loader, _PATCHES[fullname])
        return spec


def _add_numpy_names(numpy: Any) -> None:
    for kind in (bool, complex, float, int, object, str):
        if kind.__name__ not in vars(numpy):
            setattr(numpy, kind.__name__, kind)


def _change_pandas_defaults(pandas: Any) -> None:
    get_dummies = pandas.get_dummies

    @functools.wraps(get_dummies)
    def get_integer_dummies(*arguments: Any, **options: Any) -> Any:
        return get_dummies(*arguments, **({"dtype": "uint8"} | options))

    pandas.get_dummies = get_integer_dummies


_ALIASES = {"sklearn.externals.joblib": "joblib"}
_PATCHES: dict[str, Callable[[Any], None]] = {"numpy": _add_numpy_names, "pandas": _change_pandas_defaults}

sys.meta_path.insert(0, _OldNames())
