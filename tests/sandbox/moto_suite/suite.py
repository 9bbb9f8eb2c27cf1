"""Runner of moto's tests against a sandbox.

`python -m tests.sandbox.moto_suite.suite` prints the failing tests with their reasons.
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
from sustainable_mlops.terraform import ROOT

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


def run_tests(endpoint: str, parts: Iterable[str] = PARTS) -> dict[str, MotoTestResult]:
    """Return the results by test, such as `test_sagemaker_models.py::test_delete_model`, without skipped tests.

    Raises RuntimeError if the tests are not installed, or if pytest itself fails.
    """
    if not SOURCES.exists():
        raise RuntimeError("moto's tests are not installed: run python3 scripts/setup.py moto-tests")
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "world", "-p", "no:cacheprovider", "--tb=line"]
        command += ["-c", os.devnull, f"--rootdir={SOURCES}", f"--junitxml={report}"]
        process = subprocess.run(
            [*command, *(f"tests/{part}" for part in parts)],
            cwd=SOURCES,
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
        results = run_tests(sandbox.endpoint, sys.argv[1:] or PARTS)
    for outcome in results.values():
        if not outcome.passed:
            print(f"{outcome.test}: {outcome.message}")
    print(f"{sum(outcome.passed for outcome in results.values())} of {len(results)} pass", file=sys.stderr)
