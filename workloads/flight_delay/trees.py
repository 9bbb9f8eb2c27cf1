"""Boosted trees as plain arrays, for serving with numpy only, and as machine code.

SageMaker's Graviton images have XGBoost 1.5 at most, which cannot read a model of XGBoost 3. This file computes exactly
the float32 values of XGBoost: it adds the leaves in the same order and uses the exponential of its C library. The
images have Python 3.8, so this file and the other serving files must run on it.

compile_trees.py can add libraries with the same trees as machine code, one for each kind of processor.
"""

from __future__ import annotations

import ctypes
import json
import platform
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

Array = np.ndarray

FILE = "trees.npz"
#: Rows that are evaluated together. The limit keeps memory independent of the request.
BLOCK = 4096


class Trees(NamedTuple):
    """A forest: the nodes of all trees in one row, one entry per node unless noted otherwise."""

    feature: Array  # int16: the column that a node looks at
    value: Array  # float32: what a quantity must be below to go left; at a leaf, its weight
    left: Array  # int32: the next node; a leaf is its own
    right: Array  # int32
    missing_left: Array  # bool: where a missing value goes
    categories: Array  # int32: the row of `goes_right` of a categorical node, -1 of any other
    goes_right: Array  # bool (categorical nodes, categories)
    roots: Array  # int32 (trees)
    base: Array  # float32 (): the margin before the first tree

    @classmethod
    def from_model(cls, raw: bytes) -> Trees:
        """Return the trees of an XGBoost model from `save_raw("json")`: binary:logistic with one output."""
        learner = json.loads(raw)["learner"]
        trees = learner["gradient_booster"]["model"]["trees"]
        # One more than the largest category of a node: it stands for all unknown categories, which go left.
        known = 2 + max((category for tree in trees for category in tree["categories"]), default=0)
        parts: list[dict[str, Array]] = []
        goes_right: list[Array] = []
        roots, first = [], 0
        for tree in trees:
            left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
            nodes, leaf = np.arange(len(left)), left < 0
            categories = np.full(len(left), -1)
            for node, start, size in zip(
                tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"]
            ):
                categories[node] = len(goes_right)
                goes_right.append(np.isin(np.arange(known), tree["categories"][start : start + size]))
            parts.append(
                {
                    "feature": np.where(leaf, 0, tree["split_indices"]).astype(np.int16),
                    "value": np.array(tree["split_conditions"], np.float32),
                    "left": (np.where(leaf, nodes, left) + first).astype(np.int32),
                    "right": (np.where(leaf, nodes, right) + first).astype(np.int32),
                    "missing_left": np.array(tree["default_left"], bool),
                    "categories": categories.astype(np.int32),
                }
            )
            roots.append(first)
            first += len(left)
        chance = np.float32(learner["learner_model_param"]["base_score"].strip("[]"))
        return cls(
            **{name: np.concatenate([part[name] for part in parts]) for name in parts[0]},
            goes_right=np.array(goes_right) if goes_right else np.zeros((1, known), bool),
            roots=np.array(roots, np.int32),
            base=-np.log(np.float32(1) / chance - np.float32(1), dtype=np.float32),
        )

    @classmethod
    def load(cls, folder: Path) -> Trees:
        """Load the arrays that `save` wrote.

        Raises OSError, ValueError, KeyError or zipfile.BadZipFile if the file is damaged.
        """
        with np.load(folder / FILE, allow_pickle=False) as arrays:
            return cls(**{name: arrays[name] for name in cls._fields})

    def save(self, folder: Path) -> None:
        """Write the arrays. The same trees give the same bytes."""
        np.savez_compressed(folder / FILE, **self._asdict())

    def predict_probabilities(self, rows: Array) -> Array:
        """Return XGBoost's `predict` to the last bit, for float32 rows with NaN for missing values."""
        margins = [self._compute_margins(rows[start : start + BLOCK]) for start in range(0, len(rows), BLOCK)]
        return _compute_probabilities(np.concatenate(margins)) if margins else np.empty(0, np.float32)

    def _compute_margins(self, rows: Array) -> Array:
        nodes = np.repeat(self.roots[None, :], len(rows), axis=0)
        row_numbers = np.arange(len(rows))[:, None]
        while True:
            value = rows[row_numbers, self.feature[nodes]]
            missing = np.isnan(value)
            category = np.where(missing, 0, value).astype(np.intp).clip(0, self.goes_right.shape[1] - 1)
            category_rows = self.categories[nodes]
            left = np.where(
                category_rows < 0, value < self.value[nodes], ~self.goes_right[np.maximum(category_rows, 0), category]
            )
            left = np.where(missing, self.missing_left[nodes], left)
            next_nodes = np.where(left, self.left[nodes], self.right[nodes])
            if np.array_equal(next_nodes, nodes):
                break
            nodes = next_nodes
        first = np.full((len(rows), 1), self.base, np.float32)
        # A running sum adds tree by tree, as XGBoost does. numpy's sum adds pairs and rounds differently.
        return np.cumsum(np.hstack([first, self.value[nodes]]), axis=1, dtype=np.float32)[:, -1]


