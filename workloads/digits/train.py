"""Training of the digits network in JAX, with the same code on Trainium (Neuron's compiler) and on a CPU (XLA).

After an interruption at any moment, training resumes after its last epoch and gives the same model, byte for byte. The
order of an epoch follows from the seed and its number, so a checkpoint needs no state of random numbers.
"""

import argparse
import hashlib
import json
import math
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import jax
import jax.numpy as jnp
import numpy as np

if TYPE_CHECKING or __package__:
    from . import network
    from .network import InputError
else:  # in a container, the files lie side by side
    import network
    from network import InputError

#: Exit code of a process that SIGTERM ended, as the shell reports it.
EXIT_INTERRUPTED = 128 + signal.SIGTERM
#: Files that a model needs to serve itself; model.tar.gz contains them.
SERVING_CODE = ("inference.py", "network.py")
CHANNELS = ("train", "validation", "test")

Arrays = dict[str, Any]


class DataPart(NamedTuple):
    """Images and labels of one part of the data."""

    images: np.ndarray  # uint8 (n, 8, 8)
    labels: np.ndarray  # uint8 (n)


class TrainingState(NamedTuple):
    """State of the training after some epochs, with the best parameters so far."""

    parameters: Arrays
    mean: Arrays  # Adam's, of the gradients
    square: Arrays  # Adam's, of their squares
    best: Arrays
    history: list[dict[str, float]]

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.history)

    @property
    def best_epoch(self) -> int:
        """The epoch with the lowest validation loss, the first of equals; 0 before the first epoch."""
        losses = [figures["validation:loss"] for figures in self.history]
        return losses.index(min(losses)) + 1 if losses else 0


class _DigitsParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see train.py --help")


