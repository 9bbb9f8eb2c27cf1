"""CloudWatch: moto writes NaN and infinities as bare words into JSON, which only Python's parser accepts."""

import math
from typing import Any

from moto.core.serialize import BaseJSONSerializer


def apply() -> None:
    """Write these numbers as strings, in the form of AWS JSON."""

    def serialize_number(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        number = float(value)
        self._default_serialize(serialized, number if math.isfinite(number) else _name(number), shape, key)

    for kind in ("float", "double"):
        setattr(BaseJSONSerializer, f"_serialize_type_{kind}", serialize_number)


def _name(number: float) -> str:
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"
