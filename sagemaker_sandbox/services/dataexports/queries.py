"""Query of an export: `SELECT column, column AS name FROM TABLE`."""

import re
from typing import NamedTuple

from sagemaker_sandbox.base.errors import NotEmulatedError, ValidationError
from sagemaker_sandbox.services.dataexports.tables import OTHER_TABLES, TABLES, Column, ExportTable

_QUERY = re.compile(
    r"\s*SELECT\s+(?P<columns>.+?)\s+FROM\s+(?P<table>\w+)(?P<rest>.*?);?\s*", re.IGNORECASE | re.DOTALL
)
_COLUMN = re.compile(r"(?P<name>\w+)(?:\s+AS\s+(?P<alias>\w+))?", re.IGNORECASE)


class SelectedColumn(NamedTuple):
    """A column of the table, and its name in the export."""

    column: Column
    name: str


class ExportQuery(NamedTuple):
    """A parsed query."""

    table: ExportTable
    columns: tuple[SelectedColumn, ...]


def parse_query(statement: str) -> ExportQuery:
    """Return the query. Raises ValidationError if it is invalid, and NotEmulatedError if the sandbox lacks support."""
    match = _QUERY.fullmatch(statement)
    if match is None:
        raise ValidationError("The query statement is invalid: it must be SELECT columns FROM table.")
    table_name = match["table"].upper()
    if table_name in OTHER_TABLES:
        raise NotEmulatedError(
            f"An export of {table_name}", "The sandbox has data for CARBON_EMISSIONS only. Use an AWS account."
        )
    if table_name not in TABLES:
        raise ValidationError(f"The query statement is invalid: table {match['table']} does not exist.")
    if match["rest"].strip():
        raise NotEmulatedError("A query with a row filter", "Select columns only, and filter the delivered files.")
    table = TABLES[table_name]
    return ExportQuery(table, tuple(_parse_column(text, table) for text in match["columns"].split(",")))


def _parse_column(text: str, table: ExportTable) -> SelectedColumn:
    match = _COLUMN.fullmatch(text.strip())
    column = table.find_column(match["name"]) if match is not None else None
    if match is None or column is None:
        raise ValidationError(
            f"The query statement is invalid: table {table.name} has no column {text.strip() or 'without a name'}."
        )
    return SelectedColumn(column, match["alias"] or column.name)
