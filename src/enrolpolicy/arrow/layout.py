"""How a column looks in Arrow: the type it is written with, and the types it is read from."""

from collections.abc import Callable, Iterable, Mapping

import pyarrow as pa
from pyarrow import types

from enrolpolicy.bulk import Column, Kind, Shape

WRITTEN: Mapping[Kind, pa.DataType] = {
    Kind.ID: pa.string(),
    Kind.TEXT: pa.string(),
    Kind.FLAG: pa.bool_(),
    Kind.NUMBER: pa.int32(),
    Kind.FRACTION: pa.float64(),
    Kind.DATE: pa.date32(),
    Kind.INSTANT: pa.timestamp("us", tz="UTC"),
    Kind.CHOICE: pa.string(),
    Kind.CHOICES: pa.list_(pa.string()),
    Kind.REFERENCE: pa.string(),
}
"""What a column is written as."""


def schema(shape: Shape) -> pa.Schema:
    """The Arrow schema of a table."""
    return pa.schema(
        [pa.field(column.name, WRITTEN[column.kind], nullable=column.nullable) for column in shape.columns]
    )


def is_text(kind: pa.DataType) -> bool:
    """Whether a type is text, plain or dictionary-encoded."""
    if types.is_dictionary(kind):
        return is_text(kind.value_type)
    return types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)


def _is_list_of_text(kind: pa.DataType) -> bool:
    return (types.is_list(kind) or types.is_large_list(kind)) and (
        is_text(kind.value_type) or types.is_null(kind.value_type)
    )


def _is_instant(kind: pa.DataType) -> bool:
    return types.is_timestamp(kind) and kind.tz is not None


_TEXT = (is_text, "text, plain or dictionary-encoded")
_READ: Mapping[Kind, tuple[Callable[[pa.DataType], bool], str]] = {
    Kind.ID: _TEXT,
    Kind.TEXT: _TEXT,
    Kind.FLAG: (types.is_boolean, "bool"),
    Kind.NUMBER: (types.is_integer, "an integer type"),
    Kind.FRACTION: (types.is_floating, "float64 or float32"),
    Kind.DATE: (types.is_date32, "date32"),
    Kind.INSTANT: (_is_instant, "a timestamp with a time zone"),
    Kind.CHOICE: _TEXT,
    Kind.CHOICES: (_is_list_of_text, "a list of text"),
    Kind.REFERENCE: _TEXT,
}


def readable(column: Column, kind: pa.DataType) -> bool:
    """Whether a column can be read from an Arrow type; a column of nulls alone has a type of its own."""
    return types.is_null(kind) or _READ[column.kind][0](kind)


def wanted(column: Column) -> str:
    """The types a column can be read from, in words."""
    return _READ[column.kind][1]


def text_columns(shape: Shape) -> Iterable[str]:
    """The columns of text, which are quicker to read dictionary-encoded."""
    return [column.name for column in shape.columns if WRITTEN[column.kind] == pa.string()]
