"""Judges a model on flights that it has not seen, and says what making it took: a processing step.

    python evaluate.py --model DIR --test DIR --out DIR

reads DIR/model.tar.gz and the test flights, and writes DIR/evaluation.json, in the form of SageMaker's model quality,
and DIR/model_card.json. What is good enough it tells in the card and decides nothing about: that is the pipeline's.
"""

import argparse
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
    from . import card, footprint, inference
    from .features import LABEL, InputError
    from .train import read
else:  # in a container, the files lie side by side
    import card
    import footprint
    import inference
    from features import LABEL, InputError
    from train import read

MODEL = "model.tar.gz"
#: At and above it, a flight counts as predicted late.
THRESHOLD = 0.5


def load(folder: Path) -> inference.Model:
    """The model of an archive as train.py's job leaves it. Raises InputError."""
    archive = folder / MODEL
    with tempfile.TemporaryDirectory() as unpacked:
        try:
            with tarfile.open(archive) as content:
                for member in content:  # its code stays packed: the code beside this file serves
                    if member.isfile() and "/" not in member.name.removeprefix("./"):
                        Path(unpacked, member.name).write_bytes(content.extractfile(member).read())  # type: ignore[union-attr]
        except (OSError, tarfile.TarError, EOFError, zlib.error) as error:
            raise InputError(f"{archive} cannot be read ({error}): give the folder of a training job's model") from None
        return inference.model_fn(unpacked)


def quality(flights: pd.DataFrame, model: inference.Model) -> dict[str, Any]:
    """The metrics of a binary classification, as SageMaker's model quality names them, and those of guessing."""
    from sklearn import metrics

    late, chance = flights[LABEL].to_numpy(), inference.predict_fn(flights, model).astype("float64")
    said = (chance >= THRESHOLD).astype(int)
    found = {
        "auc": metrics.roc_auc_score(late, chance),
        "accuracy": metrics.accuracy_score(late, said),
        "precision": metrics.precision_score(late, said, zero_division=0),
        "recall": metrics.recall_score(late, said, zero_division=0),
        "f1": metrics.f1_score(late, said, zero_division=0),
        "brier": metrics.brier_score_loss(late, chance),
        "accuracy_constant_classifier": max(np.mean(late), 1 - np.mean(late)),
    }
    counted = metrics.confusion_matrix(late, said, labels=[0, 1]).tolist()
    matrix = {
        str(row): {str(column): count for column, count in enumerate(counts)} for row, counts in enumerate(counted)
    }
    return {name: {"value": round(float(value), 6)} for name, value in found.items()} | {"confusion_matrix": matrix}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see evaluate.py --help")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line. Raises InputError."""
    parser = _Parser(description="Evaluate a flight delay model.")
    parser.add_argument("--model", type=Path, required=True, help=f"folder with {MODEL}")
    parser.add_argument("--test", type=Path, required=True, help="folder with the flights to judge it by")
    parser.add_argument("--out", type=Path, required=True, help="folder for evaluation.json and model_card.json")
    parser.add_argument("--prepared", type=Path, help="folder with prepare.py's reports: what preparing took")
    parser.add_argument(
        "--trained",
        nargs=4,
        metavar=("TYPE", "COUNT", "SECONDS", "BILLED"),
        help="machines that trained, how long each did, and the seconds billed",
    )
    parser.add_argument("--job", help="name of the training job")
    parser.add_argument("--minimum_auc", type=float, help="the least AUC that is good enough")
    parser.add_argument("--carbon_budget_kg", type=float, help="the most kgCO2e that making the model may take")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace, begun: float) -> None:
    """Reads, judges and writes; `begun` is the moment, of the monotonic clock, since when this machine works on it."""
    model, flights = load(options.model), read("test", options.test)
    metrics = quality(flights, model)
    used = [*footprint.of_reports(options.prepared), *footprint.of_training(options.trained)]
    here = footprint.this_machine(time.monotonic() - begun)
    taken = footprint.figures([*used, *([here] if here else [])], footprint.region())
    evaluation = {"binary_classification_metrics": metrics, "footprint": taken, "test_flights": len(flights)}
    told = {"Training job": options.job, "Least AUC": options.minimum_auc, "Budget, kgCO2e": options.carbon_budget_kg}
    content = card.content(evaluation, {name: str(value) for name, value in told.items() if value is not None})
    options.out.mkdir(parents=True, exist_ok=True)
    _write(options.out / "evaluation.json", evaluation)
    # The card's content is a JSON text within JSON: the pipeline hands it on as it is.
    _write(options.out / "model_card.json", {"content": json.dumps(content)})
    for name in ("auc", "accuracy", "brier"):
        print(f"test:{name}={metrics[name]['value']:.4f};")
    print(f"co2e_kg={taken['co2e_kg']['value']}; cost_usd={taken['cost_usd']['value']};")


def _write(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    begun = time.monotonic()
    try:
        run(parse(arguments), begun)
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
