"""Training of the flight delay classifier: an entry point in script mode for the SageMaker XGBoost container.

After an interruption at any moment, training resumes from its last checkpoint and gives the same model, byte for byte.
This works because boosting samples nothing here: XGBoost does not save the state of its random numbers in the model, so
the script offers neither `subsample` nor `colsample_*`.
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
else:  # a container has all files in one folder
    import features
    import hosts
    from checkpoints import Checkpoint, Checkpoints
    from features import LABEL, InputError
    from trees import Trees

#: Exit code of a process that SIGTERM ended, as the shell reports it.
EXIT_INTERRUPTED = 128 + signal.SIGTERM
#: Files that a model needs to serve itself; model.tar.gz contains them.
SERVING_CODE = ("inference.py", "features.py", "trees.py")


class Evaluation(NamedTuple):
    """Areas under the ROC curve after a round."""

    round: int
    train_auc: float
    validation_auc: float


def print_line(line: str) -> None:
    """Print a line of the log without buffering. CloudWatch reads metrics from such lines (`metrics` in job.yaml)."""
    if hosts.is_first_host():
        print(line, flush=True)


class _TrainingParser(argparse.ArgumentParser):
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
    parser = _TrainingParser(description="Train the flight delay classifier.")
    model = parser.add_argument_group("hyperparameters")
    model.add_argument(
        "--num_round", type=_make_number_parser(int, 1), default=240, help="boosting rounds at most (%(default)s)"
    )
    model.add_argument(
        "--max_depth", type=_make_number_parser(int, 1, 16), default=5, help="depth of a tree (%(default)s)"
    )
    model.add_argument(
        "--eta", type=_make_number_parser(float, 1e-6, 1), default=0.05, help="learning rate (%(default)s)"
    )
    model.add_argument(
        "--min_child_weight", type=_make_number_parser(float, 0), default=100.0, help="weight of a leaf (%(default)s)"
    )
    model.add_argument(
        "--early_stopping_rounds",
        type=_make_number_parser(int, 0),
        default=80,
        help="rounds without a better validation AUC to stop after, keeping the best; 0: never (%(default)s)",
    )
    model.add_argument(
        "--eval_every", type=_make_number_parser(int, 1), default=10, help="rounds between metrics (%(default)s)"
    )
    running = parser.add_argument_group("running")
    running.add_argument(
        "--checkpoint_every", type=_make_number_parser(int, 1), default=20, help="rounds (%(default)s)"
    )
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


def find_parquet_files(channel: str, folder: Path) -> list[Path]:
    """Return the channel's files in reading order. Raises InputError if there is none."""
    paths = sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))
    if not paths:
        raise InputError(f"channel {channel} has no *.parquet in {folder}: write them with prepare.py")
    return paths


def read_channel(channel: str, folder: Path) -> pd.DataFrame:
    """Read the labeled flights of a channel. Raises InputError naming the file or column that is wrong."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = [*features.list_names(), LABEL]
    frames = []
    for path in find_parquet_files(channel, folder):
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


def check_sharding() -> None:
    """Raise InputError if each of several hosts would train on all flights."""
    channels = json.loads(os.environ.get("SM_INPUT_DATA_CONFIG") or "{}")
    if hosts.count_hosts() > 1 and channels.get("train", {}).get("S3DistributionType") != "ShardedByS3Key":
        raise InputError(
            f"channel train: each of {hosts.count_hosts()} hosts would train on all flights; "
            "set sharding: {train: by_key} in the job file"
        )


def gather_categories(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return the values of each categorical feature over the flights of all hosts."""
    categories_by_host = hosts.gather_values(features.list_categories(frame))
    return {name: sorted(set().union(*(own[name] for own in categories_by_host))) for name in categories_by_host[0]}


def fingerprint_run(options: argparse.Namespace) -> dict[str, str]:
    """Return everything that shapes the model, by name, also the shards of the hosts.

    The number of threads is not part of it: `hist` gives the same trees.
    """
    names = ("num_round", "max_depth", "eta", "min_child_weight", "early_stopping_rounds", "eval_every")
    content = {name: str(getattr(options, name)) for name in names}
    for channel in ("train", "validation"):
        digest = hashlib.sha256()
        for path in find_parquet_files(channel, getattr(options, channel)):
            digest.update(path.read_bytes())
        own = digest.hexdigest()[:16]
        content[f"{channel} data"] = "+".join(hosts.gather_values(own)) if channel == "train" else own
    content["features"] = hashlib.sha256(json.dumps(features.build_schema()).encode()).hexdigest()[:16]
    content["xgboost"] = xgb.__version__
    return content


def find_best(history: list[Evaluation]) -> Evaluation:
    """Return the evaluation with the highest validation AUC, the first of equals."""
    return max(history, key=lambda evaluation: evaluation.validation_auc)


def is_finished(history: list[Evaluation], options: argparse.Namespace) -> bool:
    """Return True after the last round, or if the validation AUC has not risen for `early_stopping_rounds`."""
    if not history:
        return False
    last_round, patience = history[-1].round, options.early_stopping_rounds
    return last_round >= options.num_round or bool(patience and last_round - find_best(history).round >= patience)


