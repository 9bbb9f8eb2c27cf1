"""The network: one definition, which JAX trains and compiles, and which numpy alone can serve.

Convolutions are products of matrices, which is what a Neuron core and BLAS both do best.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

#: Of numpy or of jax.numpy.
Array = Any
#: Name (`first.weights`) to array.
Parameters = Mapping[str, Array]

SIDE, CLASSES = 8, 10
#: The brightest pixel of an image.
WHITE = 16
FILE = "model.npz"
#: Inputs and outputs of each layer; a convolution sees 3 x 3 pixels, and between the second and the last, 2 x 2 pixels
#: become their maximum.
LAYERS = {"first": (9, 16), "second": (9 * 16, 32), "last": (SIDE // 2 * SIDE // 2 * 32, CLASSES)}
#: The largest magnitude of an int8 here: the range is the same on both sides of 0.
MOST = 127


class InputError(ValueError):
    """Bad input: one line that says what, where and what to do. The scripts exit 2 on it."""


def initial(seed: int) -> dict[str, np.ndarray]:
    """Weights drawn for rectified units (He and others, 2015), biases of 0; float32."""
    random = np.random.default_rng(seed)
    parameters = {}
    for layer, (inputs, outputs) in LAYERS.items():
        parameters[f"{layer}.weights"] = random.normal(0, (2 / inputs) ** 0.5, (inputs, outputs)).astype(np.float32)
        parameters[f"{layer}.bias"] = np.zeros(outputs, np.float32)
    return parameters


def _pass_over(_layer: str, _inputs: Array) -> None:
    """What sees nothing."""


def logits(
    parameters: Parameters, images: Array, xp: Any = np, see: Callable[[str, Array], None] = _pass_over
) -> Array:
    """The network's answer, float32 (images, CLASSES), for images of (images, SIDE, SIDE) from 0 to WHITE.

    `xp` is numpy or jax.numpy; `see` is shown the inputs of every layer.
    """

    def layer(name: str, inputs: Array) -> Array:
        see(name, inputs)
        return _product(parameters, name, inputs, xp) + parameters[f"{name}.bias"]

    x = images.astype(np.float32)[..., None] / WHITE
    x = xp.maximum(layer("first", _neighbours(x, xp)), 0)
    x = xp.maximum(layer("second", _neighbours(x, xp)), 0)
    x = x.reshape(len(x), SIDE // 2, 2, SIDE // 2, 2, -1).max((2, 4))
    return layer("last", x.reshape(len(x), -1))


def probabilities(parameters: Parameters, images: Array, xp: Any = np) -> Array:
    """The chance of each digit, float32 (images, CLASSES)."""
    found = logits(parameters, images, xp)
    powers = xp.exp(found - found.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def quantised(parameters: Mapping[str, np.ndarray], images: np.ndarray) -> dict[str, np.ndarray]:
    """The parameters with int8 weights, a scale for each output, and a scale for the inputs of each layer.

    The scales of the inputs are those that `images`, of the training, need. Nothing is trained again.
    """
    largest: dict[str, float] = {}
    logits(parameters, images, see=lambda layer, inputs: largest.update({layer: float(np.abs(inputs).max())}))
    found = dict(parameters)
    for layer in LAYERS:
        weights = parameters[f"{layer}.weights"]
        scale = np.abs(weights).max(0) / MOST
        inputs = np.float32(largest[layer] / MOST)
        found[f"{layer}.weights"] = np.rint(weights / scale).astype(np.int8)
        found[f"{layer}.inputs"] = np.array(inputs)
        found[f"{layer}.scale"] = scale * inputs
    return found


def load(folder: Path) -> dict[str, np.ndarray]:
    """What `save` wrote. Raises InputError."""
    try:
        with np.load(folder / FILE, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
        if any(found[f"{layer}.weights"].shape != shape for layer, shape in LAYERS.items()):
            raise ValueError("its layers are of another network")
    except Exception as error:  # numpy raises what its parts do, zlib's and zipfile's own too
        raise InputError(f"no model of digits in {folder}: {error}; train it again with train.py") from None
    return found


def save(folder: Path, parameters: Mapping[str, np.ndarray]) -> None:
    """Writes the parameters: the same bytes for the same values."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / FILE, **parameters)  # type: ignore[arg-type]


def _neighbours(x: Array, xp: Any) -> Array:
    """For each pixel, the channels of the 3 x 3 pixels around it; beyond the edge there is 0."""
    padded = xp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return xp.concatenate([padded[:, i : i + SIDE, j : j + SIDE] for i in range(3) for j in range(3)], -1)


def _product(parameters: Parameters, layer: str, inputs: Array, xp: Any) -> Array:
    weights = parameters[f"{layer}.weights"]
    if weights.dtype != np.int8:
        return inputs @ weights
    whole = xp.clip(xp.rint(inputs / parameters[f"{layer}.inputs"]), -MOST, MOST)
    # A product of two int8 is whole, and the sum of a layer's is below 2^24: float32 holds each exactly, and the
    # product of two float32 matrices has instructions of its own, which numpy's of integers has not.
    return (whole @ weights.astype(np.float32)) * parameters[f"{layer}.scale"]
