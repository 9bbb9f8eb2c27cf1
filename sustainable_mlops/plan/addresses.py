"""Parser for resource addresses and for the references that expressions make to resources."""

import json
from functools import lru_cache

from sustainable_mlops.base.lazy_pattern import LazyPattern

#: A name, or the index of an instance (`[0]`, `["key"]`) as a tuple of one. `(None,)` is a computed index.
AddressPart = str | tuple[str | int | None]

_PART = LazyPattern(r'\.?([^.\[\]]+)|\[(?:("(?:[^"\\]|\\.)*")|(\d{1,18})|[^\[\]]*)\]')


@lru_cache(maxsize=65536)
def split_address(address: str) -> tuple[AddressPart, ...]:
    """Split an address or a reference into its parts.

    For example, `module.a["k"].aws_s3_bucket.b[0].arn` becomes `("module", "a", ("k",), "aws_s3_bucket", "b", (0,),
    "arn")`.
    """
    address_parts: list[AddressPart] = []
    for match in _PART.finditer(address):
        name, key, number = match.groups()
        if name is not None:
            address_parts.append(name)
        elif key is not None:
            address_parts.append((_unquote(key),))
        else:
            address_parts.append((int(number),) if number is not None else (None,))
    return tuple(address_parts)


@lru_cache(maxsize=4096)
def list_call_names(module: tuple[AddressPart, ...]) -> tuple[str, ...]:
    """Return the names of the calls that lead to a module instance: `module.a["k"].module.b` gives `("a", "b")`."""
    return tuple(part for part in module if isinstance(part, str))[1::2]


def split_parent(module: tuple[AddressPart, ...]) -> tuple[tuple[AddressPart, ...], str | int | None]:
    """Return the module that calls this one, and the index of this instance."""
    index: str | int | None = None
    if isinstance(module[-1], tuple):
        index, module = module[-1][0], module[:-1]
    return module[:-2], index


def _unquote(key: str) -> str:
    try:
        return str(json.loads(key))
    except ValueError:
        return key[1:-1]
