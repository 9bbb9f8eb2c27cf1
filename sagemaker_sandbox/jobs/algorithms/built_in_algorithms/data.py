"""Tables of numbers in the formats of built-in algorithms: CSV, libsvm, Parquet and RecordIO with protobuf."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import recordio
from .errors import ClientError

CSV, LIBSVM, PARQUET, RECORDIO = "csv", "libsvm", "parquet", "recordio-protobuf"
_FORMATS = {
    "csv": CSV,
    "text/csv": CSV,
    "libsvm": LIBSVM,
    "text/libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    "parquet": PARQUET,
    "application/x-parquet": PARQUET,
    "recordio-protobuf": RECORDIO,
    "application/x-recordio-protobuf": RECORDIO,
}


@dataclass(frozen=True)
class ContentType:
    """Content type of a channel or a request: its format, and the number of label columns of CSV."""

    format: str
    label_size: int

    @classmethod
    def parse(cls, text: str, *, default: str, label_size: int) -> "ContentType":
        """Parse a content type such as `text/csv;label_size=0`. Raises ClientError for an unknown format."""
        kind, *parameters = (part.strip() for part in (text or default).lower().split(";"))
        if kind not in _FORMATS:
            raise ClientError(f"{text} is not an accepted ContentType: {', '.join(_FORMATS)}.", 415)
        sizes = [parameter.partition("=")[2] for parameter in parameters if parameter.startswith("label_size=")]
        if sizes and not sizes[0].isdecimal():
            raise ClientError(f"ContentType {text}: label_size must be a number")
        return cls(_FORMATS[kind], int(sizes[0]) if sizes else label_size)


@dataclass(frozen=True)
class Table:
    """Rows of features, with labels if the data have them."""

    features: NDArray[np.float64]
    labels: NDArray[np.float64] | None = None

    @property
    def required_labels(self) -> NDArray[np.float64]:
        """Labels of the rows. Raises ClientError if there are none."""
        if self.labels is None:
            raise ClientError("The data have no labels")
        return self.labels


def parse_table(content: bytes, content_type: ContentType, name: str = "the request") -> Table:
    """Return the rows of one file or request. Raises ClientError."""
    if content_type.format == RECORDIO:
        return Table(*recordio.read_records(content))
    if content_type.format == LIBSVM:
        return _parse_libsvm(content, name)
    table = _read_parquet(content, name) if content_type.format == PARQUET else _parse_csv(content, name)
    if content_type.label_size == 0:
        return Table(table)
    return Table(table[:, 1:], table[:, 0])


def read_channel(folder: Path, content_type: ContentType) -> Table | None:
    """Return the rows of all files of a channel, by name; None if the channel does not exist. Raises ClientError."""
    if not folder.is_dir():
        return None
    files = list(_list_files(folder))
    if not files:
        raise ClientError(f"No data in channel {folder.name}")
    tables = [parse_table(file.read_bytes(), content_type, file.name) for file in files]
    width = max(table.features.shape[1] for table in tables)
    if content_type.format != LIBSVM and any(table.features.shape[1] != width for table in tables):
        raise ClientError(f"The files of channel {folder.name} differ in their number of columns")
    features = np.concatenate([_add_columns(table.features, width) for table in tables])
    labels = [table.labels for table in tables if table.labels is not None]
    return Table(features, np.concatenate(labels) if len(labels) == len(tables) else None)


def _add_columns(features: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Add columns of missing values, as sparse rows have them at the end."""
    missing = width - features.shape[1]
    return np.pad(features, ((0, 0), (0, missing)), constant_values=np.nan) if missing > 0 else features


def _list_files(folder: Path) -> Iterator[Path]:
    """Yield data files. Like AWS's containers, ignore hidden files and those that begin with an underscore."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith((".", "_")):
            yield path


def _parse_csv(content: bytes, name: str) -> NDArray[np.float64]:
    """Return the numbers of CSV without a header. An empty cell is a missing value."""
    import pandas as pd

    if not content.strip():
        raise ClientError(f"{name} is empty")
    try:
        frame = pd.read_csv(io.BytesIO(content), header=None, dtype=float, skipinitialspace=True)
    except (ValueError, UnicodeDecodeError) as error:
        raise ClientError(f"{name} is not CSV of numbers without a header: {error}", 415) from None
    table: NDArray[np.float64] = frame.to_numpy()
    return table


def _read_parquet(content: bytes, name: str) -> NDArray[np.float64]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table: NDArray[np.float64] = pq.read_table(io.BytesIO(content)).to_pandas().to_numpy(dtype=float)
    except (pa.ArrowInvalid, ValueError) as error:
        raise ClientError(f"{name} is not Parquet of numbers: {error}") from None
    return table


def _parse_libsvm(content: bytes, name: str) -> Table:
    """Return the rows of libsvm. Absent features are missing values, as in XGBoost's sparse matrices."""
    lines = [line.partition(b"#")[0].split() for line in content.splitlines()]
    rows = [_parse_libsvm_row(tokens, name) for tokens in lines if tokens]
    if not rows:
        raise ClientError(f"{name} is empty")
    features = np.full((len(rows), max((max(row) for _, row in rows if row), default=-1) + 1), np.nan)
    for number, (_, row) in enumerate(rows):
        features[number, list(row)] = list(row.values())
    labels = np.array([label for label, _ in rows])
    return Table(features, None if np.isnan(labels).any() else labels)


def _parse_libsvm_row(tokens: list[bytes], name: str) -> tuple[float, dict[int, float]]:
    """Return the label, NaN for a row without one, and the values by index."""
    try:
        label = np.nan if b":" in tokens[0] else float(tokens[0])
        pairs = (token.split(b":") for token in tokens if b":" in token and not token.startswith(b"qid:"))
        return label, {int(index): float(value) for index, value in pairs}
    except ValueError:
        raise ClientError(
            f"{name}: not in libsvm format: {b' '.join(tokens)[:80].decode(errors='replace')}", 415
        ) from None
