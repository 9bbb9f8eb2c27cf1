"""Comparison of the trained network with its int8 form: accuracy, bytes, seconds and carbon, from one run.

    python workloads/digits/compare_precision.py --data out/digits

trains once, quantizes, and prints a table. Seconds are CPU seconds of this computer, which other work hardly changes.
The carbon is the footprint model's estimate for an instance that works as long. The script needs this repository, so
jobs do not send it.
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

#: Repetitions of a measurement; the minimum counts.
TIMES = 20
PREDICTIONS = 1_000_000


class PrecisionRow(NamedTuple):
    """A form of the network and its figures."""

    form: str
    kilobytes: float
    accuracy: float  # on the test images
    same: float  # share of test images that get the digit that float32 gives
    seconds: float  # of a million predictions, 300 per request
    kg: float  # CO2e of these predictions


def measure_seconds(work: Callable[[], object]) -> float:
    """Return the minimum CPU seconds of several repetitions, after one warm-up."""
    work()
    durations = []
    for _ in range(TIMES):
        before = time.process_time()
        work()
        durations.append(time.process_time() - before)
    return min(durations)


def estimate_kg(duration: float, instance_type: str, region: str) -> float:
    """Return kgCO2e of an instance for so many seconds, operational and embodied. Raises InputError if unknown."""
    from sustainable_mlops.footprint import estimate_job

    figures = estimate_job(instance_type, 1, duration, region).figures
    if "total" not in figures:
        raise network.InputError(
            f"the carbon of {instance_type} in {region} is unknown: give another --instance or --region"
        )
    return figures["total"].central


def measure_rows(
    parts: dict[str, train.DataPart], float32: train.Arrays, instance_type: str, region: str
) -> list[PrecisionRow]:
    """Return both precisions, each evaluated by numpy and compiled by JAX."""
    images, labels = parts["test"]
    forms = {"float32": float32, "int8": network.quantize(float32, parts["train"].images)}
    expected = network.compute_logits(float32, images).argmax(1)
    rows = []
    for precision, parameters in forms.items():

        def predict_with_numpy(images: np.ndarray, parameters: network.Parameters = parameters) -> np.ndarray:
            return network.compute_probabilities(parameters, images)  # type: ignore[no-any-return]

        for library, model in (("numpy", predict_with_numpy), ("JAX", inference.compile_network(parameters))):
            digits = model(images).argmax(1)
            duration = measure_seconds(lambda model=model: model(images)) * PREDICTIONS / len(images)  # type: ignore[misc]
            rows.append(
                PrecisionRow(
                    f"{precision}, {library}",
                    sum(array.nbytes for array in parameters.values()) / 1000,
                    float((digits == labels).mean()),
                    float((digits == expected).mean()),
                    duration,
                    estimate_kg(duration, instance_type, region),
                )
            )
    return rows


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Compare float32 with int8.")
    parser.add_argument("--data", type=Path, required=True, help="folder that prepare.py wrote")
    parser.add_argument(
        "--instance", default="ml.m7i.large", help="instance type for the carbon estimate (%(default)s)"
    )
    parser.add_argument("--region", default="eu-north-1", help="Region for the carbon estimate (%(default)s)")
    parser.add_argument("--epochs", default="100", help="maximum number of epochs (%(default)s)")
    options = parser.parse_args(arguments)
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    try:
        with tempfile.TemporaryDirectory() as folder:
            channels = [f"--{channel}={options.data / channel}" for channel in train.CHANNELS]
            folders = [f"--model_dir={folder}/model", f"--checkpoint_dir={folder}"]
            training_options = train.parse_arguments([*channels, *folders, f"--epochs={options.epochs}"])
            parts = {channel: train.read_channel(channel, options.data / channel) for channel in train.CHANNELS}
            before = time.process_time()
            state = train.train_network(
                parts,
                training_options,
                train.CheckpointFile(Path(folder), train.fingerprint_run(training_options, parts)),
            )
            training_seconds = time.process_time() - before
            before = time.process_time()
            network.quantize(state.best, parts["train"].images)
            quantization_seconds = time.process_time() - before
        carbon = {
            duration: estimate_kg(duration, options.instance, options.region)
            for duration in (training_seconds, quantization_seconds)
        }
        table = measure_rows(parts, state.best, options.instance, options.region)
    except network.InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    print(f"training: {training_seconds:.1f} s, {carbon[training_seconds]:.1e} kgCO2e, {state.epoch} epochs")
    print(f"making int8 of it: {quantization_seconds:.3f} s, {carbon[quantization_seconds]:.1e} kgCO2e")
    print("| form | parameters | test accuracy | same digit | s per million | kgCO2e per million |")
    print("|---|---|---|---|---|---|")
    for row in table:
        print(
            f"| {row.form} | {row.kilobytes:.1f} kB | {row.accuracy:.4f} | {row.same:.4f} "
            f"| {row.seconds:.1f} | {row.kg:.1e} |"
        )


if __name__ == "__main__":
    main()
