"""Trains the flight delay classifier: an entry point in script mode for the SageMaker XGBoost container.

Interrupted at any moment, it resumes from its last checkpoint and ends with the same model, byte for byte. That holds
because boosting here samples nothing: XGBoost keeps the state of its random numbers out of the saved model, so neither
`subsample` nor `colsample_*` is offered.
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
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import pandas as pd
import xgboost as xgb

if TYPE_CHECKING or __package__:
    from . import features, hosts
    from .checkpoints import Checkpoint, Checkpoints
    from .features import LABEL, InputError
    from .trees import Trees
else:  # in a container, the files lie side by side
    import features
    import hosts
    from checkpoints import Checkpoint, Checkpoints
    from features import LABEL, InputError
    from trees import Trees

#: What the shell reports for a process ended by SIGTERM.
EXIT_INTERRUPTED = 128 + signal.SIGTERM
#: The files a model needs to serve itself; they travel inside model.tar.gz.
SERVING_CODE = ("inference.py", "features.py", "trees.py")


class Evaluation(NamedTuple):
    """Areas under the ROC curve after a round."""

    round: int
    train_auc: float
    validation_auc: float


def say(line: str) -> None:
    """Prints a line of the log at once; CloudWatch metrics are read from such lines (`metrics` in job.yaml)."""
    if hosts.first():
        print(line, flush=True)


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
    parser = _Parser(description="Train the flight delay classifier.")
    model = parser.add_argument_group("hyperparameters")
    model.add_argument("--num_round", type=_number(int, 1), default=240, help="boosting rounds at most (%(default)s)")
    model.add_argument("--max_depth", type=_number(int, 1, 16), default=5, help="depth of a tree (%(default)s)")
    model.add_argument("--eta", type=_number(float, 1e-6, 1), default=0.05, help="learning rate (%(default)s)")
    model.add_argument(
        "--min_child_weight", type=_number(float, 0), default=100.0, help="weight of a leaf (%(default)s)"
    )
    model.add_argument(
        "--early_stopping_rounds",
        type=_number(int, 0),
        default=80,
        help="rounds without a better validation AUC to stop after, keeping the best; 0: never (%(default)s)",
    )
    model.add_argument("--eval_every", type=_number(int, 1), default=10, help="rounds between metrics (%(default)s)")
    running = parser.add_argument_group("running")
    running.add_argument("--checkpoint_every", type=_number(int, 1), default=20, help="rounds (%(default)s)")
    folders = parser.add_argument_group("folders, given by SageMaker")
    for channel in ("train", "validation", "test"):
        folders.add_argument(f"--{channel}", type=Path, default=environment(f"SM_CHANNEL_{channel.upper()}"))
    folders.add_argument("--model_dir", type=Path, default=environment("SM_MODEL_DIR"))
    folders.add_argument("--output_data_dir", type=Path, default=environment("SM_OUTPUT_DATA_DIR"))
    folders.add_argument("--checkpoint_dir", type=Path, default=environment("CHECKPOINT_DIR", "/opt/ml/checkpoints"))
    options = parser.parse_args(arguments)
    for required, variable in (
        ("train", "SM_CHANNEL_TRAIN"),
        ("validation", "SM_CHANNEL_VALIDATION"),
        ("model_dir", "SM_MODEL_DIR"),
    ):
        if getattr(options, required) is None:
            raise InputError(f"no folder for {required}: give --{required} or set {variable}")
    return options


def parquet_files(channel: str, folder: Path) -> list[Path]:
    """The channel's files in the order they are read. Raises InputError where there is none."""
    found = sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))
    if not found:
        raise InputError(f"channel {channel} holds no *.parquet in {folder}: prepare.py makes them")
    return found


