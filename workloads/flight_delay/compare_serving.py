"""Comparison of the two ways to evaluate the trained trees: XGBoost, and the plain arrays of trees.py.

    python compare_serving.py --model_dir out/model --test out/flight_delay/test

prints the number of equal predictions, the seconds of 1,000 predictions with one flight and with a thousand flights per
request, and the memory of a serving process. Seconds are CPU seconds, which other work on the machine hardly changes,
of one thread, as in a worker of a serverless endpoint.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from . import features, inference
    from .train import read_channel
else:  # a script imports from its own folder
    import features
    import inference
    from train import read_channel

#: Imports and loads of a serving process, to measure its memory. argv[1] is the model's folder.
PROCESS = {
    "trees.npz": "import inference; model = inference.model_fn(sys.argv[1])",
    "XGBoost": "import xgboost, pathlib;"
    "model = xgboost.Booster({'nthread': 1}, model_file=pathlib.Path(sys.argv[1]) / 'model.ubj')",
}
#: Peak memory from Linux's own counter: getrusage includes the process that started this one.
PEAK = "import sys, re; {}; print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1024)"


def measure_seconds_per_1000(predict: Callable[[Any], object], flights: Any, size: int, requests: int) -> float:
    """Return CPU seconds for 1,000 predictions with `size` flights per request: the minimum of up to `requests`."""
    best = float("inf")
    for number in range(min(requests, len(flights) // size)):
        rows = flights.iloc[number * size : (number + 1) * size]
        before = time.process_time()
        predict(rows)
        best = min(best, time.process_time() - before)
    return best * 1000 / size


def measure_megabytes(process: str, model_dir: Path) -> float:
    """Return the peak memory in MB of a process that has loaded the model."""
    command = [sys.executable, "-c", PEAK.format(process), str(model_dir.resolve())]
    code = Path(inference.__file__).parent
    return float(subprocess.run(command, cwd=code, capture_output=True, text=True, check=True).stdout)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    import xgboost as xgb

    parser = argparse.ArgumentParser(description="Compare XGBoost with the plain arrays that serve.")
    parser.add_argument("--model_dir", type=Path, required=True, help="what train.py wrote")
    parser.add_argument("--test", type=Path, required=True, help="folder of held-out flights, from prepare.py")
    options = parser.parse_args(arguments)
    try:
        model = inference.model_fn(str(options.model_dir))
        flights = read_channel("test", options.test)
    except features.InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    booster = xgb.Booster({"nthread": 1}, model_file=options.model_dir / "model.ubj")

    def predict_with_xgboost(rows: Any) -> Any:
        matrix = features.build_matrix(rows, model.categories)
        names, types = features.list_names(), features.list_xgboost_types()
        data = xgb.DMatrix(matrix, feature_names=names, feature_types=types, nthread=1)
        return booster.predict(data)

    def predict_with_arrays(rows: Any) -> Any:
        return inference.predict(rows, model)

    equal = int((predict_with_arrays(flights) == predict_with_xgboost(flights)).sum())
    print(f"flights={len(flights)}; equal={equal}; trees={len(model.trees.roots)}; xgboost={xgb.__version__};")
    for name, predict in (("trees.npz", predict_with_arrays), ("XGBoost", predict_with_xgboost)):
        one, thousand = (
            measure_seconds_per_1000(predict, flights, 1, 200),
            measure_seconds_per_1000(predict, flights, 1000, 20),
        )
        result = {"seconds per 1,000, one a request": round(one, 3), "1,000 a request": round(thousand, 4)}
        result["MB"] = round(measure_megabytes(PROCESS[name], options.model_dir))
        print(f"{name}: {json.dumps(result)}")


if __name__ == "__main__":
    main()
