"""Random faults in an apply, a launch, a pipeline and a promotion: the documented command completes each of them.

python -m tests.account.chaos --count 50 --seed 7
python -m tests.account.chaos --case 1234567
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

from tests.account.chaos.case import Result
from tests.account.chaos.run import run_cases
from tests.account.chaos.table import draw_seeds, format_table


def describe(result: Result) -> str:
    """Return a case and its result in one line."""
    reached = "" if result.is_reached else " (not reached)"
    state = "converged" if result.converged and not result.problem else f"FAILED: {result.problem}"
    fault = f"{result.kind:27} {result.step} {result.request} +{result.skip}{reached}"
    commands = ", then ".join(result.commands) or "no command"
    return f"seed {result.seed:10} {result.operation:9} {fault}: exit code {result.code}; {commands}; {state}"


def main() -> int:
    """Print each case with its seed, the table, and a summary as JSON. Return 1 if a case did not converge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))  # noqa: S311 no secret
    parser.add_argument("--case", type=int, action="append", help="seed of one case; repeat it for more")
    parser.add_argument("--write", type=Path, help="file for the results as JSON")
    options = parser.parse_args()
    seeds = options.case or draw_seeds(options.seed, options.count)
    print(f"seed {options.seed}", flush=True)
    results, started_at = [], time.monotonic()
    for result in run_cases(seeds):
        results.append(result)
        print(f"{len(results):3} {describe(result)}", flush=True)
    converged = [one for one in results if one.converged and not one.problem]
    summary = {
        "seed": options.seed,
        "cases": len(results),
        "converged": len(converged),
        "faults_reached": sum(one.is_reached for one in results),
        "by_operation": dict(Counter(one.operation for one in converged)),
        "by_kind": dict(Counter(one.kind for one in converged)),
        "with_a_command": sum(bool(one.commands) for one in results),
        "seconds": round(time.monotonic() - started_at),
        "failed_seeds": [one.seed for one in results if one not in converged],
    }
    if options.write:
        options.write.write_text(
            json.dumps({"summary": summary, "cases": [one.to_dict() for one in results]}, indent=2)
        )
    print("", *format_table(results), "", json.dumps(summary, indent=2), sep="\n")
    return 0 if len(converged) == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
