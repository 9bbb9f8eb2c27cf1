"""Synthesize again after each edit, in a process that keeps jsii.

Sources are looked at five times a second, some 130 files: nothing to install, and the same on every file system.
"""

import atexit
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from sustainable_mlops.errors import UserError
from sustainable_mlops.synth import SOURCES, synthesize, write
from sustainable_mlops.terraform import ROOT

PAUSE_S = 0.2
#: Packages that are imported anew, since an edit may have changed any of their modules. An edit of any other source
#: starts the process anew.
RELOADED_PACKAGES = ("modules.", "envs.", "sustainable_mlops.authoring.")


def watch(targets: Iterable[str], report: Callable[[str], None]) -> None:
    """Write what is stale of `wanted` (or of all), now and after each edit, until interrupted.

    The differences go to stdout; `say` is told of each round, and of a mistake in one line.
    """
    selected = set(targets)
    sys.dont_write_bytecode = True  # it is compared by whole seconds, and two edits may fall into one
    sources = _read_signatures()
    while True:
        report(_synthesize_once(selected))
        before = sources
        while (current := _read_signatures()) == sources:
            time.sleep(PAUSE_S)
        while sources != current:  # an editor or git may still be writing
            sources = current
            time.sleep(PAUSE_S / 2)
            current = _read_signatures()
        if not all(_is_reloaded(path) for path, _ in before.items() ^ current.items()):
            atexit._run_exitfuncs()  # jsii takes its Node and its temporary files away
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def _is_reloaded(source: Path) -> bool:
    """Whether the next round reads it again; what else there is this process has read for good."""
    return ".".join(source.relative_to(ROOT).parts).startswith(RELOADED_PACKAGES)


def _synthesize_once(targets: Iterable[str]) -> str:
    begin = time.monotonic()
    for name in [name for name in sys.modules if f"{name}.".startswith(RELOADED_PACKAGES)]:
        del sys.modules[name]
    try:
        changes = synthesize(targets, always=True)
        write(changes)
    except Exception as error:  # whatever the author of a module may do wrong; the next edit repairs it
        kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        return f"error: {kind}{' '.join(str(error).split())}"
    for change in changes:
        print(change.diff(), end="", flush=True)
    return f"{len(changes)} files written in {time.monotonic() - begin:.1f} s; watching, Ctrl-C ends it"


def _read_signatures() -> dict[Path, tuple[int, int]]:
    """Time and size of every source."""
    signatures = {}
    for path in (path for pattern in SOURCES for path in ROOT.glob(pattern) if path.is_file()):
        try:
            status = path.stat()
        except FileNotFoundError:  # deleted since it was listed
            continue
        signatures[path] = (status.st_mtime_ns, status.st_size)
    return signatures
