"""Trains the network of digits in JAX: on Trainium by Neuron's compiler, on a CPU by XLA's, with the same code.

Interrupted at any moment, it resumes after its last epoch and ends with the same model, byte for byte: an epoch's order
follows from the seed and its number, so a checkpoint holds no state of random numbers.
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

#: What the shell reports for a process ended by SIGTERM.
EXIT_INTERRUPTED = 128 + signal.SIGTERM
#: The files a model needs to serve itself; they travel inside model.tar.gz.
SERVING_CODE = ("inference.py", "network.py")
CHANNELS = ("train", "validation", "test")

Arrays = dict[str, Any]


class Data(NamedTuple):
    """A part of the data."""

    images: np.ndarray  # uint8 (n, 8, 8)
    labels: np.ndarray  # uint8 (n)


class State(NamedTuple):
    """Training after some epochs: all that the next one needs, and the best so far."""

    parameters: Arrays
    mean: Arrays  # Adam's, of the gradients
    square: Arrays  # Adam's, of their squares
    best: Arrays
    history: list[dict[str, float]]

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.history)

    @property
    def best_epoch(self) -> int:
        """The epoch of the lowest validation loss, the first of equals; 0 before any."""
        losses = [one["validation:loss"] for one in self.history]
        return losses.index(min(losses)) + 1 if losses else 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see train.py --help")


def _number(kind: type[int] | type[float], low: float, high: float = math.inf) -> Callable[[str], float]:
    """A converter of arguments that refuses what is not a number of the kind, or lies outside low..high."""

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


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The hyperparameters from the arguments, the folders from the arguments or SageMaker's environment."""
    environment = os.environ.get
    parser = _Parser(description="Train the network of digits.")
    model = parser.add_argument_group("hyperparameters")
    model.add_argument("--epochs", type=_number(int, 1), default=100, help="at most (%(default)s)")
    model.add_argument("--batch", type=_number(int, 1, 1024), default=57, help="images a step (%(default)s)")
    model.add_argument("--rate", type=_number(float, 1e-6, 1), default=0.004, help="learning rate (%(default)s)")
    model.add_argument(
        "--patience",
        type=_number(int, 0),
        default=15,
        help="epochs without a lower validation loss to stop after, keeping the best; 0: never (%(default)s)",
    )
    model.add_argument("--seed", type=_number(int, 0), default=0, help="of the weights and the order (%(default)s)")
    model.add_argument(
        "--precision",
        choices=("float32", "int8"),
        default="float32",
        help="of the model that is saved; int8 is made of the trained float32 (%(default)s)",
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
            f"--device: JAX finds {jax.default_backend()} here and not {options.device}, so what is paid for "
            "would stand idle; take the image and the instance type that fit each other"
        )
    return options


def read(channel: str, folder: Path) -> Data:
    """The images of a channel. Raises InputError naming the file and what is wrong with it."""
    path = folder / "digits.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            data = Data(arrays["images"], arrays["labels"])
    except Exception as error:  # numpy raises what its parts do, zlib's and zipfile's own too
        raise InputError(f"channel {channel}: {path} cannot be read ({error}): prepare.py makes it") from None
    shape = (len(data.labels), network.SIDE, network.SIDE)
    if data.images.shape != shape or not len(data.labels) or data.labels.max() >= network.CLASSES:
        raise InputError(f"channel {channel}: {path} holds no images of {network.SIDE} x {network.SIDE} with digits")
    return data


def fingerprint(options: argparse.Namespace, parts: dict[str, Data]) -> dict[str, str]:
    """Everything that shapes the trained network, by name."""
    content = {name: str(getattr(options, name)) for name in ("epochs", "batch", "rate", "patience", "seed")}
    for channel in ("train", "validation"):
        data = parts[channel]
        content[f"{channel} data"] = hashlib.sha256(data.images.tobytes() + data.labels.tobytes()).hexdigest()[:16]
    return {**content, "jax": jax.__version__, "device": jax.default_backend()}


