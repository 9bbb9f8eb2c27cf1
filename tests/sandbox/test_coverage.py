"""The registry covers every operation of SageMaker, and the page about them is current."""

import subprocess
import sys

import pytest

from sagemaker_sandbox.control_plane.moto_operations import MOTO_OPERATIONS
from sagemaker_sandbox.control_plane.registry import OPERATIONS, PARTS
from sagemaker_sandbox.resources.handlers import SupportLevel
from sustainable_mlops.aws.service_model import load_service_model
from tests.cases import check_cases
from tests.sandbox import handler_tests
from tools import sandbox_coverage


def test_the_page_is_written_from_the_registry() -> None:
    assert sandbox_coverage.PAGE.read_text(encoding="utf-8") == sandbox_coverage.build_page(), (
        f"run {sandbox_coverage.COMMAND}"
    )


def test_every_operation_is_on_the_page_once() -> None:
    words = sandbox_coverage.build_page().split("## Emulated")[1].replace("|", ",").replace("\n", ",").split(",")
    names_on_page = [word.strip() for word in words]
    for (_, operation), registered in OPERATIONS.operations.items():
        assert names_on_page.count(operation) == 1, operation
        assert registered.support.level is SupportLevel.EMULATED or registered.support.note, operation


def test_each_handler_belongs_to_one_operation_of_its_service() -> None:
    declared = {
        (part.service, name): part for part in PARTS for name in vars(part) if hasattr(getattr(part, name), "support")
    }
    known = {(one.service, one.method): one.part for one in OPERATIONS.operations.values() if one.part is not None}
    refused = {
        (one.service, one.method) for one in OPERATIONS.operations.values() if one.support.level is SupportLevel.REFUSED
    }
    assert declared == {key: part for key, part in known.items() if key not in refused}
    for part in PARTS:
        assert set(part.refused_operations) <= set(load_service_model(part.service).operation_names), part
    ours = {one.name for one in OPERATIONS.operations.values() if one.part is not None}
    assert ours.isdisjoint(name for recorded in MOTO_OPERATIONS for name in recorded.operations), (
        "recorded by moto, too"
    )


def test_every_emulated_operation_has_a_test_of_its_handler() -> None:
    assert handler_tests.load_table().keys() == handler_tests.list_emulated_operations().keys()


#: Operations, sorted by test. They are split into parts that run at the same time, because the tests mostly wait.
TESTS = handler_tests.load_table()
NAMES = sorted(handler_tests.list_emulated_operations(), key=lambda name: TESTS.get(name, ""))
PARTS_AT_ONCE = 4


@pytest.mark.release
@pytest.mark.slow
@check_cases("part", range(PARTS_AT_ONCE))
def test_the_test_of_a_handler_notices_an_empty_response(part: int) -> None:
    size = -(-len(NAMES) // PARTS_AT_ONCE)
    command = [sys.executable, "-m", "tests.sandbox.handler_tests", *NAMES[part * size :][:size]]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout[-4000:]
