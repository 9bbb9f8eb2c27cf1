"""What `--state DIR` keeps: everything in moto and SageMaker, written while the sandbox runs and when it stops.

moto cannot store its state, so its objects are pickled, as data: a function inside one is kept by where it stands in
moto's source, never as code. What S3's objects hold stands in files of their own, each written once. Whoever is killed
loses what changed in the last seconds, and what ran: jobs that ran have failed when the state is read again.
"""

import fcntl
import io
import pickle
import secrets
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from sustainable_mlops import __version__
from sustainable_mlops.errors import UserError
from sagemaker_sandbox import moto_state

if TYPE_CHECKING:
    from sagemaker_sandbox.application import Application

_FILE = "state.pickle"
_BODIES = "bodies"
#: Counted up whenever what is kept gets another shape, of which a version may see several while it is made.
_SHAPE = 3
#: Between two looks at whether something has changed, in seconds.
_LOOK_SECONDS = 0.5
#: The least and the most time between two saves of what has changed, in seconds; a large state is saved less often.
_LEAST_SECONDS, _MOST_SECONDS = 1.0, 2.5
#: How long to wait for the requests under way to be answered, in seconds.
_QUIET_SECONDS = 1.0


class State:
    """One folder's state. The folder serves one sandbox at a time. Raises UserError where another uses it."""

    def __init__(self, folder: Path, account: str) -> None:
        self._account = account
        self._file, self._bodies = folder / _FILE, folder / _BODIES
        try:
            self._bodies.mkdir(parents=True, exist_ok=True)
            self._lock: IO[str] = (folder / "lock").open("w")
        except OSError as error:
            raise UserError(
                f"sandbox: no state can be kept in {folder} ({error.strerror}); give --state another folder"
            ) from None
        self._saving = threading.Lock()
        self._saved: tuple[int, int, int] | None = None
        self._stopped = threading.Event()
        self._told: set[str] = set()
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(
                f"sandbox: the state in {folder} is in use by another sandbox; stop that one first"
            ) from None

    def restore(self, application: "Application") -> None:
        """Bring back what was kept last. UserError for a bad file."""
        if not self._file.exists():
            return
        try:
            content = io.BytesIO(self._file.read_bytes())
            # By itself and first, as what other versions wrote behind it may have no meaning here.
            versions = pickle.load(content)  # noqa: S301 written by this program in the user's own folder
            if versions != _versions():
                written = versions if isinstance(versions, str) else "an older sandbox"
                raise UserError(
                    f"sandbox: {self._file} was written with {written}, this is {_versions()}; remove the file to "
                    "start empty, or install those versions again"
                )
            kept = pickle.load(content)  # noqa: S301
            if kept["account"] != self._account:
                raise UserError(
                    f"sandbox: {self._file} holds account {kept['account']}, not {self._account}; start with --account "
                    f"{kept['account']}, or give another --state"
                )
            for service, content in kept["moto"].items():
                moto_state.restore(service, content, lambda name: (self._bodies / name).read_bytes())
            application.sagemaker.restore(kept["sagemaker"])
            application.restored_services = set(kept["moto"])
            application.clock.set(kept["ahead"])
        except UserError:
            raise
        except Exception as error:
            raise UserError(
                f"sandbox: {self._file} cannot be read ({type(error).__name__}: {error}); remove it to start empty"
            ) from None

    def start_saving(self, application: "Application") -> None:
        """Save whenever something has changed, in a thread of its own, until `stop_saving`."""
        threading.Thread(target=self._run, args=(application,), name="state", daemon=True).start()

    def stop_saving(self, application: "Application") -> None:
        """Save once more, now that nothing is asked any longer."""
        self._stopped.set()
        self._save(application)

    def _run(self, application: "Application") -> None:
        wait = _LEAST_SECONDS
        while not self._stopped.wait(wait):
            began = time.monotonic()
            try:
                if application.changes == self._saved:
                    wait = _LOOK_SECONDS
                    continue
                self._save(application)
            except Exception:  # the next time may succeed; what was kept before is whole
                traceback.print_exc()
            wait = min(max(_LEAST_SECONDS, 5 * (time.monotonic() - began)), _MOST_SECONDS)

    def _save(self, application: "Application") -> None:
        """Replace the file by the present state, taken while moto and SageMaker are at rest."""
        with self._saving:
            bodies: dict[str, bytes] = {}
            used: set[str] = set()

            def keep(body: Callable[[], bytes], known: str | None) -> str:
                name = known if known is not None and (self._bodies / known).exists() else secrets.token_hex(16)
                used.add(name)
                if name != known:
                    bodies[name] = body()
                return name

            with application.gate.alone(_QUIET_SECONDS) as still, application.sagemaker.at_rest():
                changes = application.changes
                kept = {
                    "account": self._account,
                    "ahead": application.clock.ahead,
                    "moto": self._moto(application.moto_services(), keep, still),
                    "sagemaker": application.sagemaker.snapshot(),
                }
                content = pickle.dumps(_versions()) + pickle.dumps(kept)
            for name, body in bodies.items():
                _write(self._bodies / name, body)
            _write(self._file, content)
            self._saved = changes
            for file in self._bodies.iterdir():
                if file.name not in used:
                    file.unlink()

    def _moto(self, services: list[str], keep: moto_state.Keep, still: bool) -> dict[str, bytes]:
        """Each service's state. One that cannot be kept is named on stderr, once.

        Raises RuntimeError for one that changes meanwhile, where others are not kept out: what was kept last is whole.
        """
        kept = {}
        for service in services:
            try:
                kept[service] = moto_state.content(service, keep)
            except Exception as error:
                if isinstance(error, RuntimeError) and not still:
                    raise
                if service not in self._told:
                    self._told.add(service)
                    why = f"{type(error).__name__}: {error}"
                    print(f"sandbox: the state of {service} is not kept: {why}", file=sys.stderr)
        return kept


def _write(file: Path, content: bytes) -> None:
    """All of it or, on a full disk, nothing: half a body would be taken for one that is kept already."""
    partial = file.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(file)


def _versions() -> str:
    import moto

    own, python = f"sandbox {__version__} (state {_SHAPE})", f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"{own}, moto {moto.__version__} on Python {python}"
