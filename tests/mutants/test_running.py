"""A mutant that a test looks at is killed, one that none looks at survives, and the tree stays as it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.mutation import Mutation
from tests.mutants.running import Recording

AREA = """\
LIMIT = 3


def area(width: int, height: int) -> int:
    return width * height


def steps(until: int) -> int:
    done = 0
    while done < until:
        done = done + 1
    return done


def depth(area: int) -> int:
    return area * LIMIT
"""
TESTS = """\
from area import LIMIT, area, depth, steps


def test_area() -> None:
    assert area(3, 4) == 12


def test_steps() -> None:
    assert steps(5) == 5


def test_depth() -> None:
    depth(2)


def test_limit() -> None:
    assert LIMIT == 3
"""
#: Runs in a process that has not imported what is mutated.
CLASSIFY = """\
import json, sys
from pathlib import Path
from tests.mutants import plugin, running
from tests.mutants.mutation import Mutation

root, mutations, seconds, tests, importing = json.load(sys.stdin)
plugin.TEST = 1.0
recording = running.Recording(seconds, *({f: {int(l): set(t) for l, t in at.items()} for f, at in part.items()}
    for part in (tests, importing)))
mutations = {name: Mutation(*one) for name, one in mutations.items()}
print(json.dumps(dict(running.classify_mutations(Path(root), mutations, recording, running.Pool()))))
"""


def changed(line: int, text: str) -> Mutation:
    lines = AREA.splitlines()
    lines[line - 1] = text
    return Mutation("area.py", line, line, "\n".join(lines))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Write a library of one module, and its tests."""
    (tmp_path / "area.py").write_text(AREA)
    (tmp_path / "test_area.py").write_text(TESTS)
    return tmp_path


@pytest.mark.slow
def test_a_mutant_is_killed_times_out_or_survives_and_the_tree_is_unchanged(small: Path, root: Path) -> None:
    mutations = {
        "noticed": changed(5, "    return width + height"),
        "endless": changed(11, "        done = done - 1"),
        "executed alone": changed(16, "    return area + LIMIT"),
        "noticed where it is imported": changed(1, "LIMIT = 4"),
        "not imported": changed(4, "def area(width: int, height: int) -> "),
        "reached by no test": changed(9, "    done = 1"),
    }
    tests = {name: f"test_area.py::test_{name}" for name in ("area", "steps", "depth", "limit")}
    lines = {5: [tests["area"]], 11: [tests["steps"]], 16: [tests["depth"]]}
    arguments = (str(small), mutations, dict.fromkeys(tests.values(), 0.01), {"area.py": lines})
    importing = {"area.py": {1: ["test_area.py"], 4: ["test_area.py"]}}
    command = [sys.executable, "-c", CLASSIFY]
    process = subprocess.run(
        command, input=json.dumps([*arguments, importing]), capture_output=True, text=True, cwd=root, check=True
    )
    assert json.loads(process.stdout) == {
        "noticed": ["killed", tests["area"]],
        "endless": ["timeout", None],
        "executed alone": ["survived", None],
        "noticed where it is imported": ["killed", tests["limit"]],
        "not imported": ["killed", "collection"],
        "reached by no test": ["survived", None],
    }
    assert (small / "area.py").read_text() == AREA
    assert sorted(path.name for path in small.iterdir()) == ["area.py", "test_area.py"]


def test_tests_that_execute_a_line_come_first_and_the_rest_of_their_files_after_them() -> None:
    a, b, c, d = "one.py::a", "one.py::b", "two.py::c", "three.py::d"
    recording = Recording({a: 2.0, b: 0.1, c: 1.0, d: 0.5}, {"area.py": {5: {a, c}, 6: {d}}}, {})
    assert list(recording.batches(Mutation("area.py", 5, 5, ""))) == [[a, c], [b]]


def test_what_is_executed_on_import_is_seen_by_all_tests_of_the_importing_files() -> None:
    a, b, c = "one.py::a", "one.py::b", "two.py::c"
    recording = Recording({a: 2.0, b: 0.1, c: 1.0}, {"area.py": {5: {a}}}, {"area.py": {1: {"one.py"}}})
    assert list(recording.batches(Mutation("area.py", 1, 1, ""))) == [[a], [b]]