class CompiledTrees:
    """Machine code of a forest, from compile_trees.py."""

    def __init__(self, library: Path) -> None:
        """Load a library. Raises OSError if it is not for this system, and ValueError if it has other trees."""
        loaded = ctypes.CDLL(str(library))
        checksum = ctypes.c_uint.in_dll(loaded, "trees_checksum").value
        if checksum != zlib.crc32((library.parent / FILE).read_bytes()):
            raise ValueError(f"{library} was compiled from other trees: compile it again")
        self._evaluate = loaded.evaluate
        self._evaluate.argtypes = [ctypes.c_void_p, ctypes.c_long, ctypes.c_long, ctypes.c_void_p]
        self._evaluate.restype = None

    def predict_probabilities(self, rows: Array) -> Array:
        """Return the same values as `Trees.predict_probabilities`."""
        rows = np.ascontiguousarray(rows, np.float32)
        margins = np.empty(len(rows), np.float32)
        self._evaluate(rows.ctypes.data, len(rows), rows.shape[1], margins.ctypes.data)
        return _compute_probabilities(margins)


def find_library(folder: Path, machine: str) -> Path:
    """Return the path of the compiled trees for a processor."""
    return folder / f"trees-{machine}.so"


def load_trees(folder: Path) -> Trees | CompiledTrees:
    """Load the compiled trees of this processor, or the arrays if there are none.

    Raises OSError, ValueError, KeyError or zipfile.BadZipFile if a file is damaged.
    """
    library = find_library(folder, platform.machine())
    return CompiledTrees(library) if library.is_file() else Trees.load(folder)


def _compute_probabilities(margins: Array) -> Array:
    one = np.float32(1)
    return one / (one + _compute_exp(-margins))


_STEPS = 32
_POWERS = np.exp2(np.arange(_STEPS) / _STEPS)
_CUBIC = [float.fromhex(text) for text in ("0x1.c6af84b912394p-5", "0x1.ebfce50fac4f3p-3", "0x1.62e42ff0c52d6p-1")]
_LOG2_E = float.fromhex("0x1.71547652b82fep+0")


def _compute_exp(x: Array) -> Array:
    """Return float32 exponentials rounded like glibc's expf. numpy's differ in the last bit and by processor.

    Method and constants: Arm Optimized Routines (MIT), which glibc uses: 2^(k/32) from a table, the rest from a cubic.
    """
    scaled = x.astype(np.float64) * _LOG2_E * _STEPS
    whole = np.rint(scaled)
    rest, steps = (scaled - whole) / _STEPS, whole.astype(np.int64)
    a, b, c = _CUBIC
    cubic = (a * rest + b) * rest * rest + (c * rest + 1)
    return np.ldexp(cubic * _POWERS[steps % _STEPS], (steps // _STEPS).astype(np.int32)).astype(np.float32)
