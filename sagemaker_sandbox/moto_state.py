"""moto's state as data, service by service."""

import io
import pickle
import sys
import threading
import types
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from sagemaker_sandbox import moto_gaps

#: Takes how to read what an S3 object holds and under which name it is kept already, if it is; answers the name.
Keep = Callable[[Callable[[], bytes], str | None], str]

#: Where an S3 object of moto's notes the name under which its body is kept. A body never changes: a new one is a new
#: object.
_KEPT_AS = "_sandbox_kept_as"


class _Body(NamedTuple):
    """What an S3 object holds, named instead of copied."""

    name: str


def content(service: str, keep: Keep) -> bytes:
    """A service's backends by account and Region, pickled. Nobody may change them meanwhile."""
    from moto.backends import get_backend

    written = io.BytesIO()
    by_account = {account: dict(regions) for account, regions in get_backend(service).items()}
    _Pickler(written, keep).dump(by_account)
    return written.getvalue()


def restore(service: str, kept: bytes, body: Callable[[str], bytes]) -> None:
    """Put back what `content` gave; `body` reads what an S3 object holds by its name."""
    from moto.backends import get_backend

    moto_gaps.close(service)
    backends = get_backend(service)
    for account, by_region in _Unpickler(io.BytesIO(kept), body).load().items():
        for region, backend in by_region.items():
            backends[account][region] = backend
            if service == "s3":
                # Bucket names are global; moto notes their owners beside the backends.
                backends.bucket_accounts.update(dict.fromkeys(backend.buckets, (region, account)))


class _Pickler(pickle.Pickler):
    """Knows what moto holds and pickle does not: bodies, locks, private keys, nameless functions, dictionaries."""

    def __init__(self, file: io.BytesIO, keep: Keep) -> None:
        super().__init__(file)
        self._keep = keep

    def persistent_id(self, obj: Any) -> str | None:
        return obj.name if type(obj) is _Body else None

    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        if "_value_buffer" in getattr(obj, "__dict__", ()):
            return self._s3_object(obj)
        if kind in (type(threading.Lock()), type(threading.RLock())):
            return (threading.RLock if kind is type(threading.RLock()) else threading.Lock), ()
        if kind is types.FunctionType and "<locals>" in obj.__qualname__ and not obj.__closure__:
            return _function, _place(obj)
        if isinstance(obj, defaultdict) and kind is not defaultdict:
            return _default_dictionary, (kind, obj.default_factory), vars(obj), None, iter(obj.items())
        if hasattr(obj, "private_bytes"):
            return _private_key, (_der(obj),)
        return NotImplemented

    def _s3_object(self, obj: Any) -> Any:
        state = dict(vars(obj))
        for member in ("_value_buffer", "lock"):
            state.pop(member, None)
        known = state.pop(_KEPT_AS, None)
        if obj._value_buffer.closed:  # it was deleted
            return _s3_object, (type(obj), state, b"")
        name = self._keep(lambda: bytes(obj.value), known)
        setattr(obj, _KEPT_AS, name)
        return _s3_object, (type(obj), state, _Body(name))


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, body: Callable[[str], bytes]) -> None:
        super().__init__(file)
        self._body = body

    def persistent_load(self, pid: Any) -> Any:
        return _Read(str(pid), self._body(str(pid)))


class _Read(NamedTuple):
    name: str
    content: bytes


def _s3_object(kind: type[Any], state: dict[str, Any], body: Any) -> Any:
    made: Any = object.__new__(kind)
    read = body if isinstance(body, _Read) else _Read("", b"")
    modified = dict(state)
    made.__setstate__(state | {"value": read.content})
    made.__dict__.update(modified)  # setting the value has made it new
    if read.name:
        setattr(made, _KEPT_AS, read.name)
    return made


def _place(function: types.FunctionType) -> tuple[str, str, int, int]:
    """Where a function inside others stands: its module, its name, its line, and which of its name in that line."""
    same = [code for code in _inside(function.__module__, function.__qualname__) if _alike(code, function.__code__)]
    number = next(number for number, code in enumerate(same) if code is function.__code__ or code == function.__code__)
    return function.__module__, function.__qualname__, function.__code__.co_firstlineno, number


def _function(module: str, name: str, line: int, number: int) -> types.FunctionType:
    wanted = name.rsplit(".", 1)[-1]
    same = [code for code in _inside(module, name) if (code.co_name, code.co_firstlineno) == (wanted, line)]
    return types.FunctionType(same[number], vars(sys.modules[module]), wanted)


def _alike(one: types.CodeType, other: types.CodeType) -> bool:
    return (one.co_name, one.co_firstlineno) == (other.co_name, other.co_firstlineno)


def _inside(module: str, name: str) -> list[types.CodeType]:
    """The functions that stand directly inside the one that `name` says is around it."""
    import importlib

    around, *inner = name.split(".<locals>.")
    found: Any = importlib.import_module(module)
    for part in around.split("."):
        found = getattr(found, part)
    codes = [found.__code__]
    for part in inner:
        nested = [one for code in codes for one in code.co_consts if isinstance(one, types.CodeType)]
        codes = nested if part is inner[-1] else [one for one in nested if one.co_name == part]
    return codes


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
