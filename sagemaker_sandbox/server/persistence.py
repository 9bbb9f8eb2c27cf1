"""Storage of the sandbox's state for `--state DIR`: everything in moto and SageMaker.

The state is written while the sandbox runs and when it stops. moto cannot store its state, so this pickles its objects
as data: a function inside an object is stored by its position in moto's source, never as code. The bodies of S3 objects
are files of their own, and each is written once. A killed sandbox loses the changes of its last seconds. Jobs that ran
have failed when the state is restored.
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

from sagemaker_sandbox.connections import bodies
from sagemaker_sandbox.server import moto_state
from sustainable_mlops.base.errors import UserError

if TYPE_CHECKING:
    from sagemaker_sandbox.server.application import Application

_FILE = "state.pickle"
_BODIES = "bodies"
#: Version of the file's structure. Increase it with each change.
_FORMAT = 6
#: Time between two checks for changes, in seconds.
_CHECK_SECONDS = 0.5
#: Shortest and longest time between two saves, in seconds. A large state is saved less often.
_MIN_SECONDS, _MAX_SECONDS = 1.0, 2.5
#: Longest wait for the responses to current requests, in seconds.
_QUIET_SECONDS = 1.0


class StateFolder:
    """The folder with the state of one sandbox. Raises UserError if another sandbox uses it."""

    def __init__(self, folder: Path, account: str) -> None:
        self._account = account
        self._file, self._bodies = folder / _FILE, folder / _BODIES
        try:
            self._bodies.mkdir(parents=True, exist_ok=True)
            self._lock: IO[str] = (folder / "lock").open("w")
        except OSError as error:
            raise UserError(
                f"sandbox: cannot write state to {folder} ({error.strerror}); choose another folder with --state"
            ) from None
        self._save_lock = threading.Lock()
        self._saved: tuple[int, int, int] | None = None
        self._stop_event = threading.Event()
        self._reported_services: set[str] = set()
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"sandbox: another sandbox uses the state in {folder}; stop that sandbox first") from None

    def restore(self, application: "Application") -> None:
        """Restore the saved state. Raises UserError for a file that cannot be read."""
        if not self._file.exists():
            return
        try:
            content = io.BytesIO(self._file.read_bytes())
            # First and by itself: this version may not be able to read what follows.
            versions = pickle.load(content)  # noqa: S301 written by this program in the user's own folder
            if versions != _get_versions():
                writer = versions if isinstance(versions, str) else "an older sandbox"
                raise UserError(
                    f"sandbox: {self._file} was written with {writer}, but this is {_get_versions()}; remove the file "
                    "to start empty, or install those versions"
                )
            state = pickle.load(content)  # noqa: S301
            if state["account"] != self._account:
                raise UserError(
                    f"sandbox: {self._file} holds account {state['account']}, not {self._account}; start with "
                    f"--account {state['account']}, or choose another folder with --state"
                )
            for service, content in state["moto"].items():
                moto_state.restore_service(service, content, lambda name: bodies.read_file(self._bodies / name))
            application.sagemaker.restore(state["sagemaker"])
            application.restored_services = set(state["moto"])
            application.clock.set_offset(state["ahead"])
        except UserError:
            raise
        except Exception as error:
            raise UserError(
                f"sandbox: {self._file} cannot be read ({type(error).__name__}: {error}); remove it to start empty"
            ) from None

    def start_saving(self, application: "Application") -> None:
        """Start a thread that saves after each change, until `stop_saving`."""
        threading.Thread(target=self._run, args=(application,), name="state", daemon=True).start()

    def stop_saving(self, application: "Application") -> None:
        """Save for the last time. No request may follow."""
        self._stop_event.set()
        self._save(application)

    def _run(self, application: "Application") -> None:
        wait = _MIN_SECONDS
        while not self._stop_event.wait(wait):
            began = time.monotonic()
            try:
                if application.change_counts == self._saved:
                    wait = _CHECK_SECONDS
                    continue
                self._save(application)
            except Exception:  # the next save may succeed, and the last saved state is complete
                traceback.print_exc()
            wait = min(max(_MIN_SECONDS, 5 * (time.monotonic() - began)), _MAX_SECONDS)

    def _save(self, application: "Application") -> None:
        """Replace the file by the current state, taken while moto and SageMaker do not change."""
        with self._save_lock:
            new_bodies: dict[str, bytes] = {}
            used_names: set[str] = set()

            def store_body(body: Callable[[], bytes], known_name: str | None) -> str:
                name = (
                    known_name
                    if known_name is not None and (self._bodies / known_name).exists()
                    else secrets.token_hex(16)
                )
                used_names.add(name)
                if name != known_name:
                    new_bodies[name] = body()
                return name

            with application.gate.enter_exclusive(_QUIET_SECONDS) as is_exclusive, application.sagemaker.pause():
                changes = application.change_counts
                state = {
                    "account": self._account,
                    "ahead": application.clock.offset,
                    "moto": self._dump_moto(application.list_moto_services(), store_body, is_exclusive),
                    "sagemaker": application.sagemaker.snapshot(),
                }
                content = pickle.dumps(_get_versions()) + pickle.dumps(state)
            for name, body in new_bodies.items():
                _write(self._bodies / name, body)
            _write(self._file, content)
            self._saved = changes
            for file in self._bodies.iterdir():
                if file.name not in used_names:
                    file.unlink()

    def _dump_moto(self, services: list[str], store_body: moto_state.StoreBody, is_exclusive: bool) -> dict[str, bytes]:
        """Return the state of each service. Report a service that cannot be saved on stderr, once.

        Raise RuntimeError for a service that changed meanwhile, if other requests could not be kept out. The last saved
        state is complete.
        """
        states = {}
        for service in services:
            try:
                states[service] = moto_state.dump_service(service, store_body)
            except Exception as error:
                if isinstance(error, RuntimeError) and not is_exclusive:
                    raise
                if service not in self._reported_services:
                    self._reported_services.add(service)
                    reason = f"{type(error).__name__}: {error}"
                    print(f"sandbox: the state of {service} is not saved: {reason}", file=sys.stderr)
        return states


def _write(file: Path, content: bytes) -> None:
    """Write the file completely or, on a full disk, not at all. A later save would reuse an incomplete body."""
    partial = file.with_suffix(".partial")
    with partial.open("wb") as file_object:
        file_object.writelines(bodies.read_parts([content]))
    partial.replace(file)


def _get_versions() -> str:
    """Return the versions that must be equal for a restore."""
    import moto

    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"sandbox format {_FORMAT}, moto {moto.__version__} on Python {python}"
