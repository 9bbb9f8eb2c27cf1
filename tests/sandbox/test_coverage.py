"""The published table is what the registry says, and the registry covers all that SageMaker has."""

import subprocess
import sys

import pytest

from sagemaker_sandbox.parts.handlers import SupportLevel
from sagemaker_sandbox.plane.moto_operations import MOTO_OPERATIONS
from sagemaker_sandbox.plane.registry import OPERATIONS, PARTS
from sustainable_mlops.aws.service_model import service_model
from tests.sandbox import handler_tests
from tools import sandbox_coverage


def test_the_page_is_written_from_the_registry() -> None:
    assert sandbox_coverage.PAGE.read_text(encoding="utf-8") == sandbox_coverage.build_page(), (
        f"run {sandbox_coverage.COMMAND}"
    )


def test_every_operation_is_in_the_page_once() -> None:
    words = sandbox_coverage.build_page().split("## Emulated")[1].replace("|", ",").replace("\n", ",").split(",")
    named = [word.strip() for word in words]
    for (_, operation), known in OPERATIONS.operations.items():
        assert named.count(operation) == 1, operation
        assert known.support.level is SupportLevel.EMULATED or known.support.note, operation


def test_what_a_part_declares_is_an_operation_of_its_service_and_of_no_other_part() -> None:
    declared = {
        (part.service, name): part for part in PARTS for name in vars(part) if hasattr(getattr(part, name), "support")
    }
    known = {(one.service, one.method): one.part for one in OPERATIONS.operations.values() if one.part is not None}
    refused = {
        (one.service, one.method)
        for one in OPERATIONS.operations.values()
        if one.support.level is SupportLevel.REFUSED
    }
    assert declared == {key: part for key, part in known.items() if key not in refused}
    for part in PARTS:
        assert set(part.refused_operations) <= set(service_model(part.service).operation_names), part
    ours = {one.name for one in OPERATIONS.operations.values() if one.part is not None}
    assert ours.isdisjoint(name for recorded in MOTO_OPERATIONS for name in recorded.operations), (
        "recorded by moto, too"
    )


def test_every_operation_that_behaves_names_a_test_that_would_notice_its_emptiness() -> None:
    assert handler_tests.table().keys() == handler_tests.behaving().keys()


#: The operations, those of one test together, in parts that run at the same time: much of it is waiting.
NAMED = handler_tests.table()
NAMES = sorted(handler_tests.behaving(), key=lambda name: NAMED.get(name, ""))
PARTS_AT_ONCE = 4


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS_AT_ONCE))
def test_the_tests_that_are_named_notice_a_handler_that_answers_nothing(part: int) -> None:
    size = -(-len(NAMES) // PARTS_AT_ONCE)
    command = [sys.executable, "-m", "tests.sandbox.handler_tests", *NAMES[part * size :][:size]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
