"""Tables as they come, with the columns they should have: what is missing is refused or filled in, the rest named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from enum import Enum
from typing import TYPE_CHECKING

import pyarrow as pa

from enrolpolicy.arrow.kernels import repeated
from enrolpolicy.arrow.layout import WRITTEN, readable, wanted
from enrolpolicy.arrow.problems import Problems
from enrolpolicy.bulk import SHAPES, Column, Shape
from enrolpolicy.constraints import shown

if TYPE_CHECKING:
    from enrolpolicy.arrow.kernels import Array


def check_names(names: Iterable[str], problems: Problems) -> None:
    """Note the tables that are not there, and those that nobody knows."""
    given = set(names)
    for name in SHAPES:
        if name not in given:
            message = "is missing; give this table, if only with its columns and no row"
            problems.add(name, "missing-table", message)
    for name in sorted(given - SHAPES.keys()):
        problems.add(name, "unknown-table", f"is not a table here; {_nearest(name, SHAPES)}")


def check_schema(shape: Shape, schema: pa.Schema, problems: Problems) -> None:
    """Note what is wrong with the columns of a table."""
    known = {column.name: column for column in shape.columns}
    for name in sorted({name for name in schema.names if schema.names.count(name) > 1}):
        problems.add(shape.name, "repeated-column", "is there more than once; keep the one that is meant", column=name)
    for name in schema.names:
        if name not in known:
            problems.add(shape.name, "unknown-column", f"is not a column here; {_nearest(name, known)}", column=name)
        elif not readable(known[name], schema.field(schema.names.index(name)).type):
            found = schema.field(schema.names.index(name)).type
            message = f"must be {wanted(known[name])}, not {shown(str(found))}; cast it"
            problems.add(shape.name, "wrong-type", message, column=name)
    for column in shape.columns:
        if column.required and column.name not in schema.names:
            message = "is missing, and has no default; add the column"
            problems.add(shape.name, "missing-column", message, column=column.name)


def _nearest(name: str, known: Mapping[str, object]) -> str:
    nearest = get_close_matches(name[:80], known, n=1)
    return f"did you mean `{nearest[0]}`?" if nearest else f"there are {', '.join(f'`{one}`' for one in known)}"


def conformed(shape: Shape, batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Batches of a sound schema with every column in its place, so many rows at most in each."""
    for whole in batches:
        for start in range(0, whole.num_rows, rows):
            batch = whole.slice(start, rows)
            arrays = [
                batch.column(column.name) if column.name in batch.schema.names else _default(column, batch.num_rows)
                for column in shape.columns
            ]
            yield pa.RecordBatch.from_arrays(arrays, names=[column.name for column in shape.columns])


def _default(column: Column, rows: int) -> Array:
    return repeated(plain(column.default), WRITTEN[column.kind], rows)


def plain(value: object) -> object:
    """A value of the model as Arrow takes it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset):
        return sorted(member.value for member in value)
    return value
