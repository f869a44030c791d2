"""An estate as Arrow tables, such as `estates` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from enrolpolicy.arrow.conforming import plain
from enrolpolicy.arrow.kernels import made, taken
from enrolpolicy.arrow.layout import WRITTEN, schema
from enrolpolicy.arrow.texts import ArrowTexts
from enrolpolicy.bulk import SHAPES, Column, Estate, Kind, Shape, Table
from enrolpolicy.bulk.columns import ABSENT
from enrolpolicy.bulk.snapshots import decoded

if TYPE_CHECKING:
    from enrolpolicy.arrow.kernels import Array, Numbers


def tables_of(estate: Estate) -> dict[str, pa.Table]:
    """The tables of an estate by name, rows that refer to somebody or something unknown among the others."""
    return {name: _table(shape, estate) for name, shape in SHAPES.items()}


def _table(shape: Shape, estate: Estate) -> pa.Table:
    known, strays = getattr(estate, shape.name), estate.strays[shape.name]
    parts = [_part(shape, known, estate)]
    if len(strays):
        parts.append(_part(shape, strays, estate))
    table = pa.concat_tables(parts)
    if len(strays):
        account = np.concatenate([known.ints("account"), strays.ints("account")])
        table = table.take(made(np.argsort(account, kind="stable")))
    return table


def _part(shape: Shape, table: Table, estate: Estate) -> pa.Table:
    return pa.table([_array(column, table, estate) for column in shape.columns], schema=schema(shape))


def _array(column: Column, table: Table, estate: Estate) -> Array:
    values = table.columns[column.name]
    if column.kind is Kind.REFERENCE and isinstance(values, np.ndarray):
        referred: Table = getattr(estate, column.table or "")
        return ids_of(referred, "account" if column.table == "accounts" else "id", values)
    if not isinstance(values, np.ndarray):
        return made(list(values), pa.string())
    if column.choices is not None:
        said = [plain(value) for value in decoded(column, values, range(len(values)))]
        return made(said, WRITTEN[column.kind])
    return numbers(values, column.kind, WRITTEN[column.kind])


def numbers(values: Numbers, kind: Kind, written: pa.DataType) -> Array:
    """Numbers, days or instants as Arrow has them, with a null where there is none."""
    absent = ABSENT.get(kind)
    if absent is None:
        none = None
    else:
        none = np.isnan(values) if kind is Kind.FRACTION else values == absent
    ticks = {Kind.DATE: pa.int32(), Kind.INSTANT: pa.int64()}.get(kind)
    if ticks is None:
        return made(values, written, none)
    return made(values, ticks, none).view(written)


def ids_of(table: Table, name: str, rows: Numbers) -> Array:
    """The ids of some rows of a table, -1: none."""
    ids = table.ids(name)
    if isinstance(ids, ArrowTexts) and isinstance(ids.values, pa.StringArray):
        return taken(ids.values, np.maximum(rows, 0), rows < 0)
    used, places = np.unique(rows, return_inverse=True)
    return taken(made([None if row < 0 else ids[row] for row in used.tolist()], pa.string()), places)
