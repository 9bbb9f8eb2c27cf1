"""Interruption of launches at random moments: the printed command continues the launch and starts nothing twice.

python -m tests.jobs.interrupts --moments 50 --seed 7
"""

import argparse
import functools
import random
import signal
import tempfile
import time
from pathlib import Path

from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.terraform import ROOT
from tests.jobs.bench import Bench, make_bench
from tests.jobs.faulty import (
    CONTINUE_PREFIX,
    LAUNCHERS,
    CompletedCommand,
    Launcher,
    get_hold_file,
    run_smlops,
    write_jobs,
)

#: Exit code after Ctrl-C.
INTERRUPTED = 130
#: Seconds until Ctrl-C is repeated, and maximum seconds of a launch on a busy computer.
_REPEAT_SECONDS, _MAX_SECONDS = 60.0, 600.0


def interrupt(bench: Bench, launcher: Launcher, share: float) -> CompletedCommand:
    """Interrupt a launch after `share` of its usual duration, then run the printed command to its end.

    Returns the interrupted command. Raises AssertionError if the command is not printed, or if anything was started
    twice.
    """
    write_jobs(bench)
    get_hold_file(bench).touch()
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    timer = functools.partial(signal.setitimer, signal.ITIMER_REAL)
    try:
        # Repeat Ctrl-C: Python loses it inside a destructor.
        interrupted = run_smlops(
            bench, *launcher.words, first=lambda: timer(max(share * _SECONDS[launcher], 0.001), _REPEAT_SECONDS)
        )
        timer(_MAX_SECONDS)
        assert interrupted.code == INTERRUPTED, interrupted.err
        has_command = CONTINUE_PREFIX in interrupted.err
        assert has_command or not launcher.list_launched(bench), interrupted.err
        get_hold_file(bench).unlink()
        continued = run_smlops(bench, *(interrupted.command if has_command else launcher.words))
    finally:
        timer(0)
    assert continued.code == 0, interrupted.err + continued.err
    assert len(launcher.list_launched(bench)) == 1, interrupted.err
    return interrupted


_SECONDS: dict[Launcher, float] = {}


def measure(bench: Bench, launcher: Launcher) -> None:
    """Measure the seconds of a launch until its first read of the status."""
    write_jobs(bench)
    assert run_smlops(bench, *launcher.words, "--dry-run").code == 0  # fills the caches that both launches use
    started_at = time.monotonic()
    assert run_smlops(bench, *launcher.words, "--no-wait").code == 0
    _SECONDS[launcher] = time.monotonic() - started_at


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=50, help="number of moments for each job kind")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))  # noqa: S311 - no secret
    options = parser.parse_args()
    random_source = random.Random(options.seed)  # noqa: S311 - no secret
    print(f"seed {options.seed}")
    with Sandbox.start(log=Path(tempfile.mkdtemp()) / "log") as sandbox:
        for kind, launcher in LAUNCHERS.items():
            measure(make_bench(sandbox, ROOT, Path(tempfile.mkdtemp())), launcher)
            for _ in range(options.moments):
                bench, share = make_bench(sandbox, ROOT, Path(tempfile.mkdtemp())), random_source.uniform(0, 1.3)
                last_line = interrupt(bench, launcher, share).err.splitlines()[-1]
                print(f"{kind} at {share:.2f}: {last_line.replace(bench.name, '…')}", flush=True)


if __name__ == "__main__":
    _main()
