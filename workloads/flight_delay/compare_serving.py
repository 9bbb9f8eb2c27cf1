"""Comparison of the ways to evaluate the trained trees: XGBoost, the plain arrays of trees.py, and machine code.

    python compare_serving.py --model_dir out/model --test out/flight_delay/test

prints the number of equal predictions, and for each way the seconds of 1,000 predictions with one flight and with a
thousand flights per request, the energy and the carbon of a million predictions with one flight per request, and the
memory of a serving process. Seconds are CPU seconds, which other work on the computer hardly changes, of one thread, as
in a worker of a serverless endpoint. They include reading the request and writing the response.

Energy and carbon are the footprint model's estimate for an instance that works as long. The script needs this
repository for them, so jobs do not send it. It compiles the trees in a temporary folder if a compiler is available.
"""

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from . import features, inference
    from .compile_trees import compile_trees
    from .train import read_channel
    from .trees import FILE
else:  # a script imports from its own folder
    import features
    import inference
    from compile_trees import compile_trees
    from train import read_channel
    from trees import FILE

#: Evaluates the flights of a request: their probabilities.
Predict = Callable[[Any], Any]
ARRAYS, XGBOOST, COMPILED = "trees.npz", "XGBoost", "compiled"
#: Imports and loads of a serving process, to measure its memory. argv[1] is the model's folder.
_SERVE = "import inference; model = inference.model_fn(sys.argv[1])"
PROCESS = {
    ARRAYS: _SERVE,
    XGBOOST: "import xgboost, pathlib;"
    "model = xgboost.Booster({'nthread': 1}, model_file=pathlib.Path(sys.argv[1]) / 'model.ubj')",
    COMPILED: _SERVE,
}
#: Peak memory from Linux's own counter: getrusage includes the process that started this one.
PEAK = "import sys, re; {}; print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1024)"


def measure_seconds_per_1000(predictors: Mapping[str, Predict], bodies: list[str], size: int) -> dict[str, float]:
    """Return CPU seconds for 1,000 predictions by requests of `size` flights: the minimum of the requests.

    Each request goes to every way in turn, so that a change of the processor's speed affects all ways.
    """
    best = dict.fromkeys(predictors, float("inf"))
    for body in bodies:
        for name, predict in predictors.items():
            before = time.process_time()
            inference.format_response(predict(inference.read_request(body, inference.JSON)), inference.JSON)
            best[name] = min(best[name], time.process_time() - before)
    return {name: seconds * 1000 / size for name, seconds in best.items()}


def build_bodies(flights: Any, size: int, requests: int) -> list[str]:
    """Return requests with `size` flights each."""
    columns = flights[features.list_names()]
    count = min(requests, len(flights) // size)
    return [columns.iloc[n * size : (n + 1) * size].to_json(orient="records") for n in range(count)]


def measure_megabytes(process: str, model_dir: Path) -> float:
    """Return the peak memory in MB of a process that has loaded the model."""
    command = [sys.executable, "-c", PEAK.format(process), str(model_dir.resolve())]
    code = Path(inference.__file__).parent
    return float(subprocess.run(command, cwd=code, capture_output=True, text=True, check=True).stdout)


def estimate_million(seconds_per_1000: float, instance_type: str, region: str) -> dict[str, str]:
    """Return the energy and the carbon of a million predictions on an instance. Raises InputError if unknown."""
    from sustainable_mlops.footprint import estimate_job

    figures = estimate_job(instance_type, 1, seconds_per_1000 * 1000, region).figures
    if "total" not in figures:
        raise features.InputError(
            f"the carbon of {instance_type} in {region} is unknown: give another --instance or --region"
        )
    kwh, kg = figures["energy"].central, figures["total"].central
    return {"Wh per million": f"{kwh * 1000:.2g}", "kgCO2e per million": f"{kg:.1e}"}


def copy_without_libraries(model_dir: Path, folder: Path) -> Path:
    """Copy the files that the arrays need."""
    folder.mkdir()
    for name in (FILE, "metadata.json", "model.ubj"):
        shutil.copy(model_dir / name, folder)
    return folder


def compile_copy(model_dir: Path, folder: Path) -> Path | None:
    """Copy the model and compile its trees. Return None without a compiler."""
    copy_without_libraries(model_dir, folder)
    try:
        compile_trees(folder, [platform.machine()])
    except features.InputError as error:
        print(f"{COMPILED}: not measured: {error}", file=sys.stderr)
        return None
    return folder


def list_predictors(folders: Mapping[str, Path]) -> Iterator[tuple[str, Predict]]:
    """Yield the ways to evaluate the trees, by name."""
    import xgboost as xgb

    model = inference.model_fn(str(folders[ARRAYS]))
    booster = xgb.Booster({"nthread": 1}, model_file=folders[XGBOOST] / "model.ubj")

    def predict_with_xgboost(flights: Any) -> Any:
        matrix = features.build_matrix(flights, model.categories)
        names, types = features.list_names(), features.list_xgboost_types()
        return booster.predict(xgb.DMatrix(matrix, feature_names=names, feature_types=types, nthread=1))

    yield ARRAYS, lambda flights: inference.predict(flights, model)
    yield XGBOOST, predict_with_xgboost
    if COMPILED in folders:
        compiled = inference.model_fn(str(folders[COMPILED]))
        yield COMPILED, lambda flights: inference.predict(flights, compiled)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Compare XGBoost, the plain arrays and the compiled trees.")
    parser.add_argument("--model_dir", type=Path, required=True, help="folder that train.py wrote")
    parser.add_argument("--test", type=Path, required=True, help="folder of held-out flights, from prepare.py")
    parser.add_argument(
        "--instance", default="ml.m7i.large", help="instance type for the energy estimate (%(default)s)"
    )
    parser.add_argument("--region", default="eu-north-1", help="Region for the carbon estimate (%(default)s)")
    options = parser.parse_args(arguments)
    try:
        inference.model_fn(str(options.model_dir))
        with tempfile.TemporaryDirectory() as folder:
            compare(options, Path(folder))
    except features.InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def compare(options: argparse.Namespace, folder: Path) -> None:
    """Print the comparison. Raises InputError."""
    flights = read_channel("test", options.test)
    arrays = copy_without_libraries(options.model_dir, folder / "arrays")
    compiled = compile_copy(options.model_dir, folder / "compiled")
    folders = {ARRAYS: arrays, XGBOOST: arrays, **({COMPILED: compiled} if compiled else {})}
    predictors = dict(list_predictors(folders))
    expected = predictors[XGBOOST](flights)
    equal = "; ".join(
        f"{name}={int((predict(flights) == expected).sum())}" for name, predict in predictors.items() if name != XGBOOST
    )
    print(f"flights={len(flights)}; equal to XGBoost: {equal};")
    single = measure_seconds_per_1000(predictors, build_bodies(flights, 1, 500), 1)
    many = measure_seconds_per_1000(predictors, build_bodies(flights, 1000, 20), 1000)
    for name in predictors:
        result = {
            "seconds per 1,000, one per request": round(single[name], 3),
            "1,000 per request": round(many[name], 4),
            **estimate_million(single[name], options.instance, options.region),
            "MB": round(measure_megabytes(PROCESS[name], folders[name])),
        }
        print(f"{name}: {json.dumps(result)}")
    if compiled:
        for text, seconds in (("one per request", single), ("1,000 per request", many)):
            ratio = seconds[COMPILED] / seconds[ARRAYS]
            print(f"{text}: {COMPILED} takes {ratio:.2f} of the time and energy of {ARRAYS}")


if __name__ == "__main__":
    main()
