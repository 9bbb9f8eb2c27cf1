"""Compares the trained network with its int8 form: accuracy, bytes, seconds and carbon of both, measured in one run.

    python workloads/digits/compare_precision.py --data out/digits

trains once, quantises, and prints a table. Seconds are this machine's, of CPU, which other work on it hardly changes;
the carbon is what this project's footprint model estimates for an instance that works as long. It needs this
repository, so it is not sent with the workload.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING or __package__:
    from . import inference, network, train
else:  # run as a script, the files lie side by side
    import inference
    import network
    import train

#: How often a measurement is taken; the least counts.
TIMES = 20
PREDICTIONS = 1_000_000


class Row(NamedTuple):
    """A form of the network, and what it takes."""

    form: str
    kilobytes: float
    accuracy: float  # on the test images
    same: float  # share of test images that get the digit that float32 gives
    seconds: float  # a million predictions, 300 a request
    kg: float  # CO2e of these


def seconds(work: Callable[[], object]) -> float:
    """The least CPU seconds of some tries, after one that is not counted."""
    work()
    taken = []
    for _ in range(TIMES):
        before = time.process_time()
        work()
        taken.append(time.process_time() - before)
    return min(taken)


def kg(taken: float, instance_type: str, region: str) -> float:
    """kgCO2e of an instance for so many seconds, operational and embodied. Raises InputError where it is not known."""
    from sustainable_mlops.footprint import estimate_job

    figures = estimate_job(instance_type, 1, taken, region).figures
    if "total" not in figures:
        raise network.InputError(
            f"no carbon is known of {instance_type} in {region}: give another --instance or --region"
        )
    return figures["total"].central


def rows(parts: dict[str, train.Data], float32: train.Arrays, instance_type: str, region: str) -> list[Row]:
    """Both precisions, evaluated by numpy, and compiled by JAX."""
    images, labels = parts["test"]
    forms = {"float32": float32, "int8": network.quantised(float32, parts["train"].images)}
    expected = network.logits(float32, images).argmax(1)
    found = []
    for precision, parameters in forms.items():

        def by_numpy(images: np.ndarray, parameters: network.Parameters = parameters) -> np.ndarray:
            return network.probabilities(parameters, images)  # type: ignore[no-any-return]

        for by, model in (("numpy", by_numpy), ("JAX", inference.compiled(parameters))):
            digits = model(images).argmax(1)
            taken = seconds(lambda model=model: model(images)) * PREDICTIONS / len(images)  # type: ignore[misc]
            found.append(
                Row(
                    f"{precision}, {by}",
                    sum(array.nbytes for array in parameters.values()) / 1000,
                    float((digits == labels).mean()),
                    float((digits == expected).mean()),
                    taken,
                    kg(taken, instance_type, region),
                )
            )
    return found


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Compare float32 with int8.")
    parser.add_argument("--data", type=Path, required=True, help="what prepare.py wrote")
    parser.add_argument("--instance", default="ml.m7i.large", help="of the carbon (%(default)s)")
    parser.add_argument("--region", default="eu-north-1", help="of the carbon (%(default)s)")
    parser.add_argument("--epochs", default="100", help="at most (%(default)s)")
    given = parser.parse_args(arguments)
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    try:
        with tempfile.TemporaryDirectory() as folder:
            channels = [f"--{channel}={given.data / channel}" for channel in train.CHANNELS]
            folders = [f"--model_dir={folder}/model", f"--checkpoint_dir={folder}"]
            options = train.parse([*channels, *folders, f"--epochs={given.epochs}"])
            parts = {channel: train.read(channel, given.data / channel) for channel in train.CHANNELS}
            before = time.process_time()
            state = train.train(parts, options, train.Checkpoint(Path(folder), train.fingerprint(options, parts)))
            trained = time.process_time() - before
            before = time.process_time()
            network.quantised(state.best, parts["train"].images)
            quantised = time.process_time() - before
        carbon = {taken: kg(taken, given.instance, given.region) for taken in (trained, quantised)}
        table = rows(parts, state.best, given.instance, given.region)
    except network.InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    print(f"training: {trained:.1f} s, {carbon[trained]:.1e} kgCO2e, {state.epoch} epochs")
    print(f"making int8 of it: {quantised:.3f} s, {carbon[quantised]:.1e} kgCO2e")
    print("| form | parameters | test accuracy | same digit | s per million | kgCO2e per million |")
    print("|---|---|---|---|---|---|")
    for row in table:
        print(
            f"| {row.form} | {row.kilobytes:.1f} kB | {row.accuracy:.4f} | {row.same:.4f} "
            f"| {row.seconds:.1f} | {row.kg:.1e} |"
        )


if __name__ == "__main__":
    main()
