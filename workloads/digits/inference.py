"""Serving code of the digits network: the four functions that a SageMaker framework container calls.

A request has images of 8 x 8 pixels from 0 to 16. The response has the digit and its probability for each image, in the
same order. On Inferentia and Trainium, JAX compiles the network for the chip. Elsewhere numpy evaluates it, with a
tenth of the memory and without the seconds of a compiler at the first request.
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
#: Neuron's plugin of JAX. Only Neuron images have it.
NEURON = "libneuronxla"
#: Images per call of the compiled network. JAX would compile it again for another number.
BLOCK = 32

#: A function from images (n, 8, 8), uint8, to probabilities (n, 10), float32.
Model = Callable[[np.ndarray], np.ndarray]


def model_fn(model_dir: str) -> Model:
    """Load the model that train.py saved, for the chip if there is one. Raises InputError if the model is damaged."""
    parameters = network.load_parameters(Path(model_dir))
    return (
        compile_network(parameters)
        if find_spec(NEURON)
        else lambda images: network.compute_probabilities(parameters, images)
    )


def compile_network(parameters: network.Parameters) -> Model:
    """Compile the network for the device that JAX finds, before the first request."""
    import jax
    import jax.numpy as jnp

    on_device = jax.device_put(dict(parameters))
    run = jax.jit(lambda images: network.compute_probabilities(on_device, images, jnp))
    run(np.zeros((BLOCK, SIDE, SIDE), np.uint8))

    def predict(images: np.ndarray) -> np.ndarray:
        padded = np.concatenate([images, np.zeros((-len(images) % BLOCK, SIDE, SIDE), np.uint8)])
        blocks = [np.asarray(run(padded[start : start + BLOCK])) for start in range(0, len(padded), BLOCK)]
        return np.concatenate(blocks)[: len(images)]

    return predict


def input_fn(body: str | bytes, content_type: str) -> np.ndarray:
    """Return the images of a request, uint8 (n, 8, 8).

    A request is JSON (a list of images, or {"instances": [images]}) or CSV without a header, one image per line. An
    image is 64 whole numbers, row by row; in JSON also 8 rows of 8. Raises InputError naming the image that is wrong.
    """
    try:
        text = body.decode("utf-8") if isinstance(body, bytes) else body
    except UnicodeDecodeError:
        raise InputError("the request is not UTF-8 text") from None
    kind = content_type.partition(";")[0].strip().lower()
    if kind == JSON:
        images = _read_json_images(text)
    elif kind == CSV:
        images = [line for line in csv.reader(io.StringIO(text)) if line]
    else:
        raise InputError(f"content type {content_type} is not served: send {JSON} or {CSV}")
    if not images:
        raise InputError("the request holds no image: send at least one")
    return np.stack([_convert_image(image, number) for number, image in enumerate(images, start=1)])


def predict_fn(images: np.ndarray, model: Model) -> np.ndarray:
    """Return the probability of each digit, float32 (n, 10)."""
    return model(images)


def output_fn(probabilities: np.ndarray, accept: str) -> tuple[str, str]:
    """Return the response and its type: {"predictions": [{"digit", "probability"}, …]} as JSON, or lines of CSV."""
    digits = [(int(row.argmax()), round(float(row.max()), 4)) for row in probabilities]
    accepted_types = [part.partition(";")[0].strip().lower() for part in (accept or "*/*").split(",")]
    for kind in accepted_types:
        if kind in (JSON, "*/*", "application/*"):
            return json.dumps({"predictions": [{"digit": d, "probability": p} for d, p in digits]}), JSON
        if kind == CSV:
            return "".join(f"{digit},{probability}\n" for digit, probability in digits), CSV
    raise InputError(f"answers of type {accept} are not served: accept {JSON} or {CSV}")


def _read_json_images(text: str) -> list[Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise InputError(f"the request is not JSON: {error}") from None
    if isinstance(content, dict) and content.keys() == {"instances"}:
        content = content["instances"]
    if not isinstance(content, list):
        raise InputError('the request must be a list of images or {"instances": [images]}')
    return content


def _convert_image(image: Any, number: int) -> np.ndarray:
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
