"""Drift: comparison of inputs and predictions with the profile of the training data, in a processing job.

    python drift.py --data DIR --out DIR
    python drift.py --data DIR --out DIR --profile DIR --namespace smlops-dev/drift --workload flight-delay

The first command writes DIR/profile.json. The second compares a batch with a profile, writes DIR/drift.json and
publishes the metrics. The data are Parquet files, CSV files with a header, or the JSON lines of SageMaker's data
capture. Nothing here is specific to flights: copy the file for another workload.

A column drifts if the difference is both large and not by chance. Large: the population stability index or the
Kolmogorov-Smirnov distance reaches its threshold. Not by chance: the p-value of the chi-square test (bins and missing
values) or the Kolmogorov-Smirnov test (numbers), corrected for the number of tests by Holm's method, is below 1 %.
`python -m tests.workloads.flight_delay.drift_calibration` prints how often this is right on public data sets.
"""

import argparse
import base64
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING or __package__:
    from .features import InputError
else:  # a container has all files in one folder
    from features import InputError

Array = np.ndarray[Any, np.dtype[Any]]
#: Values by column. The predictions are one more column, which may have another length.
Columns = Mapping[str, Any]

PROFILE, REPORT = "profile.json", "drift.json"
PREDICTION = "prediction"
#: Metrics in CloudWatch, with the dimension Workload.
DRIFTING_COLUMNS, LARGEST_PSI = "DriftingColumns", "LargestPsi"

#: Version of the format of a profile.
VERSION = 2
#: Bins of a number, each with about the same share of the training data.
BINS = 10
#: A number with at most this many distinct values has a bin for each value.
DISTINCT = 20
#: Values of a number that the profile keeps for the Kolmogorov-Smirnov test: evenly spaced quantiles, which are values
#: of the training data. A rounded or interpolated value would differ from an equal value of a batch.
SAMPLE = 1000
#: Smallest share of a category with a bin of its own. All rarer categories share one bin.
MIN_SHARE = 0.01


class Thresholds(NamedTuple):
    """Limits of a comparison."""

    #: From 0.2 on, practice calls a shift of the population significant.
    psi: float = 0.2
    ks: float = 0.2
    p_value: float = 0.01
    #: Fewest rows of a batch. A smaller batch gives no decision.
    rows: int = 500


DEFAULTS = Thresholds()


def build_profile(columns: Columns) -> dict[str, Any]:
    """Return the profile of the training data: rows, and the distribution of each column."""
    profiles = {name: _profile_column(pd.Series(values)) for name, values in columns.items()}
    if not profiles or not all(profile["rows"] for profile in profiles.values()):
        raise InputError("a profile needs at least one column and one row: give the training data")
    return {"version": VERSION, "columns": profiles}


def _profile_column(values: pd.Series) -> dict[str, Any]:
    present, missing = values.dropna(), int(values.isna().sum())
    if pd.api.types.is_numeric_dtype(values):
        numbers = np.sort(present.to_numpy(float))
        frequent = _list_frequent_values(numbers)
        others = numbers[~np.isin(numbers, frequent)]
        edges = np.unique(_compute_quantiles(others, np.arange(1, BINS) / BINS))
        return {
            "type": "number",
            "is_single": _is_single(values),
            "rows": len(values),
            "values": frequent.tolist(),
            "edges": edges.tolist(),
            "counts": [*_count_numbers(numbers, frequent, edges).tolist(), missing],
            "sample": _compute_quantiles(numbers, (np.arange(SAMPLE) + 0.5) / SAMPLE).tolist(),
        }
    counts = present.astype(str).value_counts()
    names = sorted(counts.index[counts >= MIN_SHARE * len(values)])
    return {
        "type": "category",
        "rows": len(values),
        "categories": names,
        "counts": [*_count_categories(present, names).tolist(), missing],
    }


def _list_frequent_values(numbers: Array) -> Array:
    """Return the values with a bin of their own: all if there are few, else those that would fill a bin alone."""
    distinct, counts = np.unique(numbers, return_counts=True)
    return distinct if len(distinct) <= DISTINCT else distinct[counts >= len(numbers) / BINS]


def _compute_quantiles(numbers: Array, shares: Array) -> Array:
    """Return the quantiles of sorted numbers; each is one of the numbers. There are at most as many as numbers."""
    if len(numbers) <= len(shares):
        return numbers
    return np.quantile(numbers, shares, method="inverted_cdf")


def _count_numbers(numbers: Array, frequent: Array, edges: Array) -> Array:
    """Return the count of each frequent value, and of the others in each bin. A bin contains its lower edge."""
    others = numbers[~np.isin(numbers, frequent)]
    in_bins = np.bincount(np.searchsorted(edges, others, side="right"), minlength=len(edges) + 1)
    return np.append([np.count_nonzero(numbers == value) for value in frequent], in_bins).astype(int)


def _count_categories(values: pd.Series, names: list[str]) -> Array:
    """Return the number of values of each category, and of all others."""
    counts = values.astype(str).value_counts()
    known = counts.reindex(names, fill_value=0).to_numpy(int)
    return np.append(known, len(values) - known.sum())


