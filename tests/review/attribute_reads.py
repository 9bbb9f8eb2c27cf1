"""Trace the attributes that rules and the footprint model read: `.venv/bin/python -m tests.review.attribute_reads`.

The command writes `review/attribute_changes/read_attributes.csv`, from the plans of the rules' cases and those in
`tests/field`.
"""

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sustainable_mlops import review, rules
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.footprint.plan_footprint import estimate_plan
from sustainable_mlops.plan import Plan, load
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.values import Block, split_path
from tests.rules.case_tables import list_rows

FILE = Path(review.__file__).parent / "attribute_changes" / "read_attributes.csv"
#: Attributes without meaning for a change: identity and labels.
_IGNORED = frozenset({"arn", "id", "tags", "tags_all", "name", "region"})


class _Trace:
    """The paths that are read, by type of resource."""

    def __init__(self, plan: Plan) -> None:
        self.paths: set[tuple[str, str]] = set()
        self._places: dict[int, tuple[str, str]] = {}
        for resource in plan.resources:
            if resource.mode == "managed":
                for values in (resource.old.values, resource.new.values):
                    self._index(values, resource.type, "")

    def _index(self, value: Any, type_: str, path: str) -> None:
        """Record the location of each container, because blocks do not contain their resource."""
        if isinstance(value, dict):
            self._places[id(value)] = type_, path
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in items:
            self._index(inner, type_, f"{path}.{key}")

    def record(self, values: Any, path: Any, value: Any) -> None:
        """Add a read of a value that a resource sets. Relations look for IDs that most types do not have."""
        if id(values) in self._places and value is not None:
            type_, outer = self._places[id(values)]
            names = [part for part in (*outer.split("."), *map(str, split_path(path))) if part and not part.isdecimal()]
            if names and names[0] not in _IGNORED:
                self.paths.add((type_, ".".join(names)))


@contextmanager
def _trace_reads(trace: _Trace) -> Iterator[None]:
    block_get, resource_get = Block.get, Resource.get

    def get_of_block(self: Block, path: Any, default: Any = None) -> Any:
        value = block_get(self, path)
        trace.record(self.values, path, value)
        return default if value is None else value

    def get_of_resource(self: Resource, path: Any, default: Any = None, *, before: bool = False) -> Any:
        value = resource_get(self, path, before=before)
        trace.record(self.get_values(before=before).values, path, value)
        return default if value is None else value

    Block.get, Resource.get = get_of_block, get_of_resource  # type: ignore[method-assign]
    try:
        yield
    finally:
        Block.get, Resource.get = block_get, resource_get  # type: ignore[method-assign]


def list_read_attributes() -> list[tuple[str, str]]:
    """Return the type and path of each attribute that a rule or the footprint model reads, sorted."""
    reads: set[tuple[str, str]] = set()
    for plan in _list_plans():
        trace = _Trace(plan)
        readers: tuple[Callable[[Plan], object], ...] = (rules.evaluate, estimate_plan)
        with _trace_reads(trace):
            for read in readers:
                read(plan)
        reads |= trace.paths
    # A block is read as a whole only if no attribute inside it is.
    outer = {(type_, path[: -len(path.rpartition(".")[2]) - 1]) for type_, path in reads}
    return sorted(reads - outer)


def _list_plans() -> Iterator[Plan]:
    for row in list_rows("pass", "fail", "unknown", "not_applicable"):
        yield row.case.plan()
    for file in sorted((ROOT / "tests" / "field").glob("*/plan.json")):
        yield load(file.read_bytes())


def render_table() -> str:
    """Return the content of the CSV file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("type", "path"))
    writer.writerows(list_read_attributes())
    return text.getvalue()


if __name__ == "__main__":
    FILE.write_text(render_table())
