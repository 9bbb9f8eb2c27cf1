"""Print the results of the adversarial cases by cause.

`python -m tests.review.adversarial [--faults] [--set second_set] [--only TEXT]`
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.review.adversarial.cases import CAUSES, EVERYDAY, SECOND_SET
from tests.review.adversarial.results import Fault, Result, review_cases


def main() -> None:
    """Plan and review all cases, and print the counts; with `--faults` also each fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.review.adversarial")
    parser.add_argument("--faults", action="store_true", help="print each fault, too")
    parser.add_argument("--set", choices=[SECOND_SET], help="only the cases of this set")
    parser.add_argument("--only", default="", help="only the cases with this text in their name")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        results = review_cases(
            Path(folder), lambda case: (case.is_second or not options.set) and options.only in str(case)
        )
    print(render_counts(results))
    if options.faults:
        print("\n" + "\n".join(map(describe, filter(lambda result: result.fault, results))))


def render_counts(results: Sequence[Result]) -> str:
    """Return a table of the results by cause."""
    misses = (Fault.WRONG_FINE, Fault.TOO_MILD, Fault.OTHER_REASON)
    rows: list[tuple[object, ...]] = [("", "changes", "right", *misses, "must be fine", Fault.FALSE_ALARM)]
    for cause in (*CAUSES, EVERYDAY, ""):
        part = [result for result in results if cause in ("", result.case.cause)]
        changes = [result.fault for result in part if not result.must_be_fine]
        alarms = [result.fault for result in part if result.must_be_fine]
        counts = [len(changes), changes.count(None), *map(changes.count, misses)]
        rows.append((cause.replace("_", " ") or "all", *counts, len(alarms), alarms.count(Fault.FALSE_ALARM)))
    return "\n".join(f"{title:<24}{''.join(f'{cell:>16}' for cell in cells)}" for title, *cells in rows)


def describe(result: Result) -> str:
    """Return one line about a fault."""
    expected = "fine" if result.must_be_fine else result.case.verdict
    reason = " | ".join(dict.fromkeys(result.reasons)) or "no reason"
    return f"{result}: expected {expected}, verdict {result.verdict}, {result.fault}: {reason}"


if __name__ == "__main__":
    main()