def boost_trees(
    train: xgb.DMatrix, validation: xgb.DMatrix, options: argparse.Namespace, checkpoints: Checkpoints
) -> tuple[xgb.Booster, list[Evaluation]]:
    """Boost to the end, from the newest checkpoint of the first host, which alone writes checkpoints.

    SIGTERM to any host ends the round on all hosts. The first host saves a checkpoint, and all exit with
    EXIT_INTERRUPTED.
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
    checkpoint = hosts.run_on_first_host(checkpoints.load_newest)
    round_number = checkpoint.round if checkpoint else 0
    history = [Evaluation(*values) for values in checkpoint.state["history"]] if checkpoint else []
    booster = xgb.Booster(
        parameters, [train, validation], model_file=bytearray(checkpoint.model) if checkpoint else None
    )
    if hosts.is_first_host():
        checkpoints.begin_life(round_number)
    print_line(
        f"life={len(checkpoints.lives)}; resumed_from_round={round_number}; rounds_redone={checkpoints.rounds_redone};"
    )

    while not is_finished(history, options):
        booster.update(train, round_number)
        round_number += 1
        if hosts.is_first_host():
            checkpoints.record_round(round_number)
        if round_number % options.eval_every == 0 or round_number == options.num_round:
            history.append(evaluate_round(booster, train, validation, round_number))
        is_leaving = hosts.is_any_true(interrupted.is_set())
        is_due = round_number % options.checkpoint_every == 0 or is_leaving or is_finished(history, options)
        if is_due and hosts.is_first_host():
            checkpoints.save(Checkpoint(round_number, bytes(booster.save_raw("ubj")), {"history": history}))
        if is_leaving:
            print_line(f"interrupted_at_round={round_number};")
            raise SystemExit(EXIT_INTERRUPTED)
    return booster, history


def evaluate_round(booster: xgb.Booster, train: xgb.DMatrix, validation: xgb.DMatrix, round_number: int) -> Evaluation:
    """Measure and print the model after `round_number` rounds."""
    report = booster.eval_set([(train, "train"), (validation, "validation")], round_number)
    auc = dict(item.split(":") for item in report.split("\t")[1:])
    evaluation = Evaluation(round_number, float(auc["train-auc"]), float(auc["validation-auc"]))
    print_line(
        f"round={round_number}; train:auc={evaluation.train_auc:.4f}; validation:auc={evaluation.validation_auc:.4f};"
    )
    return evaluation


def measure_part(part: str, booster: xgb.Booster, data: xgb.DMatrix) -> dict[str, float]:
    """Return the final metrics on a part of the data, with those of a model that always predicts the majority.

    The AUC of such a model is 0.5.
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
    """Write the model with metadata and serving code. The files contain no time, so the bytes are reproducible."""
    code = folder / "code"
    code.mkdir(parents=True, exist_ok=True)
    for name in SERVING_CODE:
        shutil.copyfile(Path(__file__).with_name(name), code / name)
    booster.save_model(folder / "model.ubj")  # to continue with in XGBoost
    Trees.from_model(bytes(booster.save_raw("json"))).save(folder)  # to serve
    (folder / "metadata.json").write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")


def run(options: argparse.Namespace) -> None:
    """Read, boost, measure and save. All hosts boost; the first host does the rest."""
    frames = {
        part: read_channel(part, getattr(options, part))
        for part in ("train", "validation", "test")
        if getattr(options, part)
    }
    with hosts.join_hosts():
        check_sharding()
        checkpoints = Checkpoints(options.checkpoint_dir, fingerprint_run(options))
        known = gather_categories(frames["train"])
        data = {
            part: xgb.DMatrix(
                features.build_matrix(frame, known),
                frame[LABEL],
                feature_names=features.list_names(),
                feature_types=features.list_xgboost_types(),
            )
            for part, frame in frames.items()
        }
        booster, history = boost_trees(data["train"], data["validation"], options, checkpoints)
        if not hosts.is_first_host():
            return
    kept_rounds = find_best(history).round if options.early_stopping_rounds else history[-1].round
    booster = booster[:kept_rounds]
    metrics = {
        key: value for part in data if part != "train" for key, value in measure_part(part, booster, data[part]).items()
    }
    for name, value in metrics.items():
        print_line(f"{name}={value:.4f};")
    metadata = {
        "features": features.build_schema(),
        "categories": known,
        "rounds": kept_rounds,
        "run": checkpoints.fingerprint,
        "metrics": metrics,
    }
    save_model(options.model_dir, booster, metadata)
    lives, redone = len(checkpoints.lives), checkpoints.rounds_redone
    print_line(f"rounds={history[-1].round}; rounds_kept={kept_rounds}; lives={lives}; rounds_redone={redone};")
    if options.output_data_dir:
        report = {
            "metrics": metrics,
            "rounds": history[-1].round,
            "rounds_kept": kept_rounds,
            "rounds_redone": checkpoints.rounds_redone,
            "lives": checkpoints.lives,
            "history": [evaluation._asdict() for evaluation in history],
        }
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
