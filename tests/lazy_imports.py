"""Modules that are imported on first use: their import takes seconds, and every test process collects every file."""

import importlib
from typing import Any


class LazyModule:
    """A module that is imported when a public attribute is read. pytest reads private ones of each name.

    Tests patch its attributes by their full name: `monkeypatch.setattr("package.module.name", value)`.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        return getattr(importlib.import_module(self._name), attribute)