class Checkpoint:
    """The state after the last epoch, in one file that is always whole: written under a hidden name, then renamed."""

    def __init__(self, folder: Path, run: dict[str, str]) -> None:
        self.path = folder / "epoch.npz"
        self.run = run
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"checkpoint folder {folder} cannot be used ({error.strerror}): set CHECKPOINT_DIR to another"
            ) from None

    def load(self) -> State | None:
        """The state, or None where there is none yet. Raises InputError where it is damaged or another run's."""
        if not self.path.exists():
            return None
        try:
            with np.load(self.path, allow_pickle=False) as arrays:
                told = json.loads(str(arrays["told"]))
                groups: dict[str, Any] = {
                    group: {
                        name.partition("/")[2]: arrays[name] for name in arrays.files if name.startswith(f"{group}/")
                    }
                    for group in State._fields[:-1]
                }
        except Exception as error:  # numpy raises what its parts do, zlib's and zipfile's own too
            raise InputError(f"{self.path} is damaged ({error}): remove it to train from the start") from None
        for name in sorted(told["run"].keys() | self.run.keys()):
            was, now = told["run"].get(name), self.run.get(name)
            if was != now:
                raise InputError(
                    f"checkpoint {self.path} is of another run: {name} was {was} and is {now};"
                    " use the same data and hyperparameters, or another checkpoint folder"
                )
        return State(**groups, history=told["history"])

    def save(self, state: State) -> None:
        """Writes the state in place of the one before."""
        arrays = {
            f"{group}/{name}": np.asarray(array)
            for group in State._fields[:-1]
            for name, array in getattr(state, group).items()
        }
        told = json.dumps({"run": self.run, "history": state.history})
        hidden = self.path.with_name(f".{self.path.name}")
        with hidden.open("wb") as file:
            np.savez(file, told=np.array(told), **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(self.path)


def loss(parameters: Arrays, images: Any, labels: Any) -> Any:
    """The mean cross-entropy, in nats."""
    found = network.logits(parameters, images, jnp)
    right = jnp.take_along_axis(found, labels[:, None].astype(jnp.int32), 1)[:, 0]
    return (jax.nn.logsumexp(found, axis=1) - right).mean()


@partial(jax.jit, donate_argnums=(0, 1, 2))
def step(parameters: Arrays, mean: Arrays, square: Arrays, number: Any, rate: Any, images: Any, labels: Any) -> Any:
    """One step of Adam (Kingma and Ba, 2015): the new parameters, means and squares, and the loss before it."""
    value, gradients = jax.value_and_grad(loss)(parameters, images, labels)
    mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradients)
    square = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, square, gradients)
    size = rate * jnp.sqrt(1 - 0.999**number) / (1 - 0.9**number)
    parameters = jax.tree.map(lambda p, m, s: p - size * m / (jnp.sqrt(s) + 1e-8), parameters, mean, square)
    return parameters, mean, square, value


@jax.jit
def judge(parameters: Arrays, images: Any, labels: Any) -> Any:
    """Loss and accuracy."""
    right = network.logits(parameters, images, jnp).argmax(1) == labels
    return loss(parameters, images, labels), right.mean()


def finished(state: State, options: argparse.Namespace) -> bool:
    """Whether the epochs are done, or the validation loss has not fallen for `patience` of them."""
    waited = state.epoch - state.best_epoch
    return state.epoch >= options.epochs or bool(options.patience and waited >= options.patience)


def train(parts: dict[str, Data], options: argparse.Namespace, checkpoint: Checkpoint) -> State:
    """Trains to the end, from the checkpoint on. On SIGTERM it ends the epoch and leaves with EXIT_INTERRUPTED."""
    interrupted = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: interrupted.set())
    initial = network.initial(options.seed)
    zero = {name: np.zeros_like(array) for name, array in initial.items()}
    state = checkpoint.load() or State(initial, zero, zero, initial, [])
    say(f"device={jax.default_backend()}; resumed_from_epoch={state.epoch};")
    while not finished(state, options):
        state = epoch(state, parts, options)
        checkpoint.save(state)
        if interrupted.is_set():
            say(f"interrupted_at_epoch={state.epoch};")
            raise SystemExit(EXIT_INTERRUPTED)
    return state


