"""The network: one definition, which JAX trains and compiles, and which numpy alone can serve.

Convolutions are matrix products, which both a Neuron core and BLAS compute fastest.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

#: An array of numpy or of jax.numpy.
Array = Any
#: Parameter name (`first.weights`) to its array.
Parameters = Mapping[str, Array]

SIDE, CLASSES = 8, 10
#: Value of the brightest pixel.
WHITE = 16
FILE = "model.npz"
#: Inputs and outputs of each layer. A convolution reads 3 x 3 pixels. Between the second and the last layer, each 2 x 2
#: pixels become their maximum.
LAYERS = {"first": (9, 16), "second": (9 * 16, 32), "last": (SIDE // 2 * SIDE // 2 * 32, CLASSES)}
#: Largest magnitude of an int8 value: the range is symmetric around 0.
MAX_INT8 = 127


class InputError(ValueError):
    """Invalid input: one line with the problem, its location and the remedy. The scripts exit with code 2."""


def draw_parameters(seed: int) -> dict[str, np.ndarray]:
    """Return initial parameters, float32: weights for rectified units (He and others, 2015) and biases of 0."""
    random = np.random.default_rng(seed)
    parameters = {}
    for layer, (inputs, outputs) in LAYERS.items():
        parameters[f"{layer}.weights"] = random.normal(0, (2 / inputs) ** 0.5, (inputs, outputs)).astype(np.float32)
        parameters[f"{layer}.bias"] = np.zeros(outputs, np.float32)
    return parameters


def _ignore_inputs(_layer: str, _inputs: Array) -> None:
    """Ignore the inputs of a layer."""


def compute_logits(
    parameters: Parameters, images: Array, xp: Any = np, observe: Callable[[str, Array], None] = _ignore_inputs
) -> Array:
    """Return the network's logits, float32 (images, CLASSES), for images (images, SIDE, SIDE) from 0 to WHITE.

    `xp` is numpy or jax.numpy. `observe` receives the inputs of every layer.
    """

    def layer(name: str, inputs: Array) -> Array:
        observe(name, inputs)
        return _multiply(parameters, name, inputs, xp) + parameters[f"{name}.bias"]

    x = images.astype(np.float32)[..., None] / WHITE
    x = xp.maximum(layer("first", _gather_neighbours(x, xp)), 0)
    x = xp.maximum(layer("second", _gather_neighbours(x, xp)), 0)
    x = x.reshape(len(x), SIDE // 2, 2, SIDE // 2, 2, -1).max((2, 4))
    return layer("last", x.reshape(len(x), -1))


def compute_probabilities(parameters: Parameters, images: Array, xp: Any = np) -> Array:
    """Return the probability of each digit, float32 (images, CLASSES)."""
    values = compute_logits(parameters, images, xp)
    powers = xp.exp(values - values.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def quantize(parameters: Mapping[str, np.ndarray], images: np.ndarray) -> dict[str, np.ndarray]:
    """Return the parameters with int8 weights, a scale per output, and a scale for the inputs of each layer.

    The input scales cover the training `images`. Nothing is trained again.
    """
    largest: dict[str, float] = {}
    compute_logits(
        parameters, images, observe=lambda layer, inputs: largest.update({layer: float(np.abs(inputs).max())})
    )
    quantized = dict(parameters)
    for layer in LAYERS:
        weights = parameters[f"{layer}.weights"]
        scale = np.abs(weights).max(0) / MAX_INT8
        inputs = np.float32(largest[layer] / MAX_INT8)
        quantized[f"{layer}.weights"] = np.rint(weights / scale).astype(np.int8)
        quantized[f"{layer}.inputs"] = np.array(inputs)
        quantized[f"{layer}.scale"] = scale * inputs
    return quantized


def load_parameters(folder: Path) -> dict[str, np.ndarray]:
    """Load the parameters that `save` wrote. Raises InputError."""
    try:
        with np.load(folder / FILE, allow_pickle=False) as arrays:
            parameters = {name: arrays[name] for name in arrays.files}
        if any(parameters[f"{layer}.weights"].shape != shape for layer, shape in LAYERS.items()):
            raise ValueError("the shapes of its layers do not fit the network")
    except Exception as error:  # numpy passes on errors of other libraries, such as zlib and zipfile
        raise InputError(f"no model of digits in {folder}: {error}; train it again with train.py") from None
    return parameters


def save_parameters(folder: Path, parameters: Mapping[str, np.ndarray]) -> None:
    """Write the parameters. The same values give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / FILE, **parameters)  # type: ignore[arg-type]


def _gather_neighbours(x: Array, xp: Any) -> Array:
    """Return for each pixel the channels of the 3 x 3 pixels around it; pixels beyond the edge are 0."""
    padded = xp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return xp.concatenate([padded[:, i : i + SIDE, j : j + SIDE] for i in range(3) for j in range(3)], -1)


def _multiply(parameters: Parameters, layer: str, inputs: Array, xp: Any) -> Array:
    weights = parameters[f"{layer}.weights"]
    if weights.dtype != np.int8:
        return inputs @ weights
    whole = xp.clip(xp.rint(inputs / parameters[f"{layer}.inputs"]), -MAX_INT8, MAX_INT8)
    # A product of two int8 values is an integer, and a layer's sum is below 2^24: float32 holds each exactly. numpy
    # multiplies float32 matrices with BLAS, but not integer matrices.
    return (whole @ weights.astype(np.float32)) * parameters[f"{layer}.scale"]