def compare(profile: Mapping[str, Any], columns: Columns, thresholds: Thresholds = DEFAULTS) -> dict[str, Any]:
    """Return the report: statistics of each column, and the names of the drifting columns.

    `drifting` is None for a batch that is too small for a decision. Raises InputError if no column is in the profile.
    """
    profiles = profile["columns"]
    names = [name for name in profiles if name in columns]
    if not names:
        raise InputError(f"the data has no column of the profile: {', '.join(profiles)}")
    rows = min(len(columns[name]) for name in names)
    report: dict[str, Any] = {
        "rows": rows,
        "thresholds": thresholds._asdict(),
        "not_compared": sorted(set(profiles).symmetric_difference(columns)),
    }
    if rows < thresholds.rows:
        return {**report, "columns": {}, "largest_psi": None, "drifting": None}
    statistics = {name: _compare_column(profiles[name], pd.Series(columns[name])) for name in names}
    corrected = correct_p_values([statistics[name]["p_value"] for name in names])
    for name, p_value in zip(names, corrected, strict=True):
        column = statistics[name]
        is_large = column["psi"] >= thresholds.psi or column.get("ks", 0.0) >= thresholds.ks
        column |= {"corrected_p_value": p_value, "drifts": bool(is_large and p_value < thresholds.p_value)}
    return {
        **report,
        "columns": statistics,
        "largest_psi": max(column["psi"] for column in statistics.values()),
        "drifting": [name for name in names if statistics[name]["drifts"]],
    }


def _compare_column(profile: Mapping[str, Any], values: pd.Series) -> dict[str, Any]:
    """Return the statistics of one column."""
    from scipy import stats

    expected = np.array(profile["counts"])
    if profile["type"] == "category":
        present = values.dropna()
        observed = np.append(_count_categories(present, profile["categories"]), len(values) - len(present))
        p_value = _compute_p_value(observed, expected)
        return {"rows": len(values), "psi": compute_psi(observed, expected), "p_value": p_value}
    numbers = pd.to_numeric(values, errors="coerce").dropna().to_numpy(float)
    frequent, edges, sample = (np.array(profile[name], dtype=float) for name in ("values", "edges", "sample"))
    if profile["is_single"] or _is_single(values):  # the same number differs between both precisions
        numbers, frequent, edges, sample = (_round_to_single(array) for array in (numbers, frequent, edges, sample))
    missing = len(values) - len(numbers)
    observed = np.append(_count_numbers(numbers, frequent, edges), missing)
    ks, p_value = 0.0, 1.0
    if len(numbers) and len(sample):
        ks, p_value = map(float, stats.ks_2samp(numbers, sample, method="asymp"))
    return {
        "rows": len(values),
        "psi": compute_psi(observed, expected),
        "ks": round(ks, 6),
        "p_value": min(1.0, 2 * min(p_value, _compute_p_value(observed, expected))),
    }


def _is_single(values: pd.Series) -> bool:
    """Return whether the numbers have single precision."""
    return str(values.dtype).lower() == "float32"


def _round_to_single(numbers: Array) -> Array:
    return numbers.astype(np.float32).astype(float)


def compute_psi(observed: Array, expected: Array) -> float:
    """Return the population stability index of two lists of counts. Half a row in each bin avoids a division by 0."""
    shares = [(counts + 0.5) / (counts + 0.5).sum() for counts in (observed, expected)]
    return round(float(np.sum((shares[0] - shares[1]) * np.log(shares[0] / shares[1]))), 6)


def _compute_p_value(observed: Any, expected: Any) -> float:
    """Return the p-value of the chi-square test that both lists of counts have the same distribution."""
    from scipy import stats

    table = np.array([observed, expected])
    table = table[:, table.sum(axis=0) > 0]
    return float(stats.chi2_contingency(table).pvalue) if table.shape[1] > 1 else 1.0


def correct_p_values(p_values: Iterable[float]) -> list[float]:
    """Return the p-values corrected by Holm's method for the number of tests."""
    values = np.array(list(p_values))
    order = np.argsort(values)
    corrected = np.empty(len(values))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)))
    return [float(value) for value in corrected]


