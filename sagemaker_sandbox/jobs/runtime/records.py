"""Records of batch transform: splitting files, filling requests, and joining responses with their records.

Source: "Associate Prediction Results with Input Records" and the data types TransformInput, TransformOutput and
DataProcessing, in the SageMaker developer guide and API reference.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sustainable_mlops.base.errors import UserError

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
MEBIBYTE = 2**20


def split_records(content: bytes, split_type: str) -> list[bytes]:
    """Return the records of a file: its non-empty lines, or all of it."""
    return [line for line in content.splitlines() if line] if split_type == "Line" else [content]


def batch_records(records: Sequence[bytes], *, is_single: bool, max_bytes: int) -> Iterator[Sequence[bytes]]:
    """Yield the records of each request: one, or as many as fit.

    Raises UserError for a record that exceeds the payload limit.
    """
    batch: list[bytes] = []
    size = 0
    for record in records:
        if len(record) > max_bytes:
            raise UserError(
                f"Too much data for max payload size: a record has {len(record)} bytes, "
                f"MaxPayloadInMB allows {max_bytes}"
            )
        if batch and (is_single or size + 1 + len(record) > max_bytes):
            yield batch
            batch, size = [], 0
        size += len(record) + (1 if batch else 0)
        batch.append(record)
    if batch:
        yield batch


class DataProcessing:
    """DataProcessing of a request: changes of each record before and after the model.

    Raises UserError for an invalid JSONPath, or for a filter on a content type without fields.
    """

    def __init__(self, request: Mapping[str, Any], content_type: str, accept: str) -> None:
        settings = request.get("DataProcessing", {})
        self.joins_input = settings.get("JoinSource", "None") == "Input"
        self._input = _Filter(settings.get("InputFilter", "$"), "InputFilter")
        self._output = _Filter(settings.get("OutputFilter", "$"), "OutputFilter")
        self._input_type, self._output_type = _get_media_type(content_type), _get_media_type(accept or content_type)
        for filters, kind, member in (
            (self._input or self.joins_input, self._input_type, "TransformInput.ContentType"),
            (self.is_per_record, self._output_type, "TransformOutput.Accept"),
        ):
            if filters and kind not in (CSV, JSON, JSON_LINES):
                raise UserError(f"{member}: DataProcessing needs {CSV}, {JSON} or {JSON_LINES}, not {kind!r}")

    @property
    def is_per_record(self) -> bool:
        """True if the response to each record is processed separately."""
        return self.joins_input or bool(self._output)

    def filter_input(self, record: bytes) -> bytes:
        """Return the part of a record that the model receives."""
        if not self._input:
            return record
        return _format_value(self._input.select(_parse_record(record, self._input_type)), self._input_type)

    def filter_output(self, record: bytes, response: bytes) -> bytes:
        """Return the output for a record and its response."""
        output = _parse_record(response, self._output_type)
        if self.joins_input:
            output = _join(_parse_record(record, self._input_type), output)
        selected = self._output.select(output)
        return _format_value(selected, CSV if isinstance(selected, _Row) else JSON)


def _join(record: Any, response: Any) -> Any:
    """Append fields to a row, or add SageMakerOutput to an object, or beside SageMakerInput."""
    if isinstance(record, _Row) and isinstance(response, _Row):
        return _Row([*record, *response])
    if isinstance(record, dict):
        return {**record, "SageMakerOutput": response}
    return {"SageMakerInput": record, "SageMakerOutput": response}


class _Row(list[Any]):
    """Fields of a CSV row."""


class _Filter:
    """A JSONPath. It is false if it selects everything."""

    def __init__(self, text: str, member: str) -> None:
        import jsonpath

        self._text = text or "$"
        try:
            path = jsonpath.compile(self._text)
            if not isinstance(path, jsonpath.JSONPath):
                raise jsonpath.JSONPathError("one path, not a union of several")
            self._path = path
        except jsonpath.JSONPathError as error:
            raise UserError(f"DataProcessing.{member}: {text!r} is not a JSONPath: {error}".splitlines()[0]) from None

    def __bool__(self) -> bool:
        return self._text != "$"

    def select(self, value: Any) -> Any:
        """Return the value, the object of named members, or the row of fields.

        Raises UserError if nothing matches.
        """
        matches = list(self._path.finditer(value))
        if not matches:
            raise UserError(f"JSONPath {self._text!r} matches nothing in a record")
        if isinstance(value, _Row):
            return _Row(match.obj for match in matches) if self else value
        if self._path.singular_query():
            return matches[0].obj
        if all(match.parts and isinstance(match.parts[-1], str) for match in matches):
            return {match.parts[-1]: match.obj for match in matches}
        return [match.obj for match in matches]


def _get_media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _parse_record(record: bytes, kind: str) -> Any:
    try:
        text = record.decode()
        if kind == CSV:
            return _Row(next(csv.reader([text.strip()]), []))
        return json.loads(text)
    except (ValueError, csv.Error) as error:
        raise UserError(f"a record is not {kind}: {error}") from None


def _format_value(value: Any, kind: str) -> bytes:
    if kind == CSV:
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(value)
        return text.getvalue().encode()
    return json.dumps(value, separators=(",", ":")).encode()
