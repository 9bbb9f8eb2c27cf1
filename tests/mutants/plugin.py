"""The work of a forked process: pytest with one mutated module, or with a record of the lines that tests execute."""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import time
import types
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.mutants.mutation import Mutation

#: Seconds of processor time that importing and collecting may take, and one test beyond what it took before.
IMPORTING, TEST, FACTOR = 120.0, 5.0, 10
#: Bytes that a mutant may allocate.
MEMORY = 4 << 30
QUIET = ("-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore")


def record(root: Path, file: str, sources: list[str], marks: str) -> dict[str, Any]:
    """Run a test file, and return its times, failures, executed lines and imported modules."""
    import coverage

    measured = coverage.Coverage(data_file=None, include=sources, config_file=False, messages=False)
    recorder = _Recorder(measured)
    _enter(root)
    measured.start()
    status = pytest.main([*QUIET, "-m", marks, file], plugins=[recorder, Repeatable()])
    measured.stop()
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        recorder.failed = recorder.failed or [file]
    data = measured.get_data()
    lines = {os.path.relpath(name, root): data.contexts_by_lineno(name) for name in data.measured_files()}
    modules = [name for name, module in sys.modules.items() if _is_beside(module, root)]
    return {"seconds": recorder.seconds, "failed": recorder.failed, "lines": lines, "modules": modules}


def kill(root: Path, mutation: Mutation, seconds: dict[str, float]) -> dict[str, str | None]:
    """Run the tests in this order against the mutation. Stop at the first failure, and return its name."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    _enter(root)
    sys.dont_write_bytecode = True
    if any(getattr(module, "__file__", None) == str(root / mutation.file) for module in sys.modules.values()):
        raise RuntimeError(f"{mutation.file} was imported before it was mutated")
    sys.meta_path.insert(0, _MutantFinder(root / mutation.file, mutation.source))
    chosen = _Chosen(seconds)
    signal.setitimer(signal.ITIMER_PROF, IMPORTING)
    files = list(dict.fromkeys(test.partition("::")[0] for test in seconds))
    status = pytest.main([*QUIET, "-x", *files], plugins=[chosen, Repeatable()])
    if status in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        return {"killed_by": None}
    if status == pytest.ExitCode.INTERNAL_ERROR and chosen.failed is None:
        raise RuntimeError("pytest failed in itself")
    return {"killed_by": chosen.failed or "collection"}


def _enter(root: Path) -> None:
    os.chdir(root)
    sys.path.insert(0, str(root))


def _is_beside(module: types.ModuleType, root: Path) -> bool:
    file = str(getattr(module, "__file__", None))
    return "site-packages" in file or not file.startswith(str(root))


class _MutantFinder(importlib.abc.MetaPathFinder):
    """Import finder for one mutated file. It compiles the module from another source."""

    def __init__(self, file: Path, source: str) -> None:
        self._file, self._source = str(file), source

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.origin != self._file:
            return None
        loader = _Loader(name, self._file)
        loader.mutated = self._source
        return importlib.util.spec_from_file_location(
            name, self._file, loader=loader, submodule_search_locations=spec.submodule_search_locations
        )


class _Loader(importlib.machinery.SourceFileLoader):
    mutated: str

    def get_code(self, fullname: str) -> types.CodeType:
        return compile(self.mutated, self.get_filename(fullname), "exec", dont_inherit=True)


class Repeatable:
    """Drawn examples are the same in every process, without a data base and without making a failing one small."""

    def pytest_configure(self) -> None:
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile(
            "mutants",
            derandomize=True,
            database=None,
            deadline=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        )
        settings.load_profile("mutants")


class _Chosen:
    """Runner of chosen tests, in their order. A test that runs far beyond its time ends the process."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds
        self.failed: str | None = None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        there = {item.nodeid: item for item in items}
        items[:] = [there[test] for test in self._seconds if test in there]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        signal.setitimer(signal.ITIMER_PROF, TEST + FACTOR * self._seconds[item.nodeid])
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self.failed is None:
            self.failed = report.nodeid

    def pytest_sessionfinish(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)


class _Recorder:
    """Each test is a context of its own; what is executed on import has none."""

    def __init__(self, measured: Any) -> None:
        self._measured = measured
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._measured.switch_context(item.nodeid)
        begin = time.process_time()
        result = yield
        self.seconds[item.nodeid] = time.process_time() - begin
        self._measured.switch_context("")
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)
