"""Synthesis after each edit, in one process that keeps jsii running.

It polls about 130 files five times a second. This needs no installation and works on every file system.
"""

import atexit
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from clone.synth import SOURCES, synthesize, write
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT

PAUSE_S = 0.2
#: Packages that are imported again after an edit. An edit of any other source restarts the process.
RELOADED_PACKAGES = ("modules.", "envs.", "sustainable_mlops.authoring.")


def watch(targets: Iterable[str], report: Callable[[str], None]) -> None:
    """Update the generated files of `targets` (or all), now and after each edit, until interrupted.

    Prints the differences. Calls `report` with one line for each synthesis or error.
    """
    selected = set(targets)
    sys.dont_write_bytecode = True  # bytecode is compared by whole seconds, and two edits may share one second
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
            atexit._run_exitfuncs()  # jsii stops its Node.js and removes its temporary files
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def _is_reloaded(source: Path) -> bool:
    """Return whether the next synthesis imports the source again."""
    return ".".join(source.relative_to(ROOT).parts).startswith(RELOADED_PACKAGES)


def _synthesize_once(targets: Iterable[str]) -> str:
    begin = time.monotonic()
    for name in [name for name in sys.modules if f"{name}.".startswith(RELOADED_PACKAGES)]:
        del sys.modules[name]
    try:
        changes = synthesize(targets, always=True)
        write(changes)
    except Exception as error:  # any mistake of an author; the next edit repairs it
        kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        return f"error: {kind}{' '.join(str(error).split())}"
    for change in changes:
        print(change.render_diff(), end="", flush=True)
    return f"{len(changes)} files written in {time.monotonic() - begin:.1f} s; watching, Ctrl-C ends it"


def _read_signatures() -> dict[Path, tuple[int, int]]:
    """Return modification time and size of every source."""
    signatures = {}
    for path in (path for pattern in SOURCES for path in ROOT.glob(pattern) if path.is_file()):
        try:
            status = path.stat()
        except FileNotFoundError:  # deleted after the listing
            continue
        signatures[path] = (status.st_mtime_ns, status.st_size)
    return signatures
