"""Serialization of moto's state, one service at a time."""

import io
import pickle
import sys
import threading
import types
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from sagemaker_sandbox import moto_patches
from sagemaker_sandbox.base.backends import get_backends

#: Function that stores the body of an S3 object and returns its name. It takes a reader and an earlier name.
StoreBody = Callable[[Callable[[], bytes], str | None], str]

#: Attribute of moto's S3 objects that holds the name of the stored body. A body never changes: moto creates a new
#: object for a new body.
_BODY_NAME = "_sandbox_kept_as"


class _BodyName(NamedTuple):
    """Reference to the stored body of an S3 object."""

    name: str


def dump_service(service: str, store_body: StoreBody) -> bytes:
    """Return a service's backends by account and Region, pickled. They must not change meanwhile."""
    buffer = io.BytesIO()
    by_account = {account: dict(regions) for account, regions in get_backends(service).items()}
    _Pickler(buffer, store_body).dump(by_account)
    return buffer.getvalue()


def restore_service(service: str, content: bytes, read_body: Callable[[str], bytes]) -> None:
    """Restore the result of `dump_service`. `body` reads the body of an S3 object by its name."""
    moto_patches.apply(service)
    backends = get_backends(service)
    for account, by_region in _Unpickler(io.BytesIO(content), read_body).load().items():
        for region, backend in by_region.items():
            backends[account][region] = backend
            if service == "s3":
                # Bucket names are global: moto holds their owners outside of the backends.
                backends.bucket_accounts.update(dict.fromkeys(backend.buckets, (region, account)))


class _Pickler(pickle.Pickler):
    """Pickler for objects that pickle cannot serialize: S3 bodies, locks, private keys, local functions and others."""

    def __init__(self, file: io.BytesIO, store_body: StoreBody) -> None:
        super().__init__(file)
        self._store_body = store_body

    def persistent_id(self, obj: Any) -> str | None:
        return obj.name if type(obj) is _BodyName else None

    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        if "_value_buffer" in getattr(obj, "__dict__", ()):
            return self._reduce_s3_object(obj)
        if kind in (type(threading.Lock()), type(threading.RLock())):
            return (threading.RLock if kind is type(threading.RLock()) else threading.Lock), ()
        if kind is types.FunctionType and "<locals>" in obj.__qualname__ and not obj.__closure__:
            return _load_function, _locate_function(obj)
        if isinstance(obj, defaultdict) and kind is not defaultdict:
            return _create_default_dictionary, (kind, obj.default_factory), vars(obj), None, iter(obj.items())
        if hasattr(obj, "private_bytes"):
            return _load_private_key, (_encode_private_key(obj),)
        return NotImplemented

    def _reduce_s3_object(self, obj: Any) -> Any:
        state = dict(vars(obj))
        for member in ("_value_buffer", "lock"):
            state.pop(member, None)
        known_name = state.pop(_BODY_NAME, None)
        if obj._value_buffer.closed:  # it was deleted
            return _load_s3_object, (type(obj), state, b"")
        from sagemaker_sandbox.moto_patches.s3_object_files import read_content

        name = self._store_body(lambda: read_content(obj), known_name)
        setattr(obj, _BODY_NAME, name)
        return _load_s3_object, (type(obj), state, _BodyName(name))


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, body: Callable[[str], bytes]) -> None:
        super().__init__(file)
        self._body = body

    def persistent_load(self, pid: Any) -> Any:
        return _StoredBody(str(pid), self._body(str(pid)))


class _StoredBody(NamedTuple):
    name: str
    content: bytes


def _load_s3_object(kind: type[Any], state: dict[str, Any], body: Any) -> Any:
    obj: Any = object.__new__(kind)
    stored = body if isinstance(body, _StoredBody) else _StoredBody("", b"")
    modified = dict(state)
    obj.__setstate__(state | {"value": stored.content})
    obj.__dict__.update(modified)  # setting the value has reset these
    if stored.name:
        setattr(obj, _BODY_NAME, stored.name)
    return obj


def _locate_function(function: types.FunctionType) -> tuple[str, str, int, int]:
    """Return the position of a local function: module, qualified name, line, and index among equal ones in the line."""
    matches = [
        code
        for code in _list_local_functions(function.__module__, function.__qualname__)
        if _is_same_position(code, function.__code__)
    ]
    number = next(
        number for number, code in enumerate(matches) if code is function.__code__ or code == function.__code__
    )
    return function.__module__, function.__qualname__, function.__code__.co_firstlineno, number


def _load_function(module: str, name: str, line: int, number: int) -> types.FunctionType:
    local_name = name.rsplit(".", 1)[-1]
    matches = [
        code
        for code in _list_local_functions(module, name)
        if (code.co_name, code.co_firstlineno) == (local_name, line)
    ]
    return types.FunctionType(matches[number], vars(sys.modules[module]), local_name)


def _is_same_position(code: types.CodeType, other: types.CodeType) -> bool:
    return (code.co_name, code.co_firstlineno) == (other.co_name, other.co_firstlineno)


def _list_local_functions(module: str, name: str) -> list[types.CodeType]:
    """Return the code of the functions that are defined directly inside the function that encloses `name`."""
    import importlib

    outer_name, *inner = name.split(".<locals>.")
    outer: Any = importlib.import_module(module)
    for part in outer_name.split("."):
        outer = getattr(outer, part)
    codes = [outer.__code__]
    for part in inner:
        nested = [code for code in codes for code in code.co_consts if isinstance(code, types.CodeType)]
        codes = nested if part is inner[-1] else [code for code in nested if code.co_name == part]
    return codes


def _create_default_dictionary(dictionary_type: type[defaultdict[Any, Any]], factory: Any) -> defaultdict[Any, Any]:
    """Return an empty instance. The constructor of a subclass may have other parameters than pickle expects."""
    dictionary = dictionary_type.__new__(dictionary_type)
    dictionary.default_factory = factory
    return dictionary


def _encode_private_key(key: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    der: bytes = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return der


def _load_private_key(der: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    return load_der_private_key(der, password=None)
