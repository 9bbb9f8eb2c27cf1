"""Runs of tests against mutants. Each runs in a forked process, which imports one module from a mutated source.

The parent imports only the dependencies of the measured modules, so a child starts with all imports except the library
and the tests. Nothing is written into the tree.
"""

import contextlib
import gc
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self

from tests.mutants import plugin
from tests.mutants.mutation import Mutation

#: Timeout of a child: these seconds plus the recorded time of its tests times the factor. It shares a processor.
TIMEOUT_SECONDS, FACTOR = 300.0, 20
#: Seconds of processor time. Files whose tests take less on average run first.
QUICK = 0.02


class MutantOutcome(NamedTuple):
    """The outcome of a mutant: "killed", "timeout" or "survived", and the test that killed it."""

    state: str
    killed_by: str | None = None


@dataclass(slots=True)
class Recording:
    """Times and executed lines of the tests in a run without mutants."""

    seconds: dict[str, float] = field(default_factory=dict)  # of processor time, by test
    #: By file and line: the tests that execute it, and the tests' files that do so on import.
    tests: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    importing: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, parts: Iterable[tuple[str, dict[str, Any]]]) -> Self:
        recording = cls()
        for file, part in parts:
            recording._add(file, part)
        return recording

    def _add(self, file: str, part: dict[str, Any]) -> None:
        self.seconds |= part["seconds"]
        self.failed += part["failed"]
        for source, lines in part["lines"].items():
            for line, tests in lines.items():
                self.tests.setdefault(source, {}).setdefault(int(line), set()).update(test for test in tests if test)
                if "" in tests:
                    self.importing.setdefault(source, {}).setdefault(int(line), set()).add(file)

    def batches(self, mutation: Mutation) -> Iterator[list[str]]:
        """Yield the tests that may detect a mutation, the fastest and most probable first.

        If the import of a test file executes the mutated lines, all its tests may detect the mutation, first those that
        execute other lines of the mutated file. The other tests of a file come last: they may use cached results.
        """
        lines = range(mutation.first_line, mutation.last_line + 1)
        here, imports = self.tests.get(mutation.file, {}), self.importing.get(mutation.file, {})
        direct = set().union(*(here.get(line, ()) for line in lines))
        imported = set().union(*(imports.get(line, ()) for line in lines))
        if imported:
            direct = {test for tests in here.values() for test in tests if _get_file(test) in imported} | direct
        files = {_get_file(test) for test in direct} | imported
        by_file: dict[str, list[str]] = {}
        for test in sorted(direct, key=lambda test: self.seconds[test]):
            by_file.setdefault(_get_file(test), []).append(test)
        package = Path(mutation.file).parent.name
        near = sorted(by_file, key=lambda file: (not self._is_quick(by_file[file]), package not in file, file))[:2]
        first = [test for file in near for test in by_file[file]]
        later = sorted(direct.difference(first), key=lambda test: self.seconds[test])
        rest = {test for test in self.seconds if _get_file(test) in files}.difference(direct)
        yield from (batch for batch in (first, later, sorted(rest, key=lambda test: self.seconds[test])) if batch)

    def _is_quick(self, tests: list[str]) -> bool:
        return sum(self.seconds[test] for test in tests) < QUICK * len(tests)


def _get_file(test: str) -> str:
    return test.partition("::")[0]


def record(
    root: Path, files: Iterable[str], sources: list[str], marks: str, pool: "Pool"
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Run the test files, and yield the lines of `sources` that each one executes.

    `sources` are file patterns of coverage; `marks` is a mark expression of pytest. Each file runs in its own process,
    so that caches of other tests do not change its executed lines.
    """
    tasks: dict[str, Callable[[], Any]] = {file: partial(plugin.record, root, file, sources, marks) for file in files}
    for file, part in pool.run(tasks, dict.fromkeys(tasks, float("inf"))):
        if part is None:
            raise RuntimeError(f"{file}: its tests ended without a result")
        for module in part.pop("modules"):
            with contextlib.suppress(Exception):
                importlib.import_module(module)  # so that the next process need not
        yield file, part


def classify_mutations(
    root: Path, mutations: dict[str, Mutation], recording: Recording, pool: "Pool"
) -> Iterator[tuple[str, MutantOutcome]]:
    """Yield the name and the outcome of each mutation, in the order of completion."""
    gc.freeze()  # garbage collection would copy the memory that a child shares with its parent
    waiting = {name: recording.batches(mutation) for name, mutation in mutations.items()}
    tasks: dict[str, Callable[[], Any]] = {}
    limits: dict[str, float] = {}

    def next_batch(name: str) -> bool:
        batch = next(waiting[name], None)
        if batch is None:
            return False
        seconds = {test: recording.seconds[test] for test in batch}
        tasks[name] = partial(plugin.kill, root, mutations[name], seconds)
        limits[name] = TIMEOUT_SECONDS + FACTOR * sum(seconds.values())
        return True

    untested = [name for name in mutations if not next_batch(name)]
    yield from ((name, MutantOutcome("survived")) for name in untested)
    for name, result in pool.run(tasks, limits):
        if result is None:
            yield name, MutantOutcome("timeout")
        elif result["killed_by"] is not None:
            yield name, MutantOutcome("killed", result["killed_by"])
        elif not next_batch(name):
            yield name, MutantOutcome("survived")


class Pool:
    """Pool of forked processes with their own temporary folders. It ends all of them in any case."""

    def __init__(self, workers: int = 2) -> None:
        self._workers = workers
        self._running: dict[int, tuple[str, Path, float]] = {}

    def run(self, tasks: dict[str, Callable[[], Any]], limits: dict[str, float]) -> Iterator[tuple[str, Any]]:
        """Yield the JSON result of each task, or None if it was ended or exceeded its limit in seconds.

        The caller may add a task again while it processes the result.
        """
        folder = Path(tempfile.mkdtemp(prefix="mutants-"))
        try:
            while tasks or self._running:
                while tasks and len(self._running) < self._workers:
                    name = next(iter(tasks))
                    self._start(name, tasks.pop(name), folder, limits[name])
                for name, output in self._list_ended():
                    result = json.loads(output.read_text()) if output.exists() else {"done": None}
                    if "error" in result:
                        raise RuntimeError(f"{name}: {result['error']}")
                    yield name, result["done"]
                time.sleep(0.01)
        finally:
            for pid in self._running:
                _end(pid)
            self._running.clear()
            shutil.rmtree(folder, ignore_errors=True)

    def _start(self, name: str, task: Callable[[], Any], folder: Path, limit: float) -> None:
        scratch = Path(tempfile.mkdtemp(dir=folder))
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            self._running[pid] = (name, scratch / "result", time.monotonic() + limit)
            return
        try:
            os.setsid()
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            for stream in (1, 2):
                os.dup2(os.open(scratch / f"stream{stream}", os.O_CREAT | os.O_WRONLY), stream)
            os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)
            try:
                result = {"done": task()}
            except BaseException as error:
                result = {"error": repr(error)}
            (scratch / "part").write_text(json.dumps(result))
            (scratch / "part").rename(scratch / "result")
        finally:
            os._exit(0)

    def _list_ended(self) -> Iterator[tuple[str, Path]]:
        for pid, (name, output, until) in list(self._running.items()):
            if time.monotonic() > until:
                _end(pid)
            elif os.waitpid(pid, os.WNOHANG)[0] == 0:
                continue
            del self._running[pid]
            yield name, output


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