def epoch(state: State, parts: dict[str, Data], options: argparse.Namespace) -> State:
    """Sees every image once, but for those that fill no batch."""
    data, size = parts["train"], min(options.batch, len(parts["train"].labels))
    random = np.random.default_rng((options.seed, state.epoch))
    order = random.permutation(len(data.labels))
    steps = len(order) // size
    now = tuple(jax.tree.map(jnp.array, (state.parameters, state.mean, state.square)))
    losses = []
    for number in range(steps):
        chosen = order[number * size : (number + 1) * size]
        done = np.float32(state.epoch * steps + number + 1)
        images = shifted(data.images[chosen], random)
        *now, value = step(*now, done, np.float32(options.rate), images, data.labels[chosen])
        losses.append(value)
    found, accuracy = judge(now[0], *parts["validation"])
    told = {
        "train:loss": float(np.mean([float(value) for value in losses])),
        "validation:loss": float(found),
        "validation:accuracy": float(accuracy),
    }
    parameters, mean, square = jax.tree.map(np.asarray, tuple(now))
    after = State(parameters, mean, square, state.best, [*state.history, told])
    say(f"epoch={after.epoch}; " + " ".join(f"{name}={value:.4f};" for name, value in told.items()))
    return after._replace(best=parameters) if after.best_epoch == after.epoch else after


def shifted(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Each image moved by up to a pixel both ways, as other hands place their digits otherwise."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    views = np.lib.stride_tricks.sliding_window_view(padded, images.shape[1:], axis=(1, 2))
    down, right = random.integers(0, 3, (2, len(images)))
    moved: np.ndarray = views[np.arange(len(images)), down, right]
    return moved


def say(line: str) -> None:
    """Prints a line of the log at once; CloudWatch metrics are read from such lines (`metrics` in job.yaml)."""
    print(line, flush=True)


def save_model(folder: Path, parameters: Arrays, metadata: dict[str, Any]) -> None:
    """Writes the model with all it needs to be served. Nothing in it tells when it was trained."""
    code = folder / "code"
    code.mkdir(parents=True, exist_ok=True)
    for name in SERVING_CODE:
        shutil.copyfile(Path(__file__).with_name(name), code / name)
    network.save(folder, parameters)
    (folder / "metadata.json").write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")


def run(options: argparse.Namespace) -> None:
    """Reads, trains, measures and saves."""
    parts = {channel: read(channel, getattr(options, channel)) for channel in CHANNELS if getattr(options, channel)}
    checkpoint = Checkpoint(options.checkpoint_dir, fingerprint(options, parts))
    state = train(parts, options, checkpoint)
    kept = state.best if options.patience else state.parameters
    model = network.quantised(kept, parts["train"].images) if options.precision == "int8" else kept
    metrics = {}
    for part in [part for part in parts if part != "train"]:
        right = network.logits(model, parts[part].images).argmax(1) == parts[part].labels
        metrics[f"{part}:accuracy"] = float(right.mean())
        say(f"{part}:accuracy={metrics[f'{part}:accuracy']:.4f};")
    kept_epoch = state.best_epoch if options.patience else state.epoch
    say(f"epochs={state.epoch}; epochs_kept={kept_epoch}; precision={options.precision};")
    metadata = {"precision": options.precision, "epochs": kept_epoch, "run": checkpoint.run, "metrics": metrics}
    save_model(options.model_dir, model, metadata)
    if options.output_data_dir:
        report = {"metrics": metrics, "epochs": state.epoch, "epochs_kept": kept_epoch, "history": state.history}
        options.output_data_dir.mkdir(parents=True, exist_ok=True)
        (options.output_data_dir / "metrics.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    try:
        run(parse(arguments))
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
