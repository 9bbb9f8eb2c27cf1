"""Runner of moto's tests against a sandbox.

`python -m tests.sandbox.moto_suite.suite` prints the failing tests with their messages, and the number of passed tests.
The exit code is 1 if the results differ from failing.yaml. Arguments such as `test_sagemaker/test_sagemaker_models.py`
select tests.
"""

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.terraform import ROOT
from tools.sandbox_coverage import load_moto_tests

#: Folder into which set-up unpacks moto's tests.
SOURCES = ROOT / ".local" / "moto-tests"
PARTS = ("test_sagemaker", "test_sagemakermetrics", "test_sagemakerruntime", "test_applicationautoscaling")


@dataclass(frozen=True)
class MotoTestResult:
    """The result of one test.

    `message` is the first line of the failure, and empty for a passed test.
    """

    test: str
    passed: bool
    message: str


def run_all_tests(endpoint: str) -> dict[str, MotoTestResult]:
    """Return the results of all tests. A test that differs from failing.yaml runs up to three times more.

    Some tests expect Creating or InProgress, which may be over on a slow computer.
    """
    results = run_tests(endpoint)
    for _ in range(3):
        if different := list_differences(results):
            results |= run_tests(endpoint, list_node_ids(different))
    return results


def list_failing() -> list[str]:
    """Return the tests that failing.yaml lists, such as `test_sagemaker_models.py::test_delete_model`."""
    failing = load_moto_tests()["failing"].items()
    return [f"{file}.py::{test}" for file, groups in failing for group in groups for test in group["tests"]]


def list_differences(results: dict[str, MotoTestResult]) -> list[str]:
    """Return the tests that fail and are not listed, and the tests that are listed and pass."""
    failing = set(list_failing())
    return [test for test, result in results.items() if result.passed is (test in failing)]


def count_passed(results: dict[str, MotoTestResult]) -> str:
    """Return the numbers of passed and of all tests, as docs/sandbox.md has them."""
    return f"{sum(result.passed for result in results.values())} of {len(results)} pass"


def run_tests(endpoint: str, parts: Iterable[str] = PARTS, sources: Path = SOURCES) -> dict[str, MotoTestResult]:
    """Return the results by test, such as `test_sagemaker_models.py::test_delete_model`, without skipped tests.

    Raises RuntimeError if the tests are not installed, if pytest itself fails, or if a mock stays active after a test.
    """
    if not sources.exists():
        raise RuntimeError("moto's tests are not installed: run python3 scripts/setup.py moto-tests")
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "world", "-p", "no:cacheprovider", "--tb=line"]
        command += ["-c", os.devnull, f"--rootdir={sources}", f"--junitxml={report}"]
        process = subprocess.run(
            [*command, *(f"tests/{part}" for part in parts)],
            cwd=sources,
            env=_build_environment(endpoint),
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode not in (0, 1):
            raise RuntimeError(f"moto's tests did not run:\n{process.stdout[-3000:]}{process.stderr[-3000:]}")
        results = map(_parse_result, ElementTree.parse(report).iter("testcase"))  # noqa: S314 pytest wrote it
        return {result.test: result for result in results if result is not None}


def list_node_ids(tests: Iterable[str]) -> list[str]:
    """Return the arguments of `run_tests` for these tests."""
    files = {
        file.name: f"{part}/{file.name}" for part in PARTS for file in (SOURCES / "tests" / part).glob("test_*.py")
    }
    return [f"{files[file]}::{name}" for file, _, name in (test.partition("::") for test in tests)]


def _build_environment(endpoint: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))}
    return {
        **inherited,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_MAX_ATTEMPTS": "1",
        "PYTHONPATH": str(Path(__file__).parent),
        "TEST_SERVER_MODE": "true",
        "TEST_SERVER_MODE_ENDPOINT": endpoint,
    }


def _parse_result(case: ElementTree.Element) -> MotoTestResult | None:
    if case.find("skipped") is not None:
        return None
    test = f"{case.attrib['classname'].split('.')[-1]}.py::{case.attrib['name']}"
    failed = case.find("failure") if case.find("failure") is not None else case.find("error")
    if failed is None:
        return MotoTestResult(test, True, "")
    return MotoTestResult(test, False, (failed.attrib.get("message", "") or (failed.text or "")).splitlines()[0])


if __name__ == "__main__":
    with Sandbox.start() as sandbox:
        results = run_tests(sandbox.endpoint, sys.argv[1:]) if sys.argv[1:] else run_all_tests(sandbox.endpoint)
    for result in results.values():
        if not result.passed:
            print(f"{result.test}: {result.message}")
    differences = list_differences(results)
    for test in differences:
        print(f"differs from failing.yaml: {test}", file=sys.stderr)
    print(count_passed(results))
    sys.exit(1 if differences else 0)
