"""Runs tests against mutants: each in a forked process of its own, which imports one module from a mutated source.

The parent never imports what is measured, only what that needs; a child therefore starts with everything but the
library and the tests, and nothing is written into the tree.
"""

import contextlib
import gc
import importlib
import json
import os
import resource
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

#: Seconds that a child may take beyond what its tests took before, times the factor: it may share its processor.
PATIENCE, FACTOR = 300.0, 20
#: Seconds of processor time: files whose tests take less on average are asked first.
QUICK = 0.02
#: Bytes that a mutant may allocate.
MEMORY = 4 << 30


class Mutation(NamedTuple):
    """A module's source as changed, and the lines of the statement that was."""

    file: str  # relative to the root
    first_line: int
    last_line: int
    source: str


class MutantOutcome(NamedTuple):
    """The outcome of a mutant: "killed", "timeout" or "survived", and the test that killed it."""

    state: str
    killed_by: str | None = None


@dataclass(slots=True)
class Recording:
    """A run of the tests without mutants: their times, and the lines that each executes."""

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
        """The tests that could see a mutation, those first that most likely and soonest do.

        What is executed where a file of tests is imported may be seen by all of them, and first by those that execute
        more of the mutated file. What a test executes may be kept for the others of its file, which come last.
        """
        lines = range(mutation.first_line, mutation.last_line + 1)
        here, imports = self.tests.get(mutation.file, {}), self.importing.get(mutation.file, {})
        direct = set().union(*(here.get(line, ()) for line in lines))
        imported = set().union(*(imports.get(line, ()) for line in lines))
        if imported:
            direct = {test for tests in here.values() for test in tests if _file(test) in imported} | direct
        files = {_file(test) for test in direct} | imported
        by_file: dict[str, list[str]] = {}
        for test in sorted(direct, key=lambda test: self.seconds[test]):
            by_file.setdefault(_file(test), []).append(test)
        package = Path(mutation.file).parent.name
        near = sorted(by_file, key=lambda file: (not self._is_quick(by_file[file]), package not in file, file))[:2]
        first = [test for file in near for test in by_file[file]]
        later = sorted(direct.difference(first), key=lambda test: self.seconds[test])
        rest = {test for test in self.seconds if _file(test) in files}.difference(direct)
        yield from (batch for batch in (first, later, sorted(rest, key=lambda test: self.seconds[test])) if batch)

    def _is_quick(self, tests: list[str]) -> bool:
        return sum(self.seconds[test] for test in tests) < QUICK * len(tests)


def _file(test: str) -> str:
    return test.partition("::")[0]


def record(
    root: Path, files: Iterable[str], sources: list[str], marks: str, pool: "Pool"
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Runs the tests' files, without what `marks` leaves out, and tells by file what executes which lines of `sources`.

    `sources` are patterns of files as coverage takes them. Each file has a process of its own, so that what it executes
    does not depend on what other files' tests have put into caches.
    """
    tasks: dict[str, Callable[[], Any]] = {file: partial(plugin.record, root, file, sources, marks) for file in files}
    for file, part in pool.run(tasks, dict.fromkeys(tasks, float("inf"))):
        if part is None:
            raise RuntimeError(f"{file}: its tests ended without a result")
        for module in part.pop("modules"):
            with contextlib.suppress(Exception):
                importlib.import_module(module)  # so that the next process need not
        yield file, part


def judge(
    root: Path, mutations: dict[str, Mutation], recording: Recording, pool: "Pool"
) -> Iterator[tuple[str, MutantOutcome]]:
    """Yield the name and the outcome of each mutation, in the order of completion."""
    gc.freeze()  # a process that collects what it shares with its parent copies it
    waiting = {name: recording.batches(mutation) for name, mutation in mutations.items()}
    tasks: dict[str, Callable[[], Any]] = {}
    limits: dict[str, float] = {}

    def next_batch(name: str) -> bool:
        batch = next(waiting[name], None)
        if batch is None:
            return False
        seconds = {test: recording.seconds[test] for test in batch}
        tasks[name] = partial(plugin.kill, root, mutations[name], seconds)
        limits[name] = PATIENCE + FACTOR * sum(seconds.values())
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
    """A few forked processes at a time, with temporary folders of their own; whatever happens, none is left behind."""

    def __init__(self, workers: int = 2) -> None:
        self._workers = workers
        self._running: dict[int, tuple[str, Path, float]] = {}

    def run(self, tasks: dict[str, Callable[[], Any]], limits: dict[str, float]) -> Iterator[tuple[str, Any]]:
        """Each task's result as JSON keeps it, or None where it was ended or took longer than its limit in seconds.

        A task that is put in again while its result is being used is run again.
        """
        folder = Path(tempfile.mkdtemp(prefix="mutants-"))
        try:
            while tasks or self._running:
                while tasks and len(self._running) < self._workers:
                    name = next(iter(tasks))
                    self._start(name, tasks.pop(name), folder, limits[name])
                for name, output in self._ended():
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

    def _ended(self) -> Iterator[tuple[str, Path]]:
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


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
