"""Records in RecordIO with protobuf, the training format of built-in algorithms.

The message is `aialgs.data.Record`. Source: Common Data Formats for Training in the SageMaker developer guide.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from numpy.typing import NDArray

from .errors import ClientError

_MAGIC = 0xCED7230A
_HEADER = struct.Struct("<II")
#: Bits of the second header word that hold the length. The upper three mark parts of a record.
_LENGTH_MASK = (1 << 29) - 1

_Field = descriptor_pb2.FieldDescriptorProto
#: Types of tensor values, with the number of the tensor in `Value`.
_TENSORS = {
    "Float32Tensor": (2, _Field.TYPE_FLOAT),
    "Float64Tensor": (3, _Field.TYPE_DOUBLE),
    "Int32Tensor": (7, _Field.TYPE_INT32),
}


@cache
def _load_record_class() -> Any:
    """Return the class of the message."""
    file = descriptor_pb2.FileDescriptorProto(name="record.proto", package="aialgs.data", syntax="proto2")
    for name, (_, kind) in _TENSORS.items():
        tensor = file.message_type.add(name=name)
        for number, (field, field_type) in enumerate(
            (("values", kind), ("keys", _Field.TYPE_UINT64), ("shape", _Field.TYPE_UINT64)), 1
        ):
            packed = descriptor_pb2.FieldOptions(packed=True)
            tensor.field.add(name=field, number=number, type=field_type, label=_Field.LABEL_REPEATED, options=packed)
    value = file.message_type.add(name="Value")
    value.oneof_decl.add(name="value")
    for name, (number, _) in _TENSORS.items():
        value.field.add(
            name=name.replace("Tensor", "_tensor").lower(),
            number=number,
            type=_Field.TYPE_MESSAGE,
            type_name=f".aialgs.data.{name}",
            label=_Field.LABEL_OPTIONAL,
            oneof_index=0,
        )
    record = file.message_type.add(name="Record")
    for number, name in enumerate(("features", "label"), 1):
        entry = record.nested_type.add(name=f"{name.capitalize()}Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, type=_Field.TYPE_STRING, label=_Field.LABEL_OPTIONAL)
        entry.field.add(
            name="value",
            number=2,
            type=_Field.TYPE_MESSAGE,
            type_name=".aialgs.data.Value",
            label=_Field.LABEL_OPTIONAL,
        )
        record.field.add(
            name=name,
            number=number,
            type=_Field.TYPE_MESSAGE,
            type_name=f".aialgs.data.Record.{entry.name}",
            label=_Field.LABEL_REPEATED,
        )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("aialgs.data.Record"))


def read_records(content: bytes) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return features and labels of all records; None for labels if no record has one. Raises ClientError."""
    from google.protobuf.message import DecodeError

    record_class = _load_record_class()
    rows: list[tuple[NDArray[np.int64] | None, NDArray[np.float64]]] = []
    labels: list[float] = []
    width = 0
    try:
        for payload in _split_frames(content):
            record = record_class.FromString(payload)
            keys, values, size = _read_tensor(record.features["values"])
            rows.append((keys, values))
            width = max(width, size)
            if "values" in record.label:
                labels.append(float(_read_tensor(record.label["values"])[1][0]))
    except (DecodeError, struct.error, IndexError, OverflowError) as error:
        raise ClientError(f"Unable to read recordio-protobuf: {error}") from None
    if labels and len(labels) < len(rows):
        raise ClientError(f"Unable to read recordio-protobuf: only {len(labels)} of {len(rows)} records have a label")
    features = np.zeros((len(rows), width))
    for row, (keys, values) in enumerate(rows):
        features[row, slice(len(values)) if keys is None else keys] = values
    return features, np.array(labels) if labels else None


def encode_records(rows: Iterable[Mapping[str, Sequence[float]]]) -> bytes:
    """Return one record for each row, with the values of each name as labels."""
    content = bytearray()
    for row in rows:
        record = _load_record_class()()
        for name, values in row.items():
            record.label[name].float32_tensor.values.extend(values)
        payload = record.SerializeToString()
        content += _HEADER.pack(_MAGIC, len(payload)) + payload + bytes(-len(payload) % 4)
    return bytes(content)


def _split_frames(content: bytes) -> Iterator[bytes]:
    position = 0
    while position < len(content):
        magic, length = _HEADER.unpack_from(content, position)
        if magic != _MAGIC:
            raise ClientError("Unable to read recordio-protobuf: the data do not start with a RecordIO header")
        position += _HEADER.size
        length &= _LENGTH_MASK
        if position + length > len(content):
            raise ClientError("Unable to read recordio-protobuf: the last record is incomplete")
        yield content[position : position + length]
        position += length + -length % 4


def _read_tensor(value: Any) -> tuple[NDArray[np.int64] | None, NDArray[np.float64], int]:
    """Return keys (None for a dense tensor), values, and the number of columns."""
    kind = value.WhichOneof("value")
    if kind is None:
        raise ClientError("Unable to read recordio-protobuf: a record has no tensor named values")
    tensor = getattr(value, kind)
    values = np.array(tensor.values, dtype=float)
    if not tensor.keys:
        return None, values, len(values)
    keys = np.array(tensor.keys, dtype=np.int64)
    width = int(tensor.shape[0]) if tensor.shape else int(keys.max()) + 1
    if len(keys) != len(values) or keys.max() >= width:
        raise ClientError("Unable to read recordio-protobuf: the keys of a tensor do not fit its values and its shape")
    return keys, values, width
