"""What `--state DIR` keeps: everything in moto and SageMaker, written when the sandbox stops, read when it starts.

moto cannot store its state, so its objects are pickled. A sandbox that is killed rather than stopped keeps what the
last stop wrote. Stopping fails the training jobs that still run; their checkpoints are in S3.
"""

import fcntl
import io
import marshal
import pickle
import sys
import threading
import types
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sustainable_mlops.errors import UserError

if TYPE_CHECKING:
    from sustainable_mlops.sandbox.plane.control_plane import ControlPlane

_FILE = "state.pickle"


class State:
    """One folder's state. The folder serves one sandbox at a time."""

    def __init__(self, folder: Path, account: str) -> None:
        self._account = account
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / _FILE
        self._lock: IO[str] = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(
                f"sandbox: the state in {folder} is in use by another sandbox; stop that one first"
            ) from None

    def restore(self, sagemaker: "ControlPlane") -> set[str]:
        """Bring back what the last stop kept; moto's services that had something. UserError for a bad file."""
        if not self._file.exists():
            return set()
        try:
            kept = pickle.loads(self._file.read_bytes())  # noqa: S301 written by this program in the user's own folder
            if kept["versions"] != _versions():
                raise UserError(
                    f"sandbox: {self._file} was written with {kept['versions']}, this is {_versions()}; remove the "
                    "file to start empty, or install those versions again"
                )
            if kept["account"] != self._account:
                raise UserError(
                    f"sandbox: {self._file} holds account {kept['account']}, not {self._account}; start with --account "
                    f"{kept['account']}, or give another --state"
                )
            for service, content in kept["moto"].items():
                _restore_moto(service, content)
            sagemaker.restore(kept["sagemaker"])
            return set(kept["moto"])
        except UserError:
            raise
        except Exception as error:
            raise UserError(
                f"sandbox: {self._file} cannot be read ({type(error).__name__}: {error}); remove it to start empty"
            ) from None

    def save(self, sagemaker: "ControlPlane", services: Iterable[str]) -> None:
        """Replace the file by the present state. A service of moto's that cannot be kept is named on stderr."""
        moto = {}
        for service in services:
            try:
                moto[service] = _moto_content(service)
            except Exception as error:
                print(f"sandbox: the state of {service} is not kept: {type(error).__name__}: {error}", file=sys.stderr)
        partial = self._file.with_suffix(".partial")
        kept = {"versions": _versions(), "account": self._account, "moto": moto, "sagemaker": sagemaker.snapshot()}
        partial.write_bytes(pickle.dumps(kept))
        partial.replace(self._file)


def _versions() -> str:
    import moto

    return f"moto {moto.__version__} on Python {sys.version_info.major}.{sys.version_info.minor}"


def _moto_content(service: str) -> bytes:
    """A service's backends by account and Region, pickled."""
    from moto.backends import get_backend

    content = io.BytesIO()
    _Pickler(content).dump({account: dict(regions) for account, regions in get_backend(service).items()})
    return content.getvalue()


def _restore_moto(service: str, content: bytes) -> None:
    from moto.backends import get_backend

    backends = get_backend(service)
    for account, by_region in pickle.loads(content).items():  # noqa: S301 see State.restore
        for region, backend in by_region.items():
            backends[account][region] = backend
            if service == "s3":
                # Bucket names are global; moto notes their owners beside the backends.
                backends.bucket_accounts.update(dict.fromkeys(backend.buckets, (region, account)))


class _Pickler(pickle.Pickler):
    """Knows what moto holds and pickle does not: locks, private keys, nameless functions, special dictionaries."""

    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        if kind in (type(threading.Lock()), type(threading.RLock())):
            return (threading.RLock if kind is type(threading.RLock()) else threading.Lock), ()
        if kind is types.FunctionType and "<locals>" in obj.__qualname__ and not obj.__closure__:
            return _function, (marshal.dumps(obj.__code__), obj.__module__)
        if isinstance(obj, defaultdict) and kind is not defaultdict:
            return _default_dictionary, (kind, obj.default_factory), vars(obj), None, iter(obj.items())
        if hasattr(obj, "private_bytes"):
            return _private_key, (_der(obj),)
        return NotImplemented


def _function(code: bytes, module: str) -> types.FunctionType:
    return types.FunctionType(marshal.loads(code), vars(sys.modules[module]))  # noqa: S302 see State.restore


def _default_dictionary(kind: type[defaultdict[Any, Any]], factory: Any) -> defaultdict[Any, Any]:
    """An empty one; its class's own constructor may want other arguments than pickle has."""
    dictionary = kind.__new__(kind)
    dictionary.default_factory = factory
    return dictionary


def _der(key: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    der: bytes = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return der


def _private_key(der: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    return load_der_private_key(der, password=None)
