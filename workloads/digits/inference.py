"""Serves the network of digits: the four functions a SageMaker framework container calls.

A request holds images of 8 x 8 pixels from 0 to 16; the answer is, image by image and in the same order, the digit and
its probability. On Inferentia and Trainium the network is compiled by JAX for the chip; elsewhere numpy alone evaluates
it, in a tenth of the memory and without a compiler's seconds at the first request.
"""

import csv
import io
import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING or __package__:
    from . import network
    from .network import SIDE, WHITE, InputError
else:  # in a container, the files lie side by side
    import network
    from network import SIDE, WHITE, InputError

JSON, CSV = "application/json", "text/csv"
#: Neuron's plugin of JAX, which is in its images alone.
NEURON = "libneuronxla"
#: A compiled network takes so many images at once: for another number it would be compiled again.
BLOCK = 32

#: From images (n, 8, 8), uint8, to probabilities (n, 10), float32.
Model = Callable[[np.ndarray], np.ndarray]


def model_fn(model_dir: str) -> Model:
    """Loads what train.py saved, for the chip where there is one. Raises InputError where there is no sound model."""
    parameters = network.load(Path(model_dir))
    return compiled(parameters) if find_spec(NEURON) else lambda images: network.probabilities(parameters, images)


def compiled(parameters: network.Parameters) -> Model:
    """The network as JAX compiles it for the device that it finds; the first request waits for nothing."""
    import jax
    import jax.numpy as jnp

    on_device = jax.device_put(dict(parameters))
    run = jax.jit(lambda images: network.probabilities(on_device, images, jnp))
    run(np.zeros((BLOCK, SIDE, SIDE), np.uint8))

    def predict(images: np.ndarray) -> np.ndarray:
        filled = np.concatenate([images, np.zeros((-len(images) % BLOCK, SIDE, SIDE), np.uint8)])
        blocks = [np.asarray(run(filled[start : start + BLOCK])) for start in range(0, len(filled), BLOCK)]
        return np.concatenate(blocks)[: len(images)]

    return predict


def input_fn(body: str | bytes, content_type: str) -> np.ndarray:
    """The images of a request, uint8 (n, 8, 8).

    A request is JSON, a list of images or {"instances": [images]}, or CSV without a header, an image a line. An image
    is 64 whole numbers, row by row, or in JSON 8 rows of 8. Raises InputError naming the image that is wrong.
    """
    try:
        text = body.decode("utf-8") if isinstance(body, bytes) else body
    except UnicodeDecodeError:
        raise InputError("the request is not UTF-8 text") from None
    kind = content_type.partition(";")[0].strip().lower()
    if kind == JSON:
        images = _json_images(text)
    elif kind == CSV:
        images = [line for line in csv.reader(io.StringIO(text)) if line]
    else:
        raise InputError(f"content type {content_type} is not served: send {JSON} or {CSV}")
    if not images:
        raise InputError("the request holds no image: send at least one")
    return np.stack([_image(image, number) for number, image in enumerate(images, start=1)])


def predict_fn(images: np.ndarray, model: Model) -> np.ndarray:
    """The probability of each digit, float32 (n, 10)."""
    return model(images)


def output_fn(probabilities: np.ndarray, accept: str) -> tuple[str, str]:
    """The answer and its content type: {"predictions": [{"digit", "probability"}, …]} as JSON, or CSV lines."""
    found = [(int(row.argmax()), round(float(row.max()), 4)) for row in probabilities]
    wanted = [part.partition(";")[0].strip().lower() for part in (accept or "*/*").split(",")]
    for kind in wanted:
        if kind in (JSON, "*/*", "application/*"):
            return json.dumps({"predictions": [{"digit": d, "probability": p} for d, p in found]}), JSON
        if kind == CSV:
            return "".join(f"{digit},{probability}\n" for digit, probability in found), CSV
    raise InputError(f"answers of type {accept} are not served: accept {JSON} or {CSV}")


def _json_images(text: str) -> list[Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise InputError(f"the request is not JSON: {error}") from None
    if isinstance(content, dict) and content.keys() == {"instances"}:
        content = content["instances"]
    if not isinstance(content, list):
        raise InputError('the request must be a list of images or {"instances": [images]}')
    return content


def _image(image: Any, number: int) -> np.ndarray:
    try:
        pixels = np.array(image, np.float64).reshape(-1)
    except (TypeError, ValueError):
        pixels = np.empty(0)
    if pixels.size != SIDE * SIDE:
        raise InputError(f"image {number} must be {SIDE * SIDE} numbers, row by row")
    whole = np.rint(pixels)
    if not ((whole == pixels) & (pixels >= 0) & (pixels <= WHITE)).all():
        raise InputError(f"image {number}: a pixel must be a whole number from 0 to {WHITE}")
    return whole.astype(np.uint8).reshape(SIDE, SIDE)
