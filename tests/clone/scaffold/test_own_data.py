"""The commands of docs/own_data.md with a CSV file produce batch predictions and an endpoint.

`python -m tests.clone.scaffold.test_own_data messy xgboost 200000 FOLDER` runs them with a larger table in a new
clone; it needs the AWS CLI on PATH.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

from clone.scaffold.framework import Framework
from sustainable_mlops.base.terraform import ROOT
from tests.cases import check_cases
from tests.clone.scaffold.tables import KINDS, measure_agreement, write_table
from tests.cloned_repository import Reader
from tests.docs.blocks import shell_blocks

#: Commands of the page that differ by workload, after the first: its data, its training and its predictions.
_OF_WORKLOAD = re.compile(r"smlops new workload|aws s3 cp|smlops train \S+$|smlops transform")
ROWS = 500
PAGE = "docs/own_data.md"


def list_page_commands() -> list[str]:
    page = shell_blocks("page")
    assert {block.file for block in page} == {PAGE}
    return [command for block in page for command in block.commands]


def list_output_files() -> list[str]:
    """Return the predictions for a file and those of the endpoint, which the commands of the page write."""
    (folder,) = (command.split()[-1] for command in list_page_commands() if " --download " in command)
    return [f"{folder}/ask.csv.out", find_invocation().split()[-1]]


def find_invocation() -> str:
    """Return the command of the page that invokes the endpoint."""
    (command,) = (command for command in list_page_commands() if "invoke-endpoint" in command)
    return command


def rename(command: str, name: str, options: str) -> str:
    """Return the command for a workload with another name and other options."""
    command = re.sub(r"(smlops new workload churn).*", rf"\1 {options}", command)
    return command.replace("churn", name).replace("out/predictions", f"out/{name}")


def predict(reader: Reader, kind: str, framework: str, rows: int) -> float:
    """Run the commands of the page with a generated table, and return the agreement of the predictions."""
    label, name = write_table(kind, rows, reader.folder), f"{kind}{framework}"
    task = "binary" if kind == "messy" else kind
    commands = [command for command in list_page_commands() if _OF_WORKLOAD.search(command)]
    assert len(commands) == 5
    reader.paste(*(rename(command, name, f"--framework {framework} --task {task}") for command in commands))
    return measure_agreement(kind, reader.folder / "out" / name / "ask.csv.out", label)


def declare_pipeline(reader: Reader) -> None:
    """Declare the pipeline of the workload as its page says."""
    page = (reader.folder / "workloads" / "churn" / "README.md").read_text()
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.S)
    (reader.folder / "envs" / "catalogue" / "pipelines" / "churn.yaml").write_text(text)


@pytest.fixture
def reader(tmp_path: Path, aws_cli: Path) -> Iterator[Reader]:
    """Yield a reader after the commands of the page, with the pipeline of the workload in the environment."""
    page_reader = Reader(tmp_path / "clone", aws_cli)
    try:
        for command in list_page_commands():
            page_reader.paste(command)
            if "smlops new workload" in command:
                declare_pipeline(page_reader)
        yield page_reader
    finally:
        page_reader.paste("smlops sandbox stop")


def check_endpoint(reader: Reader) -> None:
    """Check that a file and an endpoint give the same good predictions."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.metrics import roc_auc_score

    by_batch, by_endpoint = (np.loadtxt(reader.folder / file) for file in list_output_files())
    assert by_batch.tolist() == by_endpoint.tolist()
    assert roc_auc_score(load_breast_cancer().target[450:], by_batch) > 0.98


def check_invalid_request(reader: Reader) -> None:
    """Check that an invalid request returns a client error."""
    invalid_invocation = find_invocation().replace("ask.csv", "wrong.csv")
    output = reader.paste("echo radius > wrong.csv && echo 1 >> wrong.csv", f"! {invalid_invocation}")
    assert "Received client error (400)" in output
    assert "unknown: radius" in output


def check_search_and_pipeline(reader: Reader) -> None:
    """Check that the search and the pipeline of the workload complete."""
    reader.paste(
        "sed -i 's/max_jobs: 10/max_jobs: 2/' workloads/churn/tune.yaml",
        "mkdir set && cp train.csv set/",
    )
    output = reader.paste("smlops sandbox exec -- smlops tune workloads/churn/tune.yaml --json 2> out/tune.log")
    record = json.loads(output)["record"]
    assert (record["status"], len(record["trials"]), record["warnings"]) == ("Completed", 2, [])
    run = (
        "smlops sandbox exec -- smlops pipeline run workloads/churn/pipeline.yaml --data set --json 2> out/pipeline.log"
    )
    record = json.loads(reader.paste(run))["record"]
    assert record["status"] == "Succeeded"
    assert "/smlops-dev-churn/" in record["model_package"]


def check_table(kind: str, framework: Framework) -> Callable[[Reader], None]:
    """Return the check that a generated table gives good predictions."""

    def check(reader: Reader) -> None:
        assert predict(reader, kind, framework, ROWS) > 0.8

    return check


CHECKS = {
    "endpoint": check_endpoint,
    "invalid request": check_invalid_request,
    "search and pipeline": check_search_and_pipeline,
} | {
    f"{kind} {framework}": check_table(kind, framework)
    for kind, framework in zip(KINDS, cycle(Framework), strict=False)  # each kind once; main() runs any pair
    if (kind, framework) != ("binary", Framework.SKLEARN)  # the workload of the page
}


@pytest.mark.release
@pytest.mark.apply
@check_cases("check", CHECKS.values(), ids=CHECKS)
def test_the_commands_of_the_page_work_with_each_kind_of_table(reader: Reader, check: Callable[[Reader], None]) -> None:
    check(reader)


def test_the_page_names_the_files_that_its_commands_write() -> None:
    page = (ROOT / PAGE).read_text()
    assert [file for file in list_output_files() if f"\n`{file}` contains the " not in page] == []


def main(kind: str, framework: str, rows: str, folder: str) -> None:
    """Run the commands of the page with a larger table, in a new clone in `folder`."""
    reader = Reader(Path(folder))
    environment = next(number for number, command in enumerate(list_page_commands()) if " apply " in command)
    try:
        reader.paste(*list_page_commands()[: environment + 1])
        print(predict(reader, kind, framework, int(rows)))
    finally:
        reader.paste("smlops sandbox stop")


if __name__ == "__main__":
    main(*sys.argv[1:])
