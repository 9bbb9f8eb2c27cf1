"""Derives `image_registries.csv`: the accounts in whose registries AWS keeps SageMaker's own images.

`python -m tools.derive_image_registries` writes the file anew. It needs the SageMaker Python SDK, whose
tables name the account of each image in each Region.
"""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sustainable_mlops.catalogue.tables import CATALOGUE_DIRECTORY
from tools.derive_instances import text


def registries() -> Iterator[tuple[str, ...]]:
    """The rows of `image_registries.csv`, its head first."""
    yield ("account",)
    tables = (json.loads(path.read_text(encoding="utf-8")) for path in _tables())
    for account in sorted({account for table in tables for account in _accounts(table)}):
        yield (account,)


def _tables() -> list[Path]:
    """Found without an import of the SDK, which takes seconds."""
    spec = find_spec("sagemaker")
    assert spec is not None
    folders = [Path(folder) / "core" / "image_uri_config" for folder in spec.submodule_search_locations or ()]
    return sorted(path for folder in folders for path in folder.glob("*.json"))


def _accounts(table: Any) -> Iterator[str]:
    """Of every `registries` in a table, however deep."""
    if not isinstance(table, dict):
        return
    for name, value in table.items():
        if name == "registries":
            yield from value.values()
        else:
            yield from _accounts(value)


if __name__ == "__main__":
    (CATALOGUE_DIRECTORY / "image_registries.csv").write_text(text(registries()), encoding="utf-8")