def read(channel: str, folder: Path) -> pd.DataFrame:
    """The labelled flights of a channel. Raises InputError naming the file or the column that is wrong."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = [*features.names(), LABEL]
    frames = []
    for path in parquet_files(channel, folder):
        try:
            with pq.ParquetFile(path) as file:
                missing = set(columns) - set(file.schema_arrow.names)
                if missing:
                    raise InputError(f"{path} lacks {', '.join(sorted(missing))}: prepare it again with prepare.py")
                frames.append(file.read(columns).to_pandas())
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{path} cannot be read ({error}): prepare it again with prepare.py") from None
    frame: pd.DataFrame = pd.concat(frames, ignore_index=True)
    if set(frame[LABEL].unique()) != {0, 1}:
        raise InputError(f"channel {channel}: {LABEL} must be 0 for some flights, 1 for others, and nothing else")
    return frame


def check_shares() -> None:
    """Raises InputError where several hosts would each train on all flights."""
    channels = json.loads(os.environ.get("SM_INPUT_DATA_CONFIG") or "{}")
    if hosts.several() > 1 and channels.get("train", {}).get("S3DistributionType") != "ShardedByS3Key":
        raise InputError(
            f"channel train: each of {hosts.several()} hosts would train on all flights; "
            "deal them out (sharding: {train: by_key})"
        )


def all_categories(frame: pd.DataFrame) -> dict[str, list[str]]:
    """The values of each categorical feature, of all hosts' flights."""
    found = hosts.gathered(features.categories(frame))
    return {name: sorted(set().union(*(own[name] for own in found))) for name in found[0]}


def fingerprint(options: argparse.Namespace) -> dict[str, str]:
    """Everything that shapes the model, by name: also how the flights are shared among hosts.

    The number of threads does not: `hist` gives the same trees.
    """
    names = ("num_round", "max_depth", "eta", "min_child_weight", "early_stopping_rounds", "eval_every")
    content = {name: str(getattr(options, name)) for name in names}
    for channel in ("train", "validation"):
        digest = hashlib.sha256()
        for path in parquet_files(channel, getattr(options, channel)):
            digest.update(path.read_bytes())
        own = digest.hexdigest()[:16]
        content[f"{channel} data"] = "+".join(hosts.gathered(own)) if channel == "train" else own
    content["features"] = hashlib.sha256(json.dumps(features.schema()).encode()).hexdigest()[:16]
    content["xgboost"] = xgb.__version__
    return content


def best(history: list[Evaluation]) -> Evaluation:
    """The evaluation with the highest validation AUC, the first of equals."""
    return max(history, key=lambda evaluation: evaluation.validation_auc)


def finished(history: list[Evaluation], options: argparse.Namespace) -> bool:
    """Whether the rounds are done, or the validation AUC has not risen for `early_stopping_rounds`."""
    if not history:
        return False
    now, patience = history[-1].round, options.early_stopping_rounds
    return now >= options.num_round or bool(patience and now - best(history).round >= patience)


def boost(
    train: xgb.DMatrix, validation: xgb.DMatrix, options: argparse.Namespace, checkpoints: Checkpoints
) -> tuple[xgb.Booster, list[Evaluation]]:
    """Boosts to the end, from the newest checkpoint on: that of the first host, which alone writes them.

    On SIGTERM to any host all end the round, a checkpoint is saved, and they leave with EXIT_INTERRUPTED.
    """
    interrupted = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: interrupted.set())
    parameters = {
        "objective": "binary:logistic",
        "eval_metric": "auc",
        "tree_method": "hist",
        "max_depth": options.max_depth,
        "eta": options.eta,
        "min_child_weight": options.min_child_weight,
        "nthread": int(os.environ.get("SM_NUM_CPUS") or os.cpu_count() or 1),
    }
    resumed = hosts.agreed(checkpoints.newest)
    done = resumed.round if resumed else 0
    history = [Evaluation(*values) for values in resumed.state["history"]] if resumed else []
    booster = xgb.Booster(parameters, [train, validation], model_file=bytearray(resumed.model) if resumed else None)
    if hosts.first():
        checkpoints.begin_life(done)
    say(f"life={len(checkpoints.lives)}; resumed_from_round={done}; rounds_redone={checkpoints.rounds_redone};")

    while not finished(history, options):
        booster.update(train, done)
        done += 1
        if hosts.first():
            checkpoints.reached(done)
        if done % options.eval_every == 0 or done == options.num_round:
            history.append(evaluate(booster, train, validation, done))
        leaving = hosts.any_of(interrupted.is_set())
        due = done % options.checkpoint_every == 0 or leaving or finished(history, options)
        if due and hosts.first():
            checkpoints.save(Checkpoint(done, bytes(booster.save_raw("ubj")), {"history": history}))
        if leaving:
            say(f"interrupted_at_round={done};")
            raise SystemExit(EXIT_INTERRUPTED)
    return booster, history


