"""A new workload passes the tests unedited, for each framework and task, as do pages and settings with its model.

test_own_data.py trains and predicts.
"""

import json
from itertools import product
from pathlib import Path

import pytest

from clone.scaffold import workload
from clone.scaffold.framework import Framework, Task
from sustainable_mlops.base.errors import UserError
from tests.cases import check_cases
from tests.clone.scaffold.conftest import Clone, list_commands

#: Files of every workload.
_FILES = {
    "README.md",
    "features.py",
    "inference.py",
    "job.yaml",
    "pipeline.json",
    "pipeline.py",
    "pipeline.yaml",
    "predict.yaml",
    "target.py",
    "train.py",
    "tune.yaml",
}


#: A workload that `make test` creates; `make release` creates the others.
SOME = [(Framework.XGBOOST, Task.MULTICLASS)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "workloads",
    [
        pytest.param(SOME, id="one"),
        pytest.param(sorted({*product(Framework, Task)} - {*SOME}), id="others", marks=pytest.mark.release),
    ],
)
def test_new_workloads_pass_the_tests_unedited(scratch: Clone, workloads: list[tuple[Framework, Task]]) -> None:
    folders = []
    for framework, task in workloads:
        name = f"{framework}_{task}"
        printed = scratch.run("scripts/smlops.py", "new", "workload", name, "--framework", framework, "--task", task)
        assert [command.split()[0] for command in list_commands(printed)] == [
            "aws",
            "aws",
            "smlops",
            "smlops",
            "smlops",
        ]
        own = _FILES | ({"checkpoints.py"} if framework is Framework.XGBOOST else set())
        folders += [f"workloads/{name}", f"tests/workloads/{name}"]
        files = {
            file for file in scratch.list_new_files() if any(file.startswith(f"{folder}/") for folder in folders[-2:])
        }
        assert files == {f"workloads/{name}/{file}" for file in own} | {f"tests/workloads/{name}/test_{name}.py"}
        definition = json.loads((scratch.folder / "workloads" / name / "pipeline.json").read_text())
        (train, condition) = definition["Steps"]
        metadata = condition["Arguments"]["IfSteps"][0]["Arguments"]["CustomerMetadataProperties"]
        assert metadata["source_digest"] in json.dumps(train)
        assert "Parameters.InputKey" in json.dumps(metadata["data_digest:train"])
    scratch.check_style(*folders)
    assert "skipped" not in scratch.run_python("-m", "pytest", "-q", "-p", "no:xdist", *folders[1::2])
    scratch.run_python("-m", "pytest", "-q", "-p", "no:xdist", "tests/test_dependencies.py")
    for folder in folders[::2]:
        model = scratch.folder / "envs" / "catalogue" / "models" / f"{Path(folder).name}.yaml"
        model.write_text("description: Who leaves?\nserverless_endpoint:\n  memory_mb: 2048\n")
    repository_tests = ("tests/docs/test_blocks.py", "tests/envs/test_settings.py")
    scratch.run_python(
        "-m", "pytest", "-q", "-p", "no:xdist", "-m", "not slow and not plan and not apply", *repository_tests
    )


@check_cases(
    ("name", "environment", "message"),
    [
        ("Churn", "dev", "'Churn' must be 3 to 24 lower-case letters, digits and single underscores"),
        (
            "class",
            "dev",
            "'class' must be 3 to 24 lower-case letters, digits and single underscores, and not a Python keyword",
        ),
        ("flight_delay", "dev", "workloads/flight_delay: already exists; choose another name"),
        ("flight_delay", "dve", "--environment: no environment is named dve; did you mean 'dev'?"),
    ],
)
def test_invalid_options_are_one_line_errors(name: str, environment: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        workload.create(name, environment)
    assert message in str(error.value)