def read_columns(folder: Path, profile: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Read all data files of a folder: the columns, with the predictions of captured responses. Raises InputError.

    With a profile, its categories are read as text, also those that look like numbers.
    """
    types = {name: str for name, one in (profile or {"columns": {}})["columns"].items() if one["type"] == "category"}
    frames: list[pd.DataFrame] = []
    predictions: list[float] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        try:
            if path.suffix == ".parquet":
                frames.append(pd.read_parquet(path))
            elif path.name.endswith((".csv", ".csv.gz")):
                frames.append(pd.read_csv(path, dtype=types))
            elif path.suffix == ".jsonl":
                for request, response in _parse_captured_lines(path, types):
                    frames.append(request)
                    predictions += response
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise InputError(f"{path} cannot be read ({error}): replace the file") from None
    if not frames:
        raise InputError(f"{folder} has no data: give a folder with .parquet, .csv, .csv.gz or .jsonl files")
    frame = pd.concat(frames, ignore_index=True)
    return {**{str(name): frame[name] for name in frame}, **({PREDICTION: predictions} if predictions else {})}


def _parse_captured_lines(path: Path, types: Mapping[str, Any]) -> Iterator[tuple[pd.DataFrame, list[float]]]:
    """Yield the inputs and the predictions of each captured request."""
    for line in path.read_text(encoding="utf-8").splitlines():
        captured = json.loads(line)["captureData"]
        request = _decode(captured["endpointInput"])
        if request.lstrip()[:1] in ("[", "{"):
            records = json.loads(request)
            inputs = pd.DataFrame(records["instances"] if isinstance(records, dict) else records)
        else:
            inputs = pd.read_csv(io.StringIO(request), dtype=types)
        response = _decode(captured["endpointOutput"]) if "endpointOutput" in captured else ""
        if response.lstrip().startswith("{"):
            yield inputs, [float(value) for value in json.loads(response)["predictions"]]
        else:
            yield inputs, [float(value) for value in response.split()]


def _decode(message: Mapping[str, str]) -> str:
    is_encoded = message.get("encoding") == "BASE64"
    return base64.b64decode(message["data"]).decode() if is_encoded else message["data"]


def read_profile(folder: Path) -> dict[str, Any]:
    """Read the profile in a folder. Raises InputError."""
    try:
        profile: dict[str, Any] = json.loads((folder / PROFILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / PROFILE} cannot be read ({error}): give the profile of a model") from None
    if not isinstance(profile, dict) or profile.get("version") != VERSION:
        raise InputError(f"{folder / PROFILE} is not a profile of version {VERSION}: write it again")
    return profile


def publish_metrics(report: Mapping[str, Any], namespace: str, workload: str) -> None:
    """Publish the number of drifting columns, which the alarm compares, and the largest index. Raises InputError."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    values = {DRIFTING_COLUMNS: len(report["drifting"]), LARGEST_PSI: report["largest_psi"]}
    dimensions = [{"Name": "Workload", "Value": workload}]
    metrics = [{"MetricName": name, "Dimensions": dimensions, "Value": value} for name, value in values.items()]
    try:
        boto3.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=metrics)
    except (BotoCoreError, ClientError) as error:
        raise InputError(
            f"the metrics were not published ({error}): the job needs a network, and its role cloudwatch:PutMetricData "
            f"in the namespace {namespace}"
        ) from None


def write_json(path: Path, document: Any) -> None:
    """Write a JSON file, and its folder if it does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def run(options: argparse.Namespace) -> None:
    """Write the profile of the data, or compare the data with a profile."""
    if options.profile is None:
        columns = read_columns(options.data)
        ignored = set((options.ignore or "").split(","))
        profile = build_profile({name: values for name, values in columns.items() if name not in ignored})
        write_json(options.out / PROFILE, profile)
        print(f"columns={len(profile['columns'])};")
        return
    if (options.namespace is None) != (options.workload is None):
        raise InputError("--namespace and --workload: give both to publish metrics, or neither")
    profile = read_profile(options.profile)
    thresholds = Thresholds(options.psi, options.ks, options.p_value, options.minimum_rows)
    report = compare(profile, read_columns(options.data, profile), thresholds)
    write_json(options.out / REPORT, report)
    if report["drifting"] is None:
        print(f"rows={report['rows']}; no decision: fewer than {thresholds.rows} rows;")
        return
    print(
        f"rows={report['rows']}; largest_psi={report['largest_psi']:.3f}; drifting_columns={len(report['drifting'])};"
    )
    for name in report["drifting"]:
        print(f"column={name}; psi={report['columns'][name]['psi']:.3f};")
    if options.namespace is not None:
        publish_metrics(report, options.namespace, options.workload)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Compare a batch with the profile of the training data.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data")
    parser.add_argument("--out", type=Path, required=True, help=f"folder for {PROFILE} or {REPORT}")
    parser.add_argument("--profile", type=Path, help=f"folder with {PROFILE}; without it, the profile is written")
    parser.add_argument("--ignore", help="columns that the new profile omits, with commas")
    parser.add_argument("--psi", type=float, default=DEFAULTS.psi, help="stability index of a large shift")
    parser.add_argument("--ks", type=float, default=DEFAULTS.ks, help="Kolmogorov-Smirnov distance of a large shift")
    parser.add_argument("--p_value", type=float, default=DEFAULTS.p_value, help="corrected p-value of a shift")
    parser.add_argument("--minimum_rows", type=int, default=DEFAULTS.rows, help="fewest rows for a decision")
    parser.add_argument("--namespace", help="CloudWatch namespace of the metrics; without it, none is published")
    parser.add_argument("--workload", help="value of the metrics' dimension Workload")
    try:
        run(parser.parse_args(arguments))
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