def _make_number_parser(kind: type[int] | type[float], low: float, high: float = math.inf) -> Callable[[str], float]:
    """Return a converter of arguments that rejects a value of another type or outside low..high."""

    def convert(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not (low <= value <= high and math.isfinite(value)):
            raise argparse.ArgumentTypeError(f"{text} is not {'an integer' if kind is int else 'a number'} {bounds}")
        return value

    bounds = f"from {low} to {high}" if math.isfinite(high) else f"of at least {low}"
    return convert


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Parse hyperparameters from the arguments, and folders from the arguments or SageMaker's environment."""
    environment = os.environ.get
    parser = _DigitsParser(description="Train the network of digits.")
    model = parser.add_argument_group("hyperparameters")
    model.add_argument("--epochs", type=_make_number_parser(int, 1), default=100, help="at most (%(default)s)")
    model.add_argument(
        "--batch", type=_make_number_parser(int, 1, 1024), default=57, help="images a step (%(default)s)"
    )
    model.add_argument(
        "--rate", type=_make_number_parser(float, 1e-6, 1), default=0.004, help="learning rate (%(default)s)"
    )
    model.add_argument(
        "--patience",
        type=_make_number_parser(int, 0),
        default=15,
        help="epochs without a lower validation loss to stop after, keeping the best; 0: never (%(default)s)",
    )
    model.add_argument(
        "--seed",
        type=_make_number_parser(int, 0),
        default=0,
        help="random seed of the weights and the order (%(default)s)",
    )
    model.add_argument(
        "--precision",
        choices=("float32", "int8"),
        default="float32",
        help="precision of the saved model; int8 is converted from the trained float32 (%(default)s)",
    )
    running = parser.add_argument_group("running")
    running.add_argument(
        "--device", choices=("any", "cpu", "neuron"), default="any", help="refuse to train on another (%(default)s)"
    )
    folders = parser.add_argument_group("folders, given by SageMaker")
    for channel in CHANNELS:
        folders.add_argument(f"--{channel}", type=Path, default=environment(f"SM_CHANNEL_{channel.upper()}"))
    folders.add_argument("--model_dir", type=Path, default=environment("SM_MODEL_DIR"))
    folders.add_argument("--output_data_dir", type=Path, default=environment("SM_OUTPUT_DATA_DIR"))
    folders.add_argument("--checkpoint_dir", type=Path, default=environment("CHECKPOINT_DIR", "/opt/ml/checkpoints"))
    options = parser.parse_args(arguments)
    for required in ("train", "validation", "model_dir"):
        if getattr(options, required) is None:
            variable = "SM_MODEL_DIR" if required == "model_dir" else f"SM_CHANNEL_{required.upper()}"
            raise InputError(f"no folder for {required}: give --{required} or set {variable}")
    if options.device not in ("any", jax.default_backend()):
        raise InputError(
            f"--device: JAX finds {jax.default_backend()} here and not {options.device}, so the billed device would be "
            "idle; choose an image that fits the instance type"
        )
    return options


def read_channel(channel: str, folder: Path) -> DataPart:
    """Read the images of a channel. Raises InputError naming the file and the problem."""
    path = folder / "digits.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            data = DataPart(arrays["images"], arrays["labels"])
    except Exception as error:  # numpy raises what its parts do, zlib's and zipfile's own too
        raise InputError(f"channel {channel}: {path} cannot be read ({error}): write it with prepare.py") from None
    shape = (len(data.labels), network.SIDE, network.SIDE)
    if data.images.shape != shape or not len(data.labels) or data.labels.max() >= network.CLASSES:
        raise InputError(f"channel {channel}: {path} holds no images of {network.SIDE} x {network.SIDE} with digits")
    return data


def fingerprint_run(options: argparse.Namespace, parts: dict[str, DataPart]) -> dict[str, str]:
    """Return everything that shapes the trained network, by name."""
    content = {name: str(getattr(options, name)) for name in ("epochs", "batch", "rate", "patience", "seed")}
    for channel in ("train", "validation"):
        data = parts[channel]
        content[f"{channel} data"] = hashlib.sha256(data.images.tobytes() + data.labels.tobytes()).hexdigest()[:16]
    return {**content, "jax": jax.__version__, "device": jax.default_backend()}


class CheckpointFile:
    """The state after the last epoch, in one file that is replaced atomically."""

    def __init__(self, folder: Path, run: dict[str, str]) -> None:
        self.path = folder / "epoch.npz"
        self.run = run
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"checkpoint folder {folder} cannot be used ({error.strerror}): set CHECKPOINT_DIR to another"
            ) from None

    def load(self) -> TrainingState | None:
        """Return the state; None if there is no checkpoint. Raises InputError if it is damaged or of another run."""
        if not self.path.exists():
            return None
        try:
            with np.load(self.path, allow_pickle=False) as arrays:
                metadata = json.loads(str(arrays["metadata"]))
                groups: dict[str, Any] = {
                    group: {
                        name.partition("/")[2]: arrays[name] for name in arrays.files if name.startswith(f"{group}/")
                    }
                    for group in TrainingState._fields[:-1]
                }
        except Exception as error:  # numpy raises what its parts do, zlib's and zipfile's own too
            raise InputError(f"{self.path} is damaged ({error}): remove it to train from the start") from None
        for name in sorted(metadata["run"].keys() | self.run.keys()):
            saved_value, own_value = metadata["run"].get(name), self.run.get(name)
            if saved_value != own_value:
                raise InputError(
                    f"checkpoint {self.path} is of another run: {name} was {saved_value} and is {own_value};"
                    " use the same data and hyperparameters, or another checkpoint folder"
                )
        return TrainingState(**groups, history=metadata["history"])

    def save(self, state: TrainingState) -> None:
        """Replace the checkpoint by this state."""
        arrays = {
            f"{group}/{name}": np.asarray(array)
            for group in TrainingState._fields[:-1]
            for name, array in getattr(state, group).items()
        }
        metadata = json.dumps({"run": self.run, "history": state.history})
        hidden = self.path.with_name(f".{self.path.name}")
        with hidden.open("wb") as file:
            np.savez(file, metadata=np.array(metadata), **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(self.path)


def compute_loss(parameters: Arrays, images: Any, labels: Any) -> Any:
    """Return the mean cross-entropy, in nats."""
    logits = network.compute_logits(parameters, images, jnp)
    right = jnp.take_along_axis(logits, labels[:, None].astype(jnp.int32), 1)[:, 0]
    return (jax.nn.logsumexp(logits, axis=1) - right).mean()


@partial(jax.jit, donate_argnums=(0, 1, 2))
def take_step(
    parameters: Arrays, mean: Arrays, square: Arrays, number: Any, rate: Any, images: Any, labels: Any
) -> Any:
    """Take one step of Adam (Kingma and Ba, 2015); return parameters, means, squares, and the loss before it."""
    value, gradients = jax.value_and_grad(compute_loss)(parameters, images, labels)
    mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradients)
    square = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, square, gradients)
    size = rate * jnp.sqrt(1 - 0.999**number) / (1 - 0.9**number)
    parameters = jax.tree.map(lambda p, m, s: p - size * m / (jnp.sqrt(s) + 1e-8), parameters, mean, square)
    return parameters, mean, square, value


@jax.jit
def measure_network(parameters: Arrays, images: Any, labels: Any) -> Any:
    """Return loss and accuracy."""
    is_right = network.compute_logits(parameters, images, jnp).argmax(1) == labels
    return compute_loss(parameters, images, labels), is_right.mean()


def is_finished(state: TrainingState, options: argparse.Namespace) -> bool:
    """Return True after the last epoch, or if the validation loss has not fallen for `patience` epochs."""
    epochs_without_improvement = state.epoch - state.best_epoch
    return state.epoch >= options.epochs or bool(options.patience and epochs_without_improvement >= options.patience)


