"""Batch transform's records: splitting files, filling requests, and associating answers with what was asked.

Source: "Associate Prediction Results with Input Records" and the data types TransformInput, TransformOutput and
DataProcessing, in SageMaker's developer guide and API reference.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sustainable_mlops.errors import UserError

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
MEBIBYTE = 2**20


def split_records(content: bytes, split_type: str) -> list[bytes]:
    """The records of a file: its lines without their ends, or all of it."""
    return [line for line in content.splitlines() if line] if split_type == "Line" else [content]


def batch_records(records: Sequence[bytes], *, single: bool, max_bytes: int) -> Iterator[Sequence[bytes]]:
    """Records that go into one request each: one, or as many as fit. Raises UserError for one that fits in none."""
    batch: list[bytes] = []
    size = 0
    for record in records:
        if len(record) > max_bytes:
            raise UserError(
                f"Too much data for max payload size: one has {len(record)} bytes, MaxPayloadInMB allows {max_bytes}"
            )
        if batch and (single or size + 1 + len(record) > max_bytes):
            yield batch
            batch, size = [], 0
        size += len(record) + (1 if batch else 0)
        batch.append(record)
    if batch:
        yield batch


class DataProcessing:
    """What a request's DataProcessing does to each record before and after the model.

    Raises UserError where a filter is no JSONPath, or there is something to do to a content type that has no fields.
    """

    def __init__(self, request: Mapping[str, Any], content_type: str, accept: str) -> None:
        settings = request.get("DataProcessing", {})
        self.joins_input = settings.get("JoinSource", "None") == "Input"
        self._input = _Filter(settings.get("InputFilter", "$"), "InputFilter")
        self._output = _Filter(settings.get("OutputFilter", "$"), "OutputFilter")
        self._input_type, self._output_type = _media_type(content_type), _media_type(accept or content_type)
        for filters, kind, member in (
            (self._input or self.joins_input, self._input_type, "TransformInput.ContentType"),
            (self.is_per_record, self._output_type, "TransformOutput.Accept"),
        ):
            if filters and kind not in (CSV, JSON, JSON_LINES):
                raise UserError(f"{member}: DataProcessing needs {CSV}, {JSON} or {JSON_LINES}, not {kind!r}")

    @property
    def is_per_record(self) -> bool:
        """Whether each record's answer is looked at by itself."""
        return self.joins_input or bool(self._output)

    def filter_input(self, record: bytes) -> bytes:
        """What of a record the model is given."""
        if not self._input:
            return record
        return _written(self._input.select(_read(record, self._input_type)), self._input_type)

    def filter_output(self, record: bytes, answer: bytes) -> bytes:
        """What is kept of a record and its answer."""
        found = _read(answer, self._output_type)
        if self.joins_input:
            found = _joined(_read(record, self._input_type), found)
        kept = self._output.select(found)
        return _written(kept, CSV if isinstance(kept, _Row) else JSON)


def _joined(asked: Any, answer: Any) -> Any:
    """Fields appended to a row; SageMakerOutput put into an object, or beside SageMakerInput."""
    if isinstance(asked, _Row) and isinstance(answer, _Row):
        return _Row([*asked, *answer])
    if isinstance(asked, dict):
        return {**asked, "SageMakerOutput": answer}
    return {"SageMakerInput": asked, "SageMakerOutput": answer}


class _Row(list[Any]):
    """Fields of a CSV row."""


class _Filter:
    """A JSONPath; false where it selects everything."""

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
        """The one value, the object of the named members, or the row of the fields; raises UserError for none."""
        found = list(self._path.finditer(value))
        if not found:
            raise UserError(f"JSONPath {self._text!r} selects nothing of a record")
        if isinstance(value, _Row):
            return _Row(match.obj for match in found) if self else value
        if self._path.singular_query():
            return found[0].obj
        if all(match.parts and isinstance(match.parts[-1], str) for match in found):
            return {match.parts[-1]: match.obj for match in found}
        return [match.obj for match in found]


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _read(record: bytes, kind: str) -> Any:
    try:
        text = record.decode()
        if kind == CSV:
            return _Row(next(csv.reader([text.strip()]), []))
        return json.loads(text)
    except (ValueError, csv.Error) as error:
        raise UserError(f"a record is not {kind}: {error}") from None


def _written(value: Any, kind: str) -> bytes:
    if kind == CSV:
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(value)
        return text.getvalue().encode()
    return json.dumps(value, separators=(",", ":")).encode()
