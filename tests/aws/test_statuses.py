"""Statuses that code compares or event patterns match, beside the enumerations of botocore."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

from sustainable_mlops.aws.statuses import STATUSES
from sustainable_mlops.jobs.pipelines.record import PipelineRecord

ROOT = Path(__file__).resolve().parents[2]
#: Fields of events that have another name in the API.
_EVENT_FIELDS = {"currentPipelineExecutionStatus": "PipelineExecutionStatus"}
#: Fields that code compares with only some of their values, each with the reason.
_READ_IN_PART = {
    "ModelApprovalStatus": "a decision of a person, without an end",
    "Status": "many enumerations have this field",
}


@cache
def _load_shapes() -> dict[str, Any]:
    shapes: dict[str, Any] = Loader().load_service_model("sagemaker", "service-2")["shapes"]
    return shapes


def _list_values(enumeration: str) -> set[str]:
    return set(_load_shapes()[enumeration]["enum"])


@cache
def _list_enumerations(field: str) -> dict[str, frozenset[str]]:
    """Return the values of each enumeration that is the type of a field with this name."""
    shapes = _load_shapes()
    names = {
        member["shape"]
        for shape in shapes.values()
        for name, member in shape.get("members", {}).items()
        if name == field and "enum" in shapes[member["shape"]]
    }
    return {name: frozenset(shapes[name]["enum"]) for name in names}


def test_each_value_of_an_enumeration_has_a_meaning() -> None:
    for enumeration, statuses in STATUSES.items():
        values = [value for group in statuses for value in group]
        assert len(values) == len(set(values)), f"{enumeration}: a value has two meanings"
        unhandled = _list_values(enumeration) - set(values)
        assert not unhandled, f"{enumeration}: add {sorted(unhandled)} to aws/statuses.py, and check its readers"
        assert set(values) <= _list_values(enumeration), f"{enumeration}: SageMaker has no such value"


def _find_patterns() -> Iterator[tuple[Path, str, list[str]]]:
    """Yield each list of statuses in the event patterns of the modules' HCL, with its field."""
    files = sorted((ROOT / "modules").glob("*/*.tf"))
    for file in files:
        for field, items in re.findall(r"^\s*(\w*Status)\s*=\s*\[([^\]]*)\]", file.read_text(), re.MULTILINE):
            if values := re.findall(r'"(\w+)"', items):
                yield file, field, values


def test_patterns_match_every_status_of_a_failure() -> None:
    patterns = list(_find_patterns())
    assert len(patterns) >= 8
    for file, field, values in patterns:
        enumeration = _EVENT_FIELDS.get(field, field)
        place = f"{file.relative_to(ROOT)}: {field}"
        # Events of endpoints contain ROLLING_BACK for RollingBack.
        known = {value.replace("_", "").lower(): value for value in _list_values(enumeration)}
        matched = {known.get(value.replace("_", "").lower(), value) for value in values}
        assert matched <= _list_values(enumeration), f"{place} matches a value that SageMaker does not have"
        if enumeration in STATUSES and matched & set(STATUSES[enumeration].failed):
            missing = set(STATUSES[enumeration].failed) - matched
            assert not missing, f"{place} misses {sorted(missing)}"


def _read_field(node: ast.expr) -> str | None:
    """Return the constant key of `x["KEY"]` or `x.get("KEY")`, if it may be a status."""
    match node:
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            return key if key.endswith("Status") else None
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(key)), *_]):
            return key if key.endswith("Status") else None
    return None


def _find_comparisons() -> Iterator[tuple[str, str, list[str]]]:
    """Yield the place, the field and the literals of each comparison with a status of a response."""
    folders = ("sustainable_mlops", "clone", "modules", "envs", "tools", "workloads")
    for file in (file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Compare) and (field := _read_field(node.left)) is not None:
                literals = [
                    one.value
                    for one in ast.walk(node.comparators[0])
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                ]
                literals = [one for one in literals if one not in STATUSES]
                yield f"{file.relative_to(ROOT)}:{node.lineno}", field, literals


def test_compared_statuses_exist_and_their_enumerations_are_complete() -> None:
    comparisons = list(_find_comparisons())
    assert len(comparisons) >= 15
    for place, field, literals in comparisons:
        enumerations = _list_enumerations(field)
        if not enumerations:
            continue  # a field of another service or of a file
        if field not in _READ_IN_PART:
            missing = enumerations.keys() - STATUSES.keys()
            assert not missing, f"{place}: add {sorted(missing)} to aws/statuses.py"
        known = frozenset[str]().union(*enumerations.values())
        if field != "Status":  # many services have this field
            assert set(literals) <= known, f"{place}: {field} is never {sorted(set(literals) - known)}"


def test_only_a_final_status_ends_the_wait_for_an_execution() -> None:
    for status in _list_values("PipelineExecutionStatus"):
        record = PipelineRecord(
            workload="w",
            environment="dev",
            region="eu-north-1",
            pipeline="p",
            execution_arn="arn:aws:sagemaker:eu-north-1:123456789012:pipeline/p/execution/e",
            status=status,
            launched_at=datetime.now(UTC),
        )
        assert record.is_ended == (status not in ("Executing", "Stopping")), status
