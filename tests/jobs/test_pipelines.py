"""Pipelines before they run: data by content, parameters, figures, and what is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.figure import Figure
from sustainable_mlops.jobs.pipelines import parameters
from sustainable_mlops.jobs.pipelines.data import read_folder
from sustainable_mlops.jobs.pipelines.figures import total
from sustainable_mlops.jobs.pipelines.start import read_files
from sustainable_mlops.terraform import ROOT
from tests.jobs.support import PARAMETER

WORKLOAD = ROOT / "workloads" / "flight_delay"
DEFINITION: dict[str, Any] = {
    "Parameters": [
        {"Name": "InputKey", "Type": "String"},
        {"Name": "MaxDepth", "Type": "Integer", "DefaultValue": 5},
        {"Name": "Least", "Type": "Float", "DefaultValue": 0.5},
        {"Name": "Machine", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
    ]
}


def test_a_data_set_is_named_by_what_is_in_it(tmp_path: Path) -> None:
    def key(**files: str) -> str:
        folder = tmp_path / "data"
        shutil.rmtree(folder, ignore_errors=True)
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        return read_folder(folder, "raw/x/").key

    first = key(a="1", b="2")
    assert first.startswith("raw/x/")
    assert first.endswith("/")
    assert first == key(b="2", a="1")
    assert first == key(a="1", b="2", **{".hidden": "3"})
    assert len({first, key(a="2", b="1"), key(a="1"), key(a="1", c="2"), key(a="12", b="")}) == 5


@pytest.mark.parametrize("make", [lambda _: None, Path.mkdir])
def test_a_data_set_without_a_file_is_refused(make: Any, tmp_path: Path) -> None:
    make(tmp_path / "data")
    with pytest.raises(UserError, match="--data: there is no "):
        read_folder(tmp_path / "data", "raw/x/")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "no data: give a folder with --data, or a data set in the data bucket with --input PREFIX/"),
        (
            {"InputKey": "x/", "MaxDeth": "6"},
            "--set MaxDeth: the pipeline has no such parameter; did you mean 'MaxDepth'?",
        ),
        ({"InputKey": "x/", "MaxDepth": "six"}, "--set MaxDepth: must be of type Integer, not 'six'"),
        ({"InputKey": "x/", "Least": "much"}, "--set Least: must be of type Float, not 'much'"),
        ({"InputKey": "x/", "Machine": "c"}, "--set Machine: must be one of a, b, not 'c'"),
    ],
)
def test_what_a_start_gives_is_checked_before_anything_is_uploaded(given: dict[str, str], told: str) -> None:
    with pytest.raises(UserError) as refused:
        parameters.check(DEFINITION, given)
    assert str(refused.value) == told


def test_figures_of_jobs_are_added_end_by_end() -> None:
    def figure(low: float, value: float, high: float, driver: str) -> dict[str, Figure]:
        one = Figure(
            value=value, low=low, high=high, unit="kgCO2e", basis="estimated", source="x", grade="B", driver=driver
        )
        return {"co2e": one}

    together = total([figure(1, 2, 4, "grid"), figure(10, 20, 40, "power"), {}])["co2e"]
    assert (together.low, together.value, together.high) == (11, 22, 44)
    assert together.source == "sum of 2 of 3 jobs"  # what is not known is not nothing
    assert (together.driver, together.grade) == ("power", "B")


@pytest.fixture
def workload(tmp_path: Path) -> Path:
    """The pipeline file of a copy of flight_delay, on the platform of the tests."""
    folder = tmp_path / "flight_delay"
    shutil.copytree(WORKLOAD, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in folder.glob("*.yaml"):
        file.write_text(file.read_text().replace("/sustainable-mlops/dev/platform", PARAMETER))
    return folder / "pipeline.yaml"


@pytest.mark.usefixtures("cloud")
def test_the_definition_in_the_repository_is_of_the_code_beside_it(workload: Path) -> None:
    files = read_files(workload)
    assert list(files.jobs) == ["Prepare", "Train", "Evaluate"]
    assert len(files.sources) == 3


@pytest.mark.usefixtures("cloud")
def test_a_definition_of_other_code_is_refused_with_the_command_that_writes_it(workload: Path) -> None:
    (workload.parent / "evaluate.py").open("a").write("# another thought\n")
    with pytest.raises(UserError, match=r"pipeline\.json: is not of the code beside it .*: python .*/pipeline\.py"):
        read_files(workload)


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, r"pipeline\.json: no such file; the pipeline's builder writes it"),
        ("{", r"pipeline\.json: cannot be read"),
        ("[]", r"pipeline\.json: is no definition of a pipeline"),
        (json.dumps({"Steps": []}), r"steps\.prepare: pipeline\.json has no step Prepare that runs a job"),
    ],
)
def test_a_broken_definition_is_named(content: str | None, told: str, workload: Path) -> None:
    file = workload.parent / "pipeline.json"
    file.unlink()
    if content is not None:
        file.write_text(content)
    with pytest.raises(UserError, match=told):
        read_files(workload)
