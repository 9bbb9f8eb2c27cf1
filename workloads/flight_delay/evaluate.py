"""Evaluation of a model on flights it has not seen, with the footprint of making it: a processing step.

    python evaluate.py --model DIR --test DIR --out DIR --train DIR

reads DIR/model.tar.gz and the test flights. It writes DIR/evaluation.json in the form of SageMaker's model quality, and
DIR/model_card.json. The card shows the limits of the gate; the pipeline compares with them. With the training flights,
the script also writes DIR/profile.json: the distributions that drift.py compares later inputs and predictions with.
"""

import argparse
import hashlib
import json
import sys
import tarfile
import tempfile
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pandas as pd

if TYPE_CHECKING or __package__:
    from . import card, drift, footprint, inference
    from .features import LABEL, InputError, list_names
    from .train import read_channel
else:  # a container has all files in one folder
    import card
    import drift
    import footprint
    import inference
    from features import LABEL, InputError, list_names
    from train import read_channel

MODEL = "model.tar.gz"
#: Lowest probability at which a flight counts as predicted late.
THRESHOLD = 0.5


def load_model(folder: Path) -> inference.Model:
    """Load the model from the archive of a training job. Raises InputError."""
    archive = folder / MODEL
    with tempfile.TemporaryDirectory() as temporary_folder:
        try:
            with tarfile.open(archive) as content:
                for member in content:  # skip the code in the archive: the code beside this file serves
                    if member.isfile() and "/" not in member.name.removeprefix("./"):
                        Path(temporary_folder, member.name).write_bytes(content.extractfile(member).read())  # type: ignore[union-attr]
        except (OSError, tarfile.TarError, EOFError, zlib.error) as error:
            raise InputError(f"{archive} cannot be read ({error}): give the folder of a training job's model") from None
        return inference.model_fn(temporary_folder)


def compute_metrics(flights: pd.DataFrame, model: inference.Model) -> dict[str, Any]:
    """Return classification metrics, named as in SageMaker's model quality, and those of a constant guess."""
    from sklearn import metrics

    late, chance = flights[LABEL].to_numpy(), inference.predict(flights, model).astype("float64")
    predictions = (chance >= THRESHOLD).astype(int)
    values = {
        "auc": metrics.roc_auc_score(late, chance),
        "accuracy": metrics.accuracy_score(late, predictions),
        "precision": metrics.precision_score(late, predictions, zero_division=0),
        "recall": metrics.recall_score(late, predictions, zero_division=0),
        "f1": metrics.f1_score(late, predictions, zero_division=0),
        "brier": metrics.brier_score_loss(late, chance),
        "accuracy_constant_classifier": max(np.mean(late), 1 - np.mean(late)),
    }
    counts_by_row = metrics.confusion_matrix(late, predictions, labels=[0, 1]).tolist()
    matrix = {
        str(row): {str(column): count for column, count in enumerate(counts)}
        for row, counts in enumerate(counts_by_row)
    }
    return {name: {"value": round(float(value), 6)} for name, value in values.items()} | {"confusion_matrix": matrix}


def build_profile(flights: pd.DataFrame, model: inference.Model) -> dict[str, Any]:
    """Return the profile of the model's inputs and of its predictions for them."""
    inputs = {name: flights[name] for name in list_names()}
    return drift.build_profile({**inputs, drift.PREDICTION: inference.predict(flights, model)})


def compute_digest(folder: Path) -> str:
    """Return a digest of the names and the content of the files in a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{content} {path.relative_to(folder).as_posix()}\n".encode())
    return digest.hexdigest()


class _EvaluationParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see evaluate.py --help")


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the command line. Raises InputError."""
    parser = _EvaluationParser(description="Evaluate a flight delay model.")
    parser.add_argument("--model", type=Path, required=True, help=f"folder with {MODEL}")
    parser.add_argument("--test", type=Path, required=True, help="folder with the flights to evaluate it on")
    parser.add_argument("--out", type=Path, required=True, help="folder for evaluation.json and model_card.json")
    parser.add_argument("--train", type=Path, help=f"folder with the training flights, for {drift.PROFILE}")
    parser.add_argument("--prepared", type=Path, help="folder with prepare.py's reports of its instance seconds")
    parser.add_argument(
        "--trained",
        nargs=4,
        metavar=("TYPE", "COUNT", "SECONDS", "BILLED"),
        help="training instances: type, count, seconds of each, and billed seconds",
    )
    parser.add_argument("--job", help="name of the training job")
    parser.add_argument("--minimum_auc", type=float, help="minimum AUC of the gate")
    parser.add_argument("--carbon_budget_kg", type=float, help="maximum kgCO2e for making the model")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace, started_at: float) -> None:
    """Read, evaluate and write. `started_at` is the time.monotonic() at which this instance started."""
    model, flights = load_model(options.model), read_channel("test", options.test)
    metrics = compute_metrics(flights, model)
    profile = build_profile(read_channel("train", options.train), model) if options.train else None
    usages = [*footprint.read_reports(options.prepared), *footprint.parse_training(options.trained)]
    own_usage = footprint.measure_this_instance(time.monotonic() - started_at)
    footprint_figures = footprint.estimate_footprint(
        [*usages, *([own_usage] if own_usage else [])], footprint.read_region()
    )
    channels = {"test": options.test, **({"train": options.train} if options.train else {})}
    evaluation = {
        "binary_classification_metrics": metrics,
        "data_digests": {name: compute_digest(folder) for name, folder in channels.items()},
        "footprint": footprint_figures,
        "test_flights": len(flights),
    }
    details = {
        "Training job": options.job,
        "Least AUC": options.minimum_auc,
        "Budget, kgCO2e": options.carbon_budget_kg,
    }
    content = card.build_card(evaluation, {name: str(value) for name, value in details.items() if value is not None})
    options.out.mkdir(parents=True, exist_ok=True)
    _write(options.out / "evaluation.json", evaluation)
    if profile is not None:
        drift.write_json(options.out / drift.PROFILE, profile)
    # The card's content is a JSON string within JSON: the pipeline passes it on unchanged.
    _write(options.out / "model_card.json", {"content": json.dumps(content)})
    for name in ("auc", "accuracy", "brier"):
        print(f"test:{name}={metrics[name]['value']:.4f};")
    print(f"co2e_kg={footprint_figures['co2e_kg']['value']}; cost_usd={footprint_figures['cost_usd']['value']};")


def _write(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    started_at = time.monotonic()
    try:
        run(parse_arguments(arguments), started_at)
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
