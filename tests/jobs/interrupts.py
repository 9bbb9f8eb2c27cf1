"""Interrupt launches at random moments, and see that the command that each names goes on, and starts nothing twice.

`python -m tests.jobs.interrupts --moments 50 --seed 7`
"""

import argparse
import functools
import random
import signal
import tempfile
import time
from pathlib import Path

from sagemaker_sandbox import Sandbox
from sustainable_mlops.terraform import ROOT
from tests.jobs.bench import Bench, make_bench
from tests.jobs.faulty import LAUNCHERS, TO_GO_ON, Done, Launcher, hold, smlops, write_jobs

#: Ctrl-C by hand.
INTERRUPTED = 130
#: Seconds after which it is pressed again, and that a launch may take to its end, on a machine with much else to do.
_AGAIN, _LONGEST = 60.0, 600.0


def interrupt(bench: Bench, launcher: Launcher, share: float) -> Done:
    """Launch what waits, interrupted after this share of what a launch takes; then do what it says to its end.

    Returns how it was interrupted. Raises AssertionError where that is not told, or anything was started twice.
    """
    write_jobs(bench)
    hold(bench).touch()
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    timer = functools.partial(signal.setitimer, signal.ITIMER_REAL)
    try:
        # Pressed again where Python lost it, as it does in a destructor.
        done = smlops(bench, *launcher.words, first=lambda: timer(max(share * _SECONDS[launcher], 0.001), _AGAIN))
        timer(_LONGEST)
        assert done.code == INTERRUPTED, done.err
        told = TO_GO_ON in done.err
        assert told or not launcher.launched(bench), done.err
        hold(bench).unlink()
        again = smlops(bench, *(done.command if told else launcher.words))
    finally:
        timer(0)
    assert again.code == 0, done.err + again.err
    assert len(launcher.launched(bench)) == 1, done.err
    return done


_SECONDS: dict[Launcher, float] = {}


def measure(bench: Bench, launcher: Launcher) -> None:
    """How long a launch takes here, until its first look at what it has launched."""
    write_jobs(bench)
    assert smlops(bench, *launcher.words, "--dry-run").code == 0  # which warms what both need
    began = time.monotonic()
    assert smlops(bench, *launcher.words, "--no-wait").code == 0
    _SECONDS[launcher] = time.monotonic() - began


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=50, help="of each kind")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))  # noqa: S311 - no secret
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311 - no secret
    print(f"seed {options.seed}")
    with Sandbox.start(log=Path(tempfile.mkdtemp()) / "log") as sandbox:
        for kind, launcher in LAUNCHERS.items():
            measure(make_bench(sandbox, ROOT, Path(tempfile.mkdtemp())), launcher)
            for _ in range(options.moments):
                bench, share = make_bench(sandbox, ROOT, Path(tempfile.mkdtemp())), chance.uniform(0, 1.3)
                said = interrupt(bench, launcher, share).err.splitlines()[-1]
                print(f"{kind} at {share:.2f}: {said.replace(bench.name, '…')}", flush=True)


if __name__ == "__main__":
    _main()
