"""Scaffold of a new workload: a small model that trains and serves, with job files and tests."""

import keyword
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from clone import synth
from clone.scaffold.files import check_absent, create_folders, is_name, render
from clone.scaffold.framework import Framework, Task
from sustainable_mlops.base.errors import UserError, did_you_mean
from sustainable_mlops.base.terraform import ROOT

_FILES = (
    "README.md",
    "features.py",
    "inference.py",
    "job.yaml",
    "pipeline.py",
    "pipeline.yaml",
    "predict.yaml",
    "tune.yaml",
)
#: SageMaker's image of each framework.
_IMAGES = {Framework.XGBOOST: "sagemaker-xgboost:3.0-5", Framework.SKLEARN: "sagemaker-scikit-learn:1.9-0"}


class _Gate(NamedTuple):
    """Metric of the held-out rows, which a search optimizes and a pipeline compares, with its worst value."""

    metric: str
    goal: str
    worst: str


_GATES = {
    Task.BINARY: _Gate("auc", "maximize", "0.0"),
    Task.MULTICLASS: _Gate("logloss", "minimize", "1e300"),
    Task.REGRESSION: _Gate("rmse", "minimize", "1e300"),
}
_METRICS = {Task.BINARY: ["auc"], Task.MULTICLASS: ["accuracy", "logloss"], Task.REGRESSION: ["rmse", "mae"]}


def create(
    name: str, environment: str, framework: Framework = Framework.XGBOOST, task: Task = Task.BINARY
) -> tuple[list[str], str]:
    """Write the workload `name` for `environment`, and its tests.

    Returns the folders, and the next commands as text to paste. Raises UserError, and removes the folders, if that
    fails.
    """
    _check_names(name, environment)
    folder, tests = ROOT / "workloads" / name, ROOT / "tests" / "workloads" / name
    workload_files, test_files, commands = render_files(name, environment, framework, task)
    with create_folders({folder: workload_files, tests: test_files}):
        _write_definition(folder / "pipeline.py")
        return [str(each.relative_to(ROOT)) for each in (folder, tests)], commands


def render_files(
    name: str, environment: str, framework: Framework, task: Task
) -> tuple[dict[str, str], dict[str, str], str]:
    """Return the files of the workload and of its tests, by name, and the next commands as text to paste.

    `pipeline.py` writes one more file, the definition of the pipeline.
    """
    from envs.settings import load

    settings = load(ROOT / "envs" / environment)
    values = {
        "name": name,
        "hyphenated": name.replace("_", "-"),
        "environment": environment,
        "framework": framework.value,
        "task": task.value,
        "gate": _GATES[task],
        "metrics": _METRICS[task],
        "image": _IMAGES[framework],
        "folder": f"workloads/{name}",
        "bucket": f"{settings.name_prefix}-data-{settings.account_id}-{settings.region}",
    }
    workload_files = {file: render(f"workload/{file}", **values) for file in _FILES}
    workload_files["train.py"] = render(f"workload/{framework}/train.py", **values)
    workload_files["target.py"] = render(f"workload/target/{task}.py", **values)
    if framework is Framework.XGBOOST:
        # A job uploads only the workload's folder, so the folder needs a copy.
        workload_files["checkpoints.py"] = (ROOT / "workloads" / "flight_delay" / "checkpoints.py").read_text()
    test_files = {f"test_{name}.py": render("workload/test.py", **values)}
    return workload_files, test_files, render("workload.txt", **values)


def _write_definition(builder: Path) -> None:
    """Run the script that writes the definition of the pipeline. Raises UserError."""
    process = subprocess.run(
        [sys.executable, str(builder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        raise UserError(f"{builder.relative_to(ROOT)} failed: {process.stderr.strip().splitlines()[-1]}")


def _check_names(name: str, environment: str) -> None:
    if not is_name(name) or keyword.iskeyword(name):
        raise UserError(
            f"new workload: {name!r} must be 3 to 24 lower-case letters, digits and single underscores, and not a "
            "Python keyword"
        )
    if environment not in (known := synth.list_names()[1]):
        raise UserError(f"--environment: no environment is named {environment}{did_you_mean(environment, known)}")
    check_absent(ROOT / "workloads" / name, ROOT / "tests" / "workloads" / name)
