"""Compares the two ways to evaluate the trained trees: XGBoost, and the plain arrays that serve (trees.py).

    python compare_serving.py --model_dir out/model --test out/flight_delay/test

prints whether they agree on every flight, the seconds that 1,000 predictions take, a request of one flight and of a
thousand, and the memory of a process that serves so. Seconds are of CPU, which other work on the machine hardly
changes, and of one thread, as a worker of a serverless endpoint has.
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
    from .train import read
else:  # run as a script, the files lie side by side
    import features
    import inference
    from train import read

#: What a serving process imports and loads, for its memory; argv: the model's folder.
PROCESS = {
    "trees.npz": "import inference; model = inference.model_fn(sys.argv[1])",
    "XGBoost": "import xgboost, pathlib;"
    "model = xgboost.Booster({'nthread': 1}, model_file=pathlib.Path(sys.argv[1]) / 'model.ubj')",
}
#: Linux's own count: what getrusage tells includes the process that started this one.
PEAK = "import sys, re; {}; print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1024)"


def seconds_per_1000(ask: Callable[[Any], object], flights: Any, size: int, requests: int) -> float:
    """CPU seconds for 1,000 predictions, `size` a request: the least of up to `requests`."""
    best = float("inf")
    for number in range(min(requests, len(flights) // size)):
        rows = flights.iloc[number * size : (number + 1) * size]
        before = time.process_time()
        ask(rows)
        best = min(best, time.process_time() - before)
    return best * 1000 / size


def megabytes(process: str, model_dir: Path) -> float:
    """The peak memory of a process that has loaded the model, in MB."""
    command = [sys.executable, "-c", PEAK.format(process), str(model_dir.resolve())]
    code = Path(inference.__file__).parent
    return float(subprocess.run(command, cwd=code, capture_output=True, text=True, check=True).stdout)


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    import xgboost as xgb

    parser = argparse.ArgumentParser(description="Compare XGBoost with the plain arrays that serve.")
    parser.add_argument("--model_dir", type=Path, required=True, help="what train.py wrote")
    parser.add_argument("--test", type=Path, required=True, help="folder of held-out flights, from prepare.py")
    options = parser.parse_args(arguments)
    try:
        model = inference.model_fn(str(options.model_dir))
        flights = read("test", options.test)
    except features.InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    booster = xgb.Booster({"nthread": 1}, model_file=options.model_dir / "model.ubj")

    def by_xgboost(rows: Any) -> Any:
        matrix = features.matrix(rows, model.categories)
        names, types = features.names(), features.xgboost_types()
        data = xgb.DMatrix(matrix, feature_names=names, feature_types=types, nthread=1)
        return booster.predict(data)

    def by_arrays(rows: Any) -> Any:
        return inference.predict_fn(rows, model)

    equal = int((by_arrays(flights) == by_xgboost(flights)).sum())
    print(f"flights={len(flights)}; equal={equal}; trees={len(model.trees.roots)}; xgboost={xgb.__version__};")
    for name, ask in (("trees.npz", by_arrays), ("XGBoost", by_xgboost)):
        one, thousand = seconds_per_1000(ask, flights, 1, 200), seconds_per_1000(ask, flights, 1000, 20)
        result = {"seconds per 1,000, one a request": round(one, 3), "1,000 a request": round(thousand, 4)}
        result["MB"] = round(megabytes(PROCESS[name], options.model_dir))
        print(f"{name}: {json.dumps(result)}")


if __name__ == "__main__":
    main()