def evaluate(booster: xgb.Booster, train: xgb.DMatrix, validation: xgb.DMatrix, done: int) -> Evaluation:
    """Measures and prints the model after `done` rounds."""
    report = booster.eval_set([(train, "train"), (validation, "validation")], done)
    auc = dict(item.split(":") for item in report.split("\t")[1:])
    evaluation = Evaluation(done, float(auc["train-auc"]), float(auc["validation-auc"]))
    say(f"round={done}; train:auc={evaluation.train_auc:.4f}; validation:auc={evaluation.validation_auc:.4f};")
    return evaluation


def measure(part: str, booster: xgb.Booster, data: xgb.DMatrix) -> dict[str, float]:
    """The final metrics on a part of the data, next to those of a model that says for every flight what most do.

    Such a model has an AUC of 0.5.
    """
    from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, roc_auc_score

    late, chance = data.get_label(), booster.predict(data).astype("float64")
    rate = float(late.mean())
    return {
        f"{part}:auc": float(roc_auc_score(late, chance)),
        f"{part}:logloss": float(log_loss(late, chance)),
        f"{part}:brier": float(brier_score_loss(late, chance)),
        f"{part}:accuracy": float(accuracy_score(late, chance >= 0.5)),
        f"{part}:late_rate": rate,
        f"{part}:majority_accuracy": max(rate, 1 - rate),
    }


def save_model(folder: Path, booster: xgb.Booster, metadata: dict[str, Any]) -> None:
    """Writes the model with all it needs to be served: metadata and code. Nothing in it tells when it was trained."""
    code = folder / "code"
    code.mkdir(parents=True, exist_ok=True)
    for name in SERVING_CODE:
        shutil.copyfile(Path(__file__).with_name(name), code / name)
    booster.save_model(folder / "model.ubj")  # to go on with in XGBoost
    Trees.of_model(bytes(booster.save_raw("json"))).save(folder)  # to serve
    (folder / "metadata.json").write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")


def run(options: argparse.Namespace) -> None:
    """Reads, boosts, measures and saves; of several hosts all boost, and the first does the rest."""
    frames = {
        part: read(part, getattr(options, part)) for part in ("train", "validation", "test") if getattr(options, part)
    }
    with hosts.joined():
        check_shares()
        checkpoints = Checkpoints(options.checkpoint_dir, fingerprint(options))
        known = all_categories(frames["train"])
        data = {
            part: xgb.DMatrix(
                features.matrix(frame, known),
                frame[LABEL],
                feature_names=features.names(),
                feature_types=features.xgboost_types(),
            )
            for part, frame in frames.items()
        }
        booster, history = boost(data["train"], data["validation"], options, checkpoints)
        if not hosts.first():
            return
    kept = best(history).round if options.early_stopping_rounds else history[-1].round
    booster = booster[:kept]
    metrics = {
        key: value for part in data if part != "train" for key, value in measure(part, booster, data[part]).items()
    }
    for name, value in metrics.items():
        say(f"{name}={value:.4f};")
    metadata = {
        "features": features.schema(),
        "categories": known,
        "rounds": kept,
        "run": checkpoints.fingerprint,
        "metrics": metrics,
    }
    save_model(options.model_dir, booster, metadata)
    lives, redone = len(checkpoints.lives), checkpoints.rounds_redone
    say(f"rounds={history[-1].round}; rounds_kept={kept}; lives={lives}; rounds_redone={redone};")
    if options.output_data_dir:
        report = {
            "metrics": metrics,
            "rounds": history[-1].round,
            "rounds_kept": kept,
            "rounds_redone": checkpoints.rounds_redone,
            "lives": checkpoints.lives,
            "history": [evaluation._asdict() for evaluation in history],
        }
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
