"""Generator of `image_registries.csv` and `algorithm_images.csv`: the AWS accounts with SageMaker's own images.

The first file has all accounts, the second the account of each built-in algorithm in each Region.
`python -m tools.derive_image_registries` rewrites both. It needs the SageMaker Python SDK, whose tables have the
account of each image in each Region.
"""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sustainable_mlops.catalogue.tables import CATALOGUE_DIRECTORY
from tools.derive_instances import format_table

#: Tables of the SDK with images of built-in algorithms.
_ALGORITHMS = (
    "blazingtext",
    "factorization-machines",
    "forecasting-deepar",
    "image-classification",
    "ipinsights",
    "kmeans",
    "knn",
    "lda",
    "linear-learner",
    "ntm",
    "object-detection",
    "object2vec",
    "pca",
    "randomcutforest",
    "semantic-segmentation",
    "seq2seq",
    "xgboost",
)


def make_registries() -> Iterator[tuple[str, ...]]:
    """Yield the rows of `image_registries.csv`, the header first."""
    yield ("account",)
    tables = (json.loads(path.read_text(encoding="utf-8")) for path in _find_tables())
    for account in sorted({account for table in tables for account in _list_accounts(table)}):
        yield (account,)


def make_algorithm_images() -> Iterator[tuple[str, ...]]:
    """Yield the rows of `algorithm_images.csv`, the header first."""
    yield ("repository", "region", "account")
    tables = (json.loads(path.read_text(encoding="utf-8")) for path in _find_tables() if path.stem in _ALGORITHMS)
    yield from sorted({image for table in tables for image in _list_images(table)})


def _find_tables() -> list[Path]:
    """Return the tables of the SDK without an import of the SDK, which takes seconds."""
    spec = find_spec("sagemaker")
    assert spec is not None
    folders = [Path(folder) / "core" / "image_uri_config" for folder in spec.submodule_search_locations or ()]
    return sorted(path for folder in folders for path in folder.glob("*.json"))


def _list_accounts(table: Any) -> Iterator[str]:
    """Yield the accounts of every `registries` entry in a table, at any depth."""
    if not isinstance(table, dict):
        return
    for name, value in table.items():
        if name == "registries":
            yield from value.values()
        else:
            yield from _list_accounts(value)


def _list_images(table: Any) -> Iterator[tuple[str, str, str]]:
    """Yield repository, Region and account of every image in a table, at any depth."""
    if not isinstance(table, dict):
        return
    for region, account in table.get("registries", {}).items():
        yield table["repository"], region, account
    for value in table.values():
        yield from _list_images(value)


if __name__ == "__main__":
    (CATALOGUE_DIRECTORY / "image_registries.csv").write_text(format_table(make_registries()), encoding="utf-8")
    (CATALOGUE_DIRECTORY / "algorithm_images.csv").write_text(format_table(make_algorithm_images()), encoding="utf-8")