def train_network(parts: dict[str, DataPart], options: argparse.Namespace, checkpoint: CheckpointFile) -> TrainingState:
    """Train to the end, from the checkpoint on. SIGTERM ends the epoch and exits with EXIT_INTERRUPTED."""
    interrupted = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: interrupted.set())
    initial = network.draw_parameters(options.seed)
    zero = {name: np.zeros_like(array) for name, array in initial.items()}
    state = checkpoint.load() or TrainingState(initial, zero, zero, initial, [])
    print_line(f"device={jax.default_backend()}; resumed_from_epoch={state.epoch};")
    while not is_finished(state, options):
        state = train_epoch(state, parts, options)
        checkpoint.save(state)
        if interrupted.is_set():
            print_line(f"interrupted_at_epoch={state.epoch};")
            raise SystemExit(EXIT_INTERRUPTED)
    return state


def train_epoch(state: TrainingState, parts: dict[str, DataPart], options: argparse.Namespace) -> TrainingState:
    """Train on every image once, except the images that do not fill a batch."""
    data, size = parts["train"], min(options.batch, len(parts["train"].labels))
    random = np.random.default_rng((options.seed, state.epoch))
    order = random.permutation(len(data.labels))
    steps = len(order) // size
    parameters_and_means = tuple(jax.tree.map(jnp.array, (state.parameters, state.mean, state.square)))
    losses = []
    for number in range(steps):
        rows = order[number * size : (number + 1) * size]
        step_number = np.float32(state.epoch * steps + number + 1)
        images = shift_images(data.images[rows], random)
        *parameters_and_means, value = take_step(
            *parameters_and_means, step_number, np.float32(options.rate), images, data.labels[rows]
        )
        losses.append(value)
    validation_loss, accuracy = measure_network(parameters_and_means[0], *parts["validation"])
    figures = {
        "train:loss": float(np.mean([float(value) for value in losses])),
        "validation:loss": float(validation_loss),
        "validation:accuracy": float(accuracy),
    }
    parameters, mean, square = jax.tree.map(np.asarray, tuple(parameters_and_means))
    next_state = TrainingState(parameters, mean, square, state.best, [*state.history, figures])
    print_line(f"epoch={next_state.epoch}; " + " ".join(f"{name}={value:.4f};" for name, value in figures.items()))
    return next_state._replace(best=parameters) if next_state.best_epoch == next_state.epoch else next_state


def shift_images(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Move each image by up to one pixel in both directions, as other writers place their digits differently."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    views = np.lib.stride_tricks.sliding_window_view(padded, images.shape[1:], axis=(1, 2))
    down, right = random.integers(0, 3, (2, len(images)))
    shifted: np.ndarray = views[np.arange(len(images)), down, right]
    return shifted


def print_line(line: str) -> None:
    """Print a line of the log without buffering. CloudWatch reads metrics from such lines (`metrics` in job.yaml)."""
    print(line, flush=True)


def save_model(folder: Path, parameters: Arrays, metadata: dict[str, Any]) -> None:
    """Write the model with metadata and serving code. The files contain no time, so the bytes are reproducible."""
    code = folder / "code"
    code.mkdir(parents=True, exist_ok=True)
    for name in SERVING_CODE:
        shutil.copyfile(Path(__file__).with_name(name), code / name)
    network.save_parameters(folder, parameters)
    (folder / "metadata.json").write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")


def run(options: argparse.Namespace) -> None:
    """Read, train, measure and save."""
    parts = {
        channel: read_channel(channel, getattr(options, channel)) for channel in CHANNELS if getattr(options, channel)
    }
    checkpoint = CheckpointFile(options.checkpoint_dir, fingerprint_run(options, parts))
    state = train_network(parts, options, checkpoint)
    parameters = state.best if options.patience else state.parameters
    model = network.quantize(parameters, parts["train"].images) if options.precision == "int8" else parameters
    metrics = {}
    for part in [part for part in parts if part != "train"]:
        is_right = network.compute_logits(model, parts[part].images).argmax(1) == parts[part].labels
        metrics[f"{part}:accuracy"] = float(is_right.mean())
        print_line(f"{part}:accuracy={metrics[f'{part}:accuracy']:.4f};")
    kept_epoch = state.best_epoch if options.patience else state.epoch
    print_line(f"epochs={state.epoch}; epochs_kept={kept_epoch}; precision={options.precision};")
    metadata = {"precision": options.precision, "epochs": kept_epoch, "run": checkpoint.run, "metrics": metrics}
    save_model(options.model_dir, model, metadata)
    if options.output_data_dir:
        report = {"metrics": metrics, "epochs": state.epoch, "epochs_kept": kept_epoch, "history": state.history}
        options.output_data_dir.mkdir(parents=True, exist_ok=True)
        (options.output_data_dir / "metrics.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    try:
        run(parse_arguments(arguments))
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
