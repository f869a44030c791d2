"""What is used of Arrow's own functions, with the types that are meant: arrays in, arrays or numpy out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = pa.Array[Any]
    Dictionary = pa.DictionaryArray[Any, Any]
    Chunks = pa.ChunkedArray[Any]
    Flags = NDArray[np.bool_]
    Numbers = NDArray[Any]

_N = TypeVar("_N", bound=np.generic)

_call: Any = pc
_make: Any = pa
"""The same functions as those imported; their stubs have many overloads, and few that fit an array of any type."""


def nulls(size: int, kind: pa.DataType) -> Array:
    """So many nulls of a type."""
    return _as_array(_make.nulls(size, kind))


def repeated(value: object, kind: pa.DataType, size: int) -> Array:
    """The same value so many times."""
    return _as_array(_make.repeat(pa.scalar(value, kind), size))


def made(values: object, kind: pa.DataType | None = None, mask: Flags | None = None) -> Array:
    """An array of some values; those that are masked are null."""
    return _as_array(_make.array(values, kind, mask=mask))


def as_kind(values: Array, kind: pa.DataType) -> Array:
    """The values as another type."""
    return _as_array(_call.cast(values, kind))


def encoded(values: Array) -> Dictionary:
    """The values dictionary-encoded."""
    found: Dictionary = _call.dictionary_encode(values)
    return found


def valid(values: Array) -> Flags:
    """Which values are not null."""
    return _as_numbers(values.is_valid())


def filled(values: Array, value: object) -> Numbers:
    """The values, and another one in the place of nulls; not copied where there are none."""
    return _as_numbers(_call.fill_null(values, value) if values.null_count else values)


def with_blank(texts: Array) -> Array:
    """Texts, and an empty one in the place of nulls."""
    return _as_array(_call.fill_null(texts, ""))


def places_in(values: Array, among: Array) -> Numbers:
    """The place of each value among others; -1: it is not there."""
    return _as_numbers(_call.fill_null(_call.index_in(values, among), -1))


def matching(texts: Array, pattern: str) -> Flags:
    """Which texts a regular expression finds something in; not those that are null."""
    return filled(_call.match_substring_regex(texts, pattern), False)


def taken(values: Array, places: Numbers, mask: Flags | None = None) -> Array:
    """The values at some places; null where the mask is set."""
    return _as_array(values.take(_make.array(places, mask=mask)))


def listed(rows: pa.Table, ends: Numbers) -> Array:
    """Rows as lists of structs: each list has the rows up to one of the ends."""
    parts = [
        _make.concat_arrays(column.chunks) if column.num_chunks else column.combine_chunks()
        for column in rows.itercolumns()
    ]
    structs = pa.StructArray.from_arrays(parts, fields=list(rows.schema))
    offsets = made(np.append(0, ends), pa.int32())
    return _as_array(_make.ListArray.from_arrays(offsets, structs))


def unlisted(lists: Array) -> tuple[Numbers, list[Array]]:
    """How many structs each of some lists has, and the fields of all of them."""
    return _as_numbers(_call.list_value_length(lists)), list(_call.list_flatten(lists).flatten())


def same(these: Array, those: Array) -> Flags:
    """Which values are equal to those at the same places."""
    return filled(_call.equal(these, those), False)


def greater(these: Array, those: Array) -> Flags:
    """Which values are greater than those at the same places, or which cannot be compared."""
    return filled(_call.greater(these, those), True)


def ascending_order(**columns: object) -> Numbers:
    """The order in which rows of some columns ascend."""
    keys = [(name, "ascending") for name in columns]
    return _as_numbers(_call.sort_indices(_make.table(columns), keys))


def runs(values: Array) -> tuple[Numbers, Array]:
    """Where each run of equal values ends, and its value."""
    found = _call.run_end_encode(values)
    return _as_numbers(found.run_ends), _as_array(found.values)


def total(values: Chunks) -> int:
    """The sum of some numbers."""
    found: int = _call.sum(values).as_py() or 0
    return found


def seen_as(buffer: pa.Buffer, kind: type[_N]) -> NDArray[_N]:
    """The bytes of a buffer as numbers, not copied."""
    content: Any = buffer
    return np.frombuffer(content, dtype=kind)


def _as_numbers(values: Any) -> Numbers:
    found: Numbers = values.to_numpy(zero_copy_only=False)
    return found


def _as_array(values: Any) -> Array:
    found: Array = values
    return found
