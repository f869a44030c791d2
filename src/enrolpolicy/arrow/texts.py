"""Texts in Arrow: made one of two forms, looked at as bytes where that is enough, and looked up by runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar, cast, final

import numpy as np
import pyarrow as pa
from attrs import field, frozen
from pyarrow import types

from enrolpolicy.arrow.kernels import as_kind, encoded, filled, runs, seen_as, taken, valid
from enrolpolicy.bulk.columns import Ints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from enrolpolicy.arrow.kernels import Array, Chunks, Dictionary

    Rows = NDArray[np.intp]

_N = TypeVar("_N", bound=np.generic)


def as_text(values: Array) -> Array:
    """Texts as `string`, or as a dictionary of it without a null among its entries."""
    if types.is_dictionary(values.type):
        coded = cast("Dictionary", values)
        if coded.dictionary.null_count:  # a null there, and a null in the rows, would be two ways to say the same
            return encoded(as_text(coded.dictionary_decode()))
        if types.is_string(coded.dictionary.type):
            return values
        return pa.DictionaryArray.from_arrays(coded.indices, as_kind(coded.dictionary, pa.string()))
    return values if types.is_string(values.type) else as_kind(values, pa.string())


def distinct(values: Array) -> Array:
    """The texts of which those in rows are made: the dictionary, or the rows themselves."""
    return cast("Dictionary", values).dictionary if types.is_dictionary(values.type) else values


def bytes_of(texts: Array) -> NDArray[np.uint8]:
    """The bytes of plain texts, one after another."""
    _, offsets, content = texts.buffers()
    if content is None or offsets is None or len(texts) == 0:
        return np.empty(0, dtype=np.uint8)
    ends = seen_as(offsets, np.int32)
    return seen_as(content, np.uint8)[ends[texts.offset] : ends[texts.offset + len(texts)]]


def lengths_of(texts: Array) -> Ints:
    """How many bytes each of plain texts has."""
    offsets = texts.buffers()[1]
    if offsets is None or len(texts) == 0:
        return np.empty(0, dtype=np.int32)
    ends: Ints = seen_as(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return np.diff(ends)


def printable(texts: Array) -> bool:
    """Whether plain texts are made of printable ASCII alone: then they are UTF-8, and hold no control character."""
    content = bytes_of(texts)
    # Below the blank, the difference wraps around, and is large as well.
    return len(content) == 0 or int((content - np.uint8(0x20)).max()) <= 0x7E - 0x20


def not_utf8(texts: Array) -> int | None:
    """The first of plain texts that is not UTF-8, which files do not vouch for."""
    if printable(texts):
        return None
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        raw = texts.view(pa.binary())
        return next(row for row, value in enumerate(raw.to_pylist()) if not _is_utf8(value))
    return None


def _is_utf8(value: bytes | None) -> bool:
    try:
        (value or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


# Each distinct text once


def codes(values: Array) -> tuple[Rows, Array]:
    """For each row the place of its text among some texts; -1: null. Equal ones that follow each other are one."""
    if types.is_dictionary(values.type):
        coded = cast("Dictionary", values)
        places = filled(as_kind(coded.indices, pa.int32()), -1)
        ends = np.append(np.flatnonzero(places[1:] != places[:-1]) + 1, len(places))
        if len(ends) >= len(coded.dictionary) or not len(places):
            return places, coded.dictionary
        # A file's dictionary can have many more entries than a few of its rows use.
        spread = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
        texts = taken(coded.dictionary, np.maximum(places[ends - 1], 0))
        return np.where(places < 0, -1, spread) if values.null_count else spread, texts
    return _runs(values)


def _runs(values: Array) -> tuple[Rows, Array]:
    """The same for texts that stand in the rows themselves."""
    if len(values) == 0:
        return np.empty(0, dtype=np.intp), values
    ends, texts = runs(values)
    spread = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    return np.where(valid(values), spread, -1) if values.null_count else spread, texts


def each(values: Array, work_out: Callable[[Sequence[str | None]], NDArray[_N]]) -> NDArray[_N]:
    """What is worked out for the text of each row, worked out once for each distinct one."""
    places, texts = codes(values if types.is_dictionary(values.type) else encoded(values))
    worked_out = work_out([*cast("list[str | None]", texts.to_pylist()), None])
    return worked_out[places]  # where there is none, the place is -1, which is the last


# Texts that stay where they are until they are asked for


@final
@frozen(eq=False)
class ArrowTexts:
    """Texts of Arrow, each made text when it is asked for."""

    values: Chunks | Array = field(repr=False)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int, /) -> str:
        return cast("str", self.values[int(index)].as_py())

    def __iter__(self) -> Iterator[str]:
        return iter(cast("list[str]", self.values.to_pylist()))
