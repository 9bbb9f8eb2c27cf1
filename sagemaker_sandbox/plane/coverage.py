"""The page that says what each operation does here, written from the registry.

`python -m sagemaker_sandbox.plane.coverage`, and `--check` to exit 1 where it is stale.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from sagemaker_sandbox.parts.handlers import SupportLevel
from sagemaker_sandbox.plane.moto_operations import MOTO_OPERATIONS
from sagemaker_sandbox.plane.registry import OPERATIONS, SERVICES, Operation
from sustainable_mlops.terraform import ROOT

PAGE = ROOT / "docs" / "sandbox.md"
MOTO_TESTS = ROOT / "tests" / "sandbox" / "moto_suite" / "failing.yaml"
COMMAND = "python -m sagemaker_sandbox.plane.coverage"

#: What the page says before its tables.
_ABOUT = Path(__file__).with_name("about.md")


def page() -> str:
    """The page `docs/sandbox.md`."""
    made = f"<!-- Written by `{COMMAND}` from the registry of the sandbox's parts, and about.md beside it. -->"
    return "\n".join(
        [
            made,
            _ABOUT.read_text(encoding="utf-8"),
            *_counts(),
            *_moto_tests(),
            *_behaving(),
            *_recorded(),
            *_refused(),
            "",
        ]
    )


def _counts() -> Iterator[str]:
    yield f"| service | operations | {' | '.join(SupportLevel)} |"
    yield f"|---|---:|{'---:|' * len(SupportLevel)}"
    for service in SERVICES:
        found = [one for one in OPERATIONS.operations.values() if one.service == service]
        counts = [str(sum(one.support.level is does for one in found)) for does in SupportLevel]
        yield f"| {service} | {len(found)} | {' | '.join(counts)} |"


def moto_tests() -> dict[str, Any]:
    """How many of moto's own tests `run`, and which are `failing`: file to groups of tests with one reason."""
    found: dict[str, Any] = yaml.safe_load(MOTO_TESTS.read_text(encoding="utf-8"))
    return found


def _moto_tests() -> Iterator[str]:
    found = moto_tests()
    why: Counter[str] = Counter()
    for groups in found["failing"].values():
        for group in groups:
            why[group["reason"]] += len(group["tests"])
    passing = found["run"] - why.total()
    yield from (
        "",
        "moto's own tests of SageMaker and application autoscaling, which nobody here wrote, run against the sandbox.",
    )
    yield f"What fails is listed in `{MOTO_TESTS.relative_to(ROOT)}`, each with why and AWS's page that says so."
    yield from (
        "",
        "| moto's tests | pass | moto takes what AWS refuses | moto differs from AWS | other words |",
    )
    yield "|---:|---:|---:|---:|---:|"
    reasons = ("lax", "moto_differs", "wording")
    yield f"| {' | '.join(str(count) for count in (found['run'], passing, *(why[reason] for reason in reasons)))} |"


def _behaving() -> Iterator[str]:
    yield from ("", "## Behaves", "", "| what | operations |", "|---|---|")
    by_part: dict[str, list[Operation]] = defaultdict(list)
    for one in _all(SupportLevel.EMULATED):
        assert one.part is not None
        by_part[getattr(one.part, "noun", one.part.__name__.lower())].append(one)
    for what, operations in by_part.items():
        yield f"| {what} | {_names(operations)} |"


def _recorded() -> Iterator[str]:
    yield from ("", "## Recorded only", "", "| operations | what does not follow |", "|---|---|")
    named = {name: group for group in MOTO_OPERATIONS for name in group.operations}
    done: set[int] = set()
    for one in _all(SupportLevel.RECORDED):
        group = named.get(one.name) if one.part is None else None
        if group is None:
            yield f"| {one.name} | {one.support.note} |"
        elif id(group) not in done:
            done.add(id(group))
            yield f"| {', '.join(group.operations)} | {group.note} |"


def _refused() -> Iterator[str]:
    yield from ("", "## Refused", "", "| why, and what to do instead | operations |", "|---|---|")
    by_reason: dict[str, list[Operation]] = defaultdict(list)
    for one in _all(SupportLevel.REFUSED):
        by_reason[one.support.note].append(one)
    for reason, operations in by_reason.items():
        yield f"| {reason} | {_names(operations)} |"


def _all(does: SupportLevel) -> list[Operation]:
    return [one for one in OPERATIONS.operations.values() if one.support.level is does]


def _names(operations: Iterable[Operation]) -> str:
    return ", ".join(one.name for one in operations)


def main() -> None:
    """Write the page, or check it."""
    if sys.argv[1:] == ["--check"]:
        if not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page():
            print(f"{PAGE.relative_to(ROOT)} is stale: run {COMMAND}", file=sys.stderr)
            raise SystemExit(1)
        return
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
